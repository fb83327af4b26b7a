"""What a server does with handshakes and connections, over any transport: admit, converse, drain."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Final

from sockspec.runtime.codec import Codec
from sockspec.runtime.connection import Admission, Connection
from sockspec.runtime.conversation import Conversation, incident
from sockspec.runtime.fleet.control import HEADER, RESUME_SUBPROTOCOL, VERSION
from sockspec.runtime.fleet.node import Node
from sockspec.runtime.handshake import Handshake, HttpResponse, Values, http_refusal, read_target
from sockspec.runtime.limits import Limits
from sockspec.runtime.observer import tell
from sockspec.runtime.options import Options
from sockspec.runtime.parameters import read_parameters
from sockspec.runtime.problems import (
    FORBIDDEN,
    INVALID_PARAMETERS,
    NOT_FOUND,
    ORIGIN_NOT_ALLOWED,
    REACH_MAXIMUM_CONNECTIONS,
    SERVICE_RESTART,
    UNSUPPORTED_VERSION,
    Problem,
    Refused,
)
from sockspec.runtime.proxies import TrustedProxies
from sockspec.runtime.routing import Match, Route, Router, shape
from sockspec.runtime.security.authentication import NOBODY, Identity, authenticate, challenges, schemes_of
from sockspec.runtime.security.cleartext import internet_address
from sockspec.runtime.security.schemes import SUBPROTOCOL, TOKEN_SUBPROTOCOL, KeyScheme
from sockspec.runtime.server import Server
from sockspec.runtime.transport import ServerTransport
from sockspec.runtime.turnstile import Turnstile, network

_log: Final = logging.getLogger("sockspec.server")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route with what applies to it here."""

    server: Server[Any]
    route: Route
    limits: Limits
    incoming: Codec[Any]
    turnstile: Turnstile
    scope: str
    """What names the limits of principals on all nodes: endpoints of one name count together."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request to open a connection, as any way of serving reads it."""

    target: str
    """Path and query, as they stand in the request line."""
    headers: Values
    host: str = ""
    """The address of whoever sent it; empty where there is none."""
    port: int = 0
    is_secure: bool = False
    peer_certificate: bytes | None = None
    """The certificate that the client has proven to have, in DER."""


