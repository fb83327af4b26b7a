"""Servers, authentication, and the URL of a connection as parts of a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, urlencode

from sockspec import ir
from sockspec.docs.anchors import Anchors
from sockspec.docs.fields import Fields
from sockspec.docs.page import Address, Blank, Scheme, Server, Table
from sockspec.docs.types import Line, Piece, Types
from sockspec.docs.writing import Writing, one_line

_NOWHERE = "ws://localhost:8765"
_BRACES = re.compile(r"\{([^{}]*)\}")
_SCHEMES = {
    "oauth2": "OAuth 2.0 access token, sent as a bearer token in the header",
    "openIdConnect": "OpenID Connect token, sent as a bearer token in the header",
    "mutualTLS": "client certificate, shown when the TLS connection is made",
    "X509": "client certificate, shown when the TLS connection is made",
    "userPassword": "user name and password",
}
_PLACES = {"query": "query parameter", "header": "header", "cookie": "cookie"}
_TOKENS = ("oauth2", "openIdConnect")
_BROWSERS = {
    "token": "Pages cannot send this header. A server made with sockspec also takes the token as a subprotocol, "
    "'sockspec.bearer.' followed by the token in base64url without padding, offered beside the subprotocol 'sockspec'; "
    "and, where it hands them out, a one-time ticket in the query. Others may have a way of their own.",
    "header": "Pages cannot send this header: the server has to offer another way, such as a cookie or a one-time ticket "
    "in the query.",
    "query": "Pages can send it, since it is part of the URL. URLs end up in logs.",
    "cookie": "Browsers send it by themselves to the site that has set it, and scripts cannot set it for another one. The "
    "server should look at Origin.",
    "basic": "Pages cannot send it; a browser may, when the user has signed in to the same site.",
    "certificate": "The browser asks its user which certificate to show; pages have no say.",
}
"""What scripts of pages can do about a credential, by how it travels."""


class Connecting:
    """Writes what has to be known before a connection is open."""

    def __init__(self, api: ir.Api, anchors: Anchors, types: Types, fields: Fields, writing: Writing) -> None:
        self._api = api
        self._anchors = anchors
        self._types = types
        self._fields = fields
        self._writing = writing

    # --- servers ------------------------------------------------------------------------------------------------------

    def server(self, server: ir.Server) -> Server:
        """Where the API is served."""
        anchor = self._anchors.servers[server.name]
        rows = self._fields.parameters(server.variables, self._anchors.within(anchor))
        return Server(
            self._writing.text(server.name),
            anchor,
            self._writing.text(server.title if server.title.casefold() != server.name.casefold() else ""),
            self._writing.code(server.url),
            self._writing.described(server.description),
            (Table("Variables", rows),) if rows else (),
            self.security(server.security),
        )

    def servers_of(self, channel: ir.Channel) -> list[ir.Server]:
        """The servers that have a channel."""
        return [server for server in self._api.servers if not channel.servers or server.name in channel.servers]

    def urls(self, channel: ir.Channel) -> list[str]:
        """The URLs of a channel, with what is in braces to be filled in."""
        servers = self.servers_of(channel)
        if channel.address is None:
            return [server.url for server in servers]
        return [server.url + channel.address for server in servers] or [channel.address]

    def address(self, channel: ir.Channel) -> Iterator[Address]:
        """The URL of a channel, with blanks; none where nothing has to be filled in or chosen."""
        servers, path = self.servers_of(channel), channel.address or ""
        bases = [one_line(server.url) for server in servers] or [_NOWHERE]
        own = {one.wire_name for one in channel.parameters}
        variables = {
            one.wire_name: one for server in reversed(servers) for one in server.variables if _has(server.url, one)
        }
        named = [("variable", one) for name, one in variables.items() if name not in own]
        named += [("path", one) for one in channel.parameters if _has(bases[0] + path, one)]
        named += [("query", one) for one in channel.query]
        anchor = self._anchors.channels[channel.name]
        blanks = [_blank(f"{anchor}-blank-{at}", place, one) for at, (place, one) in enumerate(named, 1)]
        if len(bases) > 1:
            chosen = tuple((base, at == 0) for at, base in enumerate(bases))
            blanks.insert(0, Blank(f"{anchor}-blank-server", "", "server", "server", bases[0], chosen, False))
        if blanks:
            path = one_line(path)
            yield Address(f"{anchor}-url", bases[0], path, _filled(bases[0], path, blanks), tuple(blanks))

    # --- authentication -----------------------------------------------------------------------------------------------

    def scheme(self, scheme: ir.SecurityScheme) -> Scheme:
        """A way to authenticate."""
        return Scheme(
            self._writing.text(scheme.name),
            self._anchors.schemes[scheme.name],
            self._how(scheme),
            (self._types.words(_BROWSERS[kind]),) if (kind := _kind(scheme)) else (),
            tuple((self._writing.code(scope), self._writing.text(meaning)) for scope, meaning in scheme.scopes),
            tuple(self._needed(scheme.name)),
            self._writing.described(scheme.description),
        )

    def _how(self, scheme: ir.SecurityScheme) -> Line:
        words, header = self._types.words, self._types.identifier("Authorization")
        if scheme.type == "http" and scheme.scheme == "bearer":
            format_ = f" ({scheme.bearer_format})" if scheme.bearer_format else ""
            return (words(f"bearer token{format_} in the header"), Piece(" "), header)
        if scheme.type == "http":
            kind = "user name and password" if scheme.scheme == "basic" else f"{scheme.scheme} credentials"
            return (words(f"{kind} in the header"), Piece(" "), header)
        if scheme.parameter_name:
            place = _PLACES.get(scheme.parameter_in, scheme.parameter_in)
            return (words(f"key in the {place}"), Piece(" "), self._types.identifier(scheme.parameter_name))
        line = (words(_SCHEMES.get(scheme.type, scheme.type)),)
        return (*line, Piece(" "), header) if scheme.type in _TOKENS else line

    def _needed(self, scheme: str) -> Iterator[Line]:
        """What asks for a scheme: servers, channels and operations."""
        words = self._types.words
        for server in self._api.servers:
            yield from self._need(scheme, server.security, (words("the server"), Piece(" "), self._server(server)))
        for channel in self._api.channels:
            link = Piece(self._writing.text(channel.name), anchor=self._anchors.channels[channel.name])
            yield from self._need(scheme, channel.security, (words("the endpoint"), Piece(" "), link))
        for one in self._api.operations:
            name = self._types.identifier(one.name)
            yield from self._need(scheme, one.security, (words("the operation"), Piece(" "), name), is_operation=True)

    def _need(self, scheme: str, security: ir.Security, what: Line, *, is_operation: bool = False) -> Iterator[Line]:
        scopes = dict.fromkeys(
            scope for alternative in security for need in alternative if need.scheme == scheme for scope in need.scopes
        )
        named = any(need.scheme == scheme for alternative in security for need in alternative)
        if scopes:
            listed = self._types.listed(map(self._types.identifier, scopes), ", ")
            yield (*what, Piece(" "), self._types.words("with"), Piece(" "), *listed)
        elif named and not is_operation:
            yield what

    def _server(self, server: ir.Server) -> Piece:
        return Piece(self._writing.text(server.name), anchor=self._anchors.servers[server.name])

    def security(self, security: ir.Security) -> tuple[Line, ...]:
        """The alternatives, each in a line."""
        return tuple(tuple(self._alternative(alternative)) for alternative in security)

    def scopes(self, security: ir.Security) -> Line:
        """The scopes that an operation takes, of all its alternatives."""
        scopes = dict.fromkeys(scope for alternative in security for need in alternative for scope in need.scopes)
        return tuple(self._types.listed(map(self._types.identifier, scopes), ", "))

    def _alternative(self, requirements: tuple[ir.Requirement, ...]) -> Iterator[Piece]:
        if not requirements:
            yield self._types.words("none")
        for at, requirement in enumerate(requirements):
            if at:
                yield Piece(" and ")
            anchor = self._anchors.schemes.get(requirement.scheme, "")
            yield Piece(self._writing.text(requirement.scheme), anchor=anchor)
            if requirement.scopes:
                yield Piece(" with ")
                yield from self._types.listed(map(self._types.identifier, requirement.scopes), ", ")

    # --- browsers -----------------------------------------------------------------------------------------------------

    def browsers(self, channel: ir.Channel) -> Iterator[Line]:
        """What a script in a browser cannot do at a channel."""
        required = [one.wire_name for one in channel.headers if one.required]
        optional = [one.wire_name for one in channel.headers if not one.required]
        if required:
            yield self._listed("Pages cannot connect as the document wants it: they cannot send", required)
        if optional:
            yield self._listed("Pages have to do without", optional)

    def _listed(self, words: str, names: Iterable[str]) -> Line:
        listed = self._types.listed(map(self._types.identifier, names), ", ")
        return (self._types.words(words), Piece(" "), *listed, Piece("."))

    def needs_header(self) -> bool:
        """Whether a credential or a parameter travels in a header."""
        kinds = {_kind(scheme) for scheme in self._api.security_schemes}
        return bool(kinds & {"token", "header", "basic"}) or any(channel.headers for channel in self._api.channels)


def _kind(scheme: ir.SecurityScheme) -> str:
    """How a credential travels, as far as browsers are concerned; empty where that is not known."""
    if scheme.type in _TOKENS or (scheme.type, scheme.scheme) == ("http", "bearer"):
        return "token"
    if scheme.type in ("mutualTLS", "X509"):
        return "certificate"
    if scheme.type == "http":
        return "basic" if scheme.scheme == "basic" else "header"
    return scheme.parameter_in if scheme.parameter_name and scheme.parameter_in in _PLACES else ""


def _has(template: str, parameter: ir.Parameter) -> bool:
    return "{" + parameter.wire_name + "}" in template


def _blank(id: str, place: str, parameter: ir.Parameter) -> Blank:
    name, is_optional = one_line(parameter.wire_name), place == "query" and not parameter.required
    value = "" if is_optional else initial(parameter)
    listed = tuple(map(one_line, choices(parameter)))
    values = ("", *listed) if listed and (is_optional or not value) else listed
    label = f"{name} (query)" if place == "query" else name
    return Blank(id, name, place, label, value, tuple((one, one == value) for one in values), parameter.required)


def _filled(base: str, path: str, blanks: Iterable[Blank]) -> str:
    """The URL as it is at first, as `script/building.js` builds it afterwards."""
    values = {blank.name: blank.value for blank in blanks if blank.value and blank.place in ("variable", "path")}
    url = _BRACES.sub(lambda found: values.get(found[1], found[0]), base).rstrip("/")
    url += _BRACES.sub(lambda found: quote(values[found[1]], safe="") if found[1] in values else found[0], path)
    query = [(blank.name, blank.value) for blank in blanks if blank.place == "query" and blank.value]
    return url + (f"?{urlencode(query, quote_via=quote)}" if query else "")


def initial(parameter: ir.Parameter) -> str:
    """What a parameter can be to begin with: its default, an example, one of its values; else nothing."""
    values = choices(parameter)
    if parameter.default is not None and (not values or parameter.default in values):
        return one_line(parameter.default)
    return one_line(next(iter((*parameter.examples, *values)), ""))


def choices(parameter: ir.Parameter) -> tuple[str, ...]:
    """All that a parameter can be, where that can be listed."""
    if parameter.values:
        return parameter.values
    match parameter.type:
        case ir.Constant(values=values):
            return tuple(map(str, values))
        case ir.Scalar(kind=ir.Kind.BOOLEAN):
            return ("true", "false")
        case _:
            return ()
