"""Keywords of one schema that leave nothing between them, and patterns that are none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.rules.rule import ALL, Group, Rule
from sockspec.rules.schemas import Schema, applying
from sockspec.rules.subject import Subject
from sockspec.schema import expressions
from sockspec.spec.text import quoted
from sockspec.spec.wording import shown

IMPOSSIBLE_CONSTRAINT = Code(
    "impossible-constraint",
    Severity.ERROR,
    "Two keywords of a schema leave nothing between them: a lower bound is above the upper one, or more properties are "
    "required than there may be. A package refuses every such value.",
    tolerable=True,
)
INVALID_PATTERN = Code(
    "invalid-pattern",
    Severity.ERROR,
    "A `pattern`, or a key of `patternProperties`, is no regular expression (ECMA-262), so nothing can be held to it. It "
    "is left out of the verdict on payloads.",
    tolerable=True,
)

_BOUNDS = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
    ("minContains", "maxContains"),
)
_NUMBERS = frozenset(word for pair in _BOUNDS for word in pair) | {"exclusiveMinimum", "exclusiveMaximum"}


def _impossible(subject: Subject) -> Iterator[Diagnostic]:
    for schema in subject.schemas:
        words = schema.value
        if words.keys().isdisjoint(_NUMBERS) or not applying(schema):
            continue
        for low, high in _BOUNDS:
            least, most = _number(words, low), _number(words, high)
            if least is not None and most is not None and least > most:
                yield _crossed(schema, low, high)
        lowest, is_open = _lowest(words)
        highest, is_open_above = _highest(words)
        if {lowest, highest} != {"minimum", "maximum"}:
            least, most = _number(words, lowest), _number(words, highest)
            if least is not None and most is not None and (least > most or (least == most and is_open | is_open_above)):
                yield _crossed(schema, lowest, highest)
        required, most = words.get("required"), _number(words, "maxProperties")
        if isinstance(required, list) and most is not None and len(required) > most:
            place = (schema.node.get("maxProperties") or schema.node).location
            message = f"'required' names {len(required)} properties, and 'maxProperties' is {shown(_json(most))}"
            yield IMPOSSIBLE_CONSTRAINT.at(place, message)


def _number(words: Mapping[str, object], keyword: str) -> int | float | None:
    value = words.get(keyword)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _json(value: float) -> int | float:
    return value


def _lowest(words: Mapping[str, object]) -> tuple[str, bool]:
    """The keyword of the lower bound of numbers that excludes more, and whether the bound itself is excluded."""
    if words.get("exclusiveMinimum") is True:
        return "minimum", True
    return ("exclusiveMinimum", True) if _number(words, "exclusiveMinimum") is not None else ("minimum", False)


def _highest(words: Mapping[str, object]) -> tuple[str, bool]:
    if words.get("exclusiveMaximum") is True:
        return "maximum", True
    return ("exclusiveMaximum", True) if _number(words, "exclusiveMaximum") is not None else ("maximum", False)


def _crossed(schema: Schema, low: str, high: str) -> Diagnostic:
    least, most = schema.node.get(low), schema.node.get(high)
    place = (least or schema.node).location
    values = [shown(node.value) for node in (least, most) if node is not None]
    return IMPOSSIBLE_CONSTRAINT.at(
        place, f"{quoted(low)} is {values[0]} and {quoted(high)} is {values[1]}: nothing is left between them"
    )


def _patterns(subject: Subject) -> Iterator[Diagnostic]:
    for schema in subject.schemas:
        if not applying(schema):
            continue
        own, named = schema.node.get("pattern"), schema.node.get("patternProperties")
        written = [(own.value, own.location)] if own is not None and isinstance(own.value, str) else []
        written += [(key, node.key_location) for key, node in named.items()] if named is not None else []
        for pattern, place in written:
            if why := expressions.fault(pattern):
                yield INVALID_PATTERN.at(place, f"{quoted(pattern)} is no regular expression: {why}")


RULES = (
    Rule(
        INVALID_PATTERN,
        Group.CORRECTNESS,
        ALL,
        bad="""\
type: string
pattern: '^[a-z'
""",
        good="""\
type: string
pattern: '^[a-z]+$'
""",
        check=_patterns,
    ),
    Rule(
        IMPOSSIBLE_CONSTRAINT,
        Group.CORRECTNESS,
        ALL,
        bad="""\
type: string
minLength: 10
maxLength: 5
""",
        good="""\
type: string
minLength: 5
maxLength: 10
""",
        check=_impossible,
    ),
)
