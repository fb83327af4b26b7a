"""How a node says that it lives, tells again what was forgotten of it, and buries the nodes that died."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Final, Protocol

from sockspec.runtime.backplane.line import BackplaneError, Line, Record, Registration
from sockspec.runtime.fleet.uplink import Uplink
from sockspec.runtime.options import Options

_log: Final = logging.getLogger("sockspec.server")

_REAPED: Final = 100
"""How many records of a dead node are taken at once, and how many of them are told of at a time."""


class Tenant(Protocol):
    """What a lease needs of its node."""

    uplink: Uplink

    @property
    def options(self) -> Options:
        """What it was told."""
        ...

    def start_soon(self, work: Coroutine[Any, Any, Any], *, farewell: bool = False) -> asyncio.Task[Any]:
        """Run a coroutine for as long as the node lives."""
        ...


class Lease:
    """The lease of one node."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._registration: Registration | None = None
        self._renewed = 0.0
        self._forgotten: bool | None = None
        self._telling: asyncio.Task[Any] | None = None
        self._burying: asyncio.Task[Any] | None = None
        self.on_reaped: Callable[[Record], Coroutine[Any, Any, None]] = _ignore
        """Awaited with each record of a dead node."""
        self.on_forgotten: Callable[[Line, bool], Coroutine[Any, Any, None]] = _forgive
        """Awaited when this node's records are gone: because everything was forgotten, or only what this node had.

        Again when it raises BackplaneError.
        """

    async def renew(self, seconds: float) -> None:
        """Say that this node lives, within so many seconds. What follows from the answer is done beside.

        Raises Unavailable.
        """
        in_vain = 0

        async def work(line: Line) -> Registration:
            nonlocal in_vain
            try:
                return await line.renew(self._tenant.options.lease)
            except BackplaneError as error:
                in_vain += error.doubtful
                raise

        found = await self._tenant.uplink.attempt(work, seconds)
        before, self._registration = self._registration, found
        now = time.monotonic()
        # Where an answer was lost, it may have been the one that said that this node was not known.
        is_late = in_vain > 0 and now - self._renewed > self._tenant.options.lease
        self._renewed = now
        if before is not None and (is_late or not found.known or before.engine != found.engine):
            _log.warning("the backplane has forgotten this node: what it held is told again")
            self._forgotten = bool(self._forgotten) or before.engine != found.engine
        if self._forgotten is not None:
            self._tell_soon()
        # When the engine was away for all, so were the leases of all: the others have their time to renew them.
        is_sure = self._tenant.uplink.up_for >= self._tenant.options.lease
        if found.dead and is_sure and (self._burying is None or self._burying.done()):
            self._burying = self._tenant.start_soon(self._bury(found.dead))

    def distrust(self) -> None:
        """The engine has lost something, perhaps of what this node holds: all of it is told again."""
        if self._forgotten is None:
            _log.warning(
                "the backplane no longer has something that this node may have told it: all of it is told again"
            )
        self._forgotten = True
        self._tell_soon()

    def _tell_soon(self) -> None:
        if self._telling is None or self._telling.done():
            self._telling = self._tenant.start_soon(self._tell_again())

    async def _tell_again(self) -> None:
        while (everything := self._forgotten) is not None:
            self._forgotten = None
            done = False
            try:
                await self._tenant.uplink.attempt(lambda line: self.on_forgotten(line, everything is True))
                done = True
            finally:
                if not done:
                    self._forgotten = everything or bool(self._forgotten)

    async def _bury(self, nodes: Collection[str]) -> None:
        """Take what dead nodes held, and tell of it: some at a time, or there would be more than can be published at once."""
        for node in nodes:
            while records := await self._reaped(node):
                told = [self._tenant.start_soon(self.on_reaped(record)) for record in records]
                # One that takes longer goes on beside.
                await asyncio.wait(told, timeout=self._tenant.options.reply_timeout)

    async def _reaped(self, node: str) -> tuple[Record, ...]:
        return await self._tenant.uplink.attempt(lambda line: line.reap(node, _REAPED), self._tenant.options.lease)


async def _ignore(record: Record) -> None:
    pass


async def _forgive(line: Line, everything: bool) -> None:
    pass
