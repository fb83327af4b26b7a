"""Documents and what is said about them: each folder of `tests/cases` is a case.

A case holds `document.yaml` or `document.json`, the files that it refers to, `expected.txt`, the diagnostics as text,
`choices.json` where options are given, and `script.yaml` for what is said of a mock server's script. A new case is a
new folder. Read the difference before you commit it: `SOCKSPEC_UPDATE=1 pytest tests/test_cases.py` writes every
`expected.txt` anew.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
from json import loads as decode
from pathlib import Path

import pytest

import sockspec
from sockspec import ir
from sockspec.choices import Choices, messages_named
from sockspec.diagnostics import Code, Diagnostic, Report, text
from sockspec.live import imported
from sockspec.mock import Manner, Mock, Traffic
from sockspec.mock import script as scripts
from sockspec.pipeline import examine, generate

CASES = Path(__file__).parent / "cases"
OTHERS = {"rules", "diff"}
"""Folders of cases that other modules read."""

FOLDERS = sorted(folder for folder in CASES.iterdir() if folder.is_dir() and folder.name not in OTHERS)
UPDATE = os.environ.get("SOCKSPEC_UPDATE") == "1"


def said(folder: Path) -> str:
    """What is said about the document of a case. A case may have none: that is one, too."""
    json, said = folder / "document.json", folder / "choices.json"
    document = json if json.exists() else folder / "document.yaml"
    choices = decode(said.read_text(encoding="utf-8")) if said.exists() else {}
    messages = messages_named(choices["messages"]) if "messages" in choices else None
    chosen = Choices(messages=messages, channels=choices.get("channels"))
    api, found = examine(document, name=document.name, choices=chosen)
    script = folder / "script.yaml"
    if api is not None and script.exists():
        found += of_script(api, script)
    return text(found)


def of_script(api: ir.Api, path: Path) -> list[Diagnostic]:
    """What is said about the script of a mock server, which stands beside its document."""
    report = Report()
    with imported(generate(api, "document.yaml")) as package:
        mock = Mock(api, package, Manner(), Traffic())
        scripts.read(path, mock.endpoints, mock.examples, report, name=path.name)
    return report.sorted()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_document_gets_the_expected_diagnostics(folder: Path) -> None:
    found = said(folder)
    expected = folder / "expected.txt"
    if UPDATE:
        expected.write_text(found, encoding="utf-8", newline="\n")
    assert found == expected.read_text(encoding="utf-8")


def codes() -> dict[str, str]:
    """Where each diagnostic code of the package is declared, by its id."""
    found: dict[str, str] = {}
    for module in pkgutil.walk_packages(sockspec.__path__, "sockspec."):
        if module.name.startswith("sockspec.runtime") or module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Code):
                found.setdefault(value.id, f"{module.name}.{name}")
    return found


def test_every_code_appears_in_a_case() -> None:
    shown = re.compile(r"^\S.*?: (?:error|warning|info) ([a-z0-9-]+) ", re.MULTILINE)
    expected = [text.read_text(encoding="utf-8") for text in CASES.glob("**/expected.txt")]
    seen = {code for text in expected for code in shown.findall(text)}
    assert {code: place for code, place in codes().items() if code not in seen} == {}


def test_a_code_is_declared_once() -> None:
    declared: dict[str, Code] = {}
    for place in codes().values():
        module, _, name = place.rpartition(".")
        code = getattr(importlib.import_module(module), name)
        assert declared.setdefault(code.id, code) is code
