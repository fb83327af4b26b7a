"""The conversation on one connection as a state machine: frames in, decisions out, no I/O."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from sockspec.runtime.codec import Codec
from sockspec.runtime.policy import Policy
from sockspec.runtime.problems import INTERNAL_SERVER_ERROR, UNKNOWN_TYPE, PayloadError, Problem
from sockspec.runtime.routing import Handler, Route

_log = logging.getLogger("sockspec.server")

POLICY_VIOLATION: Final = 1008
"""The close code for what has no better one (RFC 6455, section 7.4.1)."""


class Call(msgspec.Struct, frozen=True):
    """A message to hand to the application."""

    handler: Handler
    message: object


@dataclass(frozen=True, slots=True)
class Refusal:
    """A problem to tell the peer, and the code to close with afterwards; None when the connection goes on."""

    problem: Problem
    close: int | None = None


class Session:
    """Decides what each frame of a connection leads to."""

    def __init__(
        self, route: Route, *, max_faults: int, receiving: Policy = "strict", incoming: Codec[Any] | None = None
    ) -> None:
        """`incoming` is the route's codec with limits of its own; None for the route's."""
        self._incoming = incoming or route.incoming
        self._handlers = route.handlers
        self._decode: Callable[[str | bytes], object] = (
            self._incoming.take if receiving == "off" else self._incoming.decode
        )
        self._receiving = receiving
        self._max_faults = max_faults
        self._faults = 0

    def receive(self, frame: str | bytes) -> Call | Refusal:
        """What to do with a frame: str for text, bytes for binary."""
        try:
            message = self._decode(frame)
        except PayloadError as error:
            usable = self._usable(frame, error.problem)
            if usable is None:
                return self.fault(error.problem.about(self._incoming.correlation_in(frame)))
            message = usable
        handler = self._handlers.get(type(message))
        if handler is None:
            correlation = self._incoming.correlation_of(message)
            return self.fault(Problem.of(UNKNOWN_TYPE, "no message of this type is expected here", id=correlation))
        self._faults = 0
        return Call(handler, message)

    def _usable(self, frame: str | bytes, invalid: Problem) -> object | None:
        """What can be used of a message that its schema refuses, where the policy lets it in."""
        if self._receiving != "report":
            return None
        try:
            message: object = self._incoming.take(frame)
        except PayloadError:
            return None
        _log.warning("took a message that its schema refuses: %s", invalid.message)
        return message

    def fault(self, problem: Problem) -> Refusal:
        """What a fault of the peer leads to: too many in a row end the connection."""
        self._faults += 1
        if problem.kind.final:
            return refusal(problem)
        return Refusal(problem, POLICY_VIOLATION if self._faults >= self._max_faults else None)


def refusal(problem: Problem) -> Refusal:
    """A problem told outside the interpretation of a frame: it ends the connection only if its kind always does."""
    return Refusal(problem, problem.kind.close if problem.kind.final else None)


def unexpected(incident: str) -> Problem:
    """What the peer is told of an exception: nothing but the id under which it is in the log."""
    return Problem.of(INTERNAL_SERVER_ERROR, f"Internal server error (incident {incident})")
