"""Payloads that types of Python and of other languages do not carry well, or that leave no room for the next version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, pairwise

from sockspec import ir
from sockspec.analysis import ambiguity, walk
from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.rules.rule import ALL, Group, Rule
from sockspec.rules.saying import each_or_most
from sockspec.rules.subject import Subject
from sockspec.spec.node import Node
from sockspec.spec.text import quoted

INTEGER_BEYOND_DOUBLE = Code(
    "integer-beyond-double",
    Severity.WARNING,
    "An integer of 64 bits has no bounds. Readers whose numbers are doubles, JavaScript's among them, silently round what "
    "is beyond 2^53 - 1 (RFC 8259, section 6). Bound it by `maximum`, or send it as a string.",
)
CLOSED_OUTBOUND = Code(
    "closed-outbound",
    Severity.WARNING,
    "What the server sends allows no property beside the declared ones (`additionalProperties: false`), so clients refuse "
    "the next version's messages, whatever it adds. Leave what is sent to clients open, and close what they send.",
)
MESSAGE_UNTYPED = Code(
    "message-untyped",
    Severity.WARNING,
    "The payload of a message says nothing of what it has: any value, or any object, is valid. Its class has nothing to "
    "offer, and nothing is checked. Describe its properties.",
)
ONE_OF_OVERLAP = Code(
    "one-of-overlap",
    Severity.WARNING,
    "Two schemas of a `oneOf` have nothing that keeps a value from obeying both, and such a value is refused, since "
    "exactly one has to hold. Tell them apart by a constant, or write `anyOf`.",
)

_SAFE = 2**53 - 1
_FEW = 24
"""Of so many members of a union each is held against each other; of more, against its neighbours."""


def _unbounded(subject: Subject) -> Iterator[Diagnostic]:
    if subject.api is None:
        return
    broken: dict[Location, str] = {}
    for record in _records(subject.api):
        for field in record.fields:
            if field.location in broken or not _has_integer(field.type):
                continue
            if any(_is_wide(schema) for schema in _schemas(subject, field.location)):
                broken[field.location] = f"{quoted(field.wire_name)} may be beyond 2^53, which JavaScript rounds"
    lack = "integers may be beyond 2^53, which JavaScript rounds"
    yield from each_or_most(INTEGER_BEYOND_DOUBLE, [*broken.items()], None, lack)


def _has_integer(of: ir.Type) -> bool:
    return any(isinstance(part, ir.Ref) or part == ir.Scalar(ir.Kind.INTEGER) for part in walk.parts(of))


def _schemas(subject: Subject, place: Location) -> Iterator[Node]:
    """The schema at a place, and that of its items or other values."""
    node = subject.node_at(place)
    schema = subject.documents.follow(node) if node is not None else None
    if schema is not None:
        yield schema
        inner = (schema.get(word) for word in ("items", "additionalProperties"))
        yield from (subject.documents.follow(one) for one in inner if one is not None)


def _is_wide(schema: Node) -> bool:
    bounds = [bound.value for word in ("maximum", "exclusiveMaximum") if (bound := schema.get(word)) is not None]
    bounded = any(isinstance(bound, int | float) and not isinstance(bound, bool) and bound <= _SAFE for bound in bounds)
    return schema.text("format") in ("int64", "uint64") and not bounded


def _closed(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None:
        return
    sent = {name for operation in api.operations for name in _sent_to_clients(operation)}
    definitions = walk.by_name(api)
    waiting: list[ir.Type | ir.Record] = [message.payload.type for message in api.messages if message.name in sent]
    reached: dict[str, None] = {}
    records: dict[Location, ir.Record] = {}
    while waiting:
        part = waiting.pop()
        if isinstance(part, ir.Record):
            records.setdefault(part.location, part)
        for inner in walk.parts(part):
            if isinstance(inner, ir.Ref) and inner.name in definitions and inner.name not in reached:
                reached[inner.name] = None
                waiting.append(walk.body(definitions[inner.name]))
    broken = [
        (place, f"{quoted(record.name)} is sent to clients, and can get no other property later")
        for place, record in sorted(records.items())
        if record.closed
    ]
    lack = "objects that are sent to clients can get no other property later"
    yield from each_or_most(CLOSED_OUTBOUND, broken, len(records), lack)


def _sent_to_clients(operation: ir.Operation) -> Iterable[str]:
    if operation.direction is ir.Direction.SERVER_TO_CLIENT:
        return operation.messages
    return operation.reply.messages if operation.reply is not None else ()


def _untyped(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None:
        return
    definitions = walk.by_name(api)
    broken: list[tuple[Location, str]] = []
    for message in api.messages:
        of = walk.resolve(message.payload.type, definitions)
        what = "any value" if of == ir.Anything() else "any object" if of == ir.Map(ir.Anything()) else ""
        if what and message.payload.content is ir.Content.JSON and _is_described(subject, message):
            broken.append((message.location, f"the payload of {quoted(message.name)} may be {what}"))
    lack = "messages have a payload that may be anything"
    yield from each_or_most(MESSAGE_UNTYPED, broken, len(api.messages), lack)


def _is_described(subject: Subject, message: ir.Message) -> bool:
    """Whether there is a schema that could say more: of a payload that is missing or not read that is said already."""
    written = subject.node_at(message.location)
    node = subject.documents.follow(written) if written is not None else None
    if node is None or not subject.is_asyncapi:
        return node is not None
    payload = node.get("payload")
    if payload is None or node.get("schemaFormat") is not None:
        return False
    return subject.documents.follow(payload).get("schemaFormat") is None


def _overlapping(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None:
        return
    definitions = walk.by_name(api)
    places = [(field.location, field.type) for record in _records(api) for field in record.fields]
    places += [(one.location, one.type) for one in api.definitions if isinstance(one, ir.Alias)]
    told: set[Location] = set()
    for place, of in places:
        union = of.of if isinstance(of, ir.Nullable) else of
        if not isinstance(union, ir.Union) or union.tag is not None or place in told or not _is_one_of(subject, place):
            continue
        told.add(place)
        found = _pair(union, definitions)
        if found is not None:
            one, other = map(_word, found)
            yield ONE_OF_OVERLAP.at(place, f"{one} and {other} may both hold for one value, which 'oneOf' refuses")


def _is_one_of(subject: Subject, place: Location) -> bool:
    return any(schema.get("oneOf") is not None for schema in _schemas(subject, place))


def _pair(union: ir.Union, definitions: dict[str, ir.Definition]) -> tuple[ir.Type, ir.Type] | None:
    members = union.members
    pairs = combinations(members, 2) if len(members) <= _FEW else pairwise(members)
    return next((pair for pair in pairs if not _are_apart(*pair, definitions)), None)


def _are_apart(left: ir.Type, right: ir.Type, definitions: dict[str, ir.Definition]) -> bool:
    if ambiguity.differ(left, right, definitions):
        return True
    one, other = walk.resolve(left, definitions), walk.resolve(right, definitions)
    return _shuts_out(one, other) or _shuts_out(other, one)


def _shuts_out(one: ir.Type | ir.Record, other: ir.Type | ir.Record) -> bool:
    """Whether an object is closed to something that the other one must have."""
    if not isinstance(one, ir.Record) or not isinstance(other, ir.Record) or not one.closed:
        return False
    return not {field.wire_name for field in other.fields if field.required} <= {f.wire_name for f in one.fields}


def _word(of: ir.Type) -> str:
    match of:
        case ir.Ref(name=name):
            return quoted(name)
        case ir.Scalar(kind=kind):
            return quoted(kind.value)
        case ir.Constant(values=values):
            return f"the constant {quoted(str(values[0]))}"
        case ir.Array() | ir.Tuple():
            return "an array"
        case ir.Map():
            return "an object"
        case _:
            return "another branch"


def _records(api: ir.Api) -> Iterator[ir.Record]:
    """All objects with properties, each once."""
    seen: set[Location] = set()
    for one in (*api.definitions, *(message.payload.type for message in api.messages)):
        if isinstance(one, ir.Record) and one.location not in seen:
            seen.add(one.location)
            yield one


RULES = (
    Rule(
        INTEGER_BEYOND_DOUBLE,
        Group.GENERATION,
        ALL,
        bad="id: {type: integer, format: int64}\n",
        good="id: {type: integer, format: int64, minimum: 0, maximum: 9007199254740991}\n",
        check=_unbounded,
    ),
    Rule(
        CLOSED_OUTBOUND,
        Group.GENERATION,
        ALL,
        bad="""\
posted:  # which the server sends
  type: object
  properties: {text: {type: string}}
  additionalProperties: false
""",
        good="posted:  # which the server sends\n  type: object\n  properties: {text: {type: string}}\n",
        check=_closed,
    ),
    Rule(
        MESSAGE_UNTYPED,
        Group.GENERATION,
        ALL,
        bad="join: {payload: {}}\n",
        good="join: {payload: {type: object, properties: {nickname: {type: string}}}}\n",
        check=_untyped,
    ),
    Rule(
        ONE_OF_OVERLAP,
        Group.GENERATION,
        ALL,
        bad="size:\n  oneOf: [{type: integer}, {type: number}]\n",
        good="size: {type: number}\n",
        check=_overlapping,
    ),
)
