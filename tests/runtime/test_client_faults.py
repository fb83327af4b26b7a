"""A client in bad weather: each fault of the network ends in a state that is documented, within a time that is."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from websockets.asyncio.server import ServerConnection, serve

from sockspec.runtime import ClientOptions, ConnectionLost, Options, State
from tests.runtime.chatting import QUICK, Chat, GetHistory, History, RoomClient, scenario, serving, texts
from tests.runtime.faulty import Faults, faulty

OPTIONS = replace(QUICK, ping_interval=0.2, ping_timeout=0.2, open_timeout=1.0, send_timeout=1.0)
NOTICED = 0.2 + 0.2
"""Within interval and timeout."""


@asynccontextmanager
async def through(faults: Faults) -> AsyncGenerator[tuple[RoomClient, list[State]]]:
    """A client whose connection goes through a faulty network, and the states that it has been in."""
    async with serving() as running, faulty(running.port, faults) as port:
        states: list[State] = []
        client = RoomClient(room="lobby", url=f"ws://127.0.0.1:{port}/v1", options=OPTIONS)
        client.on_state(states.append)
        async with client:
            yield client, states


async def lost(client: RoomClient) -> float:
    """Seconds until the client has noticed that its connection is of no use."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    while client.state is State.OPEN:
        await asyncio.sleep(0.005)
    return loop.time() - start


async def back(client: RoomClient) -> None:
    while client.state is not State.OPEN:
        await asyncio.sleep(0.005)


@scenario
async def test_latency_and_slicing_change_nothing() -> None:
    async with through(Faults(latency=0.002, slice=7)) as (client, states):
        for number in range(5):
            await client.send_post(text=f"{number} \N{GRINNING FACE}")
        assert await texts(client, 5) == [f"{number} \N{GRINNING FACE}" for number in range(5)]
        assert states == [State.CONNECTING, State.OPEN]


@scenario
async def test_a_black_hole_is_noticed_though_nothing_is_sent_and_the_client_comes_back() -> None:
    faults = Faults()
    async with through(faults) as (client, states):
        faults.flowing.clear()
        # Twice the documented time: these machines are busy.
        assert await lost(client) < 2 * NOTICED
        assert client.ending is not None
        assert client.ending.reaction.retriable
        faults.flowing.set()
        await back(client)
        await client.send_post(text="again")
        assert await texts(client, 1) == ["again"]
        assert states[:3] == [State.CONNECTING, State.OPEN, State.WAITING]


@scenario
async def test_a_reset_fails_what_is_under_way_and_the_client_comes_back() -> None:
    faults = Faults(limit=2_000)
    async with through(faults) as (client, _):
        with pytest.raises(ConnectionLost):
            await _ask_for_ever(client)
        faults.limit = None
        await back(client)
        assert (await client.get_history()).texts == []


async def _ask_for_ever(client: RoomClient) -> None:
    while True:
        await client.get_history()


@scenario
async def test_a_server_that_only_ends_its_half_is_lost_at_once() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from websockets.utils import accept_key

        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
        )
        await writer.drain()
        writer.write_eof()  # and goes on reading
        while await reader.read(1024):
            pass
        writer.close()

    async with await asyncio.start_server(half, "127.0.0.1", 0) as listener:
        url = f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        options = replace(OPTIONS, backoff_base=30, backoff_cap=30)
        async with RoomClient(room="r", url=url, options=options) as client:
            assert await lost(client) < NOTICED
            assert client.ending is not None
            assert client.ending.code == 1006


@scenario
async def test_corruption_ends_connections_and_never_yields_a_message_that_was_not_sent() -> None:
    faults = Faults(corruption=0.05, random=random.Random(7))
    async with serving() as running, faulty(running.port, faults) as port:
        async with (
            RoomClient(room="lobby", url=running.url + "/v1", options=OPTIONS) as neighbour,
            RoomClient(room="lobby", url=f"ws://127.0.0.1:{port}/v1", options=OPTIONS) as client,
        ):
            sent = [f"message {number}" for number in range(200)]
            for text in sent:
                with suppress(ConnectionLost, TimeoutError):
                    await client.send_post(text=text)
            faults.corruption = 0.0
            await client.send_post(text="the end")
            await client.get_history()
            found = await asyncio.wait_for(_until_the_end(neighbour), 10)
    # A flipped byte inside a text may go unnoticed by TCP and WebSocket alike; its message is one of those that were sent,
    # but for that byte.
    assert found[-1] == "the end"
    assert [text for text in found[:-1] if not any(_differences(text, one) <= 1 for one in sent)] == []


