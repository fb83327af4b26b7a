"""The security of an API: schemes with the methods that verify credentials, and what connecting and acting needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from sockspec import ir
from sockspec.python import literals, naming
from sockspec.python.layout import Code, assigned, call, tuple_of
from sockspec.python.parameters import CONSTRUCTOR_RESERVED

_TOKENS = ("oauth2", "openIdConnect")
_CERTIFICATES = ("mutualTLS", "X509")
_PLACES = ("header", "query", "cookie")


@dataclass(frozen=True, slots=True)
class Credentials:
    """How the runtime calls a scheme, and what it gives to the method that verifies it."""

    kind: str
    parameters: tuple[str, ...]
    """The parameters of the method, before the handshake."""
    arguments: tuple[Code, ...] = ()
    """What the runtime's scheme takes beside its name and the method."""


def credentials(scheme: ir.SecurityScheme) -> Credentials:
    """What a scheme consists of. What the runtime cannot find by itself is left to the method, with the handshake."""
    match scheme:
        case ir.SecurityScheme(type="http", scheme="bearer"):
            return Credentials("BearerScheme", ("token: str",))
        case ir.SecurityScheme(type="http", scheme="basic"):
            return Credentials("BasicScheme", ("credentials: BasicCredentials",))
        case ir.SecurityScheme(type="userPassword" | "plain"):
            return Credentials("BasicScheme", ("credentials: BasicCredentials",))
        case ir.SecurityScheme(type="apiKey") if scheme.parameter_in in _PLACES and scheme.parameter_name:
            place = [assigned("place", literals.string(scheme.parameter_in))] if scheme.parameter_in != "header" else []
            named = assigned("parameter", literals.string(scheme.parameter_name))
            return Credentials("KeyScheme", ("key: str",), (named, *place))
        case _ if scheme.type in _CERTIFICATES:
            return Credentials("CertificateScheme", ())
        case _ if scheme.type in _TOKENS:
            return Credentials("BearerScheme", ("token: str",))
        case _:
            return Credentials("Scheme", ())


@dataclass(frozen=True, slots=True)
class Asked:
    """A parameter of a client's constructor for what proves who it is."""

    name: str
    annotation: str
    argument: Code = ""
    """The runtime's credential; empty for a bearer token, which the runtime's client takes as it is."""
    default: str = "None"


def asked(api: ir.Api, channel: ir.Channel, taken: Iterable[str]) -> tuple[Asked, ...]:
    """What a client can be given to prove who it is, whichever of the alternatives it then is. `taken` are other names."""
    names = dict.fromkeys(need.scheme for alternative in connecting(api, channel) for need in alternative)
    schemes = {scheme.name: scheme for scheme in api.security_schemes}
    scope = naming.Scope(CONSTRUCTOR_RESERVED)
    for name in taken:
        scope.take(name)
    declared = {("query", p.wire_name) for p in channel.query} | {
        ("header", p.wire_name.lower()) for p in channel.headers
    }
    found: dict[str, Asked] = {}
    for name in names:
        one = schemes.get(name)
        if one is None:
            continue
        kind = credentials(one).kind
        if kind == "BearerScheme":
            found.setdefault("token", Asked("token", "Token | None"))
        elif kind == "BasicScheme":
            word = scope.claim(naming.attribute_name(name))
            found[name] = Asked(word, "BasicCredentials | None", call("basic", word))
        elif kind == "KeyScheme" and _place(one) not in declared:
            word = scope.claim(naming.attribute_name(name))
            places = (literals.string(one.parameter_in), literals.string(one.parameter_name))
            found[name] = Asked(word, "Token | None", call("Credential", word, *places))
    if any(one is not None and credentials(one).kind == "Scheme" for one in map(schemes.get, names)):
        found[""] = Asked("credentials", "tuple[Credential, ...]", "*credentials", "()")
    return tuple(found.values())


def _place(scheme: ir.SecurityScheme) -> tuple[str, str]:
    """Where a key stands. Names of headers have no case."""
    name = scheme.parameter_name
    return scheme.parameter_in, name.lower() if scheme.parameter_in == "header" else name


def used(api: ir.Api) -> tuple[ir.SecurityScheme, ...]:
    """The schemes that something asks for."""
    asked = [connecting(api, channel) for channel in api.channels] + [o.security for o in _handled(api)]
    names = {need.scheme for security in asked for alternative in security for need in alternative}
    return tuple(scheme for scheme in api.security_schemes if scheme.name in names)


def are_ambient(api: ir.Api) -> bool:
    """Whether browsers send some of the credentials by themselves, also for pages of others."""
    kinds = [(credentials(scheme).kind, scheme.parameter_in) for scheme in used(api)]
    return any(
        kind in ("BasicScheme", "CertificateScheme") or (kind, place) == ("KeyScheme", "cookie")
        for kind, place in kinds
    )


def connecting(api: ir.Api, channel: ir.Channel) -> ir.Security:
    """What a handshake with a channel needs: what its servers ask for, and what it asks for itself.

    A server that asks for nothing, as one for development may, does not open what the others keep closed.
    """
    servers = [s for s in api.servers if not channel.servers or s.name in channel.servers]
    asked = dict.fromkeys(alternative for server in servers for alternative in server.security)
    both = product(asked or [()], channel.security or [()])
    found = dict.fromkeys(tuple(dict.fromkeys((*one, *other))) for one, other in both)
    return () if list(found) == [()] else tuple(found)


def scheme(name: str, verify: str, found: Credentials) -> Code:
    """The runtime's scheme."""
    return call(found.kind, literals.string(name), literals.string(verify), *found.arguments)


def requirements(security: ir.Security) -> Code:
    """The alternatives as the runtime has them."""
    return tuple_of(tuple_of(_requirement(need) for need in alternative) for alternative in security)


def _requirement(need: ir.Requirement) -> Code:
    scopes = [tuple_of(literals.string(scope) for scope in need.scopes)] if need.scopes else []
    return call("Requirement", literals.string(need.scheme), *scopes)


def _handled(api: ir.Api) -> list[ir.Operation]:
    return [o for o in api.operations if o.direction is ir.Direction.CLIENT_TO_SERVER]
