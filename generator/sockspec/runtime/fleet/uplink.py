"""A line to the backplane that is there again after it was not, and what is published over it."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import time
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterator
from typing import Final, TypeVar

from sockspec.runtime.backplane.line import Backplane, BackplaneError, Entry, History, Line, Position
from sockspec.runtime.fleet.publication import pack
from sockspec.runtime.observer import Observer, tell, traced
from sockspec.runtime.options import Options
from sockspec.runtime.problems import SERVICE_UNAVAILABLE, Problem, Refused
from sockspec.runtime.transport import Frame

_log: Final = logging.getLogger("sockspec.server")

_PAUSES: Final = (0.05, 1.0)
"""The first and the longest pause between two attempts, in seconds."""

T = TypeVar("T")


class Unavailable(Refused):
    """The backplane did not do what was asked for in time. In a handler it becomes a problem for whoever sent the message."""

    def __init__(self, *, doubtful: bool = False) -> None:
        super().__init__(Problem.of(SERVICE_UNAVAILABLE, retry_after=1.0))
        self.doubtful = doubtful
        """Whether it may have been done all the same, or be done yet. Else it was not."""

    def __str__(self) -> str:
        outcome = "nobody knows whether this was done" if self.doubtful else "this was not done"
        return f"the backplane did not answer in time: {outcome}"


class Uplink:
    """Keeps the line of one node, and says whether the engine answers."""

    def __init__(
        self,
        backplane: Backplane,
        node: str,
        *,
        receive: Callable[[str, str, Entry], None],
        restored: Callable[[], None],
        observers: Collection[Observer] = (),
        most: int = 1000,
    ) -> None:
        """`receive` gets each entry; `restored` is called when something may have been missed, the first time included.

        `most` is how many publications may be under way.
        """
        self.backplane: Final = backplane
        self.node: Final = node
        self.receive: Final = receive
        self._restored = restored
        self._observers = observers
        self._most = most
        self._line: Line | None = None
        self._up = asyncio.Event()
        self._down_since: float | None = None
        self._up_since: float | None = None
        self._opening: asyncio.Task[None] | None = None
        self._is_closed = False
        self._numbers = itertools.count(1)
        self.publishing = 0
        """How many publications are under way."""

    # --- life -------------------------------------------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        """Whether the engine answers, as far as is known."""
        return self._up.is_set() and not self._is_closed

    @property
    def up_for(self) -> float:
        """How long the engine has answered, in seconds; zero when it does not."""
        return 0.0 if self._up_since is None or not self.is_up else time.monotonic() - self._up_since

    @property
    def down_for(self) -> float:
        """How long the engine has not answered, in seconds; zero when it does."""
        return 0.0 if self._down_since is None else time.monotonic() - self._down_since

    async def start(self) -> None:
        """Open the line; where that fails, go on trying beside."""
        if not await self._open():
            self.interrupted()
            self._opening = asyncio.create_task(self._open_in_time())

    async def stop(self) -> None:
        """Close the line: whoever still waits for the engine is told that it is not available."""
        self._is_closed = True
        self._up.set()
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    async def _open(self) -> bool:
        try:
            self._line = await self.backplane.open(self.node, self)
        except BackplaneError as error:
            level = logging.WARNING if self._down_since is None else logging.DEBUG  # once is enough
            _log.log(level, "the backplane %s cannot be reached, and is tried again: %s", self.backplane.name, error)
            return False
        self.restored()
        return True

    async def _open_in_time(self) -> None:
        for pause in _pauses():
            await asyncio.sleep(pause)
            try:
                if await self._open():
                    return
            except Exception:
                _log.exception("the backplane %s could not be opened", self.backplane.name)

    # --- Receiver ---------------------------------------------------------------------------------------------------

    def interrupted(self) -> None:
        """The engine does not answer."""
        if self._is_closed:
            return
        self._up.clear()
        self._up_since = None
        if self._down_since is None:
            self._down_since = time.monotonic()
            _log.warning("the backplane %s does not answer: it is tried again", self.backplane.name)
            tell(self._observers, lambda observer: observer.degraded(self.backplane.name, True))

    def restored(self) -> None:
        """It does."""
        if self._line is None or self._is_closed:
            return  # while it is being opened, or not any more
        if self._down_since is not None:
            _log.warning("the backplane %s answers again after %.1f s", self.backplane.name, self.down_for)
            self._down_since = None
        tell(self._observers, lambda observer: observer.degraded(self.backplane.name, False))
        if self._up_since is None:
            self._up_since = time.monotonic()
        self._up.set()
        self._restored()

    # --- use --------------------------------------------------------------------------------------------------------

    @property
    def local(self) -> Line | None:
        """The line, if it is one within this process, which is always there and never waits."""
        return None if self.backplane.is_shared else self._line

    async def attempt(self, work: Callable[[Line], Awaitable[T]], seconds: float | None = None) -> T:
        """Do something as soon as the engine answers, again when it fails, and for so long. Raises Unavailable."""
        if (local := self.local) is not None:
            return await _at_once(work, local)
        doubtful = under_way = False
        pauses = _pauses()
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self._up.wait()
                    if self._is_closed:
                        raise Unavailable(doubtful=doubtful)
                    if self._line is not None:
                        under_way = True
                        try:
                            return await work(self._line)
                        except BackplaneError as error:
                            doubtful = doubtful or error.doubtful
                        under_way = False
                    await asyncio.sleep(next(pauses))
        except TimeoutError:
            raise Unavailable(doubtful=doubtful or under_way) from None

    async def ask(self, work: Callable[[Line], Awaitable[T]], seconds: float) -> T:
        """The same where nobody is to wait for an engine that is known not to answer. Raises Unavailable."""
        if not self.is_up:
            raise Unavailable
        return await self.attempt(work, seconds)

    async def publish(self, stream: str, data: bytes, history: History, seconds: float) -> Position:
        """Publish once, whatever it takes within that time. Raises Unavailable."""
        if (local := self.local) is not None:
            try:
                return await local.publish(stream, data, id="", history=history)
            except BackplaneError as error:  # it is closed
                raise Unavailable from error
        id = f"{self.node}-{next(self._numbers)}"
        if self.publishing >= self._most:
            raise Unavailable
        self.publishing += 1
        try:
            return await self.attempt(lambda line: line.publish(stream, data, id=id, history=history), seconds)
        finally:
            self.publishing -= 1


async def broadcast(
    uplink: Uplink,
    options: Options,
    stream: str,
    frame: Frame,
    *,
    exclude: Collection[str] = (),
    key: Hashable = None,
) -> Position:
    """Publish a message to connections, as nodes expect it; its position, once it is safe. Raises Unavailable."""
    if not options.observers:
        return await uplink.publish(stream, pack(frame, exclude, key, {}), options.history, options.publish_timeout)
    with traced(options.observers, uplink.backplane.name, stream) as headers:
        data = pack(frame, exclude, key, headers)
        return await uplink.publish(stream, data, options.history, options.publish_timeout)


async def _at_once(work: Callable[[Line], Awaitable[T]], local: Line) -> T:
    try:
        return await work(local)
    except BackplaneError as error:  # it is closed
        raise Unavailable(doubtful=error.doubtful) from error


def _pauses() -> Iterator[float]:
    """Times to wait between attempts: longer and longer, and not the same on all nodes."""
    pause, longest = _PAUSES
    while True:
        yield pause * random.uniform(0.5, 1.0)
        pause = min(2 * pause, longest)
