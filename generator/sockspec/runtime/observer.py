"""What an application can be told of a server's work: the seam for metrics, traces and audits."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sockspec.runtime.connection import Connection
    from sockspec.runtime.problems import Problem


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
