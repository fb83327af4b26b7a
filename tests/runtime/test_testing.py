"""Handlers tried in memory, by the generated client, without a socket."""

from __future__ import annotations

import asyncio

import pytest

from sockspec.runtime import ClientOptions, ConnectionLost, Handshake, Limits, Options, Principal, ProblemError, State
from sockspec.runtime.backoff import Ending
from sockspec.runtime.testing import End, Host, ServeInMemory
from sockspec.runtime.transport import ConnectionClosed
from tests.runtime.chatting import Chat, GuardedChat, Posted, RoomClient, RoomParameters, scenario

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


async def _dialled(host: Host) -> End:
    end = await host.dial(f"{URL}/rooms/lobby", headers={}, subprotocols=(), options=ClientOptions())
    assert isinstance(end, End)
    return end


@scenario
async def test_a_message_that_is_too_large_ends_the_connection_in_memory_too() -> None:
    async with Host(Chat()) as host:
        end = await _dialled(host)
        await end.send('{"type":"post","text":"' + "x" * 65536 + '"}')
        with pytest.raises(ConnectionClosed) as closed:
            await end.receive()
        assert closed.value.code == 1009


@scenario
async def test_a_client_waits_while_as_many_messages_wait_as_the_limits_allow() -> None:
    server = Chat()
    async with Host(server, options=Options(limits=Limits(max_inbound=2))) as host:
        end = await _dialled(host)
        await end.send('{"type":"post","text":"/hold"}')
        await server.holding.wait()
        sending = asyncio.create_task(_send_posts(end, 5))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not sending.done()
        server.release.set()
        await sending


async def _send_posts(end: End, count: int) -> None:
    for number in range(count):
        await end.send(f'{{"type":"post","text":"{number}"}}')


@scenario
async def test_a_slow_consumer_can_be_tried_in_memory() -> None:
    server = Chat()
    options = Options(limits=Limits(messages_per_second=None), write_timeout=60)
    async with Host(server, options=options) as host, host.connected(RoomClient(room="lobby", url=URL)) as ann:
        slow = await _dialled(host)
        await server.until("opened", "opened")
        slow.pause_reading()
        while len(server.members) == 2:
            await ann.send_post(text="x" * 10_000)
            await asyncio.sleep(0)
        with pytest.raises(ConnectionClosed) as closed:
            await slow.receive()
        assert closed.value.code == 1006
        host.end_of(ann).pause_reading()


@scenario
async def test_a_handshake_that_takes_too_long_is_refused_in_memory_too() -> None:
    class Hanging(GuardedChat):
        async def verify_access_token(self, token: str, handshake: Handshake[RoomParameters]) -> Principal:
            return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async with Host(Hanging(), options=Options(open_timeout=0.05)) as host:
        headers = {"Authorization": "Bearer x"}
        refused = await host.dial(f"{URL}/rooms/lobby", headers=headers, subprotocols=(), options=ClientOptions())
        assert isinstance(refused, Ending)
        assert refused.status == 500


def test_the_fixture_serves_in_memory(serve_in_memory: ServeInMemory) -> None:
    assert isinstance(serve_in_memory(Chat(), options=Options()), Host)
