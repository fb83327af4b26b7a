"""Whether what is known of numbers and texts, and of types, is enough for what a term asks of them."""

from __future__ import annotations

from collections.abc import Callable

from sockspec.diff.schemas.facts import Facts, fits, implies_multiple, scalars
from sockspec.diff.schemas.terms import Bound, Term


def have_types(facts: Facts, types: frozenset[str]) -> bool:
    """Whether the value is known to be of one of the types."""
    basic = {"number" if name == "integer" and facts.integer else name for name in types}
    if not facts.types - basic:
        return True
    if facts.values is None or facts.types - basic != frozenset({"number"}) or "integer" not in types:
        return False
    numbers = [key for key in facts.values if key.lstrip("-").isdigit()]
    return len(numbers) == sum(key[:1].isdigit() or key[:1] == "-" for key in facts.values)


def failing(facts: Facts, term: Term, value_of: Callable[[str], object]) -> str | None:
    """The first keyword for numbers or texts that does not follow; `value_of` gives the value of a key."""
    failed = _number_fails(facts, term) if "number" in facts.types else None
    failed = failed or (_string_fails(facts, term) if "string" in facts.types else None)
    if failed is None or facts.values is None:
        return failed
    asserted = scalars(term)
    return None if all(fits(asserted, value_of(key)) for key in facts.values) else failed


def _number_fails(facts: Facts, term: Term) -> str | None:
    if term.lower is not None and not _keeps(facts.lower, term.lower, 1):
        return "exclusiveMinimum" if term.lower[1] else "minimum"
    if term.upper is not None and not _keeps(facts.upper, term.upper, -1):
        return "exclusiveMaximum" if term.upper[1] else "maximum"
    if term.multiple_of:
        have = {*facts.multiples, *(["1"] if facts.integer else [])}
        if not any(implies_multiple(one, term.multiple_of) for one in have):
            return "multipleOf"
    return None


def _keeps(have: Bound | None, want: Bound, sign: int) -> bool:
    if have is None:
        return False
    if have[0] == want[0]:
        return have[1] or not want[1]
    return have[0] > want[0] if sign > 0 else have[0] < want[0]


def _string_fails(facts: Facts, term: Term) -> str | None:
    if facts.min_length < term.min_length:
        return "minLength"
    if term.max_length is not None and (facts.max_length is None or facts.max_length > term.max_length):
        return "maxLength"
    if term.pattern and term.pattern not in facts.patterns:
        return "pattern"
    return "format" if term.format and term.format not in facts.formats else None
