"""Schemas taken apart into such without alternatives, by choosing one of each."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sockspec.samples.judge import Judge

Schema = Mapping[str, Any] | bool

_MOST_EXPANDED: Final = 300
"""Schemas that one place of a payload may be held to; circles without an end need more."""

_TAKEN_APART: Final = frozenset("$ref allOf anyOf oneOf not if then else".split())


class DeadEnd(Exception):
    """The choices that were made lead to no value."""


class Spent(Exception):
    """Too many steps."""


class Flattener:
    """Takes schemas apart. Straight, it chooses the first alternative everywhere, else any."""

    def __init__(self, judge: Judge, rng: random.Random, *, straight: bool) -> None:
        self._judge = judge
        self._rng = rng
        self._straight = straight

    def flatten(self, schemas: Iterable[Schema]) -> tuple[list[dict[str, Any]], list[Schema]]:
        """The parts that hold together, and the schemas that must not accept the value.

        DeadEnd where no value can be valid.
        """
        parts: list[dict[str, Any]] = []
        refused: list[Schema] = []
        waiting = list(schemas)
        expanded = 0
        while waiting:
            schema = waiting.pop(0)
            expanded += 1
            if expanded > _MOST_EXPANDED:
                raise DeadEnd("the schemas refer to each other without an end")
            if schema is True:
                continue
            if not isinstance(schema, Mapping):
                raise DeadEnd("nothing is allowed")
            reference = schema.get("$ref")
            if isinstance(reference, str):
                waiting.append(self._target(reference))
                if not self._judge.siblings_apply:
                    continue
            own = {keyword: value for keyword, value in schema.items() if keyword not in _TAKEN_APART}
            if own:
                parts.append(own)
            self._alternatives(schema, waiting, refused)
        return parts, refused

    def _target(self, reference: str) -> Schema:
        try:
            return self._judge.resolve(reference)
        except (KeyError, IndexError, ValueError, TypeError):
            raise DeadEnd(f"there is no schema at {reference!r}") from None

    def _alternatives(self, schema: Mapping[str, Any], waiting: list[Schema], refused: list[Schema]) -> None:
        waiting.extend(_listed(schema, "allOf"))
        for keyword in ("anyOf", "oneOf"):
            branches = [branch for branch in _listed(schema, keyword) if branch is not False]
            if keyword in schema and not branches:
                raise DeadEnd("none of the alternatives allows anything")
            if branches:
                chosen = 0 if self._straight else self._rng.randrange(len(branches))
                waiting.append(branches[chosen])
                if keyword == "oneOf":
                    refused.extend(b for n, b in enumerate(branches[:50]) if n != chosen)
        if "not" in schema:
            self._negate(schema["not"], waiting, refused)
        if "if" in schema:
            self._condition(schema, waiting, refused)

    def _condition(self, schema: Mapping[str, Any], waiting: list[Schema], refused: list[Schema]) -> None:
        if self._straight or self._rng.random() < 0.5:
            waiting += [schema["if"], schema.get("then", True)]
        else:
            waiting.append(schema.get("else", True))
            self._negate(schema["if"], waiting, refused)

    def _negate(self, schema: Schema, waiting: list[Schema], refused: list[Schema]) -> None:
        """What is not the schema, where one keyword can be turned round; else it is left to the judge."""
        if schema is True or schema == {}:
            raise DeadEnd("nothing is allowed")
        if schema is False:
            return
        refused.append(schema)
        choices = [turned for turned in map(_turned, schema.items()) if turned is not None]
        if choices:
            waiting.append(choices[0] if self._straight else self._rng.choice(choices))


_KINDS: Final = ("object", "string", "number", "array", "boolean", "null")


_COUNTS: Final = {
    "minLength": ("string", "maxLength", -1),
    "maxLength": ("string", "minLength", 1),
    "minItems": ("array", "maxItems", -1),
    "maxItems": ("array", "minItems", 1),
    "minProperties": ("object", "maxProperties", -1),
    "maxProperties": ("object", "minProperties", 1),
    "minimum": ("number", "exclusiveMaximum", 0),
    "maximum": ("number", "exclusiveMinimum", 0),
    "exclusiveMinimum": ("number", "maximum", 0),
    "exclusiveMaximum": ("number", "minimum", 0),
}
"""For each bound, of what it is one, and the bound that begins where it ends."""


def _turned(item: tuple[str, Any]) -> Schema | None:
    """A schema of which all values break a keyword; None where that is not so easily said."""
    keyword, value = item
    if keyword in _COUNTS and isinstance(value, (int, float)):
        kind, opposite, step = _COUNTS[keyword]
        return None if value + step < 0 and kind != "number" else {"type": kind, opposite: value + step}
    if isinstance(value, dict):
        return _turned_schema(keyword, value)
    if isinstance(value, list):
        return _turned_list(keyword, value)
    if keyword == "type":
        return _not_of({value})
    return value if keyword == "not" and isinstance(value, bool) else None


def _turned_schema(keyword: str, value: dict[str, Any]) -> Schema | None:
    if keyword == "properties" and value:
        name, inner = next(iter(value.items()))
        return {"type": "object", "required": [name], "properties": {name: {"not": inner}}}
    return value if keyword == "not" else None


def _turned_list(keyword: str, value: list[Any]) -> Schema | None:
    match keyword:
        case "type":
            return _not_of(set(value))
        case "required" if value:
            return {"type": "object", "properties": {value[0]: False}}
        case "anyOf":
            return {"allOf": [{"not": branch} for branch in value]}
        case "allOf" if value:
            return {"not": value[0]}
        case _:
            return None


def _not_of(named: set[Any]) -> Schema:
    return {"type": [k for k in _KINDS if k not in named and not (k == "number" and "integer" in named)]}


def _listed(schema: Mapping[str, Any], keyword: str) -> list[Schema]:
    value = schema.get(keyword)
    return value if isinstance(value, list) else []
