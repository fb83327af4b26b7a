"""Which route a path leads to, and the values of its parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from sockspec.runtime.limits import Limits
from sockspec.runtime.problems import REGISTERED_CLOSE_CODES, Problem

if TYPE_CHECKING:
    import msgspec

    from sockspec.runtime.codec import Codec
    from sockspec.runtime.connection import Connection
    from sockspec.runtime.heartbeat import Heartbeat
    from sockspec.runtime.security.schemes import Security


@dataclass(frozen=True, slots=True)
class Handler:
    """The method of a server that handles a message."""

    method: str
    replies: bool = False
    """Whether the value that the method returns is sent as the reply."""
    security: Security = ()
    """What the client has to be allowed."""
    concurrent: bool = False
    """Whether the next message is handled while this one still is."""
    own: bool = False
    """Whether the runtime handles it, so that the application is not asked who may do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One WebSocket endpoint: where it is, what it carries, and who handles it."""

    path: str
    """A template such as `/rooms/{room}`."""
    connection: type[Connection[Any, Any]]
    incoming: Codec[Any]
    outgoing: Codec[Any]
    handlers: Mapping[type[Any], Handler] = field(default_factory=dict[type[Any], Handler])
    opened: str = ""
    """The method of the server that is called when a connection is open; empty for none."""
    closed: str = ""
    """The method of the server that is called when a connection has ended; empty for none."""
    parameters: type[msgspec.Struct] | None = None
    """What the path, the query and the headers of a handshake have to be; None where nothing is declared."""
    subprotocols: tuple[str, ...] = ()
    """The subprotocols of the endpoint, the preferred one first."""
    close_codes: tuple[int, ...] = ()
    """The close codes that the document declares. Where it declares some, the application closes with these and with
    those that are registered for everybody, and with no others."""
    closing: Mapping[str, int] = field(default_factory=dict[str, int])
    """For types of problems, the close codes that connections end with in place of the usual ones."""
    security: Security = ()
    """What a client needs to connect."""
    limits: Limits | None = None
    """What the document declares for this endpoint; None for what it declares for all."""
    heartbeat: Heartbeat | None = None
    """What the runtime sends and answers without the application."""
    counted: tuple[str, ...] = ()
    """Those of the limits that the document declares for this endpoint alone: they count its connections and no others."""

    def code_for(self, problem: Problem) -> int | None:
        """The code that a connection is closed with because of a problem; None where that ends none."""
        return self.closing.get(problem.type, problem.kind.close)

    def check_code(self, code: int) -> None:
        """Raises ValueError for a code that the application must not close a connection with."""
        if code in REGISTERED_CLOSE_CODES or code in self.close_codes:
            return
        if not 3000 <= code <= 4999:
            raise ValueError(f"{code} is no close code that a server can send; those of applications are 4000 to 4999")
        if self.close_codes:
            declared = ", ".join(str(int(one)) for one in self.close_codes)
            raise ValueError(f"the document does not declare the close code {code} for {self.path}, but {declared}")


@dataclass(frozen=True, slots=True)
class Match:
    """A route, and the decoded values of the parameters in its path."""

    route: Route
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Segment:
    """What stands between two slashes of a template: literals around parameters, as in `v{major}.{minor}`."""

    literals: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> _Segment:
        literals: list[str] = []
        names: list[str] = []
        rest = text
        while "{" in rest and "}" in rest:
            before, _, tail = rest.partition("{")
            name, _, rest = tail.partition("}")
            literals.append(before)
            names.append(name)
        return cls((*literals, rest), tuple(names))

    @property
    def rank(self) -> int:
        """Smaller is tried earlier: literals, then mixtures, then mere parameters."""
        return 0 if not self.names else 1 if any(self.literals) else 2

    def match(self, value: str) -> Mapping[str, str] | None:
        """The parameters, at least a character each, with each literal taken where it first occurs: linear time."""
        first, *others = self.literals
        if not others:
            return {} if value == first else None
        if not value.startswith(first):
            return None
        values: dict[str, str] = {}
        start = len(first)
        for index, (name, literal) in enumerate(zip(self.names, others, strict=True)):
            is_last = index == len(others) - 1
            end = len(value) - len(literal) if is_last else value.find(literal, start + 1)
            if end <= start or not value.startswith(literal, end):
                return None
            values[name] = value[start:end]
            start = end + len(literal)
        return values


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/") if path.endswith("/") else path.lstrip("/").split("/")


def shape(path: str) -> tuple[tuple[str, ...], ...]:
    """What is the same for templates that the same paths match, whatever their parameters are called."""
    return tuple(_Segment.read(unquote(text)).literals for text in _segments(path))


class Router:
    """Finds the route for a path. More literal templates come before less literal ones, whatever their order."""

    def __init__(self, routes: Iterable[Route]) -> None:
        compiled = [([_Segment.read(unquote(text)) for text in _segments(route.path)], route) for route in routes]
        self._routes = sorted(compiled, key=lambda entry: [segment.rank for segment in entry[0]])

    def match(self, path: str) -> Match | None:
        """The route of a path as it stands in a request, percent-encoded and without a query; None when there is none.

        A trailing slash makes no difference.
        """
        try:
            values = [unquote(text, errors="strict") for text in _segments(path)]
        except UnicodeDecodeError:
            return None
        for segments, route in self._routes:
            if len(segments) == len(values):
                parameters = _match_all(segments, values)
                if parameters is not None:
                    return Match(route, parameters)
        return None


def _match_all(segments: list[_Segment], values: list[str]) -> dict[str, str] | None:
    parameters: dict[str, str] = {}
    for segment, value in zip(segments, values, strict=True):
        found = segment.match(value)
        if found is None:
            return None
        parameters.update(found)
    return parameters


def expand(template: str, parameters: Mapping[str, str]) -> str:
    """The path of a template with the given values, percent-encoded (RFC 3986, section 2.1).

    Raises ValueError for an empty value and for `.` and `..`, which do not survive in a path.
    """
    path = template
    for name, value in parameters.items():
        if value in ("", ".", ".."):
            raise ValueError(f"the parameter {name!r} of the path {template!r} cannot be {value!r}")
        path = path.replace("{" + name + "}", quote(value, safe=""))
    return path
