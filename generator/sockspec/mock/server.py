"""The generated server with all that a document leaves open filled in: a server that can be connected to."""

from __future__ import annotations

import hmac
from collections import Counter
from dataclasses import dataclass, fields, replace
from types import ModuleType
from typing import Any, Final

from sockspec import ir
from sockspec.mock.endpoints import Endpoint, endpoints, server_class
from sockspec.mock.examples import Examples
from sockspec.mock.faults import Pace
from sockspec.mock.player import Part, Player
from sockspec.mock.steps import Repeat, Script, Stall, Step
from sockspec.mock.traffic import Ears, Traffic
from sockspec.runtime import (
    BasicCredentials,
    Connection,
    Limits,
    Options,
    Principal,
    Problem,
    Refused,
    Route,
    Scheme,
    Server,
)
from sockspec.runtime.connection import Admission
from sockspec.runtime.problems import UNAUTHORIZED
from sockspec.runtime.transport import ServerTransport
from sockspec.spec.source import Json

_PATIENCE: Final = 1.0
"""How long clients and steps have to come to an end when a mock stops, in seconds."""
_NEVER: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a mock behaves where its script says nothing."""

    pushes: bool = True
    """Whether it sends an example of each message that is no reply."""
    every: float | None = None
    """How often it sends them again, in seconds; None for once."""
    seed: int = 0
    """What examples that the document does not have are made from."""
    token: str | None = None
    """The one credential that is good; None for any."""
    is_open: bool = False
    """Whether it asks for no credentials at all."""


class Mock:
    """A mock of an API: its server, its script, and what it was sent."""

    def __init__(self, api: ir.Api, package: ModuleType, manner: Manner, traffic: Traffic) -> None:
        """`package` is the one that was made of the document."""
        self.traffic: Final = traffic
        self.endpoints: Final = endpoints(api, package)
        self.examples: Final = Examples(api, manner.seed)
        self._script: Script = {}
        self._taken: Counter[int] = Counter()
        part = Part(self.examples, traffic, manner.pushes, manner.every, self._next_step)
        self.server: Final = _filled_in(server_class(package), self.endpoints, part, manner)

    def play(self, script: Script) -> None:
        """Go by a script from now on, which has been read for the endpoints of this mock."""
        self._script, self._taken = script, Counter()

    def options(self, *, behind_tls_proxy: bool = False, pings: bool = True) -> Options:
        """How the mock is served. Where its script has it read nothing, it does not ping: it would miss the answers."""
        stalls = not pings or any(_stalls(step) for steps in self._script.values() for step in steps)
        return Options(
            close_timeout=_PATIENCE,
            drain_timeout=_PATIENCE,
            ping_interval=_NEVER if stalls else Options().ping_interval,
            behind_tls_proxy=behind_tls_proxy,
            docs=True,
            loop="asyncio",
            observers=(Ears(),),
        )

    def _next_step(self, endpoint: Endpoint, message: str | None, payload: Json) -> Step | None:
        for step in self._script.get(endpoint.channel.name, ()):
            if step.message != message or not step.fits(payload):
                continue
            if step.times is not None and self._taken[id(step)] >= step.times:
                continue
            self._taken[id(step)] += 1
            return step
        return None


def _stalls(step: Step | Repeat) -> bool:
    return any(isinstance(one, Stall) or (isinstance(one, Repeat) and _stalls(one)) for one in step.actions)


def _filled_in(base: type[Server[Any]], served: tuple[Endpoint, ...], part: Part, manner: Manner) -> Server[Any]:
    """A server with every abstract method, whose connections are played on."""
    players: dict[Connection[Any, Any], Player] = {}

    async def handle(self: object, connection: Connection[Any, Any], message: object) -> None:
        await players[connection].take(message)

    async def closed(self: object, connection: Connection[Any, Any]) -> None:
        player = players.pop(connection, None)
        if player is not None:
            player.stop()

    members: dict[str, Any] = {
        # Of the same module, beside which the documentation of the API is found.
        "__module__": base.__module__,
        "routes": tuple(_route(endpoint.route, manner) for endpoint in served),
        "schemes": tuple(_harmless(scheme) for scheme in base.schemes),
    }
    for endpoint, route in zip(served, members["routes"], strict=True):
        members |= {route.opened: _opening(part, endpoint, players), route.closed: closed}
    # Also those for operations whose messages all belong to others as well: they are abstract, and never called.
    members |= dict.fromkeys(base.__abstractmethods__, handle)
    verify = _verifying(base, manner.token)
    members |= {scheme.verify: verify for scheme in base.schemes}
    server: Server[Any] = type(base.__name__, (base,), members)()
    return server


def _opening(part: Part, endpoint: Endpoint, players: dict[Connection[Any, Any], Player]) -> Any:
    async def opened(self: object, connection: Any) -> None:
        player = players[connection] = Player(part, endpoint, connection, connection.pace)
        player.start()

    return opened


def _route(route: Route, manner: Manner) -> Route:
    """A route whose connections can be slowed down, and whose replies the mock sends itself: a script may have none."""
    handlers = {
        kind: replace(handler, replies=False, security=() if manner.is_open else handler.security)
        for kind, handler in route.handlers.items()
    }
    security = () if manner.is_open else route.security
    return replace(route, connection=_paced(route.connection), handlers=handlers, security=security)


def _paced(base: type[Connection[Any, Any]]) -> type[Connection[Any, Any]]:
    def init(self: Any, transport: ServerTransport, admission: Admission, *, options: Options, limits: Limits) -> None:
        self.pace = Pace(transport)
        base.__init__(self, self.pace, admission, options=options, limits=limits)

    return type(base.__name__, (base,), {"__module__": base.__module__, "__init__": init})


def _harmless(scheme: Scheme) -> Scheme:
    """The scheme of a mock, which guards nothing: so it does no harm if browsers meet it for any page."""
    kind = type(scheme)
    shared: Any = type(kind.__name__, (kind,), {"__slots__": (), "is_ambient": False})
    found: Scheme = shared(**{field.name: getattr(scheme, field.name) for field in fields(scheme)})
    return found


def _verifying(base: type[Server[Any]], token: str | None) -> Any:
    """A method that verifies the credentials of any scheme: the scopes that the document knows come with all of them."""
    everyone = Principal(scopes=_scopes(base.routes))

    async def verify(self: object, *given: object) -> Principal:
        *credentials, _ = given  # the last one is the handshake
        if token is not None and credentials and not any(_is(token, one) for one in credentials):
            raise Refused(Problem.of(UNAUTHORIZED))
        return everyone

    return verify


def _scopes(routes: tuple[Route, ...]) -> frozenset[str]:
    everywhere = [route.security for route in routes]
    everywhere += [handler.security for route in routes for handler in route.handlers.values()]
    return frozenset(
        scope
        for security in everywhere
        for alternative in security
        for requirement in alternative
        for scope in requirement.scopes
    )


def _is(token: str, credential: object) -> bool:
    """Whether a credential is the good one: a token, a key, or a password."""
    given = credential.password if isinstance(credential, BasicCredentials) else str(credential)
    return hmac.compare_digest(given.encode(errors="replace"), token.encode(errors="replace"))
