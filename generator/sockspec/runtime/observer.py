"""What an application can be told of a server's work: the seam for metrics, traces and audits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from sockspec.runtime.connection import Connection
    from sockspec.runtime.problems import Problem


_log: Final = logging.getLogger("sockspec.server")

T = TypeVar("T")


class Observer:
    """Is told what happens; a subclass overrides what it wants to know. What it raises goes to the log.

    It is called in between the work, so it must not wait.
    """

    def refused(self, problem: Problem) -> None:
        """A handshake was refused."""

    def opened(self, connection: Connection[Any, Any]) -> None:
        """A connection was opened."""

    def closed(self, connection: Connection[Any, Any], seconds: float) -> None:
        """A connection has ended, after so many seconds."""

    def received(self, connection: Connection[Any, Any], size: int) -> None:
        """A message came, of so many characters or bytes."""

    def sent(self, connection: Connection[Any, Any], size: int) -> None:
        """A message is on its way, of so many bytes."""

    def told(self, connection: Connection[Any, Any], problem: Problem) -> None:
        """A client was told of a problem."""

    def handling(
        self, connection: Connection[Any, Any], operation: str, message: object
    ) -> AbstractContextManager[object]:
        """Surrounds the handler of a message: what it raises passes through."""
        return nullcontext()

    # --- the backplane ----------------------------------------------------------------------------------------------

    def degraded(self, backplane: str, is_down: bool) -> None:
        """The engine of the backplane does not answer, or does so again; and does so for the first time."""

    def publishing(self, backplane: str, stream: str) -> AbstractContextManager[Mapping[str, str]]:
        """Surrounds the publishing of a message. What is entered are the headers of a trace, which go along with it.

        What it raises passes through: `Unavailable` above all, whose `doubtful` says whether it may have been done all the
        same. `stream` has the name of the group or the id of the principal in it; `kind_of` of
        `sockspec.runtime.fleet.publication` gives the part that has few values.
        """
        return nullcontext({})

    def delivering(
        self, backplane: str, stream: str, headers: Mapping[str, str], lag: float, members: int
    ) -> AbstractContextManager[object]:
        """Surrounds handing a message to so many members here, so many seconds after it was published.

        `headers` are those of the trace. The clocks of two machines tell the lag: it is as exact as they agree.
        """
        return nullcontext()

    def missed(self, backplane: str, entries: int, is_lost: bool) -> None:
        """Something did not come by itself. So many entries were read from history, or what was before them is lost."""

    def resumed(self, connection: Connection[Any, Any], messages: int, is_recovered: bool) -> None:
        """A client came back to its session, and got so many messages that it had missed; all of them, or not."""


def tell(observers: Iterable[Observer], event: Callable[[Observer], object]) -> None:
    """Tell observers of an event. What one raises goes to the log, and nowhere else."""
    for observer in observers:
        try:
            event(observer)
        except Exception:
            _failed(observer)


def watched(
    observers: Iterable[Observer], connection: Connection[Any, Any], operation: str, message: object
) -> AbstractContextManager[object]:
    """Surround a handler by observers. They see what it raises, and can neither keep it nor add to it."""
    return _surrounded(observers, lambda observer: observer.handling(connection, operation, message), _pass_over)


@contextmanager
def traced(observers: Iterable[Observer], backplane: str, stream: str) -> Generator[dict[str, str]]:
    """Surround publishing by observers, in the same way; the headers that all of them want to go along."""
    headers: dict[str, str] = {}
    with _surrounded(observers, lambda observer: observer.publishing(backplane, stream), headers.update):
        yield headers


def handed_over(
    observers: Iterable[Observer], backplane: str, stream: str, headers: Mapping[str, str], lag: float, members: int
) -> AbstractContextManager[object]:
    """Surround handing a message to members by observers, in the same way."""
    return _surrounded(
        observers, lambda observer: observer.delivering(backplane, stream, headers, lag, members), _pass_over
    )


@contextmanager
def _surrounded(
    observers: Iterable[Observer],
    manager_of: Callable[[Observer], AbstractContextManager[T]],
    entering: Callable[[T], object],
) -> Generator[None]:
    entered: list[tuple[Observer, AbstractContextManager[T]]] = []
    for observer in observers:
        try:
            manager = manager_of(observer)
            found = manager.__enter__()
        except Exception:
            _failed(observer)
        else:
            entered.append((observer, manager))
            try:
                entering(found)
            except Exception:
                _failed(observer)
    try:
        yield
    except BaseException as error:
        _leave(entered, error)
        raise
    _leave(entered, None)


def _pass_over(found: object) -> None:
    pass


def _leave(entered: list[tuple[Observer, AbstractContextManager[T]]], error: BaseException | None) -> None:
    for observer, manager in reversed(entered):
        try:
            if error is None:
                manager.__exit__(None, None, None)
            else:
                manager.__exit__(type(error), error, error.__traceback__)
        except Exception as raised:
            if raised is not error:
                _failed(observer)


def _failed(observer: Observer) -> None:
    _log.exception("the observer %s failed", type(observer).__name__)
