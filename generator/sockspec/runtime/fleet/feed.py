"""One stream on one node: delivered in order, each entry once, with its gaps refilled from history."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, Protocol

from sockspec.runtime.backplane.line import Entry, Position, Slice
from sockspec.runtime.fleet import control
from sockspec.runtime.fleet.continuity import PART, read_on
from sockspec.runtime.fleet.delivery import Delivery, delivery_of
from sockspec.runtime.fleet.publication import wire_name

if TYPE_CHECKING:
    from sockspec.runtime.connection import Connection

_log: Final = logging.getLogger("sockspec.server")

_TAIL: Final = 256
"""How many of the latest entries a node remembers, so that not every client that comes back asks the engine."""
_TAIL_BYTES: Final = 256 * 1024
_EARLY: Final = 1024
"""How many entries wait while a gap is refilled. When there are more, the oldest are read from history as well."""
_TRIES: Final = 6
"""How often history is read for an entry that does not follow what is known, before it is left out: none of the stream."""
_PAUSE: Final = 0.01
"""Before it is read a second time, in seconds; twice as long each time. A replica may have been asked that is behind."""


class Source(Protocol):
    """What a feed needs of its node."""

    async def read(self, stream: str, since: Position, limit: int) -> Slice:
        """The history of a stream, however long it takes until the engine answers."""
        ...

    async def renounce(self, stream: str, position: Position) -> None:
        """Have a stream begin another epoch, if the engine can be told in time: it has lost what stood there."""
        ...

    def delivering(self, feed: Feed, delivery: Delivery) -> AbstractContextManager[object]:
        """Surrounds sending an entry to all members."""
        ...

    def emptied(self, feed: Feed) -> None:
        """The last member has left."""
        ...

    def missed(self, feed: Feed, entries: int, *, lost: bool) -> None:
        """Entries that did not come by themselves were read from history, or could not be."""
        ...

    def start_soon(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine for as long as the node lives."""
        ...


