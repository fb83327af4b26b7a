"""Serving on the `websockets` library: listening, handshakes, keep-alive, signals, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Final, cast
from weakref import WeakKeyDictionary

from websockets.asyncio.server import Server as Listener
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from sockspec.runtime.cleartext import InsecureTransport, is_loopback
from sockspec.runtime.connection import Admission
from sockspec.runtime.dispatcher import Dispatcher
from sockspec.runtime.handshake import Values, http_refusal
from sockspec.runtime.options import Options
from sockspec.runtime.problems import Problem, Refused
from sockspec.runtime.websocket import WebSocketTransport, library_logger

if TYPE_CHECKING:
    from ssl import SSLContext

    from sockspec.runtime.server import Server

_log: Final = logging.getLogger("sockspec.server")

_WATCHES: Final = 10
"""How many times within a `write_timeout` the buffers are looked at."""


class Running:
    """A server that listens while an `async with` block lasts."""

    def __init__(self, server: Server, host: str, port: int, *, ssl: SSLContext | None, options: Options) -> None:
        if ssl is None and not options.behind_tls_proxy and not is_loopback(host):
            raise InsecureTransport(
                f"refusing to listen on {host or 'every interface'!r} in clear text: pass ssl=…, "
                "or Options(behind_tls_proxy=True) where a proxy terminates TLS"
            )
        self.host: Final = host
        self._port = port
        self._ssl = ssl
        self._options = options
        self._dispatcher = Dispatcher(server, options)
        self._admissions: WeakKeyDictionary[ServerConnection, Admission] = WeakKeyDictionary()
        self._transports: set[WebSocketTransport] = set()
        self._listener: Listener | None = None
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Running:
        options = self._options
        self._listener = await serve(
            self._handle,
            self.host,
            self._port,
            ssl=self._ssl,
            process_request=self._admit,
            select_subprotocol=self._select_subprotocol,
            # Compressed, a small message can stand for one of hundreds of megabytes.
            compression=None,
            open_timeout=options.open_timeout,
            close_timeout=options.close_timeout,
            ping_interval=None,
            max_size=options.max_message,
            max_queue=options.max_inbound,
            # A handler that sends much to its own client waits early enough to leave room for what others send.
            write_limit=options.max_outbound // 2,
            server_header=None,
            logger=library_logger("websockets.server"),
        )
        self._watch = asyncio.create_task(self._watch_buffers())
        _log.info("listening on %s", self.url)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        listener = self._listener
        return int(listener.sockets[0].getsockname()[1]) if listener is not None and listener.sockets else self._port

    @property
    def url(self) -> str:
        """The URL of the server, to which the paths of the document are added."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ws' if self._ssl is None else 'wss'}://{host}:{self.port}"

    async def stop(self) -> None:
        """Say goodbye to every client, let running handlers finish, and stop listening; all in bounded time."""
        await self._dispatcher.drain()
        if self._watch is not None:
            self._watch.cancel()
        if self._listener is None:
            return
        self._listener.close()
        try:
            async with asyncio.timeout(self._options.close_timeout):
                await self._listener.wait_closed()
        except TimeoutError:
            _log.warning("some connections did not end in time")

    async def _admit(self, websocket: ServerConnection, request: Request) -> Response | None:
        """Answer a handshake that is refused. What is no WebSocket handshake at all is left to the library."""
        if [value.lower() for value in request.headers.get_all("Upgrade")] != ["websocket"]:
            return None
        headers = Values(request.headers.raw_items(), ignore_case=True)
        try:
            admission = await self._dispatcher.admit(request.path, headers, peer=_peer(websocket))
        except Refused as refused:
            return _response(websocket, refused.problem)
        self._admissions[websocket] = admission
        return None

    def _select_subprotocol(self, websocket: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        """The first subprotocol of the route that the client offers too; without one, the connection has none."""
        preferred = self._admissions[websocket].route.subprotocols
        return next((Subprotocol(name) for name in preferred if name in offered), None)

    async def _handle(self, websocket: ServerConnection) -> None:
        admission = self._admissions.pop(websocket)
        transport = WebSocketTransport(websocket)
        self._transports.add(transport)
        try:
            await self._dispatcher.converse(transport, admission)
        finally:
            await transport.close()
            self._transports.discard(transport)

    async def _watch_buffers(self) -> None:
        """Abort connections for which more is buffered than sending allows: answers to a flood of pings, unread."""
        while True:
            await asyncio.sleep(self._options.write_timeout / _WATCHES)
            for transport in list(self._transports):
                if transport.is_open and transport.buffered > 2 * self._options.max_outbound:
                    _log.warning("a connection is aborted: its peer does not read what it is sent")
                    transport.abort()


def run(running: Running, ready: Callable[[Running], None] | None) -> None:
    """Serve until SIGTERM or SIGINT, then stop in an orderly way and return."""
    asyncio.run(_until_signal(running, ready))


async def _until_signal(running: Running, ready: Callable[[Running], None] | None) -> None:
    signalled = asyncio.Event()
    # Signals stay caught while the server stops: a second one must not cut the goodbyes short.
    with _signals(signalled.set):
        async with running:
            if ready is not None:
                ready(running)
            await signalled.wait()
            _log.info("stopping")


@contextmanager
def _signals(stop: Callable[[], None]) -> Generator[None]:
    """Call `stop` on SIGTERM and SIGINT. Outside the main thread, which alone gets signals, do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    # Not through the loop, which cannot do it on Windows.

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)

    previous = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _peer(websocket: ServerConnection) -> str:
    address: object = websocket.remote_address
    if not isinstance(address, tuple):
        return ""  # a Unix socket has no address
    host, port = cast("tuple[object, ...]", address)[:2]
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"


def _response(websocket: ServerConnection, problem: Problem) -> Response:
    refusal = http_refusal(problem)
    response = websocket.respond(refusal.status, refusal.body.decode())
    del response.headers["Content-Type"]
    for name, value in refusal.headers:
        response.headers[name] = value
    return response
