"""What a client that was cut off gets when it comes back: everything once, or the truth."""

# What is forgotten in the end is not for anybody to see otherwise.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.asyncio.client import connect

from chat import RoomConnection
from sockspec.runtime import Backplane, Limits
from sockspec.runtime.backplane.line import History
from sockspec.runtime.backplane.memory import MemoryBackplane
from sockspec.runtime.fleet.publication import wire_name
from sockspec.runtime.fleet.recovery import Recovery
from sockspec.runtime.testing import WINDOW
from tests.runtime.chatting import scenario
from tests.runtime.fleet.nodes import PATIENCE, Hall, Nickname, Peer, fleet, posted
from tests.runtime.fleet.wavering import Wavering

WHOLE, LOST, NEW = (
    Recovery(resumed=True, recovered=True),
    Recovery(resumed=True, recovered=False),
    Recovery(resumed=False, recovered=False),
)
WIDE = Limits(messages_per_second=None)


@scenario
async def test_who_comes_back_here_there_and_here_again_gets_what_was_missed_once_and_in_order(
    backplane: Backplane,
) -> None:
    async with fleet(backplane, 3) as nodes, nodes.person("ann") as ann, nodes.person("bob", at=1) as bob:
        await ann.enter()
        await bob.enter()
        said: list[str] = []
        for turn, to in enumerate((0, 1, 2, 2, 0)):
            ann.cut(to=to)
            for number in range(turn):  # in the first turn nothing is missed
                said.append(f"missed {turn} {number}")
                await bob.say(said[-1])
            await ann.is_back(turn + 1)
            assert ann.client.resumed
            said.append(f"heard {turn}")
            await bob.say(said[-1])
            for one in (ann, bob):
                await one.hears(said[-1])
        assert ann.heard == bob.heard == said
        assert ann.recoveries == [WHOLE] * 5
        assert not {"ann offline", "bob offline"} & {*ann.presences, *bob.presences}
        assert ann.presences.count("ann online") == bob.presences.count("bob online") == 1
        members = await nodes.halls[2].group(RoomConnection, "lobby").members(Nickname)
        assert sorted(member.info.nickname for member in members) == ["ann", "bob"]
        for one in (ann, bob):
            await one.client.close()
        assert await nodes.leftovers() == {}
        assert await nodes.records() == {}


@scenario
async def test_one_node_without_a_backplane_resumes_as_well() -> None:
    async with fleet(None, 1) as nodes, nodes.person("ann") as ann, nodes.person("bob") as bob:
        await ann.enter()
        await bob.enter()
        for text in ("one", "two"):
            ann.cut()
            await bob.say(text)
            await ann.hears(text)
            await ann.is_back(len(ann.heard))
        assert (ann.heard, ann.recoveries) == (["one", "two"], [WHOLE, WHOLE])
        assert len(nodes.hub(0)._tasks) == 0, "nothing runs beside"
        for one in (ann, bob):
            await one.client.close()
        assert await nodes.leftovers() == {}
        assert set(nodes.hub(0)._feeds) == {f"node {nodes.hub(0).node}"}


@scenario
async def test_what_is_no_longer_kept_is_said_to_be_lost_and_the_rest_goes_on(backplane: Backplane) -> None:
    async with (
        fleet(backplane, history=History(size=3)) as nodes,
        nodes.person("ann") as ann,
        nodes.person("bob", at=1) as bob,
    ):
        await ann.enter()
        await bob.enter()
        ann.cut(to=0)
        room = nodes.halls[1].group(RoomConnection, "lobby")
        await asyncio.gather(*(room.broadcast(posted(str(number))) for number in range(300)))
        await ann.until(lambda: ann.recoveries)
        await bob.say("after")
        await ann.until(lambda: "after" in ann.heard)
        assert ann.heard[-1] == "after"
        assert ann.recoveries == [LOST] or (ann.recoveries == [WHOLE] and len(ann.heard) == 301)


@scenario
async def test_who_was_cut_off_before_it_heard_of_all_audiences_has_missed_nothing_of_them() -> None:
    async with fleet(MemoryBackplane()) as nodes:
        first = await nodes.peer(0)
        session = await first.begin()
        await first.join()
        await nodes.halls[1].group(RoomConnection, "lobby").broadcast(posted("one"))
        await first.hear("one")
        room = wire_name(nodes.halls[0].group(RoomConnection, "lobby").stream)
        second = await nodes.peer(1)
        await second.end.send(first_message(session, [one for one in first.positions if one["group"] == room]))
        assert (await second.next("sockspec.recovered"))["recovered"] is True
        assert {one["group"] for one in second.positions} == {one["group"] for one in first.positions} - {room}
        third = await nodes.peer(0)
        await third.end.send(first_message(session, [one for one in first.positions if one["group"] != room]))
        assert (await third.next("sockspec.recovered"))["recovered"] is False


