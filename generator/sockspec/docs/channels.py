"""Servers, authentication and endpoints as parts of a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sockspec import ir
from sockspec.analysis import dispatch
from sockspec.analysis.constants import TagValue
from sockspec.docs.anchors import Anchors
from sockspec.docs.fields import Fields
from sockspec.docs.page import Channel, Scheme, Sent, Server, Side, Table
from sockspec.docs.types import Line, Piece, Types
from sockspec.docs.writing import Writing

_SIDES = {ir.Direction.CLIENT_TO_SERVER: "You send", ir.Direction.SERVER_TO_CLIENT: "You receive"}
_SCHEMES = {
    "oauth2": "OAuth 2.0 access token, sent as a bearer token",
    "openIdConnect": "OpenID Connect token, sent as a bearer token",
    "mutualTLS": "client certificate",
    "X509": "client certificate",
    "userPassword": "user name and password",
}
Dispatches = Mapping[tuple[str, ir.Direction], dispatch.Dispatch]
"""How the messages of each channel and direction are told apart."""

_PLACES = {"query": "query parameter", "header": "header", "cookie": "cookie"}


class Channels:
    """Writes the parts of one page that speak of connections."""

    def __init__(
        self,
        api: ir.Api,
        anchors: Anchors,
        types: Types,
        fields: Fields,
        dispatches: Dispatches,
        writing: Writing,
    ) -> None:
        self._api = api
        self._anchors = anchors
        self._types = types
        self._fields = fields
        self._writing = writing
        self._dispatches = dispatches
        self._asking: dict[tuple[str, ir.Direction], list[ir.Operation]] = {}
        for operation in api.operations:
            if operation.reply is not None:
                self._asking.setdefault((operation.channel, operation.direction), []).append(operation)

    # --- servers and authentication -----------------------------------------------------------------------------------

    def server(self, server: ir.Server) -> Server:
        """Where the API is served."""
        rows = self._fields.parameters(server.variables)
        description = "\n\n".join(text for text in (server.title, server.description) if text and text != server.name)
        return Server(
            self._writing.text(server.name),
            self._writing.code(server.url),
            self._writing.paragraphs(description),
            (Table("Variables", rows),) if rows else (),
            self._security(server.security),
        )

    def scheme(self, scheme: ir.SecurityScheme) -> Scheme:
        """A way to authenticate."""
        return Scheme(
            self._writing.text(scheme.name),
            self._anchors.schemes[scheme.name],
            self._how(scheme),
            tuple((self._writing.code(scope), self._writing.text(meaning)) for scope, meaning in scheme.scopes),
            self._writing.paragraphs(scheme.description),
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
        return (words(_SCHEMES.get(scheme.type, scheme.type)),)

    def _security(self, security: ir.Security) -> tuple[Line, ...]:
        """The alternatives, each in a line."""
        return tuple(tuple(self._alternative(alternative)) for alternative in security)

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

    # --- endpoints ----------------------------------------------------------------------------------------------------

    def channel(self, channel: ir.Channel) -> Channel:
        """An endpoint: how to connect to it, and what it carries."""
        tables = [
            Table(title, self._fields.parameters(parameters))
            for title, parameters in (
                ("Path parameters", channel.parameters),
                ("Query parameters", channel.query),
                ("Headers", channel.headers),
            )
            if parameters
        ]
        codes = channel.close_codes
        return Channel(
            self._writing.text(channel.title or channel.name),
            self._anchors.channels[channel.name],
            tuple(self._writing.code(url) for url in self._urls(channel)),
            self._writing.text(channel.summary),
            self._writing.paragraphs(channel.description if channel.description != channel.summary else ""),
            tuple(tables),
            tuple(self._types.listed(map(self._types.identifier, channel.subprotocols), ", ")),
            tuple((self._writing.code(str(code.code)), self._writing.text(_meaning(code))) for code in codes),
            self._security(channel.security),
            tuple(side for direction in ir.Direction for side in self._side(channel, direction)),
        )

    def _urls(self, channel: ir.Channel) -> list[str]:
        servers = [server for server in self._api.servers if not channel.servers or server.name in channel.servers]
        if channel.address is None:
            return [server.url for server in servers]
        return [server.url + channel.address for server in servers] or [channel.address]

    def _side(self, channel: ir.Channel, direction: ir.Direction) -> Iterator[Side]:
        found = self._dispatches.get((channel.name, direction))
        if found is None or not found.choices:
            return
        are_several = len(found.choices) > 1
        messages = tuple(self._sent(choice, found if are_several else None) for choice in found.choices)
        asking = self._asking.get((channel.name, direction), ())
        replies = (self._reply(operation, direction) for operation in asking)
        yield Side(_SIDES[direction], messages, tuple(dict.fromkeys(line for line in replies if line)))

    def _sent(self, choice: dispatch.Choice, found: dispatch.Dispatch | None) -> Sent:
        message = choice.message
        line: list[Piece] = []
        if choice.values and found is not None:
            place = f"item {(found.position or 0) + 1}" if choice.is_array else ".".join(map(str, found.path))
            line = self._where("where", place, choice.values)
            if choice.seconds:
                line += [Piece(" "), *self._where("and", ".".join(map(str, found.second)), choice.seconds)]
        elif found is not None and found.by is not dispatch.By.KIND:
            line = [self._types.words("where it fits and no other does")]
        anchor = self._anchors.messages[message.name]
        return Sent(self._writing.text(message.name), anchor, tuple(line), self._writing.text(message.summary))

    def _where(self, word: str, place: str, values: tuple[TagValue, ...]) -> list[Piece]:
        head = [self._types.words(word), Piece(" "), self._types.identifier(place), Piece(" ")]
        return [*head, self._types.words("is"), Piece(" "), *self._types.listed(map(self._types.code, values))]

    def _reply(self, operation: ir.Operation, direction: ir.Direction) -> Line:
        answers = operation.reply.messages if operation.reply is not None else ()
        verb = "is answered with" if direction is ir.Direction.CLIENT_TO_SERVER else "wants the answer"
        asked = self._links(operation.messages)
        return (*asked, Piece(" "), self._types.words(verb), Piece(" "), *self._links(answers)) if answers else ()

    def _links(self, names: tuple[str, ...]) -> Iterator[Piece]:
        anchors: Mapping[str, str] = self._anchors.messages
        return self._types.listed(Piece(self._writing.text(name), anchor=anchors.get(name, "")) for name in names)


def _meaning(code: ir.CloseCode) -> str:
    problem = f"({code.problem})" if code.problem else ""
    return " ".join(text for text in (code.meaning, problem) if text)
