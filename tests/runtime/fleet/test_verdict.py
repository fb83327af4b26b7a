"""That the verdict on what was heard is not always the same."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from sockspec.runtime import Recovery
from tests.runtime.fleet.publishing import Outcome
from tests.runtime.fleet.verdict import verify


@dataclass
class Ear:
    """Somebody who heard this."""

    name: str
    heard: list[str]
    recoveries: list[Recovery] = field(default_factory=list)


@dataclass
class Mouth:
    """Somebody who published this."""

    name: str
    outcomes: dict[str, Outcome]


MOUTH = Mouth("p", {"1": "acknowledged", "2": "doubtful", "3": "refused", "4": "acknowledged"})


@pytest.mark.parametrize("heard", [["1", "2", "4"], ["1", "4"], ["1", "4", "2"], ["1", "joined", "4"]])
def test_what_may_be_heard(heard: list[str]) -> None:
    verify([Ear("ann", [*heard, "end"]), Ear("bob", [*heard, "end", "later"])], [MOUTH], "end")


@pytest.mark.parametrize(
    ("ann", "bob", "why"),
    [
        (["1"], ["1"], "ann missed what was acknowledged: ['4']"),
        (["1", "4", "4"], ["1", "4"], "ann heard twice: ['4']"),
        (["1", "4"], ["1", "3", "4"], "bob heard what was refused: ['3']"),
        (["1", "4"], ["1", "2", "4"], "bob heard something else than ann: missed [], added ['2']"),
        (["1", "2", "4"], ["1", "4", "2"], "bob heard something else than ann: another order"),
        (["4", "1"], ["4", "1"], "what p published was heard in another order"),
    ],
)
def test_what_may_not_be_heard(ann: list[str], bob: list[str], why: str) -> None:
    with pytest.raises(AssertionError) as error:
        verify([Ear("ann", [*ann, "end"]), Ear("bob", [*bob, "end"])], [MOUTH], "end")
    assert str(error.value).startswith(why)


def test_who_was_told_of_a_loss_may_have_missed_something_and_has_nothing_twice_or_in_another_order() -> None:
    ann, lost = Ear("ann", ["1", "2", "4", "end"]), [Recovery(resumed=True, recovered=False)]
    verify([ann, Ear("bob", ["4", "end"], lost)], [MOUTH], "end")
    with pytest.raises(AssertionError, match="bob heard in another order than ann"):
        verify([ann, Ear("bob", ["4", "2", "end"], lost)], [MOUTH], "end")
    with pytest.raises(AssertionError, match="bob heard twice"):
        verify([ann, Ear("bob", ["2", "2", "end"], lost)], [MOUTH], "end")
