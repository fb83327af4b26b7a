"""What is known of a value that fits several terms at once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from sockspec.diff.schemas.table import Table
from sockspec.diff.schemas.terms import FALSE, TRUE, Bound, Number, Term, tighter_lower, tighter_upper
from sockspec.runtime.formats import FORMATS
from sockspec.samples import expressions

BASIC: Final = frozenset({"null", "boolean", "number", "string", "array", "object"})
_MOST_COUNTED: Final = 32
"""Integers of a range that are taken one by one."""
_LONGEST_TRIED: Final = 200
"""Characters of a text that an expression is tried on."""
_SHORTEST_RISK: Final = 12
"""Characters of a text that also a costly expression is tried on."""
_MOST_LOOKED_AT: Final = 20_000
"""Names of required properties, times schemas that may speak of them, above which it is not looked for a contradiction."""
_LARGEST_EXACT: Final = 2**53


@dataclass(slots=True)
class Members:
    """What one schema says of the members of an object."""

    properties: Mapping[str, int]
    patterns: Mapping[str, int]
    additional: int

    def of(self, name: str) -> tuple[list[int], bool]:
        """The terms that hold for the member of a name, as far as is known, and whether the schema speaks of it."""
        found = [self.properties[name]] if name in self.properties else []
        said = bool(found)
        others = not found
        for pattern, term in self.patterns.items():
            fits = matches(pattern, name)
            if fits:
                found.append(term)
            if fits is not False:
                others, said = False, True
        if others:
            found.append(self.additional)
        return found, said or self.additional != TRUE


@dataclass(slots=True)
class Facts:
    """All that is known. Where it contradicts itself for a type, the type is not among `types`."""

    given: frozenset[int]
    members: set[int] = field(default_factory=set[int])
    """The terms that hold."""
    types: frozenset[str] = BASIC
    integer: bool = False
    """Whether numbers are whole."""
    values: frozenset[str] | None = None
    lower: Bound | None = None
    upper: Bound | None = None
    multiples: set[str] = field(default_factory=set[str])
    min_length: int = 0
    max_length: int | None = None
    patterns: set[str] = field(default_factory=set[str])
    formats: set[str] = field(default_factory=set[str])
    arrays: list[tuple[tuple[int, ...], int]] = field(default_factory=list[tuple[tuple[int, ...], int]])
    min_items: int = 0
    max_items: int | None = None
    unique: bool = False
    contains: set[tuple[int, int, int | None]] = field(default_factory=set[tuple[int, int, int | None]])
    objects: list[Members] = field(default_factory=list[Members])
    required: set[str] = field(default_factory=set[str])
    min_properties: int = 0
    max_properties: int | None = None
    names: set[int] = field(default_factory=set[int])
    dependent: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    dependent_terms: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    excluded: set[int] = field(default_factory=set[int])
    conditions: set[tuple[int, int, int]] = field(default_factory=set[tuple[int, int, int]])
    choices: list[tuple[int, ...]] = field(default_factory=list[tuple[int, ...]])
    """Alternatives of which it is not known yet which holds."""

    @property
    def spoken(self) -> int:
        """How much has to be looked at to know what holds for a name."""
        return sum(1 + len(each.patterns) for each in self.objects)

    @property
    def property_names(self) -> set[str]:
        """The names that any of the schemas speaks of."""
        return {name for each in self.objects for name in each.properties} | self.required

    def of_name(self, name: str) -> tuple[frozenset[int], bool]:
        """The terms that hold for the member of a name, and whether any schema speaks of it."""
        found: set[int] = set()
        said = False
        for each in self.objects:
            terms, spoken = each.of(name)
            found.update(terms)
            said = said or spoken
        return frozenset(found - {TRUE}), said

    def of_pattern(self, pattern: str) -> frozenset[int]:
        """The terms that hold for members whose names fit the expression, and which no schema has by name."""
        found: set[int] = set()
        for each in self.objects:
            if pattern in each.patterns:
                found.add(each.patterns[pattern])
            elif not each.patterns:
                found.add(each.additional)
        return frozenset(found - {TRUE})

    def of_others(self, patterns: Iterable[str]) -> list[frozenset[int]]:
        """The terms that hold for members that no schema has by name and that fit none of the expressions, by case."""
        extra = {pattern for each in self.objects for pattern in each.patterns} - set(patterns)
        base = frozenset({each.additional for each in self.objects} - {TRUE})
        return [base, *(self.of_pattern(pattern) for pattern in sorted(extra))]

    def at(self, index: int) -> frozenset[int]:
        """The terms that hold for the item at an index."""
        found = {prefix[index] if index < len(prefix) else rest for prefix, rest in self.arrays}
        return frozenset(found - {TRUE})

    @property
    def longest_prefix(self) -> int:
        """How many items any schema tells apart by position."""
        return max((len(prefix) for prefix, _ in self.arrays), default=0)


def gather(table: Table, given: frozenset[int]) -> Facts:
    """What is known of a value that fits all given terms."""
    facts = Facts(given)
    stack = list(given)
    while stack:
        number = stack.pop()
        if number in facts.members or number == TRUE:
            continue
        facts.members.add(number)
        term = table.terms[number]
        _take(facts, term)
        stack.extend(term.all_of)
        if term.reference is not None:
            stack.append(table.definition(term.reference))
        if not stack and facts.values is not None and len(facts.values) == 1:
            stack.extend(_structure(table, *facts.values))
    _choose(facts, table)
    _narrow(facts, table)
    return facts


def _take(facts: Facts, term: Term) -> None:
    """Add what one term says."""
    if term.types is not None:
        if not term.types & {"number"} and "integer" in term.types:
            facts.integer = True
        facts.types &= {"number" if name == "integer" else name for name in term.types}
    if term.values is not None:
        facts.values = term.values if facts.values is None else facts.values & term.values
    facts.lower = tighter_lower(facts.lower, term.lower)
    facts.upper = tighter_upper(facts.upper, term.upper)
    if term.multiple_of:
        facts.multiples.add(term.multiple_of)
    facts.min_length = max(facts.min_length, term.min_length)
    facts.max_length = least(facts.max_length, term.max_length)
    facts.patterns |= {term.pattern} - {""}
    facts.formats |= {term.format} - {""}
    if term.prefix or term.rest != TRUE:
        facts.arrays.append((term.prefix, term.rest))
    facts.min_items = max(facts.min_items, term.min_items)
    facts.max_items = least(facts.max_items, term.max_items)
    facts.unique = facts.unique or term.unique
    if term.contains is not None:
        facts.contains.add(term.contains)
    if term.properties or term.patterns or term.additional != TRUE:
        facts.objects.append(Members(dict(term.properties), dict(term.patterns), term.additional))
    facts.required |= term.required
    facts.min_properties = max(facts.min_properties, term.min_properties)
    facts.max_properties = least(facts.max_properties, term.max_properties)
    facts.names |= {term.names} - {TRUE}
    for name, others in term.dependent:
        facts.dependent.setdefault(name, set()).update(others)
    facts.dependent_terms.update(term.dependent_terms)
    if term.excluded is not None:
        facts.excluded.add(term.excluded)
    if term.condition is not None:
        facts.conditions.add(term.condition)


def _structure(table: Table, key: str) -> list[int]:
    """The term of what a list or an object that is the only value is made of."""
    value = table.value(key)
    if isinstance(value, list):
        items = tuple(table.constant(table.known(item)) for item in value)
        return [table.add(Term(prefix=items, rest=FALSE, min_items=len(items), max_items=len(items)))]
    if isinstance(value, Mapping):
        properties = tuple((name, table.constant(table.known(member))) for name, member in sorted(value.items()))
        return [table.add(Term(properties=properties, additional=FALSE, required=frozenset(value)))]
    return []


def _choose(facts: Facts, table: Table) -> None:
    """The alternatives that are open, and of those that exclude each other what the one that holds excludes."""
    for number in sorted(facts.members):
        term = table.terms[number]
        if term.any_of and not facts.members.intersection(term.any_of):
            facts.choices.append(term.any_of)
        if term.one_of:
            chosen = facts.members.intersection(term.one_of)
            if chosen:
                facts.excluded |= set(term.one_of) - {min(chosen)}
            else:
                facts.choices.append(tuple(sorted(set(term.one_of))))


def _narrow(facts: Facts, table: Table) -> None:
    """Draw conclusions, and leave out the types that the facts contradict."""
    facts.integer = facts.integer or any(_is_whole(multiple) for multiple in facts.multiples)
    if facts.integer:
        facts.lower, facts.upper = _whole(facts.lower, 1), _whole(facts.upper, -1)
    facts.min_properties = max(facts.min_properties, len(facts.required))
    for each in facts.objects:
        if each.additional == FALSE and not each.patterns:
            possible = sum(term != FALSE for term in each.properties.values())
            facts.max_properties = least(facts.max_properties, possible)
    for prefix, rest in facts.arrays:
        items = (*prefix, rest)
        if FALSE in items:
            facts.max_items = least(facts.max_items, items.index(FALSE))
    _enumerate(facts, table)
    impossible: set[str] = set()
    if facts.lower is not None and facts.upper is not None:
        (low, without_low), (high, without_high) = facts.lower, facts.upper
        if low > high or (low == high and (without_low or without_high)):
            impossible.add("number")
    if facts.max_length is not None and facts.min_length > facts.max_length:
        impossible.add("string")
    if facts.max_items is not None and facts.min_items > facts.max_items:
        impossible.add("array")
    if facts.max_properties is not None and facts.min_properties > facts.max_properties:
        impossible.add("object")
    looked_at = len(facts.required) * facts.spoken
    if looked_at < _MOST_LOOKED_AT and any(FALSE in facts.of_name(name)[0] for name in facts.required):
        impossible.add("object")
    if FALSE in facts.names and facts.min_properties:
        impossible.add("object")
    facts.types -= impossible
    if facts.values is not None:
        _from_values(facts, table)


def _enumerate(facts: Facts, table: Table) -> None:
    """Take the values one by one where there are few."""
    if facts.values is not None or not facts.types:
        return
    if facts.types <= frozenset({"null", "boolean"}):
        values = [None, True, False] if len(facts.types) == 2 else [None] if "null" in facts.types else [True, False]
        facts.values = frozenset(map(table.known, values))
    elif facts.types == frozenset({"number"}) and facts.integer and facts.lower is not None and facts.upper is not None:
        low, high = facts.lower[0], facts.upper[0]
        if 0 <= high - low < _MOST_COUNTED and max(abs(low), abs(high)) < _LARGEST_EXACT:
            facts.values = frozenset(table.known(value) for value in range(int(low), int(high) + 1))


def _from_values(facts: Facts, table: Table) -> None:
    """Leave out the values that break what is known, and the types that none of them has."""
    kept: set[str] = set()
    types: set[str] = set()
    for key in facts.values or ():
        value = table.value(key)
        name = type_of(value)
        if name in facts.types and fits(facts, value) is not False:
            kept.add(key)
            types.add(name)
    facts.values, facts.types = frozenset(kept), facts.types & types


def fits(facts: Facts, value: object) -> bool | None:
    """Whether a value fits what is said of numbers and texts; None where that is not known."""
    verdicts: set[bool | None] = {True}
    if isinstance(value, int | float) and not isinstance(value, bool):
        verdicts.add(not facts.integer or value == value // 1)
        verdicts.update(is_multiple(value, each) for each in facts.multiples)
        verdicts.add(facts.lower is None or is_above(value, facts.lower))
        verdicts.add(facts.upper is None or is_below(value, facts.upper))
    elif isinstance(value, str):
        verdicts.add(facts.min_length <= len(value))
        verdicts.add(facts.max_length is None or len(value) <= facts.max_length)
        verdicts.update(matches(pattern, value) for pattern in facts.patterns)
        verdicts.update(FORMATS[name](value) for name in facts.formats)
    return False if False in verdicts else None if None in verdicts else True


def scalars(term: Term) -> Facts:
    """What a term says of numbers and texts."""
    facts = Facts(frozenset())
    _take(facts, term)
    facts.integer = False  # what a type says is not said of numbers
    return facts


def type_of(value: object) -> str:
    """The type of a JSON value; all numbers are of one."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def is_above(value: Number, bound: Bound) -> bool:
    """Whether a number keeps a lower bound."""
    return value > bound[0] if bound[1] else value >= bound[0]


