"""What a server has to do with its fleet: connections come, join groups, and end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

from sockspec.runtime.backplane.line import Line
from sockspec.runtime.fleet import control
from sockspec.runtime.fleet.hub import Hub
from sockspec.runtime.fleet.presence import Presence
from sockspec.runtime.fleet.publication import everybody_stream, principal_stream
from sockspec.runtime.fleet.seats import Seats, SharedRate
from sockspec.runtime.fleet.sessions import Sessions
from sockspec.runtime.fleet.uplink import Unavailable
from sockspec.runtime.options import Options

if TYPE_CHECKING:
    from sockspec.runtime.connection import Connection
    from sockspec.runtime.groups import Group


class Node:
    """One node of a fleet, which is one process as a rule."""

    def __init__(self, options: Options) -> None:
        self.options: Final = options
        self.hub: Final = Hub(options)
        self.presence: Final = Presence(self.hub)
        self.sessions: Final = Sessions(self.hub, self.presence)
        self.seats: Final = Seats(self.hub)
        self.users = 0
        """How many ways of serving it is used by."""
        self._rates: WeakValueDictionary[str, SharedRate] = WeakValueDictionary()
        self.hub.lease.on_forgotten = self._tell_again
        self.hub.on_tick += (self.sessions.keep_in_time, self.seats.tell_unsure)

    @property
    def is_usable(self) -> bool:
        """Whether it can serve: it has not stopped, nor has the loop that it was started in."""
        return self.hub.is_usable

    @property
    def is_running(self) -> bool:
        """Whether somebody serves by it."""
        return self.users > 0

    @property
    def degraded(self) -> str:
        """Why not everything works just now; empty when it does."""
        return self.hub.degraded

    async def stop(self) -> None:
        """Leave the fleet. Clients that come back elsewhere have a little time to do so before others hear that they left."""
        await self.hub.stop(self.options.presence_grace if self.options.resume else 0.0)

    async def welcome(self, connection: Connection[Any, Any], asked: control.Resume | None) -> None:
        """A connection was opened, by a client that can resume if it asks. Raises Unavailable and ConnectionClosed."""
        await self.hub.start()
        path, who = connection.route.path, connection.principal.id
        streams = (everybody_stream(path), principal_stream(path, who)) if who else (everybody_stream(path),)
        if asked is not None:
            await self.sessions.begin(connection, asked, streams)
            return
        for stream in streams:
            await self.hub.add_soon(stream, connection)

    async def enter(self, group: Group[Any], connection: Connection[Any, Any], info: bytes | None) -> None:
        """A connection joins a group, or not: then it raises Unavailable. Who calls `leave` meanwhile has left."""
        groups = connection.groups
        was_in, before = group in groups, groups.get(group)
        if was_in and before == info and connection in group:
            return
        groups[group] = info
        try:
            async with self.hub.held(group.stream) as feed:
                await self.sessions.save(connection)  # first: what the client knows to be in, it has to get back
                if not connection.is_open or not _is_still(group, info, connection):
                    return
                if connection not in feed.members:
                    feed.add(connection)
                await self._appear(group, connection, before, info)
        except Unavailable:
            if not was_in and _is_still(group, info, connection):
                del groups[group]
                self._unhear(group, connection)
                self.hub.start_soon(self.sessions.save(connection))
            raise

    async def _appear(
        self, group: Group[Any], connection: Connection[Any, Any], before: bytes | None, info: bytes | None
    ) -> None:
        """Let others know what was said about a member. Raises Unavailable."""
        member = connection.member_id
        if info is None:
            if before is not None:
                await self.presence.leave(group, member)
            return
        try:
            await self.presence.enter(group, connection, info)
        except Unavailable:
            if before is None:
                await self.presence.leave(group, member, silently=True)
            raise

    def _unhear(self, group: Group[Any], connection: Connection[Any, Any]) -> None:
        feed = self.hub.local_feed(group.stream)
        if feed is not None and connection in feed.members:
            feed.remove(connection, told=True)

    async def leave(self, group: Group[Any], connection: Connection[Any, Any]) -> None:
        """A connection leaves a group."""
        self._unhear(group, connection)
        if group not in connection.groups:
            return
        info = connection.groups.pop(group)
        await self.sessions.save(connection)
        if info is not None and group not in connection.groups:
            await self.presence.leave(group, connection.member_id)

    def ended(self, connection: Connection[Any, Any], *, comes_back: bool) -> None:
        """A connection has ended."""
        if connection.groups or connection.session:
            self.hub.start_soon(self.sessions.ended(connection, comes_back=comes_back), farewell=True)

    async def spend(self, name: str, seconds: float) -> bool:
        """Use a name up, on all nodes, for so many seconds; False when that has been done. Raises Unavailable."""
        await self.hub.start()
        wait = await self.hub.uplink.attempt(
            lambda line: line.take(f"spent {name}", 1, rate=1 / seconds, burst=1), self.options.publish_timeout
        )
        return wait == 0.0

    def rate(self, name: str, rate: float, burst: int) -> SharedRate:
        """The rate of a principal's messages."""
        shared = self._rates.get(name)
        if shared is None:
            shared = self._rates[name] = SharedRate(self.hub, name, rate, burst)
        return shared

    async def _tell_again(self, line: Line, everything: bool) -> None:
        """The backplane has forgotten this node, or everything. Raises BackplaneError."""
        await self.seats.tell_again(line)
        await self.presence.tell_again(line, silently=everything)
        await self.sessions.keep(line)


def _is_still(group: Group[Any], info: bytes | None, connection: Connection[Any, Any]) -> bool:
    return group in connection.groups and connection.groups[group] is info