class Dispatcher:
    """Serves an application: every way of serving it hands its handshakes and its connections over to this."""

    def __init__(self, servers: tuple[Server[Any], ...], options: Options) -> None:
        """Raises ValueError for options that cannot be safe, or that are not what they should be."""
        self.options: Final = options
        self._servers = servers
        self.draining = False
        self._joined: Node | None = None
        self.endpoints: Final = tuple(_endpoints(servers, options))
        self._endpoints = {id(endpoint.route): endpoint for endpoint in self.endpoints}
        self._router = Router(endpoint.route for endpoint in self.endpoints)
        self._proxies = TrustedProxies(options.trusted_proxies)
        self.limits: Final = _together(self.endpoints)
        """What holds for all that is served, and before it is known which endpoint a handshake is for."""
        self.turnstile: Final = Turnstile(self.limits)
        self._conversations: dict[Conversation, None] = {}
        for endpoint in self.endpoints:
            _insist_on_origins(endpoint, options)
        self.node = self._attach()

    def _attach(self) -> Node:
        """The node of these servers: one that some of them are on already, or a new one."""
        nodes = [server.node for server in self._servers if server.node is not None and server.node.is_usable]
        # One that does nothing yet is no reason to stay with a backplane.
        fitting = [node for node in nodes if node.is_running or node.options.backplane is self.options.backplane]
        node = fitting[0] if fitting else Node(self.options)
        if node.options.backplane is not self.options.backplane:
            raise ValueError("a server that is being served already cannot be served with another backplane as well")
        for server in self._servers:
            server.node = node
            node.presence.serve(server)
        return node

    async def start(self) -> None:
        """Join the fleet, if that has not been done. A backplane that does not answer is tried again beside.

        Raises ValueError when servers are served with another backplane already.
        """
        if self._joined is None or not self.node.is_usable:
            self.node = self._attach()
        if self._joined is not self.node:
            self._joined = self.node
            self.node.users += 1
        await self.node.hub.start()

    async def stop(self) -> None:
        """Leave the fleet, once nobody is served any more."""
        if self._joined is not None:
            self._joined.users -= 1
            joined, self._joined = self._joined, None
            if joined.users == 0:
                await joined.stop()

    @property
    def restarting(self) -> Problem:
        """What clients are told when the server stops."""
        return Problem.of(SERVICE_RESTART, retry_after=self.options.retry_after)

    async def admit(self, request: Request) -> Admission | HttpResponse:
        """Answer a handshake: by a connection, which may only serve to tell of a refusal, or by an HTTP response.

        A connection has its place until it is given to `forget`, which has to be done once.
        """
        if not self.draining:
            await self.start()
        with ExitStack() as places:
            answer = await self._answer(request, places)
            if isinstance(answer, Admission):
                places.pop_all()
            return answer

    async def converse(self, transport: ServerTransport, admission: Admission) -> None:
        """Serve a connection until it ends. Raises nothing."""
        endpoint = self._endpoints[id(admission.route)]
        connection: Connection[Any, Any] = admission.route.connection(
            transport, admission, options=self.options, limits=endpoint.limits
        )
        conversation = Conversation(
            connection, transport, admission, self.options, endpoint.limits, endpoint.incoming, self
        )
        self._conversations[conversation] = None
        try:
            await conversation.run()
        finally:
            del self._conversations[conversation]
            connection.ended()
            self.node.ended(connection, comes_back=conversation.comes_back)

    def forget(self, admission: Admission) -> None:
        """Give back the place of a handshake, once its connection has ended, or when none came of it."""
        for turnstile in (self.turnstile, self._endpoints[id(admission.route)].turnstile):
            turnstile.release()
            if admission.refusal is None:
                turnstile.leave(admission.identity.principal.id, admission.address)
        if admission.seat:
            self.node.seats.release(admission.seat)

    async def drain(self) -> None:
        """Refuse new connections and end the others: tell them, let running handlers finish, close, and cancel."""
        self.draining = True
        options = self.options
        dismissed = list(self._conversations)
        deadline = time.monotonic() + options.drain_timeout
        goodbyes: list[asyncio.Task[None]] = []
        for start in range(0, len(dismissed), max(1, options.drain_batch)):
            if start:
                await asyncio.sleep(min(options.drain_pause, max(0.0, deadline - time.monotonic())))
            batch = dismissed[start : start + max(1, options.drain_batch)]
            goodbyes += [asyncio.create_task(one.dismiss(self.restarting, deadline)) for one in batch]
        if goodbyes:
            await asyncio.gather(*goodbyes)
        leftovers = [conversation.task for conversation in dismissed if conversation in self._conversations]
        for task in leftovers:
            task.cancel()
        if leftovers:
            left = deadline + options.close_timeout - time.monotonic()
            await asyncio.wait(leftovers, timeout=min(options.close_timeout, max(1.0, left)))

    def limits_of(self, admission: Admission) -> Limits:
        """The limits for a connection."""
        return self._endpoints[id(admission.route)].limits

    def has_endpoint(self, path: str) -> bool:
        """Whether connections can be opened to a path."""
        return self._router.match(path) is not None

    @property
    def secrets_in_query(self) -> frozenset[str]:
        """The query parameters that carry credentials, and must not get into a log."""
        options = self.options
        keys = self._keys_in("query")
        own = (options.token_in_query, options.ticket_in_query if options.tickets is not None else "")
        return frozenset(name for name in (*keys, *own) if name)

    @property
    def secret_headers(self) -> frozenset[str]:
        """The headers that carry keys."""
        return frozenset(self._keys_in("header"))

    def _keys_in(self, place: str) -> list[str]:
        schemes = [scheme for server in self._servers for scheme in server.schemes]
        return [scheme.parameter for scheme in schemes if isinstance(scheme, KeyScheme) and scheme.place == place]

    def pages(self) -> tuple[str, ...]:
        """The generated documentation of the APIs that have it."""
        return tuple(page for page in (server.page() for server in self._servers) if page)

    # --- admission --------------------------------------------------------------------------------------------------

    async def _answer(self, request: Request, places: ExitStack) -> Admission | HttpResponse:
        match: Match | None = None
        handshake: Handshake[Any] | None = None
        host = self._proxies.client(request.host, request.headers)
        try:
            # Up to here nobody gets more than an HTTP status: there is no room for more, or it would be overheard.
            self._reserve(self.turnstile, places)
            if not (request.is_secure or self.options.behind_tls_proxy) and _is_remote(request.host):
                raise Refused(Problem.of(FORBIDDEN, "only encrypted connections are accepted"))
            path, query = read_target(request.target)
            match = self._match(path)
            self._reserve(self._endpoints[id(match.route)].turnstile, places)
            parameters = read_parameters(match.route.parameters, match.parameters, query, request.headers)
            peer = f"[{host}]:{request.port}" if ":" in host else f"{host}:{request.port}"
            handshake = Handshake(
                *(path, parameters, match.parameters, query, request.headers, peer if host else ""),
                *(request.is_secure, request.peer_certificate),
            )
            _insist_on_subprotocols(match.route, handshake)
            return await self._enter(match, handshake, host)
        except Refused as refused:
            problem = refused.problem
        self._note(problem, host)
        return self._refuse(problem, match, handshake)

    def _note(self, problem: Problem, host: str) -> None:
        """Let operators know of a refusal. Not by path or query, which can have secrets in them."""
        _log.info("a handshake from %s is refused: %s", host or "an unknown address", problem.type)
        tell(self.options.observers, lambda observer: observer.refused(problem))

    def _reserve(self, turnstile: Turnstile, places: ExitStack) -> None:
        if not turnstile.reserve():
            raise Refused(Problem.of(REACH_MAXIMUM_CONNECTIONS, retry_after=self.options.retry_after))
        places.callback(turnstile.release)

    def _guard(self, turnstile: Turnstile, handshake: Handshake[Any], address: str) -> None:
        """What is refused whoever it is."""
        if self.draining:
            raise Refused(self.restarting)
        origin, origins = handshake.headers.get("origin"), self.options.origins
        if origin is not None and origins is not None and origin not in origins:
            raise Refused(Problem.of(ORIGIN_NOT_ALLOWED))
        problem = turnstile.arrive(address, time.monotonic())
        if problem is not None:
            raise Refused(problem)

    def _match(self, path: str) -> Match:
        match = self._router.match(path)
        if match is not None:
            return match
        for prefix in self.options.retired:
            if path == prefix or path.startswith(prefix.rstrip("/") + "/"):
                raise Refused(Problem.of(UNSUPPORTED_VERSION, "this version of the API is served no more"))
        raise Refused(Problem.of(NOT_FOUND, "no WebSocket endpoint has this path"))

    async def _enter(self, match: Match, handshake: Handshake[Any], host: str) -> Admission:
        endpoint = self._endpoints[id(match.route)]
        address = self._counted(host)
        self._guard(endpoint.turnstile, handshake, address)
        try:
            identity = await authenticate(endpoint.server, match.route, handshake, self.options)
        except Refused:
            raise
        except Exception:
            raise Refused(incident("the authentication of a handshake from %s failed", handshake.peer)) from None
        if self.draining:
            raise Refused(self.restarting)
        who = identity.principal.id
        problem = endpoint.turnstile.enter(who, address, self.options.retry_after)
        admission = _admission(endpoint, handshake, identity, address, resumes=self.options.resume)
        if problem is None:
            try:
                seat = await self._claim(endpoint, who)
            except BaseException:
                endpoint.turnstile.leave(who, address)
                raise
            if seat is not None:
                self.turnstile.enter(who, address, self.options.retry_after)
                return replace(admission, seat=seat)
            endpoint.turnstile.leave(who, address)
            problem = Problem.of(REACH_MAXIMUM_CONNECTIONS, retry_after=self.options.retry_after)
        self._note(problem, host)
        return replace(admission, refusal=problem, address="", resumes=False)

    async def _claim(self, endpoint: Endpoint, who: str) -> str | None:
        """A place on all nodes together, where other nodes have some; empty where none is needed."""
        most = endpoint.limits.max_connections_per_principal
        if most is None or not who or self.options.backplane is None:
            return ""
        return await self.node.seats.claim(endpoint.scope, who, most)

    def _counted(self, host: str) -> str:
        """What the limits for one address count by. Behind a proxy that is not trusted, all have the proxy's address."""
        hidden = self.options.behind_tls_proxy and not self._proxies
        return "" if hidden or not host else network(host)

    def _refuse(
        self, problem: Problem, match: Match | None, handshake: Handshake[Any] | None
    ) -> Admission | HttpResponse:
        """Say no: by HTTP, or over a connection to those who would see no HTTP response, browsers above all."""
        if match is None:
            return http_refusal(problem)
        endpoint = self._endpoints[id(match.route)]
        if (
            handshake is None
            or endpoint.route.code_for(problem) is None
            or not (
                "origin" in handshake.headers
                or not {SUBPROTOCOL, RESUME_SUBPROTOCOL}.isdisjoint(handshake.subprotocols)
            )
        ):
            return http_refusal(problem, challenges(endpoint.server, match.route))
        admission = _admission(endpoint, handshake, NOBODY, "", resumes=self.options.resume)
        return replace(admission, refusal=problem, resumes=False)


