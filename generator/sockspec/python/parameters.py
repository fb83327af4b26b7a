"""The parameters of each channel's handshake: a class on the server, keyword arguments of the client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sockspec import ir
from sockspec.analysis import defaults
from sockspec.python import literals, naming
from sockspec.python.layout import Code, Group, call, either, joined, lay, statement, subscript
from sockspec.python.messages import Member, Messages
from sockspec.python.types import Types

CONSTRUCTOR_RESERVED = naming.METHOD_RESERVED | set("address basic client credentials options token url".split())
"""Names that a parameter of a client's constructor must not take from what is given or called there."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A parameter of a handshake, where it stands, and its name in Python."""

    name: str
    source: str
    """`FromPath`, `FromQuery` or `FromHeader`; empty for a variable of the server's URL that is not in the path."""
    parameter: ir.Parameter


@dataclass(frozen=True, slots=True)
class Class:
    """The class of a channel's parameters."""

    head: str
    doc: str
    members: tuple[Member, ...]


def server_of(api: ir.Api, channel: ir.Channel) -> ir.Server | None:
    """The first server of a channel, whose URL the package knows."""
    return next((one for one in api.servers if not channel.servers or one.name in channel.servers), None)


def route_path(api: ir.Api, channel: ir.Channel) -> str:
    """The path that the server answers: that of its first URL, and the channel's address below it."""
    server = server_of(api, channel)
    base = "/" + server.url.partition("://")[2].partition("/")[2] if server is not None else ""
    return (base.rstrip("/") + (channel.address or "")) or "/"


def variables(api: ir.Api, channel: ir.Channel) -> tuple[ir.Parameter, ...]:
    """The variables of the URL of a channel's first server."""
    server = server_of(api, channel)
    return tuple(v for v in server.variables if "{" + v.wire_name + "}" in server.url) if server is not None else ()


def placed(api: ir.Api, channel: ir.Channel) -> tuple[Placed, ...]:
    """All parameters of a channel's handshake, with names that both sides share."""
    scope = naming.Scope(CONSTRUCTOR_RESERVED)
    path = route_path(api, channel)
    found = [("FromPath", one) for one in channel.parameters]
    own = {one.wire_name for one in channel.parameters}
    for variable in variables(api, channel):
        if variable.wire_name not in own:
            found.append(("FromPath" if "{" + variable.wire_name + "}" in path else "", variable))
    found += [("FromQuery", one) for one in channel.query]
    found += [("FromHeader", one) for one in channel.headers]
    return tuple(
        Placed(scope.claim(naming.attribute_name(one.wire_name), one.wire_name), source, one) for source, one in found
    )


class Parameters:
    """Writes the parameters of one API."""

    def __init__(self, api: ir.Api, types: Types, messages: Messages) -> None:
        self._api = api
        self._types = types
        self._messages = messages

    def model(self, channel: ir.Channel, name: str) -> Class | None:
        """The class of what a client says in its handshake; None where that is nothing."""
        members = tuple(self._member(one) for one in placed(self._api, channel) if one.source)
        if not members:
            return None
        where = channel.address or channel.name
        doc = literals.docstring(f"What a client says when it connects to {where}.", 4)
        return Class(lay(joined("class ", call(name, "Struct", "frozen=True", "kw_only=True"), ":")), doc, members)

    def _member(self, one: Placed) -> Member:
        annotation, default = self._annotation(one.parameter), self._default(one.parameter)
        if not default and not one.parameter.required:
            annotation, default = either(annotation, "None"), "None"
        if one.source == "FromPath":
            default = ""
        place = f"{one.source}({literals.string(one.parameter.wire_name)})"
        doc = one.parameter.description
        return Member(
            statement(one.name, _marked(annotation, place), default or None, 4),
            literals.docstring(doc, 4) if doc.strip() else "",
        )

    def arguments(self, channel: ir.Channel) -> Iterator[tuple[Placed, Code, str]]:
        """Each parameter of the client's constructor: its annotation, and its default or nothing."""
        for one in placed(self._api, channel):
            annotation, default = self._annotation(one.parameter), self._default(one.parameter)
            is_optional = not one.parameter.required or (not one.source and one.parameter.default is None)
            if not default and is_optional:
                annotation, default = either(annotation, "None"), "None"
            yield one, annotation, default

    def _annotation(self, parameter: ir.Parameter) -> Code:
        return self._types.annotation(parameter.type, "messages.")

    def _default(self, parameter: ir.Parameter) -> str:
        value = defaults.of_parameter(parameter, self._types.definitions)
        if value is None:
            return ""
        default = self._messages.default_value(value, parameter.type, "messages.")
        # An empty list says nothing in a query, and must not be shared by all calls.
        return "" if default in ("[]", "{}") else default


def _marked(annotation: Code, mark: str) -> Code:
    """The annotation with a mark, beside its limits where it has some."""
    if isinstance(annotation, Group) and annotation.opening == "Annotated[":
        return replace(annotation, elements=(*annotation.elements, mark))
    return subscript("Annotated", annotation, mark)
