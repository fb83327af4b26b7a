"""A server by chanx below FastAPI, as its documentation has it, which describes itself at `/asyncapi.json`."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Literal

from chanx.core.decorators import channel, ws_handler
from chanx.fast_channels import asyncapi_spec_json
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute

ID = uuid.UUID("b7d1f0c4-9e35-4c8e-8f43-5d2a60e7c911")
AT = dt.datetime(2026, 11, 25, 12, 30, tzinfo=dt.UTC)


class Said(BaseModel):
    """What somebody says."""

    text: str = Field(min_length=1, max_length=20)
    mood: Literal["glad", "sad"] = "glad"
    reply_to: uuid.UUID | None = None


class Heard(Said):
    """What is heard of it."""

    id: uuid.UUID
    at: dt.datetime
    words: int


class Say(BaseMessage):
    """Say something, and hear it."""

    action: Literal["say"] = "say"
    payload: Said


class HeardMessage(BaseMessage):
    """The answer."""

    action: Literal["heard"] = "heard"
    payload: Heard


class Shout(BaseMessage):
    """Say something that comes back three times, as events."""

    action: Literal["shout"] = "shout"
    payload: str


class Echo(BaseMessage):
    """One time of three."""

    action: Literal["echo"] = "echo"
    payload: str


@channel(name="room", description="A room in which one hears oneself.")
class Room(AsyncJsonWebsocketConsumer):
    """One connection."""

    @ws_handler(summary="Ask for a pong")
    async def ping(self, message: PingMessage) -> PongMessage:
        """Answer."""
        return PongMessage()

    @ws_handler
    async def say(self, message: Say) -> HeardMessage:
        """Answer with what was said."""
        said = message.payload
        return HeardMessage(payload=Heard(**said.model_dump(), id=ID, at=AT, words=len(said.text.split())))

    @ws_handler(output_type=Echo)
    async def shout(self, message: Shout) -> None:
        """Send it three times."""
        for _ in range(3):
            await self.send_message(Echo(payload=message.payload.upper()))


app = FastAPI(title="Room", version="1.2.0", routes=[WebSocketRoute("/rooms/{room}", Room.as_asgi())])


@app.get("/asyncapi.json")
async def document(request: Request) -> JSONResponse:
    """The document that chanx makes."""
    return await asyncapi_spec_json(request, app)
