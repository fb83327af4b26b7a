"""What an application can be told of a server's work: the seam for metrics, traces and audits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sockspec.runtime.connection import Connection
    from sockspec.runtime.problems import Problem


_log: Final = logging.getLogger("sockspec.server")


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
        """The engine of the backplane does not answer, or does so again."""

    def publishing(self, stream: str) -> Mapping[str, str]:
        """A message is about to be published; the headers of the trace that it goes on with."""
        return {}

    def published(self, backplane: str, seconds: float, is_safe: bool) -> None:
        """A message was published, which took so long; or it could not be."""

    def delivering(self, stream: str, headers: Mapping[str, str], lag: float, members: int) -> None:
        """A message came over the backplane so many seconds after it was published, and goes to so many members here."""

    def missed(self, backplane: str, entries: int, is_lost: bool) -> None:
        """A gap was noticed. So many entries were read from history; what is lost was there no more."""

    def resumed(self, connection: Connection[Any, Any], messages: int, is_recovered: bool) -> None:
        """A client came back to its session, and got so many messages that it had missed; all of them, or not."""


def tell(observers: Iterable[Observer], event: Callable[[Observer], object]) -> None:
    """Tell observers of an event. What one raises goes to the log, and nowhere else."""
    for observer in observers:
        try:
            event(observer)
        except Exception:
            _failed(observer)


@contextmanager
def watched(
    observers: Iterable[Observer], connection: Connection[Any, Any], operation: str, message: object
) -> Generator[None]:
    """Surround a handler by observers. They see what it raises, and can neither keep it nor add to it."""
    entered: list[tuple[Observer, AbstractContextManager[object]]] = []
    for observer in observers:
        try:
            manager = observer.handling(connection, operation, message)
            manager.__enter__()
        except Exception:
            _failed(observer)
        else:
            entered.append((observer, manager))
    try:
        yield
    except BaseException as error:
        _leave(entered, error)
        raise
    _leave(entered, None)


def _leave(entered: list[tuple[Observer, AbstractContextManager[object]]], error: BaseException | None) -> None:
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
