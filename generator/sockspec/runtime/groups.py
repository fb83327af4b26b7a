"""Connections that hear the same, on whichever node they are: rooms, topics, one person's devices, everybody."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec

from sockspec.runtime.fleet.publication import group_stream

if TYPE_CHECKING:
    from sockspec.runtime.connection import Connection
    from sockspec.runtime.fleet.presence import Member
    from sockspec.runtime.routing import Route
    from sockspec.runtime.server import Server

Out = TypeVar("Out")
I = TypeVar("I")  # noqa: E741  # what is said about a member


class Audience(Generic[Out]):
    """Connections to an endpoint on which the server may send `Out`. It is a name, and costs nothing: ask for it each time."""

    def __init__(self, server: Server[Any], route: Route, stream: str) -> None:
        self.server: Final = server
        self.route: Final = route
        self.stream: Final = stream
        """What it is called on the backplane."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.stream!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Audience) and self.stream == other.stream and self.server is other.server

    def __hash__(self) -> int:
        return hash(self.stream)

    async def broadcast(
        self, message: Out, *, exclude: Connection[Out, Any] | Iterable[Connection[Out, Any]] = (), key: Hashable = None
    ) -> None:
        """Send a message to all of them but those excluded, on all nodes. Nobody's reading is waited for.

        What is broadcast one after the other arrives in that order, and everybody in the audience gets what they all
        get in the same order. `Options.slow_consumer` says what happens to those that read too slowly, and `key` what
        `coalesce` goes by.

        Returns once the message is safe with the backplane. Raises PayloadError for a message that the document does
        not allow, RuntimeError when nobody serves the server, and Unavailable when the backplane did not take it within
        `Options.publish_timeout`.
        """
        node = self.server.node
        if node is None:
            raise RuntimeError(
                "nobody serves this server, so there is nobody to broadcast to: use a publisher, or serve it"
            )
        excluded: list[str] = []
        if exclude != ():
            excluded = [one.member_id for one in (exclude if isinstance(exclude, Iterable) else (exclude,))]
        frame = self.route.outgoing.frame(message, check=node.options.check_sent)
        await node.hub.publish(self.stream, frame, exclude=excluded, key=key)

    async def history(self, most: int = 50) -> tuple[Out, ...]:
        """The latest messages that were broadcast, as far as `Options.history` keeps them; the oldest of them first.

        Messages that are not for everybody are left out. Raises Unavailable.
        """
        from sockspec.runtime.fleet.retrospect import latest

        node = self.server.node
        if node is None:
            return ()
        await node.hub.start()
        kept = await latest(node.hub.uplink, self.stream, most, node.options.publish_timeout)
        incoming = self.route.outgoing
        return tuple(incoming.take(text.decode() if is_text else text) for text, is_text in kept)


class Group(Audience[Out]):
    """The connections that joined."""

    def __init__(self, server: Server[Any], route: Route, name: str) -> None:
        super().__init__(server, route, group_stream(route.path, name))
        self.name: Final = name

    def __len__(self) -> int:
        """How many of them are connected to this node."""
        return len(self._here)

    def __iter__(self) -> Iterator[Connection[Out, Any]]:
        """Those that are connected to this node."""
        return iter(tuple(self._here))

    def __contains__(self, connection: object) -> bool:
        return connection in self._here

    async def join(self, connection: Connection[Out, Any], info: msgspec.Struct | None = None) -> None:
        """Add a connection. One that has ended already is not added.

        With `info`, everybody can ask for it by `members`, and is told by the server's hooks of those who come and leave.
        A client that resumes is in its groups again without being added. Raises Unavailable.
        """
        node = self.server.node
        if node is not None and connection.is_open:
            await node.enter(self, connection, None if info is None else msgspec.json.encode(info))

    async def leave(self, connection: Connection[Out, Any]) -> None:
        """Remove a connection, if it is there."""
        node = self.server.node
        if node is not None:
            await node.leave(self, connection)

    async def members(self, info: type[I]) -> tuple[Member[I], ...]:
        """Who is in the group on all nodes, of those that joined with an `info`, which was of this class.

        Raises Unavailable, and msgspec.ValidationError for what is not of the class.
        """
        node = self.server.node
        if node is None:
            return ()
        return tuple(member.of(info) for member in await node.presence.members(self))

    def member(self, connection: Connection[Out, Any], info: type[I]) -> Member[I] | None:
        """What a connection of this node said when it joined; None where it did not, or said nothing."""
        node = self.server.node
        held = None if node is None else node.presence.held_by(connection, self)
        return None if held is None else held.of(info)

    @property
    def _here(self) -> dict[Connection[Any, Any], None]:
        node = self.server.node
        feed = None if node is None else node.hub.local_feed(self.stream)
        return {} if feed is None else feed.members
