"""Nodes and their leases, and the records that live as long as their nodes."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final

from sockspec.runtime.backplane.conformance.fleet import BRIEF, LONG, SOON, Check, Fleet, Member
from sockspec.runtime.backplane.line import Placed, Record


async def a_node_learns_who_lives(fleet: Fleet) -> None:
    """Itself included; and whether it was known before."""
    a, b = await fleet.open("a"), await fleet.open("b")
    first = await a.line.renew(LONG)
    assert (first.nodes, first.dead, first.known) == (frozenset("a"), frozenset[str](), False)
    second = await b.line.renew(LONG)
    assert (second.nodes, second.dead, second.known) == (frozenset("ab"), frozenset[str](), False)
    again = await a.line.renew(LONG)
    assert (again.nodes, again.dead, again.known) == (frozenset("ab"), frozenset[str](), True)
    assert first.engine
    assert {first.engine, second.engine} == {again.engine}


async def a_node_whose_lease_lapses_is_dead(fleet: Fleet) -> None:
    """While one that renews its own lives on, for longer than one lease."""
    a, b, c = await fleet.open("a"), await fleet.open("b"), await fleet.open("c")
    await c.line.renew(BRIEF)
    await b.line.renew(2 * BRIEF)
    found = await a.finds_dead("c")
    assert (found.nodes, found.dead) == (frozenset("ab"), frozenset("c"))
    await b.line.renew(2 * BRIEF)
    await c.line.renew(BRIEF)
    found = await a.finds_dead("c")
    assert found.nodes == {"a", "b"}


async def a_node_that_was_late_is_known(fleet: Fleet) -> None:
    """When nobody took anything of it away, its records are there again."""
    a, b = await fleet.open("a"), await fleet.open("b")
    await b.line.renew(BRIEF)
    await b.line.place("t", "k", b"x")
    await a.finds_dead("b")
    assert await a.line.records("t") == ()
    assert (await b.line.renew(LONG)).known
    assert await a.line.records("t") == (Record("t", "k", b"x", "b"),)


async def a_node_that_was_taken_for_dead_is_not_known(fleet: Fleet) -> None:
    """Neither when all of its records were taken away, nor when the first of them was."""
    a, b = await fleet.open("a"), await fleet.open("b")
    for limit in (1, 10):
        await b.line.renew(BRIEF)
        for key in ("1", "2", "3"):
            await b.line.place("t", key, b"x")
        await a.finds_dead("b")
        assert len(await a.line.reap("b", limit)) == min(limit, 3)
        assert not (await b.line.renew(LONG)).known
        assert (await b.line.renew(LONG)).known
        await b.line.retire()
        while await a.line.reap("b", 10):
            pass
        assert not (await b.line.renew(LONG)).known
        await b.line.retire()
        assert await a.line.reap("b", 10) == ()


async def a_record_is_new_and_then_known(fleet: Fleet) -> None:
    """It has the new value, and is there once. Other tables are others."""
    a, b = await fleet.alive("a", "b")
    assert await a.line.records("t") == ()
    assert await a.line.place("t", "k", b"1") is Placed.NEW
    assert await a.line.place("t", "k", b"\0\xff") is Placed.KNOWN
    assert await a.line.place("u", "k", b"") is Placed.NEW
    assert await b.line.records("t") == (Record("t", "k", b"\0\xff", "a"),)
    assert await b.line.records("u") == (Record("u", "k", b"", "a"),)


async def records_come_by_key(fleet: Fleet) -> None:
    """Of all nodes, sorted."""
    a, b = await fleet.alive("a", "b")
    keys = ["b", "a", "é", "Z", "10", "9", "😀", "\uffff"]
    for number, key in enumerate(keys):
        await (a if number % 2 else b).line.place("t", key, key.encode())
    assert [(record.key, record.value) for record in await a.line.records("t")] == [
        (key, key.encode()) for key in sorted(keys)
    ]


async def a_record_is_dropped_by_its_node_alone(fleet: Fleet) -> None:
    """Once; and one that is not there is not dropped."""
    a, b = await fleet.alive("a", "b")
    await a.line.place("t", "k", b"x")
    assert not await b.line.drop("t", "k")
    assert not await a.line.drop("t", "other")
    assert not await a.line.drop("other", "k")
    assert await a.line.drop("t", "k")
    assert not await a.line.drop("t", "k")
    assert await a.line.records("t") == ()
    assert await a.line.place("t", "k", b"x") is Placed.NEW


async def a_record_is_taken_over_by_another_node(fleet: Fleet) -> None:
    """The former one can drop it no more, and it does not end with that one."""
    a, b = await fleet.alive("a", "b")
    await a.line.place("t", "k", b"1")
    assert await b.line.place("t", "k", b"2") is Placed.KNOWN
    assert not await a.line.drop("t", "k")
    await a.line.retire()
    assert await b.line.reap("a", 10) == ()
    assert await b.line.records("t") == (Record("t", "k", b"2", "b"),)
    assert await b.line.drop("t", "k")


async def there_are_as_many_records_as_there_may_be(fleet: Fleet) -> None:
    """One more is refused and changes nothing, one that is there is not counted twice, and one that goes makes room."""
    a, b = await fleet.alive("a", "b")
    assert await a.line.place("t", "1", b"x", most=2) is Placed.NEW
    assert await b.line.place("t", "2", b"x", most=2) is Placed.NEW
    assert await a.line.place("t", "3", b"x", most=2) is Placed.FULL
    assert await a.line.place("t", "3", b"x", most=0) is Placed.FULL
    assert await a.line.place("t", "1", b"y", most=2) is Placed.KNOWN
    assert await a.line.place("t", "2", b"y", most=2) is Placed.KNOWN
    assert [(record.key, record.value) for record in await a.line.records("t")] == [("1", b"y"), ("2", b"y")]
    assert not await a.line.drop("t", "3")
    assert await a.line.place("other", "3", b"x", most=2) is Placed.NEW
    assert await a.line.drop("t", "1")
    assert await b.line.place("t", "3", b"x", most=2) is Placed.NEW
    assert await b.line.place("t", "4", b"x") is Placed.NEW


async def there_are_never_more_records_than_there_may_be(fleet: Fleet) -> None:
    """Though three nodes place them at the same time."""
    members = await fleet.alive("a", "b", "c")
    placed = await asyncio.gather(
        *(member.line.place("t", f"{member.node}{number}", b"x", most=7) for number in range(20) for member in members)
    )
    assert Counter(placed) == {Placed.NEW: 7, Placed.FULL: 53}
    assert len(await members[0].line.records("t")) == 7


async def a_key_that_is_placed_by_all_at_once_is_new_once(fleet: Fleet) -> None:
    """And it is somebody's in the end."""
    members = await fleet.alive("a", "b", "c")
    placed = await asyncio.gather(*(member.line.place("t", "k", b"x", most=1) for member in members for _ in range(5)))
    assert Counter(placed) == {Placed.NEW: 1, Placed.KNOWN: 14}
    assert len(await members[0].line.records("t")) == 1
    assert sum([await member.line.drop("t", "k") for member in members]) == 1


