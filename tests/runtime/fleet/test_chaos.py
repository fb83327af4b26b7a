"""Fleets of real processes on real engines: nodes that are killed and replaced, clients that come back all at once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from sockspec.runtime import Recovery
from tests.runtime.backplane import engines
from tests.runtime.chatting import lasting
from tests.runtime.fleet.crowd import Crowd
from tests.runtime.fleet.processes import fleet, until
from tests.runtime.fleet.publishing import Publisher
from tests.runtime.fleet.verdict import was_told


@lasting(60)
async def test_everybody_hears_everything_once_and_in_the_same_order(
    engine: engines.Engine, rng: random.Random, tmp_path: Path
) -> None:
    async with fleet(engine.url, tmp_path, rng, 3) as nodes:
        crowd = Crowd(nodes)
        crowd.lights(27)
        crowd.generated(3)
        await crowd.here()
        publishing = crowd.publish(6, pace=0.005)
        await crowd.more(200)
        await crowd.end(publishing)
        assert {outcome for one in crowd.publishers for outcome in one.outcomes.values()} == {"acknowledged"}


@pytest.mark.slow
@lasting(150)
async def test_a_thousand_clients_that_come_back_at_once_miss_nothing(
    engine: engines.Engine, rng: random.Random, tmp_path: Path
) -> None:
    # A machine that is busy may need longer for all of them than for one.
    async with fleet(engine.url, tmp_path, rng, 2, publish_timeout=15, lease=3) as nodes:
        crowd = Crowd(nodes)
        lights = crowd.lights(1000)
        await crowd.here(60)
        publishers = [Publisher(nodes, f"p{number}", crowd.room) for number in range(4)]
        crowd.publishers += publishers

        async def publish(after: int) -> None:
            """One message from each, as soon as so many clients are back."""
            await until(lambda: sum(light.is_here for light in lights) >= after, f"{after} clients are there", 60)
            await asyncio.gather(*(one.publish() for one in publishers))

        await publish(1000)
        nodes.nodes[0].kill()
        for light in lights:
            light.cut()
        for after in range(0, 1001, 100):
            await publish(after)
        await crowd.end(())
        assert {light.losses for light in lights} == {1}
        assert {tuple(light.recoveries) for light in lights} == {(Recovery(resumed=True, recovered=True),)}


@lasting(60)
async def test_who_was_away_for_longer_than_the_history_reaches_is_told(
    engine: engines.Engine, rng: random.Random, tmp_path: Path
) -> None:
    async with fleet(engine.url, tmp_path, rng, 2, history=20) as nodes:
        crowd = Crowd(nodes)
        lights = crowd.lights(10)
        late = lights[: rng.randint(2, 4)]
        await crowd.here()
        publishing = crowd.publish(2, pace=0.002)
        await crowd.more(20)
        for light in late:
            light.may_come.clear()
            light.cut()
        await crowd.more(700)  # more than a node remembers, too
        for light in late:
            light.may_come.set()
        await crowd.here()
        await crowd.more(20)
        await crowd.end(publishing)
        told = {light.name: light.recoveries for light in lights}
        assert told == {light.name: [Recovery(True, False)] if light in late else [] for light in lights}


@lasting(60)
async def test_nothing_is_lost_when_a_node_is_killed_under_load(
    engine: engines.Engine, rng: random.Random, tmp_path: Path
) -> None:
    async with fleet(engine.url, tmp_path, rng, 2) as nodes:
        crowd = Crowd(nodes)
        crowd.lights(27)
        crowd.generated(3)
        await crowd.here()
        victim = rng.choice(nodes.nodes)
        publishing = [*crowd.publish(4), *crowd.publish(2, at=victim, pace=0.001)]
        await crowd.more(100)
        victim.kill()
        await crowd.more(50)
        await crowd.here()
        await nodes.add()
        await crowd.more(50)
        await crowd.end(publishing)
        assert not any(map(was_told, crowd.listeners))


@pytest.mark.slow
@lasting(90)
async def test_a_fleet_is_replaced_under_load_node_by_node(
    engine: engines.Engine, rng: random.Random, tmp_path: Path
) -> None:
    async with fleet(engine.url, tmp_path, rng, 2) as nodes:
        crowd = Crowd(nodes)
        lights = crowd.lights(40)
        crowd.generated(5)
        await crowd.here()
        publishing = crowd.publish(4)
        for node in tuple(nodes.nodes):
            await crowd.more(30)
            await asyncio.gather(node.retire(), nodes.add())
            await crowd.here()
        await crowd.more(30)
        await crowd.end(publishing)
        assert all(light.losses for light in lights)
        assert all(recovery == Recovery(True, True) for one in crowd.listeners for recovery in one.recoveries)


@lasting(60)
async def test_who_is_cut_off_again_and_again_on_the_way_back_misses_nothing(
    engine: engines.Engine, rng: random.Random, tmp_path: Path
) -> None:
    async with fleet(engine.url, tmp_path, rng, 2) as nodes:
        crowd = Crowd(nodes)
        lights = crowd.lights(20)
        await crowd.here()
        publishing = crowd.publish(3, pace=0.003)
        for light in lights:
            light.may_come.clear()
            light.cut()
        await crowd.more(400)  # more than what is remembered by a node, and more than what is read from history at once
        for light in lights:
            light.cuts = rng.randint(3, 6)
            light.may_come.set()
        await crowd.here()
        await crowd.more(20)
        await crowd.end(publishing)
        assert all(light.losses >= 4 for light in lights)
        assert not any(map(was_told, lights))


@lasting(60)
async def test_a_node_that_was_taken_for_dead_goes_on(
    engine: engines.Engine, rng: random.Random, tmp_path: Path
) -> None:
    async with fleet(engine.url, tmp_path, rng, 2) as nodes:
        crowd = Crowd(nodes)
        watchers = crowd.lights(4)
        await crowd.here()
        members = crowd.lights(8, "?tag=present", start="member")
        await crowd.here()
        still, other = rng.sample(nodes.nodes, 2)
        publishing = crowd.publish(2, at=other)
        theirs = [light for light in members if light.node is still]
        hearing = [light for light in watchers if light.node is other]
        still.pause(True)
        try:
            left = {f"left {light.name}" for light in theirs}
            await until(lambda: all(left <= set(light.heard) for light in hearing), "its members are given up")
        finally:
            still.pause(False)
        back = {f"joined {light.name}" for light in theirs}
        await until(
            lambda: all(Counter(one.heard)[text] == 2 for one in hearing for text in back), "they are there again"
        )
        await crowd.more(20)
        await crowd.end(publishing)
        assert not any(was_told(light) or light.losses > 1 for light in (*watchers, *members))
