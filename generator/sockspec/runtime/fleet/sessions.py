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
from sockspec.runtime.fleet.feed import PART, Feed
from sockspec.runtime.fleet.hub import Hub
from sockspec.runtime.fleet.presence import Presence
from sockspec.runtime.fleet.publication import node_stream
from sockspec.runtime.fleet.uplink import Unavailable
from sockspec.runtime.observer import tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sockspec.runtime.connection import Connection

_log: Final = logging.getLogger("sockspec.server")

_AT_ONCE: Final = 64
"""How many messages that were missed are sent before the client has to read them."""
_NO_HISTORY: Final = History(size=0, seconds=60.0)
_KEPT_AT_ONCE: Final = 500
_ATTEMPTS: Final = 3


class Stored(msgspec.Struct, frozen=True, array_like=True):
    """A session as the backplane keeps it."""

    member_id: str
    principal: str
    path: str
    """The path that the client connected to: it can come back to no other."""
    node: str
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
        self._leaving: dict[str, asyncio.Task[Any]] = {}
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
            connection.post(control.frame_of(control.Opened(connection.session, resumed=False)))
            whole = not asked.session
            for stream in streams:
                await self.add_soon(stream, connection)
            messages = 0
        else:
            messages, whole = await self._resume(connection, asked, stored, streams)
        connection.post(control.frame_of(control.Recovered(whole)))
        if asked.session:
            tell(self._hub.options.observers, lambda observer: observer.resumed(connection, messages, whole))
        await self.save(connection)

    async def add_soon(self, stream: str, connection: Connection[Any, Any]) -> None:
        """Have a connection hear a stream as soon as the node is subscribed to it, without waiting for that."""
        if self._hub.is_ready(stream):
            (await self._hub.ready(stream)).add(connection)
        else:
            self._hub.start_soon(self._add(stream, connection))

    async def _add(self, stream: str, connection: Connection[Any, Any]) -> None:
        feed = await self._hub.ready(stream)
        if connection.is_open and connection not in feed.members:
            feed.add(connection)

    async def _resume(
        self, connection: Connection[Any, Any], asked: control.Resume, stored: Stored, streams: Sequence[str]
    ) -> tuple[int, bool]:
        """Join everything again, and send what was missed; how much that was, and whether it was all."""
        connection.member_id = stored.member_id
        connection.session = asked.session
        connection.is_resumed = True
        self._supersede(asked.session, stored.node)
        self._held[asked.session] = connection
        connection.post(control.frame_of(control.Opened(asked.session, resumed=True)))
        groups = {connection.group(name): info for name, info in stored.groups.items()}
        positions = {known.group: Position(known.epoch, known.offset) for known in asked.positions}
        messages, whole = 0, True
        for stream in (*(group.stream for group in groups), *streams):
            feed = await self._hub.ready(stream, self._hub.options.publish_timeout)
            sent, complete = await self._recover(feed, connection, positions.get(feed.group))
            messages += sent
            whole = whole and complete
        for group, info in groups.items():
            connection.groups[group] = info
            if info is not None:
                await self._presence.enter(group, connection, info)
        return messages, whole

    async def _recover(
        self, feed: Feed, connection: Connection[Any, Any], position: Position | None
    ) -> tuple[int, bool]:
        """Send what comes after a position, and add the connection; how much that was, and whether it was all."""
        messages, attempts = 0, 0
        while position is not None and connection.is_open and attempts < _ATTEMPTS:
            deliveries, is_all = feed.since(position), True
            if deliveries is None:
                found = await self._read(feed, position)
                if not found.complete:
                    break
                if not found.entries and feed.is_behind(found.top):
                    deliveries = ()  # what this node has still to get is what the client has already
                elif not found.entries:
                    attempts += 1
                    await feed.look_at(found.top)
                    continue
                else:
                    deliveries, is_all = feed.deliveries_of(found), False
            for delivery in deliveries[:_AT_ONCE]:
                delivery.post_to(connection)
                position = Position(position.epoch, delivery.offset)
            messages += len(deliveries[:_AT_ONCE])
            if is_all and len(deliveries) <= _AT_ONCE:
                feed.add(connection, told=True)
                return messages, True
            await connection.caught_up()
        if connection.is_open:
            feed.add(connection, lost=True)
        return messages, False

    async def _read(self, feed: Feed, position: Position) -> Slice:
        seconds = self._hub.options.publish_timeout
        return await self._hub.uplink.attempt(lambda line: line.read(feed.stream, position, PART), seconds)

    # --- keeping ----------------------------------------------------------------------------------------------------

    async def save(self, connection: Connection[Any, Any]) -> None:
        """Keep a session as it is now. Where the backplane does not take it, it is kept when it does again."""
        if connection.session:
            await self._keep(connection.session, connection)

    async def keep_in_time(self, line: Line) -> None:
        """Keep all sessions for longer, when it is time. Raises BackplaneError."""
        now = time.monotonic()
        if now >= self._next:
            await self.keep(line)
            self._next = now + self._hub.options.session_timeout / 3

    async def keep(self, line: Line) -> None:
        """Keep all sessions for longer. Raises BackplaneError."""
        held = list(self._held.items())
        for start in range(0, len(held), _KEPT_AT_ONCE):
            some = held[start : start + _KEPT_AT_ONCE]
            # Only now, for a group may have been joined while others were kept.
            values = {_name(key): self._stored(one) for key, one in some if self._held.get(key) is one}
            await line.keep(values, self._hub.options.session_timeout)

    async def _keep(self, key: str, connection: Connection[Any, Any]) -> None:
        options = self._hub.options

        async def keep(line: Line) -> None:
            # As it is at each attempt: a late one must not undo what was kept meanwhile.
            await line.keep({_name(key): self._stored(connection)}, options.session_timeout)

        try:
            await self._hub.uplink.attempt(keep, options.publish_timeout)
        except Unavailable:
            _log.info("a session could not be kept for now")

    def _stored(self, connection: Connection[Any, Any]) -> bytes:
        groups = {group.name: info for group, info in connection.groups.items()}
        path, who = connection.handshake.path, connection.principal.id
        return _encode(Stored(connection.member_id, who, path, self._hub.node, groups))

    async def _load(self, key: str) -> Stored | None:
        held = self._held.get(key)
        if held is not None:
            return _decode(self._stored(held))  # its connection is not known to have ended yet
        kept = await self._hub.uplink.attempt(lambda line: line.kept(_name(key)), self._hub.options.publish_timeout)
        try:
            return None if kept is None else _decode(kept)
        except msgspec.MsgspecError:
            return None

    # --- ending -----------------------------------------------------------------------------------------------------

    def _supersede(self, key: str, node: str) -> None:
        """The client is here now: whatever was left of its connection elsewhere ends, without anybody having left."""
        leaving = self._leaving.pop(key, None)
        if leaving is not None:
            leaving.cancel()
        if key in self._held:
            self._end_here(key)
        elif node != self._hub.node and node in self._hub.nodes:
            self._hub.start_soon(self._tell(node, key))

    async def _tell(self, node: str, key: str) -> None:
        seconds = self._hub.options.publish_timeout
        try:
            await self._hub.uplink.publish(node_stream(node), key.encode(), _NO_HISTORY, seconds)
        except Unavailable:
            _log.info("a node could not be told that its client has come back elsewhere")

    def _end_elsewhere(self, data: bytes) -> None:
        key = data.decode(errors="replace")
        leaving = self._leaving.pop(key, None)
        if leaving is not None:
            leaving.cancel()
        if key in self._held:
            self._end_here(key)

    def _end_here(self, key: str) -> None:
        connection = self._held.pop(key)
        connection.session = ""
        for group in connection.groups:
            self._presence.hand_over(group, connection.member_id)
        connection.abort()

    async def ended(self, connection: Connection[Any, Any], *, comes_back: bool) -> None:
        """A connection has ended; `comes_back` says whether its client may."""
        key = connection.session
        if not key:
            if not connection.is_placed:  # else it was superseded, or nothing had begun
                await self._leave(connection)
            return
        self._held.pop(key, None)
        if comes_back:
            self._hub.start_soon(self._keep(key, connection), farewell=True)
            self._leaving[key] = self._hub.start_soon(self._leave_late(key, connection))
        else:
            self._hub.start_soon(self._forget(key), farewell=True)
            await self._leave(connection)

    async def _leave_late(self, key: str, connection: Connection[Any, Any]) -> None:
        await asyncio.sleep(self._hub.options.presence_grace)
        del self._leaving[key]
        await self._leave(connection)

    async def _leave(self, connection: Connection[Any, Any]) -> None:
        for group, info in connection.groups.items():
            if info is not None:
                await self._presence.leave(group, connection.member_id)

    async def _forget(self, key: str) -> None:
        await self._hub.uplink.attempt(lambda line: line.discard(_name(key)), self._hub.options.publish_timeout)


def _name(key: str) -> str:
    return f"session {key}"
