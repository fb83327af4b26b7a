"""What holds when an engine has lost everything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from sockspec.runtime.backplane.conformance.fleet import LONG, Fleet, Forget
from sockspec.runtime.backplane.line import Backplane, Placed

ForgettingCheck: TypeAlias = Callable[[Fleet, Forget], Awaitable[None]]


async def a_stream_that_was_forgotten_has_another_epoch(fleet: Fleet, forget: Forget) -> None:
    """What was published before is not there, and reading on from it is not complete."""
    a = await fleet.open()
    before = await a.publish("s", b"1", "one")
    begun = (await a.line.positions(["t"]))["t"]
    await forget()
    after = (await a.line.positions(["s", "t"]))["s"]
    assert after.offset == 0
    assert after.epoch != before.epoch
    assert (await a.line.positions(["t"]))["t"].epoch != begun.epoch
    assert not (await a.line.read("s", before, 10)).complete
    again = await a.publish("s", b"1", "one")
    assert again.epoch == after.epoch
    assert [entry.data for entry in await a.everything("s")] == [b"1"]


async def an_entry_tells_that_its_stream_was_forgotten(fleet: Fleet, forget: Forget) -> None:
    """A subscription goes on, in another epoch."""
    a = await fleet.open()
    await a.line.subscribe(["s"])
    await a.publish("s", b"1")
    await a.inbox.has("s", 1)
    await forget()
    after = await a.publish("s", b"2")
    await a.inbox.until(lambda: len({epoch for _, epoch, _ in a.inbox.received}) == 2)
    name, epoch, entry = a.inbox.received[-1]
    assert (name, epoch, entry.offset, entry.after, entry.data) == ("s", after.epoch, after.offset, 0, b"2")


async def a_node_learns_that_everything_was_forgotten(fleet: Fleet, forget: Forget) -> None:
    """It is not known, the engine is another one, and there are no records and values."""
    (a,) = await fleet.alive("a")
    before = await a.line.renew(LONG)
    await a.line.place("t", "k", b"x", most=1)
    await a.line.keep({"k": b"x"}, LONG)
    assert await a.line.take("b", 1, rate=0.001, burst=1) == 0
    await forget()
    after = await a.line.renew(LONG)
    assert (after.known, after.nodes) == (False, frozenset("a"))
    assert after.engine != before.engine
    assert await a.line.records("t") == ()
    assert await a.line.kept("k") is None
    assert await a.line.place("t", "other", b"x", most=1) is Placed.NEW


FORGETTING: Final[tuple[ForgettingCheck, ...]] = (
    a_stream_that_was_forgotten_has_another_epoch,
    an_entry_tells_that_its_stream_was_forgotten,
    a_node_learns_that_everything_was_forgotten,
)
"""What holds when everything was forgotten, while the lines stay."""


async def run_forgetting(check: ForgettingCheck, backplane: Backplane, forget: Forget) -> None:
    """Run one of these checks over a backplane on which nothing was done before."""
    fleet = Fleet(backplane)
    try:
        await check(fleet, forget)
    finally:
        await fleet.close()
