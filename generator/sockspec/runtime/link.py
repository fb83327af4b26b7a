"""A client's connection that comes back: open, receive, and after the end wait and open again."""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from typing import Any, Final

from sockspec.runtime.backoff import Ending, Reconnection
from sockspec.runtime.options import ClientOptions
from sockspec.runtime.problems import Problem
from sockspec.runtime.transport import ClientTransport, ConnectionClosed

_log: Final = logging.getLogger("sockspec.client")

_hooking: ContextVar[Link | None] = ContextVar("hooking", default=None)
"""The link whose new connection is being prepared, in the code that prepares it."""


class State(enum.Enum):
    """Where a client stands."""

    NEW = "new"
    CONNECTING = "connecting"
    OPEN = "open"
    """Connected, and what prepares a connection has been done."""
    WAITING = "waiting"
    """Between two attempts to connect."""
    CLOSED = "closed"
    """For good; `Client.ending` says why."""


class ConnectionLost(ConnectionError):
    """The connection ended, and what was asked for can no longer come."""

    def __init__(self, ending: Ending, *, doubtful: bool = False) -> None:
        why = f": {ending.reason}" if ending.reason else ""
        super().__init__(f"connection lost with code {ending.code}{why}")
        self.code = ending.code
        """The close code; 1006 when the connection broke off or could not be opened."""
        self.reason = ending.reason
        self.status = ending.status
        """The HTTP status of a handshake that was refused; None otherwise."""
        self.problem = ending.problem
        """What the server said before, or when it refused the handshake; None when it said nothing."""
        self.doubtful = doubtful
        """Of a message that was being sent: whether it may have arrived all the same. Else it was not sent."""


class Link:
    """Keeps a connection open, as far as the server and the options allow."""

    def __init__(
        self,
        open: Callable[[], Awaitable[ClientTransport | Ending]],
        *,
        receive: Callable[[str | bytes, ClientTransport], Awaitable[None]],
        prepare: Callable[[ClientTransport], Awaitable[None]],
        watch: Callable[[ClientTransport], Coroutine[Any, Any, None]],
        changed: Callable[[State], None],
        lost: Callable[[Ending], None],
        reconnection: Reconnection,
        options: ClientOptions,
    ) -> None:
        """`open` makes an attempt; `receive` gets each frame, `changed` each state, `lost` each end of a connection.

        `prepare` is awaited when a connection is open, before anything that waited for it is sent; `watch` runs as long
        as the connection is open.
        """
        self.state = State.NEW
        self.told: Problem | None = None
        """The latest problem that the server told on this connection; it may say why the connection ends."""
        self.ending = Ending(reason="not connected")
        """How the latest connection or attempt ended."""
        self._open = open
        self._receive = receive
        self._prepare = prepare
        self._watch = watch
        self._on_change = changed
        self._on_loss = lost
        self._reconnection = reconnection
        self._options = options
        self._transport: ClientTransport | None = None
        self._is_prepared = False
        self._was_prepared = False
        self._changed = asyncio.Event()

    @property
    def in_hook(self) -> bool:
        """Whether this is called by what prepares the new connection."""
        return _hooking.get() is self

    @property
    def is_open(self) -> bool:
        """Whether something can be sent at once."""
        return self._transport is not None and self._transport.is_open and (self._is_prepared or self.in_hook)

    @property
    def is_closed(self) -> bool:
        """Whether there will be no connection any more."""
        return self.state is State.CLOSED

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
        while not self._was_prepared:
            if self.state is State.CLOSED:
                raise ConnectionLost(self.ending)
            await self._changed.wait()

    async def transport(self) -> ClientTransport:
        """The open connection, after waiting for it. Raises ConnectionLost when none will come."""
        while not self.is_open:
            if self.state is State.CLOSED:
                raise ConnectionLost(self.ending)
            if self.in_hook:
                raise ConnectionLost(Ending(reason="the connection ended while it was prepared"))
            await self._changed.wait()
        assert self._transport is not None
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
        self.told = None
        self._transport = opened
        tasks = [
            asyncio.create_task(opened.keep_alive(options.ping_interval, options.ping_timeout)),
            asyncio.create_task(self._make_ready(opened)),
        ]
        try:
            while True:
                await self._receive(await opened.receive(), opened)
        except ConnectionClosed as closed:
            return Ending(closed.code, closed.reason, self.told, uptime=loop.time() - start)
        except Exception:
            await opened.close(1000)
            raise
        finally:
            for task in tasks:
                task.cancel()
            self._transport = None
            self._is_prepared = False
            if opened.is_open:
                opened.abort()

    async def _make_ready(self, opened: ClientTransport) -> None:
        """Prepare the connection, let others send, and watch over it."""
        token = _hooking.set(self)
        try:
            await self._prepare(opened)
        except Exception as error:
            # Its text may hold what was sent.
            _log.warning("a connection is given up: preparing it failed with %s", type(error).__name__)
            opened.abort()
            return
        finally:
            _hooking.reset(token)
        self._is_prepared = self._was_prepared = True
        self._enter(State.OPEN)
        await self._watch(opened)

    def _enter(self, state: State) -> None:
        self.state = state
        self._notify()
        self._on_change(state)

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
