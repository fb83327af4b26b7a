"""What the guide says of security: who may connect, and who may do what."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sockspec import ir
from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.rules.guide.connections import is_local
from sockspec.rules.rule import ALL, Group, Rule
from sockspec.rules.saying import each_or_most, listed
from sockspec.rules.subject import Subject
from sockspec.spec.text import quoted

AUTHENTICATION = Code(
    "guide-authentication",
    Severity.ERROR,
    "The client must authenticate before a WebSocket connection is established, and the document asks for nothing: "
    "neither the server, nor the channel, nor its operations name a security scheme, or they let it be left out.",
    tolerable=True,
)
TOKEN = Code(
    "guide-authentication-token",
    Severity.WARNING,
    "Clients should authenticate by a token (such as a JWT) that they send during the handshake: a bearer token, OAuth 2, "
    "OpenID Connect, or a key in a header, the query or a cookie. A password travels with every connection, and does not "
    "expire.",
)
AUTHORIZATION = Code(
    "guide-authorization",
    Severity.ERROR,
    "The server must check that clients do only what they are allowed to. The document does not say what they need for "
    "it: an operation of clients has no `security` of its own, and what connecting needs names no scopes.",
    tolerable=True,
)

_CREDENTIAL = re.compile(r"(.*[-_])?(authorization|(access|auth|id)?[-_]?token|api[-_]?key|jwt|ticket)", re.IGNORECASE)


def _not_authenticated(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None:
        return
    acting = {operation.channel for operation in api.operations if _is_demanding(operation.security)}
    bare = [one for one in api.channels if not _is_demanding(one.security) and one.name not in acting]
    hint = next(filter(None, map(_credential, bare)), "name a scheme of 'components.securitySchemes' in 'security'")
    if subject.is_asyncapi and api.servers:
        yield from _open_servers(api.servers, bare, hint)
        return
    broken: list[tuple[Location, str]] = []
    for channel in bare:
        may = "authentication may be left out" if channel.security else "nothing is asked of clients that connect"
        broken.append((channel.location, f"{may} to {quoted(channel.address or channel.name)}"))
    lack = "channels ask nothing of clients that connect"
    yield from each_or_most(AUTHENTICATION, broken, len(api.channels), lack, hint=hint)


def _open_servers(servers: tuple[ir.Server, ...], bare: list[ir.Channel], hint: str) -> Iterator[Diagnostic]:
    """The servers of channels that ask for nothing themselves; those for development only if there are no others."""
    remote = [server for server in servers if not is_local(server.url)]
    every = {server.name for server in servers}
    named = {name for channel in bare for name in channel.servers or every}
    for server in remote or servers:
        if server.name in named and not _is_demanding(server.security):
            may = "lets authentication be left out" if server.security else "asks for no authentication"
            yield AUTHENTICATION.at(server.location, f"the server {quoted(server.name)} {may}", hint=hint)


def _is_demanding(security: ir.Security) -> bool:
    """Whether something has to be met: there are alternatives, and none of them is empty."""
    return bool(security) and all(security)


def _credential(channel: ir.Channel) -> str:
    """What to do about a parameter of the handshake that looks like a credential; empty where there is none."""
    places = [(one.wire_name, "query") for one in channel.query] + [
        (one.wire_name, "header") for one in channel.headers
    ]
    for name, place in places:
        if _CREDENTIAL.fullmatch(name):
            return f"{quoted(name)} in the {place} looks like a credential: make it a security scheme, and name that"
    return ""


def _no_token(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None:
        return
    schemes = {scheme.name: scheme for scheme in api.security_schemes}
    told: set[str] = set()
    asked = [part.security for part in api.servers] + [part.security for part in api.channels]
    for security in asked + [part.security for part in api.operations]:
        for alternative in security:
            names = [need.scheme for need in alternative if need.scheme in schemes]
            if any(_is_token(schemes[name]) for name in names):
                continue
            for name in names:
                if name not in told:
                    told.add(name)
                    text = (
                        f"the scheme {quoted(name)} ({_kind(schemes[name])}) is no token; a bearer token was expected"
                    )
                    yield TOKEN.at(schemes[name].location, text)


def _is_token(scheme: ir.SecurityScheme) -> bool:
    match scheme.type:
        case "http":
            return scheme.scheme not in ("basic", "digest")
        case "apiKey":
            return scheme.parameter_in in ("header", "query", "cookie")
        case _:
            return scheme.type in ("oauth2", "openIdConnect")


def _kind(scheme: ir.SecurityScheme) -> str:
    return " ".join(part for part in (scheme.type, scheme.scheme or scheme.parameter_in) if part)


def _not_authorized(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None:
        return
    schemes = {scheme.name: scheme for scheme in api.security_schemes}
    servers = {server.name: server for server in api.servers}
    acts: dict[str, list[ir.Operation]] = {}
    for operation in api.operations:
        if operation.direction is ir.Direction.CLIENT_TO_SERVER:
            acts.setdefault(operation.channel, []).append(operation)
    for channel in api.channels:
        asked = [channel.security, *(servers[name].security for name in channel.servers or servers if name in servers)]
        needs = [need for security in asked for alternative in security for need in alternative]
        listed_scopes = any(need.scopes or (need.scheme in schemes and schemes[need.scheme].scopes) for need in needs)
        operations = acts.get(channel.name, [])
        bare = [operation for operation in operations if not operation.security]
        is_open = not needs and len(bare) == len(operations)  # and then who connects is what has to be said first
        if not bare or listed_scopes or is_open:
            continue
        names = listed(dict.fromkeys(operation.name for operation in bare))
        place = bare[0].location if len(bare) < len(operations) else channel.location
        hint = "give operations a 'security' of their own, or name scopes" if subject.is_asyncapi else "name scopes"
        yield AUTHORIZATION.at(place, f"nothing says which clients may do {names}", hint=hint)


RULES = (
    Rule(
        AUTHENTICATION,
        Group.GUIDE,
        ALL,
        bad="servers:\n  production: {host: chat.example.com, protocol: wss}\n",
        good="""\
servers:
  production:
    host: chat.example.com
    protocol: wss
    security:
      - $ref: '#/components/securitySchemes/accessToken'
components:
  securitySchemes:
    accessToken: {type: http, scheme: bearer, bearerFormat: JWT}
""",
        check=_not_authenticated,
    ),
    Rule(
        TOKEN,
        Group.GUIDE,
        ALL,
        bad="securitySchemes:\n  password: {type: userPassword}\n",
        good="securitySchemes:\n  accessToken: {type: http, scheme: bearer, bearerFormat: JWT}\n",
        check=_no_token,
    ),
    Rule(
        AUTHORIZATION,
        Group.GUIDE,
        ALL,
        bad="""\
operations:
  ban:
    action: receive
    channel: {$ref: '#/channels/room'}
""",
        good="""\
operations:
  ban:
    action: receive
    channel: {$ref: '#/channels/room'}
    security:
      - type: oauth2
        flows: {}
        scopes: [moderate]
""",
        check=_not_authorized,
    ),
)
