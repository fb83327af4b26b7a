"""Real and hostile documents through the whole generator. The summary of the run has a line for each."""

from __future__ import annotations

import ast
import re
import time
from pathlib import Path

import pytest

from sockspec.diagnostics import Severity
from sockspec.pipeline import examine, generate
from tests import corpus

pytestmark = pytest.mark.slow

_SLOW = 2.0
"""Seconds after which the summary says how long a hostile document took."""

_LARGE = 1_000_000
"""Characters above which a module is only parsed: Python takes a minute to compile a function of 50,000 parameters."""

HOSTILE = sorted(
    path
    for path in (corpus.SHARED / "corpus" / "hostile").glob("*")
    if path.suffix in (".yaml", ".json") and path.is_file()
)


@pytest.mark.usefixtures("shared")
def test_every_real_document_gives_a_package_that_type_checks(tmp_path: Path, told: list[str]) -> None:
    outcomes = corpus.outcomes(tmp_path)
    told += [str(outcome) for outcome in outcomes]
    told.append(f"{sum(o.stage == 'type-checked' for o in outcomes)} of {len(outcomes)} documents type-checked")
    assert len(outcomes) >= 34
    assert [str(outcome) for outcome in outcomes if outcome.stage != "type-checked"] == []
    assert corpus.page(outcomes) == corpus.PAGE.read_text(encoding="utf-8"), "see what changed: python -m tests.corpus"


@pytest.mark.usefixtures("shared")
def test_what_is_refused_is_refused_at_a_place(told: list[str]) -> None:
    refused: list[str] = []
    for path in sorted((corpus.SHARED / "corpus").glob("asyncapi*/**/*")):
        if path.suffix in (".yaml", ".yml", ".json") and path.is_file():
            name = path.relative_to(corpus.SHARED / "corpus").as_posix()
            api, diagnostics = examine(path, name=name)
            if api is None:
                errors = [str(found) for found in diagnostics if found.severity is Severity.ERROR]
                refused.append(errors[0] if errors else name)
    told.append(f"{len(refused)} documents of the corpus, valid or not, are refused")
    assert [error for error in refused if not re.match(r".+?:\d+:\d+: error [a-z0-9-]+ ", error)] == []


@pytest.mark.usefixtures("shared")
def test_there_are_hostile_documents() -> None:
    assert len(HOSTILE) >= 60


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("path", HOSTILE)
def test_a_hostile_document_gives_modules_that_compile_or_diagnostics(path: Path, told: list[str]) -> None:
    start = time.monotonic()
    api, diagnostics = examine(path, name=path.name)
    if api is None:
        assert [found for found in diagnostics if found.severity is Severity.ERROR] != []
    else:
        for name, text in generate(api, path.name).items():
            text.encode()
            if name.endswith(".py"):
                compile(text, name, "exec", ast.PyCF_ONLY_AST if len(text) > _LARGE else 0, dont_inherit=True)
    taken = time.monotonic() - start
    if taken > _SLOW:
        told.append(f"{path.name} took {taken:.1f} s")
