"""What everybody heard, held against what became of what was published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sockspec.runtime import Recovery
from tests.runtime.fleet.publishing import Outcome


class Published(Protocol):
    """What somebody published."""

    name: str
    outcomes: dict[str, Outcome]
    """What became of each text, in order."""


class Heard(Protocol):
    """What somebody in a room heard."""

    name: str
    heard: list[str]
    """All texts, in the order in which they were handed on."""
    recoveries: list[Recovery]


class Listener(Heard, Protocol):
    """Somebody in a room."""

    is_here: bool
    """Whether there is a connection that is in the room."""

    def leave(self) -> None:
        """Close the connection, for good."""
        ...


def was_told(listener: Heard) -> bool:
    """Whether a client knows that it has lost something."""
    return any(not recovery.recovered for recovery in listener.recoveries)


def verify(
    listeners: Sequence[Heard],
    publishers: Sequence[Published],
    last: str,
    *,
    whole: Sequence[Heard] | None = None,
) -> None:
    """Hold what everybody heard, up to a last message, against what became of what was published.

    Who is `whole` has to have heard all of it: without, it is those who were not told that they lost something.
    """
    outcomes = {text: outcome for one in publishers for text, outcome in one.outcomes.items()}
    stories = {one.name: [text for text in one.heard[: one.heard.index(last)] if text in outcomes] for one in listeners}
    names = [one.name for one in (listeners if whole is None else whole) if whole is not None or not was_told(one)]
    for name, story in stories.items():
        doubled = sorted({text for text in story if story.count(text) > 1}) if len(set(story)) < len(story) else []
        assert not doubled, f"{name} heard twice: {doubled}"
        refused = [text for text in story if outcomes[text] == "refused"]
        assert not refused, f"{name} heard what was refused: {refused}"
    if not names:
        return
    reference = stories[names[0]]
    missing = [text for text, outcome in outcomes.items() if outcome == "acknowledged" and text not in set(reference)]
    assert not missing, f"{names[0]} missed what was acknowledged: {missing}"
    for name in names:
        assert stories[name] == reference, (
            f"{name} heard something else than {names[0]}: {_difference(stories[name], reference)}"
        )
    places = {text: place for place, text in enumerate(reference)}
    for name, story in stories.items():
        found = [places[text] for text in story if text in places]
        assert found == sorted(found), f"{name} heard in another order than {names[0]}"
    for one in publishers:
        told = [places[text] for text, outcome in one.outcomes.items() if outcome == "acknowledged"]
        assert told == sorted(told), f"what {one.name} published was heard in another order"


def _difference(story: list[str], reference: list[str]) -> str:
    missed = [text for text in reference if text not in set(story)]
    added = [text for text in story if text not in set(reference)]
    return f"missed {missed}, added {added}" if missed or added else "another order"
