"""The opening handshake as the application sees it, and the HTTP answer when it is refused."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar
from urllib.parse import parse_qsl

import msgspec

from sockspec.runtime.problems import PROBLEMS, Problem

P_co = TypeVar("P_co", covariant=True)

_MOST_QUERY_FIELDS: Final = 256


class Values(Mapping[str, str]):
    """Header or query values by name. A name that occurs several times gives its first value; `all` gives the rest."""

    __slots__ = ("_fold", "_values")

    def __init__(self, pairs: Iterable[tuple[str, str]] = (), *, ignore_case: bool = False) -> None:
        self._fold = ignore_case
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(self._key(name), []).append(value)

    def _key(self, name: str) -> str:
        return name.lower() if self._fold else name

    def __getitem__(self, name: str) -> str:
        return self._values[self._key(name)][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        # Values can be secrets: tokens, cookies, tickets.
        return f"Values({', '.join(self._values)})"

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a name, in order."""
        return tuple(self._values.get(self._key(name), ()))


@dataclass(frozen=True, slots=True)
class Handshake(Generic[P_co]):
    """A request to open a connection. Its `repr` has no values of headers or query, since they can be secrets.

    `P_co` is what the document declares of path, query and headers, as a class of the generated package.
    """

    path: str
    parameters: P_co = field(repr=False)
    """The declared parameters, each of its own type; None for an endpoint without."""
    path_parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Values = field(default_factory=Values)
    headers: Values = field(default_factory=lambda: Values(ignore_case=True))
    peer: str = ""
    """The address of the other end, as `host:port`."""
    is_secure: bool = False
    """Whether the connection is encrypted, as far as the server can see."""
    peer_certificate: bytes | None = field(default=None, repr=False)
    """The certificate that the client has proven to have in the handshake of TLS, in DER; None where it has shown none.

    Only TLS settings that ask for one make clients show it (`ssl.SSLContext.verify_mode`), and a proxy that terminates
    TLS keeps it: what it tells of it stands in `headers`.
    """

    @property
    def bearer_token(self) -> str | None:
        """The token of the `Authorization: Bearer` header (RFC 6750, section 2.1); None when there is none."""
        scheme, _, token = self.headers.get("authorization", "").strip().partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None

    @property
    def subprotocols(self) -> tuple[str, ...]:
        """The subprotocols that the client offers, in its order."""
        offered = ",".join(self.headers.all("sec-websocket-protocol"))
        return tuple(name.strip() for name in offered.split(",") if name.strip())


def read_target(target: str) -> tuple[str, Values]:
    """The path and the query of a request target (RFC 9112, section 3.2). Too large a query counts as empty."""
    path, _, query = target.partition("?")
    try:
        return path, Values(parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_QUERY_FIELDS))
    except ValueError:
        return path, Values()


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP response in place of a connection."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    length: int | None = None
    """How long the body would be that the answer to HEAD leaves out; None for the length of the body."""

    @property
    def content_length(self) -> str:
        """What the header of this name says."""
        return str(len(self.body) if self.length is None else self.length)


def http_refusal(problem: Problem, challenges: Iterable[str] = ("Bearer",)) -> HttpResponse:
    """The response that tells a problem as `application/problem+json` (RFC 9457).

    `challenges` are what the status 401 says in `WWW-Authenticate`.
    """
    status = _status(problem)
    headers = [("Content-Type", "application/problem+json"), ("Cache-Control", "no-store")]
    members: dict[str, object] = {
        "type": problem.type,
        "title": problem.title or problem.message,
        "status": status,
        "detail": problem.detail or problem.message,
    }
    if problem.retry_after is not None:
        members["retryAfter"] = problem.retry_after
        headers.append(("Retry-After", str(math.ceil(problem.retry_after))))
    if status == 401:
        headers.append(("WWW-Authenticate", ", ".join(challenges)))
    return HttpResponse(status, tuple(headers), msgspec.json.encode(members))


def _status(problem: Problem) -> int:
    """The status of the response: the problem's own where it is one of an error that HTTP knows."""
    from http import HTTPStatus

    known = {status.value for status in HTTPStatus if status >= HTTPStatus.BAD_REQUEST}
    kind = PROBLEMS.get(problem.type)
    default = kind.status if kind is not None else HTTPStatus.BAD_REQUEST.value
    return problem.status if problem.status in known else default
