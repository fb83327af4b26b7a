"""Which alternative of one schema has become which one of another."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Final

from sockspec.diff.schemas.facts import Facts
from sockspec.diff.schemas.outline import Place
from sockspec.diff.schemas.proving import Prover

_MOST_TAGS: Final = 16
"""Properties that are tried for a tag."""

Matched = tuple[list[tuple[int, int]], list[int], list[int]]
"""Pairs of indexes, and the indexes that are left on either side."""


def matched(
    prover: Prover, old: Sequence[Place], new: Sequence[Place], numbers: list[int], others: list[int]
) -> Matched:
    """Match alternatives: those that are the same, then by tag, by name, and by type where nothing else is of it."""
    pairs: list[tuple[int, int]] = []
    left, right = dict(enumerate(numbers)), dict(enumerate(others))
    facts = {number: prover.facts(number) for number in {*numbers, *others}}
    _pair(pairs, left, right, dict(left), dict(right), several=True)
    tags = sorted(_tags(facts[number] for number in [*left.values(), *right.values()]))[:_MOST_TAGS]
    for tag in tags:
        keys = [{at: _tag(prover, facts[number], tag) for at, number in side.items()} for side in (left, right)]
        _pair(pairs, left, right, keys[0], keys[1])
    tagged = {number for tag in tags for number in facts if _tag(prover, facts[number], tag)}
    names = [{at: _named(side[at]) for at in rest} for side, rest in ((old, left), (new, right))]
    _pair(pairs, left, right, names[0], names[1])
    shapes = [
        {at: _shape(facts[number]) for at, number in side.items() if number not in tagged} for side in (left, right)
    ]
    _pair(pairs, left, right, shapes[0], shapes[1])
    return sorted(pairs), sorted(left), sorted(right)


def _pair(
    pairs: list[tuple[int, int]],
    left: dict[int, int],
    right: dict[int, int],
    left_keys: Mapping[int, Hashable],
    right_keys: Mapping[int, Hashable],
    *,
    several: bool = False,
) -> None:
    """Pair what is left by keys that only one on each side has, or by the order of those that have the same."""
    by_key: dict[Hashable, tuple[list[int], list[int]]] = {}
    for side, keys in enumerate((left_keys, right_keys)):
        for at, key in keys.items():
            if key is not None:
                by_key.setdefault(key, ([], []))[side].append(at)
    for one, other in by_key.values():
        if several or len(one) == len(other) == 1:
            for pair in zip(one, other, strict=False):
                pairs.append(pair)
                del left[pair[0]], right[pair[1]]


def _tags(facts: Iterator[Facts]) -> set[str]:
    """The required properties that have one value in each of the alternatives that are objects."""
    common: set[str] | None = None
    for each in facts:
        if each.types == frozenset({"object"}):
            common = set(each.required) if common is None else common & each.required
    return common or set()


def _tag(prover: Prover, facts: Facts, name: str) -> Hashable:
    values = prover.facts(*facts.of_name(name)[0]).values if name in facts.required else None
    return values if values is not None and len(values) == 1 else None


def _named(place: Place) -> Hashable:
    schema = place[0].schema
    found = schema.get("$ref") or schema.get("title") if isinstance(schema, Mapping) else None
    return found if isinstance(found, str) else None


def _shape(facts: Facts) -> Hashable:
    return facts.types if len(facts.types) == 1 else None
