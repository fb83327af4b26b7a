"""Who is in a group, on whichever node."""

from __future__ import annotations

import asyncio
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
_AT_ONCE: Final = 200
"""How many records are placed at a time, after all were forgotten."""


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
        hub.lease.on_reaped = self._bury

    def serve(self, server: Server[Any]) -> None:
        """Tell a server of those who come to its endpoints, and leave them."""
        for route in server.routes:
            self._servers[route.path] = server

    async def enter(self, group: Group[Any], connection: Connection[Any, Any], info: bytes) -> None:
        """Somebody joined. Raises Unavailable."""
        value = _encode((connection.principal.id, msgspec.Raw(info)))
        table, member_id = _PRESENCE + group.stream, connection.member_id
        self._held[group.stream, member_id] = (group, value)
        placed = await self._hub.uplink.attempt(
            lambda line: line.place(table, member_id, value), self._hub.options.publish_timeout
        )
        if placed is Placed.NEW:
            await self._tell(group, member_id, value, came=True)

    async def leave(self, group: Group[Any], member_id: str, *, silently: bool = False) -> None:
        """Somebody left. Where the backplane cannot be told, it is told later, and the lease does it otherwise."""
        held = self._held.pop((group.stream, member_id), None)
        if held is None:
            return
        uplink, seconds = self._hub.uplink, self._hub.options.publish_timeout
        leaving = self._leave(group, member_id, held[1], None if not uplink.is_up else seconds, silently)
        if uplink.is_up:
            try:
                await leaving
            except Unavailable:
                leaving = self._leave(group, member_id, held[1], None, silently)
            else:
                return
        self._hub.start_soon(leaving)

    async def _leave(
        self, group: Group[Any], member_id: str, value: bytes, seconds: float | None, silently: bool
    ) -> None:
        async def drop(line: Line) -> bool:
            if (group.stream, member_id) in self._held:
                return False  # they are back already
            return await line.drop(_PRESENCE + group.stream, member_id)

        if await self._hub.uplink.attempt(drop, seconds) and not silently:
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
        held = tuple(self._held)
        for start in range(0, len(held), _AT_ONCE):
            some = (self._place_again(line, *one, silently) for one in held[start : start + _AT_ONCE])
            for failed in await asyncio.gather(*some, return_exceptions=True):
                if failed is not None:
                    raise failed

    async def _place_again(self, line: Line, stream: str, member_id: str, silently: bool) -> None:
        if (found := self._held.get((stream, member_id))) is None:
            return  # they have left meanwhile
        group, value = found
        placed = await line.place(_PRESENCE + stream, member_id, value)
        if (stream, member_id) not in self._held:  # they have left meanwhile, when there was perhaps no record of them
            self._hub.start_soon(self._leave(group, member_id, value, None, placed is Placed.NEW), farewell=True)
        elif placed is Placed.NEW and not silently:
            self._hub.start_soon(self._tell(group, member_id, value, came=True))

    async def _bury(self, record: Record) -> None:
        """A node died, and with it this member's connection."""
        from sockspec.runtime.groups import Group

        kind, _, rest = record.table.removeprefix(_PRESENCE).partition(" ")
        path, _, name = rest.partition(" ")
        server = self._servers.get(path)
        if not record.table.startswith(_PRESENCE) or server is None or kind != "group":
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
