"""Values that are kept for a time, and rates."""

from __future__ import annotations

import asyncio
from typing import Final

from sockspec.runtime.backplane.conformance.fleet import BRIEF, LONG, SOON, Check, Fleet


async def values_are_kept_and_found_by_all_nodes(fleet: Fleet) -> None:
    """Several at once, any bytes; the latest value counts."""
    a, b = await fleet.open("a"), await fleet.open("b")
    await a.line.keep({"1": b"\0\xff", "2": b"", "3": b"x" * 65536}, LONG)
    assert [await b.line.kept(key) for key in "123"] == [b"\0\xff", b"", b"x" * 65536]
    await b.line.keep({"1": b"other"}, LONG)
    await b.line.keep({}, LONG)
    assert await a.line.kept("1") == b"other"
    assert await a.line.kept("never") is None


async def values_are_kept_for_so_long_from_the_last_time(fleet: Fleet) -> None:
    """Each by itself: one that is kept anew stays when the others have gone."""
    a = await fleet.open()
    await a.line.keep({"1": b"x", "2": b"x", "3": b"x"}, BRIEF)
    await a.line.keep({"2": b"y"}, LONG)
    async with asyncio.timeout(SOON):
        while await a.line.kept("1") is not None or await a.line.kept("3") is not None:
            await asyncio.sleep(0.02)
    assert await a.line.kept("2") == b"y"
    await a.line.keep({"1": b"again"}, LONG)
    assert await a.line.kept("1") == b"again"


async def a_value_that_is_discarded_is_gone(fleet: Fleet) -> None:
    """For all nodes; discarding what is not there does nothing."""
    a, b = await fleet.open("a"), await fleet.open("b")
    await a.line.keep({"1": b"x", "2": b"x"}, LONG)
    await b.line.discard("1")
    await b.line.discard("1")
    await b.line.discard("never")
    assert (await a.line.kept("1"), await a.line.kept("2")) == (None, b"x")


async def many_values_are_kept_at_once(fleet: Fleet) -> None:
    """As a node does for all of its sessions."""
    a = await fleet.open()
    await a.line.keep({str(number): b"%d" % number for number in range(1500)}, LONG)
    assert [await a.line.kept(key) for key in ("0", "750", "1499")] == [b"0", b"750", b"1499"]


async def a_bucket_gives_what_it_holds(fleet: Fleet) -> None:
    """Then it says how long it takes to fill, and nothing is taken meanwhile."""
    a, b = await fleet.open("a"), await fleet.open("b")
    assert await a.line.take("x", 3, rate=0.01, burst=5) == 0
    assert await b.line.take("x", 2, rate=0.01, burst=5) == 0
    for amount in (1, 3):
        wait = await a.line.take("x", amount, rate=0.01, burst=5)
        assert amount * 100 - 20 < wait <= amount * 100
    assert await a.line.take("y", 5, rate=0.01, burst=5) == 0


async def a_bucket_refuses_what_it_does_not_hold_and_gives_less(fleet: Fleet) -> None:
    """What was refused took nothing."""
    a = await fleet.open()
    assert await a.line.take("x", 3, rate=0.01, burst=5) == 0
    assert await a.line.take("x", 3, rate=0.01, burst=5) > 0
    assert await a.line.take("x", 2, rate=0.01, burst=5) == 0
    assert await a.line.take("x", 1, rate=0.01, burst=5) > 0


async def a_bucket_fills(fleet: Fleet) -> None:
    """After the time that it told, and not before; never above what it holds."""
    a = await fleet.open()
    assert await a.line.take("x", 2, rate=4.0, burst=2) == 0
    wait = await a.line.take("x", 1, rate=4.0, burst=2)
    assert 0 < wait <= 0.25
    async with asyncio.timeout(SOON):
        while left := await a.line.take("x", 2, rate=4.0, burst=2):
            assert 0 < left <= 0.5
            await asyncio.sleep(left)
    assert await a.line.take("x", 2, rate=4.0, burst=2) > 0


async def a_bucket_gives_no_more_though_many_take_at_once(fleet: Fleet) -> None:
    """Three nodes, one bucket."""
    members = [await fleet.open(node) for node in "abc"]
    waits = await asyncio.gather(
        *(member.line.take("x", 1, rate=0.001, burst=10) for _ in range(10) for member in members)
    )
    assert sum(wait == 0 for wait in waits) == 10


CHECKS: Final[tuple[Check, ...]] = (
    values_are_kept_and_found_by_all_nodes,
    values_are_kept_for_so_long_from_the_last_time,
    a_value_that_is_discarded_is_gone,
    many_values_are_kept_at_once,
    a_bucket_gives_what_it_holds,
    a_bucket_refuses_what_it_does_not_hold_and_gives_less,
    a_bucket_fills,
    a_bucket_gives_no_more_though_many_take_at_once,
)
