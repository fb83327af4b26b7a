"""Which payloads the typed decoder can judge alone.

msgspec decodes into the generated classes a hundred times faster than a validator judges. Where the classes say all
that the schema says, a payload that decodes is valid, and the validator is needed only to word what does not decode.
Everything that stands in the way is listed, so that the author of a document can see why a message is checked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sockspec import ir
from sockspec.analysis import dispatch, walk
from sockspec.analysis.constants import TagValue
from sockspec.diagnostics import Location

_INT_64 = range(-(2**63), 2**63)


def prove(api: ir.Api) -> ir.Api:
    """The API with the lane of every message decided."""
    tags = dispatch.record_tags(api, dispatch.all_of(api).values())
    definitions = walk.by_name(api)
    obstacles = {d.name: _obstacles(walk.body(d), d.unsaid, d.location, tags) for d in api.definitions}
    for alias in walk.alias_order(definitions)[1]:
        # A type that is made of itself with no class in between cannot be written down for the decoder.
        obstacles[alias.name] += (ir.Unsaid("$ref", alias.location),)
    spread = _spread(definitions, obstacles)
    messages: list[ir.Message] = []
    for message in api.messages:
        own = message.payload.type
        unsaid = (*message.payload.unsaid, *(own.unsaid if isinstance(own, ir.Record) else ()))
        reasons = _obstacles(own, unsaid, message.location, tags)
        for part in walk.parts(own):
            if isinstance(part, ir.Ref):
                reasons += tuple(reason for reason in spread.get(part.name, ()) if reason not in reasons)
        lane = ir.Lane.CHECKED if reasons else ir.Lane.TYPED
        messages.append(replace(message, lane=lane, lane_reasons=tuple(dict.fromkeys(reasons))))
    return replace(api, messages=tuple(messages))


def _spread(
    definitions: Mapping[str, ir.Definition], obstacles: Mapping[str, tuple[ir.Unsaid, ...]]
) -> dict[str, tuple[ir.Unsaid, ...]]:
    """What stands in the way of each definition: its own obstacles, else those of the nearest it refers to."""
    users: dict[str, list[str]] = {}
    for name, definition in definitions.items():
        for part in walk.parts(walk.body(definition)):
            if isinstance(part, ir.Ref):
                users.setdefault(part.name, []).append(name)
    spread = {name: found for name, found in obstacles.items() if found}
    waiting = deque(spread)
    while waiting:
        name = waiting.popleft()
        for user in users.get(name, ()):
            if user not in spread:
                spread[user] = spread[name]
                waiting.append(user)
    return spread


def _obstacles(
    of: ir.Type | ir.Record,
    unsaid: Iterable[ir.Unsaid],
    location: Location,
    tags: Mapping[str, tuple[str, TagValue]],
) -> tuple[ir.Unsaid, ...]:
    found = dict.fromkeys(unsaid)
    if isinstance(of, ir.Record):
        for field in of.fields:
            found.update((ir.Unsaid(word, field.location), None) for word in _words(field.type, tags))
    else:
        found.update((ir.Unsaid(word, location), None) for word in _words(of, tags))
    return tuple(found)


def _words(of: ir.Type, tags: Mapping[str, tuple[str, TagValue]]) -> Iterator[str]:
    """Keywords that the classes cannot be trusted with, in one type up to references."""
    for part in walk.parts(of, whole=lambda union: is_tagged(union, tags)):
        match part:
            case ir.Scalar():
                yield from _scalar_words(part)
            case ir.Constant():
                if not all(_is_literal(value) for value in part.values):
                    yield "const"
            case ir.Ref() if part.name in tags:
                # Outside of a union the decoder takes an object that leaves its tag out.
                yield "required"
            case _:
                pass


def is_tagged(union: ir.Union, tags: Mapping[str, tuple[str, TagValue]]) -> bool:
    """Whether the members declare the property that the union goes by as their tag, each with its own constant."""
    declared = [tags.get(member.name) for member in union.members if isinstance(member, ir.Ref)]
    values = {tag[1] for tag in declared if tag is not None and tag[0] == union.tag}
    return union.tag is not None and len(values) == len(union.members)


def _scalar_words(scalar: ir.Scalar) -> Iterator[str]:
    limits = scalar.limits
    if scalar.kind is ir.Kind.DECIMAL:
        yield "format"
    if limits.multiple_of is not None and not (
        scalar.kind is ir.Kind.INTEGER and isinstance(limits.multiple_of, int) and limits.multiple_of in _INT_64
    ):
        yield "multipleOf"
    for keyword, bound in (
        ("minimum", limits.minimum),
        ("maximum", limits.maximum),
        ("exclusiveMinimum", limits.exclusive_minimum),
        ("exclusiveMaximum", limits.exclusive_maximum),
    ):
        if bound is not None and not -(2**53) <= bound <= 2**53:
            yield keyword


def _is_literal(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool) and value in _INT_64)
