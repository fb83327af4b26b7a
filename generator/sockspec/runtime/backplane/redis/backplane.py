"""Redis as a backplane, and the line of a node to it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from sockspec.runtime import checks
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
from sockspec.runtime.backplane.redis import keys, reach, scripts
from sockspec.runtime.backplane.redis.feed import Feed
from sockspec.runtime.backplane.redis.lane import Cluster, Lane, OneConnection
from sockspec.runtime.backplane.redis.scripts import Command

if TYPE_CHECKING:
    from redis.asyncio import RedisCluster

_log: Final = logging.getLogger("sockspec.backplane")
_AT_ONCE: Final = 1000
"""How many streams that are subscribed to are asked for at a time, so that they stay known."""


class RedisBackplane(Backplane):
    """Redis or Valkey, 6.2 or later. It needs the extra `redis`.

    On CPython that brings `hiredis` along, in which redis-py reads: receiving costs half or less of what it does without.
    Where `hiredis` cannot be had, redis-py alone does the same.
    """

    name: ClassVar = "redis"
    is_shared: ClassVar = True

    def __init__(
        self,
        url: str = "redis://localhost:6379",
        *,
        prefix: str = "sockspec",
        timeout: float = 2.0,
        replicas: int = 0,
        remember: float = 3600.0,
        client: Callable[[], reach.Client] | None = None,
    ) -> None:
        """`url` begins with `redis://`, `rediss://`, `unix://`, or is `redis+sentinel://host:port,host:port/service`.

        `prefix` begins all keys and channels: one for each fleet that shares an engine. What does not answer within
        `timeout` seconds is taken for broken. With `replicas`, publishing waits until so many replicas have the entry, and
        raises a doubtful BackplaneError when they do not in time; a cluster has to see to that itself, by
        `min-replicas-to-write`. Where a stream stands is remembered for `remember` seconds at least after the last who asked;
        its subscribers ask in time.

        `client` is called for each node in place of `url`, and gives a Redis or RedisCluster of `redis.asyncio`, which is
        closed with the line. Of a Redis only the way to connect is used. A RedisCluster tries again by itself: an id makes
        that harmless to what is published, while a `take` may be counted twice. Raises ValueError for what cannot be.
        """
        reach.check_url(url)
        if not prefix or set("{}") & set(prefix):
            raise ValueError(f"prefix={prefix!r} has to be a text without braces, which mean something in a cluster")
        self._url: Final = url
        self.prefix: Final = prefix
        self.timeout: Final = timeout
        self.replicas: Final = replicas
        self.remember: Final = remember
        self._client: Final = client
        checks.above_zero(self, "timeout", "remember")
        checks.at_least_zero(self, "replicas")

    async def open(self, node: str, receiver: Receiver) -> Line:
        """Connect a node. Raises BackplaneError; ImportError without redis-py."""
        client = self._client() if self._client is not None else reach.client_of(self._url, self.timeout)
        line = _RedisLine(self, node, receiver, client)
        try:
            await line.open()
        except BaseException:
            await line.close()
            raise
        return line


class _RedisLine(Line):
    """Publishing has a connection of its own: it may wait for replicas, while others have something to ask."""

    def __init__(self, backplane: RedisBackplane, node: str, receiver: Receiver, client: reach.Client) -> None:
        self._node: Final = keys.raw(node)
        self._receiver: Final = receiver
        self._client: Final = client
        self._keys: Final = keys.Keys(backplane.prefix)
        self._timeout: Final = backplane.timeout
        self._remember: Final = backplane.remember
        make, timeout = reach.connector(client, backplane.timeout), backplane.timeout
        self._feed: Final = Feed(make, timeout, receiver, self._heard, self._broke)
        self._publishing: Lane
        self._asking: Lane
        if reach.is_cluster(client):
            self._publishing = self._asking = Cluster(cast("RedisCluster", client), timeout)
        else:
            self._publishing = OneConnection(
                make, timeout, replicas=backplane.replicas, on_connect=self._feed.check_peer
            )
            self._asking = OneConnection(make, timeout, on_connect=self._feed.check_peer)
        self._touching: asyncio.Task[None] | None = None
        self._is_closed = False

    async def open(self) -> None:
        """Connect."""
        if reach.is_cluster(self._client):
            await self._meet_cluster(cast("RedisCluster", self._client))
        await self._feed.open()
        await self._asking.ask(Command("PING"))
        self._touching = asyncio.create_task(self._touch())

    async def _meet_cluster(self, client: RedisCluster) -> None:
        if client.get_encoder().decode_responses:
            raise ValueError("client= gave a client that decodes responses, but data is bytes")
        try:
            async with asyncio.timeout(self._timeout):
                await client.initialize()
        except Exception as error:
            raise reach.failure(error, doubtful=False) from error

    async def close(self) -> None:
        self._is_closed = True
        if self._touching is not None:
            self._touching.cancel()
            await asyncio.wait({self._touching})
        await self._feed.close()
        await self._publishing.close()
        await self._asking.close()
        await reach.close(self._client, self._timeout)

    def _heard(self, channel: bytes, text: bytes) -> None:
        try:
            epoch, entry = keys.entry(text)
        except ValueError:
            _log.warning("something in a channel of this fleet is no entry; left out")
        else:
            self._receiver.receive(self._keys.of_channel(channel), epoch, entry)

    def _broke(self) -> None:
        self._publishing.distrust()
        self._asking.distrust()

    async def _touch(self) -> None:
        """Keep known where the streams stand that are subscribed to."""
        while True:
            await asyncio.sleep(self._remember / 3)
            names = list(map(self._keys.of_channel, self._feed.channels))
            for start in range(0, len(names), _AT_ONCE):
                try:
                    await self.positions(names[start : start + _AT_ONCE])
                except BackplaneError as error:
                    _log.warning("where streams stand may be forgotten: %s", error)
                    break

    # --- streams ----------------------------------------------------------------------------------------------------

    def _begin(self) -> tuple[bytes, bytes]:
        """What all scripts of streams are told: an epoch for one that begins with this, and how long it is known."""
        return os.urandom(6).hex().encode(), _milliseconds(self._remember)

    async def publish(self, stream: str, data: bytes, *, id: str, history: History) -> Position:
        keeping = _milliseconds(history.seconds)
        said = (keys.raw(id), data, b"%d" % history.size, keeping, self._keys.channel(stream))
        command = scripts.PUBLISH.call(self._keys.stream(stream), *self._begin(), *said)
        return _position(await self._publishing.ask(command))

    async def subscribe(self, streams: Collection[str]) -> Mapping[str, Position]:
        self._check_open()
        if not streams:
            return {}
        channels = [self._keys.channel(stream) for stream in streams]
        try:
            async with asyncio.timeout(self._timeout):
                mark = await self._feed.subscribe(channels)
                try:
                    positions = await self.positions(streams)
                except BaseException:
                    self._feed.give_up(channels, mark)
                    raise
        except TimeoutError as error:
            raise reach.failure(error, doubtful=True) from error
        self._feed.keep(channels)
        return positions

    async def unsubscribe(self, streams: Collection[str]) -> None:
        self._feed.unsubscribe([self._keys.channel(stream) for stream in streams])

    async def positions(self, streams: Collection[str]) -> Mapping[str, Position]:
        self._check_open()
        asked = [scripts.POSITION.call(self._keys.stream(stream), *self._begin()) for stream in streams]
        return dict(zip(streams, map(_position, await self._asking.ask_all(asked)), strict=True))

    async def read(self, stream: str, since: Position, limit: int) -> Slice:
        said = (since.epoch.encode(), b"%d" % since.offset, b"%d" % limit)
        reply = await self._asking.ask(scripts.READ.call(self._keys.stream(stream), *self._begin(), *said))
        top = _position(reply)
        if since.epoch != top.epoch or since.offset > top.offset:
            return Slice(top, (), complete=False)
        entries = tuple(_entries(reply[2:]))
        reaches = entries[0].after <= since.offset if entries else since.offset == top.offset or limit < 1
        return Slice(top, entries, complete=reaches)

    async def renounce(self, stream: str, position: Position) -> None:
        said = (position.epoch.encode(), b"%d" % position.offset)
        await self._publishing.ask(scripts.RENOUNCE.call(self._keys.stream(stream), *self._begin(), *said))

    def _check_open(self) -> None:
        if self._is_closed:
            raise BackplaneError("this line is closed")

    # --- records ----------------------------------------------------------------------------------------------------

    async def renew(self, lease: float) -> Registration:
        said = (self._node, _milliseconds(lease), os.urandom(6).hex().encode())
        reply = await self._asking.ask(scripts.RENEW.call((self._keys.nodes, self._keys.engine), *said))
        engine, known, alive, dead = reply
        return Registration(
            frozenset(map(keys.named, alive)), frozenset(map(keys.named, dead)), bool(known), engine.decode()
        )

    async def retire(self) -> None:
        await self._asking.ask(scripts.RETIRE.call((self._keys.nodes,), self._node))

    def _of_table(self, table: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        names = self._keys
        return names.nodes, names.tables + table, names.counts + table, names.owned + self._node

    async def place(self, table: str, key: str, value: bytes, *, most: int | None = None) -> Placed:
        of, by = keys.raw(table), keys.raw(key)
        room = b"" if most is None else b"%d" % most
        said = (self._node, by, keys.record_text(self._node, value), keys.record_name(of, by), room, self._keys.owned)
        reply = await self._asking.ask(scripts.PLACE.call(self._of_table(of), *said))
        if reply == b"unregistered":
            raise BackplaneError("this node is not registered: it was never renewed, or was taken for dead")
        return Placed(reply.decode())

    async def drop(self, table: str, key: str) -> bool:
        of, by = keys.raw(table), keys.raw(key)
        said = (self._node, by, keys.record_name(of, by))
        return bool(await self._asking.ask(scripts.DROP.call(self._of_table(of), *said)))

    async def records(self, table: str) -> tuple[Record, ...]:
        reply = await self._asking.ask(scripts.RECORDS.call(self._of_table(keys.raw(table))[:2]))
        pairs = zip(reply[::2], reply[1::2], strict=True)
        return tuple(sorted((keys.record(table, key, text) for key, text in pairs), key=lambda record: record.key))

    async def reap(self, node: str, limit: int) -> tuple[Record, ...]:
        name = keys.raw(node)
        said = (name, b"%d" % limit, self._keys.tables, self._keys.counts)
        reply = await self._asking.ask(scripts.REAP.call((self._keys.nodes, self._keys.owned + name), *said))
        found: list[Record] = []
        for where, text in zip(reply[::2], reply[1::2], strict=True):
            table, key = keys.parted(where)
            found.append(keys.record(keys.named(table), key, text))
        return tuple(found)

    # --- what is kept, and rates ------------------------------------------------------------------------------------

    async def keep(self, values: Mapping[str, bytes], seconds: float) -> None:
        self._check_open()
        long = _milliseconds(seconds)
        kept = ((self._keys.kept(key), value, b"PX", long) for key, value in values.items())
        await self._asking.ask_all(Command("SET", arguments) for arguments in kept)

    async def kept(self, key: str) -> bytes | None:
        value: bytes | None = await self._asking.ask(Command("GET", (self._keys.kept(key),)))
        return value

    async def discard(self, key: str) -> None:
        await self._asking.ask(Command("DEL", (self._keys.kept(key),)))

    async def take(self, bucket: str, amount: int, *, rate: float, burst: int) -> float:
        said = (b"%d" % amount, repr(float(rate)).encode(), b"%d" % max(1, burst))
        return float(await self._asking.ask(scripts.TAKE.call((self._keys.bucket(bucket),), *said)))


def _milliseconds(seconds: float) -> bytes:
    return b"%d" % max(1, round(seconds * 1000))


def _position(reply: Sequence[Any]) -> Position:
    return Position(reply[0].decode(), reply[1])


def _entries(texts: Sequence[bytes]) -> Iterator[Entry]:
    for text in texts:
        try:
            yield keys.entry(text)[1]
        except ValueError:
            _log.warning("something in a stream of this fleet is no entry; left out")
