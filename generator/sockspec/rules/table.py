"""The table of all rules."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache

from sockspec.diagnostics import Diagnostic, Report
from sockspec.rules.rule import Group, Rule
from sockspec.rules.subject import Subject
from sockspec.spec.wording import INVALID_VALUE, NOT_ALLOWED_VALUE, WRONG_TYPE

SPOILING = frozenset((WRONG_TYPE, NOT_ALLOWED_VALUE, INVALID_VALUE))
"""What makes a value meaningless, so that rules about it and what is within it have nothing to say."""

PAGE = "rules.md"
"""The page of our documentation that explains rules."""


@cache
def of(group: Group) -> tuple[Rule, ...]:
    """The rules of a group: those of the module of its name, which is imported now."""
    listed: tuple[Rule, ...] = importlib.import_module(f"sockspec.rules.{group.value}").RULES
    return listed


@cache
def rules() -> Mapping[str, Rule]:
    """All rules of our own by their ids, in the order of `docs/rules.md`."""
    found: dict[str, Rule] = {}
    for rule in (rule for group in Group for rule in of(group)):
        if rule.id in found:
            raise ValueError(f"there are two rules {rule.id!r}")
        found[rule.id] = rule
    return found


def findings(asked: Iterable[Rule], subject: Subject) -> Iterator[Diagnostic]:
    """What rules find, as they are asked; those that reading the document answers are left out."""
    name = subject.kind.specification.value
    for rule in asked:
        if rule.check is not None and any(each.startswith(name) for each in rule.since):
            yield from rule.check(subject)


def labelled(found: Diagnostic) -> Diagnostic:
    """What was found, with the group of its rule and the page that explains it, where it is of a rule of ours."""
    rule = _rule(found.code.id)
    if rule is None:
        return found
    return replace(found, code=replace(found.code, category=rule.group.value, page=PAGE))


@cache
def _rule(name: str) -> Rule | None:
    """The rule of that id, looked for where it is found soonest."""
    return next((rule for group in Group for rule in of(group) if rule.id == name), None)


def unspoilt(found: Iterable[Diagnostic], report: Report) -> Iterator[Diagnostic]:
    """The findings that do not follow from faults of structure: those about a value that has none itself."""
    faulty = {(d.location.path, d.location.pointer) for d in report.sorted() if d.code in SPOILING}
    for diagnostic in found:
        place = diagnostic.location
        if not faulty or faulty.isdisjoint((place.path, pointer) for pointer in _around(place.pointer)):
            yield diagnostic


def _around(pointer: str) -> Iterator[str]:
    """A pointer, and those of all that its value stands in."""
    yield pointer
    while pointer:
        pointer = pointer.rpartition("/")[0]
        yield pointer
