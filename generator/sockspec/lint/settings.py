"""What a configuration of the linter says, as values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from sockspec.diagnostics import Severity
from sockspec.lint.patterns import Files
from sockspec.rules.rule import Group

Level = Severity | None
"""How much what a rule finds matters; None where the rule is off."""

LEVELS: Mapping[str, Level] = MappingProxyType(
    {"off": None, "info": Severity.INFO, "warn": Severity.WARNING, "warning": Severity.WARNING, "error": Severity.ERROR}
)
"""The words for levels."""

PRESETS: Mapping[str, tuple[Group, ...]] = MappingProxyType(
    {
        "minimal": (Group.CORRECTNESS, Group.SUPPRESSIONS),
        "recommended": (Group.CORRECTNESS, Group.SUPPRESSIONS, Group.GENERATION, Group.GUIDE),
        "all": tuple(Group),
    }
)
"""The groups of rules that each preset asks. Of the guide's rules a preset makes warnings at most."""


def _none() -> Mapping[str, Level]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Override:
    """Other levels for some files, and some places in them."""

    files: Files | None
    """None where it is about all files."""
    pointers: re.Pattern[str] | None
    """What fully matches the pointers that it is about; None where that is all."""
    levels: Mapping[str, Level]


@dataclass(frozen=True, slots=True)
class Settings:
    """A configuration. Levels are by the ids of rules, aliases replaced."""

    preset: str = "recommended"
    rulesets: tuple[str, ...] = ()
    """Sets of rules that are asked as well, each rule at its own severity."""
    guide: bool = True
    """Whether a preset may ask the rules of the guide."""
    levels: Mapping[str, Level] = field(default_factory=_none)
    overrides: tuple[Override, ...] = ()
    """The last one that is about a place counts."""
    forced: Mapping[str, Level] = field(default_factory=_none)
    """Levels of the command line: these count before all others."""
    selected: frozenset[str] | None = None
    """The ids of the only rules to ask; None for no such limit."""
    baseline: Path | None = None
    exclude: tuple[Files, ...] = ()
    """Files of which nothing is said, save what keeps a document from being read."""
