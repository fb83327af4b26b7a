"""What a server does with handshakes and connections, over any transport: admit, converse, drain."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from dataclasses import dataclass, replace
from typing import Any, Final

from sockspec.runtime.codec import Codec
from sockspec.runtime.connection import Admission, Connection
from sockspec.runtime.conversation import Conversation, incident
from sockspec.runtime.handshake import Handshake, HttpResponse, Values, http_refusal, read_target
from sockspec.runtime.limits import Limits
from sockspec.runtime.options import Options
from sockspec.runtime.parameters import read_parameters
from sockspec.runtime.problems import (
    FORBIDDEN,
    NOT_FOUND,
    ORIGIN_NOT_ALLOWED,
    REACH_MAXIMUM_CONNECTIONS,
    SERVICE_RESTART,
    UNSUPPORTED_VERSION,
    Problem,
    Refused,
)
from sockspec.runtime.proxies import TrustedProxies
from sockspec.runtime.routing import Match, Route, Router
from sockspec.runtime.security.authentication import NOBODY, Identity, authenticate, challenges, schemes_of
from sockspec.runtime.security.cleartext import is_loopback
from sockspec.runtime.security.schemes import SUBPROTOCOL, KeyScheme
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


class Dispatcher:
    """Serves an application: every way of serving it hands its handshakes and its connections over to this."""

    def __init__(self, servers: tuple[Server[Any], ...], options: Options) -> None:
        """Raises ValueError for options that cannot be safe, or that are not what they should be."""
        self.options: Final = options
        self._servers = servers
        self.draining = False
        endpoints = [_endpoint(server, route, options) for server in servers for route in server.routes]
        self._endpoints = {id(endpoint.route): endpoint for endpoint in endpoints}
        self._router = Router(endpoint.route for endpoint in endpoints)
        self._proxies = TrustedProxies(options.trusted_proxies)
        self.limits: Final = options.limits or (servers[0].limits if servers else Limits())
        self.turnstile: Final = Turnstile(self.limits)
        self._conversations: dict[Conversation, None] = {}
        for endpoint in endpoints:
            _insist_on_origins(endpoint, options)

    @property
    def restarting(self) -> Problem:
        """What clients are told when the server stops."""
        return Problem.of(SERVICE_RESTART, retry_after=self.options.retry_after)

    async def admit(self, request: Request) -> Admission | HttpResponse:
        """Answer a handshake: by a connection, which may only serve to tell of a refusal, or by an HTTP response."""
        match: Match | None = None
        handshake: Handshake[Any] | None = None
        try:
            self._guard(request)
            path, query = read_target(request.target)
            match = self._match(path)
            host = self._proxies.client(request.host, request.headers)
            parameters = read_parameters(match.route.parameters, match.parameters, query, request.headers)
            peer = f"[{host}]:{request.port}" if ":" in host else f"{host}:{request.port}"
            handshake = Handshake(
                path, parameters, match.parameters, query, request.headers, peer if host else "", request.is_secure
            )
            return await self._enter(match, handshake, host)
        except Refused as refused:
            problem = refused.problem
        for observer in self.options.observers:
            observer.refused(problem)
        return self._refuse(problem, match, handshake)

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
        self.turnstile.sockets += 1
        try:
            await conversation.run()
        finally:
            self.turnstile.sockets -= 1
            del self._conversations[conversation]
            connection.ended()

    def forget(self, admission: Admission) -> None:
        """Give back the room of a handshake, once its connection has ended, or when none came of it."""
        if admission.refusal is None:
            self.turnstile.leave(admission.identity.principal.id, admission.address)

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

    def page(self) -> str | None:
        """The generated documentation of the first API; None where it has none."""
        return next((page for page in (server.page() for server in self._servers) if page), None)

    # --- admission --------------------------------------------------------------------------------------------------

    def _guard(self, request: Request) -> None:
        """What is refused whatever it asks for."""
        if self.draining:
            raise Refused(self.restarting)
        options = self.options
        if self.turnstile.is_full:
            raise Refused(Problem.of(REACH_MAXIMUM_CONNECTIONS, retry_after=options.retry_after))
        if not (request.is_secure or options.behind_tls_proxy) and _is_remote(request.host):
            raise Refused(Problem.of(FORBIDDEN, "only encrypted connections are accepted"))
        origin = request.headers.get("origin")
        if origin is not None and options.origins is not None and origin not in options.origins:
            raise Refused(Problem.of(ORIGIN_NOT_ALLOWED))
        address = self._counted(self._proxies.client(request.host, request.headers))
        problem = self.turnstile.arrive(address, time.monotonic())
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
        try:
            identity = await authenticate(endpoint.server, match.route, handshake, self.options)
        except Refused:
            raise
        except Exception:
            raise Refused(incident("the authentication of a handshake from %s failed", handshake.peer)) from None
        if self.draining:
            raise Refused(self.restarting)
        address = self._counted(host)
        problem = self.turnstile.enter(identity.principal.id, address, self.options.retry_after)
        admission = _admission(endpoint, handshake, identity, address)
        return admission if problem is None else replace(admission, refusal=problem, address="")

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
            or problem.kind.close is None
            or not ("origin" in handshake.headers or SUBPROTOCOL in handshake.subprotocols)
        ):
            return http_refusal(problem, challenges(endpoint.server, match.route))
        return replace(_admission(endpoint, handshake, NOBODY, ""), refusal=problem)


def _endpoint(server: Server[Any], route: Route, options: Options) -> Endpoint:
    limits = options.limits or route.limits or server.limits
    return Endpoint(server, route, limits, route.incoming.limited(limits.max_depth))


def _insist_on_origins(endpoint: Endpoint, options: Options) -> None:
    if options.origins is not None:
        return
    for scheme in schemes_of(endpoint.server, endpoint.route):
        if scheme.is_ambient:
            raise ValueError(
                f"{scheme.name!r} authenticates by a cookie, which browsers send for any page: "
                "name the pages that may connect in Options(origins=…)"
            )


def _admission(endpoint: Endpoint, handshake: Handshake[Any], identity: Identity, address: str) -> Admission:
    offered = handshake.subprotocols
    preferred = (*endpoint.route.subprotocols, SUBPROTOCOL)
    subprotocol = next((name for name in preferred if name in offered), None)
    return Admission(endpoint.server, endpoint.route, handshake, identity, subprotocol, address)


def _is_remote(host: str) -> bool:
    """Whether an address is one of another machine. What is no address, such as a Unix socket's, is not."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return not is_loopback(host)
