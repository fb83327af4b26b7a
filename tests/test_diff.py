"""Two versions of an API and what is said of them: each folder of `tests/cases/diff` is a case.

A case holds `old.yaml`, `new.yaml`, perhaps the list `ignore.txt`, and `expected.txt`: the changes as text, and what the
next version should be.
`SOCKSPEC_UPDATE=1 pytest tests/test_diff.py` writes every `expected.txt` anew; read the difference before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sockspec import ir
from sockspec.diagnostics import Diagnostic, text
from sockspec.diff import RULES, compare, ignoring, rated
from sockspec.pipeline import examine

CASES = Path(__file__).parent / "cases" / "diff"
FOLDERS = sorted(folder for folder in CASES.iterdir() if folder.is_dir())
UPDATE = os.environ.get("SOCKSPEC_UPDATE") == "1"


def api(path: Path) -> ir.Api:
    """The API of a document that has no errors."""
    found, diagnostics = examine(path, name=path.name, wholly=False)
    assert found is not None, text(diagnostics)
    return found


def said(folder: Path) -> str:
    """What is said of a case."""
    old, new = api(folder / "old.yaml"), api(folder / "new.yaml")
    changes, advice = rated(old, new, compare(old, new))
    unused: tuple[Diagnostic, ...] = ()
    accepted = folder / "ignore.txt"
    if accepted.exists():
        ignores = ignoring.read(accepted.read_text(encoding="utf-8"), accepted.name)
        changes, unused = ignoring.apply(changes, ignores)
    return text((*(change.finding for change in changes), *unused)) + f"{advice.note}\n"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_two_versions_differ_as_expected(folder: Path) -> None:
    found = said(folder)
    expected = folder / "expected.txt"
    if UPDATE:
        expected.write_text(found, encoding="utf-8", newline="\n")
    assert found == expected.read_text(encoding="utf-8")


def test_the_case_of_a_rule_shows_it() -> None:
    silent = [
        folder.name
        for folder in FOLDERS
        if folder.name in RULES and f" {folder.name} " not in (folder / "expected.txt").read_text(encoding="utf-8")
    ]
    assert silent == []


def test_every_rule_has_a_case() -> None:
    shown = "".join((folder / "expected.txt").read_text(encoding="utf-8") for folder in FOLDERS)
    assert [rule for rule in RULES if f" {rule} " not in shown] == []
