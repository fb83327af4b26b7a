"""What is broadcast reaches everybody whom it is for once and in order, on whichever node they are."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import Any

import msgspec
import pytest

from chat import RoomConnection, codecs, messages
from sockspec.runtime import Backplane, ClientOptions
from sockspec.runtime.codec import Codec
from sockspec.runtime.fleet.control import is_control
from sockspec.runtime.fleet.publication import everybody_stream, principal_stream
from sockspec.runtime.fleet.recovery import Recovery
from sockspec.runtime.testing import End
from sockspec.runtime.transport import Frame
from tests.runtime.chatting import scenario
from tests.runtime.fleet.nodes import HEADERS, PATIENCE, Fleet, Person, fleet, posted

PATH = "/v1/rooms/{room}"
MESSAGES = 300


class Chatter:
    """Several who speak at once, all the time, on all nodes."""

    def __init__(self, nodes: Fleet) -> None:
        self.nodes = nodes
        self.begun: list[str] = []
        self.safe: list[str] = []

    async def speak(self, at: int, messages: int) -> None:
        """Say so many things, one after the other."""
        room = self.nodes.halls[at].group(RoomConnection, "lobby")
        for number in range(messages):
            text = f"{at} {number}"
            self.begun.append(text)
            await room.broadcast(posted(text))
            self.safe.append(text)
            await asyncio.sleep(0)


def _has_heard(person: Person, chatter: Chatter, count: int) -> bool:
    return len(person.heard) >= count or len(chatter.safe) >= MESSAGES


async def wander(person: Person, chatter: Chatter, chance: random.Random, stays: list[list[str]]) -> None:
    """Join and leave, and be cut off now and then, at any moment; what was heard each time."""
    for _ in range(3):
        before, start = set(chatter.safe), len(person.heard)
        await person.enter_quietly()
        came = set(chatter.begun)
        for _ in range(chance.randrange(3)):
            seen = len(person.heard) + chance.randrange(1, 12)
            await person.until(partial(_has_heard, person, chatter, seen))
            recoveries = len(person.recoveries)
            person.cut(to=chance.randrange(3))
            await person.is_back(recoveries + 1)
        surely = set(chatter.safe) - came
        await person.hears(*surely)
        await person.leave_quietly()
        heard = person.heard[start:]
        if person.is_with_local:  # else what was safe may still be on its way when somebody comes
            assert not set(heard) & before
        stays.append(heard)


@pytest.mark.parametrize("seed", [1, 2])
@scenario
async def test_everybody_hears_exactly_what_is_said_while_they_are_in_the_room(backplane: Backplane, seed: int) -> None:
    chance = random.Random(seed)
    async with fleet(backplane, 3) as nodes, nodes.person("witness") as witness:
        await witness.enter_quietly()
        chatter, stays = Chatter(nodes), dict[str, list[list[str]]]()
        people: list[Person] = []
        for number in range(6):
            people.append(await nodes.stack.enter_async_context(nodes.person(f"person {number}", at=number % 3)))
        walks = (wander(one, chatter, random.Random(chance.random()), stays.setdefault(one.name, [])) for one in people)
        await asyncio.gather(*(chatter.speak(at, MESSAGES // 3) for at in range(3)), *walks)
        await witness.until(lambda: len(witness.heard) >= MESSAGES)
        order = witness.heard
        for speaker in range(3):
            said = [f"{speaker} {number}" for number in range(MESSAGES // 3)]
            assert [text for text in order if text.startswith(f"{speaker} ")] == said
        assert len(order) == MESSAGES
        for name, heard_each_time in stays.items():
            for heard in heard_each_time:
                first = order.index(heard[0]) if heard else 0
                assert heard == order[first : first + len(heard)], name
        assert {recovery for one in people for recovery in one.recoveries} <= {Recovery(resumed=True, recovered=True)}
        for one in people:
            await one.client.close()
        await witness.client.close()
        assert await nodes.leftovers() == {}


@scenario
async def test_who_is_excluded_does_not_get_it_not_even_when_they_come_back(backplane: Backplane) -> None:
    async with fleet(backplane) as nodes, nodes.person("ann") as ann, nodes.person("bob", at=1) as bob:
        await ann.enter()
        await bob.enter()
        await ann.say("to others: one")
        await ann.say("two")
        for one in (ann, bob):
            await one.hears("two")
        room, excluded = nodes.halls[0].group(RoomConnection, "lobby"), nodes.halls[0].here["ann"]
        ann.cut(to=1)
        await room.broadcast(posted("three"), exclude=excluded)
        await room.broadcast(posted("four"))
        await ann.until(lambda: ann.recoveries)
        assert nodes.halls[1].here["ann"].member_id == excluded.member_id != nodes.halls[1].here["ann"].id
        await (
            nodes.halls[0]
            .group(RoomConnection, "lobby")
            .broadcast(posted("five"), exclude=[nodes.halls[1].here["ann"], nodes.halls[1].here["bob"]])
        )
        await bob.say("six")
        for one in (ann, bob):
            await one.hears("six")
        assert ann.heard == ["two", "four", "six"]
        assert bob.heard == ["to others: one", "two", "three", "four", "six"]
        assert ann.recoveries == [Recovery(resumed=True, recovered=True)]


@scenario
async def test_all_connections_of_a_principal_and_all_of_an_endpoint_are_reached_on_all_nodes(
    backplane: Backplane,
) -> None:
    async with fleet(backplane, 3) as nodes:
        at_home, at_work = [await nodes.stack.enter_async_context(nodes.person("ann", at=at)) for at in (0, 2)]
        bob = await nodes.stack.enter_async_context(nodes.person("bob", at=1, room="elsewhere"))
        for at, name in ((0, "ann"), (1, "bob"), (2, "ann")):
            await nodes.subscribed(at, everybody_stream(PATH), principal_stream(PATH, name))
        for number in range(5):
            for at in range(3):
                await nodes.halls[at].principal(RoomConnection, "ann").broadcast(posted(f"ann {at} {number}"))
                await nodes.halls[at].everybody(RoomConnection).broadcast(posted(f"all {at} {number}"))
        await nodes.halls[1].principal(RoomConnection, "nobody").broadcast(posted("to nobody"))
        everything = [f"{to} {at} {number}" for number in range(5) for at in range(3) for to in ("ann", "all")]
        to_all = [text for text in everything if text.startswith("all")]
        for one in (at_home, at_work, bob):
            wanted = to_all if one is bob else everything
            await one.hears_so_many(len(wanted))
            for kind in ("ann", "all"):  # each of these has an order of its own
                assert [t for t in one.heard if t.startswith(kind)] == [t for t in wanted if t.startswith(kind)]
        at_work.cut(to=1)
        await nodes.halls[0].principal(RoomConnection, "ann").broadcast(posted("last to ann"))
        await nodes.halls[0].everybody(RoomConnection).broadcast(posted("last to all"))
        await at_work.until(lambda: at_work.recoveries and len(at_work.heard) >= len(everything) + 2)
        assert sorted(at_work.heard) == sorted([*everything, "last to ann", "last to all"])
        assert at_work.recoveries == [Recovery(resumed=True, recovered=True)]


@scenario
async def test_a_message_is_encoded_once_however_many_nodes_and_connections_it_goes_to(
    backplane: Backplane, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[object] = []
    frame = Codec.frame

    def counted(self: Codec[Any], message: Any, *, check: bool = True) -> Frame:
        if isinstance(message, messages.MessagePosted):
            encoded.append(message)
        return frame(self, message, check=check)

    monkeypatch.setattr(Codec, "frame", counted)
    async with fleet(backplane, 3) as nodes:
        people = [
            await nodes.stack.enter_async_context(nodes.person(f"person {number}", at=number % 3))
            for number in range(6)
        ]
        for one in people:
            await one.enter_quietly()
        await nodes.halls[0].group(RoomConnection, "lobby").broadcast(posted("to all"))
        for one in people:
            await one.hears("to all")
        assert [one.heard for one in people] == [["to all"]] * 6
        assert len(encoded) == 1
        assert [len(hall.group(RoomConnection, "lobby")) for hall in nodes.halls] == [2, 2, 2]


async def until(end: End, wanted: str | bytes) -> list[str | bytes]:
    """The frames up to this one."""
    found: list[str | bytes] = []
    async with asyncio.timeout(PATIENCE):
        while wanted not in found:
            found.append(await end.receive())
    return found


@scenario
async def test_binary_messages_pass_as_they_are(backplane: Backplane) -> None:
    async with fleet(backplane) as nodes:
        plain = await nodes.raw(1)
        stream = everybody_stream(PATH)
        await nodes.subscribed(1, stream)
        for data in (b"", b"\x00\xff{", '{"text":"ä"}'.encode()):
            await nodes.hub(0).publish(stream, Frame(data, is_text=False))
        await nodes.hub(0).publish(stream, Frame(b"\xff no text"))  # is left out
        await nodes.hub(0).publish(stream, Frame(b"the end"))
        assert await until(plain, "the end") == [b"", b"\x00\xff{", '{"text":"ä"}'.encode(), "the end"]


@scenario
async def test_plain_clients_get_the_frames_of_the_document_byte_for_byte(backplane: Backplane) -> None:
    async with fleet(backplane) as nodes:
        plain, resuming = await nodes.raw(1), await nodes.raw(1, **HEADERS)
        await resuming.send('{"type":"sockspec.resume"}')
        async with nodes.person("bob", options=ClientOptions(resume=False)) as bob:
            await nodes.subscribed(1, everybody_stream(PATH))
            await nodes.subscribed(0, everybody_stream(PATH))
            said = [posted(text) for text in ("one", "two", "three")]
            for message in said:
                await nodes.halls[0].everybody(RoomConnection).broadcast(message)
            frames = [codecs.ROOM_FROM_SERVER.encode(message) for message in said]
            assert await until(plain, frames[-1]) == frames
            told = await until(resuming, frames[-1])
            assert [frame for frame in told if not is_control(frame)] == frames
            kinds = [msgspec.json.decode(frame)["type"] for frame in told]
            place = ["sockspec.position", "messagePosted"]
            assert sorted(kinds) == sorted(
                ["sockspec.session", "sockspec.recovered", "sockspec.joined", "sockspec.joined", *(3 * place)]
            )
            assert kinds[-6:] == 3 * place
            await bob.until(lambda: bob.heard == ["one", "two", "three"])
            assert (plain.resumes, resuming.resumes, bob.end.resumes) == (False, True, False)
            bob.cut(to=1)
            await bob.enter()
            assert bob.recoveries == []
