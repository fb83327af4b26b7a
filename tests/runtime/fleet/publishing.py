"""Those who publish to a fleet, and note what became of each message."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from contextlib import AsyncExitStack, suppress
from typing import Final, Literal

from tests.runtime.fleet.processes import Desk, Fleet, Lost, Node, Said, until

Outcome = Literal["acknowledged", "refused", "doubtful"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("acknowledged", "refused", "doubtful")


class Publisher:
    """Hands in one message after the other, and notes what became of each."""

    def __init__(self, fleet: Fleet, name: str, room: str, *, at: Node | None = None) -> None:
        """`at` is where it is connected; without, it is wherever the turn takes it, and elsewhere when that node ends."""
        self.name = name
        self.outcomes: dict[str, Outcome] = {}
        self._fleet = fleet
        self._room = room
        self._at = at
        self._number = 0
        self._stops = asyncio.Event()
        self._found: Desk | None = None
        self._stack = AsyncExitStack()
        self._rng = random.Random(fleet.rng.random())

    async def run(self, pace: float = 0.01) -> None:
        """Publish until `stop`, and pause for about so many seconds after each message."""
        while not self._stops.is_set() and not (self._at and self._at.is_ending):
            await self.publish()
            await asyncio.sleep(self._rng.uniform(0, 2 * pace))
        await self.leave()

    async def publish(self) -> None:
        """Publish once."""
        desk = await self._desk()
        if desk is None:
            return
        self._number += 1
        text = f"{self.name}-{self._number}"
        self.outcomes[text] = "doubtful"
        try:
            self.outcomes[text] = _outcome(await desk.ask(self._room, text))
        except Lost:
            await self.leave()

    async def _desk(self) -> Desk | None:
        while self._found is None:
            node = self._at or self._fleet.next()
            if node is not None and not node.is_ending:
                with suppress(Lost):
                    self._found = await self._stack.enter_async_context(node.desk(self.name))
                    return self._found
            if self._at is not None and self._at.is_ending:
                return None
            await asyncio.sleep(0.05)
        return self._found

    async def leave(self) -> None:
        """Leave the desk."""
        self._found = None
        await self._stack.aclose()

    async def more(self, wanted: int, *outcomes: Outcome) -> None:
        """Wait until that became of so many more of its messages."""
        await more([self], wanted, *outcomes)

    def stop(self) -> None:
        """Publish no more."""
        self._stops.set()


def _outcome(said: Said) -> Outcome:
    for outcome in OUTCOMES:
        if said.room == outcome:
            return outcome
    raise AssertionError(said)


def count(publishers: Iterable[Publisher], *outcomes: Outcome) -> int:
    """Of how many messages that became: that they were acknowledged, if nothing else is said."""
    wanted = outcomes or ("acknowledged",)
    return sum(outcome in wanted for one in publishers for outcome in one.outcomes.values())


async def more(publishers: Iterable[Publisher], wanted: int, *outcomes: Outcome) -> None:
    """Wait until that became of so many more messages."""
    whose = tuple(publishers)
    top = count(whose, *outcomes) + wanted
    await until(
        lambda: count(whose, *outcomes) >= top, f"of {wanted} more messages it is said: {outcomes or 'all is well'}"
    )


async def say(fleet: Fleet, room: str, text: str) -> str:
    """Publish something until it is acknowledged; the text of the one that was."""
    for attempt in range(1000):
        node = fleet.next()
        assert node is not None
        try:
            async with node.desk() as desk:
                if (await desk.ask(room, f"{text}.{attempt}")).room == "acknowledged":
                    return f"{text}.{attempt}"
        except Lost:
            await asyncio.sleep(0.05)
    raise AssertionError("nothing can be published any more")
