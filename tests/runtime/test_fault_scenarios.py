"""Faults of networks and peers, on every way of serving: who is dead is gone in time, and who lives loses nothing."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Generator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.runtime import hosts
from tests.runtime.chatting import Chat, RoomClient, raw, scenario, serving, texts, told
from tests.runtime.faulty import Faults, faulty, reset

PATH = "/v1/rooms/lobby"
QUICK = {"ping_interval": 0.3, "ping_timeout": 0.3, "close_timeout": 0.2, "write_timeout": 0.3}


@pytest.fixture(params=hosts.ALL, autouse=True)
def way_of_serving(request: pytest.FixtureRequest) -> Generator[str]:
    token = hosts.chosen.set(request.param)
    yield request.param
    hosts.chosen.reset(token)


finds_the_dead = pytest.mark.parametrize("way_of_serving", [*hosts.STAND_ALONE, *hosts.BELOW_UVICORN], indirect=True)
"""The ways that ping and give up; `docs/serving.md` says what the others do."""


@finds_the_dead
@scenario
async def test_a_black_hole_is_noticed() -> None:
    """Invariant: gone within interval and timeout, although no packet says so, and the neighbour stays."""
    server, faults = Chat(), Faults()
    async with serving(server, **QUICK) as running, raw(running) as neighbour:
        async with faulty(running.port, faults) as port:
            async with connect(f"ws://127.0.0.1:{port}{running.prefix}{PATH}", proxy=None) as lost:
                await lost.send('{"type":"post","text":"one"}')
                assert (await told(neighbour))["text"] == "one"
                faults.flowing.clear()
                await server.until("opened", "opened", "closed")
                lost.transport.abort()
        await neighbour.send('{"type":"post","text":"two"}')
        assert (await told(neighbour))["text"] == "two"


@finds_the_dead
@scenario
async def test_a_stopped_process_is_noticed() -> None:
    """Invariant: gone within interval and timeout, although its system still takes all that is sent."""
    server = Chat()
    code = "import sys, websockets.sync.client as c; w = c.connect(sys.argv[1], proxy=None); print('in', flush=True); w.recv()"
    async with serving(server, **QUICK) as running:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code, running.url + PATH), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"in\n"
        process.send_signal(signal.SIGSTOP)
        await server.until("opened", "closed")
        process.kill()
        await process.wait()


@scenario
async def test_bytes_that_come_one_by_one_and_late_make_the_same_messages() -> None:
    """Invariant: exactly what was sent, in order."""
    faults = Faults(slice=1)
    async with serving(Chat()) as running, faulty(running.port, faults) as port:
        url = f"ws://127.0.0.1:{port}{running.prefix}/v1"
        async with RoomClient(room="lobby", url=url) as client:
            faults.slice, faults.latency = 3, 0.0005
            sent = [f"{number} äöü " + "x" * number for number in range(20)]
            for text in sent:
                await client.send_post(text=text)
            assert await texts(client, 20) == sent


@scenario
async def test_corrupted_bytes_end_at_most_the_connection_they_came_on() -> None:
    """Invariant: the neighbour hears itself, in order; nothing is left of the others."""
    server, faults = Chat(), Faults(corruption=0.3)
    async with serving(server) as running, raw(running, "/v1/rooms/neighbour") as neighbour:
        async with faulty(running.port, faults) as port:
            for number in range(30):
                url = f"ws://127.0.0.1:{port}{running.prefix}{PATH}"
                try:
                    async with connect(url, proxy=None, close_timeout=0.1) as websocket:
                        for _ in range(10):
                            await websocket.send('{"type":"post","text":"noise"}')
                except ConnectionClosed:
                    pass
                await neighbour.send(json.dumps({"type": "post", "text": str(number)}))
                assert (await told(neighbour))["text"] == str(number)
        while running.dispatcher.turnstile.connections > 1:
            await asyncio.sleep(0)


@scenario
async def test_connections_that_break_off_in_the_middle_of_everything_leave_nothing_behind() -> None:
    """Invariant: as many ends as beginnings, and counters back at zero."""
    server = Chat()
    async with serving(server) as running:
        for limit in range(0, 1200, 40):
            async with faulty(running.port, Faults(limit=limit, slice=16)) as port:
                try:
                    async with connect(f"ws://127.0.0.1:{port}{running.prefix}{PATH}", proxy=None) as websocket:
                        for number in range(10):
                            await websocket.send(json.dumps({"type": "post", "text": f"{number}" * 50}))
                            await websocket.recv()
                except (OSError, EOFError, ConnectionClosed, InvalidHandshake):
                    pass
        while running.dispatcher.turnstile.connections:
            await asyncio.sleep(0)
        while server.members:
            await asyncio.sleep(0)
        assert server.events.count("opened") == server.events.count("closed") > 0


@scenario
async def test_churn_leaves_nothing_behind() -> None:
    """Invariant: after 100 clients that come and are reset at once, all is as before."""
    server = Chat()
    async with serving(server) as running:
        request = (
            f"GET {running.prefix}{PATH} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        for number in range(100):
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(request.encode())
            if number % 3:
                await reader.readuntil(b"\r\n\r\n")
            reset(writer)
        async with raw(running) as websocket:
            await websocket.send('{"type":"getHistory","id":"1"}')
            assert (await told(websocket))["type"] == "history"
        while running.dispatcher.turnstile.connections or server.members:
            await asyncio.sleep(0)
