"""A kind of change between two versions of an API."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sockspec.diagnostics import Code, Diagnostic, Location, Severity

OLD, NEW = "the old version", "the new version"
"""What the other place of a change is, as a note."""


PAGE = "diff-rules.md"
"""Where rules are explained."""


class Category(enum.StrEnum):
    """What a change touches."""

    WIRE = "wire"
    """Messages: what they are, how they look, what answers them."""
    SOURCE = "source"
    """Programs written against the generated package, when it is generated anew."""
    HANDSHAKE = "handshake"
    """How a connection comes about: URL, parameters, credentials."""
    DOC = "doc"
    """What people read."""


@dataclass(frozen=True, slots=True)
class Rule(Code):
    """A kind of change. Its severity says what it does to clients made from the old document, which are out there.

    An error breaks them; a warning may, or nothing proves that it does not; an information leaves them as they are.
    """

    category: Category = Category.WIRE
    why: str = ""
    """Why it matters to clients that are out there."""
    instead: str = ""
    """What to do about it; empty where nothing has to be done."""
    by_effect: bool = False
    """Whether the severity goes by what the change does to the set of payloads; then its own is the worst one."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was found."""

    finding: Diagnostic
    place: tuple[str, ...]
    """Where in the API it is, by names that do not move with the text: `channels`, `room`, `client`, `Join`, `data`."""

    @property
    def rule(self) -> Rule:
        """The rule that it falls under."""
        rule = self.finding.code
        assert isinstance(rule, Rule)
        return rule

    def under(self, rule: Rule) -> Change:
        """The same change under another rule, or under the same one with another severity."""
        return replace(self, finding=replace(self.finding, code=rule))

    @property
    def written_place(self) -> str:
        """The place as ignore lists name it."""
        return "/".join(step.replace("~", "~0").replace("/", "~1") for step in self.place)


class Changes:
    """The changes as they are found, by a table of rules."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = rules
        self._found: dict[Change, None] = {}

    def add(
        self,
        rule: str,
        place: Iterable[str],
        location: Location,
        message: str,
        *,
        hint: str = "",
        related: Iterable[Location] = (),
        severity: Severity | None = None,
        note: str = OLD,
    ) -> None:
        """Note a change under the rule of that id; the same one twice counts once.

        `severity` is for rules whose severity goes by the effect. `note` says what related places are.
        """
        kind = self._rules[rule]
        kind = kind if severity is None else with_severity(kind, severity)
        seen = [replace(one, note=note) for one in related if one != location]
        finding = kind.at(location, message, hint=hint, related=seen)
        self._found.setdefault(Change(finding, tuple(place)))

    def sorted(self) -> tuple[Change, ...]:
        """All that was found, by file and place."""
        return tuple(sorted(self._found, key=order))


def order(change: Change) -> tuple[Location, str, str]:
    """What changes are sorted by: file, place, rule."""
    return change.finding.location, change.rule.id, change.finding.message


def table(category: Category, rows: Iterable[tuple[str, Severity, str, str, str]]) -> dict[str, Rule]:
    """Rules of one category by their ids: id, severity, meaning, why, and what to do instead."""
    return {
        id: Rule(id, severity, meaning, category=category, page=PAGE, why=why, instead=instead)
        for id, severity, meaning, why, instead in rows
    }


def with_severity(rule: Rule, severity: Severity) -> Rule:
    """The rule as a project takes it."""
    return replace(rule, severity=severity)
