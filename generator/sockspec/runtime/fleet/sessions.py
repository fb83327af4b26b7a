"""What outlives a connection: the groups that it was in, for a client that comes back for them."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from sockspec.runtime.backplane.line import History, Line, Position, Slice
from sockspec.runtime.fleet import control
from sockspec.runtime.fleet.continuity import PART
from sockspec.runtime.fleet.feed import Feed
from sockspec.runtime.fleet.hub import Hub
from sockspec.runtime.fleet.presence import Presence
from sockspec.runtime.fleet.publication import node_stream
from sockspec.runtime.fleet.uplink import Unavailable
from sockspec.runtime.observer import tell
from sockspec.runtime.transport import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sockspec.runtime.connection import Connection

_log: Final = logging.getLogger("sockspec.server")

_TO_NODES: Final = History(size=256, seconds=60.0)
"""How much of what nodes tell one another is kept, for one that did not hear it at once."""
_KEPT_AT_ONCE: Final = 500
_ATTEMPTS: Final = 3


class Stored(msgspec.Struct, frozen=True, array_like=True):
    """A session as the backplane keeps it."""

    member_id: str
    principal: str
    path: str
    """The path that the client connected to: it can come back to no other."""
    node: str
    connection: str
    """The id of the connection that it was kept for, on that node."""
    groups: dict[str, bytes | None]
    """What was said when each group was joined, by the group's name."""


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Stored).decode


