"""From the credentials of a handshake to a principal, by the security schemes of the document."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sockspec.runtime.handshake import Handshake
from sockspec.runtime.options import Options
from sockspec.runtime.problems import FORBIDDEN, UNAUTHORIZED, Problem, Refused
from sockspec.runtime.security.principal import ANONYMOUS, Principal
from sockspec.runtime.security.schemes import Scheme, Security
from sockspec.runtime.security.tickets import Tickets

if TYPE_CHECKING:
    from sockspec.runtime.routing import Route
    from sockspec.runtime.security.tickets import SignedTickets
    from sockspec.runtime.server import Server


@dataclass(frozen=True, slots=True)
class Identity:
    """Who was authenticated, and by which schemes."""

    principals: Mapping[str, Principal]
    """For each scheme that was met, whom its credentials are of: several may be needed together."""
    scheme: str = ""
    """The scheme whose principal the application sees."""

    @classmethod
    def of(cls, principals: Mapping[str, Principal]) -> Identity:
        """The application sees the first that has an id and expires, else the first that has an id, else the first.

        Beside a key, which stands for a program, that is the person whose session a token stands for.
        """
        rank = {name: (not one.id, one.expires is None) for name, one in principals.items()}
        return cls(principals, min(rank, key=rank.__getitem__, default=""))

    @property
    def principal(self) -> Principal:
        """Whom the application sees."""
        return self.principals.get(self.scheme, ANONYMOUS)

    @property
    def expires(self) -> dt.datetime | None:
        """When the first of all the credentials expires; None for never."""
        return min((one.expires for one in self.principals.values() if one.expires is not None), default=None)

    def meets(self, security: Security) -> bool:
        """Whether one of the alternatives is met, scopes included."""
        return not security or any(
            all(
                need.scheme in self.principals and self.principals[need.scheme].scopes.issuperset(need.scopes)
                for need in alternative
            )
            for alternative in security
        )

    def knows(self, security: Security) -> bool:
        """Whether the schemes of one of the alternatives are met, whatever scopes they grant."""
        return not security or any(
            all(need.scheme in self.principals for need in alternative) for alternative in security
        )

    def renewed(self, principal: Principal, scheme: str = "") -> Identity:
        """The same with fresh credentials of a scheme; by default of the one whose principal the application sees.

        Whatever else the credentials that they replace were good for is replaced, too: a ticket stands for all schemes.
        Raises Refused when they are somebody else's, and KeyError for a scheme that was not met.
        """
        previous = self.principals[scheme] if scheme else self.principal
        if principal.id != previous.id:
            raise Refused(Problem.of(FORBIDDEN, "the credentials are somebody else's"))
        replaced = {key: principal if one is previous else one for key, one in self.principals.items()}
        return Identity(replaced, self.scheme)


NOBODY = Identity({})


async def authenticate(server: Server[Any], route: Route, handshake: Handshake[Any], options: Options) -> Identity:
    """Who connects to a route. Raises Refused: unauthorized without credentials, forbidden without the scopes."""
    ticket = handshake.query.get(options.ticket_in_query) if options.tickets is not None else None
    needed = schemes_of(server, route)
    if ticket is not None and options.tickets is not None:
        principal = await _redeem(ticket, options.tickets, server)
        if principal is None:
            raise Refused(Problem.of(UNAUTHORIZED, "the ticket is not valid, or not any more"))
        identity = Identity.of({scheme.name: principal for scheme in needed})
    else:
        identity = await _verify(server, needed, handshake, options)
    if not identity.knows(route.security):
        raise Refused(Problem.of(UNAUTHORIZED))
    if not identity.meets(route.security):
        raise Refused(Problem.of(FORBIDDEN, "the credentials do not grant the scopes that are needed to connect"))
    return identity


async def _redeem(ticket: str, tickets: Tickets | SignedTickets, server: Server[Any]) -> Principal | None:
    if isinstance(tickets, Tickets):
        return tickets.redeem(ticket)
    node = server.node
    return None if node is None else await tickets.redeem(ticket, node.spend)


async def _verify(
    server: Server[Any], schemes: Iterable[Scheme], handshake: Handshake[Any], options: Options
) -> Identity:
    principals: dict[str, Principal] = {}
    for scheme in schemes:
        credentials = scheme.find(handshake, options.token_in_query)
        if credentials is None:
            continue
        principal = await getattr(server, scheme.verify)(*credentials, handshake)
        if principal is not None:
            principals[scheme.name] = principal
    return Identity.of(principals)


def schemes_of(server: Server[Any], route: Route) -> tuple[Scheme, ...]:
    """The schemes that matter for a route, those first that the handshake needs."""
    everywhere = (route.security, *(handler.security for handler in route.handlers.values()))
    names = dict.fromkeys(need.scheme for security in everywhere for alternative in security for need in alternative)
    known = {scheme.name: scheme for scheme in server.schemes}
    return tuple(known[name] for name in names if name in known)


def challenges(server: Server[Any], route: Route) -> tuple[str, ...]:
    """What a refusal says in `WWW-Authenticate` (RFC 9110, section 11.6.1): it has to say something."""
    found = dict.fromkeys(scheme.challenge for scheme in schemes_of(server, route) if scheme.challenge)
    return tuple(found) or ('Other realm="WebSocket"',)
