"""The ways to serve one application, behind one interface, so that the same scenarios run over each of them."""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from types import TracebackType
from typing import Any

from sockspec.runtime import Options, Server
from sockspec.runtime.dispatcher import Dispatcher
from sockspec.runtime.serving.asgi import AsgiApplication
from sockspec.runtime.serving.listening import listen

STAND_ALONE = ("websockets", "picows")
BELOW_UVICORN = ("uvicorn", "fastapi", "starlette", "litestar", "django")
ASGI = (*BELOW_UVICORN, "hypercorn", "granian")
ALL = (*STAND_ALONE, *ASGI)

CODE_FOR_INVALID_UTF8 = {"hypercorn": 1006, "granian": 1005}
"""What hosts close with that do not tell text that is not UTF-8 from the end of a connection; 1007 is right."""

_NO_KEEP_ALIVE = "finds no dead peer: it waits for no answer to its pings, if it sends any, and never gives up writing"
DEVIATIONS: dict[tuple[str, str], str] = {
    ("granian", "test_a_peer_that_answers_no_ping_is_gone_within_interval_and_timeout"): _NO_KEEP_ALIVE,
    ("granian", "test_a_peer_that_floods_with_pings_and_reads_no_answers_is_cut_off"): _NO_KEEP_ALIVE,
    ("hypercorn", "test_a_peer_that_answers_no_ping_is_gone_within_interval_and_timeout"): _NO_KEEP_ALIVE,
}
"""What hosts do not do, by host and scenario; `docs/serving.md` tells it, too."""

chosen: ContextVar[str] = ContextVar("host", default="websockets")
"""The way of serving that the scenarios of a test use."""


class Host(ABC):
    """An application that is served while an `async with` block lasts."""

    port: int
    prefix = ""
    """The path at which the application is mounted."""
    dispatcher: Dispatcher

    @property
    def url(self) -> str:
        """The URL to which the paths of the document are added."""
        return f"ws://127.0.0.1:{self.port}{self.prefix}"

    async def __aenter__(self) -> Host:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    @abstractmethod
    async def start(self) -> None:
        """Listen."""

    @abstractmethod
    async def stop(self) -> None:
        """Drain, and stop."""


class StandAlone(Host):
    """Our own server."""

    def __init__(self, server: Server[Any], options: Options) -> None:
        self._running = server.serve(port=0, options=options)
        self.dispatcher = self._running.dispatcher

    async def start(self) -> None:
        await self._running.__aenter__()
        self.port = self._running.port

    async def stop(self) -> None:
        await self._running.stop()


class Uvicorn(Host):
    """Uvicorn with our draining runner, and perhaps a framework in between."""

    def __init__(self, server: Server[Any], options: Options, framework: str) -> None:
        import uvicorn

        from sockspec.runtime.serving.uvicorn import DrainingServer, defaults

        application = server.asgi(options=options)
        self.dispatcher = application.dispatcher
        self.prefix = "" if framework in ("uvicorn", "django") else "/mounted"
        app = MOUNTS[framework](application)
        config = uvicorn.Config(app, lifespan="off", log_config=None, **defaults(application))
        self._uvicorn = DrainingServer(config, application)
        self._socket = listen(port=0, dead_after=1.0)
        self.port = self._socket.getsockname()[1]

    async def start(self) -> None:
        self._task = asyncio.create_task(self._uvicorn.serve(sockets=[self._socket]))
        while not self._uvicorn.started:
            await asyncio.sleep(0)

    async def stop(self) -> None:
        self._uvicorn.should_exit = True
        await self._task


class Hypercorn(Host):
    """Hypercorn, which is told to stop once the application has drained."""

    def __init__(self, server: Server[Any], options: Options) -> None:
        self._application = server.asgi(options=options)
        self.dispatcher = self._application.dispatcher
        self._options = options
        listener = listen(port=0, dead_after=1.0)
        self.port = listener.getsockname()[1]
        self._descriptor = listener.detach()
        self._stop = asyncio.Event()

    async def start(self) -> None:
        from hypercorn.asyncio import serve
        from hypercorn.config import Config

        from sockspec.runtime.serving.hypercorn import refuse_compression

        refuse_compression()
        config = Config()
        config.keep_alive_timeout = self._options.open_timeout
        config.bind = [f"fd://{self._descriptor}"]
        config.graceful_timeout = 1
        # At its own limit it forgets to end the connection.
        config.websocket_max_message_size = 2 * self.dispatcher.limits.max_message
        config.errorlog = None
        self._task = asyncio.create_task(serve(self._application, config, shutdown_trigger=self._until_drained))  # type: ignore[arg-type]

    async def _until_drained(self) -> None:
        await self._stop.wait()
        await self._application.drain()

    async def stop(self) -> None:
        self._stop.set()
        await self._task


class Granian(Host):
    """Granian, embedded."""

    def __init__(self, server: Server[Any], options: Options) -> None:
        self._application = server.asgi(options=options)
        self.dispatcher = self._application.dispatcher
        self._options = options
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    async def start(self) -> None:
        from granian.constants import Interfaces
        from granian.http import HTTP1Settings
        from granian.server.embed import Server as Embedded

        self._granian = Embedded(
            self._application,
            "127.0.0.1",
            self.port,
            interface=Interfaces.ASGI,
            log_enabled=False,
            http1_settings=HTTP1Settings(header_read_timeout=round(1000 * self._options.open_timeout)),
        )
        self._task = asyncio.create_task(self._granian.serve())
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return

    async def stop(self) -> None:
        await self._application.drain()
        self._granian.stop()  # type: ignore[no-untyped-call]
        await self._task


def _fastapi(application: AsgiApplication) -> Any:
    from fastapi import FastAPI

    app = FastAPI()
    app.mount("/mounted", application)
    return app


def _starlette(application: AsgiApplication) -> Any:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    return Starlette(routes=[Mount("/mounted", app=application)])


def _litestar(application: AsgiApplication) -> Any:
    from litestar import Litestar, asgi

    return Litestar(
        logging_config=None, route_handlers=[asgi("/mounted", is_mount=True, copy_scope=False)(application)]
    )


def _django(application: AsgiApplication) -> Any:
    from channels.routing import ProtocolTypeRouter

    return ProtocolTypeRouter({"websocket": application, "http": application})


MOUNTS: dict[str, Callable[[AsgiApplication], Any]] = {
    "uvicorn": lambda application: application,
    "fastapi": _fastapi,
    "starlette": _starlette,
    "litestar": _litestar,
    "django": _django,
}


def host(server: Server[Any], options: Options) -> Host:
    """The application on the way of serving that is chosen."""
    match chosen.get():
        case "hypercorn":
            return Hypercorn(server, options)
        case "granian":
            return Granian(server, options)
        case "websockets" | "picows" as library:
            return StandAlone(server, replace(options, library=library))
        case framework:
            return Uvicorn(server, options, framework)
