"""Two places that are held against each other, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sockspec.diff.schemas.change import Effect, SchemaChange, effect
from sockspec.diff.schemas.judging import Found
from sockspec.diff.schemas.outline import Outline, Place, Side
from sockspec.diff.schemas.proving import Prover
from sockspec.diff.schemas.table import Table
from sockspec.diff.schemas.terms import TRUE, TYPES

Pair = tuple[int, int]
"""The terms of two places."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change, and the places that it was found at."""

    change: SchemaChange
    pair: Pair


class Step:
    """Two places, the old one and the new one.

    `nulls_said` means that the change of what is null has been told of the places around them.
    """

    def __init__(
        self,
        table: Table,
        sides: tuple[Side, Side],
        prover: Prover,
        places: tuple[Place, Place],
        path: tuple[str, ...],
        nulls_said: bool,
    ) -> None:
        self.table = table
        self.sides = sides
        self.prover = prover
        self.places = places
        self.path = path
        self.nulls_said = nulls_said
        self.pair: Pair = (sides[0].number(places[0]), sides[1].number(places[1]))
        self.edits: list[Edit] = []
        self.within: list[Step] = []
        """The places within that are to be held against each other."""
        self._outlines: tuple[Outline, Outline] | None = None

    @property
    def outlines(self) -> tuple[Outline, Outline]:
        """What the places say."""
        if self._outlines is None:
            self._outlines = self.sides[0].outline(self.places[0]), self.sides[1].outline(self.places[1])
        return self._outlines

    @property
    def key(self) -> object:
        """Equal for two steps that hold the same parts of the documents against each other, by whatever way."""
        return *(outline.pointers for outline in self.outlines), self.nulls_said

    @property
    def types(self) -> tuple[frozenset[str], frozenset[str]]:
        """The types that the places allow."""
        return self.sides[0].types(self.outlines[0]), self.sides[1].types(self.outlines[1])

    @property
    def speaks_on(self) -> bool:
        """Whether there is more to say than that the types have nothing in common, or that anything is allowed."""
        old, new = self.types
        common = old & new - ({"null"} if self.nulls_said else set())
        return bool(common) and not (TRUE in self.pair and old != new)

    def numbers(self, old: Place, new: Place) -> Pair:
        """The terms of two places within."""
        return self.sides[0].number(old), self.sides[1].number(new)

    def later(self, old: Place, new: Place, *path: str, nulls_said: bool = False) -> None:
        """Hold two places within against each other."""
        found = Step(self.table, self.sides, self.prover, (old, new), (*self.path, *path), nulls_said)
        self.within.append(found)

    def found(
        self,
        kind: str,
        what: Effect,
        detail: str,
        *path: str,
        at: tuple[str, str] = ("", ""),
        strict: Effect | None = None,
    ) -> None:
        """Note a change; `at` says where the two versions of it are, if elsewhere than the places themselves."""
        old, new = (pointer or outline.pointer for pointer, outline in zip(at, self.outlines, strict=True))
        strict = what if strict is None else strict
        change = SchemaChange(kind, (*self.path, *path), what, detail, old, new, strict)
        self.edits.append(Edit(change, self.pair))

    def all_found(self, found: Iterable[Found]) -> None:
        """Note changes of keywords."""
        old, new = self.outlines
        for kind, what, detail, keywords in found:
            self.found(kind, what, detail, at=(old.at(*keywords), new.at(*keywords)))

    def relation(self, old: int, new: int) -> Effect:
        """What it does that one term took the place of another one."""
        included, includes = self.prover.includes(old, new), self.prover.includes(new, old)
        otherwise = Effect.UNPROVEN
        if not included and not includes and self.prover.apart(old, new):
            otherwise = Effect.BOTH
        return effect(not included, not includes, otherwise=otherwise)


def pointers(old: Place, new: Place) -> tuple[str, str]:
    """Where two places stand, as far as there is anything."""
    return old[0].pointer if old else "", new[0].pointer if new else ""


def says_null(types: frozenset[str]) -> bool:
    """Whether null is allowed beside other types, and not all."""
    return frozenset({"null"}) < types < TYPES
