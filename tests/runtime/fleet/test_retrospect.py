"""What was sent before can be asked for, on any node."""

from __future__ import annotations

from typing import Any

from chat import RoomConnection, messages
from sockspec.runtime import Backplane, ClientOptions, History, Principal, SignedTickets
from sockspec.runtime.backoff import Ending
from tests.runtime.chatting import scenario
from tests.runtime.fleet.nodes import Hall, fleet, posted


async def said(hall: Hall, most: int = 50) -> list[str]:
    kept = await hall.group(RoomConnection, "lobby").history(most)
    return [one.data.text for one in kept if isinstance(one, messages.MessagePosted)]


@scenario
async def test_the_latest_messages_are_there_for_who_was_not(backplane: Backplane) -> None:
    history = History(size=200)
    async with fleet(backplane, 2, history=history) as nodes, nodes.person("ann") as ann:
        first, second = nodes.halls
        assert await said(second) == []
        room = first.group(RoomConnection, "lobby")
        for number in range(300):
            await room.broadcast(posted(str(number)))
        await first.group(RoomConnection, "another").broadcast(posted("elsewhere"))
        assert await said(second, 3) == ["297", "298", "299"]
        assert await said(second, 1000) == [str(number) for number in range(100, 300)]
        await ann.enter()
        await ann.say("to others")  # which is not for everybody
        await ann.say("to all")
        await ann.until(lambda: "to all" in ann.heard)
        assert await said(first, 2) == ["to all"]
        everybody = second.everybody(RoomConnection)
        await everybody.broadcast(posted("hear, hear"))
        assert [type(one) for one in await first.everybody(RoomConnection).history()] == [messages.MessagePosted]


@scenario
async def test_a_signed_ticket_opens_one_connection_in_the_whole_fleet(backplane: Backplane) -> None:
    tickets = SignedTickets("a secret of many letters")
    async with fleet(backplane, 2, tickets=tickets) as nodes:
        ticket = tickets.issue(Principal(id="ann"))

        async def opened(at: int, query: str) -> Any:
            host = nodes.hosts[at]
            assert host is not None
            path = f"ws://127.0.0.1/v1/rooms/lobby?ticket={query}"
            return await host.dial(path, headers={}, subprotocols=(), options=ClientOptions())

        first = await opened(0, ticket)
        assert not isinstance(first, Ending)
        for at in (0, 1):
            again = await opened(at, ticket)
            assert isinstance(again, Ending)
            assert again.status == 401
        await nodes.until(lambda: nodes.halls[0].here.keys() == {"ann"})
