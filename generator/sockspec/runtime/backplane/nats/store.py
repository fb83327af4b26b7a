"""The JetStream stream of all streams: made, grown, and looked after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from sockspec.runtime.backplane.line import History, Position
from sockspec.runtime.backplane.nats import generation
from sockspec.runtime.backplane.nats.generation import Generation, epoch_of, generation_of
from sockspec.runtime.backplane.nats.link import Link
from sockspec.runtime.backplane.nats.messages import NO_STREAM, Condition, Refused, life_of

KNOWN_FOR: Final = 120.0
"""How long the server knows what was published, in seconds."""
_EXISTS: Final = 10058
_TICK: Final = 60.0
"""How often something is stored that only its age takes away, in seconds.

What is stored first would else be gone as soon as a busy stream is trimmed, and nobody could tell whether a stream by which
nothing is stored was ever published to since some position.
"""
_LEAST: Final = "sockspec.least"
"""The note at a JetStream stream of the smallest bound that it ever had."""


class Wanted(Protocol):
    """What somebody wants of JetStream streams that are made."""

    @property
    def prefix(self) -> str:
        """What their names begin with."""
        ...

    @property
    def replicas(self) -> int:
        """How many servers have each."""
        ...

    @property
    def storage(self) -> str:
        """Where: "file" or "memory"."""
        ...

    @property
    def remember(self) -> float:
        """For how long positions stay good, in seconds."""
        ...

    @property
    def max_bytes(self) -> int | None:
        """How large the history of all streams may be."""
        ...


class Store:
    """That stream, as one node knows it."""

    def __init__(self, link: Link, options: Wanted, changed: Callable[[], None]) -> None:
        """`changed` is called when another epoch has begun while the connection stayed."""
        self.stream: Final = f"{options.prefix}_streams"
        self.subjects_in: Final = f"{options.prefix}.in."
        """What the subjects begin with that entries are published to."""
        self.subjects_out: Final = f"{options.prefix}.out."
        """And those that they are fanned out by."""
        self.life = ""
        self.generation = Generation()
        """The latest one that was seen in this life."""
        self.epoch = ""
        self._link = link
        self._options = options
        self._changed = changed
        self._given_up = ""
        """The epoch that this node gave up last."""
        self._renouncing = asyncio.Lock()
        self._wanted = History(size=History().size, seconds=max(options.remember, History().seconds))
        """The most that was asked for so far."""
        self._size = self._age = 0.0
        """What the JetStream stream keeps of each subject."""
        self._growing = asyncio.Lock()
        self._ticked = ("", 0)

    async def prepare(self) -> None:
        """Find it or make it, as it has to be. Raises BackplaneError."""
        size, age = self._wanted.size, int(self._wanted.seconds * 10**9)
        wanted = {
            "subjects": [f"{self.subjects_in}>"],
            "republish": {"src": f"{self.subjects_in}>", "dest": f"{self.subjects_out}>"},
            "max_msgs_per_subject": size,
            "max_age": age,
            "max_bytes": self._options.max_bytes or -1,
            "duplicate_window": int(KNOWN_FOR * 10**9),
            "metadata": {_LEAST: str(size)},
        }
        condition = await self.find(self.stream, wanted)
        config = condition.config
        has_size, has_age = _bound(config.get("max_msgs_per_subject")), _bound(config.get("max_age"))
        if has_size < size or has_age < age:
            has_size, has_age = max(has_size, size), max(has_age, age)
            grown = {"max_msgs_per_subject": has_size, "max_age": has_age}
            update = f"STREAM.UPDATE.{self.stream}"
            condition = await self._link.command(update, {**config, **grown}, Condition)
            if condition.state.is_whole:  # so nothing was trimmed to what the bound was before
                config = {
                    **condition.config,
                    "metadata": {**condition.config.get("metadata", {}), _LEAST: str(has_size)},
                }
                condition = await self._link.command(update, config, Condition)
        self._size, self._age = has_size, has_age / 10**9
        if life_of(condition) == self.life and generation_of(condition).number < self.generation.number:
            condition = await generation.note(self._link, self.stream, condition, self.generation)
        self._enter(await generation.emptied(self._link, self.stream, condition))
        tick = int(self._link.clock() / min(_TICK, self._options.remember / 8))
        if self._ticked != (self.epoch, tick):
            await self._link.append(
                f"{self.subjects_in}%tick.{tick}", b"", {"Nats-Msg-Id": f"%tick.{self.epoch}:{tick}"}
            )
            self._ticked = (self.epoch, tick)

    async def find(self, stream: str, wanted: Mapping[str, Any]) -> Condition:
        """A JetStream stream as it is, or as it was just made."""
        made = {
            "name": stream,
            "retention": "limits",
            "discard": "old",
            "storage": self._options.storage,
            "num_replicas": self._options.replicas,
            "max_consumers": -1,
            "max_msgs": -1,
            "allow_direct": True,
            **wanted,
        }
        try:
            return await self._link.condition(stream)
        except Refused as refused:
            if refused.err_code != NO_STREAM:
                raise
        try:
            await self._link.command(f"STREAM.CREATE.{stream}", made, Condition)
        except Refused as refused:
            if refused.err_code != _EXISTS:
                raise
        return await self._link.condition(stream)

    def keeps(self, history: History) -> bool:
        """Whether as much is kept as somebody asks for."""
        return history.size <= self._size and history.seconds <= self._age

    async def grow(self, history: History) -> None:
        """Keep more than before, for somebody asks for it."""
        async with self._growing:
            if not self.keeps(history):
                wanted = self._wanted
                size, seconds = max(wanted.size, history.size), max(wanted.seconds, history.seconds)
                self._wanted = History(size=size, seconds=seconds)
                await self.prepare()

    async def look(self) -> Condition:
        """How the JetStream stream is now."""
        condition = await self._link.condition(self.stream)
        condition = await generation.emptied(self._link, self.stream, condition)
        if life_of(condition) != self.life or generation_of(condition).number < self.generation.number:
            self._link.suspect()
        else:
            self._enter(condition)
        return condition

    def _enter(self, condition: Condition) -> None:
        """From now on entries are of this epoch."""
        before, self.epoch = self.epoch, epoch_of(condition)
        is_same_life, self.life = self.life == life_of(condition), life_of(condition)
        found = generation_of(condition)
        self.generation = max(self.generation, found) if is_same_life else found
        if is_same_life and before != self.epoch and self._link.is_up:
            self._changed()

    async def renounce(self, position: Position) -> None:
        """Give the epoch of a position up, if it is that of the stream. Raises BackplaneError."""
        async with self._renouncing:
            if position.epoch == self._given_up:
                return  # for another stream, as a rule
            condition = await self.look()
            if epoch_of(condition) == position.epoch:
                self._enter(await generation.begin_another(self._link, self.stream, condition, position.offset))
                self._given_up = position.epoch


def least_of(condition: Condition) -> int:
    """The smallest bound for a subject that a JetStream stream ever had; 0 where nobody took a note of it."""
    noted = (condition.config.get("metadata") or {}).get(_LEAST, "")
    bound = _bound(condition.config.get("max_msgs_per_subject"))
    return min(int(noted), bound) if noted.isdecimal() else 0


def _bound(value: object) -> int:
    """A bound of a JetStream stream, which has none where it is not above 0."""
    return value if isinstance(value, int) and value > 0 else 1 << 62
