"""Handlers tried in memory, by the generated client, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from sockspec.runtime import ConnectionLost, Options, ProblemError, State
from sockspec.runtime.testing import Host
from tests.runtime.chatting import Chat, GuardedChat, Posted, RoomClient, scenario

Serve = Callable[..., Host]
URL = "ws://localhost/v1"


@scenario
async def test_messages_and_replies_pass_between_clients_in_memory() -> None:
    server = Chat()
    async with Host(server) as host:
        async with (
            host.connected(RoomClient(room="lobby", url=URL)) as ann,
            host.connected(RoomClient(room="lobby", url=URL)) as bob,
        ):
            await server.until("opened", "opened")
            await ann.send_post(text="hello")
            heard = await anext(aiter(bob))
            assert isinstance(heard, Posted)
            assert heard.text == "hello"
            assert (await bob.get_history(limit=5)).texts == ["hello"]
        await server.until("opened", "opened", "closed", "closed")


@scenario
async def test_problems_and_refusals_are_what_they_are_over_the_network() -> None:
    async with Host(GuardedChat()) as host:
        async with host.connected(RoomClient(room="lobby", url=URL, token="good")) as ann:
            with pytest.raises(ProblemError, match="thirteen is not allowed"):
                await ann.get_history(limit=13)
        with pytest.raises(ConnectionLost) as lost:
            async with host.connected(RoomClient(room="lobby", url=URL, token="other")):
                pass
        assert lost.value.status == 403
        assert lost.value.problem is not None
        assert lost.value.problem.type == "/problems/forbidden"


@scenario
async def test_a_drain_says_goodbye_in_memory_too() -> None:
    async with Host(Chat()) as host, host.connected(RoomClient(room="lobby", url=URL)) as ann:
        told: asyncio.Queue[str] = asyncio.Queue()
        cut_off = asyncio.Event()
        ann.on_problem(lambda problem: told.put_nowait(problem.type))
        ann.on_state(lambda state: cut_off.set() if state is State.WAITING else None)
        await host.dispatcher.drain()
        assert await told.get() == "/problems/service-restart"
        await cut_off.wait()
        assert ann.ending is not None
        assert ann.ending.code == 1012


def test_the_fixture_serves_in_memory(serve_in_memory: Serve) -> None:
    assert isinstance(serve_in_memory(Chat(), options=Options()), Host)