def _endpoints(servers: tuple[Server[Any], ...], options: Options) -> list[Endpoint]:
    """What is served. Limits are counted for each API, for an endpoint where it has its own, or together by the options'.

    Raises ValueError when two servers have endpoints at the same paths.
    """
    everywhere = Turnstile(options.limits) if options.limits is not None else None
    shapes: dict[object, int] = {}
    found: list[Endpoint] = []
    for number, server in enumerate(servers):
        shared = everywhere or Turnstile(server.limits)
        for route in server.routes:
            other = shapes.setdefault(shape(route.path), number)
            if other != number:
                names = f"{type(servers[other]).__name__} and {type(server).__name__}"
                raise ValueError(f"{names} both serve {route.path!r}: give their versions paths of their own")
            limits = options.limits or route.limits or server.limits
            own = everywhere is None and route.limits is not None and route.counted
            turnstile = Turnstile(limits, shared=shared, own=route.counted) if own else shared
            alone = own and "max_connections_per_principal" in route.counted
            scope = route.path if alone else server.routes[0].path if everywhere is None else "everything"
            incoming = route.incoming.limited(limits.max_depth)
            found.append(Endpoint(server, route, limits, incoming, turnstile, scope))
    return found


def _together(endpoints: tuple[Endpoint, ...]) -> Limits:
    """The limits of all endpoints together: what each may have, has to have room."""
    limits = [endpoint.limits for endpoint in endpoints] or [Limits()]
    places = {id(endpoint.turnstile.places): endpoint.turnstile.places.most for endpoint in endpoints}.values()
    return Limits(
        max_connections=None,
        max_connections_per_principal=None,
        max_connections_per_address=None,
        connections_per_second=None,
        max_sockets=None if None in places else sum(most for most in places if most is not None),
        max_handshakes=min(one.max_handshakes for one in limits),
        max_message=max(one.max_message for one in limits),
        max_inbound=max(one.max_inbound for one in limits),
    )


