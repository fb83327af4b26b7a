"""The edits that make one schema of another, each at the property where it was made.

Two schemas are walked side by side, and each pair of places once. What an edit does is judged here by the edit alone;
`comparison` holds it against what is proven of the whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sockspec.diff.schemas import judging
from sockspec.diff.schemas.change import Effect, SchemaChange, effect
from sockspec.diff.schemas.matching import matched
from sockspec.diff.schemas.outline import Items, Members, Outline, Part, Place, Side
from sockspec.diff.schemas.proving import Prover
from sockspec.diff.schemas.terms import FALSE, TRUE, TYPES, Table, Term
from sockspec.spec.text import quoted

_MOST_PLACES: Final = 20_000
"""Pairs of places that are walked for one pair of schemas."""

_NULL: Final = frozenset({"null"})

Pair = tuple[int, int]
"""The terms of two places."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change, and the places that it was found at."""

    change: SchemaChange
    pair: Pair


class Walk:
    """One walk over two schemas."""

    def __init__(self, table: Table, old: Side, new: Side, prover: Prover) -> None:
        self._table = table
        self._old = old
        self._new = new
        self._prover = prover
        self._waiting: deque[tuple[Place, Place, tuple[str, ...], bool]] = deque()
        self._seen: set[tuple[int, int, bool]] = set()
        self.edits: list[Edit] = []

    def run(self, old: Place, new: Place) -> list[Edit]:
        """All edits between two places and all within them."""
        self._later(old, new, ())
        while self._waiting and len(self._seen) < _MOST_PLACES:
            _Step(self, *self._waiting.popleft()).take()
        return self.edits

    def _later(self, old: Place, new: Place, path: tuple[str, ...], *, nulls_said: bool = False) -> None:
        pair = self._old.number(old), self._new.number(new)
        if pair[0] != pair[1] and (*pair, nulls_said) not in self._seen:
            self._seen.add((*pair, nulls_said))
            self._waiting.append((old, new, path, nulls_said))


