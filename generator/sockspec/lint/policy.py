"""Which rules are asked, and how much matters what they find, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sockspec.diagnostics import Severity
from sockspec.lint.known import Known
from sockspec.lint.settings import PRESETS, Level, Override, Settings
from sockspec.rules.rule import Group, Rule


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of rules in one file."""

    everywhere: Mapping[str, Level]
    overrides: tuple[Override, ...]
    """Those that are about some places in the file."""
    forced: Mapping[str, Level]

    def of(self, rule: str, pointer: str) -> Level:
        """The level of a rule at a place."""
        if rule in self.forced:
            return self.forced[rule]
        for override in reversed(self.overrides):
            if rule in override.levels and override.pointers is not None and override.pointers.fullmatch(pointer):
                return override.levels[rule]
        return self.everywhere.get(rule)

    def asks(self, rule: str) -> bool:
        """Whether what the rule finds matters anywhere in the file."""
        if rule in self.forced:
            return self.forced[rule] is not None
        several = [self.everywhere.get(rule), *(override.levels.get(rule) for override in self.overrides)]
        return any(level is not None for level in several)


class Policy:
    """Settings, held against the rules that there are."""

    def __init__(self, settings: Settings, known: Known) -> None:
        """Raises WrongUsage where the settings name a set of rules that there is not."""
        self.settings = settings
        self.known = known
        self._files: dict[Path, Levels] = {}
        self._chosen = _chosen(settings, known)

    def of(self, path: Path) -> Levels:
        """The levels in a file."""
        if path not in self._files:
            self._files[path] = self._levels(path)
        return self._files[path]

    def everywhere(self, rule: Rule) -> Level:
        """The level of a rule where no override says otherwise."""
        settings = self.settings
        if settings.selected is not None and rule.id not in settings.selected:
            return None
        return settings.forced.get(rule.id, self._chosen.get(rule.id))

    def is_excluded(self, path: Path) -> bool:
        """Whether nothing is to be said of a file."""
        return any(path in files for files in self.settings.exclude)

    def asks(self, rule: Rule) -> bool:
        """Whether what the rule finds may matter anywhere in any file."""
        settings = self.settings
        several = [settings.forced, self._chosen, *(override.levels for override in settings.overrides)]
        return (settings.selected is None or rule.id in settings.selected) and any(
            levels.get(rule.id) is not None for levels in several
        )

    def _levels(self, path: Path) -> Levels:
        everywhere = dict(self._chosen)
        partly: list[Override] = []
        for override in self.settings.overrides:
            if override.files is not None and path not in override.files:
                continue
            if override.pointers is not None:
                partly.append(override)
            else:
                everywhere.update(override.levels)
                # What comes later counts, also where an earlier one was about less.
                partly = [_without(earlier, override.levels) for earlier in partly]
        forced = dict(self.settings.forced)
        if self.settings.selected is not None:
            forced.update({rule: None for rule in self.known.by_id if rule not in self.settings.selected})
        return Levels(everywhere, tuple(partly), forced)


def _without(override: Override, levels: Mapping[str, Level]) -> Override:
    kept = {rule: level for rule, level in override.levels.items() if rule not in levels}
    return Override(override.files, override.pointers, kept)


def _chosen(settings: Settings, known: Known) -> dict[str, Level]:
    """The levels of the rules that are on wherever no override says otherwise."""
    groups = PRESETS[settings.preset]
    chosen: dict[str, Level] = {}
    for rule in known.by_id.values():
        if rule.group not in groups or (rule.group is Group.GUIDE and not settings.guide):
            continue
        severity = rule.code.severity
        is_capped = rule.group is Group.GUIDE and severity is Severity.ERROR
        chosen[rule.id] = Severity.WARNING if is_capped else severity
    for name in settings.rulesets:
        chosen.update({rule.id: rule.code.severity for rule in known.set_of(name)})
    # A selection without a level asks for the rule as it is.
    for rule_id in settings.selected or ():
        chosen.setdefault(rule_id, known.by_id[rule_id].code.severity)
    return {**chosen, **settings.levels}
