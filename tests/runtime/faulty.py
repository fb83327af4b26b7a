"""A TCP proxy that does to a connection what networks do: it delays, cuts up, corrupts, swallows and resets."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Faults:
    """What the proxy does; it can be changed while connections are open."""

    latency: float = 0.0
    """Seconds before each piece goes on."""
    slice: int = 65536
    """How many bytes go on at a time."""
    corruption: float = 0.0
    """The share of pieces from the client of which a byte is changed."""
    limit: int | None = None
    """How many bytes from the client go on before the connection is reset."""
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared, everything is swallowed, and nobody is told."""
    port: int | None = None
    """Where new connections lead, in place of where the proxy did at first."""
    random: random.Random = field(default_factory=lambda: random.Random(20_261))

    def __post_init__(self) -> None:
        self.flowing.set()


@asynccontextmanager
async def faulty(port: int, faults: Faults) -> AsyncGenerator[int]:
    """A proxy in front of a port of this machine; gives its own port."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", faults.port or port)
        except OSError:
            writer.transport.abort()
            tasks.discard(task)
            return
        try:
            with suppress(ConnectionError, asyncio.CancelledError):
                async with asyncio.TaskGroup() as group:
                    group.create_task(_pass_on(reader, there_writer, faults, from_client=True))
                    group.create_task(_pass_on(there_reader, writer, faults, from_client=False))
        finally:
            for one in (writer, there_writer):
                one.transport.abort()

    proxy = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield proxy.sockets[0].getsockname()[1]
    finally:
        proxy.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, faults: Faults, *, from_client: bool
) -> None:
    passed = 0
    while data := await reader.read(faults.slice):
        if not faults.flowing.is_set():
            continue
        if faults.latency:
            await asyncio.sleep(faults.latency)
        # The handshake is left as it is: what is under trial comes after it.
        if from_client and passed and faults.random.random() < faults.corruption:
            at = faults.random.randrange(len(data))
            data = data[:at] + bytes((data[at] ^ 0xFF,)) + data[at + 1 :]
        passed += len(data)
        writer.write(data)
        await writer.drain()
        if from_client and faults.limit is not None and passed > faults.limit:
            reset(writer)
            raise ConnectionResetError
    if writer.can_write_eof():
        writer.write_eof()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by a reset, with whatever is under way."""
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
