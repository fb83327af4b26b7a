"""An event loop in a thread of its own, for those who wait in other threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")


class LoopThread:
    """A loop that runs from the start until `end`. It belongs to the process that made it."""

    def __init__(self, name: str) -> None:
        self._loop: Final = asyncio.new_event_loop()
        self._ended: Final = asyncio.Event()
        self._lock: Final = threading.Lock()
        self._takes_work = True
        self._thread: Final = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def is_current(self) -> bool:
        """Whether the caller is in it, and must not wait for it."""
        return threading.current_thread() is self._thread

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine returns. Interrupted, it is cancelled, and so it is by the end of the loop."""
        if self.is_current:
            work.close()
            raise RuntimeError("this would wait for itself: call it in another thread")
        with self._lock:
            if not self._takes_work:
                work.close()
                raise RuntimeError("the loop has ended")
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def end(self) -> None:
        """Cancel what is still under way, and wait until the thread has ended."""
        with self._lock:
            if self._takes_work:
                self._takes_work = False
                self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._ended.wait())
