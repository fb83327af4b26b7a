"""Engines that come back with less than they acknowledged: whoever had more is told the truth, and goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import redis

from chat import RoomConnection
from sockspec.runtime import Backplane, History, NatsBackplane, RedisBackplane
from sockspec.runtime.backplane import conformance
from sockspec.runtime.backplane.line import Position
from sockspec.runtime.fleet.recovery import Recovery
from tests.runtime.backplane import engines
from tests.runtime.chatting import scenario
from tests.runtime.fleet.nodes import PATIENCE, Fleet, Nickname, Person, fleet, posted

LOST = Recovery(resumed=True, recovered=False)
SELDOM = {"lease": 60, "check_interval": 60}
"""Nodes that do not look by themselves whether they have missed something."""

Start: TypeAlias = Callable[..., engines.Redis] | Callable[..., engines.Nats]


@pytest.fixture(params=["redis", "nats"])
def start(request: pytest.FixtureRequest) -> Start:
    """Starts engines that the test may stop."""
    found: Start = request.getfixturevalue(f"start_{request.param}")
    return found


def backplane_on(engine: engines.Engine) -> Backplane:
    """The backplane of an engine."""
    if isinstance(engine, engines.Nats):
        return NatsBackplane(engine.url, timeout=1.0)
    assert isinstance(engine, engines.Redis)
    return RedisBackplane(engine.url, timeout=1.0)


async def enter(nodes: Fleet, name: str, at: int) -> Person:
    """Somebody in the room."""
    person = await nodes.stack.enter_async_context(nodes.person(name, at=at))
    await person.enter_quietly()
    await nodes.subscribed(at, "all /v1/rooms/{room}", f"principal /v1/rooms/{{room}} {name}")
    return person


async def say(nodes: Fleet, text: str, *to: Person) -> None:
    """Say something in the room, and wait until these have heard it."""
    await nodes.halls[0].group(RoomConnection, "lobby").broadcast(posted(text))
    for one in to:
        await _hears(one, text)


async def _hears(one: Person, text: str) -> None:
    await one.until(lambda: text in one.heard)


async def _is_told(one: Person, count: int) -> None:
    await one.until(lambda: len(one.recoveries) >= count)


async def told_once(nodes: Fleet, *people: Person) -> None:
    """Each is told of a loss once for each stream at most: in NATS it is of all, as nobody can tell of which."""
    most = 3 if isinstance(nodes.backplane, NatsBackplane) else 1
    for one in people:
        await _is_told(one, 1)
    await say(nodes, "in the end", *people)
    for one in people:
        assert set(one.recoveries) == {LOST}
        assert len(one.recoveries) <= most


@scenario
async def test_who_comes_back_with_a_position_from_before_a_loss_is_not_told_that_nothing_was_missed(
    start: Start, tmp_path: Path
) -> None:
    engine = await asyncio.to_thread(start)
    async with fleet(backplane_on(engine), 2, **SELDOM) as nodes:
        nodes.hosts.append(None)
        ann, bob, cid = await enter(nodes, "ann", 0), await enter(nodes, "bob", 1), await enter(nodes, "cid", 1)
        await say(nodes, "one", ann, bob, cid)
        earlier = await asyncio.to_thread(engine.copy, tmp_path / "earlier")
        await say(nodes, "two", ann, bob, cid)
        cid.cut(to=2)
        await say(nodes, "three", ann, bob)
        await asyncio.to_thread(engine.go_back, earlier)
        await ann.until(lambda: ann.recoveries)
        await bob.until(lambda: bob.recoveries)
        for text in ("four", "five", "six"):
            await say(nodes, text, ann, bob)
        cid.at = 1
        await cid.until(lambda: cid.recoveries)
        await say(nodes, "seven", ann, bob, cid)
        assert ann.heard == bob.heard == ["one", "two", "three", "four", "five", "six", "seven"]
        assert (cid.heard, cid.recoveries) == (["one", "two", "seven"], [LOST])
        await told_once(nodes, ann, bob)


@scenario
async def test_what_was_published_in_place_of_what_was_lost_is_noticed_though_there_is_as_much(
    start: Start, tmp_path: Path
) -> None:
    engine, other = await asyncio.gather(asyncio.to_thread(start), asyncio.to_thread(start))
    async with fleet(backplane_on(engine), 2, **SELDOM) as nodes:
        ann, bob = await enter(nodes, "ann", 0), await enter(nodes, "bob", 1)
        await say(nodes, "one", ann, bob)
        await asyncio.to_thread(other.go_back, await asyncio.to_thread(engine.copy, tmp_path / "earlier"))
        line = await backplane_on(other).open("another", conformance.Inbox())
        stream = nodes.halls[0].group(RoomConnection, "lobby").stream
        top = (await line.positions([stream]))[stream]
        (one,) = (await line.read(stream, Position(top.epoch, 0), 10)).entries
        instead = await line.publish(stream, one.data, id="instead", history=History())
        await line.close()
        await say(nodes, "two", ann, bob)
        at = nodes.hub(0).feed(stream).position
        await asyncio.to_thread(engine.go_back, await asyncio.to_thread(other.copy, tmp_path / "instead"))
        await ann.until(lambda: ann.recoveries)
        await bob.until(lambda: bob.recoveries)
        await say(nodes, "three", ann, bob)
        assert at == instead
        assert ann.heard == bob.heard == ["one", "two", "three"]
        await told_once(nodes, ann, bob)


@scenario
async def test_who_is_present_is_written_again_where_an_engine_has_lost_that_too(start: Start, tmp_path: Path) -> None:
    engine = await asyncio.to_thread(start)
    async with fleet(backplane_on(engine), 2, **SELDOM) as nodes:
        bob = await enter(nodes, "bob", 1)
        earlier = await asyncio.to_thread(engine.copy, tmp_path / "earlier")
        ann = await enter(nodes, "ann", 0)
        await ann.enter()
        await bob.until(lambda: "ann online" in bob.presences)
        room = nodes.halls[1].group(RoomConnection, "lobby")
        await asyncio.to_thread(engine.go_back, earlier)
        await ann.until(lambda: ann.recoveries)
        async with asyncio.timeout(PATIENCE):
            while [member.info.nickname for member in await room.members(Nickname)] != ["ann"]:
                await asyncio.sleep(0.01)
        await say(nodes, "one", ann, bob)
        assert bob.presences.count("ann online") == 1


@scenario
async def test_an_engine_that_comes_back_with_everything_goes_on_as_if_nothing_had_been(
    start: Start, tmp_path: Path
) -> None:
    engine = await asyncio.to_thread(start)
    async with fleet(backplane_on(engine), 2, **SELDOM) as nodes:
        nodes.hosts.append(None)
        ann, bob, cid = await enter(nodes, "ann", 0), await enter(nodes, "bob", 1), await enter(nodes, "cid", 1)
        await say(nodes, "one", ann, bob, cid)
        cid.cut(to=2)
        await say(nodes, "two", ann, bob)
        await asyncio.to_thread(engine.copy, tmp_path / "all")
        await say(nodes, "three", ann, bob)
        cid.at = 0
        await cid.until(lambda: cid.recoveries)
        await say(nodes, "four", ann, bob, cid)
        assert ann.heard == bob.heard == cid.heard == ["one", "two", "three", "four"]
        assert (ann.recoveries, bob.recoveries) == ([], [])
        assert cid.recoveries == [Recovery(resumed=True, recovered=True)]


@scenario
async def test_a_failover_to_a_replica_that_was_behind_loses_nothing_silently(
    start_redis: Callable[..., engines.Redis],
) -> None:
    primary = await asyncio.to_thread(start_redis)
    replica = await asyncio.to_thread(start_redis, "--replicaof", "127.0.0.1", str(primary.port))
    sentinel = await asyncio.to_thread(start_redis, is_sentinel=True)

    def tell(engine: engines.Redis, *command: str | int) -> Any:
        with redis.Redis(port=engine.port, protocol=2) as client:
            return client.execute_command(*command)

    tell(sentinel, "SENTINEL", "MONITOR", "ours", "127.0.0.1", primary.port, 1)
    tell(sentinel, "SENTINEL", "SET", "ours", "down-after-milliseconds", 300)
    async with fleet(
        RedisBackplane(f"redis+sentinel://127.0.0.1:{sentinel.port}/ours", timeout=1.0), 2, **SELDOM
    ) as nodes:
        await nodes.until(lambda: len(tell(sentinel, "SENTINEL", "REPLICAS", "ours")) == 1)
        ann, bob = await enter(nodes, "ann", 0), await enter(nodes, "bob", 1)
        await say(nodes, "one", ann, bob)
        assert tell(primary, "WAIT", 1, 10_000) == 1
        tell(replica, "REPLICAOF", "127.0.0.1", 1)  # where nothing is
        await say(nodes, "two", ann, bob)
        primary.kill()
        await ann.until(lambda: ann.recoveries)
        await bob.until(lambda: bob.recoveries)
        await say(nodes, "three", ann, bob)
        assert ann.heard == bob.heard == ["one", "two", "three"]
        await told_once(nodes, ann, bob)
