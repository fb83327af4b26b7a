"""What clients cost: messages received, decoded, judged and dispatched; memory of many in one process; a restart."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from websockets.asyncio.client import connect
from websockets.utils import accept_key

from chat import RoomClient, messages
from sockspec.runtime import ClientOptions, State

MESSAGES = 30_000
CLIENTS = 1_000
_POSTED = (
    b'{"type":"messagePosted","timestamp":"2025-03-01T09:31:07Z","data":{"id":"b7d1f0c4-9e35-4c8e-8f43-5d2a60e7c911",'
    b'"room":"lobby","author":"ann","text":"Good morning, everybody!","postedAt":"2025-03-01T09:31:07Z"}}'
)
_FRAME = bytes((0x81, 126)) + len(_POSTED).to_bytes(2, "big") + _POSTED
_BATCH = 200


async def _flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept a connection, send all messages at the first sign, and wait for the end."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
        answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        writer.write(f"{answer}Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n".encode())
        await reader.read(1)
        for _ in range(MESSAGES // _BATCH):
            writer.write(_FRAME * _BATCH)
            await writer.drain()
        while await reader.read(65536):
            pass
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def serve() -> None:
    """Say the port, and serve until the process is killed."""
    server = await asyncio.start_server(_flood, "127.0.0.1", 0, backlog=2 * CLIENTS)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


async def _ours(url: str) -> float:
    async with RoomClient(room="lobby", url=url, token="ann") as client:
        await client.send_leave()
        start, count = time.perf_counter(), 0
        async for message in client:
            assert type(message) is messages.MessagePosted
            count += 1
            if count == MESSAGES:
                break
        return time.perf_counter() - start


async def _bare(url: str) -> float:
    async with connect(url, compression=None, ping_interval=None) as websocket:
        await websocket.send("go")
        start = time.perf_counter()
        for _ in range(MESSAGES):
            await websocket.recv()
        return time.perf_counter() - start


async def _picows(url: str) -> float:
    from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

    done = asyncio.get_running_loop().create_future()

    class Counting(WSListener):
        count = 0

        def on_ws_connected(self, transport: WSTransport) -> None:
            transport.send(WSMsgType.TEXT, b"go")

        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            frame.get_payload_as_ascii_text()
            self.count += 1
            if self.count == MESSAGES:
                done.set_result(None)

    start = time.perf_counter()
    transport, _ = await ws_connect(Counting, url)
    await done
    spent = time.perf_counter() - start
    transport.disconnect()
    return spent


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def _memory_of_ours(url: str) -> float:
    first = RoomClient(room="lobby", url=url, token="ann")
    await first.connect()
    before = _resident()
    clients = [RoomClient(room="lobby", url=url, token="ann") for _ in range(CLIENTS)]
    for client in clients:
        await client.connect()
    used = _resident() - before
    await asyncio.gather(*(client.close() for client in (first, *clients)))
    return used / CLIENTS / 1024


async def _memory_of_bare(url: str) -> float:
    first = await connect(url, compression=None)
    before = _resident()
    clients = [await connect(url, compression=None) for _ in range(CLIENTS)]
    used = _resident() - before
    for client in (first, *clients):
        client.transport.abort()
    return used / CLIENTS / 1024


@dataclass
class _Storm:
    """When clients tried to connect again."""

    tried: list[float] = field(default_factory=list[float])


async def _storm(port: int) -> str:
    """A server goes with 1012 and is back at once: how the clients' attempts are spread over the window."""
    from benchmarks.servers import LIMITS, Chat
    from sockspec.runtime import Options

    logging.getLogger("sockspec").setLevel(logging.ERROR)
    storm, loop = _Storm(), asyncio.get_running_loop()
    options = Options(limits=LIMITS, retry_after=5.0, drain_batch=CLIENTS)
    clients: list[RoomClient] = []
    async with Chat().serve(port=port, options=options) as running:
        port = running.port
        for number in range(CLIENTS):
            client = RoomClient(
                room=f"r{number}", url=f"ws://127.0.0.1:{port}/v1", token="ann", options=ClientOptions()
            )
            await client.connect()
            client.on_state(lambda state: storm.tried.append(loop.time()) if state is State.CONNECTING else None)
            clients.append(client)
    start = loop.time()
    async with Chat().serve(port=port, options=options):
        while any(client.state is not State.OPEN for client in clients):
            await asyncio.sleep(0.05)
        spent = loop.time() - start
        await asyncio.gather(*(client.close() for client in clients))
    tenths = Counter(int((moment - start) / 0.5) for moment in storm.tried)
    busiest = max(tenths.values()) / len(storm.tried)
    return (
        f"{CLIENTS} clients after a restart with retryAfter 5: all back after {spent:.1f} s by {len(storm.tried)} attempts, "
        f"between {min(storm.tried) - start:.1f} and {max(storm.tried) - start:.1f} s; "
        f"{busiest:.0%} of them in the busiest half second (10% would be even)"
    )


def _apart(work: Callable[[str], Awaitable[float]], url: str) -> float:
    """The figure of a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_run, (work.__name__, url))


def _run(name: str, url: str) -> float:
    work: Callable[[str], Awaitable[float]] = globals()[name]

    async def measure() -> float:
        return await work(url)

    return asyncio.run(measure())


def run() -> Iterator[str]:
    """Throughput, memory, and what a restart does."""
    server = subprocess.Popen(
        [sys.executable, "-c", "import asyncio; from benchmarks import receiving; asyncio.run(receiving.serve())"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        url = f"ws://127.0.0.1:{server.stdout.readline().strip()}"
        bare = _apart(_bare, url)
        for name, work in (("websockets, not decoded", _bare), ("picows, not decoded", _picows), ("sockspec", _ours)):
            spent = min(_apart(work, url) for _ in range(2))
            yield f"{name:28}{MESSAGES / spent / 1000:8.1f} thousand messages a second ({bare / spent:4.2f} x websockets)"
        for name, work in (("websockets", _memory_of_bare), ("sockspec", _memory_of_ours)):
            yield f"{name:28}{_apart(work, url):8.1f} KiB for each of {CLIENTS} clients in one process"
    finally:
        server.kill()
        server.wait()
    yield asyncio.run(_storm(0))


if __name__ == "__main__":
    for line in run():
        print(line)
