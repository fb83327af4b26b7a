"""What a connection needs from a transport, whichever library or test carries the frames."""

from __future__ import annotations

from typing import Protocol


class ConnectionClosed(ConnectionError):
    """The connection has ended.

    The code (RFC 6455, section 7.4) is the one that whoever closed first gave: 1005 when it gave none,
    and 1006 when the connection broke off.
    """

    def __init__(self, code: int = 1006, reason: str = "") -> None:
        super().__init__(f"connection closed with code {code}" + (f": {reason}" if reason else ""))
        self.code = code
        self.reason = reason


class Transport(Protocol):
    """An open WebSocket connection that carries whole messages."""

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent: false as soon as either side starts to close."""
        ...

    @property
    def buffered(self) -> int:
        """How many bytes were sent and not yet taken by the peer."""
        ...

    async def receive(self) -> str | bytes:
        """The next message: text as str, binary as bytes. Raises ConnectionClosed."""
        ...

    async def send(self, frame: str | bytes) -> None:
        """Send a message. Waits while the peer has much to read. Raises ConnectionClosed."""
        ...

    def post(self, frame: str | bytes) -> None:
        """Send a message without waiting, however much is buffered. Does nothing when the connection is not open."""
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Send what is buffered, then close. Ends in bounded time and never raises."""
        ...

    def abort(self) -> None:
        """End the connection now, without a word."""
        ...

    async def keep_alive(self, interval: float, timeout: float) -> None:
        """Ping the peer as often, and end the connection when it does not answer in time; times in seconds.

        Returns when the connection has ended, or at once where the transport has no pings to send.
        """
        ...
