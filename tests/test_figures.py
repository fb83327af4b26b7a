"""The page of figures, which is made by hand: it speaks of the documents that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.figures.documents import CORPUS, PAGE, documents, name


def rows() -> dict[str, list[str]]:
    """The cells behind each document's name."""
    lines = PAGE.read_text(encoding="utf-8").partition("## Document by document")[2].splitlines()
    found = [re.fullmatch(r"\| `([^`]+)` \| (.*) \|", line) for line in lines]
    return {row[1]: row[2].split(" | ") for row in found if row is not None}


def test_the_page_has_every_document_that_speaks_of_websockets(shared: Path) -> None:
    assert CORPUS.is_relative_to(shared)
    assert list(rows()) == [name(path) for path in documents()]


def test_every_page_of_ours_opened_without_an_error_and_soon() -> None:
    opened = {document: cells for document, cells in rows().items() if not cells[1].startswith("none: ")}
    assert len(opened) >= 30
    assert {document: cells[5] for document, cells in opened.items() if cells[5] != "0"} == {}
    assert max(float(cells[3].replace(",", "")) for cells in opened.values()) < 1000


@pytest.mark.parametrize("said", ["axe", "Search", "Readable without script", "Brings a policy"])
def test_the_page_tells_what_both_can_do(said: str) -> None:
    assert re.search(rf"(?m)^\| [^|]*{said}[^|]*(?: \| [^|\n]+){{2}} \|$", PAGE.read_text(encoding="utf-8"))
