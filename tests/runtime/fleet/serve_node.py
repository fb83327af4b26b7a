"""A node of a fleet in a process of its own: `python -m tests.runtime.fleet.serve_node URL [OPTION=VALUE …]`.

URL is the engine's. Prints its port when it listens, and `returned` at its end. Whoever connects to a room is in it and hears
what is published there; with `?tag=present` the others hear who came and left. The room `desk` hears nothing: it is where
messages are handed in, and each is answered by what became of it.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import Struct

from sockspec.runtime import (
    Backplane,
    BearerScheme,
    Connection,
    Group,
    Handshake,
    History,
    Member,
    NatsBackplane,
    Principal,
    RedisBackplane,
    Requirement,
    Unavailable,
)
from sockspec.runtime.fleet.feed import Feed
from tests.runtime.chatting import Chat, Post, Posted, RoomConnection, RoomParameters, options_of

DESK = "desk"


class Named(Struct):
    """What is said about a member."""

    name: str


class Report(Struct):
    """What there is in a process."""

    pid: int
    tasks: int
    feeds: int
    connections: int
    files: int
    degraded: str

    def exceeds(self, other: Report) -> bool:
        """Whether there is more than in another one. A connection to the engine keeps the context that it was opened in,
        and so one of a client, which is no leak: there are three of them at most."""
        more = (self.tasks > other.tasks, self.feeds > other.feeds, self.files > other.files)
        return any(more) or self.connections > other.connections + 3 or bool(self.degraded)


class Crier(Chat):
    """A server that tells rooms what is handed in at its desk."""

    schemes = (BearerScheme("accessToken", "verify_access_token"),)
    routes = tuple(replace(route, security=((Requirement("accessToken"),),)) for route in Chat.routes)

    async def verify_access_token(self, token: str, handshake: Handshake[RoomParameters]) -> Principal:
        return Principal(id=token)

    async def room_opened(self, connection: RoomConnection) -> None:
        if connection.room == DESK:
            return
        # Who has resumed is there already, unless the connection ended before this was done.
        info = Named(connection.principal.id) if "present" in connection.parameters.tags else None
        await connection.group(connection.room).join(connection, info)
        await connection.send_posted(room="welcome", text=connection.principal.id)

    async def room_closed(self, connection: RoomConnection) -> None:
        pass

    async def post(self, connection: RoomConnection, message: Post) -> None:
        room, _, text = message.text.partition(" ")
        if room == "/report":
            said = msgspec.json.encode(await report(self)).decode()
            await connection.send_posted(room="report", text=said)
            return
        try:
            await self.group(RoomConnection, room).broadcast(Posted(room=room, text=text))
        except Unavailable as unavailable:
            outcome = "doubtful" if unavailable.doubtful else "refused"
        else:
            outcome = "acknowledged"
        await connection.send_posted(room=outcome, text=text)

    async def member_joined(self, group: Group[Any], member: Member[Any]) -> None:
        await group.broadcast(Posted(room=group.name, text=f"joined {member.of(Named).info.name}"))

    async def member_left(self, group: Group[Any], member: Member[Any]) -> None:
        await group.broadcast(Posted(room=group.name, text=f"left {member.of(Named).info.name}"))


async def report(server: Crier) -> Report:
    """What there is in this process, once what is garbage is gone."""
    # A timer that was cancelled keeps its context, and so the connection, until it is due or until most of many were.
    for _ in range(1000):
        asyncio.get_running_loop().call_later(3600, int).cancel()
    await asyncio.sleep(0)
    gc.collect()
    found = Counter[type[object]](
        kind for one in gc.get_objects() for kind in (Feed, Connection) if isinstance(one, kind)
    )
    files = len(os.listdir("/proc/self/fd"))
    degraded = "" if server.node is None else server.node.degraded
    return Report(os.getpid(), len(asyncio.all_tasks()), found[Feed], found[Connection], files, degraded)


def backplane(url: str, timeout: float, replicas: int) -> Backplane:
    """What the URL stands for."""
    if url.startswith("nats:"):
        return NatsBackplane(url, timeout=timeout)
    return RedisBackplane(url, timeout=timeout, replicas=replicas)


def main(
    url: str,
    *,
    workers: int = 1,
    port: int = 0,
    history: int = 5000,
    timeout: float = 1.0,
    replicas: int = 0,
    **given: Any,
) -> None:
    """Serve until there is a signal."""
    limits: Mapping[str, Any] = {"connections_per_second": None, "max_connections_per_address": None}
    options = options_of(
        backplane=backplane(url, timeout, replicas), history=History(size=history), **{**limits, **given}
    )
    application = Crier().application(options=options)
    application.run(port=port, workers=workers, ready=lambda running: say(running.port))


def say(word: object) -> None:
    """Write a line at once, which those of other processes do not get into."""
    os.write(sys.stdout.fileno(), f"{word}\n".encode())


def end_with_parent() -> None:
    """Do not outlive whoever started this process, where the system can see to that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


if __name__ == "__main__":
    end_with_parent()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(process)d %(name)s %(message)s")
    logging.getLogger("websockets").setLevel(logging.WARNING)
    options = (argument.split("=", 1) for argument in sys.argv[2:])
    main(sys.argv[1], **{name: msgspec.json.decode(value) for name, value in options})
    say("returned")
