"""Edits held against what is proven of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sockspec.diff.schemas.change import Effect, SchemaChange
from sockspec.diff.schemas.outline import Place, Side
from sockspec.diff.schemas.proving import Prover
from sockspec.diff.schemas.step import Edit, Pair
from sockspec.diff.schemas.table import Table
from sockspec.diff.schemas.walking import walk
from sockspec.spec.text import quoted


class Comparison:
    """Two documents of schemas, read once for all that is to be compared."""

    def __init__(self, old: Mapping[str, object], new: Mapping[str, object]) -> None:
        self._table = Table(old, new)
        self._old = Side(self._table, "old", old)
        self._new = Side(self._table, "new", new)
        self._strict = Prover(self._table)

    def changes(self, old_ref: str, new_ref: str) -> tuple[SchemaChange, ...]:
        """What has changed from the schema at a reference into the old document to that at one into the new one."""
        old, new = self._old.place(old_ref), self._new.place(new_ref)
        whole = self._old.number(old), self._new.number(new)
        if whole[0] == whole[1]:
            return ()
        edits = walk(self._table, (self._old, self._new), self._strict, old, new)
        return self._weighed(edits, whole, (old, new))

    def _weighed(self, edits: list[Edit], whole: Pair, places: tuple[Place, Place]) -> tuple[SchemaChange, ...]:
        by_chance = {e.change.path[-1] for e in edits if e.change.strict is not e.change.effect and e.change.path}
        lenient = Prover(self._table, frozenset(by_chance), self._strict) if by_chance else self._strict
        strict = _Verdicts(self._strict)
        usual = _Verdicts(lenient) if by_chance else strict
        changes = [
            replace(
                edit.change,
                effect=usual.weighed(edit.change.effect, edit.pair, whole),
                strict=strict.weighed(edit.change.strict, edit.pair, whole),
            )
            for edit in edits
            if edit.change.strict is Effect.NONE or not strict.is_same(edit.pair)  # else it only says it otherwise
        ]
        left = (
            usual.left([change.effect for change in changes], whole),
            strict.left([change.strict for change in changes], whole),
        )
        if left[0] is not Effect.NONE or left[1] is not Effect.NONE:
            pointers = [place[0].pointer for place in places]
            why = usual.why or strict.why or "the whole"
            detail = f"it could not be proven that {quoted(why)} means the same"
            changes.append(SchemaChange("schema-changed", (), left[0], detail, pointers[0], pointers[1], left[1]))
        return tuple(changes)


class _Verdicts:
    """What one prover says of pairs of terms."""

    def __init__(self, prover: Prover) -> None:
        self._prover = prover
        self._known: dict[Pair, bool] = {}
        self.why = ""

    def _narrows(self, old: int, new: int) -> bool:
        """Whether it is not proven that all that fits the old term fits the new one."""
        known = self._known.get((old, new))
        if known is None:
            known = self._known[old, new] = not self._prover.includes(old, new)
            self.why = self.why or (self._prover.why if known else "")
        return known

    def weighed(self, effect: Effect, pair: Pair, whole: Pair) -> Effect:
        """The effect as far as it is not disproven by what is proven of the place or of the whole."""
        for old, new in (pair, whole):
            narrows = effect.may_narrow and self._narrows(old, new)
            widens = effect.may_widen and self._narrows(new, old)
            effect = effect.within(narrows=narrows, widens=widens)
        return effect

    def is_same(self, pair: Pair) -> bool:
        """Whether it is proven that exactly what fits one of the terms fits the other one."""
        return not self._narrows(*pair) and not self._narrows(pair[1], pair[0])

    def left(self, effects: list[Effect], whole: Pair) -> Effect:
        """What no effect accounts for and is not disproven: UNPROVEN, or NONE where there is nothing."""
        narrows = not any(effect.may_narrow for effect in effects) and self._narrows(*whole)
        widens = not any(effect.may_widen for effect in effects) and self._narrows(whole[1], whole[0])
        return Effect.UNPROVEN if narrows or widens else Effect.NONE
