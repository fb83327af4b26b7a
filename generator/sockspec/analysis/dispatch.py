"""How the messages of one direction are told apart."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sockspec import ir
from sockspec.analysis import constants, walk
from sockspec.analysis.constants import Constants, Path, TagValue


class By(enum.Enum):
    """What tells the messages of a direction apart; the values read on after 'told apart by'."""

    NOTHING = "their being one alone"
    TAG = "a property"
    NESTED_TAG = "a nested property"
    PAIR = "a pair of properties"
    POSITION = "an item of an array"
    KIND = "what they are on the wire"
    JSON_RPC = "their JSON-RPC shape"
    REQUIRED = "the properties that they require"
    TRIAL = "trial, in the order of the document"


@dataclass(frozen=True, slots=True)
class Choice:
    """A message, and the values of the tag that mean it; no values where only its shape tells."""

    message: ir.Message
    values: tuple[TagValue, ...] = ()
    seconds: tuple[TagValue, ...] = ()
    """The values of the second tag, where there are two."""
    required: bool = False
    """Whether a payload without the tag cannot be this message."""
    is_array: bool = False
    """Whether `values` are those of an item of an array."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The messages of one direction of a channel, and what is looked at first."""

    choices: tuple[Choice, ...]
    by: By
    path: Path = ()
    """Where in an object the tag stands; empty where the messages have none in common."""
    second: Path = ()
    """Where the second tag stands, where it takes two."""
    position: int | None = None
    """Which item of an array tells the messages that are arrays apart."""

    @property
    def member(self) -> str:
        """The (first) tag's wire name where it is a property of the object itself; else empty."""
        return self.path[0] if len(self.path) == 1 and isinstance(self.path[0], str) else ""


def of(messages: Iterable[ir.Message], definitions: Mapping[str, ir.Definition]) -> Dispatch:
    """The dispatch for messages of one direction, by the first of the ways that tells them apart."""
    considered = tuple(messages)
    found = [constants.of(message.payload.type, definitions) for message in considered]
    arrays = [json_type(message, definitions) == "array" for message in considered]
    in_objects = [one for one, is_array in zip(found, arrays, strict=True) if not is_array]
    path, second = _tags(considered, in_objects, definitions, arrays)
    if len(path) > 1 or len(second) > 1:
        found = [constants.of(message.payload.type, definitions, nested=True) for message in considered]
    best = _best(one for one, is_array in zip(found, arrays, strict=True) if is_array)
    position = best[0] if best and isinstance(best[0], int) else None
    choices = tuple(
        _choice(message, one, (position,) if is_array and position is not None else path, second, is_array)
        for message, one, is_array in zip(considered, found, arrays, strict=True)
    )
    return Dispatch(choices, _way(choices, path, second, position, definitions), path, second, position)


def _choice(message: ir.Message, found: Constants, path: Path, second: Path, is_array: bool) -> Choice:
    first = found.get(path)
    if first is None:
        return Choice(message, is_array=is_array)
    other = found.get(second) if second and not is_array else None
    seconds = other.values if other is not None and other.required else ()
    return Choice(message, first.values, seconds, first.required, is_array)


def _tags(
    messages: Sequence[ir.Message],
    shallow: Sequence[Constants],
    definitions: Mapping[str, ir.Definition],
    arrays: Sequence[bool],
) -> tuple[Path, Path]:
    """One property, one further inside, or two that tell the objects apart; else the one that goes furthest."""
    top = _best(shallow)
    if len(shallow) < 2 or _apart(shallow, top) == len(shallow):
        return top, ()
    deep = [
        constants.of(message.payload.type, definitions, nested=True)
        for message, is_array in zip(messages, arrays, strict=True)
        if not is_array
    ]
    inner = _best(deep)
    if _apart(deep, inner) == len(deep):
        return inner, ()
    first = top or inner
    paths = dict.fromkeys(path for found in deep for path in found if path != first)
    second = max(paths, key=lambda path: _apart(deep, first, path), default=())
    if second and _apart(deep, first, second) > _apart(deep, first):
        return first, second
    return (inner, ()) if _apart(deep, inner) > _apart(deep, first) else (first, ())


