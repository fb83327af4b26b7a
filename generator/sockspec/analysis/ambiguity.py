"""What there is to say of how messages are told apart: the way itself, and the messages that nothing tells apart."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from sockspec import ir
from sockspec.analysis import dispatch, walk
from sockspec.analysis.constants import Path, TagValue
from sockspec.diagnostics import Code, Location, Report, Severity

NOT_DISTINGUISHABLE = Code(
    "messages-not-distinguishable",
    Severity.WARNING,
    "Two messages of the same direction have payloads that nothing tells apart: no property with a constant of its own "
    "in each, no different required properties, no member of a different type. A payload that fits both is taken for "
    "the one that the document lists first. Give each message a required property such as `type` with a constant.",
)
TOLD_APART = Code(
    "messages-told-apart",
    Severity.INFO,
    "How the messages that one side sends on a channel are told apart. The ways are tried in this order: one property "
    "with a constant, a nested one, a pair of them, an item of an array, the shape of JSON-RPC, the required "
    "properties, and last trial in the order of the document.",
)
_SENDERS = {ir.Direction.CLIENT_TO_SERVER: "clients", ir.Direction.SERVER_TO_CLIENT: "the server"}


def check(api: ir.Api, report: Report) -> None:
    """Say how the messages of each direction are told apart, and report those that nothing tells apart."""
    definitions = walk.by_name(api)
    places = {channel.name: channel for channel in api.channels}
    told: set[tuple[str, str, Location]] = set()
    for (channel, direction), found in dispatch.all_of(api).items():
        if found.by is not dispatch.By.NOTHING and channel in places:
            where = places[channel].address or channel
            report.add(
                TOLD_APART.at(
                    places[channel].location,
                    f"what {_SENDERS[direction]} may send on {where!r} is told apart by {wording(found)}",
                )
            )
        _check_pairs(found, definitions, report, told)


def wording(found: dispatch.Dispatch) -> str:
    """What tells messages apart, in words."""
    words: list[str] = []
    if found.path:
        words.append(f"{written(found.path)!r}" + (f" and {written(found.second)!r}" if found.second else ""))
    if found.position is not None:
        words.append(f"item {found.position + 1} of an array")
    if found.by in (dispatch.By.KIND, dispatch.By.JSON_RPC, dispatch.By.REQUIRED, dispatch.By.TRIAL):
        words.append(found.by.value)
    return ", then ".join(words)


def written(path: Path) -> str:
    """A path as people write it."""
    return ".".join(map(str, path))


def _check_pairs(
    found: dispatch.Dispatch,
    definitions: Mapping[str, ir.Definition],
    report: Report,
    told: set[tuple[str, str, Location]],
) -> None:
    alike: dict[tuple[TagValue | None, TagValue | None, str, frozenset[str]], list[ir.Message]] = {}
    for choice in found.choices:
        kind = dispatch.json_type(choice.message, definitions)
        demanded = dispatch.required(choice.message, definitions)
        firsts: tuple[TagValue | None, ...] = choice.values or (None,)
        seconds: tuple[TagValue | None, ...] = choice.seconds or (None,)
        for value in firsts:
            for second in seconds:
                alike.setdefault((value, second, kind, demanded), []).append(choice.message)
    for (value, *_), messages in alike.items():
        for earlier, later in pairwise(messages):
            key = (earlier.name, later.name, later.location)
            if key in told or differ(earlier.payload.type, later.payload.type, definitions):
                continue
            told.add(key)
            _report(earlier, later, value, found, report)


def _report(earlier: ir.Message, later: ir.Message, value: object, found: dispatch.Dispatch, report: Report) -> None:
    at = f"item {(found.position or 0) + 1}" if not found.path else repr(written(found.path))
    why = "have nothing that tells them apart" if value is None else f"both have {value!r} as {at}"
    report.add(
        NOT_DISTINGUISHABLE.at(
            later.location,
            f"the messages {earlier.name!r} and {later.name!r} {why}; payloads are tried in this order",
            hint="give each a required property with a constant of its own, such as 'type'",
            related=(earlier.location,),
        )
    )


def differ(left: ir.Type | ir.Record, right: ir.Type | ir.Record, definitions: Mapping[str, ir.Definition]) -> bool:
    """Whether no payload can be both: something that both must have is of different types or constants."""
    one, other = walk.resolve(left, definitions), walk.resolve(right, definitions)
    if isinstance(one, ir.Tuple) and isinstance(other, ir.Tuple):
        if one.rest is None and other.rest is None and len(one.items) != len(other.items):
            return True
        return any(_apart(a, b, definitions) for a, b in zip(one.items, other.items, strict=False))
    if isinstance(one, ir.Record) and isinstance(other, ir.Record):
        types = {field.wire_name: field.type for field in one.fields if field.required}
        pairs = ((types[f.wire_name], f.type) for f in other.fields if f.required and f.wire_name in types)
        return any(_apart(a, b, definitions) for a, b in pairs)
    return _apart(left, right, definitions)


def _apart(left: ir.Type | ir.Record, right: ir.Type | ir.Record, definitions: Mapping[str, ir.Definition]) -> bool:
    one, other = walk.resolve(left, definitions), walk.resolve(right, definitions)
    if isinstance(one, ir.Constant) and isinstance(other, ir.Constant):
        # True and 1 are one in Python; taking them for the same errs on the side of the warning.
        return not set(one.values) & set(other.values)
    return not _families(one, definitions) & _families(other, definitions)


_ALL = frozenset({"string", "number", "boolean", "null", "object", "array"})


def _families(of: ir.Type | ir.Record, definitions: Mapping[str, ir.Definition]) -> frozenset[str]:
    """The JSON types that values of a type may have."""
    match walk.resolve(of, definitions):
        case ir.Record() | ir.Map():
            return frozenset({"object"})
        case ir.Array() | ir.Tuple():
            return frozenset({"array"})
        case ir.Union(members=members):
            return frozenset().union(*(_families(member, definitions) for member in members))
        case ir.Nullable(of=inner):
            return _families(inner, definitions) | {"null"}
        case ir.Constant(values=values):
            return frozenset(map(_family, values))
        case ir.Scalar(kind=ir.Kind.INTEGER | ir.Kind.NUMBER):
            return frozenset({"number"})
        case ir.Scalar(kind=ir.Kind.BOOLEAN | ir.Kind.NULL as kind):
            return frozenset({kind.value})
        case ir.Scalar():
            return frozenset({"string"})
        case _:
            return _ALL


def _family(value: TagValue | float | bool | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"
