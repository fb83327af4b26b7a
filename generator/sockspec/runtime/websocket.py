"""A client's transport over the `websockets` library, and the logger that the library gets."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from websockets.asyncio.connection import Connection as WebSocket
from websockets.exceptions import ConnectionClosed as WebSocketClosed
from websockets.protocol import State

from sockspec.runtime.fleet.control import HEADER, VERSION
from sockspec.runtime.transport import ConnectionClosed

IDLE_TIMEOUT: Final = 3008
MOST_REASON: Final = 123
"""The bytes that a close reason can have (RFC 6455, section 5.5)."""


class QuietLogger(logging.LoggerAdapter[logging.Logger]):
    """Keeps the debug log of the library shut: it has every header, tokens included, and every payload."""

    def __init__(self, logger: logging.Logger, least: int) -> None:
        super().__init__(logger, {})
        self._least = least

    def isEnabledFor(self, level: int) -> bool:
        """Whether the level is logged: as configured, and never below the least one."""
        return level >= self._least and super().isEnabledFor(level)


def library_logger(name: str, least: int = logging.INFO) -> QuietLogger:
    """The logger to give to the library; nothing below the least level is logged."""
    return QuietLogger(logging.getLogger(name), least)


class WebSocketTransport:
    """An open connection of the library as a `Transport`."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._aborted = False
        self._reading = False
        response = websocket.response
        self.resumes = response is not None and response.headers.get(HEADER) == VERSION
        """Whether the server agreed to say where messages stand."""

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return not self._aborted and self._websocket.state is State.OPEN

    async def receive(self) -> str | bytes:
        """The next message. Raises ConnectionClosed."""
        self._reading = True
        try:
            return await self._websocket.recv()
        except WebSocketClosed as closed:
            raise _closed(closed) from None
        finally:
            self._reading = False

    async def send(self, frame: str | bytes) -> None:
        """Send a message. Waits while more than the write limit is buffered. Raises ConnectionClosed."""
        try:
            await self._websocket.send(frame)
        except WebSocketClosed as closed:
            raise _closed(closed) from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection; the library aborts it when its `close_timeout` is over."""
        close_timeout = self._websocket.close_timeout
        try:
            # A peer that does not read keeps even the close frame from being written.
            async with asyncio.timeout(None if close_timeout is None else 2 * close_timeout):
                closing = asyncio.create_task(self._websocket.close(code, _clip(reason)))
                try:
                    await self._discard(closing)
                finally:
                    closing.cancel()
        except TimeoutError:
            self.abort()

    async def _discard(self, closing: asyncio.Task[None]) -> None:
        """Wait for the end. The answer to a close frame stands behind messages that perhaps nobody takes any more."""
        try:
            while not (closing.done() or self._reading):
                await self._websocket.recv()
        except WebSocketClosed:
            pass
        await closing

    def abort(self) -> None:
        """End the connection now."""
        self._aborted = True
        self._websocket.transport.abort()

    async def keep_alive(self, interval: float, timeout: float) -> None:
        """Ping the peer for ever, and end the connection when it does not answer in time; times in seconds.

        The library's own keep-alive would wait without end for a peer that does not read: its ping has to get
        through the full buffer first. While nobody receives here, an answer may be there unread, and the peer is
        given the benefit of the doubt.
        """
        # A peer that is gone is so within the interval and the timeout, its last chance to close in good order included.
        last_chance = min(1.0, timeout / 10)
        while True:
            await asyncio.sleep(interval)
            try:
                async with asyncio.timeout(timeout - last_chance):
                    await (await self._websocket.ping())
            except WebSocketClosed:
                return
            except TimeoutError:
                if self._reading:
                    break
        try:
            async with asyncio.timeout(last_chance):
                await self._websocket.close(IDLE_TIMEOUT, "idle timeout")
        except TimeoutError:
            self.abort()


def _clip(reason: str) -> str:
    return reason.encode()[:MOST_REASON].decode(errors="ignore")


def _closed(closed: WebSocketClosed) -> ConnectionClosed:
    """Why the connection ended, as whoever closed first said."""
    received, sent = closed.rcvd, closed.sent
    frame = received if sent is None or (received is not None and closed.rcvd_then_sent) else sent
    return ConnectionClosed() if frame is None else ConnectionClosed(frame.code, frame.reason)
