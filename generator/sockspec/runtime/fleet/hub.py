"""A node of a fleet: the streams that it is subscribed to, and what it does from time to time."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final

from sockspec.runtime.backplane.line import Entry, Line, Position, Slice
from sockspec.runtime.fleet.delivery import Delivery
from sockspec.runtime.fleet.feed import Feed
from sockspec.runtime.fleet.lease import Lease
from sockspec.runtime.fleet.publication import node_stream
from sockspec.runtime.fleet.uplink import Unavailable, Uplink, broadcast
from sockspec.runtime.observer import handed_over, tell
from sockspec.runtime.options import Options
from sockspec.runtime.transport import Frame

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable

    from sockspec.runtime.connection import Connection

_log: Final = logging.getLogger("sockspec.server")

_BATCH: Final = 500
"""How many streams are asked about at once."""
_FAREWELL: Final = 2.0
"""How long the end of a node waits for what it has still to tell the backplane, in seconds."""
_READING: Final = 32
"""How many streams are read at once, so that all of them do not get into each other's way when an engine comes back."""
_PAUSE: Final = 1.0
"""After something has failed that was not to fail, in seconds."""
_UNSEEN: Final = nullcontext()


class Hub:
    """One node. Nothing of it waits for the engine but what says so."""

    def __init__(self, options: Options) -> None:
        self.node: Final = os.urandom(8).hex()
        self.options: Final = options
        self._feeds: dict[str, Feed] = {}
        self._wanted: dict[str, Feed] = {}
        self._unwanted: list[str] = []
        self._subscribing: asyncio.Task[Any] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._farewells: set[asyncio.Task[Any]] = set()
        self._starting: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_stopped = False
        self._batch = _BATCH
        self._checked = 0.0
        self._reading: Final = asyncio.Semaphore(_READING)
        self._catching_up: asyncio.Task[Any] | None = None
        self._doing_chores: asyncio.Task[Any] | None = None
        self.uplink: Uplink
        self.lease: Final = Lease(self)
        self.on_told: Callable[[bytes], None] = _unheard
        """Called with what another node tells this one."""
        self.on_tick: list[Callable[[Line], Coroutine[Any, Any, None]]] = []
        """Awaited about three times in each lease."""

    # --- life -------------------------------------------------------------------------------------------------------

    @property
    def is_usable(self) -> bool:
        """Whether this node can serve in the loop that runs: it has not stopped, nor has the loop that it was started in."""
        if self._loop is None:
            return not self._has_stopped
        try:
            return not self._has_stopped and self._loop is asyncio.get_running_loop()
        except RuntimeError:
            return False

    async def start(self) -> None:
        """Connect to the backplane, once; a node whose engine cannot be reached starts all the same."""
        if self._starting is None:
            self._loop = asyncio.get_running_loop()
            from sockspec.runtime.backplane.memory import MemoryBackplane

            backplane = self.options.backplane or MemoryBackplane()
            self.uplink = Uplink(
                backplane,
                self.node,
                receive=self._receive,
                restored=self._look_around,
                observers=self.options.observers,
                most=self.options.max_publishing,
            )
            self._starting = asyncio.create_task(self._start(), context=Context())  # what it opens outlasts the caller
        if self._starting.done():
            self._starting.result()
        else:
            await asyncio.shield(self._starting)

    async def _start(self) -> None:
        told = self._feeds[node_stream(self.node)] = Feed(node_stream(self.node), self, control=self._told)
        told.holds = 1
        self._wanted[told.stream] = told
        await self.uplink.start()
        if (local := self.uplink.local) is not None:
            await self._subscribe(local)
            await self.lease.renew(self.options.lease)
        if self.options.backplane is not None:
            _log.info("this is node %s of a fleet on %s", self.node, self.uplink.backplane.name)
            self.start_soon(self._live())

    async def stop(self, lease: float) -> None:
        """Disconnect. What this node held is given up after `lease` seconds, if nobody has taken it over by then."""
        if self._starting is None or self._has_stopped:
            return
        if not self._starting.done():
            self._starting.cancel()
        await asyncio.wait([self._starting])
        end = time.monotonic() + _FAREWELL
        # Some begin with the end of others; without the engine there is nobody to tell anything.
        while self._farewells and self.uplink.is_up and (left := end - time.monotonic()) > 0:
            await asyncio.wait(tuple(self._farewells), timeout=left)
        self._has_stopped = True
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.uplink.is_up:
            try:
                await self.uplink.attempt(lambda line: line.renew(lease) if lease else line.retire(), 1.0)
            except Unavailable:
                _log.info("the backplane could not be told that this node ends")
        await self.uplink.stop()

    def start_soon(self, work: Coroutine[Any, Any, Any], *, farewell: bool = False) -> asyncio.Task[Any]:
        """Run a coroutine for as long as the node lives; a farewell is given time at its end. What it raises is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        if farewell:
            self._farewells.add(task)
        task.add_done_callback(self._ended)
        if self._has_stopped:
            task.cancel()
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._farewells.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, Unavailable):
            _log.error("the work of a node failed", exc_info=error)

    # --- publishing -------------------------------------------------------------------------------------------------

    async def publish(
        self, stream: str, frame: Frame, *, exclude: Collection[str] = (), key: Hashable = None
    ) -> Position:
        """Publish a message; its position, once it is safe. Raises Unavailable."""
        if self._starting is None or not self._starting.done():
            await self.start()
        return await broadcast(self.uplink, self.options, stream, frame, exclude=exclude, key=key)

    # --- feeds ------------------------------------------------------------------------------------------------------

    def local_feed(self, stream: str) -> Feed | None:
        """A stream, if this node is subscribed to it."""
        return self._feeds.get(stream)

    async def add_soon(self, stream: str, connection: Connection[Any, Any]) -> None:
        """Have a connection hear a stream as soon as this node is subscribed to it, without waiting for that."""
        feed = self.feed(stream) if self.uplink.local is None else await self.ready(stream)
        feed.add_soon(connection)

    def feed(self, stream: str) -> Feed:
        """A stream that this node is subscribed to, or will be soon."""
        feed = self._feeds.get(stream)
        if feed is None:
            # A line within this process gives history at once.
            remembers = self.uplink.backplane.is_shared
            feed = self._feeds[stream] = self._wanted[stream] = Feed(stream, self, remembers=remembers)
            if self.uplink.local is None:
                self._subscribe_soon()
        return feed

    def expect(self, streams: Iterable[str]) -> None:
        """These are about to be joined one after the other: subscribe to them together."""
        if self.uplink.local is None:
            for stream in streams:
                self.feed(stream)

    async def ready(self, stream: str, seconds: float | None = None) -> Feed:
        """A stream that this node is subscribed to. Raises Unavailable when it is not after so many seconds."""
        await self.start()
        feed = self.feed(stream)
        if feed.position is not None:
            return feed
        if self.uplink.local is not None:
            await self.uplink.attempt(self._subscribe)
            return feed
        feed.holds += 1
        try:
            async with asyncio.timeout(seconds):
                await feed.ready()
        except TimeoutError:
            raise Unavailable from None
        finally:
            feed.holds -= 1
            if feed.is_idle:
                self.emptied(feed)
        return feed

    @asynccontextmanager
    async def held(self, stream: str) -> AsyncGenerator[Feed]:
        """A stream that this node is subscribed to, and stays so while the block lasts. Raises Unavailable."""
        feed = await self.ready(stream, self.options.publish_timeout)
        feed.holds += 1
        try:
            yield feed
        finally:
            feed.holds -= 1
            if feed.is_idle:
                self.emptied(feed)

    def _subscribe_soon(self) -> None:
        if self._subscribing is None:
            self._subscribing = self.start_soon(self._keep_subscribing())

    async def _keep_subscribing(self) -> None:
        try:
            await asyncio.sleep(0)  # what is wanted in this turn of the loop is asked for at once
            while self._wanted or self._unwanted:
                try:
                    await self.uplink.attempt(self._subscribe)
                except Unavailable:
                    return  # the node ends
                except Exception:
                    _log.exception("streams could not be subscribed to")
                    await asyncio.sleep(_PAUSE)
        finally:
            self._subscribing = None

    async def _subscribe(self, line: Line) -> None:
        """Subscribe to what is wanted, and no more to what is not: one after the other, or the wrong one would win."""
        await self._unsubscribe(line)
        wanted = dict(itertools.islice(self._wanted.items(), self._batch))
        if not wanted:
            return
        try:
            positions = await line.subscribe(wanted)
            found = {stream: positions[stream] for stream in wanted}
        except Exception:
            # It may be for one of them only: the others come first then, and fewer at a time.
            self._batch = max(1, len(wanted) // 2)
            for stream in wanted:
                if stream in self._wanted:
                    self._wanted[stream] = self._wanted.pop(stream)
            raise
        self._batch = min(_BATCH, 2 * self._batch)
        for stream, feed in wanted.items():
            if self._wanted.get(stream) is feed:  # else it was given up meanwhile, and perhaps is wanted anew
                del self._wanted[stream]
                feed.open_at(found[stream])
            elif stream not in self._feeds:
                self._unwanted.append(stream)

    async def _unsubscribe(self, line: Line) -> None:
        unwanted, self._unwanted = self._unwanted, []
        gone = [stream for stream in unwanted if stream not in self._feeds]
        if not gone:
            return
        try:
            await line.unsubscribe(gone)
        except BaseException:
            self._unwanted += gone
            raise

    def _give_up(self, feed: Feed) -> None:
        del self._feeds[feed.stream]
        self._wanted.pop(feed.stream, None)
        if feed.position is not None:
            self._unwanted.append(feed.stream)

    def _give_up_idle(self) -> None:
        """Unsubscribe from what has had no members for a while."""
        now = time.monotonic()
        for feed in list(self._feeds.values()):
            if not feed.is_idle or feed.position is None:
                feed.idle_since = None
            elif feed.idle_since is None:
                feed.idle_since = now
            elif now - feed.idle_since >= self.options.lease:
                self._give_up(feed)
        if self._unwanted:
            self._subscribe_soon()

    # --- Source -----------------------------------------------------------------------------------------------------

    async def read(self, stream: str, since: Position, limit: int) -> Slice:
        """The history of a stream, as soon as the engine answers."""
        if (local := self.uplink.local) is not None:
            return await local.read(stream, since, limit)
        async with self._reading:
            return await self.uplink.attempt(lambda line: line.read(stream, since, limit))

    async def renounce(self, stream: str, position: Position) -> None:
        """Have a stream begin another epoch, if the engine can be told in time: it has lost what stood there."""
        self.lease.distrust()
        async with self._reading:
            try:
                await self.uplink.attempt(lambda line: line.renounce(stream, position), self.options.publish_timeout)
            except Unavailable:
                _log.warning(
                    "a stream goes on in the epoch in which it has lost something: the backplane does not answer"
                )

    def delivering(self, feed: Feed, delivery: Delivery) -> AbstractContextManager[object]:
        """Surrounds sending an entry to all members."""
        observers = self.options.observers
        if not observers:
            return _UNSEEN
        publication = delivery.publication
        lag = max(0.0, time.time() - publication.at)
        name = self.uplink.backplane.name
        return handed_over(observers, name, feed.stream, publication.trace, lag, len(feed.members))

    def emptied(self, feed: Feed) -> None:
        """The last member has left. Who comes back soon finds it as it was, but where that costs nothing anyhow."""
        costs_nothing = self.options.backplane is None or feed.position is None
        if costs_nothing and feed.is_idle and self._feeds.get(feed.stream) is feed:
            self._give_up(feed)

    def missed(self, feed: Feed, entries: int, *, lost: bool) -> None:
        """Entries were read from history, or could not be."""
        if lost:  # another node may have seen first that the engine has lost something, and this one sees another epoch
            self.lease.distrust()
        if entries or lost:
            name = self.uplink.backplane.name
            tell(self.options.observers, lambda observer: observer.missed(name, entries, lost))

    def _receive(self, stream: str, epoch: str, entry: Entry) -> None:
        feed = self._feeds.get(stream)
        if feed is not None:
            feed.receive(epoch, entry)

    def _told(self, data: bytes) -> None:
        self.on_told(data)

    @property
    def degraded(self) -> str:
        """Why not everything works just now; empty when it does."""
        if self._starting is None or self.uplink.is_up:
            return ""
        return f"the backplane {self.uplink.backplane.name} has not answered for {self.uplink.down_for:.0f} s"

    # --- from time to time ------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(self.options.lease / 3)
            if not self.uplink.is_up:
                continue
            try:
                await self.lease.renew(self.options.lease / 3)
            except Unavailable:
                continue
            except Exception:
                _log.exception("this node could not say that it lives")
                continue
            if self._doing_chores is None or self._doing_chores.done():  # however long they take, the lease is renewed
                self._doing_chores = self.start_soon(self._do_chores())

    async def _do_chores(self) -> None:
        for work in self.on_tick:
            await self.uplink.attempt(work, self.options.lease)
        if time.monotonic() - self._checked >= self.options.check_interval:
            await self._check()
        self._give_up_idle()

    def _look_around(self) -> None:
        """The engine answers, for the first time or again."""
        self._checked = 0.0
        if self.options.backplane is None:
            return
        if self._catching_up is not None:
            self._catching_up.cancel()
        self._catching_up = self.start_soon(self._catch_up())

    async def _catch_up(self) -> None:
        try:
            await self.lease.renew(self.options.lease)
            await self._check()
        except Unavailable:
            _log.info("the engine went away again")
        if self._wanted:
            self._subscribe_soon()

    async def _check(self) -> None:
        """Ask whether something was missed that nothing came after; where the engine was away, whether it lost something."""
        closely = self._checked == 0.0
        subscribed = [stream for stream, feed in self._feeds.items() if feed.position is not None]
        for start in range(0, len(subscribed), _BATCH):
            some = [feed for stream in subscribed[start : start + _BATCH] if (feed := self._feeds.get(stream))]
            before = {feed: feed.position for feed in some}
            for stream, position in (await self._positions([feed.stream for feed in some])).items():
                feed = self._feeds.get(stream)
                if feed in before:
                    feed.look(position, before[feed], closely=closely)
        self._checked = time.monotonic()

    async def _positions(self, streams: list[str]) -> Mapping[str, Position]:
        return await self.uplink.attempt(lambda line: line.positions(streams), self.options.lease)


def _unheard(data: bytes) -> None:
    pass
