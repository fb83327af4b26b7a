"""Epochs that are given up, because somebody has seen more of a stream than there is."""

from __future__ import annotations

import asyncio
from typing import Final

from sockspec.runtime.backplane.conformance.fleet import Check, Fleet
from sockspec.runtime.backplane.line import Entry, Position, Slice


async def a_stream_that_is_renounced_begins_another_epoch(fleet: Fleet) -> None:
    """Without history, and at no offset that was used before: reading on from before is not complete."""
    a = await fleet.open()
    begun = (await a.line.positions(["s"]))["s"]
    tops = [begun, *[await a.publish("s", b"%d" % number) for number in range(3)]]
    await a.line.renounce("s", tops[-1])
    after = (await a.line.positions(["s"]))["s"]
    assert after.epoch != begun.epoch
    assert after.offset >= tops[-1].offset
    assert await a.everything("s") == []
    assert await a.line.read("s", after, 10) == Slice(after, (), complete=True)
    for top in tops:
        found = await a.line.read("s", top, 10)
        assert (found.top.epoch, found.complete, found.entries) == (after.epoch, False, ())


async def what_is_published_after_an_epoch_was_renounced_is_of_the_other_one(fleet: Fleet) -> None:
    """It is received, read, and known by its id there."""
    a, b = await fleet.open("a"), await fleet.open("b")
    before = await a.publish("s", b"1")
    await a.line.renounce("s", before)
    begun = (await b.line.subscribe(["s"]))["s"]
    tops = [await a.publish("s", b"%d" % number, f"id {number}") for number in (2, 3)]
    await b.inbox.has("s", 2)
    assert {epoch for _, epoch, _ in b.inbox.received} == {begun.epoch} == {top.epoch for top in tops}
    found = await b.line.read("s", begun, 10)
    assert (found.top, found.complete) == (tops[-1], True)
    assert list(found.entries) == b.inbox.of("s")
    assert [entry.data for entry in found.entries] == [b"2", b"3"]
    assert await b.publish("s", b"3", "id 3") == tops[-1]


async def who_is_subscribed_learns_of_the_other_epoch(fleet: Fleet) -> None:
    """By what is published there, or because the line says that something may have been missed."""
    a, b = await fleet.open("a"), await fleet.open("b")
    before = (await b.line.subscribe(["s"]))["s"]
    await a.line.renounce("s", await a.publish("s", b"1"))
    await a.publish("s", b"2")

    def learned() -> bool:
        return b.inbox.restorations > 0 or any(epoch != before.epoch for _, epoch, _ in b.inbox.received)

    await b.inbox.until(learned)
    assert (await b.line.positions(["s"]))["s"].epoch != before.epoch


async def an_id_that_was_published_in_an_epoch_that_was_renounced_is_published_again(fleet: Fleet) -> None:
    """For the entry is gone, and was to be safe."""
    a = await fleet.open()
    before = await a.publish("s", b"1", "one")
    await a.line.renounce("s", before)
    after = await a.publish("s", b"1", "one")
    assert after.epoch != before.epoch
    assert after.offset > before.offset
    assert [entry.data for entry in await a.everything("s")] == [b"1"]
    assert await a.publish("s", b"1", "one") == after
    assert [entry.id for entry in await a.everything("s")] == ["one"]


async def offsets_go_on_after_the_one_that_was_renounced(fleet: Fleet) -> None:
    """As far as somebody has seen the stream: the engine has lost what stood there."""
    a = await fleet.open()
    top = await a.publish("s", b"1")
    seen = Position(top.epoch, top.offset + 1000)
    await a.line.renounce("s", seen)
    assert (await a.line.positions(["s"]))["s"].offset >= seen.offset
    after = await a.publish("s", b"2")
    assert after.offset > seen.offset
    (entry,) = await a.everything("s")
    assert entry == Entry(after.offset, entry.after, entry.id, b"2")


async def an_epoch_that_was_left_already_is_renounced_in_vain(fleet: Fleet) -> None:
    """Or one that never was."""
    a, b = await fleet.open("a"), await fleet.open("b")
    before = await a.publish("s", b"1")
    for epoch in ("another", ""):
        await b.line.renounce("s", Position(epoch, before.offset))
    assert await a.line.positions(["s"]) == {"s": before}
    await a.line.renounce("s", before)
    after = await a.publish("s", b"2")
    for member in (a, b):
        await member.line.renounce("s", before)
        await member.line.renounce("s", Position(before.epoch, after.offset + 5))
    assert await a.line.positions(["s"]) == {"s": after}
    assert [entry.data for entry in await b.everything("s")] == [b"2"]


async def nodes_that_renounce_at_once_begin_one_epoch(fleet: Fleet) -> None:
    """However far each has seen the stream."""
    members = [await fleet.open(node) for node in "abc"]
    before = [await members[0].publish("s", b"x") for _ in range(3)]
    await asyncio.gather(
        *(member.line.renounce("s", top) for member in members for top in (*before, before[-1], before[0]))
    )
    epochs = [(await member.line.positions(["s"]))["s"].epoch for member in members]
    epochs += [(await member.publish("s", b"y")).epoch for member in members]
    assert len(set(epochs)) == 1
    assert epochs[0] != before[0].epoch
    assert [entry.data for entry in await members[1].everything("s")] == [b"y"] * 3


CHECKS: Final[tuple[Check, ...]] = (
    a_stream_that_is_renounced_begins_another_epoch,
    what_is_published_after_an_epoch_was_renounced_is_of_the_other_one,
    who_is_subscribed_learns_of_the_other_epoch,
    an_id_that_was_published_in_an_epoch_that_was_renounced_is_published_again,
    offsets_go_on_after_the_one_that_was_renounced,
    an_epoch_that_was_left_already_is_renounced_in_vain,
    nodes_that_renounce_at_once_begin_one_epoch,
)
