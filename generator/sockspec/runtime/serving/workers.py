"""Several processes on one port, and the one that starts them, replaces what ends, and has them all drain."""

from __future__ import annotations

import asyncio
import logging
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from sockspec.runtime.application import Application
from sockspec.runtime.options import Options
from sockspec.runtime.security.tickets import Tickets
from sockspec.runtime.serving.listening import reserve
from sockspec.runtime.serving.standalone import Running
from sockspec.runtime.serving.worker import LISTENS, RETIRE, STOP, Service, work

if TYPE_CHECKING:
    from ssl import SSLContext

_log: Final = logging.getLogger("sockspec.server")

_BACKOFF_BASE: Final = 0.1
"""After how many seconds a worker that ended is replaced. Each end doubles it."""
_BACKOFF_CAP: Final = 10.0
_STABLE_AFTER: Final = 10.0
"""How long a worker has to last for the delays to start again at the base."""
_MOST_FAILURES: Final = 5
"""How many workers in a row may end in one place before they listen."""
_GRACE: Final = 10.0
"""How much longer than it may take by its options a worker has to end, in seconds: to leave its fleet, above all."""


def run_workers(
    application: Application,
    count: int,
    host: str,
    port: int,
    *,
    ssl: SSLContext | None = None,
    sock: socket.socket | None = None,
    ready: Callable[[Running], Awaitable[None] | None] | None = None,
) -> None:
    """Serve in several processes until SIGTERM or SIGINT; see `Application.run`."""
    _check(application.options, count)
    service = Service(application, host, port, ssl, sock, ready)
    service.running()  # raises what every worker would; and what it imports, they share
    reserved = reserve(host, port) if sock is None else []
    try:
        if reserved:
            service = Service(application, host, int(reserved[0].getsockname()[1]), ssl, None, ready)
        patience = application.options.drain_timeout + application.options.close_timeout + _GRACE
        if not Supervisor(service, count, patience, reserved).run():
            raise SystemExit(1)
    finally:
        for one in reserved:
            one.close()


def _check(options: Options, count: int) -> None:
    """Raises what `Application.run` says, for what cannot be done by several processes."""
    if type(count) is not int or count < 1:
        raise ValueError(f"workers={count!r} is no whole number above 0")
    if not hasattr(os, "fork") or not hasattr(socket, "SO_REUSEPORT"):
        raise NotImplementedError(
            f"workers={count} needs os.fork and SO_REUSEPORT, which {sys.platform} does not have: "
            "start processes with a port for each, and put a proxy in front"
        )
    if options.backplane is None or not options.backplane.is_shared:
        which = "the default is" if options.backplane is None else f"{type(options.backplane).__name__} is"
        raise ValueError(
            f"with workers={count}, groups, limits and resume need a backplane that all of them reach, and {which} for one "
            'process: pass Options(backplane=RedisBackplane("redis://…")) or Options(backplane=NatsBackplane("nats://…"))'
        )
    if type(options.tickets) is Tickets:
        raise ValueError(
            f"with workers={count}, a ticket is often taken by another process than the one that gave it out, and Tickets "
            "keeps them in memory: pass SignedTickets, with a secret that all of them share"
        )
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("several workers can be run in the main thread only, which alone gets signals")
    if _is_within_a_loop():
        raise RuntimeError("several workers cannot be run from a running event loop: each of them makes its own")
    others = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if others:
        _log.warning("threads were started before the workers, which will not have them: %s", ", ".join(others))


def _is_within_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@dataclass(slots=True, eq=False)
class _Worker:
    """A process."""

    place: _Place
    pid: int
    link: socket.socket
    """It says here that it listens, and hears here that it is to end. Its end closes when the supervisor's does."""
    started: float
    listens: bool = False
    is_heard: bool = True
    """Whether more may come from it."""
    deadline: float | None = None
    """When it is killed, once it has been told to end."""

    def __str__(self) -> str:
        return f"worker {self.place.number} (pid {self.pid})"


@dataclass(slots=True, eq=False)
class _Place:
    """One of so many workers, whichever process it is at the time."""

    number: int
    worker: _Worker | None = None
    successor: _Worker | None = None
    """What takes over once it listens."""
    due: float = 0.0
    """When a worker is started, where there is none."""
    endings: int = 0
    """How many ended one soon after the other."""
    failures: int = 0
    """How many in a row have ended before they listened."""
    has_listened: bool = False

    @property
    def is_empty(self) -> bool:
        return self.worker is None and self.successor is None


