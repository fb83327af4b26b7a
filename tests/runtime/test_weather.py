"""Rough weather beside a healthy neighbour: whatever bytes come, nothing breaks, and what the neighbour says arrives."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import sys
import zlib
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from tests.runtime import hosts
from tests.runtime.chatting import Chat, RoomClient, scenario, serving, texts
from tests.runtime.hosts import Host

ROOT: Final = Path(__file__).parents[2]
SEED: Final = 20_260
STORMS: Final = [
    *((way, number, 20_000) for way in hosts.STAND_ALONE for number in range(5)),
    *((way, 0, 2_000) for way in hosts.ASGI),
]
"""Way of serving, number of the storm, and how many malformed frames are sent."""
MOST_MEMORY: Final = 40 * 1024 * 1024
UPGRADE: Final = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
GOOD: Final = b'{"type":"post","text":"weather"}'


@pytest.fixture(params=hosts.ALL, autouse=True)
def way_of_serving(request: pytest.FixtureRequest) -> Generator[str]:
    token = hosts.chosen.set(request.param)
    yield request.param
    hosts.chosen.reset(token)


stand_alone = pytest.mark.parametrize("way_of_serving", hosts.STAND_ALONE, indirect=True)


def _frame(payload: bytes, head: int = 0x81) -> bytes:
    """A masked frame; the mask is of zeros, so that the payload stands in it as it is."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes((head,)) + length + bytes(4) + payload


def _mutated(source: random.Random, text: bytes) -> bytes:
    data = bytearray(text)
    for _ in range(source.randint(1, 4)):
        match source.randrange(4):
            case 0 if data:
                data[source.randrange(len(data))] = source.randrange(256)
            case 1 if data:
                del data[source.randrange(len(data)) :]
            case 2:
                data.insert(source.randint(0, len(data)), source.randrange(256))
            case _:
                data += bytes(source.randbytes(source.randint(0, 8)))
    return bytes(data)


def _bad_message(source: random.Random) -> bytes:
    """A frame that is right, of a message that hardly is; of text that is one, since any other ends the connection."""
    return _frame(bytes(byte & 0x7F for byte in _mutated(source, GOOD)))


def _bad_frame(source: random.Random) -> bytes:
    """Bytes as no client sends them, of which most end the connection."""
    match source.randrange(4):
        case 0:
            return source.randbytes(source.randint(1, 64))
        case 1:
            return _mutated(source, _frame(GOOD))
        case 2:
            return _frame(source.randbytes(source.randint(0, 200)))
        case _:
            return _frame(source.randbytes(source.randint(0, 125)), head=source.randrange(256))


async def _open(port: int, path: str) -> tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which anything can be written, and the head of the answer to its handshake."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(UPGRADE.format(path=path).encode())
    return await reader.readuntil(b"\r\n\r\n"), reader, writer