@scenario
async def test_a_session_that_is_unknown_or_over_is_followed_by_a_new_one() -> None:
    time = 1000.0
    async with fleet(MemoryBackplane(clock=lambda: time), session_timeout=60, presence_grace=0) as nodes:
        peer = await nodes.peer()
        assert (await peer.resume("no such session"))["resumed"] is False
        assert (await peer.next("sockspec.recovered"))["recovered"] is False
        await peer.join()
        ann = await nodes.stack.enter_async_context(nodes.person("ann", at=0))
        await ann.enter()
        nodes.hosts[0], host = None, nodes.hosts[0]
        ann.cut()
        await nodes.halls[0].until(lambda: nodes.halls[0].went == ["ann"])
        time += 61
        nodes.hosts[0] = host
        await ann.until(lambda: ann.recoveries)
        assert ann.recoveries == [NEW]
        assert not ann.client.resumed
        assert "lobby" not in [group.name for group in nodes.halls[0].here["ann"].groups]


@scenario
async def test_nobody_gets_the_session_of_somebody_else_nor_one_of_another_path(backplane: Backplane) -> None:
    async with fleet(backplane) as nodes:
        ann = await nodes.peer(0)
        session = await ann.begin()
        await ann.join()
        for at in (0, 1):
            for name, room in (("bob", "lobby"), ("ann", "kitchen")):
                thief = await nodes.peer(at, name=name, room=room)
                told = await thief.resume(session, *ann.positions)
                assert (told["resumed"], told["session"] != session) == (False, True)
                assert (await thief.next("sockspec.recovered"))["recovered"] is False
                assert not nodes.halls[at].here[name].groups
        await nodes.halls[1].group(RoomConnection, "lobby").broadcast(posted("still here"))
        await ann.hear("still here")


@scenario
async def test_a_connection_that_is_half_open_ends_when_its_client_has_come_back(backplane: Backplane) -> None:
    async with fleet(backplane) as nodes, nodes.person("bob", at=1) as bob:
        await bob.enter()
        room = nodes.halls[1].group(RoomConnection, "lobby")
        peers = [await nodes.peer(0)]
        session = await peers[0].begin()
        await room_of(nodes.halls[0], "ann").join(nodes.halls[0].here["ann"], Nickname("ann"))
        await bob.until(lambda: "ann online" in bob.presences)
        await peers[0].next("presenceChanged")
        for number, at in enumerate((1, 0, 0, 1)):
            peer = await nodes.peer(at)
            assert (await peer.resume(session, *peers[-1].positions))["resumed"]
            assert (await peer.next("sockspec.recovered"))["recovered"]
            assert (await peers[-1].ended()).code == 1006
            peers.append(Peer(peer.end))
            peers[-1].told = [*peers[-2].told, *peer.told]
            await room.broadcast(posted(f"number {number}"))
            await peers[-1].hear(f"number {number}")
        await bob.until(lambda: len(bob.heard) == 4)
        assert peers[-1].texts == bob.heard == [f"number {number}" for number in range(4)]
        assert bob.presences == ["bob online", "ann online"]
        assert [member.info.nickname for member in await room.members(Nickname)].count("ann") == 1
        await peers[-1].end.close()
        await bob.until(lambda: "ann offline" in bob.presences)
        await bob.client.close()
        assert await nodes.leftovers() == {}
        assert await nodes.records() == {}


@pytest.mark.parametrize("turns", range(24))
@scenario
async def test_a_client_that_is_cut_off_in_the_middle_of_coming_back_loses_nothing(turns: int) -> None:
    async with fleet(Wavering(), presence_grace=0.1) as nodes, nodes.person("bob") as bob:
        await bob.enter()
        first = await nodes.peer(0)
        session = await first.begin()
        await room_of(nodes.halls[0], "ann").join(nodes.halls[0].here["ann"], Nickname("ann"))
        await bob.until(lambda: "ann online" in bob.presences)
        await first.next("presenceChanged")
        await nodes.halls[0].group(RoomConnection, "lobby").broadcast(posted("missed"))
        second, third = await nodes.peer(1), await nodes.peer(1 - turns % 2)
        frame = first_message(session, first.positions)
        await second.end.send(frame)
        for _ in range(turns):
            await asyncio.sleep(0)
        if turns % 2:
            second.end.abort()
        else:  # two come back at once
            await asyncio.sleep(0)
        assert (await third.resume(session, *first.positions))["resumed"]
        assert (await third.next("sockspec.recovered"))["recovered"]
        if turns % 2 == 0:
            await second.ended()
        await bob.say("after")
        await third.hear("after")
        assert third.texts == ["missed", "after"]
        await third.end.close()
        await bob.until(lambda: "ann offline" in bob.presences)
        assert bob.presences == ["bob online", "ann online", "ann offline"]
        await bob.client.close()
        assert await nodes.leftovers() == {}
        assert await nodes.records() == {}


