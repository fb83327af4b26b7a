"""The comparison with other validators: what it says of ours is what comes out today."""

from __future__ import annotations

from pathlib import Path

from tests import comparing
from tests.comparing import OURS, Results


def test_the_page_says_what_ours_finds_today(shared: Path) -> None:
    assert [path.is_relative_to(shared) for path in comparing.real()] == [True] * len(comparing.CORPUS)
    stored = Results.stored()
    told = comparing.told()
    assert {name: stored.findings[name] for name in told} == told, "run `make compare`"
    assert comparing.page(stored) == comparing.PAGE.read_text(encoding="utf-8")


def test_ours_has_no_error_for_a_correct_document() -> None:
    names = [name for name in Results.stored().findings[OURS] if not name.endswith("/document.yaml")]
    assert [name for name in names if not comparing.CORPUS.get(name)] == []


def test_faults_that_are_planted_are_places_in_the_document() -> None:
    assert [
        fault.words for fault in comparing.faults() if not all(place.startswith("/") for place in fault.places)
    ] == []
