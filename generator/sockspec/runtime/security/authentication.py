"""From the credentials of a handshake to a principal, by the security schemes of the document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sockspec.runtime.handshake import Handshake
from sockspec.runtime.options import Options
from sockspec.runtime.problems import FORBIDDEN, UNAUTHORIZED, Problem, Refused
from sockspec.runtime.security.principal import ANONYMOUS, Principal
from sockspec.runtime.security.schemes import Scheme, Security

if TYPE_CHECKING:
    from sockspec.runtime.routing import Route
    from sockspec.runtime.server import Server


@dataclass(frozen=True, slots=True)
class Identity:
    """Who was authenticated, and by which schemes."""

    principal: Principal
    grants: Mapping[str, frozenset[str]]
    """For each scheme that was met, the scopes that it grants."""

    def meets(self, security: Security) -> bool:
        """Whether one of the alternatives is met, scopes included."""
        return not security or any(
            all(need.scheme in self.grants and self.grants[need.scheme].issuperset(need.scopes) for need in alternative)
            for alternative in security
        )

    def knows(self, security: Security) -> bool:
        """Whether the schemes of one of the alternatives are met, whatever scopes they grant."""
        return not security or any(all(need.scheme in self.grants for need in alternative) for alternative in security)

    def renewed(self, principal: Principal) -> Identity:
        """The same with another principal: their scopes are what every scheme grants now."""
        return Identity(principal, dict.fromkeys(self.grants, principal.scopes))


NOBODY = Identity(ANONYMOUS, {})


async def authenticate(server: Server[Any], route: Route, handshake: Handshake[Any], options: Options) -> Identity:
    """Who connects to a route. Raises Refused: unauthorized without credentials, forbidden without the scopes."""
    ticket = handshake.query.get(options.ticket_in_query) if options.tickets is not None else None
    needed = schemes_of(server, route)
    if ticket is not None and options.tickets is not None:
        principal = options.tickets.redeem(ticket)
        if principal is None:
            raise Refused(Problem.of(UNAUTHORIZED, "the ticket is not valid, or not any more"))
        identity = Identity(principal, {scheme.name: principal.scopes for scheme in needed})
    else:
        identity = await _verify(server, needed, handshake, options)
    if not identity.knows(route.security):
        raise Refused(Problem.of(UNAUTHORIZED))
    if not identity.meets(route.security):
        raise Refused(Problem.of(FORBIDDEN, "the credentials do not grant the scopes that are needed to connect"))
    return identity


async def _verify(
    server: Server[Any], schemes: Iterable[Scheme], handshake: Handshake[Any], options: Options
) -> Identity:
    grants: dict[str, frozenset[str]] = {}
    first: Principal | None = None
    for scheme in schemes:
        credentials = scheme.find(handshake, options.token_in_query)
        if credentials is None:
            continue
        principal = await getattr(server, scheme.verify)(*credentials, handshake)
        if principal is not None:
            first = first or principal
            grants[scheme.name] = principal.scopes
    return Identity(first or ANONYMOUS, grants)


def schemes_of(server: Server[Any], route: Route) -> tuple[Scheme, ...]:
    """The schemes that matter for a route, those first that the handshake needs."""
    everywhere = (route.security, *(handler.security for handler in route.handlers.values()))
    names = dict.fromkeys(need.scheme for security in everywhere for alternative in security for need in alternative)
    known = {scheme.name: scheme for scheme in server.schemes}
    return tuple(known[name] for name in names if name in known)


def challenges(server: Server[Any], route: Route) -> tuple[str, ...]:
    """What a refusal says in `WWW-Authenticate` (RFC 9110, section 11.6.1): it has to say something."""
    found = dict.fromkeys(scheme.challenge for scheme in schemes_of(server, route) if scheme.challenge)
    return tuple(found) or ("Bearer",)
