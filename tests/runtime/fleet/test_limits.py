"""Limits that hold on all nodes together, and what becomes of them while the backplane does not answer."""

# What is forgotten in the end is not for anybody to see otherwise.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import time

import pytest

from sockspec.runtime import Backplane, BackplaneError, Limits
from sockspec.runtime.backplane.line import Placed
from sockspec.runtime.fleet.node import Node
from sockspec.runtime.fleet.seats import Seats
from sockspec.runtime.fleet.uplink import Unavailable
from sockspec.runtime.options import Options
from sockspec.runtime.testing import End
from sockspec.runtime.transport import ConnectionClosed
from tests.runtime.chatting import scenario
from tests.runtime.fleet.nodes import PATIENCE, Fleet, Peer, fleet
from tests.runtime.fleet.wavering import Wavering

TABLE = "seats everything a"
THREE = Limits(max_connections_per_principal=3, messages_per_second=None)


async def come(nodes: Fleet, count: int, at: int | None = None, name: str = "a") -> tuple[list[End], int]:
    """Many connections of one principal at once, on one node or on all; those that are welcome, and how many are not."""
    ends = [await nodes.raw(number % 2 if at is None else at, name=name) for number in range(count)]
    welcome: list[End] = []
    for end in ends:
        try:
            await end.send("{}")
            told = await Peer(end).next("error")
        except ConnectionClosed:
            continue
        if told["error"]["type"] != "/problems/reach-maximum-connections":
            welcome.append(end)
    return welcome, count - len(welcome)


@scenario
async def test_a_place_that_is_taken_after_it_was_given_back_is_given_back_again() -> None:
    backplane = Wavering()
    async with fleet(backplane, 1, lease=0.3, publish_timeout=0.2, limits=THREE) as nodes:
        line = backplane.lines[nodes.hub(0).node].to
        place, late = line.place, list[tuple[str, str, bytes]]()

        async def unanswered(table: str, key: str, value: bytes, *, most: int | None = None) -> Placed:
            late.append((table, key, value))
            raise BackplaneError("no answer came", doubtful=True)

        line.place = unanswered  # type: ignore[method-assign]  # an engine that does what it is asked for later
        end = await nodes.raw(name="a")
        line.place = place  # type: ignore[method-assign]
        asked = len(backplane.asked)
        await end.close()
        await nodes.until(lambda: "drop" in backplane.asked[asked:])
        assert await place(*late[0]) in (Placed.NEW, Placed.KNOWN)
        async with asyncio.timeout(PATIENCE):
            while TABLE in await nodes.records(TABLE):
                await asyncio.sleep(0.002)


@scenario
async def test_a_principal_has_so_many_connections_on_all_nodes_together(backplane: Backplane) -> None:
    async with fleet(backplane, 2, lease=0.6, limits=THREE) as nodes:
        welcome, refused = await come(nodes, 10)
        assert (len(welcome), refused) == (3, 7)
        others, refused = await come(nodes, 2, name="b")
        assert (len(others), refused) == (2, 0)
        await welcome[0].close()
        async with asyncio.timeout(PATIENCE):
            while len((await nodes.records(TABLE))[TABLE]) != 2:
                await asyncio.sleep(0.002)
        again, refused = await come(nodes, 4)
        assert (len(again), refused) == (1, 3)
        await nodes.kill(1)
        async with asyncio.timeout(5):
            while len((await nodes.records(TABLE)).get(TABLE, ())) != len(nodes.all[0].dispatcher.node.seats._held) - 1:
                await asyncio.sleep(0.01)
        here = len(nodes.all[0].dispatcher.node.seats._held) - 1  # one of them is the other's
        more, refused = await come(nodes, 4, at=0)
        assert (len(more), refused) == (3 - here, 1 + here)
        for end in (*welcome, *others, *again, *more):
            await end.close()
        nodes.all.pop(1)
        assert await nodes.leftovers() == {}
        assert await nodes.records() == {}


