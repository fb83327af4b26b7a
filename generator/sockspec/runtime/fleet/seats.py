"""Limits that hold on all nodes together: how many connections a principal has, and how many messages they send."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from sockspec.runtime.backplane.line import Line, Placed
from sockspec.runtime.fleet.hub import Hub
from sockspec.runtime.fleet.uplink import Unavailable
from sockspec.runtime.turnstile import Bucket

_SHARE: Final = 8
"""The part of a bucket that a node takes at once, so that it does not ask for each message."""
_PATIENCE: Final = 1.0
"""How long somebody waits for the backplane to say whether there are too many, in seconds."""
_AT_ONCE: Final = 200
"""How many places are told of at a time."""


class Seats:
    """The places that this node's connections have taken from the limits of their principals."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._held: dict[str, str] = {}
        self._unsure: set[str] = set()
        """Those of which nobody else knows, perhaps."""
        self._owed: dict[str, str] = {}
        """Those that were given back while the backplane did not answer."""
        self._doubtful: set[str] = set()
        """Those that were asked for without an answer: they may be taken later than they are given back."""

    async def claim(self, scope: str, principal: str, most: int) -> str | None:
        """Take a place, to be given back by its name; None when there is none.

        While the backplane does not answer there is always one: each node then counts its own connections alone.
        """
        name, table = os.urandom(8).hex(), f"seats {scope} {principal}"
        await self._hub.start()
        self._held[name] = table
        # Nobody waits long for it; but it is not broken off, or what comes late would be there for ever.
        placing = self._hub.start_soon(self._take(name, table, most))
        try:
            patience = min(_PATIENCE, self._hub.options.publish_timeout)
            placed = await asyncio.wait_for(asyncio.shield(placing), patience)
        except (TimeoutError, Unavailable):
            self._unsure.add(name)
            return name
        except BaseException:
            self.release(name)
            raise
        if placed is Placed.FULL:
            if name in self._doubtful:  # an attempt before may have taken it, or may yet
                self.release(name)
            else:
                del self._held[name]
            return None
        return name

    async def _take(self, name: str, table: str, most: int) -> Placed:
        seconds = self._hub.options.publish_timeout
        return await self._hub.uplink.ask(lambda line: self._place_at(line, name, table, most), seconds)

    async def _place_at(self, line: Line, name: str, table: str, most: int | None = None) -> Placed:
        answered = False
        try:
            placed = await line.place(table, name, b"", most=most)
            answered = True
            return placed
        finally:
            if not answered:
                self._doubtful.add(name)
            if name not in self._held:
                # It was given back while it was being taken, perhaps before there was anything to give.
                self._owed[name] = table
                self._hub.start_soon(self._give_back(name), farewell=True)

    def release(self, name: str) -> None:
        """Give a place back."""
        self._unsure.discard(name)
        table = self._held.pop(name, None)
        if table is not None:
            self._owed[name] = table
            if self._hub.uplink.is_up:
                self._hub.start_soon(self._give_back(name), farewell=True)

    async def _give_back(self, name: str) -> None:
        await self._hub.uplink.attempt(lambda line: self._drop(line, name), self._hub.options.lease)

    async def _drop(self, line: Line, name: str) -> None:
        if (table := self._owed.get(name)) is not None:
            await line.drop(table, name)
            self._owed.pop(name, None)
            if name in self._doubtful:
                self._doubtful.discard(name)
                self._hub.start_soon(self._drop_again(name, table))

    async def _drop_again(self, name: str, table: str) -> None:
        """Give a place back once more, when nothing can be on its way any longer."""
        await asyncio.sleep(self._hub.options.lease)
        self._owed[name] = table
        await self._give_back(name)

    async def tell_again(self, line: Line) -> None:
        """The backplane has forgotten this node's places. Raises BackplaneError."""
        self._unsure.update(self._held)
        await self.tell_unsure(line)

    async def tell_unsure(self, line: Line) -> None:
        """Tell of what was taken and given back while the backplane did not answer. Raises BackplaneError."""
        await _each(self._owed, lambda name: self._drop(line, name))
        await _each(self._unsure, lambda name: self._place(line, name))

    async def _place(self, line: Line, name: str) -> None:
        if (table := self._held.get(name)) is not None:
            await self._place_at(line, name, table)
        self._unsure.discard(name)


async def _each(names: Collection[str], work: Callable[[str], Awaitable[None]]) -> None:
    """Do something for each of the names, some at a time, until there are none. Raises what it raises."""
    while some := tuple(itertools.islice(names, _AT_ONCE)):
        for failed in await asyncio.gather(*map(work, some), return_exceptions=True):
            if failed is not None:
                raise failed


class SharedRate:
    """How many messages one principal may send on all nodes together."""

    def __init__(self, hub: Hub, name: str, rate: float, burst: int) -> None:
        self._hub = hub
        self._name = name
        self._rate = rate
        self._burst = burst
        self._taken = 0
        self._taking = asyncio.Lock()
        self._alone = Bucket(rate, burst, time.monotonic())
        self.wait = 0.0
        """The seconds until there may be another one, when there were too many."""

    async def take(self) -> bool:
        """Count a message; False when there were too many. Without an answer this node's messages count alone."""
        async with self._taking:
            if self._taken > 0:
                self._taken -= 1
                return True
            share = max(1, self._burst // _SHARE)
            try:
                self.wait = await self._draw(share) if share > 1 else 1.0
                if self.wait == 0.0:
                    self._taken = share - 1
                    return True
                self.wait = await self._draw(1)
            except Unavailable:
                taken = self._alone.take(time.monotonic())
                self.wait = 0.0 if taken else self._alone.wait
            return self.wait == 0.0

    async def _draw(self, amount: int) -> float:
        return await self._hub.uplink.ask(
            lambda line: line.take(self._name, amount, rate=self._rate, burst=self._burst), _PATIENCE
        )
