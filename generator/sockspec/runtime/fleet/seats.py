"""Limits that hold on all nodes together: how many connections a principal has, and how many messages they send."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Final

from sockspec.runtime.backplane.line import Line, Placed
from sockspec.runtime.fleet.hub import Hub
from sockspec.runtime.fleet.uplink import Unavailable
from sockspec.runtime.turnstile import Bucket

_SHARE: Final = 8
"""The part of a bucket that a node takes at once, so that it does not ask for each message."""
_PATIENCE: Final = 1.0
"""How long a message waits for the backplane to say whether there were too many, in seconds."""


class Seats:
    """The places that this node's connections have taken from the limits of their principals."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._held: dict[str, str] = {}

    async def claim(self, scope: str, principal: str, most: int) -> str | None:
        """Take a place, to be given back by its name; None when there is none.

        While the backplane does not answer there is always one: each node then counts its own connections alone.
        """
        name, table = os.urandom(8).hex(), f"seats {scope} {principal}"
        await self._hub.start()
        try:
            placed = await self._hub.uplink.attempt(
                lambda line: line.place(table, name, b"", most=most), self._hub.options.publish_timeout
            )
        except Unavailable:
            placed = Placed.NEW
        if placed is Placed.FULL:
            return None
        self._held[name] = table
        return name

    def release(self, name: str) -> None:
        """Give a place back."""
        table = self._held.pop(name, None)
        if table is not None:
            self._hub.start_soon(self._drop(table, name), farewell=True)

    async def _drop(self, table: str, name: str) -> None:
        await self._hub.uplink.attempt(lambda line: line.drop(table, name), self._hub.options.lease)

    async def tell_again(self, line: Line) -> None:
        """The backplane has forgotten this node's places. Raises BackplaneError."""
        for name, table in tuple(self._held.items()):
            await line.place(table, name, b"")


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
        return await self._hub.uplink.attempt(
            lambda line: line.take(self._name, amount, rate=self._rate, burst=self._burst), _PATIENCE
        )
