"""A fleet in one process: nodes in memory that share a backplane, and clients that can be cut off and sent elsewhere."""

# What is forgotten in the end is not for anybody to see otherwise.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct

from chat import ChatServer, RoomClient, RoomConnection, RoomParameters, messages
from sockspec.runtime import ClientOptions, Group, Handshake, Options, Principal, now
from sockspec.runtime.backoff import Ending
from sockspec.runtime.backplane.line import Backplane, Line, Record
from sockspec.runtime.fleet.control import HEADER, VERSION
from sockspec.runtime.fleet.hub import Hub
from sockspec.runtime.fleet.presence import Member
from sockspec.runtime.fleet.recovery import Recovery
from sockspec.runtime.testing import End, Host
from sockspec.runtime.transport import ClientTransport, ConnectionClosed

QUICK = ClientOptions(backoff_base=0.01, backoff_cap=0.05, max_attempts=1000, max_retry_after=0.05)
"""For clients that are to be back soon."""
PATIENCE = 5.0
"""Seconds for anything that has to happen."""
QUIETLY_IN, QUIETLY_OUT = 1, 2
"""What `getHistory` is asked for to enter the room, and to leave it, without anybody hearing of it."""
HEADERS = {HEADER: VERSION}
"""By which a client asks to be told where messages stand."""


class Nickname(Struct):
    """What is said about a member."""

    nickname: str


class Hall(ChatServer):
    """Whoever joins hears all that is said in their room from then on, and who comes and leaves."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.went: list[str] = []
        self.here: dict[str, RoomConnection] = {}
        """The latest connection of each principal."""
        self.changed = asyncio.Event()

    async def room_opened(self, connection: RoomConnection) -> None:
        self.here[connection.principal.id] = connection

    async def room_closed(self, connection: RoomConnection) -> None:
        if self.here.get(connection.principal.id) is connection:
            del self.here[connection.principal.id]

    async def verify_access_token(self, token: str, handshake: Handshake[RoomParameters]) -> Principal:
        return Principal(id=token)

    def room(self, connection: RoomConnection) -> Group[messages.RoomFromServer]:
        """The group of a connection's room."""
        return connection.group(connection.parameters.room)

    async def join(self, connection: RoomConnection, message: messages.Join) -> None:
        await self.room(connection).join(connection, Nickname(message.data.nickname))

    async def leave(self, connection: RoomConnection, message: messages.Leave) -> None:
        await connection.close()

    async def send_message(self, connection: RoomConnection, message: messages.SendMessage) -> None:
        exclude = (connection,) if message.data.text.startswith("to others") else ()
        await self.room(connection).broadcast(
            posted(message.data.text, author=connection.principal.id), exclude=exclude
        )

    async def get_history(self, connection: RoomConnection, message: messages.GetHistory) -> messages.History:
        if message.data.limit == QUIETLY_IN:
            await self.room(connection).join(connection)
        elif message.data.limit == QUIETLY_OUT:
            await self.room(connection).leave(connection)
        nickname = connection.principal.id
        data = messages.PresenceData(nickname=nickname, presence=messages.Presence.AWAY)
        await connection.send_presence_changed(data=data)
        nothing = messages.HistoryData(messages=[], has_more=False)
        return messages.History(id=message.id, timestamp=now(), data=nothing)

    async def member_joined(self, group: Group[Any], member: Member[Any]) -> None:
        self.came.append(member.of(Nickname).info.nickname)
        self.changed.set()
        await self.announce(group, member, messages.Presence.ONLINE)

    async def member_left(self, group: Group[Any], member: Member[Any]) -> None:
        self.went.append(member.of(Nickname).info.nickname)
        self.changed.set()
        await self.announce(group, member, messages.Presence.OFFLINE)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something holds of who came and went."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def announce(self, group: Group[Any], member: Member[Any], presence: messages.Presence) -> None:
        """Tell a room who came or left."""
        data = messages.PresenceData(nickname=member.of(Nickname).info.nickname, presence=presence)
        await group.broadcast(messages.PresenceChanged(data=data, timestamp=now()))


async def _records(table: str, line: Line) -> tuple[Record, ...]:
    return await line.records(table)


def posted(text: str, *, author: str = "somebody") -> messages.MessagePosted:
    """Something said."""
    said = messages.ChatMessage(id=uuid.uuid4(), room="lobby", author=author, text=text, posted_at=now())
    return messages.MessagePosted(data=said, timestamp=now())


