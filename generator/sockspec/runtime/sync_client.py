"""The base class of generated clients without `async`: for scripts and notebooks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from sockspec.runtime.client import Client
from sockspec.runtime.fleet.recovery import Recovery
from sockspec.runtime.link import State
from sockspec.runtime.listeners import Callback
from sockspec.runtime.loop_thread import LoopThread
from sockspec.runtime.outgoing import Unsent
from sockspec.runtime.policy import UnknownMessage
from sockspec.runtime.problems import Problem

In = TypeVar("In")
Out = TypeVar("Out")
Reply = TypeVar("Reply")
T = TypeVar("T")


class SyncClient(Generic[In, Out]):
    """An asyncio client that is driven by a thread of its own, which ends with the `with` block.

    It does what the client does, in calls that wait. It can be used by several threads. Callbacks and hooks run in
    threads as well, one at a time, and may send and make requests.
    """

    def __init__(self, client: Client[In, Out]) -> None:
        self.client: Final = client
        """The client that does the work. Its methods belong to the thread of this one."""
        self._thread: LoopThread | None = None

    # --- life -------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the client stands."""
        return self.client.state

    @property
    def unsent(self) -> tuple[Unsent[Out], ...]:
        """With the policy `queue`, what was not sent, in order."""
        return self.client.unsent

    def connect(self) -> None:
        """Connect, with several attempts where needed; `with` does it. Raises ConnectionLost."""
        if self._thread is None:
            self._thread = LoopThread(f"sockspec {type(self).__name__}")
        try:
            self._wait(self.client.connect())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection for good, and end the thread; `with` does it. Does nothing the second time."""
        thread = self._thread
        if thread is None:
            return
        if thread.is_current:
            raise RuntimeError("a client cannot be closed by its own thread")
        try:
            self._wait(self.client.close())
        finally:
            self._thread = None
            thread.end()

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # --- messages ---------------------------------------------------------------------------------------------------

    def send(self, message: Out) -> None:
        """Send a message; see `Client.send`."""
        self._wait(self.client.send(message))

    def request(self, message: Out, replies: tuple[type[Reply], ...], *, timeout: float | None = None) -> Reply:
        """Send a message and wait for its reply; see `Client.request`."""
        return self._wait(self.client.request(message, replies, timeout=timeout))

    def receive(self, *, timeout: float | None = None) -> In:
        """The next message. Raises StopIteration after a normal end, TimeoutError after `timeout` seconds, ConnectionLost."""
        try:
            return self._wait(_bounded(self.client, timeout))
        except StopAsyncIteration:
            raise StopIteration from None

    def __iter__(self) -> Iterator[In]:
        return self

    def __next__(self) -> In:
        """The next message. Ends when the connection is closed normally, and raises ConnectionLost when otherwise."""
        return self.receive()

    def wait_for(
        self, message: type[T], predicate: Callable[[T], object] | None = None, *, timeout: float | None = None
    ) -> T:
        """The next message of a class, of which the predicate holds if there is one; see `Client.wait_for`."""
        return self._wait(self.client.wait_for(message, predicate, timeout=timeout))

    # --- callbacks --------------------------------------------------------------------------------------------------

    def on(self, message: type[T], callback: Callback[T]) -> Callable[[], None]:
        """Call back for each message of a class. Returns what takes the callback away again."""
        return self.client.on(message, _threaded(callback))

    def once(self, message: type[T], callback: Callback[T]) -> Callable[[], None]:
        """Call back for the next message of a class only. Returns what takes the callback away again."""
        return self.client.once(message, _threaded(callback))

    def off(self, message: type[T], callback: Callback[T]) -> None:
        """Call back no more for messages of a class."""
        self.client.off(message, _threaded(callback))

    def on_problem(self, callback: Callback[Problem]) -> Callable[[], None]:
        """Call back for each problem that the server tells outside a request, and for what it sends that is invalid."""
        return self.client.on_problem(_threaded(callback))

    def on_unknown(self, callback: Callback[UnknownMessage]) -> Callable[[], None]:
        """Call back for what is no message of the document."""
        return self.client.on_unknown(_threaded(callback))

    def on_state(self, callback: Callback[State]) -> Callable[[], None]:
        """Call back for each change of state."""
        return self.client.on_state(_threaded(callback))

    def on_recovery(self, callback: Callback[Recovery]) -> Callable[[], None]:
        """Call back after each reconnection, and when something was lost; see `Client.on_recovery`."""
        return self.client.on_recovery(_threaded(callback))

    @property
    def resumed(self) -> bool:
        """Whether the connection goes on with an earlier one; see `Client.resumed`."""
        return self.client.resumed

    def on_connect(self, hook: Callable[[], object]) -> Callable[[], None]:
        """Call a function for each new connection, before anything that waits for it is sent."""
        return self.client.on_connect(lambda: asyncio.to_thread(hook))

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        if self._thread is None:
            work.close()
            raise RuntimeError("not connected: use the client in a 'with' block, or call connect()")
        return self._thread.wait(work)


class _Threaded(Generic[T]):
    """A callback that runs in a thread, so that it may wait for its own client. Equal for equal callbacks."""

    def __init__(self, callback: Callback[T]) -> None:
        self._callback = callback

    def __call__(self, value: T) -> Awaitable[object]:
        return asyncio.to_thread(self._callback, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Threaded) and self._callback == other._callback

    def __hash__(self) -> int:
        return hash(self._callback)


def _threaded(callback: Callback[T]) -> Callback[T]:
    return _Threaded(callback)


async def _bounded(client: Client[In, Any], timeout: float | None) -> In:
    async with asyncio.timeout(timeout):
        return await anext(client)
