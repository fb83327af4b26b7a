"""Descriptions that readers would miss beside those that the design guide asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sockspec import ir
from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.rules.rule import ALL, Group, Rule
from sockspec.rules.saying import each_or_most
from sockspec.rules.subject import Subject
from sockspec.spec.text import quoted

SERVER_DESCRIPTION = Code(
    "server-description",
    Severity.INFO,
    "A server has no `description`, so readers cannot tell the one for trying things from the one that counts.",
)
PARAMETER_DESCRIPTION = Code(
    "parameter-description",
    Severity.INFO,
    "A parameter of the handshake (in the path, the query, a header, or the URL of a server) has no `description`.",
)
SCHEMA_DESCRIPTION = Code(
    "schema-description",
    Severity.INFO,
    "A schema with a name of its own has no `description`. It is used in several places, and each of them leaves open what "
    "it is.",
)
CLOSE_CODES = Code(
    "close-codes-undocumented",
    Severity.INFO,
    "No channel says with which codes its connections are closed, so clients cannot know which of them mean that they may "
    "come back. The extension `x-websocket` has `closeCodes` for it.",
)
DEPRECATED_UNEXPLAINED = Code(
    "deprecated-unexplained",
    Severity.INFO,
    "Something is deprecated, and no description says what to use instead.",
)


def _of_servers(subject: Subject) -> Iterator[Diagnostic]:
    servers = subject.api.servers if subject.api is not None else ()
    broken = [
        (one.location, f"the server {quoted(one.name)} has no description") for one in servers if not one.description
    ]
    yield from each_or_most(SERVER_DESCRIPTION, broken, len(servers), "servers lack a description")


def _of_parameters(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None:
        return
    every: dict[Location, ir.Parameter] = {}
    for channel in api.channels:
        every.update((one.location, one) for one in (*channel.parameters, *channel.query, *channel.headers))
    every.update((one.location, one) for server in api.servers for one in server.variables)
    broken = [
        (place, f"the parameter {quoted(one.wire_name)} has no description")
        for place, one in every.items()
        if not one.description
    ]
    yield from each_or_most(PARAMETER_DESCRIPTION, broken, len(every), "parameters lack a description")


def _of_schemas(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None:
        return
    named = [one for one in api.definitions if one.location.pointer.startswith("/components/schemas/")]
    named = [one for one in named if one.location.pointer.count("/") == 3]
    broken = [
        (one.location, f"the schema {quoted(one.name)} has no description") for one in named if not one.description
    ]
    yield from each_or_most(SCHEMA_DESCRIPTION, broken, len(named), "schemas lack a description")


def _of_close_codes(subject: Subject) -> Iterator[Diagnostic]:
    channels = subject.api.channels if subject.api is not None else ()
    if channels and not any(channel.close_codes for channel in channels):
        hint = "add 'x-websocket: {closeCodes: {4001: …}}' to a channel"
        yield CLOSE_CODES.at(channels[0].location, "nothing says with which codes connections are closed", hint=hint)


def _of_deprecated(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None:
        return
    yield from _unexplained("message", ((m.name, m, m.summary) for m in api.messages))
    yield from _unexplained("operation", ((o.name, o, o.summary) for o in api.operations))
    records = [one for one in api.definitions if isinstance(one, ir.Record)]
    yield from _unexplained("schema", ((one.name, one, "") for one in records))
    records += [message.payload.type for message in api.messages if isinstance(message.payload.type, ir.Record)]
    yield from _unexplained("property", ((f.wire_name, f, "") for record in records for f in record.fields))


_Aging = ir.Message | ir.Operation | ir.Record | ir.Field


def _unexplained(what: str, parts: Iterable[tuple[str, _Aging, str]]) -> Iterator[Diagnostic]:
    told: set[Location] = set()
    for name, part, summary in parts:
        if part.deprecated and not part.description and not summary and part.location not in told:
            told.add(part.location)
            text = f"the {what} {quoted(name)} is deprecated, and nothing says what to use instead"
            yield DEPRECATED_UNEXPLAINED.at(part.location, text)


RULES = (
    Rule(
        SERVER_DESCRIPTION,
        Group.QUALITY,
        ALL,
        bad="servers:\n  production: {host: chat.example.com, protocol: wss}\n",
        good="servers:\n  production: {host: chat.example.com, protocol: wss, description: The public chat.}\n",
        check=_of_servers,
    ),
    Rule(
        PARAMETER_DESCRIPTION,
        Group.QUALITY,
        ALL,
        bad="parameters:\n  room: {}\n",
        good="parameters:\n  room: {description: 'Name of the room, in lower case.'}\n",
        check=_of_parameters,
    ),
    Rule(
        SCHEMA_DESCRIPTION,
        Group.QUALITY,
        ALL,
        bad="schemas:\n  Nickname: {type: string}\n",
        good="schemas:\n  Nickname: {type: string, description: Name under which somebody is known in the room.}\n",
        check=_of_schemas,
    ),
    Rule(
        CLOSE_CODES,
        Group.QUALITY,
        ALL,
        bad="channels:\n  room: {address: /room}\n",
        good="channels:\n  room: {address: /room, x-websocket: {closeCodes: {4001: The account was closed.}}}\n",
        check=_of_close_codes,
    ),
    Rule(
        DEPRECATED_UNEXPLAINED,
        Group.QUALITY,
        ALL,
        bad="nick: {type: string, deprecated: true}\n",
        good="nick: {type: string, deprecated: true, description: Use `nickname`.}\n",
        check=_of_deprecated,
    ),
)
