"""`sockspec lint`: each folder of `tests/lint` is a case.

A case holds `document.yaml` (or `.json`), the files that it refers to, `pyproject.toml` where something is configured,
`options.txt` with further arguments, one a line, and `expected.txt`: what is printed, and the exit code.
`SOCKSPEC_UPDATE=1 pytest tests/test_lint.py` writes the latter anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import click.testing
import pytest

from sockspec.cli import main

CASES = Path(__file__).parent / "lint"
UPDATE = os.environ.get("SOCKSPEC_UPDATE") == "1"


def linted(*arguments: str, form: str = "text") -> tuple[str, int]:
    """What the command prints, and its exit code."""
    done = click.testing.CliRunner().invoke(main, ["lint", "--no-color", "--format", form, *arguments])
    return done.output, done.exit_code


@pytest.mark.parametrize("folder", sorted(CASES.iterdir()), ids=lambda folder: folder.name)
def test_a_document_is_linted_as_configured(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    options = Path("options.txt").read_text(encoding="utf-8").split("\n") if Path("options.txt").exists() else []
    document = "document.json" if Path("document.json").exists() else "document.yaml"
    printed, code = linted(document, *filter(None, options))
    said = f"{printed}exit code {code}\n"
    expected = folder / "expected.txt"
    if UPDATE:
        expected.write_text(said, encoding="utf-8", newline="\n")
    assert said == expected.read_text(encoding="utf-8")
