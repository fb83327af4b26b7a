"""The page about the design guide says what is so, and our documents keep the guide."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from sockspec.pipeline import examined
from sockspec.rules.rule import Group
from sockspec.rules.table import findings, of, rules

from .guide import EXAMPLE, SENTENCES, guide_page, unmentioned

ROOT = Path(__file__).parents[1]
TESTS = sorted({name for sentence in SENTENCES for name in sentence.tests.split()})
NAMES = sorted({name for sentence in SENTENCES for name in sentence.runtime.split()})


def broken(path: Path) -> set[str]:
    """The rules of the guide that a document breaks, whoever finds that."""
    subject, report = examined(path, name=path.name)
    assert subject is not None
    said = [*report.sorted(), *findings(of(Group.GUIDE), subject)]
    return {found.code.id for found in said if found.code.id in {rule.id for rule in of(Group.GUIDE)}}


def test_every_sentence_that_demands_something_is_on_the_page(shared: Path) -> None:
    guide = (shared / "guide" / "websocket-api-design-guide.txt").read_text(encoding="utf-8")
    lines = [line.removeprefix("- ") for line in guide.splitlines()]
    sentences = [sentence for line in lines for sentence in re.split(r"(?<=[.:]) (?=[A-Z])", line)]
    demanding = [sentence for sentence in sentences if re.search(r"\b(MUST|SHOULD)\b", sentence)]
    assert len(demanding) > 15
    page = guide_page()
    assert [sentence for sentence in demanding if sentence not in page] == []


def test_every_quotation_is_word_for_word(shared: Path) -> None:
    guide = (shared / "guide" / "websocket-api-design-guide.txt").read_text(encoding="utf-8")
    assert [sentence.text for sentence in SENTENCES if sentence.text not in guide] == []


def test_every_rule_on_the_page_exists_and_every_rule_of_the_guide_is_on_the_page() -> None:
    named = {rule for sentence in SENTENCES for rule in sentence.rules.split()} | EXAMPLE.keys()
    assert sorted(named - rules().keys()) == []
    assert unmentioned() == []


def test_every_demand_has_a_rule_or_something_that_carries_it_out() -> None:
    demanding = [one for one in SENTENCES if "MUST" in one.text or "SHOULD" in one.text]
    assert [one.text for one in demanding if not one.tests or not (one.rules or one.runtime or one.remark)] == []


@pytest.mark.parametrize("name", TESTS)
def test_every_test_on_the_page_exists(name: str) -> None:
    path, _, function = name.partition("::")
    text = (ROOT / "tests" / path).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {re.escape(function)}\(", text, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_carries_a_sentence_out_can_be_imported(name: str) -> None:
    module, _, path = name.partition(":")
    value: object = importlib.import_module(f"sockspec.{module}")
    for part in path.split("."):
        value = getattr(value, part)


def test_every_page_that_is_linked_exists() -> None:
    pages = {page for sentence in SENTENCES for page in sentence.docs.split()}
    assert sorted(page for page in pages if not (ROOT / "docs" / page).is_file()) == []


def test_the_chat_keeps_every_rule_of_the_guide() -> None:
    assert broken(ROOT / "specs" / "chat.asyncapi.yaml") == set()


def test_the_example_of_the_guide_leaves_out_what_is_listed() -> None:
    assert broken(ROOT / "specs" / "chat.openapi.yaml") == EXAMPLE.keys()
