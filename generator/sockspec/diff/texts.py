"""The types of parameters as sets of texts: a handshake knows no others."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import fields, replace

from sockspec import ir
from sockspec.analysis import walk
from sockspec.diff.schemas import Effect
from sockspec.spec.text import quoted

Definitions = Mapping[str, ir.Definition]
_MOST_SHOWN = 6
"""Values that a message names."""
_INTEGER = re.compile(r"-?[0-9]{1,300}")
_BOOLEAN = ir.Constant(("true", "false"))


def compare(old: ir.Type, before: Definitions, new: ir.Type, after: Definitions) -> Effect:
    """What became of the set of texts that a parameter may have."""
    one, other = _plain(old, before), _plain(new, after)
    if one == other:
        return Effect.NONE
    kept, grown = _within(one, before, other, after), _within(other, after, one, before)
    if kept is None or grown is None:
        return Effect.NARROWED if kept is False else Effect.WIDENED if kept else Effect.UNPROVEN
    if kept:
        return Effect.NONE if grown else Effect.WIDENED
    return Effect.NARROWED if grown else Effect.BOTH


def wording(of: ir.Type, definitions: Definitions) -> str:
    """A type in a few words."""
    match _plain(of, definitions):
        case ir.Constant(values=values):
            shown = ", ".join(quoted(str(value)) for value in values[:_MOST_SHOWN])
            return shown + (f" and {len(values) - _MOST_SHOWN} others" if len(values) > _MOST_SHOWN else "")
        case ir.Scalar(kind=kind, limits=limits):
            bounds = ((one.name, getattr(limits, one.name)) for one in fields(limits))
            said = [f"{name.replace('_', ' ')} {_shown(value)}" for name, value in bounds if value is not None]
            return f"{kind.value} ({', '.join(said)})" if said else kind.value
        case ir.Array(item=item):
            return f"array of {wording(item, definitions)}" if not isinstance(item, ir.Array) else "array"
        case ir.Anything():
            return "any text"
        case _:
            return "a text of its own format"


def _shown(value: object) -> str:
    return quoted(value) if isinstance(value, str) else str(value)


def _plain(of: ir.Type, definitions: Definitions) -> ir.Type | ir.Record:
    """A type without its name, null and truth, which are texts like others."""
    resolved = walk.resolve(of, definitions)
    if isinstance(resolved, ir.Nullable):
        resolved = walk.resolve(resolved.of, definitions)
    if isinstance(resolved, ir.Scalar) and resolved.kind is ir.Kind.BOOLEAN:
        return _BOOLEAN
    if isinstance(resolved, ir.Constant):
        return ir.Constant(tuple(dict.fromkeys(map(_text, resolved.values))))
    return replace(resolved, name="") if isinstance(resolved, ir.Record) else resolved


def _text(value: str | int | float | bool | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _within(
    inner: ir.Type | ir.Record, inside: Definitions, outer: ir.Type | ir.Record, outside: Definitions
) -> bool | None:
    """Whether every text of one type is one of the other; None where that cannot be proven."""
    if inner == outer or isinstance(outer, ir.Anything):
        return True
    match inner, outer:
        case ir.Array(), ir.Array():
            return _both(_bounds_within(inner, outer), _items_within(inner.item, inside, outer.item, outside))
        case ir.Array(), _:
            return _items_within(inner.item, inside, outer, outside) if inner.max_items == 1 else False
        case _, ir.Array():
            return _both((outer.min_items or 0) <= 1, _items_within(inner, inside, outer.item, outside))
        case ir.Constant(values=values), _:
            verdicts = [_has(outer, str(value)) for value in values]
            return False if False in verdicts else None if None in verdicts else True
        case ir.Scalar(), ir.Scalar():
            return _scalar_within(inner, outer)
        case ir.Scalar(limits=limits), ir.Constant():
            return False if limits == ir.Limits() else None
        case _:
            return None


def _items_within(
    inner: ir.Type | ir.Record, inside: Definitions, outer: ir.Type | ir.Record, outside: Definitions
) -> bool | None:
    """The same for the items of arrays, which are never arrays themselves."""
    one = inner if isinstance(inner, ir.Record) else _plain(inner, inside)
    other = outer if isinstance(outer, ir.Record) else _plain(outer, outside)
    if isinstance(one, ir.Array) or isinstance(other, ir.Array):
        return None
    return _within(one, inside, other, outside)


def _both(one: bool, other: bool | None) -> bool | None:
    return False if not one or other is False else other


def _bounds_within(inner: ir.Array, outer: ir.Array) -> bool:
    least, most = inner.min_items or 0, inner.max_items
    return least >= (outer.min_items or 0) and (
        outer.max_items is None or (most is not None and most <= outer.max_items)
    )


def _has(of: ir.Type | ir.Record, text: str) -> bool | None:
    match of:
        case ir.Constant(values=values):
            return text in values
        case ir.Scalar(kind=ir.Kind.STRING, limits=limits):
            if not (limits.min_length or 0) <= len(text) <= (limits.max_length or max(len(text), 0)):
                return False
            return True if limits.pattern is None else None
        case ir.Scalar(kind=ir.Kind.INTEGER, limits=limits):
            if _INTEGER.fullmatch(text) is None:
                return False
            value = int(text)
            above = limits.minimum is None or value >= limits.minimum
            below = limits.maximum is None or value <= limits.maximum
            plain = replace(limits, minimum=None, maximum=None) == ir.Limits()
            return False if not (above and below) else True if plain else None
        case _:
            return None


def _scalar_within(inner: ir.Scalar, outer: ir.Scalar) -> bool | None:
    if outer == ir.Scalar(ir.Kind.STRING):
        return True
    if inner.kind is not outer.kind and (inner.kind, outer.kind) != (ir.Kind.INTEGER, ir.Kind.NUMBER):
        return False if inner.limits == ir.Limits() and outer.kind is not ir.Kind.STRING else None
    one, other = inner.limits, outer.limits
    if other.pattern not in (None, one.pattern) or other.multiple_of not in (None, one.multiple_of):
        return None
    whole = inner.kind is ir.Kind.INTEGER
    low = _ends(one.minimum, one.exclusive_minimum, whole), _ends(other.minimum, other.exclusive_minimum, whole)
    high = _ends(*_negative(one), whole), _ends(*_negative(other), whole)
    short = (one.min_length or 0) >= (other.min_length or 0)
    long = other.max_length is None or (one.max_length is not None and one.max_length <= other.max_length)
    return short and long and low[0] >= low[1] and high[0] >= high[1]


_Bound = float | int | None


def _negative(limits: ir.Limits) -> tuple[_Bound, _Bound]:
    """The upper bounds as lower ones, of the numbers with the other sign."""
    maximum, exclusive = limits.maximum, limits.exclusive_maximum
    return None if maximum is None else -maximum, None if exclusive is None else -exclusive


def _ends(least: _Bound, above: _Bound, whole: bool) -> tuple[float | int, bool]:
    """A lower bound that can be compared with others, and whether the bound itself is left out."""
    if above is not None and whole and math.isfinite(above) and above == int(above):
        # What is above it begins with the next whole number.
        following = int(above) + 1
        least, above = following if least is None else max(following, least), None
    inclusive = (-math.inf if least is None else least, False)
    return inclusive if above is None else max(inclusive, (above, True))