class Person:
    """A client, what it has heard, and the node that it is to connect to."""

    def __init__(self, fleet: Fleet, name: str, *, at: int, room: str, options: ClientOptions) -> None:
        self.name = name
        self.at = at
        self.client = RoomClient(room=room, url="ws://127.0.0.1/v1", token=name, options=options)
        self.heard: list[str] = []
        self.presences: list[str] = []
        self.recoveries: list[Recovery] = []
        self.changed = asyncio.Event()
        self._fleet = fleet
        self._end: End | None = None
        self.client.dial_by(self._dial)
        self.client.on(messages.MessagePosted, lambda m: self._note(self.heard, m.data.text))
        self.client.on(
            messages.PresenceChanged, lambda m: self._note(self.presences, f"{m.data.nickname} {m.data.presence.value}")
        )
        self.client.on_recovery(lambda recovery: self._note(self.recoveries, recovery))

    def _note(self, where: list[Any], what: object) -> None:
        where.append(what)
        self.changed.set()

    async def _dial(
        self, url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], options: ClientOptions
    ) -> ClientTransport | Ending:
        host = self._fleet.hosts[self.at]
        if host is None:
            return Ending(reason="there is no such node")
        end = await host.dial(url, headers=headers, subprotocols=subprotocols, options=options)
        if isinstance(end, End):
            self._end = end
        return end

    async def enter(self) -> None:
        """Join the room."""
        await self.client.send_join(data=messages.JoinData(nickname=self.name))
        await self.until(lambda: f"{self.name} online" in self.presences)

    @property
    def is_with_local(self) -> bool:
        """Whether its node has everything in its own process."""
        return self._fleet.backplane is None or not self._fleet.backplane.is_shared

    async def enter_quietly(self) -> None:
        """Join the room, which nobody is told."""
        await self._ask(QUIETLY_IN)

    async def leave_quietly(self) -> None:
        """Leave the room, which nobody is told."""
        await self._ask(QUIETLY_OUT)

    async def _ask(self, what: int) -> None:
        """Ask, and wait until all has been heard that came before the answer."""
        away = f"{self.name} away"
        before = self.presences.count(away)
        await self.client.get_history(data=messages.GetHistoryData(limit=what))
        await self.until(lambda: self.presences.count(away) > before)

    @property
    def end(self) -> End:
        """The client's end of its connection."""
        assert self._end is not None
        return self._end

    async def say(self, text: str) -> None:
        """Say something."""
        await self.client.send_message(data=messages.SendMessageData(text=text))

    async def hears(self, *texts: str) -> None:
        """Wait until these were heard."""
        await self.until(lambda: set(texts) <= set(self.heard))

    async def hears_so_many(self, count: int) -> None:
        """Wait until so many messages were heard."""
        await self.until(lambda: len(self.heard) >= count)

    async def is_back(self, times: int = 1) -> None:
        """Wait until the client has come back so often, and has got what it missed."""
        await self.until(lambda: len(self.recoveries) >= times)

    def cut(self, *, to: int | None = None) -> None:
        """Break the connection off; the next one goes to another node."""
        self.at = self.at if to is None else to
        assert self._end is not None
        self._end.abort()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something holds of what was heard."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