@scenario
async def test_while_the_backplane_does_not_answer_each_node_counts_alone_and_tells_of_it_later() -> None:
    backplane = Wavering()
    async with fleet(backplane, 2, lease=0.3, limits=THREE, publish_timeout=30) as nodes:
        backplane.leave()
        start = time.monotonic()
        welcome, refused = await come(nodes, 10)
        assert (len(welcome), refused) == (6, 4)
        assert time.monotonic() - start < 5, "nobody waits for an engine that is known not to answer"
        await backplane.come_back()
        async with asyncio.timeout(5):
            while len((await nodes.records(TABLE)).get(TABLE, ())) < 6:
                await asyncio.sleep(0.01)
        await welcome[0].close()
        assert (await come(nodes, 2))[1] == 2
        backplane.leave()
        await backplane.come_back(empty=True)
        async with asyncio.timeout(5):
            while len((await nodes.records(TABLE)).get(TABLE, ())) < 5:
                await asyncio.sleep(0.01)


@scenario
async def test_a_handshake_that_is_given_up_gives_its_place_back() -> None:
    backplane = Wavering()
    options = Options(backplane=backplane, lease=60)
    node = Node(options)
    seats = Seats(node.hub)
    held = asyncio.Event()
    assert await seats.claim("scope", "a", 2) is not None
    place = backplane.lines[node.hub.node].to.place

    async def slow(*arguments: object, **options: object) -> object:
        placed = await place(*arguments, **options)  # type: ignore[arg-type]  # passed on as they are
        held.set()
        await asyncio.Event().wait()
        return placed

    backplane.lines[node.hub.node].to.place = slow  # type: ignore[method-assign, assignment]  # an engine that is slow to answer
    claiming = asyncio.create_task(seats.claim("scope", "a", 2))
    await held.wait()
    claiming.cancel()
    await asyncio.wait([claiming])
    backplane.lines[node.hub.node].to.place = place  # type: ignore[method-assign]  # as before
    while node.hub._farewells:
        await asyncio.wait(tuple(node.hub._farewells))
    assert await seats.claim("scope", "a", 2) is not None
    assert await seats.claim("scope", "a", 2) is None
    await node.stop()


@scenario
async def test_a_handshake_that_is_given_up_counts_no_more_on_its_node() -> None:
    async with fleet(Wavering(), 1, limits=THREE) as nodes:
        node = nodes.all[0].dispatcher.node

        async def never(scope: str, principal: str, most: int) -> str:
            raise asyncio.CancelledError

        claim, node.seats.claim = node.seats.claim, never  # type: ignore[method-assign]  # it is cancelled there
        for _ in range(5):
            with pytest.raises(asyncio.CancelledError):
                await nodes.raw(0, name="a")
        node.seats.claim = claim  # type: ignore[method-assign]  # as before
        assert len((await come(nodes, 3, at=0))[0]) == 3


@scenario
async def test_messages_of_a_principal_count_together_on_all_nodes(backplane: Backplane) -> None:
    limits = Limits(messages_per_second=0.01, message_burst=16, max_faults=1000)
    async with fleet(backplane, 2, limits=limits, message_rates="principal") as nodes:
        peers = [Peer(await nodes.raw(number % 2, name="a")) for number in range(4)]
        told: list[int] = []
        for peer in peers:
            for _ in range(8):
                await peer.end.send("{}")
                told.append((await peer.next("error"))["error"]["status"])
        assert (told.count(400), told.count(429)) == (16, 16)
        other = Peer(await nodes.raw(0, name="b"))
        await other.end.send("{}")
        assert (await other.next("error"))["error"]["status"] == 400


@scenario
async def test_rates_are_counted_alone_and_at_once_while_the_backplane_does_not_answer() -> None:
    backplane = Wavering()
    limits = Limits(messages_per_second=0.01, message_burst=4, max_faults=1000)
    async with fleet(backplane, 2, limits=limits, message_rates="principal") as nodes:
        peers = [Peer(await nodes.raw(at, name="a")) for at in range(2)]
        backplane.leave()
        told: list[int] = []
        start = time.monotonic()
        for peer in peers:
            for _ in range(6):
                await peer.end.send("{}")
                told.append((await peer.next("error"))["error"]["status"])
        assert (told.count(400), told.count(429)) == (8, 4)
        assert time.monotonic() - start < 5
        with pytest.raises(Unavailable):
            await nodes.hub(0).uplink.ask(lambda line: line.retire(), 60)
