"""Rough weather beside a healthy neighbour: whatever bytes come, nothing breaks, and what the neighbour says arrives."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import socket
import zlib
from collections.abc import Generator
from contextlib import suppress
from typing import Final

import pytest

from tests.runtime import hosts
from tests.runtime.chatting import Chat, RoomClient, scenario, serving, texts
from tests.runtime.hosts import Host

SEED: Final = 20_260
FRAMES: Final = 100_000
"""Malformed frames that are sent in all."""
GOOD: Final = b'{"type":"post","text":"weather"}'


@pytest.fixture(params=hosts.STAND_ALONE, autouse=True)
def way_of_serving(request: pytest.FixtureRequest) -> Generator[str]:
    token = hosts.chosen.set(request.param)
    yield request.param
    hosts.chosen.reset(token)


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


def _weather(source: random.Random) -> bytes:
    """Some bytes as no client sends them: JSON and frames that are cut off, changed or nonsense."""
    match source.randrange(6):
        case 0:
            return source.randbytes(source.randint(1, 64))
        case 1:
            return _mutated(source, _frame(GOOD))
        case 2:
            return _frame(source.randbytes(source.randint(0, 200)))
        case 3:
            return _frame(source.randbytes(source.randint(0, 125)), head=source.randrange(256))
        case _:
            return _frame(_mutated(source, GOOD))


async def _open(running: Host) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(
        b"GET /v1/rooms/weather HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def _storm(running: Host, source: random.Random, count: int) -> int:
    """Send so many pieces of weather over as many connections as it takes; says how many those were."""
    connections = 0
    while count > 0:
        connections += 1
        reader, writer = await _open(running)
        reading = asyncio.create_task(reader.read())
        with suppress(ConnectionError):
            while count > 0 and not reading.done():
                count -= 1
                writer.write(_weather(source))
                if count % 5 == 0:
                    await asyncio.sleep(0)
        writer.transport.abort()
        with suppress(ConnectionError):
            await reading
    return connections


@pytest.mark.slow
@scenario
async def test_malformed_frames_by_the_hundred_thousand_disturb_nobody() -> None:
    """Invariant: all the neighbour's messages arrive in order, and nothing is left of the others."""
    server, source = Chat(), random.Random(SEED)
    async with serving(server, max_faults=50) as running:
        async with RoomClient(room="lobby", url=running.url + "/v1") as neighbour:
            storm = asyncio.create_task(_storm(running, source, FRAMES))
            said = 0
            while not storm.done():
                await neighbour.send_post(text=str(said))
                assert await texts(neighbour, 1) == [str(said)]
                said += 1
            assert await storm > 10
            assert said > 10
        while running.dispatcher.turnstile.connections:
            await asyncio.sleep(0)
        assert not server.members


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
                writer.write_eof()
            writer.close()
        async with RoomClient(room="lobby", url=running.url + "/v1") as client:
            await client.send_post(text="still here")
            assert await texts(client, 1) == ["still here"]


@scenario
async def test_slow_handshakes_are_cut_in_time_while_others_are_served() -> None:
    """Invariant: 1,000 that never end are gone after the time for handshakes; another one is not kept waiting."""
    async with serving(open_timeout=1.0) as running:
        slow = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(1000)]
        for one in slow:
            one.send(b"GET /v1/rooms/lobby HTTP/1.1\r\n")
            one.setblocking(False)
        async with RoomClient(room="lobby", url=running.url + "/v1") as client:
            await client.send_post(text="quick")
            assert await texts(client, 1) == ["quick"]
        loop = asyncio.get_running_loop()
        for one in slow:
            with suppress(ConnectionError):
                assert await loop.sock_recv(one, 1) == b""
            one.close()


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


@scenario
async def test_a_compression_bomb_is_not_unpacked() -> None:
    """Invariant: 300 MB that are compressed to some KB take less than 40 MB, since nothing is ever unpacked."""
    packer = zlib.compressobj(wbits=-15)
    bomb = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(300)) + packer.flush(zlib.Z_SYNC_FLUSH)
    head = bytes((0xC1, 0xFF)) + len(bomb).to_bytes(8, "big") + bytes(4)
    async with serving() as running, RoomClient(room="lobby", url=running.url + "/v1") as neighbour:
        gc.collect()
        before = _resident()
        reader, writer = await _open(running)
        with suppress(ConnectionError):
            writer.write(head + bomb)
            await reader.read()
        assert _resident() - before < 40 * 1024 * 1024
        writer.transport.abort()
        await neighbour.send_post(text="still here")
        assert await texts(neighbour, 1) == ["still here"]


def _resident() -> int:
    """Bytes of memory that the process has; the bomb, which is made here, is counted before."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
