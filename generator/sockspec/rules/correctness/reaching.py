"""Whether a schema has a place that a runtime expression names."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator

from sockspec.rules.subject import Subject
from sockspec.spec.kinds import Identity
from sockspec.spec.node import Node

_APPLIED = ("allOf", "anyOf", "oneOf")
_BRANCHES = ("if", "then", "else")
_COMPOSITE = ("object", "array")


class Place(enum.Enum):
    """What a schema says of a place."""

    DECLARED = "declared"
    """It is there."""
    COMPOSITE = "composite"
    """It is there, and can only be an object or a list."""
    POSSIBLE = "possible"
    """Nothing is said: anything may stand there, or around it."""
    UNDECLARED = "undeclared"
    """It is not among the properties, though others may be added to them."""
    IMPOSSIBLE = "impossible"
    """It cannot be."""


def place(subject: Subject, schema: Node, tokens: Iterable[str]) -> Place:
    """What a schema says of the place that these keys lead to."""
    level = [*_alternatives(subject, [schema])]
    for token in tokens:
        answers = [(_inside(one, token), one) for one in level]
        inner = [node for found, _ in answers if isinstance(found, Node) for node in [found]]
        if not inner:
            said = [found for found, _ in answers if isinstance(found, Place)]
            return min(said, key=_ORDER.index, default=Place.POSSIBLE)
        level = [*_alternatives(subject, inner)]
    kinds = [one.text("type") for one in level if one.get("type") is not None]
    return Place.COMPOSITE if kinds and all(kind in _COMPOSITE for kind in kinds) else Place.DECLARED


_ORDER = (Place.POSSIBLE, Place.UNDECLARED, Place.IMPOSSIBLE)
"""Where one of several schemas may hold, what the first of these says that any of them does."""


def _alternatives(subject: Subject, schemas: Iterable[Node]) -> Iterator[Node]:
    """The schemas, and those that are applied to the same value; those that only apply others are left out."""
    waiting = [*schemas]
    seen: set[Identity] = set()
    while waiting:
        node = subject.kinds.end(waiting.pop())
        if node is None or node.identity in seen:
            continue
        seen.add(node.identity)
        applied = [branch for word in _APPLIED if (listed := node.get(word)) for branch in listed.elements()]
        applied += [branch for word in _BRANCHES if (branch := node.get(word)) is not None]
        waiting.extend(applied)
        if not applied or node.get("properties") is not None or node.get("items") is not None:
            yield node


def _inside(schema: Node, token: str) -> Node | Place:
    """The schema of what an object or a list has under a key, or what else is said of it."""
    if isinstance(schema.value, bool):
        return Place.POSSIBLE if schema.value else Place.IMPOSSIBLE
    kinds = _kinds(schema)
    if kinds and not kinds & {"object", "array"}:
        return Place.IMPOSSIBLE
    properties, items = schema.get("properties"), schema.get("items")
    found = properties.get(token) if properties is not None else None
    if found is not None:
        return found
    others = schema.get("additionalProperties")
    if others is not None and isinstance(others.value, dict):
        return others if properties is None else Place.UNDECLARED
    if token.isdigit() and "object" not in kinds and items is not None:
        return items if isinstance(items.value, dict) else Place.POSSIBLE
    if properties is None or schema.get("patternProperties") is not None:
        return Place.IMPOSSIBLE if kinds == {"array"} and not token.isdigit() else Place.POSSIBLE
    return Place.IMPOSSIBLE if others is not None and others.value is False else Place.UNDECLARED


def _kinds(schema: Node) -> set[str]:
    written = schema.get("type")
    if written is None:
        return set()
    listed = [written] if isinstance(written.value, str) else [*written.elements()]
    return {item.value for item in listed if isinstance(item.value, str)}
