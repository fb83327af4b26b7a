"""Publishing from outside a server: from a web view, a worker, a script."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import CancelledError
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeAlias, TypeVar

from sockspec.runtime.fleet.publication import everybody_stream, group_stream, principal_stream
from sockspec.runtime.loop_thread import LoopThread
from sockspec.runtime.options import Options

if TYPE_CHECKING:
    from sockspec.runtime.backplane.line import Backplane, Entry
    from sockspec.runtime.codec import Codec
    from sockspec.runtime.fleet.uplink import Uplink

Out = TypeVar("Out")
Done = TypeVar("Done")
"""What `broadcast` gives: something to await, or None once it is done."""

Publish: TypeAlias = "Callable[[str, Codec[Any], Any, Hashable], Done]"


class Recipients(Generic[Out, Done]):
    """Connections that get the same, on whichever node they are. It is a name, and costs nothing: ask for it each time."""

    def __init__(self, publish: Publish[Done], outgoing: Codec[Out], stream: str) -> None:
        self._publish = publish
        self._outgoing = outgoing
        self.stream: Final = stream
        """What they are called on the backplane."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.stream!r}>"

    def broadcast(self, message: Out, *, key: Hashable = None) -> Done:
        """Send a message to all of them, as `broadcast` of a server's group does.

        What one program publishes one after the other arrives in that order. `key` is what servers go by where
        `Options.slow_consumer` is `coalesce`.

        It is done once the message is safe with the backplane, whether anybody is connected or not. Raises PayloadError
        for a message that the document does not allow, TypeError for one of another channel, and Unavailable when the
        backplane did not take it within `Options.publish_timeout`.
        """
        return self._publish(self.stream, self._outgoing, message, key)


class Outlet(Generic[Out, Done]):
    """An endpoint on which the server may send `Out`, seen from outside the server."""

    def __init__(self, publish: Publish[Done], path: str, outgoing: Codec[Out]) -> None:
        self._publish = publish
        self._outgoing = outgoing
        self.path: Final = path
        """The template of its path."""

    def group(self, name: str) -> Recipients[Out, Done]:
        """The connections that a server has added to the group of that name."""
        return Recipients(self._publish, self._outgoing, group_stream(self.path, name))

    def principal(self, id: str) -> Recipients[Out, Done]:
        """All connections of the principal with that id."""
        return Recipients(self._publish, self._outgoing, principal_stream(self.path, id))

    def everybody(self) -> Recipients[Out, Done]:
        """All connections to the endpoint."""
        return Recipients(self._publish, self._outgoing, everybody_stream(self.path))


Endpoint: TypeAlias = Outlet[Out, Coroutine[Any, Any, None]]
"""An endpoint whose `broadcast` is awaited."""
SyncEndpoint: TypeAlias = Outlet[Out, None]
"""An endpoint whose `broadcast` waits."""


class Publisher:
    """Sends what a server may send, from a program that is none, while an `async with` block lasts.

    It takes part in nothing else: it is no node of the fleet, and it receives nothing. The block begins also when the
    backplane cannot be reached, which is tried again beside.
    """

    def __init__(self, backplane: Backplane, *, options: Options | None = None) -> None:
        """`backplane` is that of the servers.

        A MemoryBackplane reaches only servers that were given the same object and run in the same event loop, as in tests.

        Of the options, `history`, `publish_timeout`, `max_publishing`, `check_sent` and `observers` count. The history is
        to be that of the servers, for each message that is published decides how many before it are kept.
        """
        self._backplane = backplane
        self._options = options or Options()
        self._uplink: Uplink | None = None

    async def __aenter__(self) -> Self:
        from sockspec.runtime.fleet.uplink import Uplink

        if self._uplink is not None:
            raise RuntimeError("this publisher is open already")
        self._uplink = Uplink(
            self._backplane,
            os.urandom(8).hex(),
            receive=_ignore,
            restored=_nothing,
            observers=self._options.observers,
            most=self._options.max_publishing,
        )
        try:
            await self._uplink.start()
        except BaseException:
            self._uplink = None
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        uplink, self._uplink = self._uplink, None
        if uplink is not None:
            await uplink.stop()

    def endpoint(self, path: str, outgoing: Codec[Out]) -> Endpoint[Out]:
        """The endpoint whose template is `path`, and what the server may send there. Generated packages call it."""
        return Outlet(self.publish, path, outgoing)

    async def publish(self, stream: str, outgoing: Codec[Any], message: Any, key: Hashable) -> None:
        """What `broadcast` does."""
        from sockspec.runtime.fleet.uplink import broadcast

        if self._uplink is None:
            raise RuntimeError("not open: use the publisher in an 'async with' block")
        frame = outgoing.frame(message, check=self._options.check_sent)
        await broadcast(self._uplink, self._options, stream, frame, key=key)


