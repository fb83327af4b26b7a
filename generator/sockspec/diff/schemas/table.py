"""Schemas of two documents in one table, so that two that say the same are one number.

A schema becomes a `Term`: its keywords in a normal form that does not depend on the draft, on the order of what has no
order, or on keywords that assert nothing. What it has within are numbers of other terms. References to definitions that
are not recursive are replaced by what they lead to.

Nothing here recurses with a document's depth, and each part of a document is looked at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from sockspec.diff.schemas.reading import children, definition, read
from sockspec.diff.schemas.terms import ANYTHING, FALSE, NOTHING, TRUE, Term

_NO_KEY = (RecursionError, ValueError, TypeError, OverflowError)
"""What comes of values that are nested too deeply, or are none of JSON."""


class Table:
    """The terms of two documents, `old` and `new`."""

    def __init__(self, old: Mapping[str, object], new: Mapping[str, object]) -> None:
        self.terms: list[Term] = []
        self._numbers: dict[Term, int] = {}
        self._values: dict[str, object] = {}
        self.add(ANYTHING)
        self.add(NOTHING)
        self._written_alike: frozenset[str] | None = None
        self._sides = {"old": _Side(self, "old", old), "new": _Side(self, "new", new)}
        _intern(self._sides["old"], self._sides["new"])

    def add(self, term: Term) -> int:
        """The number of a term."""
        if term.all_of and replace(term, all_of=()) == ANYTHING and len(term.all_of) == 1:
            return term.all_of[0]
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

    @property
    def written_alike(self) -> frozenset[str]:
        """The definitions that are written alike in both documents, and all that they refer to as well."""
        if self._written_alike is None:
            self._written_alike = _written_alike(self._sides["old"], self._sides["new"])
        return self._written_alike

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
        self.schemas: Mapping[str, object] = found if isinstance(found, Mapping) else {}
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
            for known in self._within(root):
                self._numbers.pop(id(known), None)
        stack: list[object] = [root]
        while stack:
            schema = stack[-1]
            if not isinstance(schema, dict) or id(schema) in self._numbers:
                stack.pop()
                continue
            waiting = [
                child
                for child in children(schema, is_2020=self.is_2020)
                if isinstance(child, dict) and id(child) not in self._numbers
            ]
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            self._numbers[id(schema)] = self.table.add(read(schema, self))
        self.definitions[name] = self.number(root)
        return self.definitions[name]

    def targets(self, name: str) -> set[str]:
        """The definitions that one refers to."""
        found = (definition(schema.get("$ref")) for schema in self._within(self.schemas[name]))
        return {target for target in found if target is not None and target in self.schemas}

    def referred(self, name: str) -> Term | None:
        """What stands for a definition; None where there is none."""
        if name in self.recursive:
            return Term(reference=("both" if name in self.alike else self.name, name))
        return self.table.terms[self.definitions[name]] if name in self.schemas else None

    def numbered(self, term: Term) -> int:
        """The number of a term."""
        return self.table.add(term)

    def known(self, value: object) -> str:
        """The key of a JSON value. RecursionError for deep ones."""
        return self.table.known(value)

    def verbatim(self, schema: object) -> str:
        """The same for two schemas only if they are written alike, and so is all that they refer to."""
        try:
            text = self.table.known(schema)
        except _NO_KEY:
            return f"{self.name} {id(schema)}"
        targets = {definition(each.get("$ref")) for each in self._within(schema) if "$ref" in each}
        return text if targets <= self.table.written_alike else f"{self.name} {text}"

    def _within(self, root: object) -> Iterator[dict[str, object]]:
        seen: set[int] = set()
        stack = [root]
        while stack:
            schema = stack.pop()
            if isinstance(schema, dict) and id(schema) not in seen:
                seen.add(id(schema))
                yield schema
                stack.extend(children(schema, is_2020=self.is_2020))


def _intern(old: _Side, new: _Side) -> None:
    """Make the terms of both documents: definitions first whose references all lead to known terms, then the rest."""
    for side in (old, new):
        waiting = {name: side.targets(name) for name in side.schemas}
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
    differing += old.recursive ^ new.recursive
    old.alike = new.alike = frozenset(both - _affected(old, new, both, differing))
    for side in (old, new):
        for name in side.recursive:
            side.intern(name, afresh=True)


def _written_alike(old: _Side, new: _Side) -> frozenset[str]:
    both = old.schemas.keys() & new.schemas.keys()
    differing = list(old.schemas.keys() ^ new.schemas.keys())
    for name in both:
        try:
            is_same = old.known(old.schemas[name]) == new.known(new.schemas[name])
        except _NO_KEY:
            is_same = False
        if not is_same:
            differing.append(name)
    return frozenset(both - _affected(old, new, both, differing))


def _affected(old: _Side, new: _Side, names: AbstractSet[str], differing: Iterable[str]) -> set[str]:
    """The definitions that differ, and those of the names that refer to them."""
    users: dict[str, set[str]] = {}
    for side in (old, new):
        for name in names:
            for target in side.targets(name):
                users.setdefault(target, set()).add(name)
    waiting = list(differing)
    affected: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in affected:
            affected.add(name)
            waiting.extend(users.get(name, ()))
    return affected


def _plain(value: object) -> object:
    """The value with numbers that are equal written alike."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value
