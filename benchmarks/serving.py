"""How many chat messages servers take in a second of their processor's time: received, decoded, judged, dispatched and answered.

Each server runs in a process and on a core of its own, one after the other in one run, so that the ratios hold on a noisy
machine. The time that counts is the server's own: while it waits for the client, which answers when it has read what came,
a core could serve others. Two loads: one connection with 64 messages in flight, and 100 connections with one.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

CORES = (
    *("websockets", "sockspec", "sockspec-uvloop", "sockspec-picows", "sockspec-picows-uvloop", "sockspec-uvicorn"),
    *("fastapi", "aiohttp", "chanx"),
)
SECONDS = 2.0
_REQUEST = (
    b'{"type":"sendMessage","timestamp":"2025-03-01T09:31:07Z","data":{"text":"Good morning, everybody!",'
    b'"replyTo":"3f0c8a52-6a0e-4d0b-9a56-2f4e7c1b8d90"}}'
)
_WORDS = {"chanx": (b'"action":"sendMessage"', b'"payload":')}
"""What servers with an envelope of their own call the members `type` and `data`."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many connections with so many messages in flight on each."""

    name: str
    connections: int
    in_flight: int


LOADS = (Load("1 connection, 64 in flight", 1, 64), Load("100 connections, 1 in flight", 100, 1))


class _Client(asyncio.Protocol):
    """Sends the same message again for every answer, and counts the answers, which all have the same size."""

    def __init__(self, path: str, in_flight: int, request: bytes) -> None:
        self._path = path
        self._in_flight = in_flight
        self._frame = bytes((0x81, 0xFE)) + len(request).to_bytes(2, "big") + bytes(4) + request
        self._is_open = False
        self._size = self._left = 0
        self._received = bytearray()
        self.answers = 0
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Authorization: Bearer ann\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def start(self) -> None:
        """Begin to send."""
        self._transport.write(self._frame * self._in_flight)

    def data_received(self, data: bytes) -> None:
        if self._size:
            # All answers have the same size: counting them costs next to nothing beside making them.
            found, self._left = divmod(self._left + len(data), self._size)
            self.answers += found
            self._transport.write(self._frame * found)
            return
        self._received += data
        if not self._is_open:
            head, end, rest = bytes(self._received).partition(b"\r\n\r\n")
            if not end:
                return
            assert b" 101 " in head, head
            self._is_open = True
            self._received = bytearray(rest)
            self.opened.set_result(None)
        if len(self._received) >= 4:
            size = self._received[1] & 0x7F
            self._size = 2 + size if size < 126 else 4 + int.from_bytes(self._received[2:4], "big")
            rest, self._received = bytes(self._received), bytearray()
            self.data_received(rest)

    def close(self) -> None:
        """Leave."""
        self._transport.abort()


async def _measure(process: int, port: int, path: str, load: Load, request: bytes) -> float:
    """Answers in a second of the process's time."""
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(load.connections):
        _, client = await loop.create_connection(lambda: _Client(path, load.in_flight, request), "127.0.0.1", port)
        clients.append(client)
        await client.opened
    for client in clients:
        client.start()
    await asyncio.sleep(SECONDS / 4)
    before, start = sum(client.answers for client in clients), spent(process)
    await asyncio.sleep(SECONDS)
    rate = (sum(client.answers for client in clients) - before) / (spent(process) - start)
    for client in clients:
        client.close()
    return rate


def spent(process: int) -> float:
    """The seconds that a process has had a processor for."""
    with open(f"/proc/{process}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def request_of(core: str) -> bytes:
    name, data = _WORDS.get(core, (b'"type":"sendMessage"', b'"data":'))
    return _REQUEST.replace(b'"type":"sendMessage"', name).replace(b'"data":', data)


def measure(core: str, load: Load) -> float:
    """Answers in a second of a server's time, in thousands."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.servers", core],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        port, path = process.stdout.readline().split()
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) > 1:
            os.sched_setaffinity(process.pid, cores[:1])
            os.sched_setaffinity(0, cores[1:])
        try:
            return asyncio.run(_measure(process.pid, int(port), path, load, request_of(core))) / 1000
        finally:
            os.sched_setaffinity(0, cores)
    finally:
        process.kill()
        process.wait()


def run() -> Iterator[str]:
    """A line for each server, with ratios to FastAPI and pydantic."""
    yield f"{'':24}" + "   ".join(load.name for load in LOADS)
    found = {(core, load): measure(core, load) for load in LOADS for core in CORES}
    for core in CORES:
        figures = [f"{found[core, load]:6.1f} ({found[core, load] / found['fastapi', load]:4.1f} x)" for load in LOADS]
        yield f"{core:24}" + "         ".join(figures)


if __name__ == "__main__":
    for line in run():
        print(line)