async def records_of_dead_nodes_are_not_seen_and_not_counted(fleet: Fleet) -> None:
    """Before anybody takes them away."""
    a, b = await fleet.open("a"), await fleet.open("b")
    await a.line.renew(LONG)
    await b.line.renew(BRIEF)
    assert await b.line.place("t", "1", b"x", most=2) is Placed.NEW
    assert await b.line.place("t", "2", b"x", most=2) is Placed.NEW
    await a.finds_dead("b")
    assert await a.line.records("t") == ()
    assert await a.line.place("t", "3", b"x", most=2) is Placed.NEW
    assert await a.line.place("t", "2", b"y", most=2) is not Placed.FULL
    assert await a.line.place("t", "4", b"x", most=2) is Placed.FULL
    assert [record.key for record in await a.line.records("t")] == ["2", "3"]
    assert [record.key for record in await a.line.reap("b", 10)] == ["1"]


async def records_of_a_dead_node_are_given_to_one_asker_each(fleet: Fleet) -> None:
    """Though three nodes take them at the same time, some at a time. Then the node is forgotten."""
    *members, dead = await fleet.alive("a", "b", "c", "dead")
    for number in range(40):
        await dead.line.place(f"t{number % 3}", str(number), b"%d" % number)
    await members[0].line.place("t0", "mine", b"x")
    await dead.line.retire()

    async def reap(member: Member) -> list[Record]:
        taken: list[Record] = []
        while some := await member.line.reap("dead", 7):
            assert len(some) <= 7
            taken += some
        return taken

    taken = [record for part in await asyncio.gather(*map(reap, members)) for record in part]
    assert sorted(int(record.key) for record in taken) == list(range(40))
    assert {(record.table, record.value, record.node) for record in taken} == {
        (f"t{number % 3}", b"%d" % number, "dead") for number in range(40)
    }
    found = await members[0].line.renew(LONG)
    assert (found.nodes, found.dead) == (frozenset("abc"), frozenset[str]())
    assert [record.key for record in await members[0].line.records("t0")] == ["mine"]


