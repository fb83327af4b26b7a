"""Engines that end, come back with or without what they had, hold still, and cannot be reached by one node."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.runtime.backplane import engines
from tests.runtime.chatting import lasting
from tests.runtime.faulty import Faults, faulty
from tests.runtime.fleet.crowd import Crowd, Light
from tests.runtime.fleet.processes import fleet, until
from tests.runtime.fleet.publishing import count
from tests.runtime.fleet.verdict import verify, was_told


def _unbroken(lights: list[Light]) -> bool:
    """Whether no socket went down."""
    return all(light.losses == 0 and light.is_here for light in lights)


@lasting(60)
async def test_an_engine_that_comes_back_with_what_it_had_costs_nothing(
    engine: engines.Engine, rng: random.Random, tmp_path: Path
) -> None:
    async with fleet(engine.url, tmp_path, rng) as nodes:
        crowd = Crowd(nodes)
        lights = crowd.lights(20)
        await crowd.here()
        publishing = crowd.publish(4, pace=0.005)
        for end in rng.sample((engine.kill, engine.stop), 2):
            await crowd.more(50)
            await asyncio.to_thread(end)
            await asyncio.to_thread(engine.start)
        await crowd.more(50)
        await crowd.end(publishing)
        assert [light.recoveries for light in lights] == [[]] * 20
        assert all(light.losses <= 1 for light in lights)


@lasting(60)
async def test_clients_are_told_when_an_engine_comes_back_empty_and_hear_everything_from_then_on(
    engine: engines.Engine, rng: random.Random, tmp_path: Path
) -> None:
    async with fleet(engine.url, tmp_path, rng) as nodes:
        crowd = Crowd(nodes)
        lights = crowd.lights(20)
        await crowd.here()
        publishing = crowd.publish(4, pace=0.005)
        await crowd.more(50)
        await asyncio.to_thread(engine.kill)
        engine.forget()
        await asyncio.to_thread(engine.start)
        await until(lambda: all(map(was_told, lights)), "everybody is told")
        assert _unbroken(lights)
        publishing += crowd.publish(4, pace=0.005)
        later = crowd.publishers[4:]
        await until(lambda: count(later) > 50, "there is more to hear")
        last = await crowd.end(publishing)
        verify(lights, later, last, whole=lights)


async def _pause(engine: engines.Engine, rng: random.Random, folder: Path, seconds: float) -> None:
    async with fleet(engine.url, folder, rng) as nodes:
        crowd = Crowd(nodes)
        lights = crowd.lights(20)
        await crowd.here()
        publishing = [task for node in nodes.nodes for task in crowd.publish(2, at=node, pace=0.005)]
        await crowd.more(50)
        engine.pause()
        start = asyncio.get_running_loop().time()
        try:
            await asyncio.gather(*(one.more(1, "refused", "doubtful") for one in crowd.publishers))
            await until(lambda: asyncio.get_running_loop().time() > start + seconds, "time has passed")
            async with nodes.nodes[0].desk() as desk:
                assert (await desk.report()).degraded.endswith(" s")
        finally:
            engine.resume()
        await crowd.more(50)
        assert _unbroken(lights)
        await crowd.end(publishing)
        assert [light.recoveries for light in lights] == [[]] * 20


@lasting(60)
async def test_an_engine_that_holds_still_for_a_while_costs_nothing_that_was_acknowledged(
    engine: engines.Engine, rng: random.Random, tmp_path: Path
) -> None:
    await _pause(engine, rng, tmp_path, seconds=2.5)


@pytest.mark.slow
@lasting(60)
async def test_an_engine_that_holds_still_for_ten_seconds_costs_nothing_that_was_acknowledged(
    engine: engines.Engine, rng: random.Random, tmp_path: Path
) -> None:
    await _pause(engine, rng, tmp_path, seconds=10)


@lasting(60)
async def test_a_node_that_is_cut_off_from_the_engine_catches_up_and_the_others_go_on(
    engine: engines.Engine, rng: random.Random, tmp_path: Path
) -> None:
    faults = Faults()
    async with faulty(engine.port, faults) as port, fleet(engine.url, tmp_path, rng, 1, publish_timeout=1.5) as nodes:
        cut = await nodes.add(engine.url.replace(str(engine.port), str(port)))
        crowd = Crowd(nodes)
        lights = crowd.lights(20)
        await crowd.here()
        publishing = [task for node in (cut, cut, *nodes.nodes[:1]) for task in crowd.publish(1, at=node)]
        await crowd.more(50)
        lone, others = crowd.publishers[:2], crowd.publishers[2:]
        for how in rng.sample(("swallowed", "reset"), 2):
            if how == "swallowed":
                faults.flowing.clear()
            else:
                faults.limit = 0
            failing = [one.more(1, "refused", "doubtful") for one in lone]
            await asyncio.gather(*failing, *(one.more(25) for one in others))
            faults.flowing.set()
            faults.limit = None
            await asyncio.gather(*(one.more(10) for one in lone))
        assert _unbroken(lights)
        await crowd.end(publishing)
        assert not any(map(was_told, lights))
        assert {outcome for one in others for outcome in one.outcomes.values()} == {"acknowledged"}


@lasting(60)
async def test_what_replicas_confirmed_survives_a_failover(
    start_redis: Callable[..., engines.Redis], rng: random.Random, tmp_path: Path
) -> None:
    primary = start_redis()
    replicas = [start_redis("--replicaof", "127.0.0.1", str(primary.port)) for _ in range(2)]
    faults = Faults()

    def info(replica: engines.Redis) -> dict[str, Any]:
        with Redis.from_url(replica.url) as redis:
            return dict(redis.info("replication"))

    await until(lambda: all(info(one)["master_link_status"] == "up" for one in replicas), "replicas follow")
    async with faulty(primary.port, faults) as port:
        async with fleet(f"redis://127.0.0.1:{port}", tmp_path, rng, replicas=1) as nodes:
            crowd = Crowd(nodes)
            lights = crowd.lights(20)
            await crowd.here()
            publishing = crowd.publish(6, pace=0.005)
            await crowd.more(100)
            await asyncio.to_thread(primary.kill)
            # As a sentinel would: the one that has the most is promoted, and the other one follows it.
            best, other = sorted(replicas, key=lambda one: int(info(one)["slave_repl_offset"]), reverse=True)
            with Redis.from_url(best.url) as redis:
                redis.replicaof("NO", "ONE")
            with Redis.from_url(other.url) as redis:
                redis.replicaof("127.0.0.1", str(best.port))
            faults.port = best.port
            await crowd.more(100)
            assert _unbroken(lights)
            await crowd.end(publishing)
