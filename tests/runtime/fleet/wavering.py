"""A backplane that does what networks and engines do: it goes away, forgets everything, and mixes up what it hands out."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import ClassVar, Final, TypeVar

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
from sockspec.runtime.backplane.memory import MemoryBackplane

T = TypeVar("T")

_DISTANCE: Final = 2
"""How many turns of the event loop a request is on its way, and its answer."""


class Wavering(Backplane):
    """One in memory, as if it were elsewhere."""

    name: ClassVar = "wavering"
    is_shared: ClassVar = True

    def __init__(self, *, seed: int = 0, mischief: float = 0.0) -> None:
        """`mischief` is how likely it is for each entry that it is lost, comes twice, or comes late."""
        self.of = MemoryBackplane()
        self.random = random.Random(seed)
        self.mischief = mischief
        self.is_away = False
        self.refused: set[str] = set()
        """Streams that cannot be subscribed to."""
        self.asked: list[str] = []
        """What was asked for, in order."""
        self.lines: dict[str, WaveringLine] = {}
        self.placing = asyncio.Event()
        """Cleared, what is placed has been asked for, and is not there yet."""
        self.placing.set()

    async def open(self, node: str, receiver: Receiver) -> Line:
        self.check("open")
        line = self.lines[node] = WaveringLine(self, node, receiver)
        line.to = await self.of.open(node, line)
        return line

    def check(self, what: str) -> None:
        """Fail while the engine is away."""
        self.asked.append(what)
        if self.is_away:
            raise BackplaneError("the engine is away")

    def leave(self) -> None:
        """Be away from now on."""
        self.is_away = True
        for line in self.lines.values():
            line.receiver.interrupted()

    async def come_back(self, *, empty: bool = False) -> None:
        """Be there again, as it was or without what was stored."""
        if empty:
            self.of = MemoryBackplane()
            for line in self.lines.values():
                line.to = await self.of.open(line.node, line)
                await line.to.subscribe(line.streams)
        self.is_away = False
        for line in self.lines.values():
            line.receiver.restored()


class WaveringLine(Line):
    """A line of it."""

    to: Line

    def __init__(self, backplane: Wavering, node: str, receiver: Receiver) -> None:
        self.backplane = backplane
        self.node = node
        self.receiver = receiver
        self.streams: set[str] = set()
        self.deaf_to: set[str] = set()
        """Streams of which nothing gets through."""
        self._late: list[tuple[str, str, Entry]] = []

    # --- Receiver ---------------------------------------------------------------------------------------------------

    def receive(self, stream: str, epoch: str, entry: Entry) -> None:
        if self.backplane.is_away or stream in self.deaf_to:
            return
        late, self._late = self._late, []
        chance, what = self.backplane.random.random(), self.backplane.random.choice(("lost", "twice", "late"))
        if chance >= self.backplane.mischief:
            self.receiver.receive(stream, epoch, entry)
        elif what == "twice":
            self.receiver.receive(stream, epoch, entry)
            self.receiver.receive(stream, epoch, entry)
        elif what == "late":
            self._late.append((stream, epoch, entry))
        for one in late:
            self.receiver.receive(*one)

    def interrupted(self) -> None: ...

    def restored(self) -> None: ...

    async def _ask(self, what: str, work: Callable[[], Awaitable[T]]) -> T:
        """Ask the engine for something: it takes a moment until it is asked, and until the answer comes."""
        for _ in range(_DISTANCE):
            await asyncio.sleep(0)
        self.backplane.check(what)
        found = await work()
        for _ in range(_DISTANCE):
            await asyncio.sleep(0)
        return found

    # --- Line -------------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        self.backplane.lines.pop(self.node, None)
        await self.to.close()

    async def publish(self, stream: str, data: bytes, *, id: str, history: History) -> Position:
        return await self._ask("publish", lambda: self.to.publish(stream, data, id=id, history=history))

    async def subscribe(self, streams: Collection[str]) -> Mapping[str, Position]:
        if self.backplane.refused & set(streams):
            raise BackplaneError("one of these cannot be subscribed to")
        self.streams.update(streams)
        return await self._ask("subscribe", lambda: self.to.subscribe(streams))

    async def unsubscribe(self, streams: Collection[str]) -> None:
        self.streams.difference_update(streams)
        await self._ask("unsubscribe", lambda: self.to.unsubscribe(streams))

    async def positions(self, streams: Collection[str]) -> Mapping[str, Position]:
        return await self._ask("positions", lambda: self.to.positions(streams))

    async def read(self, stream: str, since: Position, limit: int) -> Slice:
        return await self._ask("read", lambda: self.to.read(stream, since, limit))

    async def renounce(self, stream: str, position: Position) -> None:
        await self._ask("renounce", lambda: self.to.renounce(stream, position))

    async def renew(self, lease: float) -> Registration:
        return await self._ask("renew", lambda: self.to.renew(lease))

    async def retire(self) -> None:
        await self._ask("retire", self.to.retire)

    async def place(self, table: str, key: str, value: bytes, *, most: int | None = None) -> Placed:
        async def place() -> Placed:
            await self.backplane.placing.wait()
            placed = await self.to.place(table, key, value, most=most)
            self.backplane.asked.append("placed")
            return placed

        return await self._ask("place", place)

    async def drop(self, table: str, key: str) -> bool:
        return await self._ask("drop", lambda: self.to.drop(table, key))

    async def records(self, table: str) -> tuple[Record, ...]:
        return await self._ask("records", lambda: self.to.records(table))

    async def reap(self, node: str, limit: int) -> tuple[Record, ...]:
        return await self._ask("reap", lambda: self.to.reap(node, limit))

    async def keep(self, values: Mapping[str, bytes], seconds: float) -> None:
        await self._ask("keep", lambda: self.to.keep(values, seconds))

    async def kept(self, key: str) -> bytes | None:
        return await self._ask("kept", lambda: self.to.kept(key))

    async def discard(self, key: str) -> None:
        await self._ask("discard", lambda: self.to.discard(key))

    async def take(self, bucket: str, amount: int, *, rate: float, burst: int) -> float:
        return await self._ask("take", lambda: self.to.take(bucket, amount, rate=rate, burst=burst))