async def _until_the_end(client: RoomClient) -> list[str]:
    found: list[str] = []
    while not found or found[-1] != "the end":
        found += await texts(client, 1)
    return found


def _differences(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=False)) + abs(len(one) - len(other))


@scenario
async def test_a_handshake_that_is_never_answered_is_given_up_in_time() -> None:
    faults = Faults()
    faults.flowing.clear()
    async with serving() as running, faulty(running.port, faults) as port:
        options = ClientOptions(open_timeout=0.1, connect_timeout=0.3, backoff_base=0.01)
        client = RoomClient(room="r", url=f"ws://127.0.0.1:{port}/v1", options=options)
        with pytest.raises(ConnectionLost) as told:
            await client.connect()
        assert told.value.code == 1006
        assert client.state is State.CLOSED


# --- many at once -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
@scenario
async def test_a_thousand_requests_at_once_get_their_own_replies_in_any_order(seed: int) -> None:
    chance = random.Random(seed)
    never = {f"r{number}" for number in chance.sample(range(1_000), 100)}

    async def shuffled(websocket: ServerConnection) -> None:
        asked = [json.loads(await websocket.recv()) for _ in range(1_000)]
        chance.shuffle(asked)
        for request in asked:
            if request["id"] not in never:
                reply = {"type": "history", "id": request["id"], "texts": [f"for {request['id']}"]}
                await websocket.send(json.dumps(reply))
        await websocket.wait_closed()

    async with serve(shuffled, "127.0.0.1", 0) as listener:
        url = f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        async with RoomClient(room="r", url=url, options=ClientOptions(max_inbound=8)) as client:

            async def ask(id: str) -> History | TimeoutError:
                try:
                    return await client.request(GetHistory(id=id), (History,), timeout=2.0)
                except TimeoutError as late:
                    return late

            ids = [f"r{number}" for number in range(1_000)]
            replies = dict(zip(ids, await asyncio.gather(*map(ask, ids)), strict=True))
            assert {id for id, reply in replies.items() if isinstance(reply, TimeoutError)} == never
            assert {id: reply for id, reply in replies.items() if id not in never} == {
                id: History(id=id, texts=[f"for {id}"]) for id in ids if id not in never
            }
            assert len(client._requests) == 0  # pyright: ignore[reportPrivateUsage]


@scenario
async def test_a_request_that_is_cancelled_leaves_nothing_behind() -> None:
    server = Chat()
    async with serving(server) as running, RoomClient(room="r", url=running.url + "/v1", options=QUICK) as client:
        await client.send_post(text="/hold")
        await server.holding.wait()
        asking = [asyncio.create_task(client.get_history(id=f"r{number}")) for number in range(5)]
        await asyncio.sleep(0.01)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        assert len(client._requests) == 0  # pyright: ignore[reportPrivateUsage]
        server.release.set()
        assert (await client.get_history(id="last")).id == "last"


@scenario
async def test_two_hundred_clients_are_all_back_after_a_restart_with_what_they_had_queued() -> None:
    count = 200
    options = replace(QUICK, offline="queue", backoff_base=0.2, backoff_cap=0.5)
    limits = {"max_connections_per_address": None, "connections_per_second": None}
    server = Chat()
    async with serving(server, **limits) as running:
        port = running.port
        clients = [RoomClient(room=f"r{n}", url=f"ws://127.0.0.1:{port}/v1", options=options) for n in range(count)]
        await asyncio.gather(*(client.connect() for client in clients))
    for number, client in enumerate(clients):
        await client.send_post(text=f"from {number}")
    again = Chat()
    async with again.serve(port=port, options=Options(limits=None)):
        got = await asyncio.gather(*(texts(client, 1) for client in clients))
        assert got == [[f"from {number}"] for number in range(count)]
        await asyncio.gather(*(client.close() for client in clients))
    assert sorted(again.texts) == sorted(f"from {number}" for number in range(count))
