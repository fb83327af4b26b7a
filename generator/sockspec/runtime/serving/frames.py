"""A connection whose frames the `websockets` library reads and writes, by its protocol without I/O.

Whole messages in one frame, which nearly all are, are only unmasked here; whatever else comes is the library's to judge. It
gets whole frames, so that it never stands in the middle of one when a message is taken past it.
"""

from __future__ import annotations

import asyncio
from typing import Final, cast

from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from sockspec.runtime.limits import Limits
from sockspec.runtime.options import Options
from sockspec.runtime.serving.wire import Wire, Writing

try:
    from websockets.speedups import apply_mask
except ImportError:  # where the library has no compiled part
    from websockets.utils import apply_mask

_TEXT: Final = 0x81
_BINARY: Final = 0x82
_WHOLE: Final = frozenset({_TEXT, _BINARY})
"""The first byte of messages in one frame (RFC 6455, section 5.2)."""
_KNOWN: Final = frozenset({*_WHOLE, 0x01, 0x02, 0x00, 0x80, 0x88, 0x89, 0x8A})
"""The first byte of any frame that can be right: no reserved bit, a known opcode, no control frame in parts."""
_HEADS: Final = tuple(6 if length & 0x7F < 126 else 8 if length & 0x7F == 126 else 14 for length in range(256))
"""How long the head of a frame is with its mask, by its second byte."""


def _is_odd(head: bytes) -> bool:
    """Whether the first bytes of a frame are a fault of the client: of no known kind, or without a mask."""
    return head[0] not in _KNOWN or (len(head) > 1 and head[1] < 0x80)


class FramesWire(Wire, asyncio.Protocol):
    """An open connection after a handshake that the same protocol object has made."""

    def __init__(
        self, stream: asyncio.Transport, protocol: ServerProtocol, options: Options, limits: Limits, writing: Writing
    ) -> None:
        super().__init__(stream, options, limits, writing)
        self._protocol = protocol
        self._most = limits.max_message
        self._unread = b""
        self._is_odd = False
        self._lent = 0
        self._opcode = Opcode.TEXT
        self._parts: list[bytes] = []

    def upgrade(self, early: bytes) -> None:
        """Take over the stream, with what came behind the handshake."""
        self._stream.set_protocol(self)
        self._write()
        if early:
            self.data_received(early)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._is_odd:
            self._lend(data)
            return
        data, self._unread = self._unread + data if self._unread else data, b""
        at, size = min(self._lent, len(data)), len(data)
        if at:
            self._lent -= at
            self._lend(data[:at])
        while at < size:
            start = at + _HEADS[data[at + 1]] if at + 1 < size else size + 1
            if _is_odd(data[at : at + 2]):
                self._is_odd = True  # the library finds the fault, and ends the connection
                self._lend(data[at:])
                return
            if start > size:
                self._unread = data[at:]
                return
            length = data[at + 1] & 0x7F
            if length > 125:
                length = int.from_bytes(data[at + 2 : start - 4], "big")
            end = start + length
            if length > self._most:
                self._is_odd = True  # as above
                self._lend(data[at:])
                return
            if end > size or data[at] not in _WHOLE or self._parts:
                self._lent = max(0, end - size)
                self._lend(data[at:end])
            else:
                payload = apply_mask(data[start:end], data[start - 4 : start])
                if self.is_open:
                    self.take_text(payload) if data[at] == _TEXT else self.take(payload)
            at = end

    def _lend(self, data: bytes) -> None:
        """Let the library read."""
        self._protocol.receive_data(data)
        self._act()

    def eof_received(self) -> None:
        """The peer has said its last byte."""
        self._protocol.receive_eof()
        self._act()

    def connection_lost(self, exc: Exception | None) -> None:
        """The stream has ended."""
        self._protocol.receive_eof()
        self.lost()

    def _act(self) -> None:
        for event in self._protocol.events_received():
            self._take_frame(cast(Frame, event))
        self._write()
        if self.is_open and self._protocol.state is not State.OPEN:
            close = self._protocol.close_rcvd or self._protocol.close_sent
            self.closing(*((close.code, close.reason) if close is not None else (1006, "")))

    def _take_frame(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY if frame.fin:
                self._take_message(frame.opcode, bytes(frame.data))
            case Opcode.TEXT | Opcode.BINARY:
                self._opcode = frame.opcode
                self._parts.append(bytes(frame.data))
            case Opcode.CONT:
                self._parts.append(bytes(frame.data))
                if frame.fin:
                    whole = b"".join(self._parts)
                    self._parts.clear()
                    self._take_message(self._opcode, whole)
            case Opcode.PONG:
                self.take_pong(bytes(frame.data))
            case _:
                pass  # the library has answered it

    def _take_message(self, opcode: Opcode, payload: bytes) -> None:
        if not self.is_open:
            return
        if opcode is Opcode.TEXT:
            self.take_text(payload)
        else:
            self.take(payload)

    def _write(self) -> None:
        """Write what the protocol has to say: answers to pings, and the closing handshake."""
        self._flush()
        for data in self._protocol.data_to_send():
            if self._stream.is_closing():
                return
            if data:
                self._stream.write(data)
            elif self._stream.can_write_eof():
                self._stream.write_eof()
            else:
                self._stream.close()

    def _write_close(self, code: int, reason: str) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._write()

    def _write_ping(self, payload: bytes) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_ping(payload)
            self._write()
