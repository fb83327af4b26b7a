"""For each keyword, values beside a valid one that probably break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from sockspec.samples import expressions
from sockspec.samples.judge import Judge
from sockspec.samples.scalars import exact, number

_OF_TYPES: Final[tuple[Any, ...]] = (12, "text", None, True, [], {}, 1.5)
_TEXTS: Final = ("", "!", "#!?", "0", "a", " ", "\u20ac\u20ac\u20ac\u20ac", "-", "zzzzzzzz")
_LONGEST: Final = 5_000
"""Characters or items above which nothing is made too long."""


def neighbours(judge: Judge, schema: Mapping[str, Any], value: Any) -> Iterator[tuple[str, Any]]:
    """Keywords of a schema, with values to put in the place of one that is valid."""
    for keyword, bound in schema.items():
        change = _CHANGES.get(keyword)
        if change is not None:
            for neighbour in change(judge, schema, bound, value):
                yield keyword, neighbour


def _other_type(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        yield from (12, True, [], {}, None)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from ("text", value + 0.5)
    yield from _OF_TYPES


def _not_listed(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        yield from (f"{value}x", value[:-1], value.swapcase(), "x" * len(value))
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield from (value + 1, value - 1, value + 1000)
    yield from _OF_TYPES


def _lower(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if _is_number(value) and _is_number(bound):
        for step in _steps(schema):
            yield _like(value, exact(bound) - step)


def _higher(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if _is_number(value) and _is_number(bound):
        for step in _steps(schema):
            yield _like(value, exact(bound) + step)


def _at(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if _is_number(value) and _is_number(bound):
        yield _like(value, exact(bound))
        for step in _steps(schema):
            yield _like(value, exact(bound) + step)
            yield _like(value, exact(bound) - step)


def _off_step(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if _is_number(value) and _is_number(bound):
        for step in (Fraction(1), exact(bound) / 2, exact(bound) / 3):
            yield from (_like(value, exact(value) + step), _like(value, exact(value) - step))


def _steps(schema: Mapping[str, Any]) -> list[Fraction]:
    multiple = schema.get("multipleOf")
    return [exact(multiple) if _is_number(multiple) and multiple else Fraction(1), Fraction(1), Fraction(1, 2)]


def _like(value: Any, result: Fraction) -> int | float:
    try:
        return number(result)
    except OverflowError:
        return value if isinstance(value, (int, float)) else 0


def _shorter(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if isinstance(value, str) and bound >= 1:
        yield from (value[: int(bound) - 1], value[-(int(bound) - 1) :] if bound > 1 else "")


def _longer(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    missing = int(bound) + 1 - len(value) if isinstance(value, str) else 0
    if isinstance(value, str) and 0 < missing <= _LONGEST:
        yield value + (value[-1:] or "a") * missing
        yield (value[:1] or "a") * missing + value
        yield value + "a" * missing


def _off_pattern(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if isinstance(value, str) and isinstance(bound, str):
        for text in (f"{value}!", f"!{value}", value[:-1], value[1:], "!" * len(value), "0" * len(value), *_TEXTS):
            try:
                if not expressions.matches(bound, text):
                    yield text
            except ValueError:
                continue


def _off_format(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        yield from ("not-a-format", "x" * len(value), f"{value}x", "=")


def _without(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if isinstance(value, dict) and isinstance(bound, list):
        for name in bound:
            if name in value:
                yield {key: inner for key, inner in value.items() if key != name}


def _with_more(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name in ("unexpected", "unexpected_2", "x"):
            for given in _OF_TYPES:
                if name not in value:
                    yield {**value, name: given}


def _fewer_members(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if isinstance(value, dict) and 1 <= bound <= len(value):
        names = list(value)
        yield from ({n: value[n] for n in kept} for kept in (names[: int(bound) - 1], names[1 - int(bound) :]))


def _more_members(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if isinstance(value, dict) and len(value) <= bound <= _LONGEST:
        inner = next(iter(value.values()), "text")
        yield {**value, **{f"more{n}": inner for n in range(int(bound) + 1 - len(value))}}


def _fewer_items(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if isinstance(value, list) and bound >= 1:
        yield value[: int(bound) - 1]
        yield value[-(int(bound) - 1) :] if bound > 1 else []


def _more_items(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if not isinstance(value, list) or not len(value) <= bound <= _LONGEST:
        return
    missing = int(bound) + 1 - len(value)
    for extra in ([value[-1]] if value else []) + list(_OF_TYPES):
        yield value + [extra] * missing
    fresh: list[list[Any]] = [list(range(missing)), [f"item{n}" for n in range(missing)]]
    yield from (value + items for items in fresh)


def _twice(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if isinstance(value, list) and value and bound is True:
        yield [*value, value[-1]]
        yield [*value[:-1], value[0]]
        yield [value[0], *value[:-1]]


def _further_item(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        listed = schema.get("prefixItems", schema.get("items"))
        if bound is False and isinstance(listed, list):
            yield [*value, *[None] * max(0, len(listed) - len(value)), "text"]


def _containing_none(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        yield [item for item in value if not judge.accepts(bound, item)]
        for other in _OF_TYPES:
            yield [item if not judge.accepts(bound, item) else other for item in value]


def _badly_named(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        inner = next(iter(value.values()), "text")
        for name in (*_TEXTS, "a" * 200):
            if name not in value and not judge.accepts(bound, name):
                yield {**value, name: inner}


def _undepended(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if isinstance(value, dict) and isinstance(bound, dict):
        for name, needs in bound.items():
            if name in value and isinstance(needs, list):
                yield from ({k: v for k, v in value.items() if k != need} for need in needs if need in value)


def _any_other(judge: Judge, schema: Mapping[str, Any], bound: Any, value: Any) -> Iterator[Any]:
    if not isinstance(value, dict):
        yield from _OF_TYPES


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_CHANGES: Final[Mapping[str, Callable[[Judge, Mapping[str, Any], Any, Any], Iterator[Any]]]] = {
    "type": _other_type,
    "const": _not_listed,
    "enum": _not_listed,
    "required": _without,
    "additionalProperties": _with_more,
    "unevaluatedProperties": _with_more,
    "minimum": _lower,
    "maximum": _higher,
    "exclusiveMinimum": _at,
    "exclusiveMaximum": _at,
    "multipleOf": _off_step,
    "minLength": _shorter,
    "maxLength": _longer,
    "pattern": _off_pattern,
    "format": _off_format,
    "minProperties": _fewer_members,
    "maxProperties": _more_members,
    "minItems": _fewer_items,
    "maxItems": _more_items,
    "uniqueItems": _twice,
    "items": _further_item,
    "additionalItems": _further_item,
    "contains": _containing_none,
    "propertyNames": _badly_named,
    "dependencies": _undepended,
    "dependentRequired": _undepended,
    "anyOf": _any_other,
    "oneOf": _any_other,
    "not": _any_other,
}
