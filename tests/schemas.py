"""Random pairs of schemas, payloads for them, and what payloads disprove of what is claimed of a pair."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from sockspec.diff.schemas import Effect, SchemaChange, compare
from sockspec.samples import Judge, NoSample, valid
from tests.test_verdicts import SCALARS, SCHEMAS

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
IT = "#/definitions/It"
Schema = Any
"""A JSON Schema: a mapping or a boolean."""

VALUES: list[Any] = [json.loads(text) for text in SCALARS if text not in ("NaN", "1e400", '"\\ud800"')]
PAYLOADS = st.recursive(
    st.sampled_from(VALUES),
    lambda of: st.one_of(
        st.lists(of, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "type", "c"]), of, max_size=4)
    ),
    max_leaves=8,
)
_FIRST: list[Any] = [1, "a", []]
SMALL: list[Any] = [
    *VALUES,
    *([first, second][:length] for first in _FIRST for second in (1, 2, "b") for length in (1, 2)),
    [1, 2, 3],
    [1, "a", {"a": 1}],
    *(
        {name: value for name, value in (("a", one), ("b", other), ("x", third)) if value is not None}
        for one in (None, 1, 3, "a", "ab")
        for other in (None, 2, "b")
        for third in (None, True)
    ),
    {"c": "a"},
    {"ab": 1},
    {"long": 1, "a": "b"},
    *(number + half for number in (-1, 1, 2, 4, 6, 8, 9, 12) for half in (0, 0.5)),
    *("a" * length for length in range(5)),
]
"""Payloads that tell small schemas apart."""


def document(schema: Schema, **definitions: Schema) -> dict[str, Any]:
    """A document of schemas, of which the one that is looked at is called `It`."""
    return {"$schema": DRAFT_7, "definitions": {"It": schema, **definitions}}


def changes(old: Schema, new: Schema) -> tuple[SchemaChange, ...]:
    """What has changed from one schema to another."""
    return compare(document(old), IT, document(new), IT)


def strictly(change: SchemaChange) -> Effect:
    """The effect on all payloads."""
    return change.strict


def usually(change: SchemaChange) -> Effect:
    """The effect on payloads that have nothing by chance."""
    return change.effect


def claims(found: tuple[SchemaChange, ...], effect: Callable[[SchemaChange], Effect]) -> tuple[bool, bool]:
    """Whether it is claimed that all that was valid is, and that all that is valid was."""
    return not any(effect(c).may_narrow for c in found), not any(effect(c).may_widen for c in found)


def by_chance(found: tuple[SchemaChange, ...]) -> set[str]:
    """The names of members that the claims leave aside."""
    return {change.path[-1] for change in found if change.strict is not change.effect and change.path}


def names_in(value: Any) -> set[str]:
    """All names of members in a payload."""
    if isinstance(value, list):
        return {name for item in value for name in names_in(item)}
    if isinstance(value, dict):
        return {*value, *(name for item in value.values() for name in names_in(item))}
    return set()


def samples(schema: Schema, *, count: int = 4) -> list[Any]:
    """Valid payloads of a schema, as far as any are found."""
    try:
        return valid(Judge(document(schema)), IT, count=count)
    except NoSample:
        return []


def disproof(old: Schema, new: Schema, found: tuple[SchemaChange, ...], payloads: list[Any]) -> list[str]:
    """What payloads show to be wrong of what is claimed."""
    left_aside = by_chance(found)
    before, after = Judge(document(old)), Judge(document(new))
    strict, usual = claims(found, strictly), claims(found, usually)
    wrong: list[str] = []
    if not any((*usual, *strict)):
        return wrong
    for payload in payloads:
        was, is_now = (judge.accepts({"$ref": IT}, payload) for judge in (before, after))
        has_chance = bool(left_aside & names_in(payload))
        for (keeps, kept), applies in ((strict, True), (usual, not has_chance)):
            told = f"{payload!r} of {json.dumps(old)} and {json.dumps(new)}"
            wrong += [f"is not valid any more: {told}"] if applies and keeps and was and not is_now else []
            wrong += [f"has become valid: {told}"] if applies and kept and is_now and not was else []
    return wrong


def nearby(payload: Any) -> Iterator[Any]:
    """Payloads that differ from one a little."""
    match payload:
        case dict():
            yield {**payload, "c": 1}
            yield {**payload, "a": "x", "extra": None}
            for name, member in payload.items():
                yield {other: value for other, value in payload.items() if other != name}
                yield from ({**payload, name: near} for near in nearby(member))
        case list():
            yield from ([*payload, 1], [*payload, *payload], payload[1:])
            if payload:
                yield from ([near, *payload[1:]] for near in nearby(payload[0]))
        case bool() | None:
            yield from ("a", 1)
        case int() | float():
            yield from (payload + 1, payload - 1, payload + 0.5, -payload, str(payload))
        case _:
            yield from (payload + "a", payload[1:], payload[:1], 1, None)


@st.composite
def pairs(draw: Any) -> tuple[Schema, Schema]:
    """A schema, and another one that is made of it by some edits or has nothing to do with it."""
    old = draw(SCHEMAS)
    if draw(st.integers(0, 5)) == 0:
        return old, draw(SCHEMAS)
    return old, draw(edited(old))


@st.composite
def edited(draw: Any, schema: Schema) -> Schema:
    """The schema with one or two things changed somewhere."""
    found = copy.deepcopy(schema)
    for _ in range(draw(st.integers(1, 2))):
        places = [found]
        for place in places:
            places.extend(child for child in _children(place) if isinstance(child, dict))
        draw(st.sampled_from(EDITS))(draw(st.sampled_from(places)), draw)
    return found


def _children(schema: dict[str, Any]) -> Iterator[Any]:
    for keyword, value in schema.items():
        if keyword in ("properties", "patternProperties") and isinstance(value, dict):
            yield from value.values()
        elif isinstance(value, list) and keyword in ("allOf", "anyOf", "oneOf", "items"):
            yield from value
        elif keyword in ("items", "additionalProperties", "not", "if", "then"):
            yield value


def _any(draw: Any) -> Schema:
    """A schema of its own, as strategies give the same objects again."""
    return copy.deepcopy(draw(SCHEMAS))


def _property(place: dict[str, Any], draw: Any) -> None:
    place.setdefault("properties", {})[draw(st.sampled_from(["a", "b", "c", "type"]))] = _any(draw)


def _without(place: dict[str, Any], draw: Any) -> None:
    if place:
        del place[draw(st.sampled_from(sorted(place)))]


def _keyword(place: dict[str, Any], draw: Any) -> None:
    place.update(json.loads(draw(st.sampled_from(KEYWORDS))))


def _member(place: dict[str, Any], draw: Any) -> None:
    word = next((word for word in ("anyOf", "oneOf", "allOf") if word in place), "anyOf")
    listed = place.setdefault(word, [{"type": "string"}])
    if len(listed) > 1 and draw(st.booleans()):
        del listed[draw(st.integers(0, len(listed) - 1))]
    else:
        listed.append(_any(draw))


def _turned(place: dict[str, Any], draw: Any) -> None:
    """What means the same, or nearly so, in other words."""
    before = dict(place)
    place.clear()
    word = draw(st.sampled_from(["anyOf", "oneOf", "allOf", "not"]))
    if word == "not":
        place["not"] = {"not": before}
    else:
        place[word] = [before] if draw(st.booleans()) else [before, _any(draw)]


EDITS = [_property, _without, _keyword, _keyword, _member, _turned]
KEYWORDS = """{"minimum": 1}
{"exclusiveMinimum": 1}
{"minimum": 1, "exclusiveMinimum": 2}
{"maximum": 9}
{"exclusiveMaximum": 9}
{"exclusiveMinimum": 0}
{"multipleOf": 2}
{"multipleOf": 4}
{"multipleOf": 3}
{"multipleOf": 0.25}
{"minLength": 2}
{"maxLength": 2}
{"pattern": "^a"}
{"format": "date"}
{"type": ["string", "null"]}
{"type": "number"}
{"type": ["integer", "array", "object"]}
{"enum": ["a", 1, null, {}]}
{"const": [1]}
{"required": ["a"]}
{"required": ["a", "c"]}
{"required": []}
{"minProperties": 1}
{"minProperties": 2}
{"maxProperties": 1}
{"additionalProperties": false}
{"additionalProperties": true}
{"additionalProperties": {"type": "string"}}
{"patternProperties": {"^a": {"type": "integer"}}}
{"propertyNames": {"maxLength": 1}}
{"dependencies": {"a": ["b"]}}
{"dependencies": {"a": ["b", "x"]}}
{"dependencies": {"a": {"required": ["c"]}}}
{"minItems": 1}
{"maxItems": 2}
{"uniqueItems": true}
{"items": {"type": "integer"}}
{"items": [{"type": "integer"}], "additionalItems": false}
{"contains": {"type": "integer"}}
{"not": {"required": ["b"]}}
{"not": {"type": "integer"}}
{"if": {"required": ["a"]}, "then": {"required": ["b"]}}""".split("\n")
"""Texts of small schemas, as edits put their keywords into others."""

UNIONS: list[Schema] = [
    {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    {"oneOf": [{"type": "string"}, {"type": "integer"}]},
    {"oneOf": [{"type": "number"}, {"type": "integer"}]},
    {"oneOf": [{"type": "string"}, {}]},
    {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
    {"allOf": [{"required": ["a"]}, {"required": ["b"]}]},
    {"properties": {"a": {"type": "integer"}}, "additionalProperties": False},
    {"properties": {"a": {"type": "integer"}, "b": {}}, "additionalProperties": False},
    {"properties": {"a": {"type": "integer"}}, "patternProperties": {"^a": {"minimum": 2}}},
    {"properties": {"a": {"minimum": 2}}, "required": ["a"]},
    {"items": {"type": "integer"}, "minItems": 1},
    {"items": [{"type": "integer"}], "additionalItems": {"type": "string"}},
    {"contains": {"type": "number"}},
    {"patternProperties": {"b$": {"type": "integer"}}, "additionalProperties": {"type": "string"}},
    {"patternProperties": {"^a": {"type": "string"}}},
    True,
    False,
]
"""Schemas of several parts."""