def _insist_on_origins(endpoint: Endpoint, options: Options) -> None:
    if options.origins is not None:
        return
    for scheme in schemes_of(endpoint.server, endpoint.route):
        if scheme.is_ambient:
            raise ValueError(
                f"{scheme.name!r} authenticates by what browsers send for any page, as they do with cookies, passwords and "
                "certificates: name the pages that may connect in Options(origins=…), which is () for none"
            )


def _insist_on_subprotocols(route: Route, handshake: Handshake[Any]) -> None:
    """Refuse whoever speaks other subprotocols only. Who offers none leaves the choice to the server; ours are no choice."""
    offered = handshake.subprotocols
    if not route.subprotocols or not offered or not frozenset(route.subprotocols).isdisjoint(offered):
        return
    ours = (SUBPROTOCOL, RESUME_SUBPROTOCOL)
    if not any(name in ours or name.startswith(TOKEN_SUBPROTOCOL) for name in offered):
        wanted = ", ".join(route.subprotocols)
        raise Refused(Problem.of(INVALID_PARAMETERS, f"none of the subprotocols is one of this endpoint: {wanted}"))


def _admission(
    endpoint: Endpoint, handshake: Handshake[Any], identity: Identity, address: str, *, resumes: bool = False
) -> Admission:
    offered = handshake.subprotocols
    preferred = (*endpoint.route.subprotocols, *([RESUME_SUBPROTOCOL] if resumes else []), SUBPROTOCOL)
    subprotocol = next((name for name in preferred if name in offered), None)
    asks = subprotocol == RESUME_SUBPROTOCOL or handshake.headers.get(HEADER) == VERSION
    return Admission(
        endpoint.server, endpoint.route, handshake, identity, subprotocol, address, resumes=resumes and asks
    )


def _is_remote(host: str) -> bool:
    """Whether an address is one of another machine. What is no address, such as a Unix socket's, is not."""
    address = internet_address(host)
    return address is not None and not address.is_loopback
