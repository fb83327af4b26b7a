"""What the guide says of documentation: comprehensive, so everything has a description, and every message an example."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sockspec import ir
from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.rules.guide.mending import to_be_described
from sockspec.rules.rule import ALL, Check, Group, Rule
from sockspec.rules.saying import each_or_most, listed
from sockspec.rules.subject import Subject
from sockspec.spec.text import quoted

_WHY = "The guide asks for comprehensive documentation."

API_DESCRIPTION = Code(
    "guide-api-description",
    Severity.WARNING,
    f"{_WHY} `info` has no `description`, so readers are not told what the API is for and how a conversation goes.",
)
CHANNEL_DESCRIPTION = Code(
    "guide-channel-description",
    Severity.WARNING,
    f"{_WHY} The channel (the endpoint, in OpenAPI) has neither a `summary` nor a `description`.",
)
OPERATION_DESCRIPTION = Code(
    "guide-operation-description",
    Severity.WARNING,
    f"{_WHY} The operation has neither a `summary` nor a `description`, so readers have to guess what happens.",
)
MESSAGE_DESCRIPTION = Code(
    "guide-message-description",
    Severity.WARNING,
    f"{_WHY} The message has neither a `summary` nor a `description`, and its payload has none either.",
)
PROPERTY_DESCRIPTION = Code(
    "guide-property-description",
    Severity.WARNING,
    f"{_WHY} Properties of an object have no `description`. The place is the object's, and the message counts them.",
)
MESSAGE_EXAMPLE = Code(
    "guide-message-example",
    Severity.WARNING,
    f"{_WHY} The message has no example. One says more than its schema does, and mock servers and tests use it.",
)


def _of_api(subject: Subject) -> Iterator[Diagnostic]:
    if subject.api is not None and not subject.api.description.strip():
        info = subject.root.get("info")
        place = info.key_location if info is not None else subject.root.location
        yield API_DESCRIPTION.at(place, "'info' has no description")


Described = ir.Channel | ir.Operation | ir.Message


def _bare(parts: Iterable[Described]) -> Iterator[Described]:
    seen: set[Location] = set()
    for part in parts:
        if not (part.description.strip() or part.summary.strip()) and part.location not in seen:
            seen.add(part.location)
            yield part


def _describing(code: Code, what: str, parts: Iterable[Described]) -> Iterator[Diagnostic]:
    every = [*parts]
    broken = [(part.location, f"the {what} {quoted(part.name)} has no description") for part in _bare(every)]
    yield from each_or_most(code, broken, len(every), f"{what}s lack a description")


def _of_channels(subject: Subject) -> Iterator[Diagnostic]:
    if subject.api is not None:
        yield from _describing(CHANNEL_DESCRIPTION, "channel", subject.api.channels)


def _of_operations(subject: Subject) -> Iterator[Diagnostic]:
    """Operations of OpenAPI are the messages themselves, in one direction."""
    if subject.api is not None and subject.is_asyncapi:
        places = {message.location for message in subject.api.messages}
        own = [operation for operation in subject.api.operations if operation.location not in places]
        yield from _describing(OPERATION_DESCRIPTION, "operation", own)


def _of_messages(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None:
        return
    described = {definition.name for definition in api.definitions if definition.description.strip()}
    bare = [message for message in api.messages if not _payload_says(message, described)]
    broken = [(part.location, f"the message {quoted(part.name)} has no description") for part in _bare(bare)]
    count = len(api.messages)
    yield from each_or_most(MESSAGE_DESCRIPTION, broken, count, "messages lack a description")


def _payload_says(message: ir.Message, described: set[str]) -> bool:
    payload = message.payload.type
    if isinstance(payload, ir.Record) and payload.description.strip():
        return True
    return message.payload.definition in described or (isinstance(payload, ir.Ref) and payload.name in described)


def _of_properties(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None:
        return
    records = [definition for definition in api.definitions if isinstance(definition, ir.Record)]
    records += [message.payload.type for message in api.messages if isinstance(message.payload.type, ir.Record)]
    broken: dict[Location, str] = {}
    bare = count = 0
    for record in {record.location: record for record in records}.values():
        needing = [field for field in record.fields if not _is_constant(field.type)]
        names = [field.wire_name for field in needing if not field.description.strip()]
        bare, count = bare + len(names), count + len(needing)
        if names:
            broken[record.location] = _bare_properties(record, names)
    lack = f"objects have properties without a description: {bare:,} of {count:,}"
    yield from each_or_most(PROPERTY_DESCRIPTION, [*broken.items()], len(records), lack)


def _is_constant(of: ir.Type) -> bool:
    """Whether there is one value only, which says itself what it is."""
    return isinstance(of, ir.Constant) and len(of.values) == 1


def _bare_properties(record: ir.Record, names: list[str]) -> str:
    if len(names) == 1:
        return f"the property {quoted(names[0])} of {quoted(record.name)} has no description"
    have = f"{len(names)} of the {len(record.fields)} properties of {quoted(record.name)} have"
    return f"{have} no description: {listed(names)}"


def _of_examples(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None:
        return
    broken = [
        (message.location, f"the message {quoted(message.name)} has no example")
        for message in api.messages
        if not message.examples and not _shows(subject, message)
    ]
    count = len(api.messages)
    yield from each_or_most(MESSAGE_EXAMPLE, broken, count, "messages lack an example")


def _shows(subject: Subject, message: ir.Message) -> bool:
    """Whether the schema of the payload has an example, as it may in either specification."""
    written = subject.node_at(message.location)
    node = subject.documents.follow(written) if written is not None else None
    payload = node.get("payload") if node is not None else None
    schema = subject.documents.follow(payload) if payload is not None else node
    return schema is not None and (schema.get("examples") is not None or schema.get("example") is not None)


def _rule(code: Code, check: Check, bad: str, good: str, *aliases: str) -> Rule:
    return Rule(code, Group.GUIDE, ALL, bad, good, check, aliases=aliases)


RULES = (
    Rule(
        API_DESCRIPTION,
        Group.GUIDE,
        ALL,
        "info:\n  title: Chat\n  version: 1.0.0\n",
        "info:\n  title: Chat\n  version: 1.0.0\n  description: Real-time chat in rooms.\n",
        check=_of_api,
        fix="writes a description that says what is to be done.",
        fixer=to_be_described,
        is_fix_safe=False,
        aliases=("asyncapi-info-description",),
    ),
    _rule(
        CHANNEL_DESCRIPTION,
        _of_channels,
        "channels:\n  room:\n    address: /rooms/{room}\n",
        "channels:\n  room:\n    address: /rooms/{room}\n    description: One chat room.\n",
    ),
    _rule(
        OPERATION_DESCRIPTION,
        _of_operations,
        "operations:\n  join: {action: receive, channel: {$ref: '#/channels/room'}}\n",
        """\
operations:
  join:
    action: receive
    channel: {$ref: '#/channels/room'}
    summary: Enter the room. Everybody in it hears of that.
""",
    ),
    _rule(
        MESSAGE_DESCRIPTION,
        _of_messages,
        "messages:\n  join:\n    payload: {type: object}\n",
        "messages:\n  join:\n    summary: Enters the room under a nickname.\n    payload: {type: object}\n",
    ),
    _rule(
        PROPERTY_DESCRIPTION,
        _of_properties,
        "properties:\n  limit: {type: integer}\n",
        "properties:\n  limit: {type: integer, description: How many messages at most.}\n",
    ),
    _rule(
        MESSAGE_EXAMPLE,
        _of_examples,
        "messages:\n  leave:\n    payload: {$ref: '#/components/schemas/Leave'}\n",
        """\
messages:
  leave:
    payload: {$ref: '#/components/schemas/Leave'}
    examples:
      - payload: {type: leave, timestamp: '2025-03-01T10:05:12Z'}
""",
    ),
)
