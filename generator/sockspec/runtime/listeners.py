"""Who wants to hear of what a client receives: callbacks by class of message, waiters, and the iteration."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar, cast

from sockspec.runtime.inbox import Ended, Inbox
from sockspec.runtime.policy import UnknownMessage
from sockspec.runtime.problems import Problem

if TYPE_CHECKING:
    from sockspec.runtime.fleet.recovery import Recovery
    from sockspec.runtime.link import State
    from sockspec.runtime.options import ClientOptions

In = TypeVar("In")
T = TypeVar("T")

Callback: TypeAlias = Callable[[T], object]
"""A function or a coroutine function of one value. What it returns is ignored."""

_log: Final = logging.getLogger("sockspec.client")


class Listeners(Generic[In]):
    """Hands on what is received. Callbacks run one after the other, in the order of what they are called for."""

    def __init__(self, options: ClientOptions) -> None:
        self.messages: Inbox[In] = Inbox(options.max_inbound, options.overflow)
        """What waits to be iterated over."""
        self._events: Inbox[tuple[Callback[Any], Any]] = Inbox(options.max_inbound, options.overflow)
        self._by_class: dict[type[Any], list[tuple[Callback[Any], bool]]] = {}
        self._waiting: list[tuple[type[Any], Callback[Any] | None, asyncio.Future[Any]]] = []
        self._on_problem: list[Callback[Problem]] = []
        self._on_unknown: list[Callback[UnknownMessage]] = []
        self._on_state: list[Callback[State]] = []
        self._on_recovery: list[Callback[Recovery]] = []

    def on(self, message: type[T], callback: Callback[T], *, once: bool = False) -> Callable[[], None]:
        """See `Client.on` and `Client.once`."""
        return _register(self._by_class.setdefault(message, []), (callback, once))

    def off(self, message: type[T], callback: Callback[T]) -> None:
        """See `Client.off`."""
        registered = self._by_class.get(message, [])
        registered[:] = [entry for entry in registered if entry[0] != callback]

    def on_problem(self, callback: Callback[Problem]) -> Callable[[], None]:
        """See `Client.on_problem`."""
        return _register(self._on_problem, callback)

    def on_unknown(self, callback: Callback[UnknownMessage]) -> Callable[[], None]:
        """See `Client.on_unknown`."""
        return _register(self._on_unknown, callback)

    def on_state(self, callback: Callback[State]) -> Callable[[], None]:
        """See `Client.on_state`."""
        return _register(self._on_state, callback)

    def on_recovery(self, callback: Callback[Recovery]) -> Callable[[], None]:
        """See `Client.on_recovery`."""
        return _register(self._on_recovery, callback)

    async def wait_for(self, message: type[T], predicate: Callback[T] | None) -> T:
        """The next message of a class of which the predicate holds. Raises what `end` was given."""
        found: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        waiter = (message, predicate, found)
        self._waiting.append(waiter)
        try:
            return await found
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    async def hand_on(self, message: In) -> None:
        """A message came. Raises InboxFull by policy."""
        for waiter in tuple(self._waiting):
            _try(waiter, message)
        registered = self._by_class.get(type(message))
        if registered:
            for entry in tuple(registered):
                if entry[1]:
                    registered.remove(entry)
                await self._events.put((entry[0], message))
        dropped = self.messages.dropped
        await self.messages.put(message)
        if self.messages.dropped > dropped == 0 and self.messages.taken_from:
            _log.warning("messages are dropped: they come faster than they are taken")

    async def hear_problem(self, problem: Problem) -> None:
        """A problem was told outside a request, or found in what came."""
        for callback in tuple(self._on_problem):
            await self._events.put((callback, problem))

    async def hear_unknown(self, message: UnknownMessage) -> None:
        """Something came that is no message of the document."""
        for callback in tuple(self._on_unknown):
            await self._events.put((callback, message))

    async def hear_recovery(self, recovery: Recovery) -> None:
        """What was missed has been received, or is lost."""
        for callback in tuple(self._on_recovery):
            await self._events.put((callback, recovery))

    def hear_state(self, state: State) -> None:
        """The client stands elsewhere."""
        for callback in tuple(self._on_state):
            self._events.push((callback, state))

    def stretch(self, wanted: bool) -> None:
        """While a reply is due, keep reading even if what comes before it is not being taken."""
        self.messages.stretch(wanted)
        self._events.stretch(wanted)

    def end(self, error: Exception | None, lost: Exception) -> None:
        """Nothing more will come. The iteration ends, with the error if there is one; waiters get `lost`."""
        self.messages.end(error)
        self._events.end()
        for _, _, found in self._waiting:
            if not found.done():
                found.set_exception(lost)

    async def run(self) -> None:
        """Call back until the end."""
        while True:
            try:
                callback, value = await self._events.take()
            except Ended:
                return
            await call(callback, value)


async def call(callback: Callback[T], value: T) -> None:
    """Call back, and survive what fails."""
    try:
        result = callback(value)
        if inspect.isawaitable(result):
            await cast("Awaitable[object]", result)
    except Exception:
        _log.exception("a callback failed")


def _try(waiter: tuple[type[Any], Callback[Any] | None, asyncio.Future[Any]], message: object) -> None:
    kind, predicate, found = waiter
    if found.done() or not isinstance(message, kind):
        return
    try:
        if predicate is None or predicate(message):
            found.set_result(message)
    except Exception as error:
        found.set_exception(error)


def _register(registered: list[T], entry: T) -> Callable[[], None]:
    registered.append(entry)

    def remove() -> None:
        if entry in registered:
            registered.remove(entry)

    return remove
