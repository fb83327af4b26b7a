"""A schema as its author reads it: references followed, `allOf` taken for one schema, each keyword with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sockspec.diff.schemas.table import Table
from sockspec.diff.schemas.terms import TRUE, TYPES, Term
from sockspec.spec.source import escape

_NOT_FOLLOWED: Final = ("$ref", "allOf", "$schema", "definitions")


@dataclass(frozen=True, slots=True)
class Part:
    """A schema of a document, and where it stands."""

    schema: object
    pointer: str


Place = tuple[Part, ...]
"""Schemas that hold for a value together."""


@dataclass(slots=True)
class Outline:
    """What schemas that hold together say, keyword by keyword."""

    place: Place
    keywords: dict[str, list[Part]] = field(default_factory=dict[str, list[Part]])
    """Each keyword's values, with the pointers of these."""
    parts: list[Part] = field(default_factory=list[Part])

    @property
    def pointer(self) -> str:
        """Where the schema stands; the last of the references that lead there has been followed."""
        return self.parts[0].pointer if self.parts else self.place[0].pointer if self.place else "#"

    @property
    def pointers(self) -> tuple[str, ...]:
        """Where all that is said stands."""
        return tuple(part.pointer for part in self.parts or self.place)

    def at(self, *keywords: str) -> str:
        """Where the first of the keywords that is there stands, else where the schema does."""
        for keyword in keywords:
            if keyword in self.keywords:
                return self.keywords[keyword][0].pointer
        return self.pointer

    def values(self, keyword: str) -> list[Any]:
        """The values of a keyword."""
        return [part.schema for part in self.keywords.get(keyword, ())]


class Side:
    """One of the two documents: outlines of its schemas."""

    def __init__(self, table: Table, name: str, document: Mapping[str, object]) -> None:
        self._table = table
        self._name = name
        self._is_2020 = "2020-12" in str(document.get("$schema", ""))
        found = document.get("definitions")
        self._definitions: Mapping[str, object] = found if isinstance(found, Mapping) else {}

    def place(self, reference: str) -> Place:
        """The schema at a reference; an unknown one where there is none."""
        return (Part({"$ref": reference}, "#"),) if self._target(reference) is None else (self._part(reference),)

    def _target(self, reference: object) -> str | None:
        if not isinstance(reference, str) or not reference.startswith("#/definitions/"):
            return None
        name = reference.removeprefix("#/definitions/").replace("~1", "/").replace("~0", "~")
        return name if name in self._definitions else None

    def _part(self, reference: object) -> Part:
        name = self._target(reference)
        assert name is not None
        return Part(self._definitions[name], f"#/definitions/{escape(name)}")

    def number(self, place: Place) -> int:
        """The term of what holds together."""
        numbers = sorted({self._table.of(self._name, part.schema) for part in place} - {TRUE})
        if len(numbers) == 1:
            return numbers[0]
        return self._table.add(Term(all_of=tuple(numbers))) if numbers else TRUE

    def is_schema(self, value: object) -> bool:
        """Whether a value of the document, the very object, is a schema."""
        return self._table.is_schema(self._name, value)

    def outline(self, place: Place) -> Outline:
        """What a place says."""
        outline = Outline(place)
        seen: set[int] = set()
        stack = list(reversed(place))
        while stack:
            part = stack.pop()
            schema = part.schema
            if schema is False:
                outline.parts.append(part)
                outline.keywords.setdefault("type", []).append(Part([], part.pointer))
            if not isinstance(schema, Mapping) or id(schema) in seen:
                continue
            seen.add(id(schema))
            reference = schema.get("$ref")
            if reference is not None and self._target(reference) is not None:
                stack.append(self._part(reference))
            if reference is not None and not self._is_2020:
                continue
            inner = [*_listed(schema, part.pointer, "allOf")]
            stack.extend(reversed(inner))
            own = {keyword: value for keyword, value in schema.items() if keyword not in _NOT_FOLLOWED}
            if own or not (inner or reference):
                outline.parts.append(part)
            for keyword, value in own.items():
                outline.keywords.setdefault(keyword, []).append(Part(value, f"{part.pointer}/{escape(keyword)}"))
        return outline

    def types(self, outline: Outline) -> frozenset[str]:
        """The types that a value may be of; a number is of both `integer` and `number`."""
        types = TYPES
        for value in outline.values("type"):
            words = [value] if isinstance(value, str) else value
            listed = {word for word in words if isinstance(word, str)} if isinstance(words, list) else TYPES
            types &= listed | {"integer"} if "number" in listed else listed
        return types

    def choices(self, outline: Outline) -> list[tuple[str, list[Place], str]]:
        """The alternatives that a schema has: the keyword, the alternatives, and where they stand."""
        return [
            (keyword, [(inner,) for inner in _items(part)], part.pointer)
            for keyword in ("anyOf", "oneOf")
            for part in outline.keywords.get(keyword, ())
        ]

    def members(self, outline: Outline) -> Members:
        """What a schema says of the members of an object."""
        members = Members()
        for part in outline.parts:
            if not isinstance(part.schema, Mapping):
                continue
            named = dict(_named(part, "properties"))
            members.each.append((named, dict(_named(part, "patternProperties")), _single(part, "additionalProperties")))
            required = part.schema.get("required")
            if isinstance(required, list):
                for name in required:
                    if isinstance(name, str):
                        members.required.setdefault(name, f"{part.pointer}/required")
        return members

    def items(self, outline: Outline) -> Items:
        """What a schema says of the items of a list."""
        prefixes: list[tuple[list[Part], Part | None]] = []
        by_position, after = ("prefixItems", "items") if self._is_2020 else ("items", "additionalItems")
        for part in outline.parts:
            if isinstance(part.schema, Mapping):
                listed = [*_listed(part.schema, part.pointer, by_position)]
                is_tuple = self._is_2020 or isinstance(part.schema.get(by_position), list)
                rest = _single(part, after if is_tuple else "items")
                if listed or rest is not None:
                    prefixes.append((listed, rest))
        return Items(prefixes)


