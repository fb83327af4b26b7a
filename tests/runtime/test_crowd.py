"""Ten thousand idle connections on one core: opened, pinged, told goodbye and closed, each of them."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
CROWD: Final = 10_000
TOGETHER: Final = 200
"""How many connect at a time."""
REQUEST: Final = (
    b"GET /v1/rooms/lobby HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
PING, CLOSE, TEXT = 0x89, 0x88, 0x81


class Guest(asyncio.Protocol):
    """Answers pings and the closing handshake, and remembers what it was told."""

    def __init__(self) -> None:
        self._received = bytearray()
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.pinged: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[tuple[str, int]] = loop.create_future()
        self._told = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self.opened.done():
            head, end, rest = bytes(self._received).partition(b"\r\n\r\n")
            if not end:
                return
            assert b" 101 " in head, head
            self._received = bytearray(rest)
            self.opened.set_result(None)
        while len(self._received) >= 2:
            size, start = self._received[1], 2
            if size == 126:
                size, start = int.from_bytes(self._received[2:4], "big"), 4
            if len(self._received) < start + size:
                return
            self._take(self._received[0], bytes(self._received[start : start + size]))
            del self._received[: start + size]

    def _take(self, head: int, payload: bytes) -> None:
        if head == PING:
            self._transport.write(bytes((0x8A, 0x80 | len(payload))) + bytes(4) + payload)
            if not self.pinged.done():
                self.pinged.set_result(None)
        elif head == TEXT:
            self._told = json.loads(payload)["error"]["type"]
        elif head == CLOSE:
            self._transport.write(bytes((CLOSE, 0x80 | 2)) + bytes(4) + payload[:2])
            self.ended.set_result((self._told, int.from_bytes(payload[:2], "big")))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result((self._told, 1006))


async def crowd(count: int) -> tuple[Counter[tuple[str, int]], int | None]:
    """How the connections of a crowd ended, and the exit code of the server."""
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.runtime.serve_crowd"),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "generator")},
    )
    assert server.stdout is not None
    try:
        port = int(await server.stdout.readline())
        loop = asyncio.get_running_loop()
        guests: list[Guest] = []
        for _ in range(0, count, TOGETHER):
            connecting = [loop.create_connection(Guest, "127.0.0.1", port) for _ in range(TOGETHER)]
            some = [guest for _, guest in await asyncio.gather(*connecting)]
            await asyncio.gather(*(guest.opened for guest in some))
            guests += some
        await asyncio.gather(*(guest.pinged for guest in guests))
        server.send_signal(signal.SIGTERM)
        endings = Counter(await asyncio.gather(*(guest.ended for guest in guests)))
        return endings, await server.wait()
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()


@pytest.mark.slow
def test_ten_thousand_idle_connections_are_held_and_closed_cleanly() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Where fewer files may be open, as many connections as there can be.
    wanted = min(CROWD, (hard if hard != resource.RLIM_INFINITY else 2 * CROWD) - 500) // TOGETHER * TOGETHER
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted + 500), hard))
    try:
        endings, code = asyncio.run(asyncio.wait_for(crowd(wanted), timeout=120))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    print(f"{wanted} idle connections")
    assert endings == {("/problems/service-restart", 1012): wanted}
    assert code == 0
