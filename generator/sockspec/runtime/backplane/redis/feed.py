"""What is published, on its way to a node: one subscribed connection, which comes back by itself.

We read the connection ourselves. redis-py's PubSub connects and subscribes anew while it reads, without a word, and what was
published meanwhile would be missed without anybody knowing.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Final, Protocol

from sockspec.runtime.backplane.line import BackplaneError, Receiver
from sockspec.runtime.backplane.redis import reach

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

_log: Final = logging.getLogger("sockspec.backplane")
_AT_ONCE: Final = 500
"""How many channels go into one command."""
_FIRST_DELAY: Final = 0.05
_LONGEST_DELAY: Final = 2.0
"""How long is waited before connecting again: half of these at least, in seconds; the longer the more often it failed."""
_LOOKS: Final = 5
"""How often within `timeout` is looked whether something was heard."""


class _Heard(Protocol):
    def __call__(self, channel: bytes, text: bytes) -> None: ...


class _Awaited:
    """Confirmations that somebody waits for."""

    __slots__ = ("done", "left")

    def __init__(self, left: int) -> None:
        self.left = left
        self.done: Final[asyncio.Future[None]] = asyncio.get_running_loop().create_future()

    def fail(self) -> None:
        """They will not come."""
        if not self.done.done():
            self.done.set_exception(BackplaneError("the connection to Redis broke", doubtful=True))
            self.done.exception()  # nobody may wait for it any more


class _Session:
    """One connection, from the first subscription until it breaks."""

    def __init__(self, connection: AbstractConnection, heard: _Heard) -> None:
        self._connection: Final = connection
        self._on_message: Final = heard
        self._awaited: Final[deque[_Awaited]] = deque()
        self._sending: Final[set[asyncio.Task[None]]] = set()
        self._was_heard = True
        self._reading: Final = asyncio.create_task(self._read())
        self._reading.add_done_callback(self._fail_waiting)

    @property
    def peer(self) -> tuple[object, object]:
        """Which server it leads to."""
        return peer_of(self._connection)

    async def _read(self) -> None:
        while True:
            reply = await self._connection.read_response(disconnect_on_error=False)
            self._was_heard = True
            match reply:
                case [b"message", bytes(channel), bytes(text)]:
                    self._on_message(channel, text)
                case [b"subscribe" | b"unsubscribe", *_] if self._awaited:
                    self._confirm()
                case _:  # the answer to a ping, or what a later version has to say
                    pass

    def _confirm(self) -> None:
        first = self._awaited[0]
        first.left -= 1
        if first.left <= 0:
            self._awaited.popleft()
            if not first.done.done():
                first.done.set_result(None)

    async def tell(self, command: str, channels: Sequence[bytes]) -> None:
        """Subscribe or unsubscribe, and wait until that is confirmed. Who is cancelled does not break it."""
        starts = range(0, len(channels), _AT_ONCE)
        for confirmed in [self._send(command, channels[start : start + _AT_ONCE]) for start in starts]:
            await asyncio.shield(confirmed)

    @property
    def _can_send(self) -> bool:
        # redis-py would connect anew, and nothing would be subscribed to.
        return not self._reading.done() and bool(self._connection.is_connected)

    def forget(self, channels: Sequence[bytes]) -> None:
        """Unsubscribe, without waiting: where it breaks, so do the subscriptions."""
        if self._can_send:
            for start in range(0, len(channels), _AT_ONCE):
                self._send("UNSUBSCRIBE", channels[start : start + _AT_ONCE])

    def _send(self, command: str, channels: Sequence[bytes]) -> asyncio.Future[None]:
        awaited = _Awaited(len(channels))

        async def send() -> None:
            if not self._can_send:
                awaited.fail()
                return
            # Confirmations come in the order of commands, and up to its first wait this is undisturbed.
            self._awaited.append(awaited)
            await self._connection.send_command(command, *channels, check_health=False)

        self._start(send())
        return awaited.done

    def _start(self, sending: Coroutine[None, None, None]) -> None:
        if not self._can_send:
            sending.close()
            raise BackplaneError("Redis cannot be reached")
        task = asyncio.create_task(sending)
        self._sending.add(task)
        task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._reading.cancel()

    async def _ping(self) -> None:
        await self._connection.send_command("PING", check_health=False)

    async def until_broken(self, timeout: float) -> str:
        """Wait until the connection breaks, or nothing is heard for so long; why."""
        silent = 0
        while True:
            await asyncio.wait({self._reading}, timeout=timeout / _LOOKS)
            if self._reading.done():
                break
            silent = 0 if self._was_heard else silent + 1
            self._was_heard = False
            # Looks are counted, not seconds: a loop that was busy for long has not listened.
            if silent == _LOOKS - 1:
                return "it does not answer"
            if silent == 1 and self._can_send:
                self._start(self._ping())
        if self._reading.cancelled():
            return "nothing can be sent"
        return str(self._reading.exception())

    def break_off(self) -> None:
        """Let it end, so that another one begins."""
        self._reading.cancel()

    async def end(self) -> None:
        """Give the connection up, and fail who waits."""
        for task in (self._reading, *self._sending):
            task.cancel()
        await asyncio.wait({self._reading, *self._sending})
        await reach.hang_up(self._connection)

    def _fail_waiting(self, reading: asyncio.Task[None]) -> None:
        if not reading.cancelled():
            reading.exception()  # is told by who waits for the end, if anybody does
        for awaited in self._awaited:
            awaited.fail()


def peer_of(connection: AbstractConnection) -> tuple[object, object]:
    """Which server a connection leads to."""
    return getattr(connection, "host", None), getattr(connection, "port", None)


class Feed:
    """The subscriptions of a node."""

    def __init__(
        self,
        make: Callable[[], AbstractConnection],
        timeout: float,
        receiver: Receiver,
        heard: _Heard,
        broke: Callable[[], None],
    ) -> None:
        """`heard` is given what is published to a channel that is subscribed to; `broke` is called before the receiver."""
        self._make: Final = make
        self._timeout: Final = timeout
        self._receiver: Final = receiver
        self._heard: Final = heard
        self._broke: Final = broke
        # With the callers that are about to subscribe; None once one of them has.
        self._wanted: Final[dict[bytes, set[object] | None]] = {}
        self._session: _Session | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def channels(self) -> Collection[bytes]:
        """What is subscribed to."""
        return self._wanted.keys()

    async def open(self) -> None:
        """Connect. Raises BackplaneError."""
        self._session = await self._begin()
        self._task = asyncio.create_task(self._run(self._session))

    async def close(self) -> None:
        """Nothing is received any more."""
        self._wanted.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def subscribe(self, channels: Collection[bytes]) -> object:
        """Subscribe to channels, and wait until that is confirmed; a mark for `keep` or `give_up`. Raises BackplaneError."""
        session = self._session
        if session is None:
            raise BackplaneError("Redis cannot be reached")
        mark = object()
        for channel in channels:
            claims = self._wanted.setdefault(channel, set())
            if claims is not None:
                claims.add(mark)
        try:
            await session.tell("SUBSCRIBE", list(dict.fromkeys(channels)))
        except BaseException:
            self.give_up(channels, mark)
            raise
        return mark

    def keep(self, channels: Collection[bytes]) -> None:
        """These are subscribed to, and no other caller that fails gives them up."""
        for channel in channels:
            if channel in self._wanted:
                self._wanted[channel] = None

    def give_up(self, channels: Collection[bytes], mark: object) -> None:
        """The caller failed: unsubscribe from what nobody else has subscribed to, or is about to."""
        gone: list[bytes] = []
        for channel in channels:
            claims = self._wanted.get(channel)
            if claims is not None and mark in claims:
                claims.remove(mark)
                if not claims:
                    gone.append(channel)
        self.unsubscribe(gone)

    def unsubscribe(self, channels: Iterable[bytes]) -> None:
        """Receive no more of these channels, from now on."""
        gone = [channel for channel in dict.fromkeys(channels) if self._wanted.pop(channel, self) is not self]
        if self._session is not None:
            self._session.forget(gone)

    def check_peer(self, connection: AbstractConnection) -> None:
        """Commands go over this connection now: where that is another server, as after a failover, follow it."""
        if self._session is not None and self._session.peer != peer_of(connection):
            self._session.break_off()

    def _receive(self, channel: bytes, text: bytes) -> None:
        if channel in self._wanted:
            self._heard(channel, text)

    async def _run(self, session: _Session) -> None:
        try:
            while True:
                why = await session.until_broken(self._timeout)
                self._session = None
                _log.warning("the connection to Redis broke: %s", why)
                self._broke()
                self._receiver.interrupted()
                await session.end()
                session = self._session = await self._again()
                _log.info("Redis can be reached again")
                self._receiver.restored()
        finally:
            self._session = None
            await session.end()

    async def _again(self) -> _Session:
        for failures in count():
            longest = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(failures, 16))
            await asyncio.sleep(random.uniform(longest / 2, longest))
            try:
                return await self._begin()
            except BackplaneError as error:
                _log.debug("Redis still cannot be reached: %s", error)
        raise AssertionError("there is always another attempt")

    async def _begin(self) -> _Session:
        """Connect, and subscribe to all that is wanted, some at a time: each within `timeout`."""
        session = _Session(await reach.connected(self._make, self._timeout), self._receive)
        done = set[bytes]()
        try:
            while missing := [channel for channel in self._wanted if channel not in done][:_AT_ONCE]:
                async with asyncio.timeout(self._timeout):
                    await session.tell("SUBSCRIBE", missing)
                done.update(missing)
            session.forget([channel for channel in done if channel not in self._wanted])
        except BaseException as error:
            await session.end()
            if isinstance(error, TimeoutError):
                raise reach.failure(error, doubtful=False) from error
            raise
        return session
