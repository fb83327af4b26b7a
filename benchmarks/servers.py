"""The servers that `benchmarks.serving` measures; each says its port and path, and serves until it is killed."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import socket
import sys
import uuid
from typing import Any, Literal

from chat import ChatServer, RoomConnection, RoomParameters, messages
from sockspec.runtime import Handshake, Limits, Options, Principal, now

_ID = uuid.UUID("b7d1f0c4-9e35-4c8e-8f43-5d2a60e7c911")
_PATH = "/v1/rooms/general"
LIMITS = Limits(
    messages_per_second=None,
    connections_per_second=None,
    max_connections_per_address=None,
    max_connections_per_principal=None,
)


UNANSWERED = 600.0
"""Seconds until a first ping, longer than any measurement: clients here answer none."""


class Chat(ChatServer):
    """Answers each message to whoever sent it."""

    async def verify_access_token(self, token: str, handshake: Handshake[RoomParameters]) -> Principal:
        return Principal(id=token)

    async def send_message(self, connection: RoomConnection, message: messages.SendMessage) -> None:
        said = messages.ChatMessage(
            id=_ID,
            room=connection.parameters.room,
            author=connection.principal.id,
            text=message.data.text,
            posted_at=message.timestamp,
            reply_to=message.data.reply_to,
        )
        await connection.send_message_posted(data=said)

    async def join(self, connection: RoomConnection, message: messages.Join) -> None:
        raise NotImplementedError

    async def room_opened(self, connection: RoomConnection) -> None:
        await self.group(RoomConnection, "all").join(connection)

    async def leave(self, connection: RoomConnection, message: messages.Leave) -> None:
        """Told to all that are connected."""
        data = messages.PresenceData(nickname="ann", presence=messages.Presence.OFFLINE)
        await self.group(RoomConnection, "all").broadcast(messages.PresenceChanged(data=data, timestamp=now()))

    async def get_history(self, connection: RoomConnection, message: messages.GetHistory) -> messages.History:
        raise NotImplementedError


def ready(port: int) -> None:
    """Say that the server listens."""
    print(port, _PATH, flush=True)


def sockspec(library: Literal["websockets", "picows"], loop: Literal["asyncio", "uvloop"] = "asyncio") -> None:
    """Our own server."""
    Chat().run(
        port=0, options=Options(limits=LIMITS, library=library, loop=loop), ready=lambda running: ready(running.port)
    )


def sockspec_uvicorn() -> None:
    """Our application below uvicorn."""
    from sockspec.runtime.serving.uvicorn import run

    application = Chat().asgi(options=Options(limits=LIMITS))
    run(application, port=0, loop="asyncio", log_level="error", ready=lambda url: ready(int(url.rpartition(":")[2])))


def bare_websockets() -> None:
    """The library alone, which neither decodes nor judges."""
    from websockets.asyncio.server import ServerConnection, broadcast, serve

    everybody: set[ServerConnection] = set()

    async def answer(websocket: ServerConnection) -> None:
        everybody.add(websocket)
        try:
            async for message in websocket:
                if "leave" in str(message)[:20]:
                    broadcast(everybody, message)
                else:
                    await websocket.send(message)
        finally:
            everybody.discard(websocket)

    async def main() -> None:
        async with serve(answer, "127.0.0.1", 0, compression=None) as server:
            ready(next(iter(server.sockets)).getsockname()[1])
            await asyncio.Future()

    asyncio.run(main())


def fastapi() -> None:
    """FastAPI and pydantic under uvicorn."""
    from fastapi import FastAPI, WebSocket
    from pydantic import BaseModel, Field

    class SendMessageData(BaseModel, extra="forbid"):
        text: str = Field(min_length=1, max_length=2000)
        replyTo: uuid.UUID | None = None

    class SendMessage(BaseModel):
        type: Literal["sendMessage"]
        timestamp: dt.datetime
        data: SendMessageData

    class ChatMessage(BaseModel):
        id: uuid.UUID
        room: str
        author: str
        text: str
        postedAt: dt.datetime
        replyTo: uuid.UUID | None = None

    class MessagePosted(BaseModel):
        type: Literal["messagePosted"] = "messagePosted"
        timestamp: dt.datetime
        data: ChatMessage

    app = FastAPI()

    async def room_endpoint(websocket: WebSocket, room: str) -> None:
        await websocket.accept()
        while True:
            message = SendMessage.model_validate_json(await websocket.receive_text())
            said = ChatMessage(
                id=_ID,
                room=room,
                author="ann",
                text=message.data.text,
                postedAt=message.timestamp,
                replyTo=message.data.replyTo,
            )
            await websocket.send_text(MessagePosted(timestamp=now(), data=said).model_dump_json())

    room_endpoint.__annotations__ |= {
        "websocket": WebSocket,
        "room": str,
    }  # names of this function are out of its sight
    app.add_api_websocket_route("/v1/rooms/{room}", room_endpoint)
    under_uvicorn(app)


def under_uvicorn(app: Any) -> None:
    """An application of others, with the settings that ours has."""
    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        log_level="error",
        loop="asyncio",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=UNANSWERED,
    )
    ready(listener.getsockname()[1])
    uvicorn.Server(config).run(sockets=[listener])


def chanx() -> None:
    """chanx on Starlette under uvicorn."""
    from benchmarks.chanx_server import app

    under_uvicorn(app)


def aiohttp() -> None:
    """aiohttp with json and jsonschema."""
    from aiohttp import WSMsgType, web
    from jsonschema import Draft7Validator

    schemas: dict[str, Any] = json.loads((_package() / "schemas.json").read_text(encoding="utf-8"))
    definitions = schemas["definitions"]
    judge = Draft7Validator({**schemas, **definitions["SendMessage"]})

    async def answer(request: web.Request) -> web.WebSocketResponse:
        websocket = web.WebSocketResponse(compress=False)
        await websocket.prepare(request)
        async for frame in websocket:
            if frame.type is WSMsgType.TEXT:
                message = json.loads(frame.data)
                judge.validate(message)
                said = {
                    "id": str(_ID),
                    "room": request.match_info["room"],
                    "author": "ann",
                    "text": message["data"]["text"],
                    "postedAt": message["timestamp"],
                }
                posted = {"type": "messagePosted", "timestamp": now().isoformat(), "data": said}
                await websocket.send_str(json.dumps(posted))
        return websocket

    listener = socket.create_server(("127.0.0.1", 0))
    app = web.Application()
    app.router.add_get("/v1/rooms/{room}", answer)
    ready(listener.getsockname()[1])
    web.run_app(app, sock=listener, print=lambda *_: None, access_log=None)


def _package() -> Any:
    from importlib.resources import files

    return files("chat")


SERVERS = {
    "websockets": bare_websockets,
    "sockspec": lambda: sockspec("websockets"),
    "sockspec-picows": lambda: sockspec("picows"),
    "sockspec-uvloop": lambda: sockspec("websockets", "uvloop"),
    "sockspec-picows-uvloop": lambda: sockspec("picows", "uvloop"),
    "sockspec-uvicorn": sockspec_uvicorn,
    "fastapi": fastapi,
    "aiohttp": aiohttp,
    "chanx": chanx,
}

if __name__ == "__main__":
    SERVERS[sys.argv[1]]()
