"""What a node does while its backplane does not answer, and how nodes begin and end."""

# What is forgotten in the end is not for anybody to see otherwise.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chat import RoomConnection
from sockspec.runtime import Application, Limits, Options, Unavailable
from sockspec.runtime.backplane.line import BackplaneError, Line, Receiver
from sockspec.runtime.fleet.control import GroupPosition
from sockspec.runtime.fleet.recovery import Recovery, Resumption
from sockspec.runtime.serving import pages
from sockspec.runtime.testing import Host
from tests.runtime.chatting import scenario
from tests.runtime.fleet.nodes import PATIENCE, Hall, fleet, posted
from tests.runtime.fleet.wavering import Wavering


@scenario
async def test_sockets_stay_up_and_publishing_is_bounded_and_honest() -> None:
    backplane = Wavering()
    async with fleet(backplane, 2, publish_timeout=0.1, max_publishing=3, lease=60) as nodes:
        ann = await nodes.stack.enter_async_context(nodes.person("ann"))
        bob = await nodes.stack.enter_async_context(nodes.person("bob", at=1))
        for one in (ann, bob):
            await one.enter()
        dispatcher = nodes.all[0].dispatcher
        assert pages.answer(dispatcher, "/readyz").body == b"ready\n"
        backplane.leave()
        ready = pages.answer(dispatcher, "/readyz")
        assert (ready.status, ready.body) == (
            200,
            b"ready\ndegraded: the backplane wavering has not answered for 0 s\n",
        )
        assert pages.answer(dispatcher, "/healthz").body == b"ok\n"
        room = nodes.halls[0].group(RoomConnection, "lobby")
        answers = await asyncio.gather(*(room.broadcast(posted(str(n))) for n in range(5)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [Unavailable] * 5
        assert [answer.doubtful for answer in answers if isinstance(answer, Unavailable)] == [False] * 5
        assert nodes.hub(0).uplink.publishing == 0
        with pytest.raises(Unavailable):
            await room.members(dict)
        problems: list[str] = []
        ann.client.on_problem(lambda problem: problems.append(problem.type))
        await ann.say("nobody hears it")
        while not problems:
            await asyncio.sleep(0.002)
        assert problems == ["/problems/service-unavailable"]
        new = await nodes.peer(0, name="cid")
        told = await new.resume()
        assert not told["resumed"]
        again = await nodes.peer(1, name="bob")
        await again.end.send('{"type":"sockspec.resume","session":"something"}')
        closed = await again.ended()
        assert (closed.code, again.told[-1]["error"]["type"]) == (1013, "/problems/service-unavailable")
        await backplane.come_back()
        assert pages.answer(dispatcher, "/readyz").body == b"ready\n"
        await bob.say("all hear it")
        for one in (ann, bob):
            await one.hears("all hear it")
        assert (ann.heard, bob.heard) == (["all hear it"], ["all hear it"])
        assert (ann.recoveries, bob.recoveries) == ([], [])
        await nodes.halls[1].everybody(RoomConnection).broadcast(posted("also who came meanwhile"))
        await new.hear("also who came meanwhile")
        await nodes.hub(0)._do_chores()
        moved = await nodes.peer(1, name="cid")
        assert (await moved.resume(told["session"], *new.positions))["resumed"], "it is kept now"
        assert (await moved.next("sockspec.recovered"))["recovered"]


@scenario
async def test_what_is_published_while_the_engine_is_away_for_a_moment_is_published_once() -> None:
    backplane = Wavering()
    async with fleet(backplane, 1, lease=60) as nodes, nodes.person("ann") as ann:
        await ann.enter_quietly()
        room = nodes.halls[0].group(RoomConnection, "lobby")
        line = backplane.lines[nodes.hub(0).node]
        publish, answers = line.to.publish, ["lost", "", ""]

        async def unsure(*arguments: Any, **options: Any) -> Any:
            position = await publish(*arguments, **options)
            if answers.pop():
                raise BackplaneError("the answer was lost", doubtful=True)
            return position

        line.to.publish = unsure  # type: ignore[method-assign]  # an engine whose answers get lost
        answers.reverse()
        await room.broadcast(posted("one"))
        await room.broadcast(posted("two"))
        await ann.until(lambda: ann.heard == ["one", "two"])
        answers += ["lost"] * 100
        with pytest.raises(Unavailable) as refused:
            await nodes.hub(0).uplink.publish(room.stream, b"", nodes.options.history, 0.1)
        assert refused.value.doubtful


@scenario
async def test_connections_that_come_and_go_while_the_engine_is_away_leave_nothing() -> None:
    backplane = Wavering()
    async with fleet(backplane, 1, lease=60, publish_timeout=0.05) as nodes:
        backplane.leave()
        before, tasks = set(nodes.hub(0)._feeds), len(asyncio.all_tasks())
        for number in range(50):
            peer = await nodes.peer(0, name=f"person {number}", room=f"room {number}")
            await peer.resume()
            await peer.end.close()
        await nodes.until(lambda: not nodes.halls[0].here and not nodes.hub(0)._farewells)
        await nodes.until(lambda: set(nodes.hub(0)._feeds) == before)
        assert set(nodes.hub(0)._wanted) <= before
        await nodes.until(lambda: len(asyncio.all_tasks()) <= tasks + 1)
        await backplane.come_back()
        await nodes.hub(0)._do_chores()
        assert nodes.all[0].dispatcher.node.seats._owed == {}


@pytest.mark.parametrize("what", ["a place among the connections", "presence"])
@scenario
async def test_what_is_given_up_while_it_is_told_again_is_given_up(what: str) -> None:
    backplane = Wavering()
    most = None if what == "presence" else 3
    async with fleet(backplane, 1, lease=60, limits=Limits(max_connections_per_principal=most)) as nodes:
        async with nodes.person("a") as ann:
            await ann.enter()
            backplane.leave()
            backplane.placing.clear()
            backplane.asked.clear()
            await backplane.come_back(empty=True)
            await nodes.until(lambda: "place" in backplane.asked)
        await nodes.until(lambda: backplane.asked.count("drop") >= (1 if most is None else 2))
        backplane.placing.set()
        await nodes.until(lambda: "placed" in backplane.asked)
        assert await nodes.leftovers() == {}
        async with asyncio.timeout(PATIENCE):
            while await nodes.records():
                await asyncio.sleep(0)


@scenario
async def test_a_node_starts_without_its_engine_and_joins_the_fleet_when_it_can() -> None:
    backplane = Wavering()
    backplane.is_away = True
    async with fleet(backplane, 1, lease=0.3) as nodes, nodes.person("ann") as ann:
        assert nodes.all[0].dispatcher.node.degraded
        await backplane.come_back()
        await ann.enter()
        assert not nodes.all[0].dispatcher.node.degraded
        await ann.say("hello")
        await ann.until(lambda: ann.heard == ["hello"])


class Broken(Wavering):
    """One that is configured wrongly."""

    async def open(self, node: str, receiver: Receiver) -> Line:
        raise ValueError("that is no address")


@scenario
async def test_an_engine_that_cannot_be_is_said_so_again_and_again() -> None:
    host = Host(Hall(), options=Options(backplane=Broken()))
    for _ in range(2):
        with pytest.raises(ValueError, match="that is no address"):
            await host.dispatcher.start()


@scenario
async def test_ways_of_serving_one_server_share_its_node_until_the_last_has_ended() -> None:
    backplane, hall = Wavering(), Hall()
    options = Options(backplane=backplane)
    async with Host(hall, options=options) as one:
        await one.dispatcher.start()
        async with hall.serve(port=0, options=options) as two:
            assert hall.node is one.dispatcher.node is two.dispatcher.node
            with pytest.raises(ValueError, match="cannot be served with another backplane as well"):
                Host(hall)
        assert hall.node is not None
        assert hall.node.is_usable
        await hall.everybody(RoomConnection).broadcast(posted("still"))
    node = hall.node
    assert not node.is_usable
    assert backplane.lines == {}
    with pytest.raises(Unavailable):
        await hall.everybody(RoomConnection).broadcast(posted("it has stopped"))
    async with Host(hall) as three, three.connected(_client()) as client:
        await client.send_leave()
        assert three.dispatcher.node is hall.node is not node
        assert three.dispatcher.node.options.backplane is None


@scenario
async def test_a_server_that_cannot_listen_leaves_the_fleet_again() -> None:
    backplane, hall = Wavering(), Hall()
    async with hall.serve(port=0, options=Options(backplane=backplane)) as running:
        assert len(backplane.lines) == 1
        with pytest.raises(OSError, match="in use"):
            async with Hall().serve(port=running.port, options=Options(backplane=backplane)):
                raise AssertionError("the port is taken")
        assert list(backplane.lines) == [running.dispatcher.node.hub.node]


def _client() -> Any:
    from chat import RoomClient

    return RoomClient(room="lobby", url="ws://127.0.0.1/v1", token="ann")


@scenario
async def test_an_application_that_nothing_was_served_by_yet_holds_no_server_to_its_backplane() -> None:
    hall = Hall()
    idle = Application(hall).asgi()
    options = Options(backplane=Wavering())
    async with Host(hall, options=options) as host:
        await host.dispatcher.start()
        assert hall.node is host.dispatcher.node
        assert host.dispatcher.node.options.backplane is options.backplane
    await idle.drain()


def test_a_server_of_a_module_can_be_served_in_one_loop_after_the_other() -> None:
    hall = Hall()
    application = hall.asgi()

    async def serve(number: int) -> int:
        """As ASGI servers do that know no lifespan: the application is never told that it ends."""
        sent: list[dict[str, Any]] = []
        incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        await incoming.put({"type": "websocket.connect"})

        async def send(event: Any) -> None:
            sent.append(event)

        scope = {
            "type": "websocket",
            "path": "/v1/rooms/lobby",
            "headers": [(b"authorization", b"Bearer ann")],
            "scheme": "wss",
        }
        task = asyncio.create_task(application(scope, incoming.get, send))
        while "ann" not in hall.here:
            await asyncio.sleep(0.001)
        await hall.room(hall.here["ann"]).join(hall.here["ann"])
        await hall.room(hall.here["ann"]).broadcast(posted(str(number)))
        while len(sent) < 2:
            await asyncio.sleep(0.001)
        assert f'"text":"{number}"' in sent[1]["text"]
        await incoming.put({"type": "websocket.disconnect", "code": 1000})
        await task
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return len(asyncio.all_tasks())

    assert [asyncio.run(serve(number)) for number in range(3)] == [1, 1, 1]


def _told(resumption: Resumption, *frames: str) -> list[Recovery]:
    return [told for frame in frames if (told := resumption.take(frame)) is not None]


OPENED = '{"type":"sockspec.session","session":"s","resumed":true}'
ANEW = '{"type":"sockspec.session","session":"t","resumed":false}'
LOST = '{"type":"sockspec.joined","group":"g","epoch":"e","offset":5,"lost":true}'
JOINED = '{"type":"sockspec.joined","group":"g","epoch":"e","offset":5}'
WHOLE = '{"type":"sockspec.recovered","recovered":true}'


@scenario
async def test_a_client_hears_of_a_loss_also_when_it_was_cut_off_again_before_it_was_told() -> None:
    resumption = Resumption()
    resumption.begin()
    assert _told(resumption, ANEW, WHOLE) == []
    resumption.prepared()
    resumption.begin()
    assert _told(resumption, OPENED, LOST) == []  # cut off again
    resumption.begin()
    assert _told(resumption, OPENED, WHOLE) == [Recovery(resumed=True, recovered=False)]
    resumption.begin()
    assert _told(resumption, OPENED, WHOLE) == [Recovery(resumed=True, recovered=True)]
    resumption.begin()
    assert _told(resumption, ANEW) == []  # cut off before anything was joined again
    resumption.begin()
    assert _told(resumption, OPENED) == []
    assert not resumption.resumed, "who prepares connections has to do so"
    assert _told(resumption, WHOLE) == [Recovery(resumed=False, recovered=False)]
    resumption.prepared()
    assert _told(resumption, LOST) == [Recovery(resumed=True, recovered=False)]


@scenario
async def test_a_client_says_no_more_positions_than_servers_take() -> None:
    from sockspec.runtime.fleet.control import from_client

    resumption = Resumption()
    resumption.begin()
    _told(resumption, ANEW)
    for number in range(2000):
        _told(resumption, JOINED.replace('"g"', f'"{number:012}"'))
    frame = resumption.begin()
    assert len(frame) < 64 * 1024
    asked = from_client(frame)
    assert asked is not None
    assert asked.session == "t"
    assert asked.positions == tuple(GroupPosition(f"{number:012}", "e", 5) for number in range(1500, 2000))
