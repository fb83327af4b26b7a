"""A schema in a normal form: what it asserts, whatever its draft and its wording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Number = int | float
Bound = tuple[Number, bool]
"""A bound, and whether the bound itself is left out."""

TRUE: Final = 0
"""The term that any value fits."""
FALSE: Final = 1
"""The term that no value fits."""

TYPES: Final = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})


@dataclass(frozen=True, slots=True)
class Term:
    """What a schema asserts."""

    types: frozenset[str] | None = None
    values: frozenset[str] | None = None
    """The values of `enum` or `const`, as `Table.value` knows them."""
    lower: Bound | None = None
    upper: Bound | None = None
    multiple_of: str = ""
    """As it is written: 5 and 5.0 are not judged alike when numbers are large."""
    min_length: int = 0
    max_length: int | None = None
    pattern: str = ""
    format: str = ""
    prefix: tuple[int, ...] = ()
    rest: int = TRUE
    """The items after `prefix`."""
    min_items: int = 0
    max_items: int | None = None
    unique: bool = False
    contains: tuple[int, int, int | None] | None = None
    """The term, and how many items are of it: at least and at most."""
    properties: tuple[tuple[str, int], ...] = ()
    patterns: tuple[tuple[str, int], ...] = ()
    additional: int = TRUE
    required: frozenset[str] = frozenset()
    min_properties: int = 0
    max_properties: int | None = None
    names: int = TRUE
    dependent: tuple[tuple[str, frozenset[str]], ...] = ()
    dependent_terms: tuple[tuple[str, int], ...] = ()
    all_of: tuple[int, ...] = ()
    any_of: tuple[int, ...] = ()
    one_of: tuple[int, ...] = ()
    excluded: int | None = None
    condition: tuple[int, int, int] | None = None
    reference: tuple[str, str] | None = None
    """The recursive definition that is meant: in which document (`old`, `new`, or `both` alike), and its name."""
    opaque: tuple[tuple[str, str], ...] = ()
    """Keywords of which nothing is known but that they are the same where they are written the same."""
    notes: tuple[tuple[str, str], ...] = ()
    """Keywords that only describe and are compared nevertheless."""


ANYTHING: Final = Term()
NOTHING: Final = Term(types=frozenset())


def tighter_lower(one: Bound | None, other: Bound | None) -> Bound | None:
    """The lower bound that leaves fewer numbers."""
    if one is None or other is None:
        return one or other
    return max(one, other)


def tighter_upper(one: Bound | None, other: Bound | None) -> Bound | None:
    """The upper bound that leaves fewer numbers."""
    if one is None or other is None:
        return one or other
    return min(one, other, key=lambda bound: (bound[0], not bound[1]))
