"""One of several workers: a forked process, which serves until its supervisor says otherwise or is no more."""

from __future__ import annotations

import asyncio
import atexit
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sockspec.runtime.application import Application
from sockspec.runtime.serving.ending import run_to_the_end
from sockspec.runtime.serving.standalone import Running, announce, loop_factory

if TYPE_CHECKING:
    from ssl import SSLContext

_log: Final = logging.getLogger("sockspec.server")

LISTENS: Final = b"l"
"""What a worker says once it listens and is ready."""
STOP: Final = b"s"
"""What it is told when all stop: newcomers hear that the service restarts."""
RETIRE: Final = b"r"
"""What it is told when others go on: newcomers are for them."""


@dataclass(frozen=True, slots=True)
class Service:
    """What each worker serves, and where."""

    application: Application
    host: str
    port: int
    ssl: SSLContext | None
    sock: socket.socket | None
    ready: Callable[[Running], Awaitable[None] | None] | None

    def running(self) -> Running:
        """The application, about to listen. Raises like `Application.serve`."""
        return Running(
            self.application, self.host, self.port, ssl=self.ssl, sock=self.sock, shares_port=self.sock is None
        )


def work(service: Service, link: socket.socket, mask: Iterable[int]) -> int:
    """Serve in this process, which was forked for it, and return its exit code. Raises nothing.

    `mask` are the signals that it blocks: until now it blocks all. Nothing is taken along from before the fork but what the
    service is made of: signals are this process's own, and what was registered with `atexit` is for the supervisor.
    """
    atexit._clear()  # pyright: ignore[reportPrivateUsage]  # there is no public way
    # Ctrl-C reaches every process of a terminal: the supervisor is who says what it means. Not SIG_IGN, which
    # programs that a handler starts would inherit.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _hear_nothing)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    code = 0
    try:
        for server in service.application.servers:
            server.node = None  # one that was made before the fork would be that of all workers
        running = service.running()
        run_to_the_end(_until_told(running, service, link), running.deadline, loop_factory(running.options.loop))
    except SystemExit as wanted:
        code = wanted.code if isinstance(wanted.code, int) else int(wanted.code is not None)
    except BaseException:
        _log.exception("a worker could not go on")
        code = 1
    with suppress(Exception):
        atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # None, or closed
            stream.flush()
    logging.shutdown()
    return code


def _hear_nothing(number: int, frame: object) -> None:
    pass


async def _until_told(running: Running, service: Service, link: socket.socket) -> None:
    orders = _Orders(link)
    try:
        async with running:
            await announce(running, service.ready)
            with suppress(OSError):  # there is no supervisor any more
                link.send(LISTENS)
            await orders.came.wait()
            if orders.retires:
                await running.accept_no_more()
            _log.info("stopping")
    finally:
        # From now on as well: a second signal must not cut the end short.
        signal.signal(signal.SIGTERM, _hear_nothing)


class _Orders:
    """What a worker is told: by its supervisor, by the supervisor's end, or by SIGTERM, which is for this worker alone."""

    def __init__(self, link: socket.socket) -> None:
        self.came: Final = asyncio.Event()
        self.retires = False
        self._link = link
        self._loop = asyncio.get_running_loop()
        link.setblocking(False)
        self._loop.add_reader(link, self._read)
        signal.signal(signal.SIGTERM, lambda *_: self._loop.call_soon_threadsafe(self._take, RETIRE))

    def _read(self) -> None:
        try:
            order = self._link.recv(1)
        except BlockingIOError:
            return
        except OSError:
            order = b""
        self._loop.remove_reader(self._link)
        self._take(order)

    def _take(self, order: bytes) -> None:
        if not self.came.is_set():
            self.retires = order == RETIRE
            self.came.set()
