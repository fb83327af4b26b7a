"""What a client sends: in order, and by a policy for the time in which there is no connection."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from sockspec.runtime.backoff import Ending
from sockspec.runtime.link import ConnectionLost, Link
from sockspec.runtime.options import ClientOptions
from sockspec.runtime.transport import ClientTransport, ConnectionClosed

Out = TypeVar("Out")


class NotConnected(ConnectionLost):
    """There is no connection just now, and the policy `raise` waits for none. Nothing was sent."""


class QueueFull(ConnectionLost):
    """As many messages wait for a connection as may. This one was not taken."""


class SendTimeout(TimeoutError):
    """A message could not be sent in time."""

    def __init__(self, seconds: float, *, doubtful: bool) -> None:
        super().__init__(f"could not send within {seconds:g} s")
        self.doubtful: Final = doubtful
        """Whether a part of it was written, so that it may have arrived. Else it was not sent."""


@dataclass(frozen=True, slots=True)
class Unsent(Generic[Out]):
    """A message that was queued and is handed back."""

    message: Out
    doubtful: bool = False
    """Whether it was being written when the connection broke, so that it may have arrived. Else it was not sent."""


def _nothing() -> None: ...


@dataclass(slots=True, eq=False)
class _Queued(Generic[Out]):
    message: Out
    frame: str | bytes
    before: Callable[[], None] = _nothing
    """What is done just before it is written."""
    done: asyncio.Future[None] | None = None
    """Set once it was written, for whoever waits for that."""


@dataclass(slots=True)
class _Queue(Generic[Out]):
    waiting: deque[_Queued[Out]] = field(default_factory=deque[_Queued[Out]])
    unsent: list[Unsent[Out]] = field(default_factory=list[Unsent[Out]])
    grown: asyncio.Event = field(default_factory=asyncio.Event)
    shrunk: asyncio.Event = field(default_factory=asyncio.Event)


class Outgoing(Generic[Out]):
    """Sends one message at a time. Nothing is ever sent twice."""

    def __init__(self, link: Link, options: ClientOptions) -> None:
        self._link = link
        self._options = options
        self._sending = asyncio.Lock()
        self._queue: _Queue[Out] = _Queue()

    @property
    def unsent(self) -> tuple[Unsent[Out], ...]:
        """What was queued and not sent: what still waits, behind what was being written when a connection broke."""
        return (*self._queue.unsent, *(Unsent(queued.message) for queued in self._queue.waiting))

    async def send(self, message: Out, frame: str | bytes, *, before: Callable[[], None] = _nothing) -> None:
        """Send a message, or let it wait, as `ClientOptions.offline` says.

        Raises SendTimeout, ConnectionLost, and by policy NotConnected or QueueFull.
        """
        if self._options.offline == "queue" and not self._link.in_hook:
            self._put(_Queued(message, frame, before))
        else:
            await self._send_now(frame, before)

    async def transmit(self, message: Out, frame: str | bytes, before: Callable[[], None]) -> None:
        """Send a message, and return once it was written; a queue is kept to. Raises like `send`."""
        if self._options.offline != "queue" or self._link.in_hook:
            await self._send_now(frame, before)
            return
        queued = _Queued(message, frame, before, asyncio.get_running_loop().create_future())
        self._put(queued)
        assert queued.done is not None
        try:
            async with asyncio.timeout(self._options.send_timeout):
                await queued.done
        except TimeoutError:
            raise SendTimeout(self._options.send_timeout, doubtful=queued not in self._queue.waiting) from None
        finally:
            if queued in self._queue.waiting:  # whoever asked knows now that it was not sent
                self._queue.waiting.remove(queued)

    async def run(self) -> None:
        """Send what is queued, until the client has ended."""
        queue = self._queue
        try:
            while True:
                while not queue.waiting:
                    queue.grown.clear()
                    await queue.grown.wait()
                transport = await self._link.transport()
                if queue.waiting:
                    await self._send_first(transport)
        except ConnectionLost:
            pass
        finally:
            for queued in queue.waiting:
                if queued.done is not None and not queued.done.done():
                    queued.done.set_exception(ConnectionLost(self._link.ending))

    async def flush(self) -> None:
        """Wait until nothing is queued any more. Returns at once where there is no connection."""
        while self._queue.waiting and self._link.is_open:
            self._queue.shrunk.clear()
            await self._queue.shrunk.wait()

    async def _send_now(self, frame: str | bytes, before: Callable[[], None]) -> None:
        if self._options.offline == "raise" and not self._link.is_open:
            raise NotConnected(self._link.ending)
        transport: ClientTransport | None = None
        # Whoever holds the lock may wait for the connection that a hook prepares.
        lock = nullcontext() if self._link.in_hook else self._sending
        try:
            async with asyncio.timeout(self._options.send_timeout), lock:
                transport = await self._link.transport()
                before()
                await transport.send(frame)
        except TimeoutError:
            if transport is not None:
                transport.abort()  # half of the message may be out; the server does not read the rest
            raise SendTimeout(self._options.send_timeout, doubtful=transport is not None) from None
        except ConnectionClosed as closed:
            raise ConnectionLost(Ending(closed.code, closed.reason), doubtful=True) from None

    def _put(self, queued: _Queued[Out]) -> None:
        if self._link.is_closed:
            raise ConnectionLost(self._link.ending)
        if len(self._queue.waiting) >= self._options.max_queued:
            raise QueueFull(self._link.ending)
        self._queue.waiting.append(queued)
        self._queue.grown.set()

    async def _send_first(self, transport: ClientTransport) -> None:
        queue = self._queue
        async with self._sending:
            if not (queue.waiting and transport.is_open):
                return
            queued = queue.waiting.popleft()
            queued.before()
            try:
                async with asyncio.timeout(self._options.send_timeout):
                    await transport.send(queued.frame)
            except (TimeoutError, ConnectionClosed) as error:
                transport.abort()
                self._hand_back(queued, error)
            else:
                if queued.done is not None and not queued.done.done():
                    queued.done.set_result(None)
            finally:
                queue.shrunk.set()

    def _hand_back(self, queued: _Queued[Out], error: Exception) -> None:
        if queued.done is None:
            self._queue.unsent.append(Unsent(queued.message, doubtful=True))
        elif not queued.done.done():
            ending = Ending(error.code, error.reason) if isinstance(error, ConnectionClosed) else Ending()
            queued.done.set_exception(ConnectionLost(ending, doubtful=True))