class Sessions:
    """The sessions of this node's connections, and those that clients come back for."""

    def __init__(self, hub: Hub, presence: Presence) -> None:
        self._hub = hub
        self._presence = presence
        self._held: dict[str, Connection[Any, Any]] = {}
        self._leaving: dict[str, tuple[Connection[Any, Any], asyncio.Task[Any]]] = {}
        self._next = 0.0
        hub.on_told = self._end_elsewhere

    # --- beginning --------------------------------------------------------------------------------------------------

    async def begin(self, connection: Connection[Any, Any], asked: control.Resume, streams: Sequence[str]) -> None:
        """Begin a session, or go on with the one that is asked for; `streams` are those that every connection gets.

        Raises Unavailable when the backplane cannot be asked for the session, or has no history to give just now, and
        ConnectionClosed.
        """
        stored = await self._load(asked.session) if asked.session else None
        if stored is not None and (stored.principal, stored.path) != (
            connection.principal.id,
            connection.handshake.path,
        ):
            _log.warning("a session is asked for that is somebody else's", extra={"connection": connection.id})
            stored = None
        if stored is None:
            connection.session = secrets.token_urlsafe(18)
            self._held[connection.session] = connection
            connection.tell(control.frame_of(control.Opened(connection.session, resumed=False)))
            whole = not asked.session
            for stream in streams:
                await self._hub.add_soon(stream, connection)
            messages = 0
            connection.tell(control.frame_of(control.Recovered(whole)))
            if self._hub.options.backplane is not None:
                self._hub.start_soon(self.save(connection))  # nobody has to wait for that: each join keeps it again
        else:
            messages, whole = await self._resume(connection, asked, stored, streams)
            connection.tell(control.frame_of(control.Recovered(whole)))
        if asked.session:
            tell(self._hub.options.observers, lambda observer: observer.resumed(connection, messages, whole))

    async def _resume(
        self, connection: Connection[Any, Any], asked: control.Resume, stored: Stored, streams: Sequence[str]
    ) -> tuple[int, bool]:
        """Join everything again, and send what was missed; how much that was, and whether it was all.

        The session is this connection's from the start: should it end halfway, it can be resumed again.
        """
        connection.member_id = stored.member_id
        connection.session = asked.session
        connection.is_resumed = True
        connection.groups.update((connection.group(name), info) for name, info in stored.groups.items())
        self._take_over(connection)
        connection.tell(control.frame_of(control.Opened(asked.session, resumed=True)))
        audiences = (*[group.stream for group in connection.groups], *streams)
        self._hub.expect(audiences)
        await self._appear(connection)
        await self.save(connection)
        if stored.node != self._hub.node:  # only now: it must not forget who nobody else knows of
            self._hub.start_soon(self._tell(stored, asked.session))
        positions = {known.group: Position(known.epoch, known.offset) for known in asked.positions}
        has_told_all = len(asked.positions) < control.MOST_POSITIONS
        messages, whole = 0, True
        for stream in audiences:
            async with self._hub.held(stream) as feed:
                if not connection.is_open:
                    raise ConnectionClosed
                if stream in streams and has_told_all and feed.group not in positions:
                    feed.add(connection)  # it was cut off before it heard this one, and has missed nothing of it
                    continue
                sent, complete = await self._recover(feed, connection, positions.get(feed.group))
            messages += sent
            whole = whole and complete
        return messages, whole

    async def _appear(self, connection: Connection[Any, Any]) -> None:
        """Be present where the client was, on this node from now on. Raises Unavailable."""
        said = [(group, info) for group, info in connection.groups.items() if info is not None]
        entering = (self._presence.enter(group, connection, info) for group, info in said)
        for failed in await asyncio.gather(*entering, return_exceptions=True):
            if failed is not None:
                raise failed

    async def _recover(
        self, feed: Feed, connection: Connection[Any, Any], position: Position | None
    ) -> tuple[int, bool]:
        """Send what comes after a position, and add the connection; how much that was, and whether it was all.

        What the client does not read at once is waited for, message by message: it fills no room that live ones need.
        """
        messages, attempts = 0, 0
        while position is not None and connection.is_open and attempts < _ATTEMPTS:
            deliveries = feed.since(position)
            is_all = deliveries is not None
            if deliveries is None:
                found = await self._read(feed, position)
                if not found.complete:
                    break
                if not found.entries and not feed.is_behind(found.top):
                    attempts += 1
                    await feed.look_at(found.top, self._hub.options.publish_timeout)
                    continue
                # Where there are none, what this node has still to get is what the client has already.
                is_all = not found.entries
                deliveries = feed.deliveries_of(found)
            for delivery in deliveries:
                delivery.post_to(connection)
                position = Position(position.epoch, delivery.offset)
                if not connection.is_clear:
                    is_all = False  # there may be more by then
                    await connection.caught_up()
            messages += len(deliveries)
            if is_all:
                feed.add(connection, told=True)
                return messages, True
        if connection.is_open:
            feed.add(connection, lost=True)
        return messages, False

    async def _read(self, feed: Feed, position: Position) -> Slice:
        seconds = self._hub.options.publish_timeout
        return await self._hub.uplink.attempt(lambda line: line.read(feed.stream, position, PART), seconds)

    # --- keeping ----------------------------------------------------------------------------------------------------

    async def save(self, connection: Connection[Any, Any]) -> None:
        """Keep a session as it is now. Where the backplane does not take it, it is kept when it does again.

        Where there is nobody but this node, it knows its sessions anyhow until they end.
        """
        if connection.session and self._hub.options.backplane is not None:
            await self._keep(connection.session, connection)

    async def keep_in_time(self, line: Line) -> None:
        """Keep all sessions for longer, when it is time. Raises BackplaneError."""
        now = time.monotonic()
        if now >= self._next:
            await self.keep(line)
            self._next = now + self._hub.options.session_timeout / 3

    async def keep(self, line: Line) -> None:
        """Keep all sessions for longer. Raises BackplaneError."""
        keys = list(self._held)
        for start in range(0, len(keys), _KEPT_AT_ONCE):
            some = keys[start : start + _KEPT_AT_ONCE]  # as they are when they are written, not before
            values = {_name(key): self._stored(self._held[key]) for key in some if key in self._held}
            await line.keep(values, self._hub.options.session_timeout)

    async def _keep(self, key: str, connection: Connection[Any, Any]) -> None:
        options = self._hub.options

        async def keep(line: Line) -> None:
            if connection.session == key:  # else another connection has it by now
                await line.keep({_name(key): self._stored(connection)}, options.session_timeout)

        try:
            await self._hub.uplink.attempt(keep, options.publish_timeout)
        except Unavailable:
            self._next = 0.0
            _log.info("a session could not be kept for now")

    def _stored(self, connection: Connection[Any, Any]) -> bytes:
        groups = {group.name: info for group, info in connection.groups.items()}
        path, who = connection.handshake.path, connection.principal.id
        return _encode(Stored(connection.member_id, who, path, self._hub.node, connection.id, groups))

    async def _load(self, key: str) -> Stored | None:
        held = self._held.get(key)
        if held is not None:
            return _decode(self._stored(held))  # its connection is not known to have ended yet
        return await self._kept(key)

    async def _kept(self, key: str) -> Stored | None:
        kept = await self._hub.uplink.attempt(lambda line: line.kept(_name(key)), self._hub.options.publish_timeout)
        try:
            return None if kept is None else _decode(kept)
        except msgspec.MsgspecError:
            return None

    # --- ending -----------------------------------------------------------------------------------------------------

    def _take_over(self, connection: Connection[Any, Any]) -> None:
        """The client is here now: what was left of its connection on this node ends, without anybody having left."""
        key = connection.session
        held, left = self._held.get(key), self._leaving.pop(key, None)
        self._held[key] = connection
        if held is not None:
            _silence(held)
        if left is not None:
            before, leaving = left
            leaving.cancel()
            for group in before.groups:
                if group not in connection.groups:
                    self._hub.start_soon(self._presence.leave(group, connection.member_id))

    async def _tell(self, stored: Stored, key: str) -> None:
        """Have another node let go of a connection."""
        data, seconds = f"{key} {stored.connection}".encode(), self._hub.options.publish_timeout
        try:
            await self._hub.uplink.publish(node_stream(stored.node), data, _TO_NODES, seconds)
        except Unavailable:
            _log.info("a node could not be told that its client has come back elsewhere")

    def _end_elsewhere(self, data: bytes) -> None:
        """The client of a connection is with another node now, which knows of its presence. It may be back here already."""
        key, _, connection = data.decode(errors="replace").partition(" ")
        held, left = self._held.get(key), self._leaving.get(key)
        if held is not None and held.id == connection:
            del self._held[key]
            _silence(held)
            self._hand_over(held)
        if left is not None and left[0].id == connection:
            del self._leaving[key]
            left[1].cancel()
            self._hand_over(left[0])

    def _hand_over(self, connection: Connection[Any, Any]) -> None:
        for group in connection.groups:
            self._presence.hand_over(group, connection.member_id)

    async def ended(self, connection: Connection[Any, Any], *, comes_back: bool) -> None:
        """A connection has ended; `comes_back` says whether its client may."""
        key = connection.session
        if not key:
            if not connection.is_placed:  # else it was superseded, or nothing had begun
                await self._leave(connection)
            return
        if self._held.get(key) is connection:
            del self._held[key]
        if comes_back and any(info is not None for info in connection.groups.values()):
            self._leaving[key] = connection, self._hub.start_soon(self._leave_late(key, connection))
        if not await self._is_latest(key, connection):
            return  # nor is anything dropped that another node has placed
        if comes_back:
            await self._keep(key, connection)
            return
        await self._leave(connection)
        await self._hub.uplink.attempt(lambda line: line.discard(_name(key)), self._hub.options.publish_timeout)

    async def _is_latest(self, key: str, connection: Connection[Any, Any]) -> bool:
        """Whether the client has not come back to another node, which may not have been able to say so."""
        if self._hub.options.backplane is None:
            return True
        try:
            stored = await self._kept(key)
        except Unavailable:
            return True
        if stored is None or stored.connection == connection.id:
            return True
        if key not in self._leaving:
            await self._leave(connection)
        return False

    async def _leave_late(self, key: str, connection: Connection[Any, Any]) -> None:
        await asyncio.sleep(self._hub.options.presence_grace)
        del self._leaving[key]
        await self._leave(connection)

    async def _leave(self, connection: Connection[Any, Any]) -> None:
        for group, info in tuple(connection.groups.items()):
            if info is not None:
                await self._presence.leave(group, connection.member_id)


def _silence(connection: Connection[Any, Any]) -> None:
    """Nothing more comes of a connection, and nobody hears that it has ended."""
    connection.session = ""
    connection.ended()
    connection.abort()


def _name(key: str) -> str:
    return f"session {key}"
