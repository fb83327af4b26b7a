"""A bounded queue of what was received."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, Generic, TypeVar

from sockspec.runtime.policy import Overflow

T = TypeVar("T")

STRETCH: Final = 16
"""How many times its limit an inbox takes while somebody waits for a reply that comes behind what it holds."""


class Ended(Exception):
    """Nothing more will come."""


class InboxFull(Exception):
    """More was received than the application takes, and the policy is `fail`."""


class Inbox(Generic[T]):
    """A bounded queue. Until somebody takes from it, a full one forgets its oldest items; then the policy holds."""

    def __init__(self, limit: int, overflow: Overflow = "pause") -> None:
        self.taken_from = False
        self.dropped = 0
        """How many items were forgotten."""
        self._limit = max(1, limit)
        self._overflow = overflow
        self._stretched = False
        self._items: deque[T] = deque()
        self._ended = False
        self._error: Exception | None = None
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    async def put(self, item: T) -> None:
        """Add an item. Raises InboxFull by policy."""
        if self.taken_from and self._overflow == "pause":
            while len(self._items) >= self._room and not self._ended:
                await self._changed.wait()
        elif len(self._items) >= self._limit:
            if self.taken_from and self._overflow == "fail":
                raise InboxFull(f"{self._limit} messages wait, and are not taken fast enough")
            self._items.popleft()
            self.dropped += 1
        self._items.append(item)
        self._notify()

    def push(self, item: T) -> None:
        """Add an item whatever the limit, without waiting."""
        self._items.append(item)
        self._notify()

    async def take(self) -> T:
        """The next item, after waiting for it. Raises the error that the inbox ended with, or Ended."""
        self.taken_from = True
        while not self._items:
            if self._ended:
                raise self._error or Ended
            await self._changed.wait()
        item = self._items.popleft()
        self._notify()
        return item

    def stretch(self, wanted: bool) -> None:
        """Take more than the limit for a while, or no longer."""
        self._stretched = wanted
        self._notify()

    def end(self, error: Exception | None = None) -> None:
        """Nothing more will come: what is there can be taken, then the error is raised. Only the first end counts."""
        if self._ended:
            return
        self._ended = True
        self._error = error
        self._notify()

    @property
    def _room(self) -> int:
        return self._limit * (STRETCH if self._stretched else 1)

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
