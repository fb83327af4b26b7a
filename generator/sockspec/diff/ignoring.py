"""Changes that somebody looked at and accepted: a list of rules and places, each with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.diff.rule import Change
from sockspec.diff.rules import RULES
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest

UNUSED_IGNORE = Code(
    "ignore-unused",
    Severity.WARNING,
    "A line of the ignore list of `sockspec diff` fits no change. It was meant for a change that is not there any more, "
    "or its place is misspelt; `sockspec diff --explain` shows the places. Remove it, so that it hides nothing later.",
    category="wire",
)
_LINE = re.compile(r"(?P<rule>\S+)\s+(?P<place>\S+)\s+#\s*(?P<reason>\S.*)")


@dataclass(frozen=True, slots=True)
class Ignore:
    """A line of the list."""

    rule: str
    place: str
    """A place, in which `*` stands for any text within a step, and `**` for any number of steps."""
    reason: str
    location: Location


class InvalidIgnores(Exception):
    """A line of the list is not as it has to be; the text says where and why."""


def read(text: str, name: str) -> tuple[Ignore, ...]:
    """The lines of a list: `rule place  # reason`. Raises InvalidIgnores."""
    found: list[Ignore] = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise InvalidIgnores(f"{name}:{number}: expected 'rule place  # reason', and found {quoted(line)}")
        if match["rule"] not in RULES:
            near = nearest(match["rule"], RULES)
            hint = f"; did you mean {near!r}?" if near is not None else ""
            raise InvalidIgnores(f"{name}:{number}: there is no rule {quoted(match['rule'])}{hint}")
        found.append(Ignore(match["rule"], match["place"], match["reason"], Location(name, number, 1)))
    return tuple(found)


def apply(changes: Iterable[Change], ignores: Iterable[Ignore]) -> tuple[tuple[Change, ...], tuple[Diagnostic, ...]]:
    """The changes that no line fits, and a warning for each line that fits none."""
    by_rule: dict[str, list[tuple[Ignore, re.Pattern[str]]]] = {}
    lines = list(ignores)
    for one in lines:
        by_rule.setdefault(one.rule, []).append((one, _pattern(one.place)))
    used: set[Ignore] = set()
    kept: list[Change] = []
    for change in changes:
        fits = [
            one for one, pattern in by_rule.get(change.rule.id, ()) if pattern.fullmatch(f"{change.written_place}/")
        ]
        used.update(fits)
        if not fits:
            kept.append(change)
    unused = (
        UNUSED_IGNORE.at(one.location, f"no change of the rule {quoted(one.rule)} is at {quoted(one.place)}")
        for one in lines
        if one not in used
    )
    return tuple(kept), tuple(unused)


def _pattern(place: str) -> re.Pattern[str]:
    """A pattern for places that end with a slash."""
    parts: list[str] = []
    for step in place.rstrip("/").split("/"):
        parts.append("(?:[^/]+/)*" if step == "**" else "[^/]*".join(map(re.escape, step.split("*"))) + "/")
    return re.compile("".join(parts))
