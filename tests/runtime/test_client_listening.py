"""How an application hears of what its client receives: callbacks, waiting for one message, and being too slow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from sockspec.runtime import ConnectionLost, InboxFull
from tests.runtime.chatting import QUICK, Posted, RoomClient, scenario, serving, texts
from tests.runtime.hosts import Host


def room(running: Host) -> RoomClient:
    return RoomClient(room="lobby", url=running.url + "/v1", options=QUICK)


def posted(number: int) -> str:
    return json.dumps({"type": "posted", "room": "lobby", "text": str(number)})


@asynccontextmanager
async def peer(behave: Callable[[ServerConnection], Awaitable[None]]) -> AsyncGenerator[str]:
    async with serve(behave, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@scenario
async def test_one_message_can_be_waited_for_and_everybody_else_gets_it_too() -> None:
    async with serving() as running, room(running) as client:
        heard: list[str] = []
        client.on(Posted, lambda message: heard.append(message.text))
        waiting = asyncio.create_task(client.wait_for(Posted, lambda message: message.text == "b"))
        await asyncio.sleep(0)
        for text in ("a", "b", "c"):
            await client.send_post(text=text)
        assert (await waiting).text == "b"
        assert await texts(client, 3) == ["a", "b", "c"]
        assert heard == ["a", "b", "c"]


@scenario
async def test_waiting_for_a_message_ends_in_time_with_the_predicate_and_with_the_client() -> None:
    async with serving() as running, room(running) as client:
        with pytest.raises(TimeoutError):
            await client.wait_for(Posted, timeout=0.01)
        broken = asyncio.create_task(client.wait_for(Posted, lambda message: 1 / 0))
        waiting = asyncio.create_task(client.wait_for(Posted, lambda message: False))
        await asyncio.sleep(0)
        await client.send_post(text="a")
        with pytest.raises(ZeroDivisionError):
            await broken
        await client.close()
        with pytest.raises(ConnectionLost):
            await waiting
        with pytest.raises(ConnectionLost):
            await client.wait_for(Posted)


@scenario
async def test_a_callback_can_be_for_one_message_and_be_taken_off() -> None:
    async with serving() as running, room(running) as client:
        heard: list[str] = []
        done = asyncio.Event()

        def note(message: Posted) -> None:
            heard.append(f"always {message.text}")

        client.on(Posted, note)
        client.once(Posted, lambda message: heard.append(f"once {message.text}"))
        await client.send_post(text="a")
        await client.send_post(text="b")
        assert await texts(client, 2) == ["a", "b"]
        client.off(Posted, note)
        client.once(Posted, lambda message: done.set())
        await client.send_post(text="c")
        await done.wait()
        assert heard == ["always a", "once a", "always b"]


async def flood(websocket: ServerConnection) -> None:
    await websocket.recv()
    for number in range(2_000):
        await websocket.send(posted(number))


@scenario
async def test_a_slow_application_makes_the_server_wait_and_loses_nothing() -> None:
    options = replace(QUICK, max_inbound=8, overflow="pause")
    async with peer(flood) as url, RoomClient(room="r", url=url, options=options) as client:
        taking = asyncio.create_task(anext(client))
        await client.send_post(text="go")
        found = [await taking, *[message async for message in client]]
    assert [message.text for message in found if isinstance(message, Posted)] == [str(n) for n in range(2_000)]


@scenario
async def test_a_slow_application_that_wants_the_latest_forgets_the_oldest() -> None:
    options = replace(QUICK, max_inbound=8, overflow="drop-oldest")
    async with peer(flood) as url, RoomClient(room="r", url=url, options=options) as client:
        taking = asyncio.create_task(anext(client))
        await client.send_post(text="go")
        await taking
        # All others come while this one is being handled.
        await client.wait_for(Posted, lambda message: message.text == "1999")
        rest = [message async for message in client if isinstance(message, Posted)]
    assert [message.text for message in rest] == [str(number) for number in range(1992, 2_000)]


@scenario
async def test_a_slow_application_can_be_made_to_fail() -> None:
    codes: list[int] = []
    over = asyncio.Event()

    async def notice(websocket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await flood(websocket)
        await websocket.wait_closed()
        codes.append(websocket.close_code or 0)
        over.set()

    options = replace(QUICK, max_inbound=8, overflow="fail")
    async with peer(notice) as url, RoomClient(room="r", url=url, options=options) as client:
        taking = asyncio.create_task(anext(client))
        await client.send_post(text="go")
        await taking
        await over.wait()
        with pytest.raises(InboxFull, match="8 messages wait"):
            async for _ in client:
                pass
    assert codes == [1000]
