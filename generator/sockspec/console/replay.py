"""Sending again what a record has, and comparing what comes back."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sockspec.console.batch import Line, Stop
from sockspec.console.record import Record


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two conversations differ in the messages of the server."""

    lines: tuple[str, ...]
    """What there is to say about it."""
    same: bool
    """Whether each message came as often as before; another order is no difference."""


async def lines(record: Record, speed: float) -> AsyncIterator[Line]:
    """What the client sent, at its time divided by the speed; all at once where that is 0."""
    mine = [entry for entry in record.entries if entry.sender == "client"]
    for number, entry in enumerate(mine, 1):
        yield Line(f"message {number} of the record", entry.frame, entry.at / speed if speed else 0.0, is_raw=True)


def patience(record: Record, speed: float, wait: float) -> Stop:
    """Stops when it is quiet, and not before the record would have ended."""
    return Stop(wait=wait, after=record.lasted / speed if speed else 0.0)


def compared(record: Record, received: Sequence[str | None]) -> Comparison:
    """The differences between what the server sent before and what came now, by names of messages."""
    before = [entry.message for entry in record.entries if entry.sender == "server"]
    old, new = Counter(before), Counter(received)
    differences = [
        f"{name or 'no message of the API'}: {old[name]} in the record, {new[name]} now"
        for name in dict.fromkeys([*before, *received])
        if old[name] != new[name]
    ]
    if differences:
        return Comparison(("what came differs from the record:", *(f"  {one}" for one in differences)), False)
    total = f"{len(before)} message{'' if len(before) == 1 else 's'}"
    if before != list(received):
        return Comparison((f"what came is what the record has, {total}, in another order",), True)
    return Comparison((f"what came is what the record has, {total}",), True)
