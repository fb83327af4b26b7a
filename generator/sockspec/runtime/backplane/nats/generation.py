"""Which generation of its entries a JetStream stream is in: a note at the stream, counted up when it has lost some.

JetStream knows one life of a stream, from when it was made. A server that comes back with less than it acknowledged goes on in
that life, and gives the sequences of what was lost to other messages. Then somebody who knows better begins another
generation: a note is written, which makes all positions from before those of another epoch, and then all that is stored is
removed, up to a sequence that was never used. Whoever finds the note before that is done does it first, and goes on then.

A note that was lost itself, or written over, is written again by whoever has seen it.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from sockspec.runtime.backplane.nats.link import Link
from sockspec.runtime.backplane.nats.messages import Condition, life_of

_NOTE: Final = "sockspec.generation"


class Generation(Struct, frozen=True, order=True):
    """One of them: numbers count up."""

    number: int = 0
    begin: int = 0
    """The sequence up to which everything was removed."""


def generation_of(condition: Condition) -> Generation:
    """That of a stream as it is now."""
    noted = str((condition.config.get("metadata") or {}).get(_NOTE, "")).split()
    if len(noted) != 2 or not all(part.isdecimal() for part in noted):
        return Generation()
    return Generation(*map(int, noted))


def epoch_of(condition: Condition) -> str:
    """The epoch of all streams: the life of the JetStream stream, and its generation in that life."""
    life, number = life_of(condition), generation_of(condition).number
    return f"{life}-{number}" if number else life


async def begin_another(link: Link, stream: str, condition: Condition, offset: int) -> Condition:
    """Begin the next generation, after all sequences up to an offset. Raises BackplaneError.

    Whoever does the same at once begins the same one.
    """
    nothing = {"filter": f"{stream}.nothing"}
    await link.command(f"STREAM.PURGE.{stream}", nothing, object)  # or it would be noted, and not be allowed for ever
    begin = max(condition.state.last_seq, offset) + 1  # one that nothing had: so every position is before it
    return await note(link, stream, condition, Generation(generation_of(condition).number + 1, begin))


async def note(link: Link, stream: str, condition: Condition, generation: Generation) -> Condition:
    """Write a generation down, and all else as it is; then remove what is of those before. Raises BackplaneError."""
    metadata: dict[str, Any] = dict(condition.config.get("metadata") or {})
    metadata[_NOTE] = f"{generation.number} {generation.begin}"
    config = {**condition.config, "metadata": metadata}
    return await emptied(link, stream, await link.command(f"STREAM.UPDATE.{stream}", config, Condition))


async def emptied(link: Link, stream: str, condition: Condition) -> Condition:
    """The stream without what is of generations before; removed now, where it was not yet. Raises BackplaneError."""
    generation = generation_of(condition)
    if not generation.number or condition.state.first_seq > generation.begin:
        return condition
    await link.command(f"STREAM.PURGE.{stream}", {"seq": generation.begin + 1}, object)
    return await link.condition(stream)
