"""The configuration of the linter: `[tool.sockspec.lint]` in a `pyproject.toml`, or a TOML file of its own."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from sockspec.lint import patterns
from sockspec.lint.known import Known, described, loaded
from sockspec.lint.patterns import Files
from sockspec.lint.settings import LEVELS, PRESETS, Level, Override, Settings
from sockspec.lint.wrong import WrongUsage, unknown
from sockspec.spec.text import quoted

ENTRY_POINTS = "sockspec.configurations"
"""The group of entry points under which packages offer configurations to extend: a mapping, as TOML would give it."""

NAME = "pyproject.toml"
_TABLE = ("tool", "sockspec", "lint")
_KEYS = ("preset", "rulesets", "guide", "extends", "rules", "overrides", "baseline", "exclude")
_OVERRIDE_KEYS = ("files", "pointers", "rules")
_MOST_READ = 50
_DEFAULTS = Settings()


def find(folder: Path) -> Path | None:
    """The nearest `pyproject.toml` that configures the linter, in a folder or above it. Raises WrongUsage."""
    folder = folder.resolve()
    for each in (folder, *folder.parents):
        path = each / NAME
        if path.is_file() and _table(_toml(path)) is not None:
            return path
    return None


def read(path: Path, known: Known) -> Settings:
    """The settings of a file, with all that it extends. Raises WrongUsage."""
    contents = _toml(path)
    table = _table(contents)
    if table is None and path.name == NAME:
        raise WrongUsage(f"{path} has no [tool.sockspec.lint]")
    return _Reader(known).settings(_Table(contents if table is None else table, path.parent.resolve(), str(path)))


def levels(pairs: Iterable[tuple[str, str]], known: Known) -> dict[str, Level]:
    """Levels by the ids of rules, from names and words. Raises WrongUsage where either is unknown."""
    found: dict[str, Level] = {}
    for name, word in pairs:
        if word not in LEVELS:
            raise WrongUsage(f"{quoted(word)} is no level for the rule {quoted(name)}; there are: {', '.join(LEVELS)}")
        found.update({rule.id: LEVELS[word] for rule in known.named(name)})
    return found


@dataclass(frozen=True, slots=True)
class _Table:
    """A configuration as it was written."""

    values: Mapping[str, Any]
    folder: Path
    """What its paths are relative to."""
    origin: str
    """Where it comes from, in the words of messages."""

    def wrong(self, why: str) -> WrongUsage:
        return WrongUsage(f"{self.origin}: {why}")

    def texts(self, key: str, values: Mapping[str, Any] | None = None) -> tuple[str, ...]:
        """A list of texts; one text is a list of one."""
        value: object = (self.values if values is None else values).get(key, [])
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(each, str) and each for each in listed):
            raise self.wrong(f"{key!r} is a list of texts, not {value!r}")
        return tuple(listed)

    def levels(self, values: Mapping[str, Any], known: Known) -> dict[str, Level]:
        """What stands under `rules`."""
        written = values.get("rules", {})
        if not isinstance(written, dict) or not all(isinstance(each, str) for each in written.values()):
            raise self.wrong("'rules' has a level for each rule: 'off', 'info', 'warn' or 'error'")
        try:
            return levels(written.items(), known)
        except WrongUsage as error:
            raise self.wrong(str(error)) from None

    def check_keys(self, values: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
        for key in values:
            if key not in allowed:
                raise self.wrong(str(unknown("key", key, allowed)))


class _Reader:
    """Reads a configuration, and those that it extends before it."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._open: list[str] = []
        self._read = 0

    def settings(self, table: _Table, extended: Settings = _DEFAULTS) -> Settings:
        """What a table says, over what was said before."""
        if table.origin in self._open:
            raise table.wrong("it extends itself")
        self._read += 1
        if self._read > _MOST_READ:
            raise table.wrong(f"more than {_MOST_READ} configurations are extended")
        self._open.append(table.origin)
        table.check_keys(table.values, _KEYS)
        for name in table.texts("extends"):
            extended = self.settings(self._extended(table, name), extended)
        self._open.pop()
        return self._own(table, extended)

    def _extended(self, table: _Table, name: str) -> _Table:
        if name.endswith(".toml"):
            path = table.folder / name
            contents = _toml(path)
            inner = _table(contents)
            return _Table(contents if inner is None else inner, path.parent.resolve(), str(path))
        offered = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
        if name not in offered:
            raise table.wrong(f"{unknown('configuration', name, offered)}; a file to extend ends with '.toml'")
        value = loaded(offered[name])
        if not isinstance(value, Mapping):
            raise table.wrong(f"{described(offered[name])} is no mapping, and cannot be extended")
        return _Table(value, table.folder, described(offered[name]))

    def _own(self, table: _Table, extended: Settings) -> Settings:
        """The extended settings with what the table says itself."""
        values = table.values
        preset = values.get("preset", extended.preset)
        if preset not in PRESETS:
            raise table.wrong(str(unknown("preset", str(preset), PRESETS)))
        guide = values.get("guide", extended.guide)
        if not isinstance(guide, bool):
            raise table.wrong(f"'guide' is true or false, not {guide!r}")
        baseline = values.get("baseline")
        if baseline is not None and not isinstance(baseline, str):
            raise table.wrong(f"'baseline' is the path of a file, not {baseline!r}")
        rulesets = table.texts("rulesets")
        for name in rulesets:
            try:
                self._known.set_of(name)
            except WrongUsage as error:
                raise table.wrong(str(error)) from None
        exclude = table.texts("exclude")
        return replace(
            extended,
            preset=preset,
            guide=guide,
            rulesets=(*extended.rulesets, *rulesets),
            levels={**extended.levels, **table.levels(values, self._known)},
            overrides=(*extended.overrides, *self._overrides(table)),
            baseline=extended.baseline if baseline is None else table.folder / baseline,
            exclude=(*extended.exclude, *((Files(table.folder, exclude),) if exclude else ())),
        )

    def _overrides(self, table: _Table) -> list[Override]:
        listed = table.values.get("overrides", [])
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            raise table.wrong("'overrides' is a list of tables: [[tool.sockspec.lint.overrides]]")
        return [self._override(table, values) for values in listed]

    def _override(self, table: _Table, values: Mapping[str, Any]) -> Override:
        table.check_keys(values, _OVERRIDE_KEYS)
        files, pointers = table.texts("files", values), table.texts("pointers", values)
        if not files and not pointers:
            raise table.wrong("an override names 'files', 'pointers' or both")
        for pointer in pointers:
            if not pointer.startswith(("/", "**")):
                raise table.wrong(f"the pointer {quoted(pointer)} does not begin with '/'")
        return Override(
            Files(table.folder, files) if files else None,
            patterns.pointers(pointers) if pointers else None,
            table.levels(values, self._known),
        )


def _toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise WrongUsage(
            f"the configuration {str(path)!r} cannot be read: {(error.strerror or str(error)).lower()}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WrongUsage(f"{path} is not TOML: {error}") from None


def _table(contents: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a file has for the linter among other tools' settings; None where it has nothing."""
    found: object = contents
    for key in _TABLE:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else None
