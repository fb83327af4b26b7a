"""Serving by itself: listening, signals, and an orderly end."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import signal
import socket as socket_library
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Final

from sockspec.runtime.application import Application
from sockspec.runtime.connection import Admission
from sockspec.runtime.dispatcher import Dispatcher
from sockspec.runtime.options import Loop
from sockspec.runtime.security.cleartext import InsecureTransport, is_loopback
from sockspec.runtime.serving.doorkeeper import Doorkeeper
from sockspec.runtime.serving.ending import Deadline, run_to_the_end
from sockspec.runtime.serving.listening import notice_death
from sockspec.runtime.serving.wire import Wire, Writing

if TYPE_CHECKING:
    from ssl import SSLContext

_log: Final = logging.getLogger("sockspec.server")

_BACKLOG: Final = 1024
_TURNS_TO_HAND_OVER: Final = 3
_PAUSE: Final = 0.1
"""How long nobody is accepted after that has failed, in seconds: there are too many open files, perhaps."""


class Running:
    """An application that listens while an `async with` block lasts."""

    def __init__(
        self,
        application: Application,
        host: str,
        port: int,
        *,
        ssl: SSLContext | None,
        sock: socket_library.socket | None,
        shares_port: bool = False,
    ) -> None:
        """With `shares_port`, other processes listen on the same address, and the system says which of them gets a client."""
        options = application.options
        self._is_local: Final = sock is not None and sock.family == getattr(socket_library, "AF_UNIX", None)
        self.host: Final = "localhost" if self._is_local else host if sock is None else str(sock.getsockname()[0])
        # A Unix socket is reached from this machine only.
        if not (self._is_local or ssl is not None or options.behind_tls_proxy or is_loopback(self.host)):
            raise InsecureTransport(
                f"refusing to listen on {self.host or 'every interface'!r} in clear text: pass ssl=…, "
                "or Options(behind_tls_proxy=True) where a proxy terminates TLS"
            )
        self.options: Final = options
        self.dispatcher: Final = Dispatcher(application.servers, options)
        self.writing: Final = Writing()
        self._port = port
        self.ssl: Final = ssl
        self._socket = sock
        self._shares_port = shares_port
        self._listener: asyncio.Server | None = None
        self._accepting: list[asyncio.Task[None]] = []
        self._securing: set[asyncio.Task[None]] = set()
        self._handshakes: dict[Doorkeeper, None] = {}
        self._conversations: set[asyncio.Task[None]] = set()
        self.deadline: Final = Deadline(options.drain_timeout + options.close_timeout)

    async def __aenter__(self) -> Running:
        await self.dispatcher.start()
        try:
            await self._listen()
        except BaseException:
            await self.dispatcher.stop()
            raise
        _log.info("listening on %s", self.url)
        return self

    async def _listen(self) -> None:
        loop, serves = asyncio.get_running_loop(), self.ssl is None
        if self._socket is None:
            self._listener = await loop.create_server(
                *(lambda: Doorkeeper(self), self.host or None, self._port),
                backlog=_BACKLOG,
                start_serving=serves,
                reuse_port=self._shares_port or None,
            )
        else:
            # A Unix socket as well: `create_unix_server` would remove its file in the end (seen in Python 3.13), which is
            # for whoever made it.
            self._listener = await loop.create_server(lambda: Doorkeeper(self), sock=self._socket, start_serving=serves)
        for listening in self._listener.sockets:
            self._attend(os.dup(listening.fileno()))

    def _attend(self, descriptor: int) -> None:
        """Have dead peers noticed; and with TLS, accept connections: the loop would not count them before TLS is spoken."""
        copy = socket_library.socket(fileno=descriptor)
        if not self._is_local:
            notice_death(copy, self.options.ping_interval + self.options.ping_timeout)
        if self.ssl is None:
            copy.close()
            return
        copy.setblocking(False)
        copy.listen(_BACKLOG)
        self._accepting.append(asyncio.create_task(self._accept(copy, self.ssl)))

    async def _accept(self, listening: socket_library.socket, context: SSLContext) -> None:
        loop = asyncio.get_running_loop()
        with listening:
            while True:
                try:
                    accepted, _ = await loop.sock_accept(listening)
                except OSError as error:
                    _log.warning("a connection could not be accepted: %s", error.strerror)
                    await asyncio.sleep(_PAUSE)
                    continue
                accepted.setblocking(False)
                task = asyncio.create_task(Doorkeeper(self).secure(accepted, context))
                self._securing.add(task)
                task.add_done_callback(self._securing.discard)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The port that is listened on; 0 for a Unix socket."""
        if self._is_local:
            return 0
        listener = self._listener
        return int(listener.sockets[0].getsockname()[1]) if listener is not None and listener.sockets else self._port

    @property
    def url(self) -> str:
        """The URL of the server, to which the paths of the document are added. One of a Unix socket says no address."""
        if self._is_local:
            return f"{'ws' if self.ssl is None else 'wss'}://{self.host}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ws' if self.ssl is None else 'wss'}://{host}:{self.port}"

    async def stop(self) -> None:
        """Say goodbye to every client, let running handlers finish, and stop listening; all in bounded time."""
        self.deadline.start()
        await self.dispatcher.drain()
        await self.accept_no_more()
        for doorkeeper in list(self._handshakes):
            doorkeeper.cut_off()
        if self._conversations:
            timeout = min(self.options.close_timeout, self.deadline.left)
            _, unfinished = await asyncio.wait(self._conversations, timeout=timeout)
            if unfinished:
                _log.warning("%d connections did not end in time", len(unfinished))
            for task in unfinished:
                task.cancel()
        await self.dispatcher.stop()

    async def accept_no_more(self) -> None:
        """Stop listening, and keep the connections that there are."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await _accept_no_more(listener)
        for accepting in self._accepting:
            accepting.cancel()

    # --- for doorkeepers --------------------------------------------------------------------------------------------

    def waiting(self, doorkeeper: Doorkeeper) -> None:
        """A handshake starts. When there are too many, the one that took longest so far is cut off."""
        self._handshakes[doorkeeper] = None
        if len(self._handshakes) > self.dispatcher.limits.max_handshakes:
            next(iter(self._handshakes)).cut_off()

    def done(self, doorkeeper: Doorkeeper) -> None:
        """A handshake has ended, one way or the other."""
        self._handshakes.pop(doorkeeper, None)

    def serve(self, wire: Wire, admission: Admission) -> None:
        """Converse with a client until its connection ends."""
        task = asyncio.create_task(self._converse(wire, admission))
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)

    async def _converse(self, wire: Wire, admission: Admission) -> None:
        try:
            await self.dispatcher.converse(wire, admission)
            await wire.close()
        except asyncio.CancelledError:
            wire.abort()
        except Exception:
            _log.exception("a connection could not be served")
            wire.abort()
        finally:
            self.dispatcher.forget(admission)


def run(running: Running, ready: Callable[[Running], Awaitable[None] | None] | None) -> None:
    """Serve until SIGTERM or SIGINT, then stop in an orderly way and return."""
    run_to_the_end(_until_signal(running, ready), running.deadline, loop_factory(running.options.loop))


def loop_factory(wanted: Loop) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop; None for what asyncio does. Raises ImportError where uvloop is asked for and is not there."""
    if wanted == "asyncio":
        return None
    try:
        import uvloop
    except ImportError:
        if wanted == "uvloop":
            raise
        return None
    return uvloop.new_event_loop


async def _until_signal(running: Running, ready: Callable[[Running], Awaitable[None] | None] | None) -> None:
    signalled = asyncio.Event()
    # Signals stay caught while the server stops: a second one must not cut the goodbyes short.
    with _signals(signalled.set):
        async with running:
            await announce(running, ready)
            await signalled.wait()
            _log.info("stopping")


async def announce(running: Running, ready: Callable[[Running], Awaitable[None] | None] | None) -> None:
    """Call `ready`, where there is one."""
    if ready is not None:
        result = ready(running)
        if inspect.isawaitable(result):
            await result


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


async def _accept_no_more(listener: asyncio.Server) -> None:
    """Close a listener without losing track of a connection.

    One that asyncio has accepted and not yet handed over when its server closes would stay open, and nobody's (seen in
    Python 3.11): so nothing is accepted for a moment, until those that were are handed over.
    """
    loop = asyncio.get_running_loop()
    for listening in listener.sockets:
        with suppress(NotImplementedError):  # on Windows, where connections are not accepted in this way
            loop.remove_reader(listening.fileno())
    for _ in range(_TURNS_TO_HAND_OVER):
        await asyncio.sleep(0)
    listener.close()
