"""The base class of generated servers."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from sockspec.runtime.handshake import Handshake
from sockspec.runtime.options import Options
from sockspec.runtime.routing import Route

if TYPE_CHECKING:
    from ssl import SSLContext

    from sockspec.runtime.standalone import Running


class Server(ABC):  # noqa: B024 - the abstract methods come with the generated class
    """A WebSocket API, to be completed with handlers."""

    routes: ClassVar[tuple[Route, ...]] = ()
    error_message: ClassVar[type[msgspec.Struct] | None] = None
    """The document's own error message; None for the design guide's."""

    async def authenticate(self, handshake: Handshake[Any]) -> object:
        """Who is about to connect: the `principal` of the connection. Raise Refused to turn them away."""
        return None

    def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 8765,
        *,
        ssl: SSLContext | None = None,
        options: Options | None = None,
    ) -> Running:
        """Serve while an `async with` block lasts. Port 0 takes a free one; the block gets its number and the URL.

        Raises InsecureTransport for clear text beyond loopback, and OSError when the address cannot be listened on.
        """
        from sockspec.runtime.standalone import Running  # imports the network library, which programs may not need

        return Running(self, host, port, ssl=ssl, options=options or Options())

    def run(
        self,
        host: str = "127.0.0.1",
        port: int = 8765,
        *,
        ssl: SSLContext | None = None,
        options: Options | None = None,
        ready: Callable[[Running], None] | None = None,
    ) -> None:
        """Serve until SIGTERM or SIGINT, then say goodbye to every client and return.

        `ready` is called once the server listens. Raises like `serve`.
        """
        from sockspec.runtime.standalone import run

        run(self.serve(host, port, ssl=ssl, options=options), ready)
