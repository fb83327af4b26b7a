"""A chat server on the generated package: one process, or as many as you like on one Redis or NATS.

    PYTHONPATH=generated python examples/chat/server.py --port 8765
    PYTHONPATH=generated python examples/chat/server.py --port 8765 --workers 4 --backplane redis://localhost

A token is the name of whoever bears it: good enough for a demonstration, and for nothing else.
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import uuid
from typing import Any

from msgspec import UNSET, Struct

from chat import ChatServer, RoomConnection, RoomParameters, messages
from sockspec.runtime import (
    Backplane,
    Group,
    Handshake,
    History,
    Member,
    NatsBackplane,
    Options,
    Principal,
    Problem,
    RedisBackplane,
    Refused,
    now,
)
from sockspec.runtime.problems import FORBIDDEN

HISTORY = History(size=1000, seconds=24 * 3600)
"""How much of what was said in a room is kept."""


class Nickname(Struct):
    """What everybody in a room knows of the others."""

    nickname: str


class Chat(ChatServer):
    """Who says something has to have joined; everybody in the room hears it, whichever process they are connected to."""

    async def verify_access_token(self, token: str, handshake: Handshake[RoomParameters]) -> Principal:
        return Principal(id=token)

    async def join(self, connection: RoomConnection, message: messages.Join) -> None:
        await self._room(connection).join(connection, Nickname(message.data.nickname))

    async def leave(self, connection: RoomConnection, message: messages.Leave) -> None:
        await connection.close()

    async def send_message(self, connection: RoomConnection, message: messages.SendMessage) -> None:
        said = messages.ChatMessage(
            id=uuid.uuid4(),
            room=connection.parameters.room,
            author=self._nickname(connection),
            text=message.data.text,
            posted_at=now(),
            reply_to=message.data.reply_to,
        )
        await self._room(connection).broadcast(messages.MessagePosted(data=said, timestamp=now()))

    async def get_history(self, connection: RoomConnection, message: messages.GetHistory) -> messages.History:
        self._nickname(connection)
        before = dt.datetime.max.replace(tzinfo=dt.UTC) if message.data.before is UNSET else message.data.before
        kept = await self._room(connection).history(HISTORY.size)
        said = [one.data for one in kept if isinstance(one, messages.MessagePosted) and one.data.posted_at < before]
        page = said[-message.data.limit :]
        data = messages.HistoryData(messages=page, has_more=len(page) < len(said))
        return messages.History(id=message.id, timestamp=now(), data=data)

    async def member_joined(self, group: Group[Any], member: Member[Any]) -> None:
        await self._announce(group, member, messages.Presence.ONLINE)

    async def member_left(self, group: Group[Any], member: Member[Any]) -> None:
        await self._announce(group, member, messages.Presence.OFFLINE)

    def _room(self, connection: RoomConnection) -> Group[messages.RoomFromServer]:
        return self.group(RoomConnection, connection.parameters.room)

    def _nickname(self, connection: RoomConnection) -> str:
        member = self._room(connection).member(connection, Nickname)
        if member is None:
            raise Refused(Problem.of(FORBIDDEN, "join the room first"))
        return member.info.nickname

    async def _announce(self, group: Group[Any], member: Member[Any], presence: messages.Presence) -> None:
        data = messages.PresenceData(nickname=member.of(Nickname).info.nickname, presence=presence)
        await group.broadcast(messages.PresenceChanged(data=data, timestamp=now()))


def backplane(url: str) -> Backplane | None:
    """What the URL stands for: Redis, NATS, or nothing but this process."""
    if not url:
        return None
    return NatsBackplane(url) if url.startswith(("nats:", "tls:")) else RedisBackplane(url)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="A chat server on the generated package.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    parser.add_argument(
        "--workers", type=int, default=1, help="how many processes serve; more than one need a backplane"
    )
    parser.add_argument("--backplane", default="", metavar="URL", help="of a Redis or a NATS server")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    options = Options(backplane=backplane(arguments.backplane), history=HISTORY)
    Chat().run(
        arguments.host,
        arguments.port,
        options=options,
        workers=arguments.workers,
        ready=lambda running: print(running.url, flush=True),
    )


if __name__ == "__main__":
    main()