class Feed:
    """The members that a stream has on this node, and up to where they have been sent what is published to it."""

    def __init__(
        self,
        stream: str,
        source: Source,
        *,
        control: Callable[[bytes], None] | None = None,
        remembers: bool = True,
    ) -> None:
        """`control` gets the bytes of each entry in place of members: for streams that carry no messages.

        `remembers` keeps the latest entries, so that not every client that comes back has the engine asked.
        """
        self.stream: Final = stream
        self.group: Final = wire_name(stream)
        self.members: Final[dict[Connection[Any, Any], None]] = {}
        self._source = source
        self._control = control
        self.position: Position | None = None
        """Up to where everything was delivered; None while the node is not subscribed."""
        self.idle_since: float | None = None
        self.holds = 0
        """How many are about to join: it is not to be given up meanwhile."""
        self._coming: dict[Connection[Any, Any], None] = {}
        self._tail: deque[Delivery] | None = deque() if remembers else None
        self._tail_bytes = 0
        self._early: deque[tuple[str, Entry, int]] | None = None
        self._refill: asyncio.Task[Any] | None = None
        self._left = ""
        """The epoch before that of the position."""
        self._is_broken = False
        """Whether something else was seen to stand in the stream where this node was given something."""
        self._ready: asyncio.Future[None] | None = None

    # --- being subscribed -------------------------------------------------------------------------------------------

    async def ready(self) -> Position:
        """The position, once the node is subscribed."""
        while self.position is None:
            if self._ready is None:
                self._ready = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._ready)
        return self.position

    def open_at(self, position: Position) -> None:
        """The node is subscribed, as of this position."""
        if self.position is not None:
            self.look(position)
            return
        self.position = position
        coming, self._coming = self._coming, {}
        for connection in coming:
            self.add(connection)
        self._settle()
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)
        self._ready = None

    def look(self, top: Position, since: Position | None = None, *, closely: bool = False) -> None:
        """The stream stands there, or did when this feed stood at `since`: refill what is missing, if something is.

        To look closely is to see whether what was delivered last is there still, where that is known.
        """
        own = self.position
        if own is None or self._refill is not None:
            return
        least = own if since is None or since.epoch != own.epoch else since
        if (closely and self._tail) or top.epoch != own.epoch or not least.offset <= top.offset <= own.offset:
            self._begin_refill()

    # --- receiving --------------------------------------------------------------------------------------------------

    def receive(self, epoch: str, entry: Entry) -> None:
        """An entry came."""
        if self.position is None or self._refill is not None:
            self._put_off(epoch, entry, 0)
        else:
            self._take(epoch, entry, 0)

    def _put_off(self, epoch: str, entry: Entry, tries: int) -> None:
        if self._early is None:
            self._early = deque(maxlen=_EARLY)
        self._early.append((epoch, entry, tries))

    def _take(self, epoch: str, entry: Entry, tries: int) -> None:
        position = self.position
        assert position is not None
        if epoch == self._left:
            return  # it was on its way when the stream had left that already
        if epoch != position.epoch or (entry.offset > position.offset and entry.after > position.offset):
            self._read_for(epoch, entry, tries)
        elif entry.offset > position.offset:
            self._deliver(entry)
        elif self._diverges(entry):
            self._is_broken = True
            self._begin_refill()

    def _read_for(self, epoch: str, entry: Entry, tries: int) -> None:
        """Read what is missing before an entry, or the epoch that it is of."""
        if tries >= _TRIES:
            _log.warning("an entry is left out that is not in the history of its group")
            return
        self._put_off(epoch, entry, tries + 1)
        self._begin_refill(_PAUSE * 2.0**tries if tries else 0.0)

    def _diverges(self, entry: Entry) -> bool:
        """Whether another entry stood there once: the engine has lost what it had."""
        return any(known.offset == entry.offset and known.id != entry.id for known in self._tail or ())

    def _deliver(self, entry: Entry, *, again: bool = False) -> None:
        """Send an entry to all members. They are only told where it stands if it comes again, as in another epoch."""
        assert self.position is not None
        self.position = Position(self.position.epoch, entry.offset)
        if self._control is not None:
            self._control(entry.data)
            return
        delivery = delivery_of(entry, self.group)
        if self._tail is not None:
            self._remember(delivery, self._tail)
        with self._source.delivering(self, delivery):
            delivery.post_to_all(tuple(self.members), again=again)

    def _remember(self, delivery: Delivery, tail: deque[Delivery]) -> None:
        tail.append(delivery)
        self._tail_bytes += len(delivery.frame.data)
        while len(tail) > _TAIL or (self._tail_bytes > _TAIL_BYTES and len(tail) > 1):
            self._tail_bytes -= len(tail.popleft().frame.data)

    # --- refilling --------------------------------------------------------------------------------------------------

    def _begin_refill(self, pause: float = 0.0) -> None:
        self._refill = self._source.start_soon(self._run_refill(pause))

    async def _run_refill(self, pause: float) -> None:
        try:
            if pause:
                await asyncio.sleep(pause)
            await self._read_on()
        finally:
            self._refill = None
        self._settle()

    async def _read_on(self) -> None:
        """Read and deliver up to the end of the stream."""
        while True:
            assert self.position is not None
            found, had = await self._read(), frozenset[str]()
            if found.complete:
                self._source.missed(self, len(found.entries), lost=False)
                if not found.entries:
                    self.position = found.top
                    return
            else:
                had = frozenset(delivery.id for delivery in self._tail or ())
                found = await self._begin_anew(found)
                if not found.entries:
                    return
            for entry in found.entries:
                if entry.offset > self.position.offset:
                    self._deliver(entry, again=entry.id in had)
            if self.position.offset >= found.top.offset:
                return

    async def _read(self) -> Slice:
        """What comes after what was delivered, if the stream still has that."""
        assert self.position is not None
        is_broken, self._is_broken = self._is_broken, False
        last = self._tail[-1] if self._tail else None
        return await read_on(self._source, self.stream, self.position, last, is_broken=is_broken)

    async def _begin_anew(self, found: Slice) -> Slice:
        """Something is missing for good: go on with what there is."""
        assert self.position is not None
        if found.top.epoch == self._left:  # the engine has gone back to before it was left
            await self._source.renounce(self.stream, found.top)
            found = await self._source.read(self.stream, self.position, PART)
        if found.top.epoch != self.position.epoch:
            self._left = self.position.epoch
            # All that is there of another epoch was missed; it may be all that there ever was.
            found = await self._source.read(self.stream, Position(found.top.epoch, 0), PART)
        start = found.entries[0].after if found.entries else self._earliest(found.top)
        self._source.missed(self, len(found.entries), lost=True)
        self._begin_at(Position(found.top.epoch, start))
        return found

    def _earliest(self, top: Position) -> int:
        """Before what came meanwhile, where nothing is kept but that; else the end of the stream."""
        own = self.position
        least = own.offset if own is not None and own.epoch == top.epoch else 0
        came = (entry.after for epoch, entry, _ in self._early or () if epoch == top.epoch)
        return min((after for after in came if least <= after <= top.offset), default=top.offset)

    def _begin_at(self, position: Position) -> None:
        """Go on from there, and tell the members that something was lost."""
        # Those who watch are told by `missed`; all groups do this when an engine has forgotten everything.
        _log.info("a group lost messages: the history does not reach back to what was received")
        if self._tail is not None:
            self._tail.clear()
        self._tail_bytes = 0
        self.position = position
        told = control.frame_of(control.Joined(self.group, position.epoch, position.offset, lost=True))
        for member in tuple(self.members):
            if member.is_placed:
                member.tell(told)

    def _settle(self) -> None:
        """Take what came meanwhile."""
        early, self._early = self._early, None
        while early:
            epoch, entry, tries = early.popleft()
            if self._refill is None:
                self._take(epoch, entry, tries)
            else:
                self._put_off(epoch, entry, tries)

    # --- members ----------------------------------------------------------------------------------------------------

    @property
    def is_idle(self) -> bool:
        """Whether nobody is or is about to be a member."""
        return not (self.members or self._coming or self.holds)

    def add_soon(self, connection: Connection[Any, Any]) -> None:
        """Add a connection, as soon as the node is subscribed."""
        if self.position is not None:
            self.add(connection)
        else:
            self._coming[connection] = None
            connection.feeds[self] = None

    def add(self, connection: Connection[Any, Any], *, told: bool = False, lost: bool = False) -> None:
        """Send a connection all that comes from now on. The node has to be subscribed.

        It is told where that begins, unless it knows; and whether it has lost what was before.
        """
        position = self.position
        assert position is not None
        self.members[connection] = None
        connection.feeds[self] = None
        self.idle_since = None
        if connection.is_placed and not told:
            joined = control.Joined(self.group, position.epoch, position.offset, lost)
            connection.tell(control.frame_of(joined))

    def remove(self, connection: Connection[Any, Any], *, told: bool = False) -> None:
        """Send a connection no more. It is told, if it wants to be."""
        self.members.pop(connection, None)
        self._coming.pop(connection, None)
        connection.feeds.pop(self, None)
        if not self.members:
            self._source.emptied(self)
        if told and connection.is_placed:
            connection.tell(control.frame_of(control.Left(self.group)))

    def is_behind(self, top: Position) -> bool:
        """Whether this node stands there, or has still to get there."""
        own = self.position
        return own is not None and own.epoch == top.epoch and own.offset <= top.offset

    async def look_at(self, top: Position, seconds: float) -> None:
        """Refill what is missing up to there, and wait for that, for so long at most."""
        self.look(top)
        if self._refill is not None:
            await asyncio.wait([self._refill], timeout=seconds)

    def since(self, position: Position) -> Sequence[Delivery] | None:
        """What was delivered after a position, as far as the node remembers it; None where it does not."""
        own = self.position
        if own is None or own.epoch != position.epoch or own.offset < position.offset:
            return None
        if own.offset == position.offset:
            return ()
        if not self._tail or self._tail[0].after > position.offset:
            return None
        return [delivery for delivery in self._tail if delivery.offset > position.offset]

    def deliveries_of(self, found: Slice) -> Sequence[Delivery]:
        """What was read from history for a client that came back.

        It is remembered where it leads up to what is, for others come back for the same.
        """
        deliveries = [delivery_of(entry, self.group) for entry in found.entries]
        own, tail = self.position, self._tail
        if own is None or own.epoch != found.top.epoch or tail is None:
            return deliveries
        before = tail[0].after if tail else own.offset
        for delivery in reversed(deliveries):
            size = len(delivery.frame.data)
            if delivery.offset == before and len(tail) < _TAIL and self._tail_bytes + size <= _TAIL_BYTES:
                tail.appendleft(delivery)
                self._tail_bytes += size
                before = delivery.after
            elif delivery.offset <= before:
                break
        return deliveries
