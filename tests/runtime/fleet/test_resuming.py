"""What a client that was cut off gets when it comes back: everything once, or the truth."""

from __future__ import annotations

from chat import RoomConnection
from sockspec.runtime.backplane.line import History
from sockspec.runtime.backplane.memory import MemoryBackplane
from sockspec.runtime.fleet.recovery import Recovery
from tests.runtime.chatting import scenario
from tests.runtime.fleet.nodes import fleet, posted


@scenario
async def test_who_comes_back_to_another_node_gets_what_was_missed_once_and_in_order() -> None:
    async with fleet(MemoryBackplane()) as nodes, nodes.person("ann") as ann, nodes.person("bob", at=1) as bob:
        await ann.enter()
        await bob.enter()
        await bob.say("one")
        await ann.until(lambda: "one" in ann.heard)
        ann.cut(to=1)
        for text in ("two", "three"):
            await bob.say(text)
        await ann.until(lambda: ann.recoveries)
        await bob.say("four")
        await ann.until(lambda: "four" in ann.heard)
        assert ann.heard == ["one", "two", "three", "four"]
        assert ann.recoveries == [Recovery(resumed=True, recovered=True)]
        assert ann.client.resumed
        assert "ann offline" not in bob.presences


@scenario
async def test_what_is_no_longer_kept_is_said_to_be_lost_and_the_rest_goes_on() -> None:
    backplane = MemoryBackplane()
    async with (
        fleet(backplane, history=History(size=3)) as nodes,
        nodes.person("ann") as ann,
        nodes.person("bob", at=1) as bob,
    ):
        await ann.enter()
        await bob.enter()
        ann.cut(to=0)
        room = nodes.halls[1].group(RoomConnection, "lobby")
        for number in range(300):
            await room.broadcast(posted(str(number)))
        await ann.until(lambda: ann.recoveries)
        await bob.say("after")
        await ann.until(lambda: "after" in ann.heard)
        assert ann.heard[-1] == "after"
        assert ann.recoveries == [Recovery(resumed=True, recovered=False)]
