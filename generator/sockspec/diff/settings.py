"""What a project says in `[tool.sockspec.diff]` of its `pyproject.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sockspec.diagnostics import Severity
from sockspec.diff.rule import Change, with_severity
from sockspec.diff.rules import RULES
from sockspec.spec.walk import nearest

_KEYS = {"severity", "ignore"}
_LEVELS = {**{severity.value: severity for severity in Severity}, "off": None}


class InvalidSettings(Exception):
    """A setting is not as it has to be; the text says which."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a project takes changes."""

    severities: Mapping[str, Severity | None] = field(default_factory=dict[str, Severity | None])
    """The severity of rules, by their ids; None for those that are off."""
    ignore: Path | None = None
    """The ignore list."""

    def take(self, changes: tuple[Change, ...]) -> tuple[Change, ...]:
        """The changes as the project takes them."""
        if not self.severities:
            return changes
        taken: list[Change] = []
        for change in changes:
            severity = self.severities.get(change.rule.id, change.rule.severity)
            # What is proven to do no harm stays so, unless the rule is off.
            harmless = change.rule.by_effect and change.rule.severity is Severity.INFO and severity is not None
            if harmless or severity is change.rule.severity:
                taken.append(change)
            elif severity is not None:
                taken.append(change.under(with_severity(change.rule, severity)))
        return tuple(taken)


def read(path: Path) -> Settings:
    """The settings of a project; the usual ones where it has none. Raises InvalidSettings."""
    try:
        with path.open("rb") as file:
            found: object = tomllib.load(file)
    except FileNotFoundError:
        return Settings()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{path} is not TOML: {error}") from None
    for key in ("tool", "sockspec", "diff"):
        found = found.get(key) if isinstance(found, dict) else None
    if found is None:
        return Settings()
    if not isinstance(found, dict):
        raise InvalidSettings("[tool.sockspec.diff] is a table")
    for key in found:
        if key not in _KEYS:
            raise InvalidSettings(
                f"[tool.sockspec.diff] has the unknown key {key!r}; known: {', '.join(sorted(_KEYS))}"
            )
    ignore = found.get("ignore")
    if ignore is not None and not isinstance(ignore, str):
        raise InvalidSettings("'ignore' of [tool.sockspec.diff] is the path of a file")
    return Settings(_severities(found.get("severity", {})), path.parent / ignore if ignore is not None else None)


def _severities(written: object) -> dict[str, Severity | None]:
    if not isinstance(written, dict):
        raise InvalidSettings(
            "[tool.sockspec.diff.severity] is a table of rules and 'error', 'warning', 'info' or 'off'"
        )
    found: dict[str, Severity | None] = {}
    for rule, level in written.items():
        if rule not in RULES:
            near = nearest(rule, RULES)
            hint = f"; did you mean {near!r}?" if near is not None else ""
            raise InvalidSettings(f"[tool.sockspec.diff.severity] names the unknown rule {rule!r}{hint}")
        if not isinstance(level, str) or level not in _LEVELS:
            raise InvalidSettings(f"the severity of {rule!r} is 'error', 'warning', 'info' or 'off', not {level!r}")
        found[rule] = _LEVELS[level]
    return found
