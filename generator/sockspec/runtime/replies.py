"""The requests of a client that wait for their replies."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from sockspec.runtime.problems import Problem, ProblemError


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A request that waits for its reply."""

    replies: tuple[type[Any], ...]
    """The classes that answer it."""
    correlation: Hashable
    """The id that its reply repeats; None when the first message of one of the classes is the reply."""
    reply: asyncio.Future[Any]


class Requests:
    """The requests that wait, in the order they were sent."""

    def __init__(self) -> None:
        self._waiting: dict[Request, None] = {}
        self._by_correlation: dict[Hashable, Request] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, request: Request) -> None:
        """Wait for a reply. Raises ValueError when another request with the same id waits."""
        if request.correlation is not None:
            if request.correlation in self._by_correlation:
                raise ValueError(f"another request with the id {request.correlation!r} still waits for its reply")
            self._by_correlation[request.correlation] = request
        self._waiting[request] = None

    def discard(self, request: Request) -> None:
        """Wait no longer."""
        self._waiting.pop(request, None)
        if self._by_correlation.get(request.correlation) is request:
            del self._by_correlation[request.correlation]

    def answer(self, message: object, correlation: object) -> bool:
        """Give a message to the request that it answers; says whether there is one.

        A message with an id answers the request with that id. One without answers the oldest request for its class.
        """
        if correlation is not None:
            request = self._by_correlation.get(correlation) if isinstance(correlation, Hashable) else None
            if request is None or not isinstance(message, request.replies):
                return False
        else:
            request = next((one for one in self._waiting if isinstance(message, one.replies)), None)
            if request is None:
                return False
        self.discard(request)
        if not request.reply.done():
            request.reply.set_result(message)
        return True

    def fail(self, problem: Problem) -> bool:
        """Fail the request that a problem is about, by its id; says whether there is one."""
        request = self._by_correlation.get(problem.id) if isinstance(problem.id, Hashable) else None
        if problem.id is None or request is None:
            return False
        self.discard(request)
        if not request.reply.done():
            request.reply.set_exception(ProblemError(problem))
        return True

    def fail_all(self, error: Exception) -> None:
        """Fail every request that waits."""
        for request in list(self._waiting):
            self.discard(request)
            if not request.reply.done():
                request.reply.set_exception(error)
