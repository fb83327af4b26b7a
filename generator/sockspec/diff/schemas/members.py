"""The properties of two places."""

from __future__ import annotations

from typing import Final

from sockspec.diff.schemas.change import Effect, effect
from sockspec.diff.schemas.facts import matches
from sockspec.diff.schemas.outline import Members, Part, Place
from sockspec.diff.schemas.step import Step, pointers
from sockspec.diff.schemas.terms import FALSE, TRUE
from sockspec.spec.text import quoted

_MOST_PATTERNS: Final = 64
"""Expressions that a name is tried on."""


def compare(step: Step) -> None:
    """Note what has changed of properties, and go on to those that both versions have."""
    if not step.speaks_on:
        return
    old, new = (side.members(outline) for side, outline in zip(step.sides, step.outlines, strict=True))
    before, after = old.names, new.names
    for name in dict.fromkeys([*before, *after, *old.required, *new.required]):
        if (name in before) is not (name in after):
            _one_sided(step, name, old, new, is_new=name in after)
            continue
        step.later(old.named(name), new.named(name), name)
        was, is_now = name in old.required, name in new.required
        if was is not is_now:
            kind = "property-became-required" if is_now else "property-became-optional"
            detail = f"{quoted(name)} {'has to be there' if is_now else 'may be left out'}"
            step.found(kind, effect(is_now, was), detail, name, at=_at(name, old, new))
    before, after = old.patterns, new.patterns
    for pattern in dict.fromkeys([*before, *after]):
        if pattern in before and pattern in after:
            step.later(old.matching(pattern), new.matching(pattern), f"{{{pattern}}}")
        else:
            _pattern(step, pattern, old, new, is_new=pattern in after)
    _additional(step, old.additional, new.additional)


def _at(name: str, old: Members, new: Members) -> tuple[str, str]:
    """Where the versions of a property are: its schema, else where it is required."""
    at = pointers(old.named(name), new.named(name))
    return at[0] or old.required.get(name, ""), at[1] or new.required.get(name, "")


def _one_sided(step: Step, name: str, old: Members, new: Members, *, is_new: bool) -> None:
    """A property that only one of the schemas speaks of."""
    side, there, elsewhere = (1, new, old) if is_new else (0, old, new)
    schema = step.sides[side].number(there.named(name))
    before = step.sides[1 - side].number(_otherwise(elsewhere, name))
    needed, was_needed = name in there.required, name in elsewhere.required
    strict = _effect(step, before, schema, needed, was_needed)
    usual = strict
    if before == TRUE and not was_needed:
        usual = effect(needed, False)
    if not is_new:
        strict, usual = strict.mirrored, usual.mirrored
    kind = f"property-{'added' if is_new else 'removed'}-{'required' if needed else 'optional'}"
    detail = f"{quoted(name)} is {'new' if is_new else 'gone'}"
    step.found(kind, usual, detail, name, at=_at(name, old, new), strict=strict)


def _effect(step: Step, before: int, schema: int, needed: bool, was_needed: bool) -> Effect:
    """What it does to speak of a property for which another schema held before."""
    related = effect(False, schema != FALSE) if before == FALSE else step.relation(before, schema)
    narrows = related.may_narrow or (needed and not was_needed)
    widens = related.may_widen or (was_needed and not needed)
    return effect(narrows, widens, otherwise=related if related is Effect.UNPROVEN else Effect.BOTH)


def _otherwise(members: Members, name: str) -> Place:
    """What holds for a property that a schema does not name."""
    found: list[Part] = []
    for _, patterns, rest in members.each:
        if len(patterns) > _MOST_PATTERNS:
            continue
        fitting = [schema for pattern, schema in patterns.items() if matches(pattern, name)]
        found += fitting or ([rest] if rest is not None else [])
    return tuple(found)


def _pattern(step: Step, pattern: str, old: Members, new: Members, *, is_new: bool) -> None:
    """An expression that only one of the schemas has."""
    places = old.matching(pattern), new.matching(pattern)
    side, elsewhere = (1, old) if is_new else (0, new)
    what = step.relation(step.sides[1 - side].number(elsewhere.additional), step.sides[side].number(places[side]))
    kind = f"pattern-properties-{'added' if is_new else 'removed'}"
    detail = f"names that match {quoted(pattern)} have {'a schema' if is_new else 'no schema'} of their own"
    step.found(kind, what if is_new else what.mirrored, detail, f"{{{pattern}}}", at=pointers(*places))


def _additional(step: Step, old: Place, new: Place) -> None:
    before, after = step.numbers(old, new)
    if before == after:
        return
    if FALSE in (before, after):
        narrows = after == FALSE
        kind = "closed" if narrows else "opened"
        detail = f"other properties are {'not allowed any more' if narrows else 'allowed'}"
    elif TRUE in (before, after):
        narrows = before == TRUE
        kind = "added" if narrows else "removed"
        detail = f"other properties are {'held' if narrows else 'not held'} to a schema"
    else:
        step.later(old, new, "{}")
        return
    step.found(f"additional-properties-{kind}", effect(narrows, not narrows), detail, "{}", at=pointers(old, new))
