"""What no server should do to its clients: slowness, broken frames, resets."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final

from sockspec.runtime.serving.wire import Wire
from sockspec.runtime.transport import ConnectionClosed, Frame, ServerTransport

MALFORMED: Final = {
    "json": b'\x81\x09{"type": ',
    "utf8": b'\x81\x04"\xc3\x28"',
    "frame": b"\x83\x00",
    "masked": b"\x81\x82\x00\x00\x00\x00{}",
}
"""Frames that no server may send, by what is wrong: JSON, UTF-8, the opcode, a mask (RFC 6455, sections 5.1 and 5.2)."""

_TURNS: Final = 10
"""How many parts of a slow message are sent in a second."""
_FINAL: Final = 0x80


class RawFrame(Frame, eq=False, gc=False):
    """Bytes that are sent as they are."""

    @property
    def wire(self) -> bytes:
        """The bytes."""
        return self.data


class Pace:
    """A transport whose sending can be slowed down.

    Slow messages go in fragments (RFC 6455, section 5.4), between which pings and their answers are allowed: so a
    slow connection is still a correct one.
    """

    def __init__(self, below: ServerTransport) -> None:
        self.below: Final = below
        self.rate: int | None = None
        """Bytes a second; None for as fast as can be."""
        self._waiting: deque[Frame] = deque()
        self._pump: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self.below.is_open

    @property
    def buffered(self) -> int:
        """How many bytes were sent and not yet taken by the peer."""
        return self.below.buffered + sum(len(frame.data) for frame in self._waiting)

    @property
    def is_writable(self) -> bool:
        """Whether a message would be sent at once."""
        return self._pump is None and self.below.is_writable

    def received(self) -> str | bytes | None:
        """The next message, if it is there."""
        return self.below.received()

    def attach(self, name: str, ended: Callable[[], None]) -> None:
        """Name the connection in logs, and call `ended` once the peer is known to be gone."""
        self.below.attach(name, ended)

    async def receive(self) -> str | bytes:
        """The next message. Raises ConnectionClosed."""
        return await self.below.receive()

    def post(self, frame: Frame) -> None:
        """Send a message without waiting, behind those that are still on their way."""
        if self._pump is None and self.rate is None:
            self.below.post(frame)
            return
        self._waiting.append(frame)
        if self._pump is None:
            self._pump = asyncio.create_task(self._send())

    async def drained(self) -> None:
        """Wait until all is sent. Raises ConnectionClosed when it will not be."""
        if self._pump is not None:
            await asyncio.wait([self._pump])
        await self.below.drained()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection; what is still on its way is cut off."""
        self.stop()
        await self.below.close(code, reason)

    def abort(self) -> None:
        """End the connection now."""
        self.stop()
        self.below.abort()

    def stop(self) -> None:
        """Send no more of what waits."""
        self._waiting.clear()
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None

    async def _send(self) -> None:
        try:
            while self._waiting and self.below.is_open:
                await self._send_slowly(self._waiting.popleft())
        except ConnectionClosed:
            self._waiting.clear()
        finally:
            if self._pump is asyncio.current_task():
                self._pump = None

    async def _send_slowly(self, frame: Frame) -> None:
        rate = self.rate
        if rate is None or isinstance(frame, RawFrame):
            self.below.post(frame)
            return
        for part in fragments(frame, max(1, rate // _TURNS)):
            self.below.post(part)
            await self.below.drained()
            await asyncio.sleep(len(part.data) / rate)


def fragments(frame: Frame, size: int) -> Iterator[Frame]:
    """A message as frames with so many bytes of it at most."""
    starts = range(0, len(frame.data), size) or range(1)
    for start in starts:
        part = frame.data[start : start + size]
        opcode = 0 if start else 1 if frame.is_text else 2
        head = Frame(part).wire[1 : -len(part) or None]  # the length, as any frame of that size has it
        yield RawFrame(bytes([opcode | (_FINAL if start == starts[-1] else 0)]) + head + part)


def drop(transport: ServerTransport, *, resets: bool) -> None:
    """End a connection without a word: by a reset of TCP, or as when a process ends."""
    if resets and isinstance(transport, Wire):
        connection = transport.stream.get_extra_info("socket")
        if connection is not None:
            # Closing a socket that does not linger resets its connection.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


@asynccontextmanager
async def stalled(transport: ServerTransport) -> AsyncGenerator[None]:
    """Read nothing of what the client sends while the block lasts."""
    stream = transport.stream if isinstance(transport, Wire) else None
    if stream is not None:
        stream.pause_reading()
    try:
        yield
    finally:
        if stream is not None and not stream.is_closing():
            stream.resume_reading()
