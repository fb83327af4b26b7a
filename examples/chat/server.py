"""A chat server on the generated package: rooms in memory, one process.

    PYTHONPATH=generated python examples/chat/server.py --port 8765

A token is the name of whoever bears it: good enough for a demonstration, and for nothing else.
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import uuid
from collections import deque
from dataclasses import dataclass, field

from msgspec import UNSET

from chat import ChatServer, RoomConnection, RoomParameters, messages
from sockspec.runtime import Handshake, Principal, Problem, Refused, now
from sockspec.runtime.problems import FORBIDDEN

HISTORY = 1000
"""How many messages of a room are kept."""


@dataclass(slots=True)
class Room:
    """Who is in a room, and what was said there."""

    name: str
    members: dict[RoomConnection, str] = field(default_factory=dict[RoomConnection, str])
    said: deque[messages.ChatMessage] = field(default_factory=lambda: deque(maxlen=HISTORY))


class Chat(ChatServer):
    """Who says something has to have joined; everybody in the room hears it."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}

    async def verify_access_token(self, token: str, handshake: Handshake[RoomParameters]) -> Principal:
        return Principal(id=token)

    async def join(self, connection: RoomConnection, message: messages.Join) -> None:
        room = self._room(connection)
        room.members[connection] = message.data.nickname
        await self.group(RoomConnection, room.name).join(connection)
        await self._announce(room, message.data.nickname, messages.Presence.ONLINE)

    async def leave(self, connection: RoomConnection, message: messages.Leave) -> None:
        await connection.close()

    async def send_message(self, connection: RoomConnection, message: messages.SendMessage) -> None:
        room = self._room(connection)
        said = messages.ChatMessage(
            id=uuid.uuid4(),
            room=room.name,
            author=self._nickname(room, connection),
            text=message.data.text,
            posted_at=now(),
            reply_to=message.data.reply_to,
        )
        room.said.append(said)
        await self._tell(room, messages.MessagePosted(data=said, timestamp=now()))

    async def get_history(self, connection: RoomConnection, message: messages.GetHistory) -> messages.History:
        room = self._room(connection)
        self._nickname(room, connection)
        before = dt.datetime.max.replace(tzinfo=dt.UTC) if message.data.before is UNSET else message.data.before
        earlier = [said for said in room.said if said.posted_at < before]
        page = earlier[-message.data.limit :]
        data = messages.HistoryData(messages=page, has_more=len(page) < len(earlier))
        return messages.History(id=message.id, timestamp=now(), data=data)

    async def room_closed(self, connection: RoomConnection) -> None:
        room = self._room(connection)
        nickname = room.members.pop(connection, None)
        if nickname is not None:
            await self._announce(room, nickname, messages.Presence.OFFLINE)
        if not room.members:
            self._rooms.pop(room.name, None)

    def _room(self, connection: RoomConnection) -> Room:
        return self._rooms.setdefault(connection.parameters.room, Room(connection.parameters.room))

    def _nickname(self, room: Room, connection: RoomConnection) -> str:
        nickname = room.members.get(connection)
        if nickname is None:
            raise Refused(Problem.of(FORBIDDEN, "join the room first"))
        return nickname

    async def _announce(self, room: Room, nickname: str, presence: messages.Presence) -> None:
        data = messages.PresenceData(nickname=nickname, presence=presence)
        await self._tell(room, messages.PresenceChanged(data=data, timestamp=now()))

    async def _tell(self, room: Room, message: messages.RoomFromServer) -> None:
        """Send something to everybody in the room."""
        await self.group(RoomConnection, room.name).broadcast(message)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="A chat server on the generated package.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    Chat().run(arguments.host, arguments.port, ready=lambda running: print(running.url, flush=True))


if __name__ == "__main__":
    main()
