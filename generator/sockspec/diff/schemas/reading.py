"""One schema, read into a term."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

from sockspec.diff.schemas.terms import FALSE, NOTHING, TRUE, TYPES, Term, tighter_lower, tighter_upper
from sockspec.runtime.formats import FORMATS
from sockspec.schema.dialect import NAMED_SCHEMAS, SCHEMA, SCHEMAS

_NOTES: Final = ("default", "deprecated")
_DYNAMIC: Final = ("$dynamicRef", "$recursiveRef")
_LEFT_OVER: Final = ("unevaluatedItems", "unevaluatedProperties")
_DEFINITION: Final = re.compile(r"#/definitions/([^/]+)")
_JOINED_BADLY: Final = re.compile(r"\\[1-9]|\(\?[aiLmsuxP(-]")
"""What means something else in an expression that is one of several, as the validator joins them."""


class Surroundings(Protocol):
    """What a schema stands in."""

    @property
    def name(self) -> str:
        """The name of its document."""
        ...

    @property
    def is_2020(self) -> bool:
        """Whether it is of draft 2020-12, and not of draft 7."""
        ...

    def number(self, schema: object) -> int:
        """The term of a schema within it."""
        ...

    def referred(self, name: str) -> Term | None:
        """What stands for a definition; None where there is none."""
        ...

    def numbered(self, term: Term) -> int:
        """The number of a term."""
        ...

    def known(self, value: object) -> str:
        """The key of a JSON value. RecursionError for deep ones."""
        ...

    def verbatim(self, schema: object) -> str:
        """The same for two schemas only if they are written alike, and so is all that they refer to."""
        ...


def definition(reference: object) -> str | None:
    """The name of the definition that a reference leads to; None where it leads elsewhere."""
    found = _DEFINITION.fullmatch(reference) if isinstance(reference, str) else None
    return found[1].replace("~1", "/").replace("~0", "~") if found is not None else None


def children(schema: Mapping[str, object], *, is_2020: bool) -> Iterator[object]:
    """The schemas that stand within one."""
    if "$ref" in schema and not is_2020:
        return
    for keyword, value in schema.items():
        if keyword in SCHEMAS and isinstance(value, list):
            yield from value
        elif keyword in NAMED_SCHEMAS and isinstance(value, Mapping):
            yield from value.values()
        elif keyword in SCHEMA:
            yield value


def read(schema: Mapping[str, object], around: Surroundings) -> Term:
    """The term of a schema; those within are known by now."""
    return _simplest(_Reading(schema, around).term())


def _simplest(term: Term) -> Term:
    """What says the same in the fewest words."""
    if term.types == frozenset() or FALSE in term.all_of or term.excluded == TRUE:
        return NOTHING
    return term


class _Reading:
    """One schema while it is read."""

    def __init__(self, schema: Mapping[str, object], around: Surroundings) -> None:
        self._around = around
        self._schema = schema
        self._opaque: list[tuple[str, str]] = []

    def term(self) -> Term:
        """All that the schema says."""
        schema = self._schema
        if "$ref" in schema and not self._around.is_2020:
            return self._reference(schema["$ref"])
        found: dict[str, Any] = {}
        for take in (self._scalar, self._array, self._object, self._joined):
            take(found)
        for keyword in _DYNAMIC:
            if keyword in schema:
                self._opaque.append((keyword, f"{self._around.name} {schema[keyword]!r}"))
        for keyword in _LEFT_OVER:
            if keyword in schema and schema[keyword] is not True:
                # What is left over depends also on keywords that assert nothing, here and in all that holds as well.
                self._opaque.append((keyword, self._around.verbatim(schema)))
        notes = [(word, self._text(schema[word])) for word in _NOTES if word in schema]
        if "format" in schema and not found["format"]:
            notes.append(("format", self._text(schema["format"])))
        found["notes"] = tuple(notes)
        found["opaque"] = tuple(self._opaque)
        return Term(**found)

    def _reference(self, reference: object) -> Term:
        name = definition(reference)
        term = self._around.referred(name) if name is not None else None
        return term or Term(opaque=(("$ref", f"{self._around.name} {reference!r}"),))

    def _unknown(self, keyword: str) -> None:
        value = self._schema[keyword]
        self._opaque.append((keyword, self._text(value)))

    def _text(self, value: object) -> str:
        try:
            text = self._around.known(value)
        except (RecursionError, ValueError, TypeError, OverflowError):
            return f"{self._around.name} {id(value)}"
        return f"{self._around.name} {text}" if "$ref" in text else text

    def _term(self, value: object) -> int:
        return self._around.number(value)

    def _is_schema(self, keyword: str) -> bool:
        value = self._schema.get(keyword)
        if isinstance(value, bool | Mapping):
            return True
        if keyword in self._schema:
            self._unknown(keyword)
        return False

    def _count(self, keyword: str) -> int | None:
        value = self._schema.get(keyword)
        if value is None and keyword not in self._schema:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value != value // 1:
            self._unknown(keyword)
            return None
        return int(value)

    def _words(self, keyword: str) -> frozenset[str]:
        value = self._schema.get(keyword, [])
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            return frozenset(value)
        self._unknown(keyword)
        return frozenset()

    def _scalar(self, found: dict[str, Any]) -> None:
        schema = self._schema
        if "type" in schema:
            found["types"] = self._types(schema["type"])
        found["values"] = self._values()
        for word, exclusive, field, tighter in (
            ("minimum", "exclusiveMinimum", "lower", tighter_lower),
            ("maximum", "exclusiveMaximum", "upper", tighter_upper),
        ):
            for keyword, without in ((word, False), (exclusive, True)):
                value = schema.get(keyword)
                if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                    found[field] = tighter(found.get(field), (value, without))
                elif keyword in schema:
                    self._unknown(keyword)
        multiple = schema.get("multipleOf")
        if isinstance(multiple, int | float) and not isinstance(multiple, bool) and 0 < multiple < math.inf:
            found["multiple_of"] = repr(multiple)
        elif "multipleOf" in schema:
            self._unknown("multipleOf")
        found["min_length"] = self._count("minLength") or 0
        found["max_length"] = self._count("maxLength")
        pattern = schema.get("pattern", "")
        if isinstance(pattern, str):
            found["pattern"] = "" if is_trivial(pattern) else pattern
        else:
            self._unknown("pattern")
        name = schema.get("format")
        found["format"] = name if isinstance(name, str) and name in FORMATS else ""

    def _types(self, value: object) -> frozenset[str] | None:
        words = [value] if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str) and word in TYPES for word in words):
            self._unknown("type")
            return None
        types = frozenset(words)
        if "number" in types:
            types -= {"integer"}
        return None if types == TYPES - {"integer"} else types

    def _values(self) -> frozenset[str] | None:
        schema = self._schema
        listed: list[list[object]] = []
        if "const" in schema:
            listed.append([schema["const"]])
        if isinstance(values := schema.get("enum"), list):
            listed.append(values)
        elif "enum" in schema:
            self._unknown("enum")
        if not listed:
            return None
        try:
            keys = [frozenset(map(self._around.known, values)) for values in listed]
        except (RecursionError, ValueError, TypeError, OverflowError):
            for keyword in {"const", "enum"} & schema.keys():
                self._unknown(keyword)
            return None
        return frozenset.intersection(*keys)

    def _array(self, found: dict[str, Any]) -> None:
        schema, is_2020 = self._schema, self._around.is_2020
        by_position, after = ("prefixItems", "items") if is_2020 else ("items", "additionalItems")
        listed = schema.get(by_position)
        if isinstance(listed, list):
            found["prefix"] = tuple(map(self._term, listed))
        elif is_2020 and by_position in schema:
            self._unknown(by_position)
        if is_2020 or isinstance(listed, list):
            if self._is_schema(after):
                found["rest"] = self._term(schema[after])
        elif self._is_schema("items"):
            found["rest"] = self._term(schema["items"])
        found["min_items"] = self._count("minItems") or 0
        found["max_items"] = self._count("maxItems")
        found["unique"] = schema.get("uniqueItems") is True
        if self._is_schema("contains"):
            least = (self._count("minContains") if is_2020 else None) if "minContains" in schema else 1
            most = self._count("maxContains") if is_2020 else None
            least = 1 if least is None else least
            if least > 0 or most is not None:
                found["contains"] = (self._term(schema["contains"]), least, most)

    def _named(self, keyword: str) -> list[tuple[str, object]]:
        value = self._schema.get(keyword, {})
        if isinstance(value, Mapping):
            return sorted(value.items())
        self._unknown(keyword)
        return []

    def _object(self, found: dict[str, Any]) -> None:
        schema = self._schema
        found["properties"] = tuple((name, self._term(child)) for name, child in self._named("properties"))
        patterns = tuple((name, self._term(child)) for name, child in self._named("patternProperties"))
        found["patterns"] = patterns
        if len(patterns) > 1 and any(_JOINED_BADLY.search(name) for name, _ in patterns):
            self._unknown("patternProperties")
        if self._is_schema("additionalProperties"):
            found["additional"] = self._term(schema["additionalProperties"])
        found["required"] = self._words("required")
        found["min_properties"] = self._count("minProperties") or 0
        found["max_properties"] = self._count("maxProperties")
        if self._is_schema("propertyNames"):
            found["names"] = self._term(schema["propertyNames"])
        if self._around.is_2020:
            asked, others = self._named("dependentRequired"), self._named("dependentSchemas")
        else:
            both = self._named("dependencies")
            asked = [one for one in both if isinstance(one[1], list)]
            others = [one for one in both if not isinstance(one[1], list)]
        found["dependent"] = tuple(
            (name, frozenset(map(str, words))) for name, words in asked if isinstance(words, list)
        )
        found["dependent_terms"] = tuple((name, self._term(child)) for name, child in others)

    def _joined(self, found: dict[str, Any]) -> None:
        schema = self._schema
        together: list[int] = []
        if "$ref" in schema:
            together.append(self._around.numbered(self._reference(schema["$ref"])))
        for keyword in ("allOf", "anyOf", "oneOf"):
            value = schema.get(keyword)
            if not isinstance(value, list):
                if keyword in schema:
                    self._unknown(keyword)
                continue
            children = sorted(map(self._term, value))
            if keyword == "allOf":
                together += children
                continue
            children = [child for child in children if child != FALSE]
            if keyword == "anyOf":
                children = [] if TRUE in children else sorted(set(children)) or [FALSE]
            elif not children:
                children = [FALSE]
            if len(children) == 1:
                together += children
            else:
                found["any_of" if keyword == "anyOf" else "one_of"] = tuple(children)
        found["all_of"] = tuple(sorted({child for child in together if child != TRUE}))
        if self._is_schema("not"):
            excluded = self._term(schema["not"])
            found["excluded"] = None if excluded == FALSE else excluded
        if self._is_schema("if"):
            then, other = (self._term(schema.get(word, True)) for word in ("then", "else"))
            found["condition"] = None if then == other == TRUE else (self._term(schema["if"]), then, other)


def is_trivial(pattern: str) -> bool:
    """Whether a regular expression is found in every text."""
    return pattern in ("", "^", "$", ".*", "^.*", ".*$", "(.*)")