class _Step:
    """Two places that are held against each other. `nulls_said` means that null has been spoken of further out."""

    def __init__(self, walk: Walk, old: Place, new: Place, path: tuple[str, ...], nulls_said: bool) -> None:
        self._walk = walk
        self._prover = walk._prover
        self._sides = (walk._old, walk._new)
        self._path = path
        self._nulls_said = nulls_said
        self._old = walk._old.outline(old)
        self._new = walk._new.outline(new)
        self._pair = walk._old.number(old), walk._new.number(new)

    def _found(
        self,
        kind: str,
        what: Effect,
        detail: str,
        *,
        strict: Effect | None = None,
        old: str | None = None,
        new: str | None = None,
        path: tuple[str, ...] = (),
    ) -> None:
        change = SchemaChange(
            kind,
            (*self._path, *path),
            what,
            detail,
            self._old.pointer if old is None else old,
            self._new.pointer if new is None else new,
            what if strict is None else strict,
        )
        self._walk.edits.append(Edit(change, self._pair))

    def _all_found(self, found: Iterable[judging.Found]) -> None:
        for kind, what, detail, keywords in found:
            self._found(kind, what, detail, old=self._old.at(*keywords), new=self._new.at(*keywords))

    def _number(self, side: int, place: Place) -> int:
        return self._sides[side].number(place)

    def _later(self, old: Place, new: Place, *path: str, nulls_said: bool = False) -> None:
        self._walk._later(old, new, (*self._path, *path), nulls_said=nulls_said)

    def _relation(self, old: int, new: int) -> Effect:
        included, includes = self._prover.includes(old, new), self._prover.includes(new, old)
        return effect(not included, not includes, otherwise=Effect.UNPROVEN)

    # --- one place ---------------------------------------------------------------------------------------------------

    def take(self) -> None:
        """Find the edits here, and go on to the places within."""
        old, new = (self._alternatives(side, outline) for side, outline in enumerate((self._old, self._new)))
        if old is None and new is None:
            self._plain()
        else:
            self._united(old, new)

    def _plain(self) -> None:
        old, new = self._old, self._new
        types = self._sides[0].types(old), self._sides[1].types(new)
        null = tuple(map(_says_null, types))
        if self._nulls_said or all(side - _NULL and side != TYPES for side in types):
            types = types[0] - _NULL, types[1] - _NULL
            if not self._nulls_said:
                self._all_found(judging.nullable(*null))
        self._all_found(judging.types(*types))
        self._all_found(judging.notes(old, new))
        if not types[0] & types[1] or (TRUE in self._pair and types[0] != types[1]):
            return
        self._values(without_null=self._nulls_said or null[0] != null[1])
        for found in (judging.bounds, judging.texts, judging.multiples, judging.uniqueness):
            self._all_found(found(old, new))
        self._all_found(judging.opaque(old, new, self._is_same))
        self._choices()
        items = self._sides[0].items(old), self._sides[1].items(new)
        self._items(*items)
        members = self._sides[0].members(old), self._sides[1].members(new)
        _MembersStep(self, *members).take()

    def _is_same(self, one: Any, other: Any) -> bool:
        return self._part(0, one) == self._part(1, other)

    def _part(self, side: int, value: Any) -> Any:
        if self._sides[side].is_schema(value):
            return self._number(side, (Part(value, ""),))
        if isinstance(value, dict):
            return {name: self._part(side, inner) for name, inner in value.items()}
        return value

    def _values(self, *, without_null: bool) -> None:
        listed = [self._listed(outline) for outline in (self._old, self._new)]
        if without_null:
            listed = [keys if keys is None else keys - {"null"} for keys in listed]
        is_const = all("const" in outline.keywords for outline in (self._old, self._new))
        self._all_found(judging.values(listed[0], listed[1], is_const=is_const))

    def _listed(self, outline: Outline) -> frozenset[str] | None:
        found: frozenset[str] | None = None
        for values in [[value] for value in outline.values("const")] + outline.values("enum"):
            try:
                keys = frozenset(map(self._walk._table.known, values))
            except (RecursionError, ValueError, TypeError, OverflowError):
                continue
            found = keys if found is None else found & keys
        return found

    def _items(self, old: Items, new: Items) -> None:
        for index in range(max(old.longest, new.longest)):
            places = old.at(index), new.at(index)
            numbers = self._number(0, places[0]), self._number(1, places[1])
            if numbers[0] != numbers[1] and (index < old.longest) != (index < new.longest):
                kind = "tuple-item-added" if index < new.longest else "tuple-item-removed"
                pointers = self._pointers(*places)
                detail = (
                    f"the item at '{index}' {'has' if index < new.longest else 'does not have'} a schema of its own"
                )
                self._found(kind, self._relation(*numbers), detail, path=(f"[{index}]",), **pointers)
            else:
                self._later(*places, f"[{index}]")
        at = max(old.longest, new.longest)
        rest = old.at(at), new.at(at)
        numbers = self._number(0, rest[0]), self._number(1, rest[1])
        if TRUE in numbers and numbers[0] != numbers[1]:
            kind = "items-added" if numbers[0] == TRUE else "items-removed"
            what = effect(numbers[0] == TRUE, numbers[1] == TRUE)
            detail = "items are held to a schema" if numbers[0] == TRUE else "items are not held to a schema any more"
            self._found(kind, what, detail, path=("[]",), **self._pointers(*rest))
        else:
            self._later(*rest, "[]")

    def _pointers(self, old: Place, new: Place) -> dict[str, str]:
        """Where two places stand, as far as they are there."""
        return {name: place[0].pointer for name, place in (("old", old), ("new", new)) if place}

    # --- alternatives ------------------------------------------------------------------------------------------------

    def _alternatives(self, side: int, outline: Outline) -> list[Place] | None:
        """The alternatives of a schema that is nothing but alternatives; None where it is anything else."""
        choices = self._sides[side].choices(outline)
        if len(choices) != 1 or outline.keywords.keys() - _BESIDE_CHOICES != {choices[0][0]}:
            return None
        return choices[0][1]

    def _united(self, old: list[Place] | None, new: list[Place] | None) -> None:
        whole = self._old.place, self._new.place
        listed: list[list[Place]] = [
            [place] if alternatives is None else alternatives
            for place, alternatives in zip(whole, (old, new), strict=True)
        ]
        null = [self._says_null(side, places, (old, new)[side] is not None) for side, places in enumerate(listed)]
        if not self._nulls_said:
            self._all_found(judging.nullable(*null))
        rest = [
            [place for place in places if self._number(side, place) not in self._nulls()]
            for side, places in enumerate(listed)
        ]
        self._all_found(judging.notes(self._old, self._new))
        if len(rest[0]) == len(rest[1]) == 1:
            self._later(rest[0][0], rest[1][0], nulls_said=True)
            return
        self._paired(rest[0], rest[1], nulls_said=null[0] != null[1])
        if min(map(len, rest)) > 1:
            self._exclusive(self._old, self._new)

    def _nulls(self) -> set[int]:
        table = self._walk._table
        return {
            table.add(Term(types=frozenset({"null"}))),
            table.constant(table.known(None)),
            table.add(Term(types=frozenset({"null"}), values=frozenset({table.known(None)}))),
        }

    def _says_null(self, side: int, places: list[Place], is_choice: bool) -> bool:
        if is_choice:
            return any(self._number(side, place) in self._nulls() for place in places)
        return _says_null(self._sides[side].types((self._old, self._new)[side]))

    def _paired(self, old: list[Place], new: list[Place], *, nulls_said: bool) -> None:
        numbers = [self._number(0, place) for place in old], [self._number(1, place) for place in new]
        pairs, gone, come = matched(self._prover, old, new, *numbers)
        for one, other in pairs:
            self._later(old[one], new[other], nulls_said=nulls_said)
        for at in gone:
            what = self._alternative_effect(numbers[0][at], numbers[0], "oneOf" in self._old.keywords).mirrored
            name = _name(old[at])
            self._found("union-member-removed", what, f"the alternative {name} is gone", old=old[at][0].pointer)
        for at in come:
            what = self._alternative_effect(numbers[1][at], numbers[1], "oneOf" in self._new.keywords)
            self._found("union-member-added", what, f"the alternative {_name(new[at])} is new", new=new[at][0].pointer)

    def _alternative_effect(self, added: int, among: list[int], exclusive: bool) -> Effect:
        """What one more alternative does; of alternatives that exclude each other, it may take values from others."""
        if exclusive and not all(self._prover.apart(added, other) for other in among if other != added):
            return Effect.UNPROVEN
        return Effect.WIDENED

    def _choices(self) -> None:
        """Alternatives beside other keywords, in the order in which they are written."""
        old, new = (self._sides[side].choices(outline) for side, outline in enumerate((self._old, self._new)))
        for (_, one, _), (_, other, _) in zip(old, new, strict=False):
            self._paired(one, other, nulls_said=False)
        if old and new:
            self._exclusive(self._old, self._new)
        for word, _, pointer in old[len(new) :]:
            self._found("union-removed", Effect.WIDENED, f"{quoted(word)} is gone", old=pointer)
        for word, _, pointer in new[len(old) :]:
            self._found("union-added", Effect.NARROWED, f"{quoted(word)} is new", new=pointer)

    def _exclusive(self, old: Outline, new: Outline) -> None:
        before, after = (sorted({"anyOf", "oneOf"} & side.keywords.keys()) for side in (old, new))
        if before and after and before != after:
            detail = f"{quoted(before[0])} became {quoted(after[0])}"
            self._found("union-changed", Effect.UNPROVEN, detail, old=old.at(*before), new=new.at(*after))


