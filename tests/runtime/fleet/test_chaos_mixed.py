"""One thing after the other happens to a fleet, in an order that chance gives."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.runtime.backplane import engines
from tests.runtime.chatting import lasting
from tests.runtime.faulty import Faults, faulty
from tests.runtime.fleet.crowd import Crowd, Light
from tests.runtime.fleet.processes import Fleet, Node, fleet
from tests.runtime.fleet.verdict import was_told

STEPS = int(os.environ.get("SOCKSPEC_CHAOS_STEPS", "6"))
"""How many things happen."""


class Calamities:
    """What can happen to a fleet of which each node reaches the engine through a proxy."""

    def __init__(self, engine: engines.Engine, nodes: Fleet, crowd: Crowd, stack: AsyncExitStack) -> None:
        self._engine = engine
        self._nodes = nodes
        self._crowd = crowd
        self._stack = stack
        self._rng = random.Random(nodes.rng.random())
        self._faults: dict[Node, Faults] = {}
        self.all: tuple[Callable[[], Awaitable[None]], ...] = (
            *(self.clients_are_cut_off, self.a_node_is_killed, self.a_node_is_replaced, self.a_node_holds_still),
            *(self.a_node_is_cut_off, self.the_engine_holds_still, self.the_engine_is_killed),
        )

    async def happen(self) -> None:
        """One of them."""
        happens = self._rng.choice(self.all)
        print(happens.__name__)
        await happens()

    async def add(self) -> Node:
        """Another node."""
        faults = Faults()
        port = await self._stack.enter_async_context(faulty(self._engine.port, faults))
        node = await self._nodes.add(self._nodes.engine.replace(str(self._engine.port), str(port)))
        self._faults[node] = faults
        return node

    def _some_node(self) -> Node:
        return self._rng.choice([node for node in self._nodes.nodes if not node.is_ending])

    async def clients_are_cut_off(self) -> None:
        for one in self._crowd.listeners:
            if isinstance(one, Light) and self._rng.random() < 0.6:
                one.cuts = self._rng.randint(0, 3)
                one.cut()

    async def a_node_is_killed(self) -> None:
        self._some_node().kill()
        await self._crowd.more(10)
        await self.add()

    async def a_node_is_replaced(self) -> None:
        await asyncio.gather(self._some_node().retire(), self.add())

    async def a_node_holds_still(self) -> None:
        node = self._some_node()
        node.pause(True)
        try:
            await asyncio.sleep(self._rng.uniform(0.1, 3))
        finally:
            node.pause(False)

    async def a_node_is_cut_off(self) -> None:
        faults = self._faults[self._some_node()]
        if self._rng.random() < 0.5:
            faults.flowing.clear()
        else:
            faults.limit = self._rng.randrange(500)
        await asyncio.sleep(self._rng.uniform(0.1, 3))
        faults.limit = None
        faults.flowing.set()

    async def the_engine_holds_still(self) -> None:
        self._engine.pause()
        await asyncio.sleep(self._rng.uniform(0.1, 3))
        self._engine.resume()

    async def the_engine_is_killed(self) -> None:
        await asyncio.to_thread(self._engine.kill)
        await asyncio.to_thread(self._engine.start)


@pytest.mark.slow
@lasting(60 + 20 * STEPS)
async def test_whatever_happens_what_was_acknowledged_is_heard_once_and_in_order(
    engine: engines.Engine, rng: random.Random, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack, fleet(engine.url, tmp_path, rng, 0) as nodes:
        crowd = Crowd(nodes)
        calamities = Calamities(engine, nodes, crowd, stack)
        await asyncio.gather(*(calamities.add() for _ in range(3)))
        crowd.lights(20)
        crowd.lights(6, "?tag=present", start="member")
        crowd.generated(2)
        await crowd.here()
        publishing = crowd.publish(4)
        for _ in range(STEPS):
            await calamities.happen()
            await crowd.more(20)
            await crowd.here()
        await crowd.end(publishing)
        assert not any(map(was_told, crowd.listeners))
