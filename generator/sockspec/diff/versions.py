"""What the next version has to be called (Semantic Versioning 2.0.0)."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass

from sockspec.diagnostics import Severity
from sockspec.diff.rule import Category, Change

_NUMBER = r"(0|[1-9][0-9]{0,17})"
_SEMANTIC = re.compile(rf"(v?){_NUMBER}\.{_NUMBER}\.{_NUMBER}(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Step(enum.IntEnum):
    """By how much a version has to be raised."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


@dataclass(frozen=True, slots=True)
class Semantic:
    """A semantic version, without what is said of its build."""

    prefix: str
    """`v` where it begins so."""
    numbers: tuple[int, int, int]
    is_early: bool
    """Whether it is before the version of its numbers, as in `2.0.0-rc.1`."""

    def __str__(self) -> str:
        return self.prefix + ".".join(map(str, self.numbers))


@dataclass(frozen=True, slots=True)
class Advice:
    """What the version of the new document should be."""

    step: Step
    suggested: str
    """The least version that tells of the changes; empty where the old one is no semantic version, or nothing changed."""
    satisfied: bool
    """Whether the new document has that version, or a later one."""
    note: str
    """All of it in a sentence."""


def step(changes: Iterable[Change]) -> Step:
    """What changes ask for: a breaking one the first number, anything else that programs can tell the second one."""
    needed = Step.NONE
    for change in changes:
        if change.rule.category is Category.DOC:
            needed = max(needed, Step.PATCH)
        elif change.rule.severity is Severity.ERROR:
            return Step.MAJOR
        else:
            needed = max(needed, Step.MINOR)
    return needed


def semantic(version: str) -> Semantic | None:
    """A version as its numbers; None where it is written in another way."""
    match = _SEMANTIC.fullmatch(version)
    if match is None:
        return None
    return Semantic(match[1], (int(match[2]), int(match[3]), int(match[4])), match[5] is not None)


def raised(version: Semantic, by: Step) -> Semantic:
    """The next version. Before 1.0.0 a breaking change raises the second number, and all else the third one."""
    major, minor, patch = version.numbers
    if by is Step.NONE:
        return version
    if major == 0:
        numbers = (0, minor + 1, 0) if by is Step.MAJOR else (0, minor, patch + 1)
    elif by is Step.MAJOR:
        numbers = (major + 1, 0, 0)
    elif by is Step.MINOR:
        numbers = (major, minor + 1, 0)
    else:
        numbers = (major, minor, patch + 1)
    if version.is_early and (numbers > version.numbers) and _tells(version.numbers, by):
        # What comes after 2.0.0-rc.1 is 2.0.0: the numbers tell of a breaking change already.
        numbers = version.numbers
    return Semantic(version.prefix, numbers, False)


def _tells(numbers: tuple[int, int, int], by: Step) -> bool:
    major, minor, patch = numbers
    if major == 0 and by is Step.MAJOR:
        return patch == 0
    return (minor == 0 and patch == 0) if by is Step.MAJOR else by is Step.PATCH or major == 0 or patch == 0


def advise(old: str, new: str, changes: Iterable[Change]) -> Advice:
    """What the version of the new document should be, and whether it is."""
    needed = step(changes)
    if needed is Step.NONE:
        return Advice(needed, "", True, "nothing changed: the version may stay as it is")
    why = {
        Step.MAJOR: "clients break",
        Step.MINOR: "clients go on, though not only texts changed",
        Step.PATCH: "only texts changed",
    }[needed]
    before, after = semantic(old), semantic(new)
    if before is None:
        return _other(old, new, needed, why)
    least = raised(before, needed)
    note = f"{why}: the next version after {old} is {least}"
    if after is None:
        return Advice(needed, str(least), old != new, f"{note}; {new!r} is no semantic version")
    satisfied = after.numbers >= least.numbers
    early = satisfied and after.numbers == least.numbers and after.is_early
    if satisfied:
        return Advice(
            needed, str(least), True, f"{note}, and the new document has {new}" + (" on the way there" if early else "")
        )
    return Advice(needed, str(least), False, f"{note}, and the new document has {new}")


def _other(old: str, new: str, needed: Step, why: str) -> Advice:
    """Versions that are no semantic ones say nothing of what changed; they can only be others than before."""
    later = old != new and not (_DATE.fullmatch(old) and _DATE.fullmatch(new) and new < old)
    note = f"{why}: {old!r} is no semantic version, so none can be suggested; the new document "
    if later:
        return Advice(needed, "", True, note + f"has another one, {new!r}")
    return Advice(needed, "", False, note + ("has the same one" if old == new else f"has an earlier one, {new!r}"))
