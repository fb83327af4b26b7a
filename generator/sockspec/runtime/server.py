"""The base class of generated servers."""

from __future__ import annotations

from abc import ABC
from collections.abc import Awaitable, Callable
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar
from weakref import WeakValueDictionary

import msgspec

from sockspec.runtime.groups import Group
from sockspec.runtime.limits import Limits
from sockspec.runtime.options import Options
from sockspec.runtime.routing import Route
from sockspec.runtime.security.principal import P
from sockspec.runtime.security.schemes import Scheme

if TYPE_CHECKING:
    import socket
    from ssl import SSLContext

    from sockspec.runtime.application import Application
    from sockspec.runtime.connection import Connection
    from sockspec.runtime.serving.asgi import AsgiApplication
    from sockspec.runtime.serving.standalone import Running

Out = TypeVar("Out")


class Server(ABC, Generic[P]):
    """A WebSocket API, to be completed with handlers. `P` is the application's class of principals."""

    routes: ClassVar[tuple[Route, ...]] = ()
    schemes: ClassVar[tuple[Scheme, ...]] = ()
    """The document's security schemes."""
    limits: ClassVar[Limits] = Limits()
    """What the document declares by `x-limits`."""
    error_message: ClassVar[type[msgspec.Struct] | None] = None
    """The document's own error message; None for the design guide's."""

    async def authorize(self, connection: Connection[Any, P], operation: str, message: object) -> None:
        """Called before the handler of a message, once the scopes are there that the document asks for.

        `operation` is the name of the handler's method.

        Raise `Refused` to turn the message down; the connection stays usable.
        """

    async def answer_heartbeat(self, connection: Connection[Any, P], message: object) -> None:
        """Answers a ping of the heartbeat that the document declares."""
        await connection.answer_heartbeat(message)

    async def hear_heartbeat(self, connection: Connection[Any, P], message: object) -> None:
        """The answer to a ping of the server came. That a message came at all is what counts."""

    @classmethod
    def page(cls) -> str:
        """The generated documentation as HTML, for `/docs`; empty where the package has none."""
        home = next(kind for kind in cls.__mro__ if "routes" in vars(kind)).__module__.rpartition(".")[0]
        page = files(home).joinpath("docs", "index.html") if home else None
        return page.read_text(encoding="utf-8") if page is not None and page.is_file() else ""

    def group(self, endpoint: type[Connection[Out, Any]], name: str) -> Group[Out]:
        """The group of that name among the connections to an endpoint, which its connection class stands for."""
        group = self._groups.get((endpoint, name))
        if group is None:
            codec = next(route.outgoing for route in self.routes if issubclass(endpoint, route.connection))
            group = self._groups[endpoint, name] = Group(name, codec)
        return group

    @cached_property
    def _groups(self) -> WeakValueDictionary[tuple[type, str], Group[Any]]:
        return WeakValueDictionary()

    def application(self, *others: Server[Any], options: Options | None = None) -> Application:
        """This API, with others beside it, to be served on one port: for example, two versions of one."""
        from sockspec.runtime.application import Application

        return Application(self, *others, options=options)

    def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 8765,
        *,
        ssl: SSLContext | None = None,
        sock: socket.socket | None = None,
        options: Options | None = None,
    ) -> Running:
        """Serve while an `async with` block lasts; see `Application.serve`."""
        return self.application(options=options).serve(host, port, ssl=ssl, sock=sock)

    def run(
        self,
        host: str = "127.0.0.1",
        port: int = 8765,
        *,
        ssl: SSLContext | None = None,
        options: Options | None = None,
        ready: Callable[[Running], Awaitable[None] | None] | None = None,
        workers: int = 1,
    ) -> None:
        """Serve until SIGTERM or SIGINT, then say goodbye to every client and return; see `Application.run`."""
        self.application(options=options).run(host, port, ssl=ssl, ready=ready, workers=workers)

    def asgi(self, *, options: Options | None = None) -> AsgiApplication:
        """An ASGI 3 application; see `Application.asgi`."""
        return self.application(options=options).asgi()