async def a_node_that_lives_has_no_records_to_take(fleet: Fleet) -> None:
    """Neither has one that never was."""
    a, b = await fleet.alive("a", "b")
    await b.line.place("t", "k", b"x")
    assert await a.line.reap("b", 10) == ()
    assert await a.line.reap("never", 10) == ()
    assert (await a.line.renew(LONG)).nodes == frozenset("ab")
    assert await a.line.records("t") == (Record("t", "k", b"x", "b"),)
    assert (await b.line.renew(LONG)).known


async def a_node_that_retires_lives_no_more(fleet: Fleet) -> None:
    """Its records are left for whoever asks first, itself included."""
    a, b = await fleet.alive("a", "b")
    await b.line.place("t", "1", b"x")
    await b.line.place("t", "2", b"x")
    await b.line.retire()
    assert await a.line.records("t") == ()
    found = await a.line.renew(LONG)
    assert (found.nodes, found.dead) == (frozenset("a"), frozenset("b"))
    taken = [*await b.line.reap("b", 1), *await a.line.reap("b", 10)]
    assert sorted(record.key for record in taken) == ["1", "2"]
    assert await b.line.reap("b", 10) == ()
    assert (await a.line.renew(LONG)).dead == frozenset()


async def records_stay_when_a_line_is_closed(fleet: Fleet) -> None:
    """A node that comes back over another line owns them still."""
    a, b = await fleet.alive("a", "b")
    await b.line.place("t", "k", b"x")
    await b.line.close()
    assert await a.line.records("t") == (Record("t", "k", b"x", "b"),)
    back = await fleet.open("b")
    assert (await back.line.renew(LONG)).known
    assert await back.line.drop("t", "k")


async def room_is_counted_exactly_after_everything(fleet: Fleet) -> None:
    """Placing, taking over, dropping, dying and taking away leave no count behind."""
    a, b, c = await fleet.alive("a", "b", "c")
    for round_ in range(3):
        for member in (a, b, c):
            for key in ("1", "2", "3"):
                await member.line.place("t", f"{key}{round_}", b"x")
        await c.line.place("t", f"own{round_}", b"x")
        assert await c.line.drop("t", f"1{round_}")
        assert await a.line.place("t", f"2{round_}", b"x") is Placed.KNOWN
        await c.line.retire()
        async with asyncio.timeout(SOON):
            while await b.line.reap("c", 1):
                pass
        await c.line.renew(LONG)
    left = [record.key for record in await a.line.records("t")]
    assert left == ["20", "21", "22"]
    assert await b.line.place("t", "more", b"x", most=3) is Placed.FULL
    assert await b.line.place("t", "more", b"x", most=4) is Placed.NEW


CHECKS: Final[tuple[Check, ...]] = (
    a_node_learns_who_lives,
    a_node_whose_lease_lapses_is_dead,
    a_node_that_was_late_is_known,
    a_node_that_was_taken_for_dead_is_not_known,
    a_record_is_new_and_then_known,
    records_come_by_key,
    a_record_is_dropped_by_its_node_alone,
    a_record_is_taken_over_by_another_node,
    there_are_as_many_records_as_there_may_be,
    there_are_never_more_records_than_there_may_be,
    a_key_that_is_placed_by_all_at_once_is_new_once,
    records_of_dead_nodes_are_not_seen_and_not_counted,
    records_of_a_dead_node_are_given_to_one_asker_each,
    a_node_that_lives_has_no_records_to_take,
    a_node_that_retires_lives_no_more,
    records_stay_when_a_line_is_closed,
    room_is_counted_exactly_after_everything,
)
