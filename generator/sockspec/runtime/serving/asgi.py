"""Serving below an ASGI 3 server, alone or mounted in another application."""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote, unquote

from sockspec.runtime.application import Application
from sockspec.runtime.connection import Admission
from sockspec.runtime.dispatcher import Dispatcher, Request
from sockspec.runtime.fleet.control import HEADER, RESUME_SUBPROTOCOL, VERSION
from sockspec.runtime.handshake import HttpResponse, Values, http_refusal
from sockspec.runtime.limits import Limits
from sockspec.runtime.options import Options
from sockspec.runtime.problems import INTERNAL_SERVER_ERROR, MESSAGE_TOO_LARGE, PROBLEMS, Problem
from sockspec.runtime.security.redaction import redacted
from sockspec.runtime.serving import pages
from sockspec.runtime.transport import ConnectionClosed, Frame

_log: Final = logging.getLogger("sockspec.server")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_NO_CODE: Final = 1005
_DEEPEST_MOUNT: Final = 16
"""How many segments the prefix of a mounted application can have."""
_DENIAL: Final = "websocket.http.response"


class AsgiApplication:
    """An ASGI 3 application.

    It needs no lifespan events, which a mounted application does not get. Pings, sizes of messages and the handshake's
    time are the ASGI server's to configure; `docs/serving.md` says how.
    """

    def __init__(self, application: Application) -> None:
        self.options: Final = application.options
        self.dispatcher: Final = Dispatcher(application.servers, application.options)
        self._has_looked = False

    async def drain(self) -> None:
        """Say goodbye to every client, in bounded time; call it before the ASGI server closes its sockets."""
        await self.dispatcher.drain()
        await self.dispatcher.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection, a request for one of the pages, or a lifespan."""
        match scope["type"]:
            case "websocket":
                await self._connect(scope, receive, send)
            case "http":
                answer = pages.answer(self.dispatcher, self._path(scope), scope["method"])
                await _respond(send, answer, "http.response")
            case "lifespan":
                await self._live(receive, send)
            case other:
                raise ValueError(f"cannot serve the scope {other!r}")

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.shutdown":
                await self.drain()
                await send({"type": "lifespan.shutdown.complete"})
                return
            await send({"type": "lifespan.startup.complete"})

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        event = await receive()
        if event["type"] != "websocket.connect":
            return
        if not self._has_looked:
            self._look_at_host()
        request = self._request(scope)
        scope["query_string"] = redacted(scope.get("query_string", b""), self.dispatcher.secrets_in_query)
        try:
            async with asyncio.timeout(self.options.open_timeout):
                answer = await self.dispatcher.admit(request)
        except TimeoutError:
            answer = http_refusal(Problem.of(INTERNAL_SERVER_ERROR, "the handshake took too long"))
        if isinstance(answer, Admission):
            await self._converse(answer, receive, send)
        elif _DENIAL in (scope.get("extensions") or {}):
            await _respond(send, answer, _DENIAL)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": ""})

    def _look_at_host(self) -> None:
        """Warn of a host that unpacks whatever it is sent."""
        self._has_looked = True
        if "hypercorn.protocol.ws_stream" in sys.modules:
            from sockspec.runtime.serving.hypercorn import refuses_compression

            if not refuses_compression():
                _log.warning(
                    "hypercorn unpacks compressed messages without a limit: call refuse_compression() of "
                    "sockspec.runtime.serving.hypercorn before it serves"
                )

    async def _converse(self, admission: Admission, receive: Receive, send: Send) -> None:
        transport = AsgiTransport(receive, send, self.options, self.dispatcher.limits_of(admission))
        try:
            if admission.resumes and _keeps_headers_back(send):
                admission = replace(admission, resumes=admission.subprotocol == RESUME_SUBPROTOCOL)
            headers = [(HEADER.lower().encode(), VERSION.encode())] if admission.resumes else []
            await send({"type": "websocket.accept", "subprotocol": admission.subprotocol, "headers": headers})
            await self.dispatcher.converse(transport, admission)
            await transport.close()
        except OSError:
            pass  # the client was gone before it was accepted
        finally:
            transport.abort()
            self.dispatcher.forget(admission)

    def _request(self, scope: Scope) -> Request:
        headers = Values(
            ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]), ignore_case=True
        )
        query = scope.get("query_string", b"").decode("latin-1")
        host, port = scope.get("client") or ("", 0)
        is_secure = scope.get("scheme") in ("wss", "https")
        path = self._path(scope)
        target = f"{path}?{query}" if query else path
        return Request(target, headers, str(host), int(port or 0), is_secure, _certificate(scope))

    def _path(self, scope: Scope) -> str:
        """The path below the place at which the application is mounted, percent-encoded."""
        candidates = list(_paths(scope))
        known = (path for path in candidates if pages.is_page(path) or self.dispatcher.has_endpoint(path))
        return next(known, candidates[0])


def _certificate(scope: Scope) -> bytes | None:
    """The certificate of the client in DER, where the server tells of it (the ASGI extension `tls`) and has verified it."""
    tls = (scope.get("extensions") or {}).get("tls") or {}
    chain = [] if tls.get("client_cert_error") else [*(tls.get("client_cert_chain") or ())]
    return ssl.PEM_cert_to_DER_cert(chain[0]) if chain else None


def _paths(scope: Scope) -> Iterator[str]:
    """What the path may be: hosts differ in whether they take their prefix off, and off which of its two forms.

    The prefix may also be the one of the API itself, and belong to the path.
    """
    path: str = scope["path"]
    raw: object = scope.get("raw_path")
    full = raw.decode("latin-1").partition("?")[0] if isinstance(raw, bytes) else quote(path)
    prefix = quote(scope.get("root_path", "")).rstrip("/")
    if prefix and full.startswith(prefix + "/"):
        yield full.removeprefix(prefix)
    yield full
    start = 0
    for _ in range(_DEEPEST_MOUNT):
        start = full.find("/", start + 1)
        if start < 0:
            return
        if unquote(full[start:]).rstrip("/") == path.rstrip("/"):  # some hosts add a slash
            yield full[start:]


class AsgiTransport:
    """A connection that an ASGI server has accepted."""

    def __init__(self, receive: Receive, send: Send, options: Options, limits: Limits) -> None:
        self._receive = receive
        self._send = send
        self._options = options
        self._most = limits.max_message
        self._waiting: deque[Frame] = deque()
        self._waiting_bytes = 0
        self._sending = asyncio.Lock()
        self._flusher: asyncio.Task[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._ending: ConnectionClosed | None = None
        self._is_gone = False
        self._context: dict[str, object] = {}
        self._on_gone: Callable[[], None] | None = None
        self._receiver: asyncio.Task[Any] | None = None
        self._quiet: asyncio.Future[None] | None = None
        self._parted: asyncio.Future[None] | None = None

    def attach(self, name: str, ended: Callable[[], None]) -> None:
        """Name the connection in logs, and call `ended` once sending has shown that the client is gone.

        Nothing else does while a handler runs: ASGI tells it to whoever asks for the next message only.
        """
        self._context = {"connection": name}
        self._on_gone = ended

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._ending is None and not self._is_gone

    @property
    def buffered(self) -> int:
        """How many bytes were posted and not yet taken by the ASGI server."""
        return self._waiting_bytes

    @property
    def is_writable(self) -> bool:
        """Whether the ASGI server takes what it is given."""
        return self._waiting_bytes <= _AHEAD

    def received(self) -> str | bytes | None:
        """Nothing: what has come is with the ASGI server, and has to be waited for."""
        return None

    async def receive(self) -> str | bytes:
        """The next message. Raises ConnectionClosed."""
        await self._flush()
        self._insist_on_open()
        self._receiver = asyncio.current_task()
        try:
            event = await self._receive()
        except asyncio.CancelledError:
            task, ending = asyncio.current_task(), self._ending
            if ending is None or task is None or task.uncancel() > 0:
                raise
            if self._quiet is not None and self._parted is not None:
                self._quiet.set_result(None)
                await self._parted
            raise ending from None
        finally:
            self._receiver = None
        if event["type"] == "websocket.disconnect":
            self._end(ConnectionClosed(event.get("code") or _NO_CODE, event.get("reason") or ""))
        self._insist_on_open()
        text: str | None = event.get("text")
        message: str | bytes = text if text is not None else event.get("bytes") or b""
        if _exceeds(message, self._most):
            kind = PROBLEMS[MESSAGE_TOO_LARGE]
            await self.close(kind.close or 1009, kind.title)
            raise ConnectionClosed(kind.close or 1009, kind.title)
        return message

    def post(self, frame: Frame) -> None:
        """Send a message without waiting. Does nothing when the connection is not open."""
        if not self.is_open:
            return
        if frame.before is not None:
            self._waiting.append(frame.before)
            self._waiting_bytes += len(frame.before.data)
        self._waiting.append(frame)
        self._waiting_bytes += len(frame.data)
        if self._flusher is None and not self._sending.locked():
            self._flusher = asyncio.create_task(self._flush())

    async def drained(self) -> None:
        """Wait until the ASGI server has taken enough. Raises ConnectionClosed."""
        while not self.is_writable and self.is_open:
            if self._drained is None:
                self._drained = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._drained)
        if not self.is_open:
            raise self._ending or ConnectionClosed()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection, in bounded time."""
        if self._ending is not None:
            return
        try:
            async with asyncio.timeout(self._options.close_timeout):
                async with self._sending:
                    await self._send_waiting()
                if self._ending is None:
                    self._end(ConnectionClosed(code, reason))
                    await self._write_close(code, reason.encode()[:_MOST_REASON].decode(errors="ignore"))
        except (OSError, RuntimeError, TimeoutError):
            self._end(ConnectionClosed())
            self._interrupt()

    async def _write_close(self, code: int, reason: str) -> None:
        """Write the close frame, once nobody receives any more: some servers hold it back as long as somebody does."""
        loop = asyncio.get_running_loop()
        self._quiet, self._parted = loop.create_future(), loop.create_future()
        try:
            if self._interrupt():
                await self._quiet
            await self._send({"type": "websocket.close", "code": code, "reason": reason})
        finally:
            self._parted.set_result(None)

    def abort(self) -> None:
        """End the connection as far as ASGI allows: by returning from the application."""
        self._end(ConnectionClosed())
        self._interrupt()

    async def _flush(self) -> None:
        """Hand over what was posted. One that is taken by nobody for too long ends the connection."""
        if not self._sending.locked():
            async with self._sending:
                await self._send_waiting()

    async def _send_waiting(self) -> None:
        try:
            while self._waiting and self.is_open:
                frame = self._waiting.popleft()
                event: dict[str, Any] = {"type": "websocket.send"}
                event["text" if frame.is_text else "bytes"] = frame.payload
                async with asyncio.timeout(self._options.write_timeout):
                    await self._send(event)
                self._waiting_bytes -= len(frame.data)
                if self._drained is not None and self.is_writable:
                    self._wake()
        except TimeoutError:
            _log.warning("a connection is aborted: its peer does not read what it is sent", extra=self._context)
            self.abort()
            self._tell_gone()
        except (OSError, RuntimeError):
            # The client is gone; servers differ in what they raise. What it sent before is still there to be received.
            self._is_gone = True
            self._forget()
            self._tell_gone()
        finally:
            self._flusher = None

    def _end(self, ending: ConnectionClosed) -> None:
        if self._ending is None:
            self._ending = ending
        self._forget()

    def _forget(self) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0
        self._wake()

    def _tell_gone(self) -> None:
        on_gone, self._on_gone = self._on_gone, None
        if on_gone is not None:
            on_gone()

    def _insist_on_open(self) -> None:
        if self._ending is not None:
            raise self._ending

    def _wake(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    def _interrupt(self) -> bool:
        """Wake whoever waits for the next message, which will not come; says whether somebody does."""
        if self._receiver is None or self._receiver is asyncio.current_task():
            return False
        self._receiver.cancel()
        return True


_MOST_REASON: Final = 123
"""The bytes that a close reason can have (RFC 6455, section 5.5)."""
_AHEAD: Final = 64 * 1024
"""How many bytes wait for the ASGI server before the connection counts as slow."""


def _keeps_headers_back(send: Send) -> bool:
    """Whether the host is granian, which sends none of the headers that connections are accepted with."""
    return type(getattr(send, "__self__", None)).__name__ == "ASGIWebsocketProtocol"


def _exceeds(message: str | bytes, most: int) -> bool:
    """Whether a message has more bytes than allowed; one of few characters is not encoded to know that."""
    if isinstance(message, bytes) or len(message) > most:
        return len(message) > most
    return len(message) * 4 > most and len(message.encode()) > most


async def _respond(send: Send, answer: HttpResponse, kind: str) -> None:
    headers: Iterable[tuple[str, str]] = (*answer.headers, ("Content-Length", answer.content_length))
    await send(
        {
            "type": f"{kind}.start",
            "status": answer.status,
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        }
    )
    await send({"type": f"{kind}.body", "body": answer.body})
