"""Whether a stream still has what a node was given of it; if so, what comes after that.

An engine may come back with less than it acknowledged, and go on in the same epoch from an earlier offset. Then a node that
knows better gives the epoch up: or somebody who comes back with a position from before would be told that nothing was missed.
Only what the engine itself gave to this node counts for that, never what a client says.
"""

from __future__ import annotations

from typing import Final, Protocol

from sockspec.runtime.backplane.line import Position, Slice

PART: Final = 128
"""How many entries are read from history at once."""
_TRIES: Final = 3
"""How often an epoch is given up that is there all the same: the engine may go away in the middle, or not allow it."""


class Known(Protocol):
    """An entry that this node was given."""

    offset: int
    after: int
    id: str


class History(Protocol):
    """What is asked of the backplane."""

    async def read(self, stream: str, since: Position, limit: int) -> Slice:
        """As a line does, however long it takes until the engine answers."""
        ...

    async def renounce(self, stream: str, position: Position) -> None:
        """As a line does, if the engine can be told in time."""
        ...


async def read_on(
    history: History, stream: str, position: Position, last: Known | None, *, is_broken: bool = False
) -> Slice:
    """What comes after a position. It is not complete if the stream has lost something before that, which is given up.

    `last` is the entry that stood there, where one is known. `is_broken` says that another one was seen to stand where
    this node was given something.
    """
    for _ in range(_TRIES):
        found = None if is_broken else await _after(history, stream, position, last)
        if found is not None:
            return found
        is_broken = False
        await history.renounce(stream, position)
    found = await history.read(stream, position, PART)
    return Slice(found.top, found.entries, complete=False)


async def _after(history: History, stream: str, position: Position, last: Known | None) -> Slice | None:
    """What comes after a position; None when the stream ends before it, or has something else there."""
    if last is not None and last.offset == position.offset:
        found = await history.read(stream, Position(position.epoch, last.after), PART)
        there = next((entry for entry in found.entries if entry.offset == last.offset), None)
        if there is not None and found.top.epoch == position.epoch:
            later = tuple(entry for entry in found.entries if entry.offset > last.offset)
            return Slice(found.top, later, complete=True) if there.id == last.id else None
    found = await history.read(stream, position, PART)
    return None if found.top.epoch == position.epoch and found.top.offset < position.offset else found
