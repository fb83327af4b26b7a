"""Whether every value that fits some terms fits another one as well, as far as that can be proven.

A proof takes the goal apart into keywords, and holds each against what is known of the value. Where that is not enough
it goes by cases: by the alternatives that are known to be open, by types, by values. It is a proof by induction on the
size of values: while a question is open, it counts as answered for values within. What is answered "no" is not refuted:
it is not proven.

Work is bounded. Where the bound is reached, nothing more is proven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from sockspec.diff.schemas import facts as known
from sockspec.diff.schemas import scalars
from sockspec.diff.schemas.facts import Facts, gather
from sockspec.diff.schemas.table import Table
from sockspec.diff.schemas.terms import FALSE, TRUE, Term

_MOST_STEPS: Final = 6_000
"""Questions that one proof asks."""
_MOST_TOGETHER: Final = 100_000
"""Questions that are asked for all schemas of two documents; and as many more as `_MOST_EACH` for each term of them."""
_MOST_EACH: Final = 50
_DEEPEST: Final = 56
"""Questions that are open at a time."""
_MOST_VALUES: Final = 64
"""Values that are taken one by one."""
_MOST_APART: Final = 300
"""Questions of a proof that rests on nothing that is open."""
_MOST_TAGS: Final = 32
"""Required properties that are looked at for a tag."""
_STRING: Final = Term(types=frozenset({"string"}))
_OBJECT: Final = frozenset({"object"})
_ANY_LEVEL: Final = -1


class _Spent(Exception):
    """The bound on work is reached."""


class Prover:
    """Proofs over one table.

    `ignored` are names of members that payloads are taken not to have unless the given terms speak of them.
    """

    def __init__(self, table: Table, ignored: frozenset[str] = frozenset(), strict: Prover | None = None) -> None:
        self._table = table
        self._ignored = ignored
        self._strict = strict or self
        self._facts: dict[frozenset[int], Facts] = {} if strict is None else strict._facts
        self._proven: dict[tuple[frozenset[int], int], int] = {}
        """What is proven, and from which level on: some proofs rest on a question that is open further out."""
        self._unproven: set[tuple[frozenset[int], int]] = set()
        self._open: dict[tuple[frozenset[int], int], int] = {}
        self._since: list[tuple[frozenset[int], int]] = []
        self._emptied: dict[frozenset[int], bool] = {}
        self._emptying: set[frozenset[int]] = set()
        self._outer = 0
        """Questions that are open in the prover that this one works for."""
        self._left = 0
        self._together = _MOST_TOGETHER + _MOST_EACH * len(table.terms)
        self.why = ""
        """The keyword at which the last proof failed first."""

    def includes(self, inner: int, outer: int) -> bool:
        """Whether every value that fits the inner term is proven to fit the outer one."""
        return self._bounded(lambda: self._proves(frozenset({inner}), outer, 0))

    def apart(self, one: int, other: int) -> bool:
        """Whether it is proven that no value fits both terms."""
        return self._bounded(lambda: self._are_apart(frozenset({one}), other))

    def facts(self, *numbers: int) -> Facts:
        """What is known of a value that fits the terms."""
        return self._of(frozenset(numbers))

    def _bounded(self, question: Callable[[], bool]) -> bool:
        allowed = self._left = self._strict._left = min(_MOST_STEPS, self._strict._together)
        self.why = ""
        try:
            return question()
        except (_Spent, RecursionError):
            self.why = self.why or "too much work"
            for prover in (self, self._strict):
                for key in prover._since:
                    prover._proven.pop(key, None)
            return False
        finally:
            self._strict._together -= allowed - max(min(self._left, self._strict._left), 0)
            for prover in (self, self._strict):
                prover._open.clear()
                prover._emptying.clear()
                for key in prover._since:
                    if key in prover._proven:
                        prover._proven[key] = _ANY_LEVEL
                prover._since.clear()

    @property
    def _depth(self) -> int:
        return self._outer + len(self._open) + len(self._emptying)

    def _step(self, cost: int = 1) -> None:
        self._left -= cost
        if self._left < 0:
            raise _Spent

    def _of(self, given: frozenset[int]) -> Facts:
        found = self._facts.get(given)
        if found is None:
            found = self._facts[given] = gather(self._table, given)
        return found

    # --- questions ---------------------------------------------------------------------------------------------------

    def _proves(self, given: frozenset[int], goal: int, level: int) -> bool:
        """Whether what fits all given terms fits the goal; `level` counts how far within the payload the value is."""
        if goal == TRUE or goal in given or FALSE in given:
            return True
        key = (given, goal)
        since = self._proven.get(key)
        if since is not None and level >= since:
            return True
        if key in self._unproven:
            return False
        if key in self._open:
            return level > self._open[key]
        self._step()
        if self._depth >= _DEEPEST:
            return False
        self._open[key] = level
        before = len(self._since)
        try:
            holds = self._holds(given, goal, level)
        finally:
            self._open.pop(key, None)
        if holds:
            self._proven[key] = level
            self._since.append(key)
        else:
            for rested in self._since[before:]:
                self._proven.pop(rested, None)
            del self._since[before:]
            self._unproven.add(key)
        return holds

    def _holds(self, given: frozenset[int], goal: int, level: int) -> bool:
        facts = self._of(given)
        if not facts.types:
            return True
        parts = self._parts(goal)
        if parts is None:
            return False
        for part in parts:
            if part not in facts.members and not self._part_holds(facts, part, level):
                return self._strict._is_empty(given)
        return True

    def _parts(self, goal: int) -> list[int] | None:
        """The terms that the goal is made of; None where it is made of itself."""
        found: dict[int, None] = {}
        stack = [goal]
        while stack:
            number = stack.pop()
            term = self._table.terms[number]
            if number in found:
                if term.reference is not None:
                    return None
                continue
            if number != TRUE:
                found[number] = None
            stack.extend(term.all_of)
            if term.reference is not None:
                stack.append(self._table.definition(term.reference))
        return list(found)

    def _part_holds(self, facts: Facts, part: int, level: int) -> bool:
        term = self._table.terms[part]
        failed = self._failing(facts, term, level)
        if failed is None:
            return True
        cases = self._cases(facts, term)
        if cases is None:
            self.why = self.why or failed
            return False
        return all(self._proves(facts.given | {case}, part, level) for case in cases)

    def _cases(self, facts: Facts, term: Term) -> Iterable[int] | None:
        """Terms of which one holds, where it is not known which one; None where there is no distinction to be made."""
        if facts.choices:
            return facts.choices[0]
        if len(facts.types) > 1:
            return [self._table.add(Term(types=frozenset({name}))) for name in sorted(facts.types)]
        if facts.values is not None and 1 < len(facts.values) <= _MOST_VALUES:
            return map(self._table.constant, sorted(facts.values))
        if (term.any_of or term.one_of) and facts.types == _OBJECT:
            for name in sorted(facts.required):
                values = self._of(facts.of_name(name)[0]).values
                if values is not None and 1 < len(values) <= _MOST_VALUES:
                    return [self._member(name, self._table.constant(value)) for value in sorted(values)]
        return None

    def _member(self, name: str, term: int) -> int:
        return self._table.add(Term(properties=((name, term),)))

    # --- a goal's keywords -------------------------------------------------------------------------------------------

    def _failing(self, facts: Facts, term: Term, level: int) -> str | None:
        """The first keyword of the goal that does not follow; None where all do."""
        if term.opaque:
            return term.opaque[0][0] or "not a schema"
        if term.types is not None and not scalars.have_types(facts, term.types):
            return "type"
        if term.values is not None and (facts.values is None or not facts.values <= term.values):
            return "enum"
        if failed := scalars.failing(facts, term, self._table.value):
            return failed
        if "array" in facts.types and (failed := self._array_fails(facts, term, level)):
            return failed
        if "object" in facts.types and (failed := self._object_fails(facts, term, level)):
            return failed
        if term.excluded is not None and not self._is_excluded(facts, term.excluded, level):
            return "not"
        if term.condition is not None and not self._condition_holds(facts, term.condition, level):
            return "if"
        if (term.any_of or term.one_of) and not self._one_holds(facts, term, level):
            return "anyOf" if term.any_of else "oneOf"
        return None

    def _one_holds(self, facts: Facts, term: Term, level: int) -> bool:
        if facts.choices or len(facts.types) > 1:
            return False  # by cases first: it takes less work, and proves no less
        given = facts.given
        if term.any_of and not any(self._proves(given, one, level) for one in term.any_of):
            return False
        if not term.one_of:
            return True
        apart = [self._are_apart(given, one) for one in term.one_of]
        return apart.count(False) == 1 and self._proves(given, term.one_of[apart.index(False)], level)

    def _is_excluded(self, facts: Facts, goal: int, level: int) -> bool:
        if goal in facts.excluded:
            return True
        return self._are_apart(facts.given, goal)

    def _condition_holds(self, facts: Facts, goal: tuple[int, int, int], level: int) -> bool:
        if goal in facts.conditions:
            return True
        when, then, other = goal
        given = facts.given
        then_holds = self._proves(given, then, level)
        if then_holds and (self._proves(given, other, level) or self._strict._proves(given, when, level)):
            return True
        return self._proves(given, other, level) and self._are_apart(given, when)

    def _array_fails(self, facts: Facts, term: Term, level: int) -> str | None:
        most = facts.max_items
        if facts.min_items < term.min_items:
            return "minItems"
        if term.max_items is not None and (most is None or most > term.max_items):
            return "maxItems"
        if term.unique and not facts.unique and (most is None or most > 1):
            return "uniqueItems"
        if term.prefix or term.rest != TRUE:
            apart = max(facts.longest_prefix, len(term.prefix))
            for index in range(apart + 1 if most is None else min(apart + 1, most)):
                goal = term.prefix[index] if index < len(term.prefix) else term.rest
                if not self._proves(facts.at(index), goal, level + 1):
                    return "items"
        if term.contains is not None and term.contains not in facts.contains:
            return self._contains_fails(facts, term.contains, level)
        return None

    def _contains_fails(self, facts: Facts, goal: tuple[int, int, int | None], level: int) -> str | None:
        kind, least, most = goal
        if most is not None and (facts.max_items is None or facts.max_items > most):
            return "maxContains"
        if any(
            have[1] >= least and self._strict._proves(frozenset({have[0]}), kind, level + 1) for have in facts.contains
        ):
            return None
        enough = facts.min_items >= least and not facts.longest_prefix
        return None if enough and self._strict._proves(facts.at(0), kind, level + 1) else "contains"

    def _object_fails(self, facts: Facts, term: Term, level: int) -> str | None:
        if not term.required <= facts.required:
            return "required"
        if facts.min_properties < term.min_properties:
            return "minProperties"
        most = term.max_properties
        if most is not None and (facts.max_properties is None or facts.max_properties > most):
            return "maxProperties"
        if term.properties or term.patterns or term.additional != TRUE:
            failed = self._members_fail(facts, term, level)
            if failed:
                return failed
        string = self._table.add(_STRING)
        if term.names != TRUE and not self._strict._proves(frozenset({string, *facts.names}), term.names, level + 1):
            return "propertyNames"
        for name, others in term.dependent:
            have = facts.dependent.get(name, set[str]()) | facts.required
            if not others <= have and not self._is_missing(facts, name):
                return "dependencies"
        for name, goal in term.dependent_terms:
            if (name, goal) in facts.dependent_terms or self._is_missing(facts, name):
                continue
            given = facts.given | {self._table.add(Term(required=frozenset({name})))}
            if not self._proves(given, goal, level):
                return "dependencies"
        return None

    def _is_missing(self, facts: Facts, name: str) -> bool:
        return FALSE in facts.of_name(name)[0]

    def _members_fail(self, facts: Facts, term: Term, level: int) -> str | None:
        goal = known.Members(dict(term.properties), dict(term.patterns), term.additional)
        names = sorted({*goal.properties, *facts.property_names})
        self._step(len(names) * facts.spoken // 64)
        for name in names:
            have, said = facts.of_name(name)
            if not said and name in self._ignored and name in goal.properties and name not in facts.required:
                continue
            wanted = _goals(goal, name)
            if not all(self._proves(have, one, level + 1) for one in wanted):
                return "properties" if name in goal.properties else "additionalProperties"
        for pattern, wanted_one in goal.patterns.items():
            if not self._proves(facts.of_pattern(pattern), wanted_one, level + 1):
                return "patternProperties"
        if goal.additional != TRUE:
            for case in facts.of_others(goal.patterns):
                if not self._proves(case, goal.additional, level + 1):
                    return "additionalProperties"
        return None

    # --- that nothing fits -------------------------------------------------------------------------------------------

    def _is_empty(self, given: frozenset[int]) -> bool:
        """Whether no value fits all given terms. A question that is asked again while it is open is not answered."""
        if FALSE in given:
            return True
        verdict = self._emptied.get(given)
        if verdict is not None:
            return verdict
        self._step()
        if given in self._emptying or self._depth >= _DEEPEST:
            return False
        self._emptying.add(given)
        try:
            # What is asked on the way is not answered by what is open, so the answer holds anywhere.
            verdict = self._nothing_fits(self._of(given))
        finally:
            self._emptying.discard(given)
        self._emptied[given] = verdict
        return verdict

    def _are_apart(self, given: frozenset[int], other: int) -> bool:
        """Whether no value that fits all given terms fits the other one."""
        return self._differ_plainly(given, other) or self._strict._is_empty(given | {other})

    def _differ_plainly(self, given: frozenset[int], other: int) -> bool:
        """Whether types or a tag tell apart what fits, so that no look at the rest is needed."""
        one, two = self._of(given), self._of(frozenset({other}))
        if not one.types & two.types:
            return True
        if not one.types == two.types == _OBJECT or len(one.required) + len(two.required) > _MOST_TAGS:
            return False
        for name in one.required | two.required:
            values = [self._of(side.of_name(name)[0]).values for side in (one, two)]
            if values[0] is not None and values[1] is not None and not values[0] & values[1]:
                return True
        return False

    def _nothing_fits(self, facts: Facts) -> bool:
        if not facts.types:
            return True
        if facts.choices:
            return all(self._is_empty(facts.given | {choice}) for choice in facts.choices[0])
        if facts.excluded & facts.members or all(self._has_none(facts, name) for name in sorted(facts.types)):
            return True
        excluded = [one for one in sorted(facts.excluded) if not self._differ_plainly(facts.given, one)]
        return bool(excluded) and self._is_within_any(facts.given, excluded)

    def _has_none(self, facts: Facts, type_name: str) -> bool:
        """Whether no value of a type fits."""
        if type_name == "object":
            return any(self._is_empty(facts.of_name(name)[0]) for name in sorted(facts.required))
        items = range(min(facts.min_items, facts.longest_prefix + 1)) if type_name == "array" else ()
        return any(self._is_empty(facts.at(index)) for index in items)

    def _is_within_any(self, given: frozenset[int], goals: list[int]) -> bool:
        """Whether what fits fits one of the goals, by a proof that rests on nothing that is open."""
        other = Prover(self._table)
        before = min(self._left, _MOST_APART)
        other._facts, other._outer, other._left = self._facts, self._depth, before
        try:
            return any(other._proves(given, goal, 0) for goal in goals)
        except _Spent:
            return False
        finally:
            self._left -= before - max(other._left, 0)


def _goals(goal: known.Members, name: str) -> list[int]:
    """The terms that a member of the name has to fit; all that come into question where that is not known."""
    found = [goal.properties[name]] if name in goal.properties else []
    others = not found
    for pattern, term in goal.patterns.items():
        fits = known.matches(pattern, name)
        if fits is not False:
            found.append(term)
        if fits:
            others = False
    return [*found, goal.additional] if others else found