def _apart(found: Sequence[Constants], path: Path, second: Path = ()) -> int:
    """How many messages have values there that no other has."""
    owners: dict[tuple[TagValue | None, TagValue | None], int] = {}
    keys: list[list[tuple[TagValue | None, TagValue | None]]] = []
    for one in found:
        first, other = one.get(path), one.get(second) if second else None
        others: tuple[TagValue | None, ...] = other.values if other is not None and other.required else (None,)
        own: list[tuple[TagValue | None, TagValue | None]] = (
            [(value, beside) for value in first.values for beside in others] if first is not None else []
        )
        keys.append(own)
        for key in own:
            owners[key] = owners.get(key, 0) + 1
    return sum(bool(own) and all(owners[key] == 1 for key in own) for own in keys)


def _best(found: Iterable[Constants]) -> Path:
    """The place with a constant of its own in most messages; of several, one that is required, or the first."""
    values: dict[Path, set[TagValue]] = {}
    messages: dict[Path, int] = {}
    demanded: dict[Path, int] = {}
    for one in found:
        for path, constant in one.items():
            values.setdefault(path, set()).update(constant.values)
            messages[path] = messages.get(path, 0) + 1
            demanded[path] = demanded.get(path, 0) + constant.required
    return max(values, key=lambda path: (min(len(values[path]), messages[path]), demanded[path]), default=())


def _way(
    choices: Sequence[Choice],
    path: Path,
    second: Path,
    position: int | None,
    definitions: Mapping[str, ir.Definition],
) -> By:
    if len(choices) < 2:
        return By.NOTHING
    untagged = [choice for choice in choices if not choice.values]
    kinds = [json_type(choice.message, definitions) for choice in untagged]
    if len(untagged) == len(choices) and len(set(kinds)) == len(kinds):
        return By.KIND
    if len(set(kinds)) == len(kinds):
        if position is not None and all(choice.is_array for choice in choices):
            return By.POSITION
        return By.PAIR if second else By.NESTED_TAG if len(path) > 1 else By.TAG
    demands = [
        required(choice.message, definitions)
        for choice, kind in zip(untagged, kinds, strict=True)
        if kind == "object" or kinds.count(kind) > 1
    ]
    if path == ("method",) and all({"result", "error"} & names for names in demands):
        return By.JSON_RPC
    return By.REQUIRED if len(set(demands)) == len(demands) else By.TRIAL


def required(message: ir.Message, definitions: Mapping[str, ir.Definition]) -> frozenset[str]:
    """The properties that a payload has to have."""
    record = walk.resolve(message.payload.type, definitions)
    return frozenset(f.wire_name for f in record.fields if f.required) if isinstance(record, ir.Record) else frozenset()


def json_type(message: ir.Message, definitions: Mapping[str, ir.Definition]) -> str:
    """What a payload is on the wire, as far as that tells messages apart."""
    if message.payload.content is not ir.Content.JSON:
        return str(message.payload.content.value)
    return _kind(message.payload.type, definitions)


def _kind(of_type: ir.Type | ir.Record, definitions: Mapping[str, ir.Definition], unions: int = 4) -> str:
    match walk.resolve(of_type, definitions):
        case ir.Union(members=members) if unions:
            kinds = {_kind(member, definitions, unions - 1) for member in members}
            return kinds.pop() if len(kinds) == 1 else "object"
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

    Messages are named as `message:NAME`, definitions by their name. A tag is one constant that is required, or else the
    default of its property, so that it is always sent: who receives it cannot tell by a property that is absent. Where
    a record stands in two unions that go by different properties, it declares that of the first.
    """
    definitions = walk.by_name(api)
    tags: dict[str, tuple[str, TagValue]] = {}
    for dispatch in dispatches:
        for choice in dispatch.choices:
            record = choice.message.payload.type
            if not isinstance(record, ir.Record) or not dispatch.member or len(choice.values) != 1:
                continue
            if choice.required or _has_default(record, dispatch.member, choice.values[0]):
                tag = (dispatch.member, choice.values[0])
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


def _has_default(record: ir.Record, member: str, value: TagValue) -> bool:
    return any(f.wire_name == member and f.has_default and f.default == value for f in record.fields)


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
