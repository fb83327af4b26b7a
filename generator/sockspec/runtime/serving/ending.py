"""Running until the end in bounded time, whatever handlers do: neither tasks nor threads can hold up the process."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import Any, Final, ParamSpec, TypeVar

_log: Final = logging.getLogger("sockspec.server")

_GRACE: Final = 1.0
"""The least time that tasks and threads have to end, in seconds."""

P = ParamSpec("P")
T = TypeVar("T")


class Deadline:
    """When a server that stops has to have stopped."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is how long it may take."""
        self._seconds = seconds
        self._end: float | None = None

    def start(self) -> None:
        """Count from now, unless it is counted already."""
        if self._end is None:
            self._end = time.monotonic() + self._seconds

    @property
    def left(self) -> float:
        """The seconds that are left; never none at all, so that whoever was told to end can do so."""
        self.start()
        assert self._end is not None
        return max(_GRACE, self._end - time.monotonic())


class Threads(ThreadPoolExecutor):
    """The threads of `asyncio.to_thread`, which nobody waits for when they do not end.

    Those of the standard library hold up the end of the loop and that of the process for as long as they run.
    """

    def __init__(self) -> None:
        self._most = min(32, (os.cpu_count() or 1) + 4)
        super().__init__(self._most)
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._free = threading.Semaphore(0)
        self._started: list[threading.Thread] = []
        self._adding = threading.Lock()
        self._has_ended = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function in one of the threads. Raises RuntimeError after the end."""
        future: Future[T] = Future()
        with self._adding:
            if self._has_ended:
                raise RuntimeError("the server has stopped: no thread starts any more")
            self._jobs.put(partial(_call, future, partial(fn, *args, **kwargs)))
            if not self._free.acquire(blocking=False) and len(self._started) < self._most:
                thread = threading.Thread(target=self._work, name=f"sockspec-{len(self._started)}", daemon=True)
                self._started.append(thread)
                thread.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more functions, and let the threads end once the others are done."""
        with self._adding:
            self._has_ended = True
            for _ in self._started:
                self._jobs.put(None)
        if wait:
            for thread in self._started:
                thread.join()

    def end(self, timeout: float) -> int:
        """Let the threads end, and wait for so many seconds; says how many have not."""
        self.shutdown(wait=False)
        deadline = time.monotonic() + timeout
        for thread in self._started:
            thread.join(max(0.0, deadline - time.monotonic()))
        return sum(thread.is_alive() for thread in self._started)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            del job
            self._free.release()


def _call(future: Future[T], function: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)


def run_to_the_end(
    main: Coroutine[Any, Any, None],
    deadline: Deadline,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """What `asyncio.run` does, except that its end is bounded: what has not ended by the deadline is left behind.

    `asyncio.run` waits for tasks that ignore being cancelled, and for threads, for as long as they like.
    """
    loop = (loop_factory or asyncio.new_event_loop)()
    threads = Threads()
    try:
        asyncio.set_event_loop(loop)
        loop.set_default_executor(threads)
        loop.run_until_complete(main)
    finally:
        try:
            loop.run_until_complete(_end(deadline))
            left = threads.end(deadline.left)
            if left:
                _log.warning("%d threads did not end in time, and are left behind", left)
        finally:
            asyncio.set_event_loop(None)
            loop.close()
            for handler in (*_log.handlers, *logging.getLogger().handlers):
                handler.flush()


async def _end(deadline: Deadline) -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        _, stubborn = await asyncio.wait(tasks, timeout=deadline.left)
        for task in stubborn:
            _log.warning("a task did not end in time, and is left behind: %s", _name(task))
    loop = asyncio.get_running_loop()
    await asyncio.wait([loop.create_task(loop.shutdown_asyncgens())], timeout=deadline.left)


def _name(task: asyncio.Task[Any]) -> str:
    """What a task runs. Not what it works on, which no log is to have."""
    return str(getattr(task.get_coro(), "__qualname__", task.get_name()))
