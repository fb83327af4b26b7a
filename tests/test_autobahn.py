"""When a result of the Autobahn|Testsuite is as good as expected; the suite itself is run by `make autobahn`."""

from __future__ import annotations

import pytest

from tests.autobahn import EXPECTED, Expectation


def _result(expectation: Expectation) -> dict[str, str]:
    """A result that is just what is expected."""
    found = dict.fromkeys(expectation.failed, "FAILED")
    for behavior, count in expectation.counts.items():
        if behavior != "FAILED":
            found |= {f"{behavior} {number}": behavior for number in range(count)}
    return found


@pytest.mark.parametrize("way", EXPECTED)
def test_what_is_expected_is_met_by_itself_and_by_what_is_better(way: str) -> None:
    expectation = EXPECTED[way]
    found = _result(expectation)
    assert len(found) == 247
    assert expectation.is_met(found)
    assert expectation.is_met(found | {"NON-STRICT 0": "OK"})


@pytest.mark.parametrize(
    "worse",
    [{"OK 0": "NON-STRICT"}, {"OK 0": "FAILED"}, {"OK 0": "INFORMATIONAL"}, {"OK 0": "UNIMPLEMENTED"}, {"x": "OK"}],
)
@pytest.mark.parametrize("way", EXPECTED)
def test_what_is_worse_is_not(way: str, worse: dict[str, str]) -> None:
    assert not EXPECTED[way].is_met(_result(EXPECTED[way]) | worse)
