"""Messages: ids, names, headers and formats."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.rules.correctness.comparing import did_you_mean
from sockspec.rules.outline import Message
from sockspec.rules.rule import ASYNCAPI, Group, Rule
from sockspec.rules.subject import Subject
from sockspec.spec.asyncapi.traits import text
from sockspec.spec.kinds import Identity
from sockspec.spec.node import Node
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest

HEADERS_NOT_OBJECT = Code(
    "headers-not-object",
    Severity.ERROR,
    "The `headers` of a message are a map of names to values, so that their schema is of the type `object` (AsyncAPI, "
    "Message Object).",
    tolerable=True,
)
DUPLICATE_MESSAGE_ID = Code(
    "duplicate-message-id",
    Severity.ERROR,
    "Two messages have the same `messageId`, traits counted. It has to differ from all others, case included (AsyncAPI "
    "2.4, Message Object).",
    tolerable=True,
)
DUPLICATE_MESSAGE_NAME = Code(
    "duplicate-message-name",
    Severity.WARNING,
    "Two messages that are sent the same way on the same channel have the same `name`, so that nobody who speaks of "
    "messages by their names can tell which is meant.",
)
NOT_A_MEDIA_TYPE = Code(
    "not-a-media-type",
    Severity.ERROR,
    "A content type is a specific media type such as `application/json` (AsyncAPI, Message Object; RFC 6838): a type, a "
    "`/`, a subtype, and no `*`.",
    tolerable=True,
)
UNKNOWN_SCHEMA_FORMAT = Code(
    "unknown-schema-format",
    Severity.WARNING,
    "A schema format is written as a media type, such as `application/schema+json;version=draft-07`. Others than those "
    "of the specification may be used, but this is no media type, or nearly one of them.",
)

_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_MEDIA_TYPE = re.compile(rf"\s*{_NAME}/{_NAME}\s*(;.*)?", re.DOTALL)
_FORMATS = (
    "application/vnd.aai.asyncapi",
    "application/vnd.aai.asyncapi+json",
    "application/vnd.aai.asyncapi+yaml",
    "application/schema+json",
    "application/schema+yaml",
    "application/vnd.oai.openapi",
    "application/vnd.oai.openapi+json",
    "application/vnd.oai.openapi+yaml",
    "application/vnd.apache.avro",
    "application/vnd.apache.avro+json",
    "application/vnd.apache.avro+yaml",
    "application/raml+yaml",
    "application/vnd.google.protobuf",
    "application/xml",
)
"""What the specification lists, without versions, and what else is often met."""

_NEARLY = 0.9
_LONGEST = 200


def _headers_not_object(subject: Subject) -> Iterator[Diagnostic]:
    outline = subject.outline
    holders = [*(message.node for message in outline.messages), *outline.message_traits]
    written = [headers for holder in holders if (headers := holder.get("headers")) is not None]
    for node in {node.identity: node for node in written}.values():
        end = subject.kinds.end(node)
        inner = end.get("schema") if end is not None and end.get("schemaFormat") is not None else None
        schema = subject.kinds.end(inner) if inner is not None else end
        kind = schema.get("type") if schema is not None else None
        if kind is None or kind.value == "object":
            continue
        place = (node.get("$ref") or kind).location
        message = f"the schema of headers is of the type {_shown(kind.value)}; 'object' was expected"
        related = [kind.location] if kind.location != place else []
        yield HEADERS_NOT_OBJECT.at(place, message, related=related)


def _shown(value: object) -> str:
    return quoted(value) if isinstance(value, str) else "something else"


def _duplicate_id(subject: Subject) -> Iterator[Diagnostic]:
    first: dict[str, Message] = {}
    for message in subject.outline.messages:
        written = message.members.get("messageId")
        if written is None or not isinstance(written.value, str) or subject.is_asyncapi_3:
            continue
        other = first.setdefault(written.value, message)
        if other is not message:
            own, others = message.node.get("messageId"), other.node.get("messageId")
            place = own.location if own is not None else message.node.key_location
            related = others.location if others is not None else other.node.key_location
            what = f"the messageId {quoted(written.value)} is that of another message, too"
            yield DUPLICATE_MESSAGE_ID.at(place, what, related=[related])


def _duplicate_name(subject: Subject) -> Iterator[Diagnostic]:
    """Replies go the other way than the operation that they are of, and are left out."""
    found: dict[tuple[Identity, str, str], Message] = {}
    for operation in subject.outline.operations:
        if operation.channel is None:
            continue
        way = text(operation.members, "action") or operation.key
        for message in subject.outline.carried(operation):
            name = text(message.members, "name")
            if not name:
                continue
            other = found.setdefault((operation.channel.node.identity, way, name), message)
            if other is not message:
                place = (message.node.get("name") or message.node).location
                related = (other.node.get("name") or other.node).location
                what = f"the name {quoted(name)} is that of another message of the channel, too"
                yield DUPLICATE_MESSAGE_NAME.at(place, what, related=[related])


def _content_types(subject: Subject) -> Iterator[Node]:
    default = subject.root.get("defaultContentType")
    if default is not None:
        yield default
    yield from _members(subject, "contentType")


def _members(subject: Subject, key: str) -> Iterator[Node]:
    """What messages and their traits have under a key, each once."""
    holders = [*(message.node for message in subject.outline.messages), *subject.outline.message_traits]
    yield from _once(node for holder in holders if (node := holder.get(key)) is not None)


def _once(nodes: Iterable[Node]) -> Iterable[Node]:
    return {node.identity: node for node in nodes}.values()


def _not_a_media_type(subject: Subject) -> Iterator[Diagnostic]:
    for node in _content_types(subject):
        if isinstance(node.value, str) and not _is_specific(node.value):
            message = f"the content type {quoted(node.value)} is no specific media type"
            yield NOT_A_MEDIA_TYPE.at(node.location, message, hint="for example 'application/json'")


def _is_specific(written: str) -> bool:
    return _MEDIA_TYPE.fullmatch(written) is not None and "*" not in written.partition(";")[0]


def _schema_formats(subject: Subject) -> Iterator[Node]:
    if not subject.is_asyncapi_3:
        yield from _members(subject, "schemaFormat")
        return
    written = [*_members(subject, "payload"), *_members(subject, "headers")]
    written += [part.node for part in subject.outline.components("schemas")]
    ends = [end for node in written if (end := subject.kinds.end(node)) is not None and end.get("schema") is not None]
    yield from _once(node for end in ends if (node := end.get("schemaFormat")) is not None)


def _unknown_schema_format(subject: Subject) -> Iterator[Diagnostic]:
    for node in _schema_formats(subject):
        if not isinstance(node.value, str):
            continue
        name = node.value.partition(";")[0].strip()
        if name in _FORMATS:
            continue
        near = nearest(name, _FORMATS, likeness=_NEARLY) if len(name) <= _LONGEST else None
        if near is not None or _MEDIA_TYPE.fullmatch(node.value) is None:
            message = f"the schema format {quoted(node.value)} is " + (
                "unknown" if near is not None else "no media type"
            )
            hint = did_you_mean(near) or "for example 'application/schema+json;version=draft-07'"
            yield UNKNOWN_SCHEMA_FORMAT.at(node.location, message, hint=hint)


RULES = (
    Rule(
        HEADERS_NOT_OBJECT,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
headers: {type: string}
""",
        good="""\
headers:
  type: object
  properties:
    trace: {type: string}
""",
        check=_headers_not_object,
    ),
    Rule(
        DUPLICATE_MESSAGE_ID,
        Group.CORRECTNESS,
        ("AsyncAPI 2.4",),
        bad="""\
oneOf:
  - {messageId: said, payload: {type: string}}
  - {messageId: said, payload: {type: object}}
""",
        good="""\
oneOf:
  - {messageId: said, payload: {type: string}}
  - {messageId: told, payload: {type: object}}
""",
        check=_duplicate_id,
        aliases=("asyncapi2-message-messageId-uniqueness",),
    ),
    Rule(
        DUPLICATE_MESSAGE_NAME,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
messages:
  said: {name: said, payload: {type: string}}
  told: {name: said, payload: {type: object}}
""",
        good="""\
messages:
  said: {name: said, payload: {type: string}}
  told: {name: told, payload: {type: object}}
""",
        check=_duplicate_name,
    ),
    Rule(
        NOT_A_MEDIA_TYPE,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
contentType: json
""",
        good="""\
contentType: application/json
""",
        check=_not_a_media_type,
    ),
    Rule(
        UNKNOWN_SCHEMA_FORMAT,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
schemaFormat: draft-07
""",
        good="""\
schemaFormat: application/schema+json;version=draft-07
""",
        check=_unknown_schema_format,
    ),
)
