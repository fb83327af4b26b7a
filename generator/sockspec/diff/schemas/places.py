"""Two places that are no mere alternatives: types, values, bounds, and items."""

from __future__ import annotations

from typing import Any, Final

from sockspec.diff.schemas import alternatives, judging
from sockspec.diff.schemas.change import effect
from sockspec.diff.schemas.outline import Outline, Part
from sockspec.diff.schemas.step import Step, pointers, says_null
from sockspec.diff.schemas.table import Table
from sockspec.diff.schemas.terms import TRUE, TYPES

_NULL: Final = frozenset({"null"})


def compare(step: Step) -> None:
    """Note all changes but those of properties, and go on to the items."""
    old, new = step.outlines
    types = step.types
    nulls_change = False
    if step.nulls_said or all(side - _NULL and side != TYPES for side in types):
        null = tuple(map(says_null, types))
        nulls_change = step.nulls_said or null[0] != null[1]
        if not step.nulls_said:
            step.all_found(judging.nullable(*null))
        types = types[0] - _NULL, types[1] - _NULL
    step.all_found(judging.types(*types))
    step.all_found(judging.notes(old, new))
    if not step.speaks_on:
        return
    _values(step, without_null=nulls_change)
    for found in (judging.bounds, judging.texts, judging.multiples, judging.uniqueness):
        step.all_found(found(old, new))
    step.all_found(judging.opaque(old, new, lambda one, other: _whole(step, 0, one) == _whole(step, 1, other)))
    alternatives.beside(step)
    _items(step)


def _whole(step: Step, side: int, value: Any) -> Any:
    """A keyword's value with terms in place of the schemas in it."""
    if step.sides[side].is_schema(value):
        return step.sides[side].number((Part(value, ""),))
    if isinstance(value, dict):
        return {name: _whole(step, side, inner) for name, inner in value.items()}
    return value


def _values(step: Step, *, without_null: bool) -> None:
    old, new = (_listed(step.table, outline) for outline in step.outlines)
    if without_null:
        old, new = (keys if keys is None else keys - _NULL for keys in (old, new))
    is_const = all("const" in outline.keywords for outline in step.outlines)
    step.all_found(judging.values(old, new, is_const=is_const))


def _listed(table: Table, outline: Outline) -> frozenset[str] | None:
    """The values that a place lists; None where it does not."""
    found: frozenset[str] | None = None
    for values in [[value] for value in outline.values("const")] + outline.values("enum"):
        try:
            keys = frozenset(map(table.known, values))
        except (RecursionError, ValueError, TypeError, OverflowError):
            continue
        found = keys if found is None else found & keys
    return found


def _items(step: Step) -> None:
    old, new = (side.items(outline) for side, outline in zip(step.sides, step.outlines, strict=True))
    longest = max(old.longest, new.longest)
    for index in range(longest):
        here = old.at(index), new.at(index)
        numbers = step.numbers(*here)
        is_new, was = index < new.longest, index < old.longest
        if numbers[0] != numbers[1] and is_new is not was:
            kind = "tuple-item-added" if is_new else "tuple-item-removed"
            detail = f"the item at '{index}' has {'a' if is_new else 'no'} schema of its own"
            step.found(kind, step.relation(*numbers), detail, f"[{index}]", at=pointers(*here))
        else:
            step.later(*here, f"[{index}]")
    rest = old.at(longest), new.at(longest)
    numbers = step.numbers(*rest)
    if TRUE in numbers and numbers[0] != numbers[1]:
        is_new = numbers[0] == TRUE
        kind = "items-added" if is_new else "items-removed"
        detail = "items are held to a schema" if is_new else "items are not held to a schema any more"
        step.found(kind, effect(is_new, not is_new), detail, "[]", at=pointers(*rest))
    else:
        step.later(*rest, "[]")
