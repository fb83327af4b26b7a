"""What nodes remember in NATS: one JetStream stream, of which only the last message by each subject is kept.

A record is at `PREFIX.record.TABLE.KEY.NODE`, so those of a table and those of a node are found by the server. A message is
written on the condition of what was there, and taken away by its sequence, which succeeds once.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from msgspec import Struct

from sockspec.runtime.backplane.line import Placed, Record, Registration
from sockspec.runtime.backplane.nats.link import Link, logger
from sockspec.runtime.backplane.nats.messages import (
    Condition,
    Last,
    Refused,
    life_of,
    sequence_of,
    token_of,
    written,
)

if TYPE_CHECKING:
    from nats.aio.msg import Msg

_CHANGED: Final = (10071, 10164)
"""Something else is there than what the write was meant for."""
_GONE: Final = (10057, 10043)
_BATCH: Final = 1000
_MOST_FILTERS: Final = 500
_LONGEST: Final = 10 * 365 * 86400.0
T = TypeVar("T")


class _Node(Struct, array_like=True):
    """A node that lives for `lease` seconds from when this was written."""

    name: bytes
    lease: float
    is_reaped: bool = False
    """Whether somebody takes its records away."""


class _Placed(Struct, array_like=True):
    """A record as it is stored."""

    table: bytes
    key: bytes
    value: bytes
    node: bytes
    seat: int
    """The sequence with which it came to its table; 0 is that of this message."""
    most: int | None


class _Kept(Struct, array_like=True):
    """A value, until a time of the engine's clock. The server takes its time to forget."""

    end: float
    value: bytes


class _Level(Struct, array_like=True):
    """A token bucket."""

    tokens: float
    since: float


class _Stored(Struct, frozen=True):
    """A record, and where it is."""

    sequence: int
    placed: _Placed

    @property
    def seat(self) -> int:
        return self.placed.seat or self.sequence

    @property
    def record(self) -> Record:
        placed = self.placed
        return Record(_text(placed.table), _text(placed.key), placed.value, _text(placed.node))


class _Registered(Struct, frozen=True):
    """A node, and where it is written down."""

    sequence: int
    lives: bool
    is_reaped: bool


_NOBODY: Final = _Registered(0, False, False)


