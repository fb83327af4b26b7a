"""What has changed since an earlier version, as whoever compares two documents tells it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sockspec.docs.anchors import Anchors
from sockspec.docs.page import Changed, Found
from sockspec.docs.types import Piece
from sockspec.docs.writing import Writing

EFFECTS = ("breaks", "may break", "harmless")
"""What a change does to clients that are out there, the worst first."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change. `effect` is one of EFFECTS; `place` is where it is by names: `channels`, `room`, `client`, `Join`."""

    effect: str
    message: str
    place: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed since the version `since`."""

    since: str
    changes: tuple[Change, ...]


def changed(changes: Changes | None, anchors: Anchors, writing: Writing) -> Changed | None:
    """The changes as a page shows them, the worst first; None where no earlier version was compared."""
    if changes is None:
        return None
    ordered = sorted(changes.changes, key=lambda change: EFFECTS.index(change.effect))
    return Changed(writing.text(changes.since), tuple(_found(ordered, anchors, writing)))


def _found(changes: Iterable[Change], anchors: Anchors, writing: Writing) -> Iterable[Found]:
    for change in changes:
        anchor = _anchor(change.place, anchors)
        link = (Piece(" "), Piece(writing.text("see"), anchor=anchor)) if anchor else ()
        yield Found(change.effect, (Piece(writing.text(change.message)), *link))


def _anchor(place: tuple[str, ...], anchors: Anchors) -> str:
    """The closest section that a place is in; empty where it is in none."""
    match place:
        case ("channels", channel, "client" | "server", message, *_):
            return anchors.messages.get(message, anchors.channels.get(channel, ""))
        case ("channels", channel, *_):
            return anchors.channels.get(channel, "")
        case ("servers", server, *_):
            return anchors.servers.get(server, "")
        case ("definitions" | "types", name, *_):
            return anchors.definitions.get(name, "")
        case _:
            return ""
