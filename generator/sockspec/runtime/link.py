"""A client's connection that comes back: open, receive, and after the end wait and open again."""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from sockspec.runtime.backoff import Ending, Reconnection
from sockspec.runtime.options import ClientOptions
from sockspec.runtime.problems import Problem
from sockspec.runtime.transport import ClientTransport, ConnectionClosed

_log: Final = logging.getLogger("sockspec.client")


class State(enum.Enum):
    """Where a client stands."""

    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"
    """Between two attempts to connect."""
    CLOSED = "closed"


class ConnectionLost(ConnectionError):
    """The connection ended, and what was asked for can no longer come."""

    def __init__(self, ending: Ending) -> None:
        why = f": {ending.reason}" if ending.reason else ""
        super().__init__(f"connection lost with code {ending.code}{why}")
        self.code = ending.code
        """The close code; 1006 when the connection broke off or could not be opened."""
        self.reason = ending.reason
        self.status = ending.status
        """The HTTP status of a handshake that was refused; None otherwise."""
        self.problem = ending.problem
        """What the server said before, or when it refused the handshake; None when it said nothing."""


class Link:
    """Keeps a connection open, as far as the server and the options allow."""

    def __init__(
        self,
        open: Callable[[], Awaitable[ClientTransport | Ending]],
        *,
        receive: Callable[[str | bytes], Awaitable[None]],
        changed: Callable[[State], None],
        lost: Callable[[Ending], None],
        reconnection: Reconnection,
        options: ClientOptions,
    ) -> None:
        """`open` makes an attempt; `receive` gets each frame, `changed` each state, `lost` each end of a connection."""
        self.state = State.NEW
        self.told: Problem | None = None
        """The latest problem that the server told on this connection; it may say why the connection ends."""
        self.ending = Ending(reason="not connected")
        """How the latest connection or attempt ended."""
        self._open = open
        self._receive = receive
        self._on_change = changed
        self._on_loss = lost
        self._reconnection = reconnection
        self._options = options
        self._transport: ClientTransport | None = None
        self._was_connected = False
        self._changed = asyncio.Event()

    async def run(self) -> Ending:
        """Stay connected until the connection has ended for good; says how it did."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                self._enter(State.CONNECTING)
                self._reconnection.attempted(loop.time())
                self.ending = await self._live()
                self._on_loss(self.ending)
                delay = self._reconnection.after(self.ending, loop.time())
                if delay is None:
                    return self.ending
                _log.info("not connected (%d %s); next attempt in %.2f s", self.ending.code, self.ending.reason, delay)
                self._enter(State.WAITING)
                await asyncio.sleep(delay)
        finally:
            self._enter(State.CLOSED)

    async def first_connection(self) -> None:
        """Wait until there is a connection or has been one. Raises ConnectionLost when none will come."""
        while not self._was_connected:
            if self.state is State.CLOSED:
                raise ConnectionLost(self.ending)
            await self._changed.wait()

    async def transport(self) -> ClientTransport:
        """The open connection, after waiting for it. Raises ConnectionLost when none will come."""
        while self._transport is None or not self._transport.is_open:
            if self.state is State.CLOSED:
                raise ConnectionLost(self.ending)
            await self._changed.wait()
        return self._transport

    async def close(self) -> None:
        """Close the present connection with code 1000."""
        if self._transport is not None:
            await self._transport.close(1000)

    async def _live(self) -> Ending:
        opened = await self._open()
        if isinstance(opened, Ending):
            return opened
        loop, options = asyncio.get_running_loop(), self._options
        start = loop.time()
        keep_alive = asyncio.create_task(opened.keep_alive(options.ping_interval, options.ping_timeout))
        self.told = None
        self._transport = opened
        self._was_connected = True
        self._enter(State.CONNECTED)
        try:
            while True:
                await self._receive(await opened.receive())
        except ConnectionClosed as closed:
            return Ending(closed.code, closed.reason, self.told, uptime=loop.time() - start)
        finally:
            keep_alive.cancel()
            self._transport = None
            if opened.is_open:
                opened.abort()

    def _enter(self, state: State) -> None:
        self.state = state
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        self._on_change(state)
