"""The rules that a configuration may name: ours, and those of installed packages."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points

from sockspec import analysis, spec
from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.lint.wrong import WrongUsage, unknown
from sockspec.rules.rule import Group, Rule
from sockspec.rules.subject import Subject
from sockspec.rules.table import findings, rules
from sockspec.spec.text import quoted

ENTRY_POINTS = "sockspec.rules"
"""The group of entry points under which packages offer rules: a `Rule`, or several."""

_CUSTOM_ID = re.compile(r"[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True)
class Known:
    """All rules, by the names that they go by."""

    by_id: Mapping[str, Rule]
    origins: Mapping[str, str]
    """Which entry point a rule is of; none of ours."""

    @cached_property
    def by_name(self) -> Mapping[str, tuple[Rule, ...]]:
        """The rules by id and by alias. What another tool has one name for may be several of our rules."""
        found: dict[str, tuple[Rule, ...]] = {name: (rule,) for name, rule in self.by_id.items()}
        for rule in self.by_id.values():
            for alias in rule.aliases:
                if alias not in self.by_id:
                    found[alias] = (*found.get(alias, ()), rule)
        return found

    @cached_property
    def sets(self) -> Mapping[str, tuple[Rule, ...]]:
        """The rules by the names of their sets: the groups, and what stands before the slash in an id."""
        found: dict[str, list[Rule]] = {group.value: [] for group in Group}
        for rule in self.by_id.values():
            found[rule.group.value].append(rule)
            if "/" in rule.id:
                found.setdefault(rule.id.partition("/")[0], []).append(rule)
        return {name: tuple(members) for name, members in found.items()}

    def named(self, name: str) -> tuple[Rule, ...]:
        """The rules of an id or an alias. Raises WrongUsage where there is none."""
        if name in self.by_name:
            return self.by_name[name]
        code = codes().get(name)
        if code is None:
            raise unknown("rule", name, self.by_name)
        what = "an error of reading" if is_fatal(code) else "said while a document is read"
        raise WrongUsage(f"{name!r} is no rule: it is {what}, and cannot be configured")

    def set_of(self, name: str) -> tuple[Rule, ...]:
        """The rules of a set. Raises WrongUsage where there is no such set."""
        if name not in self.sets:
            raise unknown("rule set", name, self.sets)
        return self.sets[name]

    def found(self, rule: Rule, subject: Subject) -> Iterator[Diagnostic]:
        """What a rule finds. Raises WrongUsage where a rule that is not ours fails, or says what it may not."""
        origin = self.origins.get(rule.id)
        if origin is None:
            yield from findings((rule,), subject)
            return
        try:
            said: list[object] = list(findings((rule,), subject))
        except Exception as error:
            raise WrongUsage(f"the rule {rule.id!r} of {origin} failed: {type(error).__name__}: {error}") from error
        for diagnostic in said:
            if not isinstance(diagnostic, Diagnostic) or diagnostic.code.id != rule.id:
                raise WrongUsage(
                    f"the rule {rule.id!r} of {origin} gave {quoted(str(diagnostic))}, which is no finding of it"
                )
            yield diagnostic


def is_fatal(code: Code) -> bool:
    """Whether a code keeps a package from being made."""
    return code.severity is Severity.ERROR and not code.tolerable


def known() -> Known:
    """Our rules and those of installed packages. Raises WrongUsage where a package's cannot be used."""
    by_id = dict(rules())
    origins: dict[str, str] = {}
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: (entry.name, entry.value)):
        origin = described(entry)
        for rule in _offered(entry, origin):
            if rule.id in origins and origins[rule.id] == origin:
                continue
            if rule.id in by_id:
                raise WrongUsage(f"{origin} offers the rule {rule.id!r}, which {origins[rule.id]} offers, too")
            by_id[rule.id] = rule
            origins[rule.id] = origin
    return Known(by_id, origins)


def described(entry: EntryPoint) -> str:
    """An entry point in the words of messages."""
    package = f" of {entry.dist.name}" if entry.dist is not None else ""
    return f"the entry point {entry.name!r}{package}"


def loaded(entry: EntryPoint) -> object:
    """What an entry point names. Raises WrongUsage where it cannot be imported, whatever its module does."""
    try:
        return entry.load()
    except Exception as error:
        raise WrongUsage(f"{described(entry)} cannot be loaded: {type(error).__name__}: {error}") from error


def _offered(entry: EntryPoint, origin: str) -> Iterator[Rule]:
    offered = loaded(entry)
    if not isinstance(offered, Iterable):
        offered = (offered,)
    for rule in offered:
        if not isinstance(rule, Rule):
            raise WrongUsage(f"{origin} offers {rule!r}, which is no rule")
        if not _CUSTOM_ID.fullmatch(rule.id):
            raise WrongUsage(
                f"{origin} offers the rule {rule.id!r}; its id has to begin with a name of its own: 'acme/…'"
            )
        yield rule


@cache
def codes() -> Mapping[str, Code]:
    """What reading a document may say, by id."""
    found: dict[str, Code] = {}
    for package in (spec, analysis):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            declared = vars(importlib.import_module(module.name)).values()
            found.update({value.id: value for value in declared if isinstance(value, Code)})
    return found
