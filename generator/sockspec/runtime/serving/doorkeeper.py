"""The opening handshake on a stream: read in bounded time and size, answered, and handed over to a wire."""

from __future__ import annotations

import asyncio
import email.utils
import http
import logging
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from websockets.datastructures import Headers
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from sockspec.runtime.connection import Admission
from sockspec.runtime.dispatcher import Request
from sockspec.runtime.fleet.control import HEADER, VERSION
from sockspec.runtime.handshake import HttpResponse, Values
from sockspec.runtime.serving import pages
from sockspec.runtime.serving.wire import Wire
from sockspec.runtime.websocket import library_logger

if TYPE_CHECKING:
    import ssl
    from ssl import SSLContext

    from sockspec.runtime.serving.standalone import Running

_log: Final = logging.getLogger("sockspec.server")
_library_log: Final = library_logger("websockets.server")

_MOST_HEAD: Final = 32 * 1024
"""The largest request head that is read."""
_END: Final = b"\r\n\r\n"
_PLAIN: Final = (("Content-Type", "text/plain; charset=utf-8"),)


class Doorkeeper(asyncio.Protocol):
    """Reads one handshake, has it answered, and leaves the stream to whoever carries the messages."""

    def __init__(self, house: Running) -> None:
        self._house = house
        self._options = house.options
        self._admission: Admission | None = None
        self._received = bytearray()
        self._rest = 0
        self._is_answered = False
        self._answering: asyncio.Task[None] | None = None
        self._is_lost = False
        self._socket: socket.socket | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._protocol = ServerProtocol(
            select_subprotocol=lambda protocol, offered: self._select(),
            max_size=None,
            logger=cast(logging.Logger, _library_log),
        )

    async def secure(self, accepted: socket.socket, context: SSLContext) -> None:
        """Have TLS spoken on a connection: within the time for the handshake, and counted as one, like what follows."""
        self._socket = accepted
        self._begin()
        loop, timeout = asyncio.get_running_loop(), self._options.open_timeout
        try:
            await loop.connect_accepted_socket(lambda: self, accepted, ssl=context, ssl_handshake_timeout=timeout)
        except OSError:  # errors of TLS are some, too
            self._leave()
            accepted.close()

    # --- asyncio.Protocol -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A stream was opened."""
        self._stream = cast(asyncio.Transport, transport)
        self._socket = None
        self._begin()

    def data_received(self, data: bytes) -> None:
        """A part of the request came."""
        if self._is_answered:
            return
        self._received += data
        end = self._received.find(_END, max(0, len(self._received) - len(data) - len(_END)))
        if end < 0 and len(self._received) <= _MOST_HEAD:
            return
        if end < 0 or end > _MOST_HEAD:
            self._respond(HttpResponse(431, _PLAIN, b"The head of the request is too large.\n"))
            return
        # What follows is for whoever carries the messages, and not read before there are limits for it.
        self._stream.pause_reading()
        self._protocol.receive_data(bytes(self._received[: end + len(_END)]))
        self._rest = end + len(_END)
        requests = [event for event in self._protocol.events_received() if isinstance(event, HttpRequest)]
        if requests:
            self._is_answered = True
            self._answering = asyncio.create_task(self._answer(requests[0]))
        else:
            self._respond(HttpResponse(400, _PLAIN, b"This is no valid request.\n"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The stream has ended before there was a connection."""
        self._is_lost = True
        self._leave()
        if self._answering is not None:
            self._answering.cancel()

    def cut_off(self) -> None:
        """End a handshake that takes too long."""
        if self._socket is None:
            self._stream.abort()
            return
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    # --- answering --------------------------------------------------------------------------------------------------

    async def _answer(self, request: HttpRequest) -> None:
        admission: Admission | None = None
        try:
            answer = await self._house.dispatcher.admit(self._read(request)) if _asks(request) else self._page(request)
            if isinstance(answer, Admission):
                admission = answer
                if self._welcome(request, answer):
                    admission = None  # the conversation gives its room back
            else:
                self._respond(answer)
        except Exception:
            _log.exception("a handshake could not be answered")
            self._stream.abort()
        finally:
            if admission is not None:
                self._house.dispatcher.forget(admission)

    def _page(self, request: HttpRequest) -> HttpResponse:
        method: str = getattr(request, "method", "GET")
        return pages.answer(self._house.dispatcher, request.path.partition("?")[0], method)

    def _read(self, request: HttpRequest) -> Request:
        address: object = self._stream.get_extra_info("peername")
        host, port = cast("tuple[str, int]", address)[:2] if isinstance(address, tuple) else ("", 0)
        headers = Values(request.headers.raw_items(), ignore_case=True)
        encryption: ssl.SSLObject | None = self._stream.get_extra_info("ssl_object")
        certificate = encryption.getpeercert(binary_form=True) if encryption is not None else None
        return Request(request.path, headers, host, port, encryption is not None, certificate)

    def _welcome(self, request: HttpRequest, admission: Admission) -> bool:
        """Accept the handshake, if it is one that can be; says whether there is a connection."""
        self._admission = admission
        response = self._protocol.accept(request)
        if self._is_lost:
            return False
        if response.status_code != 101:
            self._respond(HttpResponse(response.status_code, _PLAIN, bytes(response.body)))
            return False
        self._leave()
        limits = self._house.dispatcher.limits_of(admission)
        wire: Wire
        if self._options.library == "picows":
            from sockspec.runtime.serving.picows import PicowsWire

            wire = PicowsWire(self._stream, self._options, limits, self._house.writing)
            chosen = {"Sec-WebSocket-Protocol": admission.subprotocol} if admission.subprotocol else {}
            if admission.resumes:
                chosen[HEADER] = VERSION
            wire.upgrade(bytes(self._received), chosen)
        else:
            from sockspec.runtime.serving.frames import FramesWire

            self._protocol.max_message_size = limits.max_message
            if admission.resumes:
                response.headers[HEADER] = VERSION
            self._protocol.send_response(response)
            wire = FramesWire(self._stream, self._protocol, self._options, limits, self._house.writing)
            wire.upgrade(bytes(self._received[self._rest :]))
        wire.start()
        self._stream.resume_reading()
        self._house.serve(wire, admission)
        return True

    def _select(self) -> Subprotocol | None:
        chosen = self._admission.subprotocol if self._admission is not None else None
        return Subprotocol(chosen) if chosen is not None else None

    def _respond(self, answer: HttpResponse) -> None:
        """Answer by HTTP, and let the stream end."""
        if self._stream.is_closing():
            return
        headers = Headers([("Date", email.utils.formatdate(usegmt=True)), ("Connection", "close"), *answer.headers])
        headers["Content-Length"] = answer.content_length
        phrase = http.HTTPStatus(answer.status).phrase
        self._stream.write(Response(answer.status, phrase, headers, answer.body).serialize())
        self._is_answered = True
        if self._stream.can_write_eof():
            # Closing a stream with unread bytes resets it, and the answer could be lost: so wait for the other side.
            self._stream.write_eof()
            self._stream.resume_reading()
        else:
            self._stream.close()

    def _begin(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._options.open_timeout, self.cut_off)
            self._house.waiting(self)

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._house.done(self)


def _asks(request: HttpRequest) -> bool:
    """Whether a request asks for a WebSocket connection."""
    return "websocket" in [value.strip().lower() for value in request.headers.get_all("Upgrade")]
