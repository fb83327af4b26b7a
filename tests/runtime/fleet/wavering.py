"""A backplane that does what networks and engines do: it goes away, forgets everything, and mixes up what it hands out."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from typing import ClassVar

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
        self._late: list[tuple[str, str, Entry]] = []

    # --- Receiver ---------------------------------------------------------------------------------------------------

    def receive(self, stream: str, epoch: str, entry: Entry) -> None:
        if self.backplane.is_away:
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

    # --- Line -------------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        self.backplane.lines.pop(self.node, None)
        await self.to.close()

    async def publish(self, stream: str, data: bytes, *, id: str, history: History) -> Position:
        self.backplane.check("publish")
        return await self.to.publish(stream, data, id=id, history=history)

    async def subscribe(self, streams: Collection[str]) -> Mapping[str, Position]:
        self.backplane.check("subscribe")
        if self.backplane.refused & set(streams):
            raise BackplaneError("one of these cannot be subscribed to")
        self.streams.update(streams)
        return await self.to.subscribe(streams)

    async def unsubscribe(self, streams: Collection[str]) -> None:
        self.backplane.check("unsubscribe")
        self.streams.difference_update(streams)
        await self.to.unsubscribe(streams)

    async def positions(self, streams: Collection[str]) -> Mapping[str, Position]:
        self.backplane.check("positions")
        return await self.to.positions(streams)

    async def read(self, stream: str, since: Position, limit: int) -> Slice:
        self.backplane.check("read")
        return await self.to.read(stream, since, limit)

    async def renounce(self, stream: str, position: Position) -> None:
        self.backplane.check("renounce")
        await self.to.renounce(stream, position)

    async def renew(self, lease: float) -> Registration:
        self.backplane.check("renew")
        return await self.to.renew(lease)

    async def retire(self) -> None:
        self.backplane.check("retire")
        await self.to.retire()

    async def place(self, table: str, key: str, value: bytes, *, most: int | None = None) -> Placed:
        self.backplane.check("place")
        return await self.to.place(table, key, value, most=most)

    async def drop(self, table: str, key: str) -> bool:
        self.backplane.check("drop")
        return await self.to.drop(table, key)

    async def records(self, table: str) -> tuple[Record, ...]:
        self.backplane.check("records")
        return await self.to.records(table)

    async def reap(self, node: str, limit: int) -> tuple[Record, ...]:
        self.backplane.check("reap")
        return await self.to.reap(node, limit)

    async def keep(self, values: Mapping[str, bytes], seconds: float) -> None:
        self.backplane.check("keep")
        await self.to.keep(values, seconds)

    async def kept(self, key: str) -> bytes | None:
        self.backplane.check("kept")
        return await self.to.kept(key)

    async def discard(self, key: str) -> None:
        self.backplane.check("discard")
        await self.to.discard(key)

    async def take(self, bucket: str, amount: int, *, rate: float, burst: int) -> float:
        self.backplane.check("take")
        return await self.to.take(bucket, amount, rate=rate, burst=burst)
