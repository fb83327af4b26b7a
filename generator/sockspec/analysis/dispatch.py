"""How the messages of one direction are told apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sockspec import ir
from sockspec.analysis import walk
from sockspec.diagnostics import Code, Report, Severity

NOT_DISTINGUISHABLE = Code(
    "messages-not-distinguishable",
    Severity.WARNING,
    "Two messages of the same direction have payloads that nothing tells apart: no property with a constant of its own "
    "in each. A payload that fits both is taken for the one that the document lists first. Give each message a required "
    "property such as `type` with a constant.",
)

TagValue = str | int


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
    scores: dict[str, tuple[int, int]] = {}
    for found in constants:
        for wire_name, (_, required) in found.items():
            told, demanded = scores.get(wire_name, (0, 0))
            scores[wire_name] = (told + 1, demanded + required)
    tag = _best(scores, constants)
    choices = (
        Choice(message, *found[tag]) if tag in found else Choice(message)
        for message, found in zip(considered, constants, strict=True)
    )
    return Dispatch(tag, tuple(choices))


def _best(scores: Mapping[str, tuple[int, int]], constants: list[dict[str, tuple[tuple[TagValue, ...], bool]]]) -> str:
    def rank(wire_name: str) -> tuple[int, int]:
        distinct = {value for found in constants if wire_name in found for value in found[wire_name][0]}
        return min(len(distinct), scores[wire_name][0]), scores[wire_name][1]

    return max(scores, key=rank, default="")


def _constants(
    message: ir.Message, definitions: Mapping[str, ir.Definition]
) -> dict[str, tuple[tuple[TagValue, ...], bool]]:
    """The properties of a message that have constants: their values, and whether they are required."""
    record = walk.resolve(message.payload.type, definitions)
    if not isinstance(record, ir.Record):
        return {}
    found: dict[str, tuple[tuple[TagValue, ...], bool]] = {}
    for field in record.fields:
        constant = walk.resolve(field.type, definitions)
        if isinstance(constant, ir.Constant) and constant.values and all(_is_tag(v) for v in constant.values):
            values = tuple(value for value in constant.values if isinstance(value, str | int))
            found[field.wire_name] = (values, field.required)
    return found


def _is_tag(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63)


def check(dispatch: Dispatch, report: Report) -> None:
    """Report the messages that nothing tells apart."""
    by_value: dict[TagValue | None, list[ir.Message]] = {}
    for choice in dispatch.choices:
        if choice.message.payload.content is ir.Content.BINARY:
            continue
        for value in choice.values or (None,):
            by_value.setdefault(value, []).append(choice.message)
    for value, messages in by_value.items():
        for earlier, later in zip(messages, messages[1:], strict=False):
            why = "nothing tells them apart" if value is None else f"both have {dispatch.tag!r} {value!r}"
            report.add(
                NOT_DISTINGUISHABLE.at(
                    later.location,
                    f"the messages {earlier.name!r} and {later.name!r}: {why} at once; payloads are tried in this order",
                    hint="give each a required property with a constant of its own, such as 'type'",
                    related=(earlier.location,),
                )
            )


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