class SyncPublisher:
    """The same in calls that wait, for programs without `async`. Threads can share it.

    It connects when it is first used, by a thread of its own, which ends with `close`, with the `with` block, or with the
    program. A process that was forked off connects anew. In a coroutine, take the publisher that is awaited.
    """

    def __init__(self, backplane: Backplane, *, options: Options | None = None) -> None:
        """See `Publisher`. Raises ValueError for a MemoryBackplane, which nobody shares with another thread."""
        if not backplane.is_shared:
            raise ValueError(
                f"the backplane {backplane.name} is within one event loop: no server hears of what another thread "
                "publishes; use one that processes share, such as RedisBackplane or NatsBackplane"
            )
        self._backplane = backplane
        self._options = options
        self._locks: dict[int, threading.Lock] = {}
        """By process: one that was held by another thread during a fork stays so in the child."""
        self._running: _Running | None = None
        self._ending: Callable[[], object] = _nothing

    def close(self) -> None:
        """Disconnect, and end the thread; `with` does it. What is under way fails. Used again, it connects again."""
        with self._lock():
            self._running = None
            self._ending()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def endpoint(self, path: str, outgoing: Codec[Out]) -> SyncEndpoint[Out]:
        """The endpoint whose template is `path`, and what the server may send there. Generated packages call it."""
        return Outlet(self.publish, path, outgoing)

    def publish(self, stream: str, outgoing: Codec[Any], message: Any, key: Hashable) -> None:
        """What `broadcast` does."""
        with self._lock():
            running = self._running
            if running is None or running.process != os.getpid():
                running = self._running = _Running(Publisher(self._backplane, options=self._options))
                self._ending = weakref.finalize(self, running.close)  # at the end of the program, at the latest
        running.publish(stream, outgoing, message, key)

    def _lock(self) -> threading.Lock:
        return self._locks.setdefault(os.getpid(), threading.Lock())


class _Running:
    """A publisher that is open, in a thread of this process."""

    def __init__(self, publisher: Publisher) -> None:
        self.process: Final = os.getpid()
        self._publisher = publisher
        self._thread = LoopThread("sockspec publisher")
        try:
            self._thread.wait(publisher.__aenter__())
        except BaseException:
            self._thread.end()
            raise

    def publish(self, stream: str, outgoing: Codec[Any], message: Any, key: Hashable) -> None:
        """Publish, and wait until it is done."""
        from sockspec.runtime.fleet.uplink import Unavailable

        try:
            self._thread.wait(self._publisher.publish(stream, outgoing, message, key))
        except CancelledError:
            raise Unavailable(doubtful=True) from None  # it was closed meanwhile

    def close(self) -> None:
        """Disconnect; nothing in a process that was forked off, where the thread is not."""
        if self.process != os.getpid() or self._thread.is_current:
            return
        try:
            self._thread.wait(self._publisher.__aexit__(None, None, None))
        finally:
            self._thread.end()


def _ignore(stream: str, epoch: str, entry: Entry) -> None:
    pass


def _nothing() -> None:
    pass