@scenario
async def test_a_node_that_was_not_told_of_a_client_that_moved_on_takes_nothing_from_it() -> None:
    backplane = Wavering()
    async with fleet(backplane, 3, presence_grace=0) as nodes:
        first = await nodes.peer(0)
        session = await first.begin()
        await room_of(nodes.halls[0], "ann").join(nodes.halls[0].here["ann"], Nickname("ann"))
        backplane.lines[nodes.hub(0).node].deaf_to.add(f"node {nodes.hub(0).node}")
        second = await nodes.peer(1)
        await second.resume(session, *first.positions)
        await second.next("sockspec.recovered")
        await nodes.halls[1].group(RoomConnection, "kitchen").join(nodes.halls[1].here["ann"])
        first.end.abort()
        await nodes.until(lambda: not nodes.halls[0].here and len(nodes.hub(0)._tasks) <= 1)
        assert not nodes.halls[0].went
        third = await nodes.peer(2)
        assert (await third.resume(session, *second.positions))["resumed"]
        await third.next("sockspec.recovered")
        assert sorted(group.name for group in nodes.halls[2].here["ann"].groups) == ["kitchen", "lobby"]
        assert len(await nodes.halls[2].group(RoomConnection, "lobby").members(Nickname)) == 1
        await third.end.close()
        await nodes.halls[2].until(lambda: nodes.halls[2].went == ["ann"])


MALFORMED: Any = object()
GROUP = {"group": "abc", "epoch": "abc", "offset": 1}


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        ([{**GROUP, "offset": -1}], MALFORMED),
        ([{**GROUP, "offset": 2**53}], MALFORMED),
        ([{**GROUP, "offset": 10**400}], MALFORMED),
        ([{**GROUP, "offset": 1.5}], MALFORMED),
        ([{**GROUP, "offset": "1"}], MALFORMED),
        ([{**GROUP, "epoch": "e" * 1000}], MALFORMED),
        ([{"group": "abc"}], MALFORMED),
        ("no list", MALFORMED),
        ([GROUP] * 500, True),
        ([], False),
        ("far", False),
        ("another epoch", False),
        ("long ago", True),
    ],
)
@scenario
async def test_positions_that_cannot_be_are_refused_or_count_as_lost(positions: Any, expected: Any) -> None:
    backplane = Wavering()
    async with fleet(backplane) as nodes:
        first = await nodes.peer(0)
        session = await first.begin()
        await first.join()
        for text in ("one", "two"):
            await nodes.halls[1].group(RoomConnection, "lobby").broadcast(posted(text))
            await first.hear(text)
        known = first.positions
        if positions == "far":
            positions = [{**one, "offset": 2**53 - 1} for one in known]
        elif positions == "another epoch":
            positions = [{**one, "epoch": "another"} for one in known]
        elif positions == "long ago":
            positions = [{**one, "offset": 0} for one in known]
        elif expected is True:
            positions = [*positions, *known]
        second = await nodes.peer(1)
        await second.end.send(first_message(session, positions))
        if expected is MALFORMED:
            assert (await second.ended()).code in (1008, 1011)
            assert [one["error"]["status"] for one in second.told] == [400]
            assert not backplane.lines[nodes.hub(1).node].streams - {f"node {nodes.hub(1).node}"}
            return
        assert (await second.next("sockspec.recovered"))["recovered"] is expected
        assert second.texts == (["one", "two"] if known != positions and expected and len(positions) < 10 else [])
        await nodes.halls[0].group(RoomConnection, "lobby").broadcast(posted("three"))
        await second.hear("three")


@scenario
async def test_what_is_no_first_message_of_ours_is_a_message_like_any_other() -> None:
    async with fleet(None, 1) as nodes:
        for first in ("", "{}"):
            peer = await nodes.peer()
            await peer.end.send(first)
            assert (await peer.next("error"))["error"]["status"] == 400
            assert peer.kinds == ["error"]
        peer = await nodes.peer()
        await peer.resume()
        await peer.next("sockspec.joined")
        await peer.end.send('{"type":"sockspec.resume"}')  # there is only one
        assert (await peer.next("error"))["error"]["status"] == 400
        plain = Peer(await nodes.raw())
        await plain.end.send('{"type":"sockspec.resume"}')
        await plain.next("error")
        assert plain.kinds == ["error"]


