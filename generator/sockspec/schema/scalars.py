"""Strings, numbers and constants: which scalar a schema means, and which of its keywords that says."""

from __future__ import annotations

import math
import re

from sockspec import ir
from sockspec.schema.shape import Shape

_STRING_FORMATS = {
    "date-time": ir.Kind.DATE_TIME,
    "date": ir.Kind.DATE,
    "time": ir.Kind.TIME,
    "uuid": ir.Kind.UUID,
    "byte": ir.Kind.BYTES,
    "decimal": ir.Kind.DECIMAL,
}
_JSON_KINDS = {
    "string": ir.Kind.STRING,
    "integer": ir.Kind.INTEGER,
    "number": ir.Kind.NUMBER,
    "boolean": ir.Kind.BOOLEAN,
    "null": ir.Kind.NULL,
}
_NUMBER_WORDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_STRING_WORDS = frozenset({"minLength", "maxLength", "pattern"})


def scalar(shape: Shape, json_type: str) -> tuple[ir.Scalar, frozenset[str]]:
    """The scalar of one JSON type, and the keywords of the shape that it says."""
    kind = _JSON_KINDS[json_type]
    if kind is ir.Kind.STRING:
        return _string(shape)
    if kind in (ir.Kind.INTEGER, ir.Kind.NUMBER):
        return _number(shape, kind), _NUMBER_WORDS
    return ir.Scalar(kind), frozenset()


def _string(shape: Shape) -> tuple[ir.Scalar, frozenset[str]]:
    kind = _STRING_FORMATS.get(shape.text("format"), ir.Kind.STRING)
    if kind is not ir.Kind.STRING:
        return ir.Scalar(kind), frozenset({"format"})
    limits = ir.Limits(
        min_length=length(shape.bounds.get("minLength")),
        max_length=length(shape.bounds.get("maxLength")),
        pattern=shape.text("pattern") or None,
    )
    return ir.Scalar(kind, limits), _STRING_WORDS | {"format"}


def _number(shape: Shape, kind: ir.Kind) -> ir.Scalar:
    multiple = shape.words.get("multipleOf")
    limits = ir.Limits(
        minimum=shape.bounds.get("minimum"),
        maximum=shape.bounds.get("maximum"),
        exclusive_minimum=shape.bounds.get("exclusiveMinimum"),
        exclusive_maximum=shape.bounds.get("exclusiveMaximum"),
        multiple_of=multiple.value if multiple is not None and isinstance(multiple.value, int | float) else None,
    )
    return ir.Scalar(kind, limits)


def length(bound: int | float | None) -> int | None:
    """A bound on a count; JSON Schema lets it be written as 2.0."""
    return None if bound is None or not math.isfinite(bound) else int(bound)


def constant(values: list[object], types: tuple[str, ...] | None) -> ir.Type | None:
    """The type that holds just these values, or None where one of them is an array or an object."""
    kept: dict[tuple[type, object], str | int | float | bool | None] = {}
    for value in values:
        if not isinstance(value, str | int | float | bool | None):
            return None
        if types is None or _is_of(value, types):
            kept.setdefault((type(value), value), value)
    allowed = tuple(kept.values())
    if set(map(type, allowed)) == {bool} and len(allowed) == 2:
        return ir.Scalar(ir.Kind.BOOLEAN)
    if None in allowed and len(allowed) > 1:
        return ir.Nullable(ir.Constant(tuple(value for value in allowed if value is not None)))
    return ir.Constant(allowed) if allowed else None


def _is_of(value: object, types: tuple[str, ...]) -> bool:
    match value:
        case None:
            return "null" in types
        case bool():
            return "boolean" in types
        case str():
            return "string" in types
        case int() | float():
            return "number" in types or ("integer" in types and (isinstance(value, int) or value.is_integer()))
        case _:
            return False


def readable(pattern: str) -> bool:
    """Whether Python's `re`, which gives the verdict, reads the pattern."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True
