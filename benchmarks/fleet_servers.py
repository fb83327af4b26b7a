"""The servers that `benchmarks.fleet` measures: rooms in which everybody hears what one says, on one node or several.

Who connects to `/v1/rooms/general` is in the room, and is told so; who connects to another one only speaks there.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from benchmarks.servers import LIMITS, UNANSWERED, ready, under_uvicorn
from chat import ChatServer, RoomConnection, RoomParameters, messages
from sockspec.runtime import Backplane, Handshake, NatsBackplane, Options, Principal, RedisBackplane, now

ROOM: Final = "general"
GREETING: Final = "presenceChanged"
"""What those are told who are in the room."""
_ID: Final = uuid.UUID("b7d1f0c4-9e35-4c8e-8f43-5d2a60e7c911")
_SECONDS: Final = 1.5
_ROUNDS: Final = 3


def _said(text: str) -> messages.MessagePosted:
    said = messages.ChatMessage(id=_ID, room=ROOM, author="ann", text=text, posted_at=now())
    return messages.MessagePosted(data=said, timestamp=now())


class Chat(ChatServer):
    """Tells everybody what one says."""

    async def verify_access_token(self, token: str, handshake: Handshake[RoomParameters]) -> Principal:
        return Principal(id=token)

    async def room_opened(self, connection: RoomConnection) -> None:
        if connection.parameters.room == ROOM:
            await self.group(RoomConnection, ROOM).join(connection)
            data = messages.PresenceData(nickname="ann", presence=messages.Presence.ONLINE)
            await connection.send_presence_changed(data=data)

    async def send_message(self, connection: RoomConnection, message: messages.SendMessage) -> None:
        await self.group(RoomConnection, ROOM).broadcast(_said(message.data.text))

    async def join(self, connection: RoomConnection, message: messages.Join) -> None:
        raise NotImplementedError

    async def leave(self, connection: RoomConnection, message: messages.Leave) -> None:
        raise NotImplementedError

    async def get_history(self, connection: RoomConnection, message: messages.GetHistory) -> messages.History:
        raise NotImplementedError


def _backplane(url: str) -> Backplane | None:
    if not url:
        return None
    return NatsBackplane(url) if url.startswith("nats:") else RedisBackplane(url)


def sockspec(url: str) -> None:
    """Our own server, as a node of a fleet; without a URL alone."""
    options = Options(limits=LIMITS, loop="asyncio", backplane=_backplane(url), ping_interval=UNANSWERED)
    Chat().run(port=0, options=options, ready=lambda running: ready(running.port))


def publishing(url: str) -> None:
    """Publishes to a room by itself, with 1 and with 64 under way: how many in a second, and in one of its processor's time."""

    async def publish(count: int) -> tuple[float, float]:
        end, done = time.perf_counter() + _SECONDS, 0
        group, message = chat.group(RoomConnection, ROOM), _said("Good morning, everybody!")

        async def one() -> None:
            nonlocal done
            while time.perf_counter() < end:
                await group.broadcast(message)
                done += 1

        start, spent = time.perf_counter(), time.process_time()
        await asyncio.gather(*(one() for _ in range(count)))
        return done / (time.perf_counter() - start), done / (time.process_time() - spent)

    async def main() -> None:
        async with chat.serve(port=0, options=Options(limits=LIMITS, backplane=_backplane(url))):
            for count in (1, 64):
                found = [await publish(count) for _ in range(_ROUNDS)]
                print(max(rate for rate, _ in found), max(rate for _, rate in found), flush=True)

    chat = Chat()
    asyncio.run(main())


def _host(url: str) -> dict[str, object]:
    """An engine as channel layers want it: with more connections than redis-py allows by itself, for they take many."""
    return {"address": url, "max_connections": 10_000}


def chanx(url: str, layer: str) -> None:
    """chanx on Starlette under uvicorn, with a layer of fast-channels."""
    from fast_channels.layers import redis, register_channel_layer

    from benchmarks.chanx_server import SharedRoom, shared

    register_channel_layer(SharedRoom.channel_layer_alias, getattr(redis, layer)(hosts=[_host(url)]))
    under_uvicorn(shared)


def channels(url: str, layer: str) -> None:
    """Django Channels under uvicorn, as its tutorial has it: nothing is judged."""
    import django
    from django.conf import settings

    layers = {"default": {"BACKEND": layer, "CONFIG": {"hosts": [_host(url)]}}}
    settings.configure(INSTALLED_APPS=["channels"], CHANNEL_LAYERS=layers, ALLOWED_HOSTS=["*"])
    django.setup()

    from channels.generic.websocket import AsyncWebsocketConsumer
    from channels.routing import ProtocolTypeRouter, URLRouter
    from django.urls import path

    class Room(AsyncWebsocketConsumer):  # type: ignore[misc]  # what it extends has no types for mypy
        """Tells everybody what one says."""

        async def connect(self) -> None:
            await self.accept()
            scope: dict[str, Any] = dict(self.scope)
            if scope["url_route"]["kwargs"]["room"] == ROOM:
                await self.channel_layer.group_add(ROOM, self.channel_name)
                await self.send(text_data=json.dumps({"type": GREETING}))

        async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
            message = json.loads(text_data or "")
            said = {
                "id": str(_ID),
                "room": ROOM,
                "author": "ann",
                "text": message["data"]["text"],
                "postedAt": message["timestamp"],
            }
            await self.channel_layer.group_send(ROOM, {"type": "room.said", "data": said})

        async def room_said(self, event: dict[str, Any]) -> None:
            posted = {"type": "messagePosted", "timestamp": now().isoformat(), "data": event["data"]}
            await self.send(text_data=json.dumps(posted))

    routes: list[Any] = [path("v1/rooms/<room>", Room.as_asgi())]
    under_uvicorn(ProtocolTypeRouter({"websocket": URLRouter(routes)}))


def bare_websockets(url: str) -> None:
    """The library alone, which neither decodes nor judges, in one process."""
    from websockets.asyncio.server import ServerConnection, broadcast, serve

    room: set[ServerConnection] = set()

    async def answer(websocket: ServerConnection) -> None:
        assert websocket.request is not None
        if websocket.request.path.endswith(f"/{ROOM}"):
            room.add(websocket)
            await websocket.send(f'{{"type":"{GREETING}"}}')
        try:
            async for message in websocket:
                broadcast(room, message)
        finally:
            room.discard(websocket)

    async def main() -> None:
        async with serve(answer, "127.0.0.1", 0, compression=None, ping_interval=UNANSWERED) as server:
            ready(next(iter(server.sockets)).getsockname()[1])
            await asyncio.Future()

    asyncio.run(main())


SERVERS: Final[dict[str, Callable[[str], None]]] = {
    "websockets": bare_websockets,
    "sockspec": sockspec,
    "publishing": publishing,
    "chanx": lambda url: chanx(url, "RedisChannelLayer"),
    "chanx-pubsub": lambda url: chanx(url, "RedisPubSubChannelLayer"),
    "channels": lambda url: channels(url, "channels_redis.core.RedisChannelLayer"),
    "channels-pubsub": lambda url: channels(url, "channels_redis.pubsub.RedisPubSubChannelLayer"),
}

if __name__ == "__main__":
    SERVERS[sys.argv[1]](sys.argv[2])