@dataclass(slots=True)
class Members:
    """What schemas that hold together say of the members of an object."""

    each: list[tuple[dict[str, Part], dict[str, Part], Part | None]] = field(
        default_factory=list[tuple[dict[str, Part], dict[str, Part], Part | None]]
    )
    """Of each of the schemas: properties, patterns, additional properties."""
    required: dict[str, str] = field(default_factory=dict[str, str])
    """The names that have to be there, and where that is said."""

    @property
    def names(self) -> dict[str, None]:
        """The properties that have a schema, in order."""
        return {name: None for named, _, _ in self.each for name in named}

    @property
    def patterns(self) -> dict[str, None]:
        """The expressions that have a schema."""
        return {pattern: None for _, patterns, _ in self.each for pattern in patterns}

    def named(self, name: str) -> Place:
        """The schemas that a property has by its name."""
        return tuple(named[name] for named, _, _ in self.each if name in named)

    def matching(self, pattern: str) -> Place:
        """The schemas that an expression has."""
        return tuple(patterns[pattern] for _, patterns, _ in self.each if pattern in patterns)

    @property
    def additional(self) -> Place:
        """The schemas of the other properties."""
        return tuple(rest for _, _, rest in self.each if rest is not None)


@dataclass(slots=True)
class Items:
    """What schemas that hold together say of the items of a list."""

    each: list[tuple[list[Part], Part | None]]

    @property
    def longest(self) -> int:
        """How many items are told apart by position."""
        return max((len(listed) for listed, _ in self.each), default=0)

    def at(self, index: int) -> Place:
        """The schemas of the item at an index."""
        found = (listed[index] if index < len(listed) else rest for listed, rest in self.each)
        return tuple(part for part in found if part is not None)


def _items(part: Part) -> Iterator[Part]:
    if isinstance(part.schema, list):
        for index, schema in enumerate(part.schema):
            yield Part(schema, f"{part.pointer}/{index}")


def _listed(schema: Mapping[str, object], pointer: str, keyword: str) -> Iterator[Part]:
    yield from _items(Part(schema.get(keyword), f"{pointer}/{keyword}"))


def _single(part: Part, keyword: str) -> Part | None:
    assert isinstance(part.schema, Mapping)
    schema = part.schema.get(keyword)
    return Part(schema, f"{part.pointer}/{keyword}") if isinstance(schema, Mapping | bool) else None


def _named(part: Part, keyword: str) -> Iterator[tuple[str, Part]]:
    assert isinstance(part.schema, Mapping)
    found = part.schema.get(keyword)
    if isinstance(found, Mapping):
        for name, schema in found.items():
            yield name, Part(schema, f"{part.pointer}/{keyword}/{escape(name)}")
