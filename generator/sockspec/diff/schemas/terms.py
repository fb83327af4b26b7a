"""Schemas of two documents in one table, so that two that say the same are one number.

A schema becomes a `Term`: its keywords in a normal form that does not depend on the draft, on the order of what has no
order, or on keywords that assert nothing. What it has within are numbers of other terms. References to definitions that
are not recursive are replaced by what they lead to.

Nothing here recurses with a document's depth, and each part of a document is looked at once.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from sockspec.runtime.formats import FORMATS
from sockspec.schema.dialect import NAMED_SCHEMAS, SCHEMA, SCHEMAS

Number = int | float
Bound = tuple[Number, bool]
"""A bound, and whether the bound itself is left out."""

TRUE: Final = 0
"""The term that any value fits."""
FALSE: Final = 1
"""The term that no value fits."""

TYPES: Final = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_NOTES: Final = ("default", "deprecated")
_NOT_UNDERSTOOD: Final = ("$dynamicRef", "$recursiveRef", "unevaluatedItems", "unevaluatedProperties")
_DEFINITION: Final = re.compile(r"#/definitions/([^/]+)")
_JOINED_BADLY: Final = re.compile(r"\\[1-9]|\(\?[aiLmsuxP(-]")
"""What means something else in an expression that is one of several, as the validator joins them."""


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


_NOTHING: Final = Term(types=frozenset())


class Table:
    """The terms of two documents, `old` and `new`."""

    def __init__(self, old: Mapping[str, object], new: Mapping[str, object]) -> None:
        self.terms: list[Term] = []
        self._numbers: dict[Term, int] = {}
        self._values: dict[str, object] = {}
        self.add(Term())
        self.add(_NOTHING)
        self._sides = {"old": _Side(self, "old", old), "new": _Side(self, "new", new)}
        _intern(self._sides["old"], self._sides["new"])

    def add(self, term: Term) -> int:
        """The number of a term."""
        number = self._numbers.get(term)
        if number is None:
            number = self._numbers[term] = len(self.terms)
            self.terms.append(term)
        return number

    def of(self, side: str, schema: object) -> int:
        """The term of a schema within one of the documents, the very object."""
        return self._sides[side].number(schema)

    def is_schema(self, side: str, value: object) -> bool:
        """Whether a value of one of the documents, the very object, is a schema."""
        return isinstance(value, bool) or self._sides[side].is_known(value)

    def definition(self, reference: tuple[str, str]) -> int:
        """The term of a recursive definition."""
        side, name = reference
        return self._sides["old" if side == "both" else side].definitions[name]

    def known(self, value: object) -> str:
        """The key of a JSON value: the same for values that are equal by JSON Schema. RecursionError for deep ones."""
        key = json.dumps(_plain(value), sort_keys=True)
        self._values.setdefault(key, value)
        return key

    def value(self, key: str) -> Any:
        """The value of a key."""
        return self._values[key]

    def constant(self, key: str) -> int:
        """The term that only one value fits."""
        return self.add(Term(values=frozenset({key})))


class _Side:
    """One of the two documents."""

    def __init__(self, table: Table, name: str, document: Mapping[str, object]) -> None:
        self.table = table
        self.name = name
        self.is_2020 = "2020-12" in str(document.get("$schema", ""))
        found = document.get("definitions")
        self.schemas: dict[str, object] = dict(found) if isinstance(found, Mapping) else {}
        self.definitions: dict[str, int] = {}
        """The terms of definitions, of recursive ones when all others are known."""
        self.alike: frozenset[str] = frozenset()
        """Recursive definitions that are the same in the other document."""
        self.recursive: set[str] = set()
        self._numbers: dict[int, int] = {}

    def number(self, schema: object) -> int:
        if isinstance(schema, bool):
            return TRUE if schema else FALSE
        known = self._numbers.get(id(schema))
        if known is None:  # not a schema
            return self.table.add(Term(opaque=(("", f"{self.name} {id(schema)}"),)))
        return known

    def is_known(self, schema: object) -> bool:
        return id(schema) in self._numbers

    def intern(self, name: str, *, afresh: bool = False) -> int:
        """Make the terms of a definition and of all within; references lead to terms that are known by now."""
        root = self.schemas[name]
        if afresh:
            for schema in self._within(root):
                self._numbers.pop(id(schema), None)
        stack = [root]
        while stack:
            schema = stack[-1]
            if not isinstance(schema, Mapping) or id(schema) in self._numbers:
                stack.pop()
                continue
            waiting = [
                child
                for child in self._children(schema)
                if isinstance(child, Mapping) and id(child) not in self._numbers
            ]
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            self._numbers[id(schema)] = _Reading(self, schema).number()
        self.definitions[name] = self.number(root)
        return self.definitions[name]

    def referred(self, name: str) -> set[str]:
        """The definitions that one refers to."""
        found = (self.target(schema.get("$ref")) for schema in self._within(self.schemas[name]))
        return {target for target in found if target is not None and target in self.schemas}

    def target(self, reference: object) -> str | None:
        found = _DEFINITION.fullmatch(reference) if isinstance(reference, str) else None
        return found[1].replace("~1", "/").replace("~0", "~") if found is not None else None

    def _within(self, root: object) -> Iterator[Mapping[str, object]]:
        seen: set[int] = set()
        stack = [root]
        while stack:
            schema = stack.pop()
            if isinstance(schema, Mapping) and id(schema) not in seen:
                seen.add(id(schema))
                yield schema
                stack.extend(self._children(schema))

    def _children(self, schema: Mapping[str, object]) -> Iterator[object]:
        if "$ref" in schema and not self.is_2020:
            return
        for keyword, value in schema.items():
            if keyword in SCHEMAS and isinstance(value, list):
                yield from value
            elif keyword in NAMED_SCHEMAS and isinstance(value, Mapping):
                yield from value.values()
            elif keyword in SCHEMA:
                yield value


def _intern(old: _Side, new: _Side) -> None:
    """Make the terms of both documents: definitions first whose references all lead to known terms, then the rest."""
    for side in (old, new):
        waiting = {name: side.referred(name) for name in side.schemas}
        users: dict[str, list[str]] = {}
        for name, referred in waiting.items():
            for target in referred:
                users.setdefault(target, []).append(name)
        ready = [name for name, referred in waiting.items() if not referred]
        while ready:
            name = ready.pop()
            side.intern(name)
            del waiting[name]
            for user in users.get(name, ()):
                waiting[user].discard(name)
                if not waiting[user]:
                    ready.append(user)
        side.recursive = set(waiting)
    both = old.recursive & new.recursive
    # As if all of one name were alike: those that then differ, and all that refer to them, are not.
    old.alike = new.alike = frozenset(both)
    for side in (old, new):
        for name in side.recursive:
            side.intern(name)
    differing = [name for name in both if old.definitions[name] != new.definitions[name]]
    referring: dict[str, list[str]] = {}
    for side in (old, new):
        for name in both:
            for target in side.referred(name) & side.recursive:
                referring.setdefault(target, []).append(name)
    differing += [target for target in referring if target not in both]
    unlike: set[str] = set()
    while differing:
        name = differing.pop()
        if name not in unlike:
            unlike.add(name)
            differing.extend(referring.get(name, ()))
    old.alike = new.alike = frozenset(both - unlike)
    for side in (old, new):
        for name in side.recursive:
            side.intern(name, afresh=True)


class _Reading:
    """One schema, read into a term."""

    def __init__(self, side: _Side, schema: Mapping[str, object]) -> None:
        self._side = side
        self._table = side.table
        self._schema = schema
        self._opaque: list[tuple[str, str]] = []

    def number(self) -> int:
        schema = self._schema
        if "$ref" in schema and not self._side.is_2020:
            return self._reference(schema["$ref"])
        found: dict[str, Any] = {}
        for read in (self._scalar, self._array, self._object, self._joined):
            read(found)
        for keyword in _NOT_UNDERSTOOD:
            if keyword in schema and schema[keyword] is not True:
                self._unknown(keyword)
        found["notes"] = tuple((word, self._text(schema[word])) for word in _NOTES if word in schema)
        found["opaque"] = tuple(self._opaque)
        return self._add(Term(**found))

    def _add(self, term: Term) -> int:
        if term.types == frozenset() or FALSE in term.all_of or term.excluded == TRUE:
            return FALSE
        if len(term.all_of) == 1 and all(
            getattr(term, field.name) == field.default for field in fields(Term) if field.name != "all_of"
        ):
            return term.all_of[0]
        return self._table.add(term)

    def _reference(self, reference: object) -> int:
        side = self._side
        name = side.target(reference)
        if name is None or name not in side.schemas:
            return self._table.add(Term(opaque=(("$ref", f"{side.name} {reference!r}"),)))
        if name in side.recursive:
            return self._table.add(Term(reference=("both" if name in side.alike else side.name, name)))
        return side.definitions[name]

    def _unknown(self, keyword: str) -> None:
        value = self._schema[keyword]
        if self._side.is_known(value):
            self._opaque.append((keyword, str(self._side.number(value))))
        else:
            self._opaque.append((keyword, self._text(value)))

    def _text(self, value: object) -> str:
        try:
            text = self._table.known(value)
        except (RecursionError, ValueError, TypeError, OverflowError):
            return f"{self._side.name} {id(value)}"
        return f"{self._side.name} {text}" if '"$ref"' in text else text

    def _term(self, value: object) -> int:
        return self._side.number(value)

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
            keys = [frozenset(map(self._table.known, values)) for values in listed]
        except (RecursionError, ValueError, TypeError, OverflowError):
            for keyword in {"const", "enum"} & schema.keys():
                self._unknown(keyword)
            return None
        return frozenset.intersection(*keys)

    def _array(self, found: dict[str, Any]) -> None:
        schema, is_2020 = self._schema, self._side.is_2020
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
        if self._side.is_2020:
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
            together.append(self._reference(schema["$ref"]))
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


def is_trivial(pattern: str) -> bool:
    """Whether a regular expression is found in every text."""
    return pattern in ("", "^", "$", ".*", "^.*", ".*$", "(.*)")


def _plain(value: object) -> object:
    """The value with numbers that are equal written alike."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value
