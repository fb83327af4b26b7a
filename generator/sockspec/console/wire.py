"""A client's connections with every frame that passes, both ways, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from sockspec.console.target import Target
from sockspec.runtime.backoff import Ending
from sockspec.runtime.client import Client
from sockspec.runtime.codec import Codec
from sockspec.runtime.filled import now
from sockspec.runtime.link import ConnectionLost, State
from sockspec.runtime.options import ClientOptions
from sockspec.runtime.transport import ClientTransport, ConnectionClosed

Side: TypeAlias = Literal["client", "server"]
_WAITING: Final = 256
"""How many events may wait to be taken; then nothing is read from the network."""


@dataclass(frozen=True, slots=True)
class Opened:
    """There is a connection."""

    at: datetime = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class Passed:
    """A frame was received, or is about to be sent."""

    sender: Side
    frame: str | bytes
    at: datetime = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection has ended."""

    ending: Ending
    at: datetime = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The connection was lost, and will be tried again."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt to connect again has failed."""

    ending: Ending


@dataclass(frozen=True, slots=True)
class GaveUp:
    """There will be no further attempt."""


@dataclass(frozen=True, slots=True)
class AllSent:
    """Whoever sends has nothing more to send."""


Event: TypeAlias = Opened | Passed | Closed | Waiting | Failed | GaveUp | AllSent


class Unreachable(ConnectionError):
    """There is no connection, and there was none; says why."""


class Wire:
    """A client of the runtime whose frames can be watched. Iterate over it for what happens."""

    def __init__(
        self,
        target: Target,
        *,
        incoming: Codec[Any],
        outgoing: Codec[Any],
        reconnects: bool,
        options: ClientOptions | None = None,
    ) -> None:
        """Raises ValueError for a target that cannot be, and InsecureTransport for a token in clear text."""
        self._client: Client[Any, Any] = Client(
            target.url,
            path=target.path,
            path_parameters=target.path_parameters,
            variables=target.variables,
            query=target.query,
            headers=target.headers,
            incoming=incoming,
            outgoing=outgoing,
            token=target.token,
            subprotocols=target.subprotocols,
            options=replace(options or ClientOptions(), resume=False),  # shown is what an API sends, and nothing else
        )
        self._client.dial_by(self._dial)
        self._client.on_state(self._moved)
        self._reconnects = reconnects
        self._events: asyncio.Queue[Event | None] = asyncio.Queue(_WAITING)
        self._transport: _Tapped | None = None
        self._failure = Ending(reason="not connected")
        self._closing = False

    @property
    def url(self) -> str:
        """The whole URL, its query included."""
        return self._client.url

    @property
    def is_open(self) -> bool:
        """Whether frames can be sent."""
        return self._transport is not None and self._transport.is_open

    async def open(self) -> None:
        """Connect, in one attempt. Raises Unreachable."""
        try:
            await self._client.connect()
        except ConnectionLost as lost:
            reason = self._failure.reason or lost.reason or str(lost)
            raise Unreachable(reason) from None

    async def send(self, frame: str | bytes) -> None:
        """Send a frame on the present connection. Raises ConnectionClosed when there is none."""
        if self._transport is None or not self._transport.is_open:
            raise ConnectionClosed(reason="not connected")
        transport = self._transport
        try:
            async with asyncio.timeout(self._client.options.send_timeout):
                await transport.send(frame)
        except TimeoutError:
            transport.abort()  # half of the message may be out
            raise ConnectionClosed(reason="the server does not read") from None

    async def post(self, event: Event) -> None:
        """Put something between the events, in its order."""
        await self._events.put(event)

    async def close(self, code: int = 1000) -> None:
        """Close the connection for good; the iteration ends with what was left. Somebody has to iterate meanwhile."""
        self._closing = True
        transport = self._transport
        if transport is not None:
            await transport.close(code)
        await self._client.close()
        if transport is not None and not transport.has_ended:
            await self._events.put(Closed(Ending(code)))
        await self._events.put(None)

    def __aiter__(self) -> Wire:
        return self

    async def __anext__(self) -> Event:
        """The next event; ends when the connection was closed for good."""
        event = await self._events.get()
        if event is None:
            raise StopAsyncIteration
        return event

    async def _dial(
        self, url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], options: ClientOptions
    ) -> ClientTransport | Ending:
        from sockspec.runtime.dial import dial  # the network library is not needed for --help

        is_first = self._transport is None
        if not is_first and not self._reconnects:
            return Ending(reason="not to be connected again", hopeless=True)
        opened = await dial(url, headers=headers, subprotocols=subprotocols, options=options)
        if isinstance(opened, Ending):
            self._failure = opened
            if is_first:  # who types an address wants to know at once that nobody is there
                return replace(opened, hopeless=True)
            await self._events.put(Failed(opened))
            return opened
        self._transport = _Tapped(opened, self._events)
        await self._events.put(Opened())
        return self._transport

    async def _moved(self, state: State) -> None:
        if self._transport is None or self._closing:
            return
        if state is State.WAITING and self._reconnects:
            await self._events.put(Waiting())
        elif state is State.CLOSED:
            await self._events.put(GaveUp())


class _Tapped:
    """A client's transport that tells what passes."""

    def __init__(self, inner: ClientTransport, events: asyncio.Queue[Event | None]) -> None:
        self.has_ended = False
        self.resumes = inner.resumes
        self._inner = inner
        self._events = events

    @property
    def is_open(self) -> bool:
        return self._inner.is_open

    async def receive(self) -> str | bytes:
        try:
            frame = await self._inner.receive()
        except ConnectionClosed as closed:
            self.has_ended = True
            await self._events.put(Closed(Ending(closed.code, closed.reason)))
            raise
        await self._events.put(Passed("server", frame))
        return frame

    async def send(self, frame: str | bytes) -> None:
        # Told before it is sent, so that no answer can come before it.
        await self._events.put(Passed("client", frame))
        await self._inner.send(frame)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._inner.close(code, reason)

    def abort(self) -> None:
        self._inner.abort()

    async def keep_alive(self, interval: float, timeout: float) -> None:
        await self._inner.keep_alive(interval, timeout)
