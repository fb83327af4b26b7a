"""Who is in a group, on whichever node."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec

from sockspec.runtime.backplane.line import Line, Placed, Record
from sockspec.runtime.fleet.hub import Hub
from sockspec.runtime.fleet.uplink import Unavailable

if TYPE_CHECKING:
    from sockspec.runtime.connection import Connection
    from sockspec.runtime.groups import Group
    from sockspec.runtime.server import Server

I = TypeVar("I")  # noqa: E741  # what is said about a member
J = TypeVar("J")

_log: Final = logging.getLogger("sockspec.server")
_PRESENCE: Final = "presence "
"""What the tables of groups begin with."""


class Member(msgspec.Struct, Generic[I], frozen=True):
    """Somebody in a group who said who they are when they joined."""

    id: str
    """The same after a reconnection; `Connection.member_id`."""
    principal: str
    """The id of the principal; empty for somebody unknown."""
    info: I
    """What was said about them when they joined."""

    def of(self, kind: type[J]) -> Member[J]:
        """The same with what was said as a class of the application's. Raises msgspec.ValidationError."""
        return Member(self.id, self.principal, msgspec.convert(self.info, kind))


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(tuple[str, Any]).decode


class Presence:
    """Keeps the records of this node's members, and tells the server who came and who left, of all nodes."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._held: dict[tuple[str, str], tuple[Group[Any], bytes]] = {}
        self._servers: dict[str, Server[Any]] = {}
        hub.on_reaped = self._bury

    def serve(self, server: Server[Any]) -> None:
        """Tell a server of those who come to its endpoints, and leave them."""
        for route in server.routes:
            self._servers[route.path] = server

    async def enter(self, group: Group[Any], connection: Connection[Any, Any], info: bytes) -> None:
        """Somebody joined. Raises Unavailable."""
        value = _encode((connection.principal.id, msgspec.Raw(info)))
        self._held[group.stream, connection.member_id] = (group, value)
        placed = await self._place(group.stream, connection.member_id, value)
        if placed is Placed.NEW:
            await self._tell(group, connection.member_id, value, came=True)

    async def leave(self, group: Group[Any], member_id: str) -> None:
        """Somebody left. Where the backplane cannot be told, the lease does it."""
        held = self._held.pop((group.stream, member_id), None)
        if held is None:
            return
        table = _PRESENCE + group.stream
        try:
            gone = await self._hub.uplink.attempt(
                lambda line: line.drop(table, member_id), self._hub.options.publish_timeout
            )
        except Unavailable:
            self._hub.start_soon(self._leave_later(group, member_id, held[1]))
            return
        if gone:
            await self._tell(group, member_id, held[1], came=False)

    async def _leave_later(self, group: Group[Any], member_id: str, value: bytes) -> None:
        table = _PRESENCE + group.stream
        if await self._hub.uplink.attempt(lambda line: line.drop(table, member_id)):
            await self._tell(group, member_id, value, came=False)

    def hand_over(self, group: Group[Any], member_id: str) -> None:
        """Somebody has come back elsewhere: that node knows of them now."""
        self._held.pop((group.stream, member_id), None)

    async def members(self, group: Group[Any]) -> tuple[Member[Any], ...]:
        """Who is there, by id. Raises Unavailable."""
        table = _PRESENCE + group.stream
        await self._hub.start()
        records = await self._hub.uplink.attempt(lambda line: line.records(table), self._hub.options.publish_timeout)
        return tuple(member for record in records if (member := _member(record.key, record.value)) is not None)

    def held_by(self, connection: Connection[Any, Any], group: Group[Any]) -> Member[Any] | None:
        """What a connection said when it joined."""
        held = self._held.get((group.stream, connection.member_id))
        return None if held is None else _member(connection.member_id, held[1])

    async def tell_again(self, line: Line, *, silently: bool) -> None:
        """The backplane has forgotten this node's members: place them again. Raises BackplaneError."""
        for (stream, member_id), (group, value) in tuple(self._held.items()):
            placed = await line.place(_PRESENCE + stream, member_id, value)
            if placed is Placed.NEW and not silently:
                self._hub.start_soon(self._tell(group, member_id, value, came=True))

    async def _place(self, stream: str, member_id: str, value: bytes) -> Placed:
        return await self._hub.uplink.attempt(
            lambda line: line.place(_PRESENCE + stream, member_id, value), self._hub.options.publish_timeout
        )

    async def _bury(self, record: Record) -> None:
        """A node died, and with it this member's connection."""
        from sockspec.runtime.groups import Group

        if not record.table.startswith(_PRESENCE):
            return
        kind, path, name = record.table.removeprefix(_PRESENCE).split(" ", 2)
        server = self._servers.get(path)
        if server is None or kind != "group":
            return  # another API's, on the same backplane
        route = next(route for route in server.routes if route.path == path)
        await self._tell(Group(server, route, name), record.key, record.value, came=False)

    async def _tell(self, group: Group[Any], member_id: str, value: bytes, *, came: bool) -> None:
        """Call the server's hook. It broadcasts, and cannot while the backplane does not answer: then this is lost."""
        member = _member(member_id, value)
        if member is None:
            return
        try:
            await (group.server.member_joined if came else group.server.member_left)(group, member)
        except Exception:
            _log.exception("others could not be told that somebody %s", "joined a group" if came else "left a group")


def _member(member_id: str, value: bytes) -> Member[Any] | None:
    try:
        principal, info = _decode(value)
    except msgspec.MsgspecError:
        return None
    return Member(member_id, principal, info)
