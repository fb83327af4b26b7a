"""SIGTERM to a server in a process of its own: every client hears about it, and the process ends well."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.runtime import hosts
from tests.runtime.chatting import Chat, raw, scenario, serving, told

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=hosts.ALL, autouse=True)
def way_of_serving(request: pytest.FixtureRequest) -> Generator[str]:
    token = hosts.chosen.set(request.param)
    yield request.param
    hosts.chosen.reset(token)


runners = pytest.mark.parametrize("way_of_serving", ["websockets", "picows", "uvicorn", "fastapi"], indirect=True)
"""The ways that have a runner of ours, which reacts to signals."""


@asynccontextmanager
async def process(drain_timeout: float = 10) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    """A server process, and the URL of its room."""
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.runtime.serve_chat", hosts.chosen.get(), str(drain_timeout)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "generator")},
    )
    assert started.stdout is not None
    try:
        url = (await started.stdout.readline()).decode().strip()
        yield started, f"{url}/v1/rooms/lobby"
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


async def _farewell(websocket: ClientConnection) -> tuple[str, float, int | None, str | None]:
    """The problem, its delay, and the close code and reason that a client is left with."""
    message = await told(websocket)
    with pytest.raises(ConnectionClosed):
        await websocket.recv()
    error = message["error"]
    return error["type"], error["retryAfter"], websocket.close_code, websocket.close_reason


FAREWELL = ("/problems/service-restart", 0.5, 1012, "The service is restarting")


@runners
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@scenario
async def test_each_client_gets_the_message_and_the_close_code_and_the_process_returns(number: signal.Signals) -> None:
    async with process() as (server, url), connect(url, proxy=None) as one, connect(url, proxy=None) as other:
        server.send_signal(number)
        assert [await _farewell(one), await _farewell(other)] == [FAREWELL, FAREWELL]
        assert server.stdout is not None
        assert await server.stdout.readline() == b"returned\n"
        assert await server.wait() == 0


@runners
@scenario
async def test_a_handler_that_takes_too_long_is_cancelled_and_the_process_ends_all_the_same() -> None:
    async with process(drain_timeout=0.1) as (server, url), connect(url, proxy=None) as stuck:
        await stuck.send('{"type":"post","text":"/finish"}')
        assert (await told(stuck))["text"] == "started"
        server.send_signal(signal.SIGTERM)
        server.send_signal(signal.SIGTERM)
        assert await _farewell(stuck) == FAREWELL
        assert await server.wait() == 0


@runners
@pytest.mark.parametrize("text", ["/thread", "/swallow"])
@scenario
async def test_a_handler_that_cannot_be_cancelled_does_not_hold_up_the_process(text: str) -> None:
    """Invariant: the process ends well although a thread sleeps for a minute, or a task ignores that it is cancelled."""
    async with process(drain_timeout=0.1) as (server, url), connect(url, proxy=None) as stuck:
        await stuck.send(json.dumps({"type": "post", "text": text}))
        assert (await told(stuck))["text"] == "started"
        server.send_signal(signal.SIGTERM)
        assert await _farewell(stuck) == FAREWELL
        assert server.stdout is not None
        assert await server.stdout.readline() == b"returned\n"
        assert await server.wait() == 0


@runners
@scenario
async def test_a_client_that_does_not_answer_the_closing_handshake_does_not_hold_up_the_process() -> None:
    async with process() as (server, url):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.split(":")[2].split("/")[0]))
        path = "/" + url.split("/", 3)[3]
        writer.write(
            b"GET " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        server.send_signal(signal.SIGTERM)
        assert await server.wait() == 0
        writer.close()


@scenario
async def test_a_running_handler_finishes_before_its_connection_is_closed() -> None:
    server = Chat()
    async with serving(server, retry_after=0.5) as running, raw(running) as busy, raw(running) as idle:
        await busy.send('{"type":"post","text":"/hold"}')
        await busy.send('{"type":"post","text":"too late"}')
        await server.holding.wait()
        stopping = asyncio.create_task(running.stop())
        assert await _farewell(idle) == FAREWELL
        assert (await told(busy))["error"]["type"] == "/problems/service-restart"
        server.release.set()
        assert (await told(busy))["text"] == "/hold"
        with pytest.raises(ConnectionClosed):
            await busy.recv()
        assert busy.close_code == 1012
        await stopping
    assert server.texts == ["/hold"]
    assert server.events == ["opened", "opened", "closed", "closed"]


@scenario
async def test_while_the_server_drains_newcomers_are_told_to_come_back() -> None:
    server = Chat()
    async with serving(server) as running, raw(running) as busy:
        await busy.send('{"type":"post","text":"/hold"}')
        await server.holding.wait()
        stopping = asyncio.create_task(running.stop())
        await told(busy)
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(
            b"GET " + running.prefix.encode() + b"/v1/rooms/lobby HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        response = await reader.readuntil(b"}")
        assert response.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 1\r\n" in response.lower()
        assert b'"type":"/problems/service-restart"' in response
        writer.close()
        server.release.set()
        await stopping