@scenario
async def test_a_server_that_stops_does_not_wait_for_who_says_nothing() -> None:
    async with fleet(None, 1, open_timeout=60, drain_timeout=60) as nodes:
        silent = await nodes.peer()
        await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE):
            await nodes.all[0].dispatcher.drain()
        assert (await silent.ended()).code == 1012


@scenario
async def test_a_slow_reader_gets_all_that_it_missed_however_little_may_wait_for_it(backplane: Backplane) -> None:
    limits = Limits(max_outbound_messages=4, messages_per_second=None)
    async with fleet(backplane, limits=limits) as nodes:
        first = await nodes.peer(0)
        session = await first.begin()
        await first.join()
        first.end.abort()
        said = [f"{number} {'x' * 1900}" for number in range(150)]
        room = nodes.halls[1].group(RoomConnection, "lobby")
        for text in said:
            await room.broadcast(posted(text))
        second = await nodes.peer(1)
        second.end.pause_reading()
        await second.end.send(first_message(session, first.positions))
        await nodes.until(lambda: second.end.other.buffered > WINDOW)
        assert not nodes.halls[1].here
        await room.broadcast(posted("at the end"))
        second.end.resume_reading()
        await second.hear("at the end")
        assert second.texts == [*said, "at the end"]
        assert await second.next("sockspec.recovered") == {"type": "sockspec.recovered", "recovered": True}


@scenario
async def test_a_client_for_which_messages_were_dropped_is_told_so(backplane: Backplane) -> None:
    limits = Limits(max_outbound_messages=8, messages_per_second=None)
    async with fleet(backplane, limits=limits, slow_consumer="drop-oldest") as nodes, nodes.person("ann") as ann:
        await ann.enter_quietly()
        ann.end.pause_reading()
        room = nodes.halls[1].group(RoomConnection, "lobby")
        for number in range(100):
            await room.broadcast(posted(f"{number} {'x' * 1900}"))
        await nodes.until(lambda: nodes.halls[0].here["ann"].dropped > 0)
        ann.end.resume_reading()
        await room.broadcast(posted("the last"))
        await ann.until(lambda: "the last" in ann.heard)
        assert ann.recoveries == [LOST]
        assert len(ann.heard) < 100
        ann.cut(to=1)
        await ann.until(lambda: len(ann.recoveries) == 2)
        assert ann.recoveries == [LOST, WHOLE]
        # What a client has to know is not dropped.
        peer = await nodes.peer(1, name="bob")
        await peer.begin()
        await peer.join()
        peer.end.pause_reading()
        for number in range(100):
            await room.broadcast(posted(f"{number} {'x' * 1900}"))
        connection = nodes.halls[1].here["bob"]
        await nodes.until(lambda: connection.dropped > 0)
        kitchen = nodes.halls[1].group(RoomConnection, "kitchen")
        await kitchen.join(connection)
        for number in range(20):
            await room.broadcast(posted(f"{number} {'x' * 1900}"))
        await kitchen.broadcast(posted("in the kitchen"))
        peer.end.resume_reading()
        await peer.hear("in the kitchen")
        assert peer.kinds.count("sockspec.joined") == 4


@scenario
async def test_browsers_ask_by_a_subprotocol_and_are_answered_by_it_even_when_they_are_refused() -> None:
    hall = Hall()
    from sockspec.runtime import Options

    options = Options(limits=Limits(max_connections=1, max_sockets=9))
    headers = {"Authorization": "Bearer ann", "Origin": "https://example.org"}
    async with hall.serve(port=0, options=options) as running:
        url = f"{running.url}/v1/rooms/lobby"
        async with connect(url, additional_headers=headers, subprotocols=["sockspec.resume"], proxy=None) as first:  # type: ignore[list-item]  # a new type of text
            assert first.subprotocol == "sockspec.resume"
            await first.send('{"type":"sockspec.resume"}')
            assert '"sockspec.session"' in str(await first.recv())
            async with connect(url, additional_headers=headers, subprotocols=["sockspec.resume"], proxy=None) as other:  # type: ignore[list-item]  # as above
                assert other.subprotocol == "sockspec.resume"
                assert '"error"' in str(await other.recv())


def room_of(hall: Hall, name: str) -> Any:
    """The room of somebody."""
    return hall.room(hall.here[name])


def first_message(session: str, positions: Any) -> str:
    """What a client begins with."""
    import json

    return json.dumps({"type": "sockspec.resume", "session": session, "positions": positions})
