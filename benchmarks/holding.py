"""What many connections cost: memory of idle ones, and a broadcast to 2,000, beside the bare library."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

CORES = ("websockets", "sockspec", "sockspec-picows")
IDLE = 4000
HEARERS = 2000
BROADCASTS = 30


class _Hearer(asyncio.Protocol):
    """A connection that counts the bytes it hears."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._head = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.heard = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Authorization: Bearer ann\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if self.opened.done():
            self.heard += len(data)
            return
        self._head += data
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if end:
            assert b" 101 " in head, head
            self.heard = len(rest)
            self.opened.set_result(None)


async def _open(port: int, path: str, count: int) -> list[_Hearer]:
    loop = asyncio.get_running_loop()
    hearers: list[_Hearer] = []
    for start in range(0, count, 100):
        some = [
            loop.create_connection(lambda: _Hearer(path), "127.0.0.1", port) for _ in range(min(100, count - start))
        ]
        opened = [hearer for _, hearer in await asyncio.gather(*some)]
        await asyncio.gather(*(hearer.opened for hearer in opened))
        hearers += opened
    return hearers


def resident(process: int) -> int:
    with open(f"/proc/{process}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def _memory(process: int, port: int, path: str) -> float:
    """KiB of the server for each idle connection."""
    first = await _open(port, path, 100)
    before = resident(process)
    hearers = await _open(port, path, IDLE)
    await asyncio.sleep(0.5)
    used = (resident(process) - before) / IDLE / 1024
    for hearer in (*first, *hearers):
        hearer.transport.abort()
    return used


async def _broadcast(port: int, path: str) -> float:
    """Thousands of messages a second that arrive in all, of broadcasts one after the other."""
    hearers = await _open(port, path, HEARERS)
    payload = b'{"type":"leave","timestamp":"2025-03-01T09:31:07Z"}'
    frame = bytes((0x81, 0x80 | len(payload))) + bytes(4) + payload
    size = 0
    start = time.perf_counter()
    for number in range(BROADCASTS + 1):
        hearers[0].transport.write(frame)
        while not size or any(hearer.heard < number * size + size for hearer in hearers):
            await asyncio.sleep(0.001)
            size = size or (hearers[-1].heard if number == 0 and all(hearer.heard for hearer in hearers) else 0)
        if number == 0:
            start = time.perf_counter()
    rate = BROADCASTS * HEARERS / (time.perf_counter() - start) / 1000
    for hearer in hearers:
        hearer.transport.abort()
    return rate


def _served(core: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.servers", core], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def run() -> Iterator[str]:
    """A line for each server."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 20_000)), hard))
    yield f"{'':20}KiB for each of {IDLE} idle connections   thousands of messages a second to {HEARERS}"
    for core in CORES:
        process = _served(core)
        assert process.stdout is not None
        try:
            port, path = process.stdout.readline().split()
            memory = asyncio.run(_memory(process.pid, int(port), path))
            rate = asyncio.run(_broadcast(int(port), path))
        finally:
            process.kill()
            process.wait()
        yield f"{core:20}{memory:10.1f}{'':30}{rate:10.1f}"


if __name__ == "__main__":
    for line in run():
        print(line)