async def _storm(running: Host, source: random.Random, count: int, thunder: asyncio.Event) -> None:
    """Send so many pieces of weather, a hundred on each connection, of which the last may end it; thunder after each."""
    for _ in range(count // 100):
        _, reader, writer = await _open(running.port, f"{running.prefix}/v1/rooms/weather")
        reading = asyncio.create_task(reader.read())
        with suppress(OSError):
            for _ in range(9):
                writer.write(b"".join(_bad_message(source) for _ in range(11)))
                await asyncio.sleep(0)
            writer.write(_bad_frame(source))
            writer.write_eof()
        with suppress(OSError):
            await reading  # to its end, which comes after all that was sent is taken
        writer.transport.abort()
        thunder.set()


@pytest.mark.slow
@pytest.mark.parametrize(("way_of_serving", "storm", "count"), STORMS, indirect=["way_of_serving"])
@scenario
async def test_malformed_frames_by_the_hundred_thousand_disturb_nobody(
    storm: int, count: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Invariant: all the neighbour's messages arrive in order, nothing is left of the others, and no reader crashed."""
    server, source = Chat(), random.Random(SEED + storm)
    async with serving(server, max_faults=1000, close_timeout=0.1) as running:
        async with RoomClient(room="lobby", url=running.url + "/v1") as neighbour:
            thunder = asyncio.Event()
            storming = asyncio.create_task(_storm(running, source, count, thunder))
            said = 0
            while not storming.done():
                await thunder.wait()
                thunder.clear()
                await neighbour.send_post(text=str(said))
                assert await texts(neighbour, 1) == [str(said)]
                said += 1
            await storming
            assert said > 10
        while running.dispatcher.turnstile.connections:
            await asyncio.sleep(0)
        assert not server.members
    crashes = [record.getMessage() for record in caplog.records if record.name == "asyncio"]
    assert [message for message in crashes if message.startswith("Fatal error")] == []


@scenario
async def test_handshakes_of_any_bytes_are_answered_or_cut_off() -> None:
    """Invariant: the server answers a good handshake after each of them, and keeps no socket."""
    source = random.Random(SEED)
    good = b"GET /v1/rooms/lobby HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    async with serving(open_timeout=0.2) as running:
        for _ in range(500):
            _, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(_mutated(source, good) + b"\r\n\r\n" * source.randrange(2))
            if source.randrange(2):
                with suppress(OSError):  # it is cut off already
                    writer.write_eof()
            writer.close()
        async with RoomClient(room="lobby", url=running.url + "/v1") as client:
            await client.send_post(text="still here")
            assert await texts(client, 1) == ["still here"]


@scenario
async def test_slow_handshakes_are_cut_in_time_while_others_are_served(way_of_serving: str) -> None:
    """Invariant: 1,000 that never end are gone after the time for handshakes; another one is not kept waiting."""
    count = 200 if way_of_serving == "granian" else 1000  # its queue of new connections is short
    async with serving(open_timeout=1.0) as running:
        slow = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(count)]
        for one in slow:
            one.send(b"GET /v1/rooms/lobby HTTP/1.1\r\n")
            one.setblocking(False)
        async with RoomClient(room="lobby", url=running.url + "/v1") as client:
            await client.send_post(text="quick")
            assert await texts(client, 1) == ["quick"]
        loop = asyncio.get_running_loop()
        for one in slow:
            with suppress(ConnectionError):
                while await loop.sock_recv(one, 1000):
                    pass  # some hosts say why
            one.close()


@stand_alone
@scenario
async def test_of_too_many_handshakes_the_oldest_is_cut_off() -> None:
    async with serving(max_handshakes=3) as running:
        connections = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(4)]
        with suppress(ConnectionError):
            assert await connections[0][0].read() == b""
        _, writer = connections[3]
        assert not writer.transport.is_closing()
        for _, writer in connections:
            writer.close()


@asynccontextmanager
async def _process(way: str) -> AsyncGenerator[tuple[int, str]]:
    """A server in a process of its own; its process id and URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.runtime.serve_way", way),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "generator")},
    )
    assert process.stdout is not None
    try:
        yield process.pid, (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


@scenario
async def test_a_compression_bomb_is_not_unpacked(way_of_serving: str) -> None:
    """Invariant: 300 MB that are compressed to some KB take less than 40 MB at any time, though compression is offered."""
    packer = zlib.compressobj(wbits=-15)
    bomb = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(300)) + packer.flush(zlib.Z_SYNC_FLUSH)
    head = bytes((0xC1, 0xFF)) + len(bomb).to_bytes(8, "big") + bytes(4)
    async with _process(way_of_serving) as (process, url):
        parts = urlsplit(url)
        assert parts.port is not None
        async with RoomClient(room="lobby", url=f"{url}/v1") as neighbour:
            answer, reader, writer = await _open(parts.port, f"{parts.path}/v1/rooms/weather")
            before = _memory(process, "VmRSS")
            with suppress(ConnectionError):
                writer.write(head + bomb)
                await reader.read()
            await neighbour.send_post(text="still here")
            assert await texts(neighbour, 1) == ["still here"]
        assert b" 101 " in answer
        assert _memory(process, "VmHWM") - before < MOST_MEMORY
        assert b"permessage-deflate" not in answer
        writer.close()


def _memory(process: int, name: str) -> int:
    """Bytes of memory that a process has (`VmRSS`), or that it ever had (`VmHWM`)."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith(name)).split()[1]) * 1024