class Peer:
    """A client that speaks by frames, and can do what ours never does."""

    def __init__(self, end: End) -> None:
        self.end = end
        self.told: list[dict[str, Any]] = []
        """All that it was sent, of which `texts` are those of what was said."""

    async def resume(self, session: str = "", *positions: Mapping[str, object]) -> dict[str, Any]:
        """Ask for a session; what the server says to that."""
        message = {"type": "sockspec.resume", "session": session, "positions": positions}
        await self.end.send(msgspec.json.encode(message).decode())
        return await self.next("sockspec.session")

    async def begin(self) -> str:
        """Begin a session, and wait until it hears all that everybody does."""
        session: str = (await self.resume())["session"]
        while self.kinds.count("sockspec.joined") < 2:
            await self.next("sockspec.joined")
        return session

    async def join(self) -> None:
        """Enter the room, which nobody is told."""
        data = {
            "type": "getHistory",
            "id": str(uuid.uuid4()),
            "timestamp": str(now().isoformat()),
            "data": {"limit": 1},
        }
        await self.end.send(msgspec.json.encode(data).decode())
        await self.next("history")

    async def next(self, kind: str) -> dict[str, Any]:
        """The next message of a type."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self.told.append(msgspec.json.decode(await self.end.receive()))
                if self.told[-1]["type"] == kind:
                    return self.told[-1]

    async def hear(self, text: str) -> None:
        """Wait until something was said."""
        while text not in self.texts:
            await self.next("messagePosted")

    async def ended(self) -> ConnectionClosed:
        """How the connection ends."""
        try:
            await self.next("")
        except ConnectionClosed as closed:
            return closed
        raise AssertionError("it goes on")

    @property
    def texts(self) -> list[str]:
        """What was said."""
        return [one["data"]["text"] for one in self.told if one["type"] == "messagePosted"]

    @property
    def kinds(self) -> list[str]:
        """The types of what it was sent."""
        return [one["type"] for one in self.told]

    @property
    def positions(self) -> list[dict[str, object]]:
        """Up to where it has received each group."""
        found: dict[str, dict[str, object]] = {}
        for one in self.told:
            if one["type"] == "sockspec.joined":
                found[one["group"]] = {key: one[key] for key in ("group", "epoch", "offset")}
            elif one["type"] == "sockspec.position":
                found[one["group"]]["offset"] = one["offset"]
        return list(found.values())


class Fleet:
    """Nodes that share a backplane."""

    def __init__(self, backplane: Backplane | None, options: Options) -> None:
        self.backplane = backplane
        self.options = options
        self.halls: list[Hall] = []
        self.hosts: list[Host | None] = []
        self.all: list[Host] = []
        self.stack = AsyncExitStack()

    async def add(self, hall: Hall | None = None) -> Hall:
        """Start another node."""
        hall = hall or Hall()
        host = Host(hall, options=self.options)
        await self.stack.enter_async_context(host)
        await host.dispatcher.start()
        self.halls.append(hall)
        self.hosts.append(host)
        self.all.append(host)
        return hall

    def hub(self, at: int) -> Hub:
        """The heart of a node."""
        return self.all[at].dispatcher.node.hub

    async def kill(self, at: int) -> None:
        """End a node as a crash does: nobody is told, and its connections break off."""
        host = self.hosts[at]
        assert host is not None
        self.hosts[at] = None
        await self.hub(at).uplink.stop()
        for conversation in tuple(host.dispatcher._conversations):
            conversation._connection.abort()

    async def raw(
        self, at: int = 0, *, name: str = "ann", room: str = "lobby", subprotocols: Sequence[str] = (), **headers: str
    ) -> End:
        """A connection that sends and gets frames as they are."""
        host = self.hosts[at]
        assert host is not None
        end = await host.dial(
            f"ws://127.0.0.1/v1/rooms/{room}",
            headers={"Authorization": f"Bearer {name}", **headers},
            subprotocols=subprotocols,
            options=ClientOptions(),
        )
        assert isinstance(end, End), end
        return end

    async def peer(self, at: int = 0, *, name: str = "ann", room: str = "lobby") -> Peer:
        """One that can resume."""
        return Peer(await self.raw(at, name=name, room=room, **HEADERS))

    async def subscribed(self, at: int, *streams: str) -> None:
        """Wait until a node hears these streams."""
        async with asyncio.timeout(PATIENCE):
            for stream in streams:
                await self.hub(at).feed(stream).ready()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something holds of which nobody tells."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.002)

    async def records(self, *tables: str) -> dict[str, tuple[str, ...]]:
        """The keys of what the engine still has of living nodes, in tables of ours."""
        known = tables or ("presence group /v1/rooms/{room} lobby", "seats everything a", "seats everything b")
        found: dict[str, tuple[str, ...]] = {}
        for table in known:
            records = await self.hub(0).uplink.attempt(partial(_records, table), PATIENCE)
            if records:
                found[table] = tuple(record.key for record in records)
        return found

    async def leftovers(self) -> dict[str, object]:
        """What there is in the end of connections on nodes that should have been forgotten."""
        with suppress(TimeoutError):
            await self.until(lambda: not self._held())
        return self._held()

    def _held(self) -> dict[str, object]:
        found: dict[str, object] = {}
        for number, host in enumerate(self.all):
            node = host.dispatcher.node
            held = {
                "members": [feed.stream for feed in node.hub._feeds.values() if feed.members or feed._coming],
                "sessions": list(node.sessions._held),
                "leaving": list(node.sessions._leaving),
                "presence": list(node.presence._held),
                "seats": list(node.seats._held),
                "farewells": list(node.hub._farewells),
            }
            found |= {f"{what} of node {number}": left for what, left in held.items() if left}
        return found

    @asynccontextmanager
    async def person(
        self, name: str, *, at: int = 0, room: str = "lobby", options: ClientOptions = QUICK
    ) -> AsyncGenerator[Person]:
        """Somebody who is connected while the block lasts."""
        person = Person(self, name, at=at, room=room, options=options)
        async with person.client:
            yield person


@asynccontextmanager
async def fleet(backplane: Backplane | None, nodes: int = 2, **options: Any) -> AsyncGenerator[Fleet]:
    """A fleet while the block lasts."""
    found = Fleet(backplane, Options(backplane=backplane, **options))
    async with found.stack:
        for _ in range(nodes):
            await found.add()
        yield found
