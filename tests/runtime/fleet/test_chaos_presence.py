"""Who is there, and who may be, after a node has died; and workers of one of which nothing is left."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
from websockets.asyncio.client import connect

from tests.runtime.backplane import engines
from tests.runtime.chatting import lasting
from tests.runtime.fleet.crowd import Crowd
from tests.runtime.fleet.processes import Node, fleet, until
from tests.runtime.fleet.publishing import say


@lasting(60)
async def test_those_who_died_with_a_node_leave_once_and_those_who_came_back_never_did(
    engine: engines.Engine, rng: random.Random, tmp_path: Path
) -> None:
    # The grace of those whose connection broke is longer than the lease: it is the node that is given up here.
    async with fleet(engine.url, tmp_path, rng, 2, presence_grace=6) as nodes:
        crowd = Crowd(nodes)
        watchers = crowd.lights(6, start="watcher")
        members = crowd.lights(24, "?tag=present", start="member")
        await crowd.here()
        victim = rng.choice(nodes.nodes)
        there = [light for light in members if light.node is victim]
        gone = set(rng.sample(there, len(there) // 2))
        stay = [light for light in watchers if light.node is not victim]
        for light in gone:
            light.may_come.clear()
        victim.kill()
        left = {f"left {light.name}" for light in gone}
        await until(lambda: all(left <= set(light.heard) for light in stay), "everybody who is gone has left")
        for light in gone:
            crowd.listeners.remove(light)
        await crowd.here()
        last = await say(nodes, crowd.room, "after")
        await until(lambda: all(last in light.heard for light in watchers), "that is heard")
        for light in watchers:
            found = Counter(text for text in light.heard if text.startswith("left "))
            assert found == Counter(dict.fromkeys(left, 1))
            joined = Counter(text for text in light.heard if text.startswith("joined "))
            assert set(joined.values()) <= {1}
        await crowd.end(())


@lasting(60)
async def test_limits_are_exact_again_once_a_node_that_died_is_given_up(
    engine: engines.Engine, rng: random.Random, tmp_path: Path
) -> None:
    most = rng.randint(3, 6)
    async with fleet(engine.url, tmp_path, rng, 2, max_connections_per_principal=most) as nodes, _Seats() as seats:
        victim, *others = rng.sample(nodes.nodes, 2)
        lost = rng.randint(1, most - 1)
        for number in range(most):
            assert await seats.take(victim if number < lost else rng.choice(others))
        assert not any([await seats.take(node) for node in nodes.nodes])
        victim.kill()
        for _ in range(lost):
            async with asyncio.timeout(20):
                while not await seats.take(rng.choice(others)):
                    pass
        # Many at once, too.
        assert await asyncio.gather(*(seats.take(rng.choice(others)) for _ in range(8))) == [False] * 8


class _Seats:
    """The connections of one principal."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> _Seats:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def take(self, node: Node) -> bool:
        """Connect once more, if that is allowed."""
        url = f"ws://127.0.0.1:{node.port}/v1/rooms/lobby"
        websocket = await connect(url, additional_headers={"Authorization": "Bearer ann"}, proxy=None)
        if msgspec.json.decode(await websocket.recv())["type"] == "error":
            await websocket.close()
            return False
        self._stack.push_async_callback(websocket.close)
        return True


@lasting(60)
async def test_nobody_misses_anything_when_one_of_several_workers_is_killed(
    start_redis: Callable[..., engines.Redis], rng: random.Random, tmp_path: Path
) -> None:
    async with fleet(start_redis().url, tmp_path, rng, 0) as nodes:
        node = await nodes.add(workers=2)
        crowd = Crowd(nodes)
        lights = crowd.lights(30)
        crowd.generated(2)
        await crowd.here()
        publishing = crowd.publish(4)
        await crowd.more(50)
        async with node.desk() as desk:
            victim = (await desk.report()).pid
        os.kill(victim, signal.SIGKILL)
        await node.begun(1)
        await crowd.here()
        await crowd.more(50)
        await crowd.end(publishing)
        assert any(light.losses for light in lights)
