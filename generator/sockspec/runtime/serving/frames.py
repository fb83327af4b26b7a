"""A connection whose frames the `websockets` library reads and writes, by its protocol without I/O."""

from __future__ import annotations

import asyncio
from typing import cast

from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from sockspec.runtime.limits import Limits
from sockspec.runtime.options import Options
from sockspec.runtime.serving.wire import Wire


class FramesWire(Wire, asyncio.Protocol):
    """An open connection after a handshake that the same protocol object has made."""

    def __init__(self, stream: asyncio.Transport, protocol: ServerProtocol, options: Options, limits: Limits) -> None:
        super().__init__(stream, options, limits)
        self._protocol = protocol
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
