"""Who is in a group on all nodes, and that everybody hears once of who comes and who leaves."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

import pytest

from chat import RoomConnection
from sockspec.runtime import Backplane, ClientOptions, Group, Unavailable
from sockspec.runtime.backplane.line import BackplaneError
from sockspec.runtime.fleet.presence import Member
from sockspec.runtime.fleet.recovery import Recovery
from tests.runtime.chatting import scenario
from tests.runtime.fleet.nodes import PATIENCE, Fleet, Hall, Nickname, Person, fleet, posted
from tests.runtime.fleet.wavering import Wavering

TABLE = "presence group /v1/rooms/{room} lobby"
PLAIN = ClientOptions(resume=False)


async def names(nodes: Fleet, at: int) -> list[str]:
    """Who is in the lobby, as a node knows."""
    members = await nodes.halls[at].group(RoomConnection, "lobby").members(Nickname)
    return sorted(f"{member.info.nickname} is {member.principal}" for member in members)


def told(nodes: Fleet) -> tuple[list[str], list[str]]:
    """Who came and who left, as all nodes were told."""
    came = sorted(name for hall in nodes.halls for name in hall.came)
    return came, sorted(name for hall in nodes.halls for name in hall.went)


@scenario
async def test_who_comes_and_who_leaves_is_told_once_on_all_nodes(backplane: Backplane) -> None:
    async with fleet(backplane, 3, presence_grace=0.05) as nodes:
        ann, bob, cid = [
            await nodes.stack.enter_async_context(nodes.person(name, at=at, options=options))
            for at, (name, options) in enumerate((("ann", ClientOptions()), ("bob", PLAIN), ("cid", ClientOptions())))
        ]
        for one in (ann, bob, cid):
            await one.enter()
        assert [await names(nodes, at) for at in range(3)] == [["ann is ann", "bob is bob", "cid is cid"]] * 3
        connection = nodes.halls[1].here["bob"]
        room = nodes.halls[1].group(RoomConnection, "lobby")
        assert room.member(connection, Nickname) == Member(connection.member_id, "bob", Nickname("bob"))
        await room.join(connection, Nickname("bob"))  # nothing new
        await room.join(connection, Nickname("robert"))  # is no arrival
        assert await names(nodes, 0) == ["ann is ann", "cid is cid", "robert is bob"]
        await room.join(connection)  # nothing is said about them any more
        await ann.until(lambda: "robert offline" in ann.presences)
        assert await names(nodes, 0) == ["ann is ann", "cid is cid"]
        assert connection in room
        await room.join(connection, Nickname("bob"))
        bob.cut()  # it cannot resume: so it has left
        await ann.until(lambda: "bob offline" in ann.presences)
        await cid.client.close()  # at once
        await ann.until(lambda: "cid offline" in ann.presences)
        nodes.hosts[0], host = None, nodes.hosts[0]
        ann.cut()  # after some time
        await nodes.halls[0].until(lambda: "ann" in nodes.halls[0].went)
        assert told(nodes) == (["ann", "bob", "bob", "cid"], ["ann", "bob", "cid", "robert"])
        assert await names(nodes, 2) == []
        nodes.hosts[0] = host
        await ann.until(lambda: ann.recoveries)
        assert told(nodes)[0] == ["ann", "ann", "bob", "bob", "cid"]
        await ann.client.close()
        await bob.client.close()
        await nodes.halls[0].until(lambda: nodes.halls[0].went == ["ann", "ann"])
        assert await nodes.leftovers() == {}
        assert await nodes.records() == {}


@scenario
async def test_a_node_that_dies_is_survived_by_who_tells_of_those_who_do_not_come_back(backplane: Backplane) -> None:
    async with fleet(backplane, 3, lease=0.6, presence_grace=0.3, publish_timeout=1) as nodes:
        staying = await nodes.stack.enter_async_context(nodes.person("staying", at=0))
        moving = await nodes.stack.enter_async_context(nodes.person("moving", at=1))
        gone = [
            await nodes.stack.enter_async_context(nodes.person(f"gone {number}", at=1, options=PLAIN))
            for number in range(4)
        ]
        for one in (staying, moving, *gone):
            await one.enter()
        await moving.until(lambda: len([p for p in moving.presences if p.startswith("gone")]) == 4)
        moving.at = 2
        await nodes.kill(1)
        await staying.say("while it is dead")
        await moving.until(lambda: moving.recoveries)
        wanted = sorted(f"gone {number} offline" for number in range(4))
        await staying.until(lambda: len([p for p in staying.presences if p.endswith("offline")]) >= 4)
        await staying.say("the last")
        await moving.until(lambda: "the last" in moving.heard)
        assert moving.heard == ["while it is dead", "the last"]
        assert sorted(p for p in staying.presences if p.endswith("offline")) == wanted
        assert sorted(p for p in moving.presences if p.endswith("offline")) == wanted
        assert told(nodes)[1] == sorted(f"gone {number}" for number in range(4))
        assert await names(nodes, 0) == ["moving is moving", "staying is staying"]


@scenario
async def test_a_node_that_stops_leaves_its_clients_time_to_come_back_elsewhere(backplane: Backplane) -> None:
    async with fleet(backplane, 2, lease=0.9, presence_grace=0.5) as nodes:
        staying, moving, gone, plain = [
            await nodes.stack.enter_async_context(nodes.person(name, at=at, options=options))
            for name, at, options in (
                ("staying", 0, ClientOptions()),
                ("moving", 1, ClientOptions(backoff_base=0.01, max_retry_after=0.01)),
                ("gone", 1, ClientOptions()),
                ("plain", 1, PLAIN),
            )
        ]
        for one in (staying, moving, gone, plain):
            await one.enter()
        moving.at, host = 0, nodes.hosts[1]
        assert host is not None
        nodes.hosts[1] = None
        await host.__aexit__(None, None, None)
        await moving.until(lambda: moving.recoveries)
        await staying.until(lambda: {"gone offline", "plain offline"} <= set(staying.presences))
        assert told(nodes)[1] == ["gone", "plain"]
        assert "moving offline" not in staying.presences
        assert await names(nodes, 0) == ["moving is moving", "staying is staying"]


@scenario
async def test_what_an_engine_has_forgotten_is_told_again_silently() -> None:
    backplane = Wavering()
    async with fleet(backplane, 2, max_publishing=5) as nodes:
        people: list[Person] = []
        for number in range(8):
            one = await nodes.stack.enter_async_context(nodes.person(f"person {number}", at=number % 2))
            await one.enter()
            people.append(one)
        before = await names(nodes, 0)
        backplane.leave()
        backplane.asked.clear()
        await backplane.come_back(empty=True)
        await nodes.until(lambda: backplane.asked.count("keep") >= 2)
        async with asyncio.timeout(PATIENCE):
            while await names(nodes, 1) != before:
                await asyncio.sleep(0.002)
        people[0].cut(to=1)  # sessions are known again, too
        await people[0].until(lambda: Recovery(resumed=True, recovered=True) in people[0].recoveries)
        assert told(nodes) == ([f"person {number}" for number in range(8)], [])


@scenario
async def test_nobody_leaves_because_the_engine_was_away_for_longer_than_leases_last() -> None:
    backplane = Wavering()
    async with fleet(backplane, 2, lease=0.3, presence_grace=0) as nodes:
        for at, name in enumerate(("ann", "bob")):
            await (await nodes.stack.enter_async_context(nodes.person(name, at=at))).enter()
        backplane.leave()
        ids = [nodes.hub(at).node for at in (0, 1)]
        await nodes.until(lambda: not any(map(backplane.of.lives, ids)))
        backplane.is_away = False
        first, second = (backplane.lines[node] for node in ids)
        first.receiver.restored()
        await nodes.until(lambda: backplane.of.lives(ids[0]))
        assert await names(nodes, 0) == ["ann is ann"]  # of those who can be known to be there
        second.receiver.restored()
        await nodes.until(lambda: all(map(backplane.of.lives, ids)))
        asked = len(backplane.asked)
        await nodes.until(lambda: backplane.asked[asked:].count("renew") > 6)
        assert await names(nodes, 0) == ["ann is ann", "bob is bob"]
        assert told(nodes) == (["ann", "bob"], [])


@scenario
async def test_who_was_taken_for_dead_comes_again() -> None:
    backplane = Wavering()
    async with fleet(backplane, 2, lease=0.3, presence_grace=0) as nodes:
        ann, bob = [
            await nodes.stack.enter_async_context(nodes.person(n, at=at)) for at, n in enumerate(("ann", "bob"))
        ]
        for one in (ann, bob):
            await one.enter()
        (line,) = (line for line in backplane.lines.values() if line.node == nodes.hub(1).node)
        line.receiver.interrupted()  # what a node does that is cut off: nothing
        await ann.until(lambda: "bob offline" in ann.presences)
        line.receiver.restored()
        await ann.until(lambda: ann.presences.count("bob online") == 2)
        assert told(nodes) == (["ann", "bob", "bob"], ["bob"])
        assert await names(nodes, 0) == ["ann is ann", "bob is bob"]


class Grumpy(Hall):
    """Fails whenever it is told of somebody."""

    async def member_joined(self, group: Group[Any], member: Member[Any]) -> None:
        await super().member_joined(group, member)
        raise RuntimeError("who is that?")

    async def member_left(self, group: Group[Any], member: Member[Any]) -> None:
        await super().member_left(group, member)
        raise RuntimeError("good riddance")


@scenario
async def test_a_hook_that_fails_is_logged_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with fleet(Wavering(), 0, lease=0.3) as nodes:
        for _ in range(2):
            await nodes.add(Grumpy())
        ann = await nodes.stack.enter_async_context(nodes.person("ann", at=0))
        bob = await nodes.stack.enter_async_context(nodes.person("bob", at=1, options=PLAIN))
        with caplog.at_level(logging.CRITICAL, logger="sockspec.server"):
            for one in (ann, bob):
                await one.enter()
            await nodes.kill(1)
            await ann.until(lambda: "bob offline" in ann.presences)
            await nodes.halls[0].room(nodes.halls[0].here["ann"]).leave(nodes.halls[0].here["ann"])
        assert told(nodes) == (["ann", "bob"], ["ann", "bob"])
        assert await names(nodes, 0) == []


@scenario
async def test_a_join_that_fails_is_none_and_can_be_tried_again() -> None:
    backplane = Wavering()
    async with fleet(backplane, 1, publish_timeout=0.05, lease=60) as nodes:
        peer = await nodes.peer()
        await peer.begin()
        connection = nodes.halls[0].here["ann"]
        room = nodes.halls[0].room(connection)
        backplane.leave()
        for _ in range(2):
            with pytest.raises(Unavailable) as refused:
                await room.join(connection, Nickname("ann"))
            assert not refused.value.doubtful
        assert (connection in room, connection.groups) == (False, {})
        await backplane.come_back()
        await room.join(connection, Nickname("ann"))
        assert nodes.halls[0].came == ["ann"]
        backplane.leave()
        assert connection in room
        with suppress(Unavailable):
            await room.join(connection, Nickname("anna"))
        assert connection in room
        await room.leave(connection)
        await backplane.come_back()
        await nodes.halls[0].until(lambda: nodes.halls[0].went)
        assert (await room.members(Nickname), connection.groups) == ((), {})
        await room.broadcast(posted("nobody hears it"))
        await peer.end.close()
        assert peer.texts == []
        assert await nodes.leftovers() == {}


@scenario
async def test_who_is_back_before_the_engine_was_told_that_they_left_has_not_left() -> None:
    backplane = Wavering()
    async with fleet(backplane, 1, lease=60) as nodes:
        await nodes.peer()
        peer = await nodes.peer()
        await peer.begin()
        connection = nodes.halls[0].here["ann"]
        room = nodes.halls[0].room(connection)
        await room.join(connection, Nickname("ann"))
        line, failures = backplane.lines[nodes.hub(0).node], [BackplaneError("not now", doubtful=True)]
        drop = line.to.drop

        async def fail_once(table: str, key: str) -> bool:
            if failures:
                raise failures.pop()
            return await drop(table, key)

        line.to.drop = fail_once  # type: ignore[method-assign]  # an engine that fails
        leaving = asyncio.create_task(room.leave(connection))
        await nodes.until(lambda: not failures)
        await room.join(connection, Nickname("ann"))
        await leaving
        assert len(await room.members(Nickname)) == 1
        assert (nodes.halls[0].came, nodes.halls[0].went) == (["ann"], [])


@pytest.mark.parametrize("turns", range(0, 28, 2))
@pytest.mark.parametrize("resumes", [False, True])
@scenario
async def test_who_ends_or_leaves_while_joining_is_not_there_in_the_end(turns: int, resumes: bool) -> None:
    async with fleet(Wavering(), 1, presence_grace=0) as nodes:
        peer = await nodes.peer() if resumes else None
        end = peer.end if peer is not None else await nodes.raw()
        if peer is not None:
            await peer.begin()
        await nodes.until(lambda: "ann" in nodes.halls[0].here)
        connection = nodes.halls[0].here["ann"]
        room = nodes.halls[0].room(connection)
        joining = asyncio.create_task(room.join(connection, Nickname("ann")))
        for _ in range(turns):
            await asyncio.sleep(0)
        if turns % 4:
            await room.leave(connection)
        else:
            end.abort()
        await joining
        assert turns % 4 == 0 or connection not in room
        end.abort()
        await nodes.until(lambda: not nodes.halls[0].here)
        assert await nodes.leftovers() == {}
        assert await room.members(Nickname) == ()
        assert connection not in room
        assert nodes.halls[0].came == nodes.halls[0].went
        assert nodes.halls[0].came in ([], ["ann"])


@scenario
async def test_more_members_of_a_dead_node_than_may_be_published_at_once_are_all_told_of() -> None:
    async with fleet(Wavering(), 2, lease=0.3, max_publishing=120) as nodes:
        hub, room = nodes.hub(1), nodes.halls[0].group(RoomConnection, "lobby")

        async def place(table: str, key: str, value: bytes) -> None:
            await hub.uplink.attempt(lambda line: line.place(table, key, value))

        for number in range(300):
            await place(TABLE, str(number), f'["somebody",{{"nickname":"{number}"}}]'.encode())
        for table in ("presence", "presence group", "presence group /nowhere x", "seats of somebody"):
            await place(table, "key", b"no value")
        await place(TABLE, "broken", b"no value")
        assert len(await room.members(Nickname)) == 300
        await nodes.kill(1)
        await nodes.halls[0].until(lambda: len(nodes.halls[0].went) == 300)
        assert sorted(map(int, nodes.halls[0].went)) == list(range(300))
        assert await room.members(Nickname) == ()
