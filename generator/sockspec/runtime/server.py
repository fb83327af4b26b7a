"""The base class of generated servers."""

from __future__ import annotations

from abc import ABC
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import msgspec

from sockspec.runtime.fleet.publication import everybody_stream, principal_stream
from sockspec.runtime.groups import Audience, Group
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
    from sockspec.runtime.fleet.node import Node
    from sockspec.runtime.fleet.presence import Member
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
    node: Node | None = None
    """What connects it with the other nodes of its fleet, once it is to be served."""

    async def authorize(self, connection: Connection[Any, P], operation: str, message: object) -> None:
        """Called before the handler of a message, once the scopes are there that the document asks for.

        `operation` is the name of the handler's method.

        Raise `Refused` to turn the message down; the connection stays usable.
        """

    async def member_joined(self, group: Group[Any], member: Member[Any]) -> None:
        """Somebody joined a group and said who they are; called once in the whole fleet. `group.broadcast` tells the others.

        `group.route.connection` is the endpoint, and `member.of(…)` has what was said. Not called when a client resumes.
        """

    async def member_left(self, group: Group[Any], member: Member[Any]) -> None:
        """Somebody who had said who they are left a group: on purpose, or because their connection or node ended.

        Called once in the whole fleet, for those whose node died by another one, up to `Options.lease` later.
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
        """The group of that name among the connections to an endpoint, which its connection class stands for.

        Raises TypeError for what is no connection class of this server.
        """
        return Group(self, self._route_of(endpoint), name)

    def principal(self, endpoint: type[Connection[Out, Any]], id: str) -> Audience[Out]:
        """All connections of the principal with that id to an endpoint."""
        route = self._route_of(endpoint)
        return Audience(self, route, principal_stream(route.path, id))

    def everybody(self, endpoint: type[Connection[Out, Any]]) -> Audience[Out]:
        """All connections to an endpoint."""
        route = self._route_of(endpoint)
        return Audience(self, route, everybody_stream(route.path))

    def _route_of(self, endpoint: type[Connection[Any, Any]]) -> Route:
        for route in self.routes:
            if issubclass(endpoint, route.connection):
                return route
        known = ", ".join(route.connection.__name__ for route in self.routes)
        raise TypeError(f"{endpoint.__name__} is no connection of {type(self).__name__}; it has {known}")

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
