"""Rules, each with a document that breaks it and one that does not: the folders of `tests/cases/rules`.

A folder is called like its rule. It holds `failing.yaml` and `passing.yaml` (or `.json`), what they refer to, and
`expected.txt`: what the rule says of the failing one. `SOCKSPEC_UPDATE=1 pytest tests/test_rules.py` writes that anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sockspec.diagnostics import Diagnostic, text
from sockspec.lint.baseline import read
from sockspec.lint.known import known
from sockspec.lint.linter import Linter, lint
from sockspec.lint.policy import Policy
from sockspec.lint.settings import Settings
from sockspec.pipeline import examined
from sockspec.rules.rule import Group, Rule
from sockspec.rules.table import findings, of, rules

CASES = Path(__file__).parent / "cases" / "rules"
UPDATE = os.environ.get("SOCKSPEC_UPDATE") == "1"
RULES = list(rules().values())


def said_by(rule: Rule, path: Path) -> list[Diagnostic]:
    """What a rule says of a document, whoever finds it."""
    if rule.group is Group.SUPPRESSIONS:
        return said_by_linter(rule, path)
    subject, report = examined(path, name=path.name)
    found = {d for d in report.sorted() if d.code.id == rule.id}
    if subject is not None:
        found.update(findings([rule], subject))
    return sorted(found, key=lambda d: (d.location, d.message))


def said_by_linter(rule: Rule, path: Path) -> list[Diagnostic]:
    """What the linter says of suppressions, and of `baseline.json` beside the document."""
    policy = Policy(Settings(), known())
    beside = path.with_name("baseline.json")
    linter = Linter(policy, read(beside, name=beside.name) if beside.exists() else None)
    found = [*linter.told(lint(path, policy, name=path.name)), *linter.left()]
    return sorted((d for d in found if d.code.id == rule.id), key=lambda d: (d.location, d.message))


def document(folder: Path, name: str) -> Path:
    """The document of that name, in YAML or JSON."""
    json = folder / f"{name}.json"
    return json if json.exists() else folder / f"{name}.yaml"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_finds_what_breaks_it(rule: Rule) -> None:
    folder = CASES / rule.id
    said = text(said_by(rule, document(folder, "failing")))
    assert said
    if UPDATE:
        (folder / "expected.txt").write_text(said, encoding="utf-8", newline="\n")
    assert said == (folder / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_silent_where_it_is_kept(rule: Rule) -> None:
    assert said_by(rule, document(CASES / rule.id, "passing")) == []


def test_every_folder_is_of_a_rule() -> None:
    assert sorted(folder.name for folder in CASES.iterdir()) == sorted(rules())


@pytest.mark.parametrize("group", Group, ids=lambda group: group.value)
def test_the_module_of_a_group_has_the_rules_of_that_group_alone(group: Group) -> None:
    assert {rule.group for rule in of(group)} == {group}
