"""Connections that hear the same: rooms, topics, everybody."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from sockspec.runtime.codec import Codec
    from sockspec.runtime.connection import Connection

Out = TypeVar("Out")


class Group(Generic[Out]):
    """The connections that joined, to an endpoint on which the server may send `Out`.

    A connection that ends leaves by itself, and a group that nobody is in and nobody holds is gone: ask the server for
    it by name each time.
    """

    def __init__(self, name: str, outgoing: Codec[Out]) -> None:
        self.name = name
        self._outgoing = outgoing
        self._members: dict[Connection[Out, Any], None] = {}

    def __repr__(self) -> str:
        return f"<Group {self.name!r} of {len(self)}>"

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Connection[Out, Any]]:
        return iter(tuple(self._members))

    def __contains__(self, connection: object) -> bool:
        return connection in self._members

    def join(self, connection: Connection[Out, Any]) -> None:
        """Add a connection. One that has ended already is not added."""
        if connection.is_open:
            self._members[connection] = None
            connection.groups[self] = None

    def leave(self, connection: Connection[Out, Any]) -> None:
        """Remove a connection, if it is there."""
        self._members.pop(connection, None)
        connection.groups.pop(self, None)

    async def broadcast(
        self, message: Out, *, exclude: Connection[Out, Any] | Iterable[Connection[Out, Any]] = (), key: Hashable = None
    ) -> None:
        """Send a message to all members but those excluded. It is encoded once, and nobody is waited for.

        What is broadcast one after the other arrives in that order. `Options.slow_consumer` says what happens to members
        that read too slowly, and `key` what `coalesce` goes by. Raises PayloadError for a message that the document does
        not allow.
        """
        # All connections to a server have the same options.
        member = next(iter(self._members), None)
        frame = self._outgoing.frame(message, check=member is None or member.checks_sent)
        excluded = set(exclude) if isinstance(exclude, Iterable) else {exclude}
        for member in tuple(self._members):
            if member not in excluded:
                member.post(frame, key)