class State:
    """Records, kept values and token buckets on behalf of one node."""

    def __init__(self, link: Link, prefix: str, node: str) -> None:
        self.stream: Final = f"{prefix}_state"
        self.engine = ""
        """Which life of everything this is."""
        self._link = link
        self._node = node
        self._at = f"{prefix}.state."
        self._nodes = f"{self._at}node."

    def config(self) -> dict[str, Any]:
        """What the JetStream stream has to be."""
        return {"subjects": [f"{self._at}>"], "max_msgs_per_subject": 1, "allow_msg_ttl": True}

    def found(self, condition: Condition) -> None:
        """The JetStream stream is there."""
        self.engine = life_of(condition)

    # --- reading and writing ----------------------------------------------------------------------------------------

    async def _get(self, body: Mapping[str, Any]) -> tuple[list[Msg], dict[str, str]]:
        return await self._link.gather(f"$JS.API.DIRECT.GET.{self.stream}", msgspec.json.encode(body))

    async def _all(self, subject: str, limit: int | None = None) -> list[Msg]:
        """The messages of a subject with wildcards, in order."""
        found: list[Msg] = []
        while True:
            start = sequence_of(found[-1]) + 1 if found else 1
            batch = _BATCH if limit is None else min(_BATCH, limit - len(found))
            messages, end = await self._get({"seq": start, "next_by_subj": subject, "batch": batch})
            found += messages
            if len(found) == limit or (len(messages) < batch and end.get("Nats-Num-Pending", "0") == "0"):
                return found

    async def _write(self, subject: str, value: object, headers: dict[str, str] | None = None) -> int:
        return await self._link.append(subject, msgspec.msgpack.encode(value), headers or {})

    async def _write_if(
        self, subject: str, value: object, last: int, among: str | None = None, **others: str
    ) -> int | None:
        """Write if the last message of the subject is this one, or that of all those `among`; None where it is another."""
        headers = {"Nats-Expected-Last-Subject-Sequence": str(last), **others}
        if among is not None:
            headers["Nats-Expected-Last-Subject-Sequence-Subject"] = among
        try:
            return await self._write(subject, value, headers)
        except Refused as refused:
            if refused.err_code in _CHANGED:
                return None
            raise

    async def _remove(self, sequence: int) -> bool:
        """Take a message away; whether it was there."""
        try:
            await self._link.command(f"STREAM.MSG.DELETE.{self.stream}", {"seq": sequence, "no_erase": True}, object)
        except Refused as refused:
            if refused.err_code in _GONE:
                return False
            raise
        return True

    # --- nodes ------------------------------------------------------------------------------------------------------

    async def _registered(self) -> dict[str, _Registered]:
        """All nodes by their names."""
        now, found = self._link.clock(), dict[str, _Registered]()
        for message in await self._all(f"{self._nodes}*"):
            if (node := _decoded(message, _Node)) is not None:
                lives = node.lease > 0.0 and now < written(message) + node.lease
                found[_text(node.name)] = _Registered(sequence_of(message), lives, node.is_reaped)
        return found

    async def _living(self) -> frozenset[bytes]:
        return frozenset(_bytes(name) for name, node in (await self._registered()).items() if node.lives)

    async def _register(self, node: str, lease: float, last: int, *, is_reaped: bool = False) -> int | None:
        """Write a node down, if it is as it was last."""
        return await self._write_if(self._nodes + token_of(node), _Node(_bytes(node), lease, is_reaped), last)

    async def renew(self, lease: float) -> Registration:
        """This node lives."""
        while True:
            nodes = await self._registered()
            before = nodes.get(self._node, _NOBODY)
            if await self._register(self._node, lease, before.sequence) is not None:
                break
        alive = frozenset(name for name, node in nodes.items() if node.lives) | {self._node}
        known = before is not _NOBODY and not before.is_reaped
        return Registration(alive, frozenset(nodes) - alive, known, self.engine)

    async def retire(self) -> None:
        """This node lives no more."""
        while (before := (await self._registered()).get(self._node, _NOBODY)).lives:
            if await self._register(self._node, 0.0, before.sequence) is not None:
                break

    # --- records ----------------------------------------------------------------------------------------------------

    def _table(self, table: str) -> str:
        return f"{self._at}record.{token_of(table)}."

    async def _in_table(self, table: str) -> list[_Stored]:
        """All records of a table in the order of their seats, the later one of a key that goes from a node to another.

        One that is written anew meanwhile goes to the end, where it is found, so none is missed.
        """
        latest: dict[bytes, _Stored] = {}
        for stored in _stored(await self._all(f"{self._table(table)}*.*")):
            latest[stored.placed.key] = stored
        return sorted(latest.values(), key=lambda stored: stored.seat)

    async def place(self, table: str, key: str, value: bytes, most: int | None) -> Placed:
        """Keep a record, if there is a seat for it."""
        everyones = f"{self._table(table)}{token_of(key)}.*"
        while True:
            last, before = await self._latest(everyones)
            is_seated = most is None
            if before is not None and most is not None:
                is_seated = before.placed.node in await self._living()
            if most is not None and not is_seated and await self._taken(table, key) >= most:
                return Placed.FULL
            seat = before.seat if before is not None and is_seated else 0
            placed = _Placed(_bytes(table), _bytes(key), value, _bytes(self._node), seat, most)
            sequence = await self._write_if(f"{everyones[:-1]}{token_of(self._node)}", placed, last, everyones)
            if sequence is not None:
                break
        if most is not None and not is_seated and not await self._has_seat(table, key, sequence, most):
            await self._remove(sequence)
            return Placed.FULL
        if before is None:
            return Placed.NEW
        if before.placed.node != _bytes(self._node):
            await self._remove(before.sequence)
        return Placed.KNOWN

    async def _latest(self, everyones: str) -> tuple[int, _Stored | None]:
        """The record of a key, whosesoever it is, and where it is; 0 where there is none."""
        message = await self._link.last(self.stream, everyones)
        if message is None:
            return 0, None
        placed = _decoded(message, _Placed)
        return message.seq, None if placed is None else _Stored(message.seq, placed)

    async def _taken(self, table: str, key: str) -> int:
        """How many seats there are taken by other keys."""
        found, living = await asyncio.gather(self._in_table(table), self._living())
        return sum(stored.placed.node in living and stored.placed.key != _bytes(key) for stored in found)

    async def _has_seat(self, table: str, key: str, sequence: int, most: int) -> bool:
        """Whether a record that was just written is among the first ones of its table.

        Many nodes may have seen the last seat free. All of them have written, so each sees all that came before its own; the
        first ones stay, and the others go.
        """
        while True:
            found, living = await asyncio.gather(self._in_table(table), self._living())
            mine = next((stored for stored in found if stored.placed.key == _bytes(key)), None)
            if mine is not None and mine.sequence > sequence:
                return True  # another node has it by now, and has looked for itself
            if mine is not None:
                return sum(stored.placed.node in living and stored.seat < sequence for stored in found) < most
            # A replica that is behind was asked.

    async def drop(self, table: str, key: str) -> bool:
        """Forget a record, if it is this node's."""
        _, found = await self._latest(f"{self._table(table)}{token_of(key)}.*")
        return found is not None and found.placed.node == _bytes(self._node) and await self._remove(found.sequence)

    async def records(self, table: str) -> tuple[Record, ...]:
        """The records of living nodes, without those that are about to be told that there is no seat for them."""
        found, living = await asyncio.gather(self._in_table(table), self._living())
        seated = [stored for stored in found if stored.placed.node in living]
        shown = (one for rank, one in enumerate(seated) if one.placed.most is None or rank < one.placed.most)
        return tuple(sorted((stored.record for stored in shown), key=lambda record: record.key))

    async def reap(self, node: str, limit: int) -> tuple[Record, ...]:
        """Take away records of a dead node."""
        registered = (await self._registered()).get(node, _NOBODY)
        if registered.lives:
            return ()
        while messages := await self._all(f"{self._at}record.*.*.{token_of(node)}", min(limit, _BATCH)):
            if registered is not _NOBODY and not registered.is_reaped:
                # From now on it is not known when it comes back. Where it just did, it keeps what it has.
                sequence = await self._register(node, 0.0, registered.sequence, is_reaped=True)
                if sequence is None:
                    return await self.reap(node, limit)
                registered = _Registered(sequence, lives=False, is_reaped=True)
            sequences = [sequence_of(message) for message in messages]
            mine = dict(zip(sequences, await asyncio.gather(*map(self._remove, sequences)), strict=True))
            taken = [stored.record for stored in _stored(messages) if mine[stored.sequence]]
            if taken and (left := await self._without_successors(taken)):
                return left
        if registered is not _NOBODY:
            await self._remove(registered.sequence)
        return ()

    async def _without_successors(self, records: Sequence[Record]) -> tuple[Record, ...]:
        """Those that no other node has placed meanwhile."""
        placed: set[tuple[str, str]] = set()
        for start in range(0, len(records), _MOST_FILTERS):
            some = records[start : start + _MOST_FILTERS]
            filters = [f"{self._table(record.table)}{token_of(record.key)}.*" for record in some]
            messages, _ = await self._get({"multi_last": filters})
            placed.update((stored.record.table, stored.record.key) for stored in _stored(messages))
        return tuple(record for record in records if (record.table, record.key) not in placed)

    # --- what is kept, and rates ------------------------------------------------------------------------------------

    def _kept(self, key: str) -> str:
        return f"{self._at}kept.{token_of(key)}"

    async def keep(self, values: Mapping[str, bytes], seconds: float) -> None:
        """Remember values."""
        headers, end = {"Nats-TTL": _lifetime(seconds)}, self._link.clock() + seconds
        await asyncio.gather(
            *(self._write(self._kept(key), _Kept(end, value), headers) for key, value in values.items())
        )

    async def kept(self, key: str) -> bytes | None:
        """A value."""
        message = await self._link.last(self.stream, self._kept(key))
        found = _decoded(message, _Kept) if message is not None else None
        return found.value if found is not None and self._link.clock() < found.end else None

    async def discard(self, key: str) -> None:
        """Forget a value."""
        await self._link.command(f"STREAM.PURGE.{self.stream}", {"filter": self._kept(key)}, object)

    async def take(self, bucket: str, amount: int, rate: float, burst: int) -> float:
        """Take from a bucket. The time is the engine's, as each node knows it."""
        subject = f"{self._at}rate.{token_of(bucket)}"
        burst = max(1, burst)
        while True:
            message = await self._link.last(self.stream, subject)
            level, last = (_decoded(message, _Level), message.seq) if message is not None else (None, 0)
            now, tokens = self._link.clock(), float(burst)
            if level is not None:
                now = max(now, level.since)
                tokens = min(tokens, level.tokens + (now - level.since) * rate)
            if tokens < amount:
                return (amount - tokens) / rate
            tokens -= amount
            full = {"Nats-TTL": _lifetime((burst - tokens) / rate + 1)}  # when it is forgotten, it is full again
            if await self._write_if(subject, _Level(tokens, now), last, **full) is not None:
                return 0.0


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogatepass")


def _lifetime(seconds: float) -> str:
    """How long the server keeps a message: a second is the least."""
    return f"{max(1000, math.ceil(min(seconds, _LONGEST) * 1000))}ms"


def _decoded(message: Msg | Last, kind: type[T]) -> T | None:
    """What a message says; None where that cannot be read."""
    try:
        return msgspec.msgpack.decode(message.data, type=kind)
    except msgspec.DecodeError:
        logger.warning("what is remembered in NATS could not be read, and is left out")
        return None


def _stored(messages: Iterable[Msg]) -> list[_Stored]:
    return [
        _Stored(sequence_of(message), placed)
        for message in messages
        if (placed := _decoded(message, _Placed)) is not None
    ]
