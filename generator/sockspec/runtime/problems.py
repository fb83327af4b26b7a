"""What can go wrong between a client and a server: problem types, what each one means on the wire, and the exceptions.

The table `PROBLEMS` is the only place that knows the HTTP status, the close code and the client's reaction for a
problem type. The server, the client, the documentation and the tests read it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final


class Reaction(enum.Enum):
    """What a client does about a problem, a close code or an HTTP status."""

    STOP = "stops"
    TELL_CALLER = "tells the caller"
    RENEW_TOKEN = "asks for a new token once, then stops"
    SLOW_DOWN = "slows down"
    BACK_OFF = "backs off"
    RECONNECT = "reconnects"

    @property
    def retriable(self) -> bool:
        """Whether a client that lost its connection for this reason tries again."""
        return self in (Reaction.RENEW_TOKEN, Reaction.SLOW_DOWN, Reaction.BACK_OFF, Reaction.RECONNECT)


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One row of the table: what a problem type means before and after the handshake."""

    type: str
    title: str
    status: int
    """The HTTP status: of the refused handshake, and what `status` and `code` members of error messages say."""
    close: int | None
    """The close code (RFC 6455, section 7.4) when the problem ends a connection; None when it never does."""
    reaction: Reaction
    final: bool = False
    """Whether the problem ends the connection the first time. Else it is a message, and only repetition ends it."""
    refuses: bool = False
    """Whether a handshake can be refused with it."""


def _table(*kinds: ProblemKind) -> Mapping[str, ProblemKind]:
    return {kind.type: kind for kind in kinds}


UNAUTHORIZED: Final = "/problems/unauthorized"
TOKEN_EXPIRED: Final = "/problems/token-expired"
FORBIDDEN: Final = "/problems/forbidden"
ORIGIN_NOT_ALLOWED: Final = "/problems/origin-not-allowed"
REACH_MAXIMUM_CONNECTIONS: Final = "/problems/reach-maximum-connections"
TOO_MANY_REQUESTS: Final = "/problems/too-many-requests"
VALIDATION_ERROR: Final = "/problems/validation-error"
UNKNOWN_TYPE: Final = "/problems/unknown-type"
MALFORMED_MESSAGE: Final = "/problems/malformed-message"
BINARY_NOT_SUPPORTED: Final = "/problems/binary-not-supported"
MESSAGE_TOO_LARGE: Final = "/problems/message-too-large"
SLOW_CONSUMER: Final = "/problems/slow-consumer"
IDLE_TIMEOUT: Final = "/problems/idle-timeout"
INTERNAL_SERVER_ERROR: Final = "/problems/internal-server-error"
SERVICE_RESTART: Final = "/problems/service-restart"
SERVICE_UNAVAILABLE: Final = "/problems/service-unavailable"
INVALID_PARAMETERS: Final = "/problems/invalid-parameters"
NOT_FOUND: Final = "/problems/not-found"
UNSUPPORTED_VERSION: Final = "/problems/unsupported-version"

