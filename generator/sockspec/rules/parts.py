"""Which schemas have to hold together: those of `allOf`, those behind `$ref`, and what stands around a part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sockspec.rules.schemas import Schema, Schemas

_MOST_PARTS = 2_000
"""How many schemas one may be made of, as far as they are looked at together."""
_MOST_TOGETHER = 300_000
"""The same for all schemas of a document: a chain of thousands would take time by the square of its length."""
_MUST = ("allOf",)
_MAY = ("anyOf", "oneOf", "if", "then", "else", "dependentSchemas", "dependencies")
_ELSEWHERE = ("patternProperties", "additionalProperties", "unevaluatedProperties")


@dataclass(slots=True)
class Whole:
    """What schemas say that hold together."""

    parts: list[Schema] = field(default_factory=list[Schema])
    """Those that all have to hold."""
    properties: set[str] = field(default_factory=set[str])
    """The names of the properties that they declare."""
    required: set[str] = field(default_factory=set[str])
    is_known: bool = True
    """Whether all could be read, and no schema for properties of other names leaves open which there may be."""


class Parts:
    """Puts the schemas of one document together."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._left = _MOST_TOGETHER
        self._known: dict[tuple[int, bool], Whole] = {}

    def of(self, schema: Schema, *, branches: bool = False) -> Whole:
        """A schema with those that have to hold with it.

        With `branches` the properties count, too, of those that may hold: of `oneOf`, of `then` and so on.
        """
        key = id(schema.node.value), branches
        if key not in self._known:
            self._known[key] = self._gathered(schema, branches)
        return self._known[key]

    def around(self, schema: Schema) -> Iterator[Schema]:
        """All that a schema is a part of, however far."""
        waiting, seen = [schema], {id(schema.node.value)}
        while waiting and len(seen) <= _MOST_PARTS and self._left > 0:
            self._left -= 1
            for outer in self._holders.get(id(waiting.pop().node.value), ()):
                if id(outer.node.value) not in seen:
                    seen.add(id(outer.node.value))
                    waiting.append(outer)
                    yield outer

    def inner(self, words: Mapping[str, object], keywords: Sequence[str]) -> Iterator[Schema]:
        """The schemas that keywords of a schema hold and that speak of the same value."""
        for keyword in keywords:
            value: Any = words.get(keyword)
            if isinstance(value, list):
                held = value
            elif keyword in ("dependentSchemas", "dependencies") and isinstance(value, dict):
                held = [*value.values()]
            else:
                held = [value]
            yield from (known for one in held if isinstance(one, dict) and (known := self._schemas.known(one)))

    def _gathered(self, schema: Schema, branches: bool) -> Whole:
        found = Whole()
        waiting = [(schema, True)]
        seen: set[int] = set()
        while waiting:
            part, must = waiting.pop()
            if id(part.node.value) in seen:
                continue
            seen.add(id(part.node.value))
            self._left -= 1
            if len(seen) > _MOST_PARTS or self._left < 0:
                found.is_known = False
                break
            target = self._schemas.target(part) if isinstance(part.value.get("$ref"), str) else True
            found.is_known = found.is_known and target is not None
            if isinstance(target, Schema):
                waiting.append((target, must))
                if not part.dialect.siblings_apply:
                    continue
            self._add(found, part, must)
            waiting.extend((inner, must) for inner in self.inner(part.value, _MUST))
            if branches:
                waiting.extend((inner, False) for inner in self.inner(part.value, _MAY))
        return found

    def _add(self, found: Whole, part: Schema, must: bool) -> None:
        words = part.value
        if must:
            found.parts.append(part)
            required = words.get("required")
            found.required.update(name for name in (required if isinstance(required, list) else ()) if is_text(name))
        properties = words.get("properties")
        found.properties.update(properties if isinstance(properties, dict) else ())
        if "$dynamicRef" in words or any(isinstance(words.get(word), dict) for word in _ELSEWHERE):
            found.is_known = False

    @cached_property
    def _holders(self) -> Mapping[int, list[Schema]]:
        """The schemas that have one for a part, by the identity of the part."""
        found: dict[int, list[Schema]] = {}
        for schema in self._schemas:
            words = schema.value
            if isinstance(words.get("$ref"), str):
                target = self._schemas.target(schema)
                if isinstance(target, Schema):
                    found.setdefault(id(target.node.value), []).append(schema)
                if not schema.dialect.siblings_apply:
                    continue
            for inner in self.inner(words, (*_MUST, *_MAY, "not")):
                found.setdefault(id(inner.node.value), []).append(schema)
        return found


def is_text(value: object) -> bool:
    """Whether a value is text."""
    return isinstance(value, str)
