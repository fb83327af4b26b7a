"""A chat of several workers, for the scenarios that end them: `python -m tests.runtime.serve_workers WORKERS [OPTION=VALUE …]`.

Prints the pid of the supervisor; then, for each worker that is ready, its pid and URL. Nothing else holds its standard output,
so whoever reads that to its end knows that no process is left.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import sys
import threading
from pathlib import Path
from typing import Any

from sockspec.runtime import Options
from sockspec.runtime.backplane.memory import MemoryBackplane
from sockspec.runtime.serving.standalone import Running
from tests.runtime.chatting import Chat, RoomConnection, options_of


class Reached(MemoryBackplane):
    """Says that all workers reach it: nothing of these scenarios goes through it."""

    is_shared = True


class Numbered(Chat):
    """Tells everybody which process it is, and has handlers that end it, or keep it from ending."""

    async def room_opened(self, connection: RoomConnection) -> None:
        await super().room_opened(connection)
        await connection.send_posted(room="lobby", text=str(os.getpid()))

    async def post(self, connection: RoomConnection, message: Any) -> None:
        match message.text:
            case "/exit":
                os._exit(3)
            case "/finish":
                await connection.send_posted(room="lobby", text="started")
                await self.release.wait()
            case "/block":
                await connection.send_posted(room="lobby", text="started")
                await asyncio.Event().wait() if not connection.is_open else None
                threading.Event().wait(60)
            case _:
                await super().post(connection, message)


def main(workers: int, host: str = "127.0.0.1", port: str = "0", **given: str) -> None:
    """Serve until there is a signal."""
    switch = Path(given.pop("broken", "/nonexistent"))
    path = given.pop("sock", "")
    files = given.pop("files", "")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if files else None
    first = os.getpid()
    print(first, flush=True)

    def ready(running: Running) -> None:
        assert os.getpid() != first
        if switch.exists():
            raise RuntimeError("this worker cannot start")
        if context is not None:
            context.load_cert_chain(f"{files}.pem", f"{files}.key")
        print(os.getpid(), running.url, flush=True)

    options: Options = options_of(
        backplane=Reached(),
        retry_after=0.5,
        connections_per_second=None,
        **{name: float(value) if value[0].isdigit() else value for name, value in given.items()},
    )
    application = Numbered().application(options=options)
    if path:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            application.run(sock=listener, ready=ready, workers=workers)
    else:
        application.run(host, int(port), ssl=context, ready=ready, workers=workers)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(process)d %(message)s")
    main(int(sys.argv[1]), **dict(argument.split("=", 1) for argument in sys.argv[2:]))
    print("returned", os.getpid(), flush=True)
