"""Runtime expressions: places in messages that correlation ids, parameters and addresses of replies name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.rules.correctness.reaching import Place, place
from sockspec.rules.outline import Channel, Message
from sockspec.rules.rule import ASYNCAPI, Group, Rule
from sockspec.rules.subject import Subject
from sockspec.spec.asyncapi import correlation
from sockspec.spec.asyncapi.address import PARAMETER
from sockspec.spec.asyncapi.messages import is_read
from sockspec.spec.asyncapi.traits import text
from sockspec.spec.kinds import Identity
from sockspec.spec.node import Node
from sockspec.spec.text import quoted

NOWHERE = Code(
    "location-nowhere",
    Severity.ERROR,
    "The `location` of a correlation id, a parameter or the address of a reply is a place that no message can have by its "
    "schemas, or no place at all: an expression is `$message.payload#/...` or `$message.header#/...`, with a JSON "
    "pointer to its end (AsyncAPI, Runtime Expression).",
    tolerable=True,
)
UNDECLARED = Code(
    "location-undeclared",
    Severity.WARNING,
    "The `location` of a correlation id, a parameter or the address of a reply is a place that the schema of the message "
    "has no property for, though it lets others in. Correct the pointer, or add the property. A package gives the "
    "message an optional member for a correlation id.",
)
NOT_SCALAR = Code(
    "location-not-scalar",
    Severity.WARNING,
    "The `location` of a correlation id, a parameter or the address of a reply is an object or a list. What stands in an "
    "address, or tells one request from another, is a single value.",
)


@dataclass(frozen=True, slots=True)
class _Location:
    """An expression, and the messages of which one has to have the place."""

    node: Node
    of: str
    messages: tuple[Message, ...]


def _locations(subject: Subject) -> Iterator[_Location]:
    """All expressions, each once for each message or channel that it is to hold for."""
    outline = subject.outline
    for message in outline.messages:
        node = _location(subject, message.members.get("correlationId"))
        if node is not None:
            yield _Location(node, "the correlation id", (message,))
    carried = _carried(subject)
    for channel in outline.channels:
        used = PARAMETER.findall(channel.address or "")
        for part in outline.parts(channel.node.get("parameters")):
            node = part.node.get("location")
            if node is not None and part.key in used:
                yield _Location(node, f"the parameter {quoted(part.key)}", carried.get(channel.node.identity, ()))
    for operation in outline.operations:
        written = operation.members.get("reply")
        reply = subject.kinds.end(written) if written is not None else None
        node = _location(subject, reply.get("address") if reply is not None else None)
        if node is not None:
            yield _Location(node, "the address of the reply", outline.carried(operation))


def _carried(subject: Subject) -> dict[Identity, tuple[Message, ...]]:
    """The messages of each channel."""
    outline = subject.outline
    if subject.is_asyncapi_3:
        return {channel.node.identity: _messages_of(subject, channel) for channel in outline.channels}
    found: dict[Identity, tuple[Message, ...]] = {}
    for operation in outline.operations:
        if operation.channel is not None:
            identity = operation.channel.node.identity
            found[identity] = (*found.get(identity, ()), *outline.carried(operation))
    return found


def _messages_of(subject: Subject, channel: Channel) -> tuple[Message, ...]:
    known = subject.outline.messages_by_identity
    parts = subject.outline.parts(channel.node.get("messages"))
    return tuple(known[part.node.identity] for part in parts if part.node.identity in known)


def _location(subject: Subject, holder: Node | None) -> Node | None:
    end = subject.kinds.end(holder) if holder is not None else None
    return end.get("location") if end is not None else None


def _judged(subject: Subject) -> Iterator[tuple[_Location, Place]]:
    """The expressions, each with the best that the schemas of its messages say of the place."""
    for location in _locations(subject):
        written = location.node.value
        path = correlation.path(written) if isinstance(written, str) else None
        if path is None:
            continue
        part, tokens = path
        schemas = [_schema(subject, message, part) for message in location.messages]
        said = [place(subject, schema, tokens) if schema is not None else Place.POSSIBLE for schema in schemas]
        if said:
            yield location, min(said, key=[*Place].index)


def _schema(subject: Subject, message: Message, part: str) -> Node | None:
    """The schema of the payload or the headers; None where there is none, or in a format that is not read."""
    written = message.members.get("payload" if part == "payload" else "headers")
    end = subject.kinds.end(written) if written is not None else None
    schema_format = text(message.members, "schemaFormat") if part == "payload" else ""
    if end is not None and end.get("schema") is not None and subject.is_asyncapi_3:
        schema_format, end = end.text("schemaFormat"), end.get("schema")
    return end if end is not None and (not schema_format or is_read(schema_format)) else None


def _malformed(subject: Subject) -> Iterator[Diagnostic]:
    for location in _locations(subject):
        written = location.node.value
        if isinstance(written, str) and not correlation.is_expression(written):
            message = f"{quoted(written)} is no runtime expression, as there is no JSON pointer after '#'"
            hint = f"write {quoted(written.replace('#', '#/', 1))}" if "#" in written else ""
            yield NOWHERE.at(location.node.location, message, hint=hint)


def _nowhere(subject: Subject) -> Iterator[Diagnostic]:
    yield from _malformed(subject)
    for location in _of(subject, Place.IMPOSSIBLE):
        message = f"{location.of} is at {_pointer(location)}, where the {_message(location)} can have nothing"
        yield NOWHERE.at(location.node.location, message, related=_related(location))


def _undeclared(subject: Subject) -> Iterator[Diagnostic]:
    for location in _of(subject, Place.UNDECLARED):
        message = f"{location.of} is at {_pointer(location)}, which the {_message(location)} has no property for"
        yield UNDECLARED.at(location.node.location, message, related=_related(location))


def _not_scalar(subject: Subject) -> Iterator[Diagnostic]:
    for location in _of(subject, Place.COMPOSITE):
        message = f"{location.of} is at {_pointer(location)}, which is an object or a list in the {_message(location)}"
        yield NOT_SCALAR.at(location.node.location, message, related=_related(location))


def _of(subject: Subject, wanted: Place) -> Iterable[_Location]:
    """The expressions of which this is the best that can be said; each once, with the first of its messages."""
    found = [location for location, said in _judged(subject) if said is wanted]
    return {location.node.identity: location for location in reversed(found)}.values()


def _pointer(location: _Location) -> str:
    return quoted(str(location.node.value))


def _message(location: _Location) -> str:
    return f"message {quoted(location.messages[0].key)}"


def _related(location: _Location) -> list[Location]:
    return [location.messages[0].node.key_location]


_BAD = """\
payload:
  type: object
  additionalProperties: false
  properties:
    id: {type: string}
correlationId: {location: '$message.payload#/ident'}
"""
_GOOD = """\
payload:
  type: object
  additionalProperties: false
  properties:
    id: {type: string}
correlationId: {location: '$message.payload#/id'}
"""

RULES = (
    Rule(NOWHERE, Group.CORRECTNESS, ASYNCAPI, bad=_BAD, good=_GOOD, check=_nowhere),
    Rule(
        UNDECLARED,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad=_BAD.replace("  additionalProperties: false\n", ""),
        good=_GOOD.replace("  additionalProperties: false\n", ""),
        check=_undeclared,
    ),
    Rule(
        NOT_SCALAR,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad=_GOOD.replace("{type: string}", "{type: object}"),
        good=_GOOD,
        check=_not_scalar,
    ),
)
