"""One or several APIs to be served together, on any of the ways to serve them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from sockspec.runtime.options import Options

if TYPE_CHECKING:
    import socket
    from ssl import SSLContext

    from sockspec.runtime.server import Server
    from sockspec.runtime.serving.asgi import AsgiApplication
    from sockspec.runtime.serving.standalone import Running


class Application:
    """Servers that share a port, options and limits: `/v1` and `/v2` of one API, or APIs that have nothing in common."""

    def __init__(self, *servers: Server[Any], options: Options | None = None) -> None:
        self.servers: Final = servers
        self.options: Final = options or Options()

    def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 8765,
        *,
        ssl: SSLContext | None = None,
        sock: socket.socket | None = None,
    ) -> Running:
        """Serve while an `async with` block lasts. Port 0 takes a free one; the block gets its number and the URL.

        A listening socket can be given in place of host and port. Raises InsecureTransport for clear text beyond loopback,
        and OSError when the address cannot be listened on.
        """
        from sockspec.runtime.serving.standalone import Running  # imports the network library

        return Running(self, host, port, ssl=ssl, sock=sock)

    def run(
        self,
        host: str = "127.0.0.1",
        port: int = 8765,
        *,
        ssl: SSLContext | None = None,
        sock: socket.socket | None = None,
        ready: Callable[[Running], Awaitable[None] | None] | None = None,
        workers: int = 1,
    ) -> None:
        """Serve until SIGTERM or SIGINT, then say goodbye to every client and return.

        `ready` is called once the server listens; it may be asynchronous. Raises like `serve`.

        Several `workers` are processes that are forked from this one and share the port; `ready` is called in each of them.
        One that ends is replaced, and SIGHUP replaces all, one after the other. They need a backplane that all of them
        reach: ValueError without. Raises NotImplementedError on a system that cannot do it, RuntimeError outside the main
        thread, and SystemExit(1) when workers end again and again before they listen, or had to be killed in the end.
        """
        if workers != 1:
            from sockspec.runtime.serving.workers import run_workers

            run_workers(self, workers, host, port, ssl=ssl, sock=sock, ready=ready)
            return
        from sockspec.runtime.serving.standalone import run

        run(self.serve(host, port, ssl=ssl, sock=sock), ready)

    def asgi(self) -> AsgiApplication:
        """An ASGI 3 application: run it by uvicorn, hypercorn or granian, or mount it in another one."""
        from sockspec.runtime.serving.asgi import AsgiApplication

        return AsgiApplication(self)
