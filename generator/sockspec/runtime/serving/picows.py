"""A connection whose frames the `picows` library reads, for speed: the extra `fast`."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, cast

from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSProtocolError,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)
from picows.picows import WSAutoPingStrategy, WSProtocol  # type: ignore[attr-defined]  # not in its stubs

from sockspec.runtime.limits import Limits
from sockspec.runtime.options import Options
from sockspec.runtime.serving.wire import Wire, Writing
from sockspec.runtime.websocket import library_logger

_READ_BUFFER: Final = 2048
_NO_CODE: Final = 1005
_RECEIVABLE: Final = (1000, 1001, 1002, 1003, *range(1007, 1015))
"""The close codes below 3000 that a frame may have (RFC 6455, section 7.4, and the IANA registry)."""
_TEXT: Final = WSMsgType.TEXT
_DATA: Final = (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION)


class PicowsWire(Wire, WSListener):
    """An open connection; the library has the stream, and tells of each frame."""

    def __init__(self, stream: asyncio.Transport, options: Options, limits: Limits, writing: Writing) -> None:
        super().__init__(stream, options, limits, writing)
        self._most = limits.max_message
        self._transport: WSTransport | None = None
        self._parts: list[bytes] | None = None
        self._is_text = True
        self._size = 0

    def upgrade(self, head: bytes, headers: dict[str, str]) -> None:
        """Hand the stream over to the library, with the handshake that was read and the headers of the answer."""
        response = WSUpgradeResponse.create_101_response(headers)

        def accept(request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
            return WSUpgradeResponseWithListener(response, self)

        protocol = WSProtocol(
            *(None, None, False, accept, library_logger("picows", logging.CRITICAL), True, None),
            *(False, 20, 20, WSAutoPingStrategy.PING_WHEN_IDLE, True),
            *(self._most, None, _READ_BUFFER),
        )
        protocol.connection_made(self._stream)
        self._stream.set_protocol(cast(asyncio.BaseProtocol, protocol))
        while head:
            room = cast(memoryview, protocol.get_buffer(-1))
            part, head = head[: len(room)], head[len(room) :]
            room[: len(part)] = part
            protocol.buffer_updated(len(part))

    # --- what the library tells -------------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is answered."""
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame came. Raises WSProtocolError, which the library turns into the end of the connection."""
        if not (
            self.is_open
            and frame.msg_type == _TEXT
            and frame.fin
            and self._parts is None
            and not (frame.rsv1 or frame.rsv2 or frame.rsv3 or transport.is_close_frame_sent)
        ):
            self._take_frame(frame)
            return
        try:  # a whole text, which nearly all frames are
            self.take(frame.get_payload_as_utf8_text())
        except UnicodeDecodeError as error:
            self._refuse_text(error)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The stream has ended."""
        self.lost()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _take_frame(self, frame: WSFrame) -> None:
        if self._has_failed():
            return
        kind = frame.msg_type
        if kind in _DATA:
            if self.is_open:
                self._take_data(kind, frame)
        elif kind == WSMsgType.PONG:
            self.take_pong(frame.get_payload_as_bytes())
        elif kind == WSMsgType.CLOSE:
            self._take_close(frame)

    def _has_failed(self) -> bool:
        """Whether the library has closed the connection for a fault of its own finding; it goes on reading after that."""
        if not self.is_open or self._transport is None or not self._transport.is_close_frame_sent:
            return False
        sent = self._transport.close_handshake.sent
        self.closing(sent.code.value if sent is not None else 1002, sent.reason if sent is not None else "")
        return True

    def _take_data(self, kind: WSMsgType, frame: WSFrame) -> None:
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            raise self._fault(WSCloseCode.PROTOCOL_ERROR, "reserved bits must be 0")
        if (kind == WSMsgType.CONTINUATION) is (self._parts is None):
            raise self._fault(WSCloseCode.PROTOCOL_ERROR, "unexpected kind of frame")
        payload = frame.get_payload_as_bytes()
        if kind != WSMsgType.CONTINUATION:
            self._is_text = kind == WSMsgType.TEXT
            if frame.fin:
                self._take_message(payload)
                return
            self._parts, self._size = [], 0
        assert self._parts is not None
        self._parts.append(payload)
        self._size += len(payload)
        if self._size > self._most:
            raise self._fault(WSCloseCode.MESSAGE_TOO_BIG, "message too large")
        if frame.fin:
            whole, self._parts = b"".join(self._parts), None
            self._take_message(whole)

    def _take_message(self, payload: bytes) -> None:
        if self._is_text:
            self.take_text(payload)
        else:
            self.take(payload)

    def _take_close(self, frame: WSFrame) -> None:
        code = int(frame.get_close_code().value) if frame.payload_size else _NO_CODE
        if not (frame.payload_size == 0 or code in _RECEIVABLE or 3000 <= code <= 4999):
            raise self._fault(WSCloseCode.PROTOCOL_ERROR, "invalid close code")
        answers = not self.is_open
        self._flush()
        self.closing(code, frame.get_close_reason() or "")
        if not answers:
            self._write_close(code if code != _NO_CODE else 1000, "")
        self._stream.close()

    def _fault(self, code: WSCloseCode, reason: str) -> WSProtocolError:
        self._flush()
        self.closing(code.value, reason)
        return WSProtocolError(code, reason)

    def _write_close(self, code: int, reason: str) -> None:
        if self._transport is not None:
            self._transport.send_close(cast(WSCloseCode, code), reason.encode())

    def _write_ping(self, payload: bytes) -> None:
        if self._transport is not None:
            self._transport.send_ping(payload)
