"""What connections need of whatever carries their messages: a library, a host application, or a test."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, Protocol

from msgspec import Struct


class ConnectionClosed(ConnectionError):
    """The connection has ended.

    The code (RFC 6455, section 7.4) is the one that whoever closed first gave: 1005 when it gave none,
    and 1006 when the connection broke off.
    """

    def __init__(self, code: int = 1006, reason: str = "") -> None:
        super().__init__(f"connection closed with code {code}" + (f": {reason}" if reason else ""))
        self.code = code
        self.reason = reason


_TEXT: Final = 0x81
_BINARY: Final = 0x82
_SHORT: Final = struct.Struct("!BB").pack
_MEDIUM: Final = struct.Struct("!BBH").pack
_LONG: Final = struct.Struct("!BBQ").pack
"""The head of a frame by the size of what follows."""


class Frame(Struct, eq=False, gc=False):
    """A whole message on its way out. However many connections it goes to, its bytes are made once."""

    data: bytes
    """The payload, of text in UTF-8."""
    is_text: bool = True
    before: Frame | None = None
    """What goes out just ahead of it, as a message of its own."""
    _wire: bytes = b""

    @property
    def payload(self) -> str | bytes:
        """What is sent: str as text, bytes as binary."""
        return self.data.decode() if self.is_text else self.data

    @property
    def wire(self) -> bytes:
        """The unmasked frame that a server sends (RFC 6455, section 5.2), behind the one that goes before it."""
        if not self._wire:
            head, size = _TEXT if self.is_text else _BINARY, len(self.data)
            if size < 126:
                self._wire = _SHORT(head, size) + self.data
            elif size < 65536:
                self._wire = _MEDIUM(head, 126, size) + self.data
            else:
                self._wire = _LONG(head, 127, size) + self.data
            if self.before is not None:
                self._wire = self.before.wire + self._wire
        return self._wire


class Transport(Protocol):
    """An open WebSocket connection that carries whole messages."""

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent: false as soon as either side starts to close."""
        ...

    async def receive(self) -> str | bytes:
        """The next message: text as str, binary as bytes. Raises ConnectionClosed."""
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Send what is buffered, then close. Ends in bounded time and never raises."""
        ...

    def abort(self) -> None:
        """End the connection now, without a word."""
        ...


class ServerTransport(Transport, Protocol):
    """The server's end. It watches over the peer by itself: a dead one, and one that does not read, is cut off."""

    def received(self) -> str | bytes | None:
        """The next message, if it is there; None where `receive` has to be asked, be it to give others their turn."""
        ...

    def attach(self, name: str, ended: Callable[[], None]) -> None:
        """Name the connection in logs, and call `ended` once the peer is known to be gone, if that is known at all."""
        ...

    @property
    def buffered(self) -> int:
        """How many bytes were sent and not yet taken by the peer."""
        ...

    @property
    def is_writable(self) -> bool:
        """Whether the peer takes what it is sent: little enough is buffered."""
        ...

    def post(self, frame: Frame) -> None:
        """Send a message without waiting, however much is buffered. Does nothing when the connection is not open."""
        ...

    async def drained(self) -> None:
        """Wait until the transport is writable. Raises ConnectionClosed when it will not be."""
        ...


class ClientTransport(Transport, Protocol):
    """The client's end."""

    @property
    def resumes(self) -> bool:
        """Whether the server agreed to say where messages stand."""
        ...

    async def send(self, frame: str | bytes) -> None:
        """Send a message. Waits while the peer has much to read. Raises ConnectionClosed."""
        ...

    async def keep_alive(self, interval: float, timeout: float) -> None:
        """Ping the peer as often, and end the connection when it does not answer in time; times in seconds.

        Returns when the connection has ended, or at once where the transport has no pings to send.
        """
        ...
