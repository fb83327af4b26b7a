"""How the messages of one direction are told apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from sockspec import ir
from sockspec.analysis import walk
from sockspec.diagnostics import Code, Report, Severity

NOT_DISTINGUISHABLE = Code(
    "messages-not-distinguishable",
    Severity.WARNING,
    "Two messages of the same direction have payloads that nothing tells apart: no property with a constant of its own "
    "in each. A payload that fits both is taken for the one that the document lists first. Give each message a "
    "required property such as `type` with a constant.",
)

TagValue = str | int
Constants = dict[str, tuple[tuple[TagValue, ...], bool]]
"""Properties that have constants: their values, and whether they are required."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A message, and the values of the tag that mean it; no values where only trying tells."""

    message: ir.Message
    values: tuple[TagValue, ...] = ()
    required: bool = False
    """Whether a payload without the tag cannot be this message."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The messages of one direction of a channel, and the property whose value is looked at first."""

    tag: str
    """Wire name of the property; empty where the messages have none in common."""
    choices: tuple[Choice, ...]


def of(messages: Iterable[ir.Message], definitions: Mapping[str, ir.Definition]) -> Dispatch:
    """The dispatch for messages of one direction: by the property that tells most of them apart."""
    considered = tuple(messages)
    constants = [_constants(message, definitions) for message in considered]
    tag = _best(constants)
    choices = (
        Choice(message, *found[tag]) if tag in found else Choice(message)
        for message, found in zip(considered, constants, strict=True)
    )
    return Dispatch(tag, tuple(choices))


def _best(constants: Iterable[Constants]) -> str:
    """The property with a constant of its own in most messages; of several, one that is required, or the first."""
    values: dict[str, set[TagValue]] = {}
    messages: dict[str, int] = {}
    demanded: dict[str, int] = {}
    for found in constants:
        for wire_name, (allowed, required) in found.items():
            values.setdefault(wire_name, set()).update(allowed)
            messages[wire_name] = messages.get(wire_name, 0) + 1
            demanded[wire_name] = demanded.get(wire_name, 0) + required
    return max(values, key=lambda name: (min(len(values[name]), messages[name]), demanded[name]), default="")


def _constants(message: ir.Message, definitions: Mapping[str, ir.Definition]) -> Constants:
    """The properties of a message that have constants: their values, and whether they are required."""
    record = walk.resolve(message.payload.type, definitions)
    if not isinstance(record, ir.Record):
        return {}
    found: Constants = {}
    for field in record.fields:
        constant = walk.resolve(field.type, definitions)
        if isinstance(constant, ir.Constant) and constant.values and all(_is_tag(v) for v in constant.values):
            values = tuple(value for value in constant.values if isinstance(value, str | int))
            found[field.wire_name] = (values, field.required)
    return found


def _is_tag(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63)


def check(dispatch: Dispatch, definitions: Mapping[str, ir.Definition], report: Report) -> None:
    """Report the messages that nothing tells apart."""
    alike: dict[tuple[TagValue | None, str], list[ir.Message]] = {}
    for choice in dispatch.choices:
        kind = _json_type(choice.message, definitions)
        for value in choice.values or (None,):
            alike.setdefault((value, kind), []).append(choice.message)
    for (value, _), messages in alike.items():
        for earlier, later in pairwise(messages):
            why = "have nothing that tells them apart" if value is None else f"both have {value!r} as {dispatch.tag!r}"
            report.add(
                NOT_DISTINGUISHABLE.at(
                    later.location,
                    f"the messages {earlier.name!r} and {later.name!r} {why}; payloads are tried in this order",
                    hint="give each a required property with a constant of its own, such as 'type'",
                    related=(earlier.location,),
                )
            )


def _json_type(message: ir.Message, definitions: Mapping[str, ir.Definition]) -> str:
    """What a payload is on the wire, as far as that tells messages apart."""
    if message.payload.content is not ir.Content.JSON:
        return str(message.payload.content.value)
    match walk.resolve(message.payload.type, definitions):
        case ir.Array() | ir.Tuple():
            return "array"
        case ir.Scalar(kind=ir.Kind.INTEGER | ir.Kind.NUMBER):
            return "number"
        case ir.Scalar(kind=ir.Kind.BOOLEAN):
            return "boolean"
        case ir.Scalar():
            return "string"
        case _:
            return "object"


def is_one_class(message: ir.Message) -> bool:
    """Whether a message and the definition that it carries are one and the same class, since they have one name."""
    return isinstance(message.payload.type, ir.Record) and message.payload.definition == message.name


def record_tags(api: ir.Api, dispatches: Iterable[Dispatch]) -> dict[str, tuple[str, TagValue]]:
    """The property and the constant that each message or record declares as its tag.

    Messages are named as `message:NAME`, definitions by their name. A tag is one required constant; where a record
    stands in two unions that go by different properties, it declares that of the first.
    """
    definitions = walk.by_name(api)
    tags: dict[str, tuple[str, TagValue]] = {}
    for dispatch in dispatches:
        for choice in dispatch.choices:
            if isinstance(choice.message.payload.type, ir.Record) and len(choice.values) == 1 and choice.required:
                tag = (dispatch.tag, choice.values[0])
                tags.setdefault(f"message:{choice.message.name}", tag)
                if is_one_class(choice.message):
                    tags.setdefault(choice.message.name, tag)
    owners: list[ir.Type | ir.Record] = [message.payload.type for message in api.messages]
    owners += [walk.body(definition) for definition in api.definitions]
    for owner in owners:
        for part in walk.parts(owner):
            if isinstance(part, ir.Union) and part.tag is not None:
                _tag_members(part, part.tag, definitions, tags)
    return tags


def _tag_members(
    union: ir.Union,
    tag: str,
    definitions: Mapping[str, ir.Definition],
    tags: dict[str, tuple[str, TagValue]],
) -> None:
    for member in union.members:
        record = definitions.get(member.name) if isinstance(member, ir.Ref) else None
        if not isinstance(record, ir.Record):
            continue
        for field in record.fields:
            constant = walk.resolve(field.type, definitions)
            if field.wire_name == tag and isinstance(constant, ir.Constant) and isinstance(constant.values[0], str):
                tags.setdefault(record.name, (tag, constant.values[0]))


def all_of(api: ir.Api) -> dict[tuple[str, ir.Direction], Dispatch]:
    """The dispatch of every channel and direction that has messages."""
    definitions = walk.by_name(api)
    carried = _carried(api)
    return {key: of(messages, definitions) for key, messages in carried.items()}


def _carried(api: ir.Api) -> dict[tuple[str, ir.Direction], list[ir.Message]]:
    """What each side may send on each channel, replies among it, in the order of the document."""
    names: dict[tuple[str, ir.Direction], dict[str, None]] = {}
    opposite = {
        ir.Direction.CLIENT_TO_SERVER: ir.Direction.SERVER_TO_CLIENT,
        ir.Direction.SERVER_TO_CLIENT: ir.Direction.CLIENT_TO_SERVER,
    }
    for operation in api.operations:
        names.setdefault((operation.channel, operation.direction), {}).update(dict.fromkeys(operation.messages))
        if operation.reply is not None:
            key = (operation.channel, opposite[operation.direction])
            names.setdefault(key, {}).update(dict.fromkeys(operation.reply.messages))
    order = {message.name: (at, message) for at, message in enumerate(api.messages)}
    return {
        key: [order[name][1] for name in sorted(found.keys() & order.keys(), key=lambda name: order[name][0])]
        for key, found in names.items()
        if found
    }
