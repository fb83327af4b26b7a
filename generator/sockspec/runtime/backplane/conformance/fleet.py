"""The nodes of a check, and what they receive."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from sockspec.runtime.backplane.line import Backplane, Entry, History, Line, Position, Registration

SOON: Final = 10.0
"""How long is waited for what has to happen, in seconds."""
BRIEF: Final = 0.4
"""A lease that a check lets lapse, in seconds."""
LONG: Final = 60.0
"""A lease that outlives the check."""
HISTORY: Final = History(size=500, seconds=120.0)
"""More than a check publishes."""


class Inbox:
    """A receiver that keeps what it receives."""

    def __init__(self) -> None:
        self.received: Final[list[tuple[str, str, Entry]]] = []
        self.interruptions = 0
        self.restorations = 0
        self._news = asyncio.Event()

    def receive(self, stream: str, epoch: str, entry: Entry) -> None:
        """One more."""
        self.received.append((stream, epoch, entry))
        self._news.set()

    def interrupted(self) -> None:
        """Count it."""
        self.interruptions += 1
        self._news.set()

    def restored(self) -> None:
        """Count it."""
        self.restorations += 1
        self._news.set()

    def of(self, stream: str) -> list[Entry]:
        """What came of a stream, each entry once, in the order of the stream."""
        found = {entry.offset: entry for name, _, entry in self.received if name == stream}
        return [found[offset] for offset in sorted(found)]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so. It is looked at whenever something comes."""
        async with asyncio.timeout(SOON):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def has(self, stream: str, count: int) -> list[Entry]:
        """Wait for so many entries of a stream."""
        await self.until(lambda: len(self.of(stream)) >= count)
        return self.of(stream)


class Member:
    """A node of a check: its line, and what came over it."""

    def __init__(self, node: str, line: Line, inbox: Inbox) -> None:
        self.node: Final = node
        self.line: Final = line
        self.inbox: Final = inbox

    async def publish(self, stream: str, data: bytes, id: str = "", history: History = HISTORY) -> Position:
        """Publish, by an id of its own where none is given."""
        return await self.line.publish(stream, data, id=id or os.urandom(8).hex(), history=history)

    async def everything(self, stream: str) -> list[Entry]:
        """All that is kept of a stream."""
        (position,) = (await self.line.positions([stream])).values()
        return list((await self.line.read(stream, Position(position.epoch, 0), 100_000)).entries)

    async def finds(self, condition: Callable[[Registration], bool], lease: float = LONG) -> Registration:
        """Say that it lives until it learns what it waits for."""
        async with asyncio.timeout(SOON):
            while not condition(registration := await self.line.renew(lease)):
                await asyncio.sleep(0.02)
        return registration

    async def finds_dead(self, node: str) -> Registration:
        """Wait until a node's lease has lapsed."""
        return await self.finds(lambda registration: node in registration.dead)


class Fleet:
    """The nodes that a check opens. They are closed at its end."""

    def __init__(self, backplane: Backplane) -> None:
        self.backplane: Final = backplane
        self._members: Final[list[Member]] = []

    async def open(self, node: str = "a") -> Member:
        """A node's line."""
        inbox = Inbox()
        member = Member(node, await self.backplane.open(node, inbox), inbox)
        self._members.append(member)
        return member

    async def alive(self, *nodes: str) -> list[Member]:
        """Nodes that are registered for longer than the check takes."""
        members = [await self.open(node) for node in nodes]
        for member in members:
            await member.line.renew(LONG)
        return members

    async def close(self) -> None:
        """Close all lines."""
        for member in self._members:
            await member.line.close()


Check: TypeAlias = Callable[[Fleet], Awaitable[None]]
"""Something that holds for every backplane. Raises AssertionError where it does not."""
Forget: TypeAlias = Callable[[], Awaitable[None]]
"""Makes the engine forget all that the backplane ever told it, as when it is started anew without its data."""


async def run(check: Check, backplane: Backplane) -> None:
    """Run a check over a backplane on which nothing was done before."""
    fleet = Fleet(backplane)
    try:
        await check(fleet)
    finally:
        await fleet.close()


def sentence(check: Callable[..., object]) -> str:
    """The name of a check, for reports."""
    return str(getattr(check, "__name__", check))


def unused() -> str:
    """A text that was not used before, for a prefix."""
    return f"check-{os.urandom(6).hex()}"