class Supervisor:
    """Starts workers, replaces them, and ends them. It has no event loop and no thread, so that it can fork at any time."""

    def __init__(self, service: Service, count: int, patience: float, own: Iterable[socket.socket] = ()) -> None:
        """`patience` is how long a worker may take to end, in seconds. Its `own` sockets are closed in workers."""
        self._service = service
        self._patience = patience
        self._own = list(own)
        self._places = [_Place(number) for number in range(1, count + 1)]
        self._workers: dict[int, _Worker] = {}
        self._to_renew: deque[_Place] = deque()
        self._signals: set[int] = set()
        self._is_stopping = False
        self._went_well = True

    def run(self) -> bool:
        """Go on until all have ended after a signal; says whether all went well."""
        with self._woken_by_signals() as wake:
            try:
                while not (self._is_stopping and not self._workers):
                    self._fill_places()
                    self._wait(wake)
                    self._hear_workers()
                    self._bury()
                    self._obey_signals()
                    self._renew()
                    self._kill_late()
            finally:
                for worker in self._workers.values():  # after an error: they drain
                    worker.link.close()
        return self._went_well

    # --- signals ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _woken_by_signals(self) -> Generator[socket.socket]:
        """A socket that can be read whenever there was a signal."""
        wake, woken = socket.socketpair()
        wake.setblocking(False)
        woken.setblocking(False)
        self._own += [wake, woken]
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
        descriptor = signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        previous = {number: signal.signal(number, self._note) for number in numbers}
        try:
            yield wake
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler or signal.SIG_DFL)
            signal.set_wakeup_fd(descriptor)
            wake.close()
            woken.close()

    def _note(self, number: int, frame: object) -> None:
        self._signals.add(number)

    def _obey_signals(self) -> None:
        signals, self._signals = self._signals, set()
        if signals & {signal.SIGTERM, signal.SIGINT}:
            self._stop()
        elif signal.SIGHUP in signals and not self._is_stopping:
            _log.info("replacing %d workers, one after the other", len(self._places))
            self._to_renew = deque(self._places)
            for place in self._places:
                place.due = 0.0

    def _wait(self, wake: socket.socket) -> None:
        """Wait until there is a signal, a word of a worker, or something to be done."""
        times = [worker.deadline for worker in self._workers.values() if worker.deadline is not None]
        if not self._is_stopping:
            times += [place.due for place in self._places if place.is_empty]
        timeout = max(0.0, min(times) - time.monotonic()) if times else None
        with selectors.DefaultSelector() as selector:
            selector.register(wake, selectors.EVENT_READ)
            for worker in self._workers.values():
                if worker.is_heard:
                    selector.register(worker.link, selectors.EVENT_READ)
            selector.select(timeout)
        with suppress(BlockingIOError):
            while wake.recv(4096):
                pass

    # --- starting ---------------------------------------------------------------------------------------------------

    def _fill_places(self) -> None:
        """Start workers where there are none."""
        for place in self._places:
            if not self._is_stopping and place.is_empty and place.due <= time.monotonic():
                place.worker = self._start(place)

    def _start(self, place: _Place) -> _Worker | None:
        """Fork a worker; None when the system does not let us."""
        ours, theirs = socket.socketpair()
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # None, or closed. What it holds would be written twice.
                stream.flush()
        # No signal comes in between, which would be handled by the worker as if it were the supervisor.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            pid = os.fork()
            if pid == 0:
                self._become_worker(ours, theirs, mask)
        except OSError as error:
            _log.error("worker %d could not be started: %s", place.number, error.strerror)
            ours.close()
            self._put_off(place, time.monotonic())
            return None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            theirs.close()
        ours.setblocking(False)
        worker = self._workers[pid] = _Worker(place, pid, ours, time.monotonic())
        return worker

    def _become_worker(self, ours: socket.socket, theirs: socket.socket, mask: Iterable[int]) -> NoReturn:
        """In the new process: let go of what is the supervisor's, and work."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            # The links above all: a worker sees the supervisor's end by nobody having the other end of its own.
            for own in (*self._own, *(worker.link for worker in self._workers.values()), ours):
                own.close()
            code = work(self._service, theirs, mask)
        finally:
            os._exit(code)

    def _put_off(self, place: _Place, now: float) -> float:
        """Have a place filled later; says how long that is."""
        delay = min(_BACKOFF_CAP, _BACKOFF_BASE * 2.0 ** min(place.endings, 32))
        place.endings += 1
        place.due = now + delay
        return delay

    # --- what workers do --------------------------------------------------------------------------------------------

    def _hear_workers(self) -> None:
        for worker in tuple(self._workers.values()):
            try:
                word = worker.link.recv(1) if worker.is_heard else None
            except BlockingIOError:
                continue
            except OSError:
                word = b""
            if word == LISTENS:
                self._listens(worker)
            elif word is not None:
                worker.is_heard = False

    def _listens(self, worker: _Worker) -> None:
        _log.info("%s listens", worker)
        place = worker.place
        worker.listens = place.has_listened = True
        place.failures = 0
        if worker is place.successor:
            place.worker, place.successor, before = worker, None, place.worker
            if before is not None:
                self._tell(before, RETIRE)

    def _bury(self) -> None:
        """See which workers have ended."""
        for pid in tuple(self._workers):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._ended(self._workers.pop(pid), os.waitstatus_to_exitcode(status))

    def _ended(self, worker: _Worker, code: int) -> None:
        worker.link.close()
        how = f"exit code {code}" if code >= 0 else _name(-code)
        place = worker.place
        if worker is place.worker:
            place.worker = None
        if worker.deadline is not None:
            _log.log(logging.WARNING if code else logging.INFO, "%s has ended: %s", worker, how)
            if self._is_stopping and worker.listens and code:
                self._went_well = False
        elif worker is place.successor:
            place.successor = None
            self._to_renew.clear()
            _log.error("%s has ended before it listened: %s; the others are not replaced", worker, how)
        else:
            self._replace(worker, how)

    def _replace(self, worker: _Worker, how: str) -> None:
        """See to what takes the place of a worker that nobody told to end."""
        now = time.monotonic()
        place = worker.place
        if worker.listens and now - worker.started >= _STABLE_AFTER:
            place.endings = 0
        place.failures += not worker.listens
        if self._is_hopeless(place):
            _log.error("%s has ended: %s; %d in a row did before they listened: giving up", worker, how, place.failures)
            self._went_well = False
            self._stop()
        else:
            _log.warning("%s has ended: %s; there is another in %.1f s", worker, how, self._put_off(place, now))

    def _is_hopeless(self, place: _Place) -> bool:
        """Whether to give up: at a start that fails, or when no worker is left. Else those that are left are worth more."""
        is_left = any(worker.listens for worker in self._workers.values())
        return place.failures >= _MOST_FAILURES and not (place.has_listened and is_left)

    # --- ending -----------------------------------------------------------------------------------------------------

    def _renew(self) -> None:
        """Start the next successor, once the last one has taken over and what it took over from has ended."""
        is_busy = any(place.successor is not None for place in self._places)
        is_busy = is_busy or any(worker.deadline is not None for worker in self._workers.values())
        while self._to_renew and not is_busy:
            place = self._to_renew.popleft()
            if place.worker is not None:  # else it is filled soon
                place.successor = self._start(place)
                is_busy = True

    def _stop(self) -> None:
        """Have all workers drain."""
        if not self._is_stopping:
            self._is_stopping = True
            self._to_renew.clear()
            _log.info("stopping %d workers", len(self._workers))
            for worker in self._workers.values():
                self._tell(worker, STOP)

    def _tell(self, worker: _Worker, order: bytes) -> None:
        if worker.deadline is None:
            worker.deadline = time.monotonic() + self._patience
            with suppress(OSError):  # it has ended
                worker.link.send(order)

    def _kill_late(self) -> None:
        now = time.monotonic()
        for worker in self._workers.values():
            if worker.deadline is not None and worker.deadline <= now:
                _log.warning("%s did not end in time, and is killed", worker)
                worker.deadline = now + self._patience
                os.kill(worker.pid, signal.SIGKILL)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