def is_below(value: Number, bound: Bound) -> bool:
    """Whether a number keeps an upper bound."""
    return value < bound[0] if bound[1] else value <= bound[0]


def is_multiple(value: Number, written: str) -> bool | None:
    """Whether a number is a multiple, as the validator counts; None where it cannot be counted."""
    try:
        if written.isdecimal():
            return value % int(written) == 0
        quotient = value / float(written)
        return quotient.is_integer() if math.isfinite(quotient) else None
    except OverflowError:
        return None


def implies_multiple(have: str, want: str) -> bool:
    """Whether all multiples of one number are multiples of another one, also as floating-point numbers divide."""
    if have == want:
        return True
    if want.isdecimal():
        return have.isdecimal() and max(int(have), int(want)) < _LARGEST_EXACT and int(have) % int(want) == 0
    # Powers of two divide exactly. 0.3 is a multiple of 0.1 for no validator that divides.
    divisor = float(want)
    if math.frexp(divisor)[0] != 0.5 or divisor > 1:
        return False
    return have.isdecimal() or (math.frexp(float(have))[0] == 0.5 and float(have) >= divisor)


def _is_whole(multiple: str) -> bool:
    return multiple.isdecimal() or (math.frexp(float(multiple))[0] == 0.5 and float(multiple) >= 1)


def _whole(bound: Bound | None, step: int) -> Bound | None:
    """The bound as whole numbers keep it."""
    if bound is None:
        return None
    value, without = bound
    nearest = math.ceil(value) if step > 0 else math.floor(value)
    return (nearest + step if without and nearest == value else nearest), False


@lru_cache(maxsize=10_000)
def _matches(pattern: str, text: str) -> bool | None:
    try:
        if len(text) > _SHORTEST_RISK and expressions.is_risky(pattern):
            return None
        return expressions.matches(pattern, text)
    except (ValueError, re.error, RecursionError, OverflowError):
        return None


def matches(pattern: str, text: str) -> bool | None:
    """Whether an expression of a document is found in a text; None where finding out could take too long."""
    return _matches(pattern, text) if len(text) <= _LONGEST_TRIED else None


def least(one: int | None, other: int | None) -> int | None:
    """The smaller of two bounds, of which either may be missing."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