PROBLEMS: Final = _table(
    ProblemKind(UNAUTHORIZED, "Unauthorized access", 401, 3000, Reaction.RENEW_TOKEN, final=True, refuses=True),
    ProblemKind(TOKEN_EXPIRED, "Token expired", 401, 3000, Reaction.RENEW_TOKEN, final=True, refuses=True),
    ProblemKind(FORBIDDEN, "Access forbidden", 403, 3003, Reaction.STOP, refuses=True),
    ProblemKind(ORIGIN_NOT_ALLOWED, "Origin not allowed", 403, None, Reaction.STOP, refuses=True),
    ProblemKind(
        REACH_MAXIMUM_CONNECTIONS,
        "Maximum number of connections reached",
        503,
        1013,
        Reaction.BACK_OFF,
        final=True,
        refuses=True,
    ),
    ProblemKind(TOO_MANY_REQUESTS, "Too many requests", 429, 1008, Reaction.SLOW_DOWN, refuses=True),
    ProblemKind(VALIDATION_ERROR, "Invalid message", 422, 1008, Reaction.TELL_CALLER),
    ProblemKind(UNKNOWN_TYPE, "Unknown message type", 400, 1008, Reaction.TELL_CALLER),
    # A text frame that is not UTF-8 never becomes a message: the transport closes with 1007 (RFC 6455, section 8.1).
    ProblemKind(MALFORMED_MESSAGE, "Malformed message", 400, 1008, Reaction.TELL_CALLER),
    ProblemKind(BINARY_NOT_SUPPORTED, "Binary messages are not supported", 415, 1003, Reaction.STOP, final=True),
    ProblemKind(MESSAGE_TOO_LARGE, "Message too large", 413, 1009, Reaction.TELL_CALLER, final=True),
    ProblemKind(SLOW_CONSUMER, "Messages are not read fast enough", 503, 1013, Reaction.RECONNECT, final=True),
    ProblemKind(IDLE_TIMEOUT, "Connection idle for too long", 408, 3008, Reaction.RECONNECT, final=True),
    ProblemKind(INTERNAL_SERVER_ERROR, "Internal server error", 500, 1011, Reaction.BACK_OFF, refuses=True),
    ProblemKind(SERVICE_RESTART, "The service is restarting", 503, 1012, Reaction.RECONNECT, final=True, refuses=True),
    ProblemKind(SERVICE_UNAVAILABLE, "Temporarily unavailable", 503, 1013, Reaction.BACK_OFF, refuses=True),
    ProblemKind(INVALID_PARAMETERS, "Invalid parameters", 400, None, Reaction.STOP, refuses=True),
    ProblemKind(NOT_FOUND, "Not found", 404, None, Reaction.STOP, refuses=True),
    ProblemKind(UNSUPPORTED_VERSION, "Unsupported version", 410, None, Reaction.STOP, refuses=True),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a payload: an entry of `errors` in an error message."""

    pointer: str
    """JSON Pointer (RFC 6901) of the value at fault, empty for the whole payload."""
    keyword: str
    """The JSON Schema keyword that the value breaks, empty when no keyword is concerned."""
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem as the peer is told about it. The optional members are those of RFC 9457."""

    type: str
    """A URI reference that names the kind of problem, such as `/problems/unauthorized`."""
    message: str
    """What went wrong this time, for people."""
    errors: tuple[Fault, ...] = ()
    title: str = ""
    status: int | None = None
    detail: str = ""
    retry_after: float | None = None
    """Seconds to wait before the next attempt (`retryAfter` on the wire)."""
    id: object = None
    """The correlation id of the request that failed; None when there is none."""

    @classmethod
    def of(
        cls,
        type: str,
        message: str = "",
        *,
        errors: tuple[Fault, ...] = (),
        detail: str = "",
        retry_after: float | None = None,
        id: object = None,
    ) -> Problem:
        """A problem of the given type with the title and the status of the table; the title is the default message."""
        kind = PROBLEMS.get(type)
        return cls(
            type,
            message or (kind.title if kind else type),
            errors,
            title=kind.title if kind else "",
            status=kind.status if kind else None,
            detail=detail,
            retry_after=retry_after,
            id=id,
        )

    @property
    def kind(self) -> ProblemKind:
        """The row of the table for this type. A type of the application's own is a message that ends nothing."""
        own = ProblemKind(self.type, self.title, self.status or 400, None, Reaction.TELL_CALLER, refuses=True)
        return PROBLEMS.get(self.type, own)

    def about(self, correlation: object) -> Problem:
        """The same problem, said to concern the request with this correlation id. An id that is set stays."""
        return self if correlation is None or self.id is not None else replace(self, id=correlation)


class PayloadError(ValueError):
    """A payload that the document does not allow, received or about to be sent."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class ProblemError(Exception):
    """A problem that the peer reported, for instance as the answer to a request."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.message} ({problem.type})")
        self.problem = problem


class Refused(ProblemError):
    """Raised by the application, in `authenticate` or in a handler, to answer with a problem of its choice."""


REGISTERED_CLOSE_CODES: Final = frozenset({*range(1000, 1004), *range(1007, 1015), 3000, 3003, 3008})
"""The close codes that mean the same for everybody and that an endpoint can send (RFC 6455 and the IANA registry)."""

RETRIABLE_CLOSE_CODES: Final = frozenset({1001, 1005, 1006, 1012, 1013, 1014})
"""Close codes after which a client tries again even when no problem was told (RFC 6455 and the IANA registry)."""


def reaction_to_close(code: int, problem: Problem | None = None) -> Reaction:
    """What a client does when its connection ended with this close code, and this problem told just before."""
    if problem is not None and problem.kind.close is not None and (problem.kind.close == code or 4000 <= code <= 4999):
        return problem.kind.reaction  # documents have codes of their own for problems
    if code in RETRIABLE_CLOSE_CODES:
        return Reaction.RECONNECT
    if code in (3000, 3003, 3008):
        return next(kind.reaction for kind in PROBLEMS.values() if kind.close == code)
    return Reaction.STOP


def reaction_to_status(status: int, problem: Problem | None = None) -> Reaction:
    """What a client does when its handshake was refused with this HTTP status and, perhaps, a problem document."""
    if problem is not None and problem.type in PROBLEMS:
        return problem.kind.reaction
    if status == 401:
        return Reaction.RENEW_TOKEN
    return Reaction.BACK_OFF if status in (408, 425, 429) or status >= 500 else Reaction.STOP
