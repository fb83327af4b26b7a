"""A chat of several workers, for the scenarios that end them: `python -m tests.runtime.serve_workers WORKERS [OPTION=VALUE …]`.

Prints the pid of the supervisor; then, for each worker that is ready, its pid and URL. Nothing else holds its standard output,
so whoever reads that to its end knows that no process is left.
"""

from __future__ import annotations

import atexit
import logging
import os
import socket
import ssl
import sys
import threading
from pathlib import Path
from typing import Any

from sockspec.runtime.backplane.memory import MemoryBackplane
from sockspec.runtime.backplane.redis import RedisBackplane
from sockspec.runtime.metrics import PrometheusMetrics, expose
from sockspec.runtime.serving.listening import reserve
from sockspec.runtime.serving.standalone import Running
from sockspec.runtime.serving.worker import Service
from sockspec.runtime.serving.workers import Supervisor
from tests.runtime.chatting import Chat, Posted, RoomConnection, options_of


def say(*words: object) -> None:
    """Write a line at once, which those of other processes do not get into."""
    os.write(sys.stdout.fileno(), (" ".join(map(str, words)) + "\n").encode())


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
            case "/tell":
                assert self.node is not None
                await self.everybody(RoomConnection).broadcast(Posted(room="lobby", text=self.node.hub.node))
            case "/block":
                say("blocked")
                threading.Event().wait(60)
            case _:
                await super().post(connection, message)


def main(
    workers: int,
    *,
    host: str = "127.0.0.1",
    sock: str = "",
    files: str = "",
    switch: str = "",
    alone: str = "",
    metrics: str = "",
    closing: str = "",
    redis: str = "",
    patience: str = "",
    **given: str,
) -> None:
    """Serve until there is a signal.

    `sock` is where a Unix socket is to be. `files` are a certificate and its key, which each worker loads. While there is a
    file `switch`, no worker can start, and only one can have the socket `alone`. With `closing`, supervisor and workers say
    what `atexit` calls. `redis` is the URL of a backplane. `patience` is how long a worker may take to end. `metrics` is the
    port at which each worker answers for all of them.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if files else None
    supervisor = os.getpid()
    say(supervisor)

    if closing:
        atexit.register(lambda: say("over", os.getpid()))

    def ready(running: Running) -> None:
        assert os.getpid() != supervisor
        if switch and Path(switch).exists():
            raise RuntimeError("no worker can start")
        if alone:
            socket.socket(socket.AF_UNIX).bind(alone)
        if metrics:
            expose(int(metrics))
        if context is not None:
            context.load_cert_chain(f"{files}.pem", f"{files}.key")
        if closing:
            atexit.register(lambda: say("closed", os.getpid()))
        say(os.getpid(), running.url)

    numbers: dict[str, Any] = {name: float(value) for name, value in given.items() if value[0].isdigit()}
    backplane = RedisBackplane(redis, prefix=f"workers-{supervisor}") if redis else Reached()
    given_options: dict[str, Any] = {**given, **numbers, "observers": (PrometheusMetrics(),) if metrics else ()}
    options = options_of(backplane=backplane, retry_after=0.5, connections_per_second=None, **given_options)
    application = Numbered().application(options=options)
    if patience:
        reserved = reserve(host, 0)
        service = Service(application, host, reserved[0].getsockname()[1], context, None, ready)
        raise SystemExit(not Supervisor(service, workers, float(patience), reserved).run())
    if not sock:
        application.run(host, 0, ssl=context, ready=ready, workers=workers)
        return
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sock)
        application.run(sock=listener, ready=ready, workers=workers)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(process)d %(message)s")
    main(int(sys.argv[1]), **dict(argument.split("=", 1) for argument in sys.argv[2:]))
    say("returned", os.getpid())
