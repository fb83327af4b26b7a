"""Alternatives (`anyOf`, `oneOf`), and null as one of them."""

from __future__ import annotations

from typing import Final

from sockspec.diff.schemas import judging
from sockspec.diff.schemas.change import Effect
from sockspec.diff.schemas.matching import matched
from sockspec.diff.schemas.outline import Place
from sockspec.diff.schemas.step import Step, pointers, says_null
from sockspec.diff.schemas.terms import Term
from sockspec.spec.text import quoted

_BESIDE: Final = {"default", "deprecated", "title", "description", "examples", "nullable"}
"""Keywords beside which a schema still is nothing but alternatives."""


def compare(step: Step) -> bool:
    """Note the changes of places of which one at least is nothing but alternatives; False where none is."""
    found = [_of(step, side) for side in (0, 1)]
    if found == [None, None]:
        return False
    nulls = _nulls(step)
    listed: list[list[Place]] = []
    null: list[bool] = []
    for side, places in enumerate(found):
        if places is None:
            null.append(says_null(step.types[side]))
            listed.append([step.places[side]])
        else:
            rest = [place for place in places if step.sides[side].number(place) not in nulls]
            null.append(len(rest) < len(places))
            listed.append(rest)
    if not step.nulls_said:
        step.all_found(judging.nullable(null[0], null[1]))
    step.all_found(judging.notes(*step.outlines))
    old, new = listed
    if len(old) == len(new) == 1:
        step.later(old[0], new[0], nulls_said=True)
        return True
    _pair(step, old, new, nulls_said=null[0] != null[1])
    if min(len(old), len(new)) > 1:
        _exclusive(step)
    return True


def beside(step: Step) -> None:
    """Note the changes of alternatives that stand beside other keywords, taken in the order in which they are written."""
    old, new = (side.choices(outline) for side, outline in zip(step.sides, step.outlines, strict=True))
    for (_, one, _), (_, other, _) in zip(old, new, strict=False):
        _pair(step, one, other, nulls_said=False)
    if old and new:
        _exclusive(step)
    for word, _, pointer in old[len(new) :]:
        step.found("union-removed", Effect.WIDENED, f"{quoted(word)} is gone", at=(pointer, ""))
    for word, _, pointer in new[len(old) :]:
        step.found("union-added", Effect.NARROWED, f"{quoted(word)} is new", at=("", pointer))


def _of(step: Step, side: int) -> list[Place] | None:
    """The alternatives of a place that is nothing but alternatives; None where it is anything else."""
    outline = step.outlines[side]
    choices = step.sides[side].choices(outline)
    if len(choices) != 1 or outline.keywords.keys() - _BESIDE != {choices[0][0]}:
        return None
    return choices[0][1]


def _nulls(step: Step) -> set[int]:
    """The terms that only null fits."""
    type_only, value_only = frozenset({"null"}), frozenset({step.table.known(None)})
    terms = Term(types=type_only), Term(values=value_only), Term(types=type_only, values=value_only)
    return {step.table.add(term) for term in terms}


def _pair(step: Step, old: list[Place], new: list[Place], *, nulls_said: bool) -> None:
    numbers = [step.sides[0].number(place) for place in old], [step.sides[1].number(place) for place in new]
    pairs, gone, come = matched(step.prover, old, new, *numbers)
    for one, other in pairs:
        step.later(old[one], new[other], nulls_said=nulls_said)
    for at in gone:
        what = _one_more(step, 0, numbers[0][at], numbers[0]).mirrored
        detail = f"the alternative {_name(step, old[at], numbers[0][at])} is gone"
        step.found("union-member-removed", what, detail, at=pointers(old[at], ()))
    for at in come:
        what = _one_more(step, 1, numbers[1][at], numbers[1])
        detail = f"the alternative {_name(step, new[at], numbers[1][at])} is new"
        step.found("union-member-added", what, detail, at=pointers((), new[at]))


def _one_more(step: Step, side: int, added: int, among: list[int]) -> Effect:
    """What one more alternative does. Of alternatives that exclude each other, it may take values from others."""
    if "oneOf" in step.outlines[side].keywords:
        others = list(among)
        others.remove(added)
        if not all(step.prover.apart(added, other) for other in others):
            return Effect.UNPROVEN
    return Effect.WIDENED


def _exclusive(step: Step) -> None:
    """Note that one alternative exactly has to fit, or does not have to any more."""
    old, new = step.outlines
    before, after = (sorted({"anyOf", "oneOf"} & outline.keywords.keys()) for outline in (old, new))
    if before and after and before != after:
        detail = f"{quoted(before[0])} became {quoted(after[0])}"
        step.found("union-changed", Effect.UNPROVEN, detail, at=(old.at(*before), new.at(*after)))


def _name(step: Step, place: Place, number: int) -> str:
    """What an alternative is called: what it refers to, its title, its tag, its type, else the place where it stands."""
    schema = place[0].schema
    if isinstance(schema, dict):
        for word in ("$ref", "title", "const"):
            if isinstance(value := schema.get(word), str):
                return quoted(value.rpartition("/")[2] if word == "$ref" else value)
        facts = step.prover.facts(number)
        for name in sorted(facts.required):
            values = step.prover.facts(*facts.of_name(name)[0]).values
            if values is not None and len(values) == 1 and isinstance(value := step.table.value(*values), str):
                return f"{quoted(name)}: {quoted(value)}"
        if isinstance(value := schema.get("type"), str):
            return quoted(value)
    return quoted(place[0].pointer)
