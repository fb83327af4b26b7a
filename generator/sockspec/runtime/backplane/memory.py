"""The backplane of one process: the default, and the reference of behaviour."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import ClassVar, Final

from sockspec.runtime.backplane.line import (
    Backplane,
    BackplaneError,
    Entry,
    History,
    Line,
    Placed,
    Position,
    Receiver,
    Record,
    Registration,
    Slice,
)
from sockspec.runtime.turnstile import Bucket

_REMEMBERED: Final = 60.0
"""How long the ids of what was published are remembered, in seconds."""
_MOST_REMEMBERED: Final = 10_000
"""And how many of each stream: within one process nobody has to try again for long."""
_REAPED: Final = -1.0
"""In place of the end of its lease, for a node of which something was taken away."""


class _Stream:
    """The entries of a stream, the latest at the end."""

    def __init__(self, offset: int = 0) -> None:
        self.epoch: Final = os.urandom(6).hex()
        self.offset = offset
        self.entries: deque[tuple[float, Entry]] = deque()
        self.ids: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self.touched = 0.0
        self.seconds = 0.0
        self._oldest = math.inf
        """Nothing is too old before."""

    @property
    def top(self) -> Position:
        return Position(self.epoch, self.offset)

    def forget(self, now: float) -> None:
        """Forget what is too old."""
        if now < self._oldest:
            return
        while self.entries and self.entries[0][0] <= now:
            self.entries.popleft()
        while self.ids and next(iter(self.ids.values()))[0] <= now:
            self.ids.popitem(last=False)
        ends = [self.entries[0][0]] if self.entries else []
        ends += [next(iter(self.ids.values()))[0]] if self.ids else []
        self._oldest = min(ends, default=math.inf)

    def append(self, entry: Entry, now: float, history: History) -> None:
        """Add what was published."""
        self.seconds = history.seconds
        if entry.id:  # without one nobody tries again, and there is nothing to remember
            self.ids[entry.id] = (now + _REMEMBERED, entry.offset)
            if len(self.ids) > _MOST_REMEMBERED:
                self.ids.popitem(last=False)
        self.entries.append((now + history.seconds, entry))
        while len(self.entries) > history.size:
            self.entries.popleft()
        self._oldest = min(self._oldest, now + min(history.seconds, _REMEMBERED))


class MemoryBackplane(Backplane):
    """Everything in this process. Nodes that share one object are a fleet: of use in tests, above all."""

    name: ClassVar = "memory"
    is_shared: ClassVar = False

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._clock = clock
        self._lines: dict[str, _MemoryLine] = {}
        self._streams: dict[str, _Stream] = {}
        self._sweep = 0.0
        self._engine = os.urandom(6).hex()
        self._leases: dict[str, float] = {}
        self._tables: dict[str, dict[str, Record]] = {}
        self._owned: dict[str, dict[tuple[str, str], None]] = {}
        self._kept: dict[str, tuple[float, bytes]] = {}
        self._buckets: dict[str, Bucket] = {}

    async def open(self, node: str, receiver: Receiver) -> Line:
        """Connect a node."""
        line = self._lines[node] = _MemoryLine(self, node, receiver)
        return line

    # --- streams ----------------------------------------------------------------------------------------------------

    def close(self, line: _MemoryLine) -> None:
        """Nothing more for this line."""
        if self._lines.get(line.node) is line:
            del self._lines[line.node]

    def stream(self, name: str) -> _Stream:
        """A stream as it is now."""
        now = self._clock()
        self._forget_streams(now)
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = _Stream()
        stream.touched = now
        stream.forget(now)
        return stream

    def _forget_streams(self, now: float) -> None:
        """Every now and then, forget those that nobody publishes to, nor is subscribed to."""
        if now < self._sweep:
            return
        self._sweep = now + 1.0 + len(self._streams) / 1000
        subscribed = set[str]().union(*(line.streams for line in self._lines.values()))
        for name, stream in list(self._streams.items()):
            if name not in subscribed and stream.touched + max(stream.seconds, _REMEMBERED) <= now:
                del self._streams[name]

    def publish(self, name: str, data: bytes, id: str, history: History) -> Position:
        """Append, and hand out to all lines."""
        now = self._clock()
        stream = self.stream(name)
        if id and id in stream.ids:
            return Position(stream.epoch, stream.ids[id][1])
        stream.offset += 1
        entry = Entry(stream.offset, stream.offset - 1, id, data)
        stream.append(entry, now, history)
        for line in tuple(self._lines.values()):
            if name in line.streams:
                line.receiver.receive(name, stream.epoch, entry)
        return stream.top if stream.offset == entry.offset else Position(stream.epoch, entry.offset)

    def renounce(self, name: str, position: Position) -> None:
        """Begin another epoch. It is of use in tests: nothing is lost here."""
        stream = self.stream(name)
        if stream.epoch == position.epoch:
            anew = self._streams[name] = _Stream(max(stream.offset, position.offset))
            anew.touched, anew.seconds = stream.touched, stream.seconds

    # --- records ----------------------------------------------------------------------------------------------------

    def renew(self, node: str, lease: float) -> Registration:
        """A node lives."""
        known = self._leases.get(node, _REAPED) > _REAPED
        self._leases[node] = self._clock() + lease
        alive = frozenset(filter(self.lives, self._leases))
        return Registration(alive, frozenset(self._leases) - alive, known, self._engine)

    def lives(self, node: str) -> bool:
        """Whether a node lives."""
        return self._leases.get(node, 0.0) > self._clock()

    def retire(self, node: str) -> None:
        """A node lives no more."""
        if self.lives(node):
            self._leases[node] = 0.0

    def place(self, record: Record, most: int | None) -> Placed:
        """Keep a record."""
        table = self._tables.get(record.table, {})
        before = table.get(record.key)
        if most is not None and (before is None or not self.lives(before.node)):
            others = sum(self.lives(other.node) for other in table.values())
            if others >= most:
                return Placed.FULL
        if before is not None:
            self._disown(before)
        table[record.key] = record
        self._tables[record.table] = table
        self._owned.setdefault(record.node, {})[record.table, record.key] = None
        return Placed.NEW if before is None else Placed.KNOWN

    def drop(self, table: str, key: str, node: str) -> bool:
        """Forget a record."""
        record = self._tables.get(table, {}).get(key)
        if record is None or record.node != node:
            return False
        self._remove(record)
        return True

    def records(self, table: str) -> Iterable[Record]:
        """The records of living nodes."""
        found = self._tables.get(table, {})
        return (found[key] for key in sorted(found) if self.lives(found[key].node))

    def reap(self, node: str, limit: int) -> tuple[Record, ...]:
        """Take away records of a dead node."""
        if self.lives(node):
            return ()
        owned = self._owned.get(node, {})
        found = tuple(self._tables[table][key] for table, key in itertools.islice(owned, limit))
        for record in found:
            self._remove(record)
        if found:
            self._leases[node] = _REAPED
        else:
            self._leases.pop(node, None)
        return found

    def _remove(self, record: Record) -> None:
        table = self._tables[record.table]
        del table[record.key]
        if not table:
            del self._tables[record.table]
        self._disown(record)

    def _disown(self, record: Record) -> None:
        owned = self._owned[record.node]
        del owned[record.table, record.key]
        if not owned:
            del self._owned[record.node]

    # --- what is kept, and rates ------------------------------------------------------------------------------------

    def keep(self, values: Mapping[str, bytes], seconds: float) -> None:
        """Remember values."""
        now = self._clock()
        for key in [key for key, (end, _) in itertools.islice(self._kept.items(), 2 * len(values) + 2) if end <= now]:
            del self._kept[key]
        for key, value in values.items():
            self._kept.pop(key, None)  # the order is that in which they were kept
            self._kept[key] = (now + seconds, value)

    def kept(self, key: str) -> bytes | None:
        """A value."""
        end, value = self._kept.get(key, (0.0, b""))
        return value if end > self._clock() else None

    def discard(self, key: str) -> None:
        """Forget a value."""
        self._kept.pop(key, None)

    def take(self, name: str, amount: int, rate: float, burst: int) -> float:
        """Take from a bucket."""
        now = self._clock()
        bucket = self._buckets.get(name)
        if bucket is None:
            if len(self._buckets) >= _MOST_BUCKETS:
                del self._buckets[next(iter(self._buckets))]
            bucket = Bucket(rate, burst, now)
        else:
            del self._buckets[name]
        self._buckets[name] = bucket  # the one that was quiet for longest is the first
        return bucket.draw(amount, now)


_MOST_BUCKETS: Final = 100_000


class _MemoryLine(Line):
    def __init__(self, backplane: MemoryBackplane, node: str, receiver: Receiver) -> None:
        self._of = backplane
        self._is_closed = False
        self.node: Final = node
        self.receiver: Final = receiver
        self.streams: Final[set[str]] = set()

    @property
    def _backplane(self) -> MemoryBackplane:
        if self._is_closed:
            raise BackplaneError("this line is closed")
        return self._of

    async def close(self) -> None:
        self._is_closed = True
        self._of.close(self)

    async def publish(self, stream: str, data: bytes, *, id: str, history: History) -> Position:
        return self._backplane.publish(stream, data, id, history)

    async def subscribe(self, streams: Collection[str]) -> Mapping[str, Position]:
        positions = await self.positions(streams)
        self.streams.update(streams)
        return positions

    async def unsubscribe(self, streams: Collection[str]) -> None:
        self.streams.difference_update(streams)

    async def positions(self, streams: Collection[str]) -> Mapping[str, Position]:
        backplane = self._backplane
        return {name: backplane.stream(name).top for name in streams}

    async def read(self, stream: str, since: Position, limit: int) -> Slice:
        found = self._backplane.stream(stream)
        if since.epoch != found.epoch or since.offset > found.offset:
            return Slice(found.top, (), complete=False)
        later = (entry for _, entry in found.entries if entry.offset > since.offset)
        entries = tuple(itertools.islice(later, limit))
        reaches = entries[0].after <= since.offset if entries else since.offset == found.offset or limit == 0
        return Slice(found.top, entries, complete=reaches)

    async def renounce(self, stream: str, position: Position) -> None:
        self._backplane.renounce(stream, position)

    async def renew(self, lease: float) -> Registration:
        return self._backplane.renew(self.node, lease)

    async def retire(self) -> None:
        self._backplane.retire(self.node)

    async def place(self, table: str, key: str, value: bytes, *, most: int | None = None) -> Placed:
        return self._backplane.place(Record(table, key, value, self.node), most)

    async def drop(self, table: str, key: str) -> bool:
        return self._backplane.drop(table, key, self.node)

    async def records(self, table: str) -> tuple[Record, ...]:
        return tuple(self._backplane.records(table))

    async def reap(self, node: str, limit: int) -> tuple[Record, ...]:
        return self._backplane.reap(node, limit)

    async def keep(self, values: Mapping[str, bytes], seconds: float) -> None:
        self._backplane.keep(values, seconds)

    async def kept(self, key: str) -> bytes | None:
        return self._backplane.kept(key)

    async def discard(self, key: str) -> None:
        self._backplane.discard(key)

    async def take(self, bucket: str, amount: int, *, rate: float, burst: int) -> float:
        return self._backplane.take(bucket, amount, rate, burst)