_BESIDE_CHOICES: Final = {"default", "deprecated", "title", "description", "examples", "nullable"}


def _says_null(types: frozenset[str]) -> bool:
    """Whether null is allowed beside other types, and not all."""
    return _NULL < types < TYPES


def _name(place: Place) -> str:
    """What an alternative is called: what it refers to, else its type, else the place where it stands."""
    schema = place[0].schema
    if isinstance(schema, dict):
        for word in ("$ref", "title", "const", "type"):
            if isinstance(value := schema.get(word), str):
                return quoted(value.rpartition("/")[2] if word == "$ref" else value)
    return quoted(place[0].pointer)


class _MembersStep:
    """The properties of two places."""

    def __init__(self, step: _Step, old: Members, new: Members) -> None:
        self._step = step
        self._members = old, new

    def take(self) -> None:
        """Find what has changed of properties."""
        old, new = self._members
        names = dict.fromkeys([*old.names, *new.names, *old.required, *new.required])
        for name in names:
            if name in old.names and name not in new.names:
                self._one_sided(name, 0)
            elif name in new.names and name not in old.names:
                self._one_sided(name, 1)
            else:
                self._step._later(old.named(name), new.named(name), name)
                self._required(name)
        for pattern in dict.fromkeys([*old.patterns, *new.patterns]):
            self._pattern(pattern)
        self._additional(old.additional, new.additional)

    def _required(self, name: str) -> None:
        was, is_now = (name in side.required for side in self._members)
        if was is is_now:
            return
        kind = "property-became-required" if is_now else "property-became-optional"
        detail = f"{quoted(name)} {'has to be there' if is_now else 'may be left out'}"
        self._step._found(kind, effect(is_now, was), detail, path=(name,), **self._pointers(name))

    def _pointers(self, name: str) -> dict[str, str]:
        places = [side.named(name) for side in self._members]
        said = {
            word: place[0].pointer if place else side.required[name]
            for word, place, side in zip(("old", "new"), places, self._members, strict=True)
            if place or name in side.required
        }
        return said

    def _one_sided(self, name: str, side: int) -> None:
        """A property that only one of the schemas speaks of: 0 for the old one, 1 for the new one."""
        step, with_it, without = self._step, self._members[side], self._members[1 - side]
        schema = step._number(side, with_it.named(name))
        before = step._number(1 - side, self._otherwise(without, name))
        needed = name in with_it.required
        strict = self._effect(before, schema, needed, name in without.required, by_chance=True)
        usual = self._effect(before, schema, needed, name in without.required, by_chance=False)
        if side == 0:
            strict, usual = strict.mirrored, usual.mirrored
        word = "required" if needed else "optional"
        kind = f"property-{'added' if side else 'removed'}-{word}"
        detail = f"{quoted(name)} is {'new' if side else 'gone'}"
        step._found(kind, usual, detail, strict=strict, path=(name,), **self._pointers(name))

    def _effect(self, before: int, schema: int, needed: bool, was_needed: bool, *, by_chance: bool) -> Effect:
        """What it does to speak of a property for which another schema held before.

        `by_chance` says whether payloads come into question that had one though it was only allowed.
        """
        if before == FALSE:
            related = effect(False, schema != FALSE)
        elif before == TRUE and not by_chance and not was_needed:
            related = Effect.NONE
        else:
            related = self._step._relation(before, schema)
        narrows = related.may_narrow or (needed and not was_needed)
        # What had to be there and may be left out widens; but what had to be there is spoken of as required.
        widens = related.may_widen or (was_needed and not needed)
        return effect(narrows, widens, otherwise=related if related is Effect.UNPROVEN else Effect.BOTH)

    def _otherwise(self, members: Members, name: str) -> Place:
        """What holds for a property that a schema does not name."""
        from sockspec.diff.schemas.facts import matches

        found: list[Part] = []
        for _, patterns, rest in members.each:
            fitting = [schema for pattern, schema in patterns.items() if matches(pattern, name)]
            found += fitting or ([rest] if rest is not None else [])
        return tuple(found)

    def _pattern(self, pattern: str) -> None:
        old, new = self._members
        if pattern in old.patterns and pattern in new.patterns:
            self._step._later(old.matching(pattern), new.matching(pattern), f"{{{pattern}}}")
            return
        is_new = pattern in new.patterns
        side, other = (1, 0) if is_new else (0, 1)
        schema = self._step._number(side, self._members[side].matching(pattern))
        before = self._step._number(other, self._members[other].additional)
        what = self._step._relation(before, schema)
        kind = f"pattern-properties-{'added' if is_new else 'removed'}"
        pointers = self._step._pointers(old.matching(pattern), new.matching(pattern))
        detail = f"names that match {quoted(pattern)} {'have a schema' if is_new else 'have no schema of their own'}"
        self._step._found(kind, what if is_new else what.mirrored, detail, path=(f"{{{pattern}}}",), **pointers)

    def _additional(self, old: Place, new: Place) -> None:
        step = self._step
        before, after = step._number(0, old), step._number(1, new)
        if before == after:
            return
        pointers = step._pointers(old, new)
        if FALSE in (before, after):
            kind = "closed" if after == FALSE else "opened"
            detail = f"other properties are {'not allowed any more' if after == FALSE else 'allowed'}"
        elif TRUE in (before, after):
            kind = "added" if before == TRUE else "removed"
            detail = f"other properties are {'held' if before == TRUE else 'not held'} to a schema"
        else:
            step._later(old, new, "{}")
            return
        narrows = kind in ("closed", "added")
        step._found(f"additional-properties-{kind}", effect(narrows, not narrows), detail, path=("{}",), **pointers)
