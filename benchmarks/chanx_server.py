"""The chat on chanx. Its messages are told apart by a member `action` and carry a `payload`, whatever else they have."""

import datetime as dt
import logging
import uuid
from typing import Literal

import structlog
from chanx.core.decorators import channel, ws_handler
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage
from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from sockspec.runtime import now


class Said(BaseModel, extra="forbid"):
    """What a client says."""

    text: str = Field(min_length=1, max_length=2000)
    replyTo: uuid.UUID | None = None


class ChatMessage(BaseModel):
    """What the room hears."""

    id: uuid.UUID
    room: str
    author: str
    text: str
    postedAt: dt.datetime
    replyTo: uuid.UUID | None = None


class SendMessage(BaseMessage):
    """From a client."""

    action: Literal["sendMessage"] = "sendMessage"
    timestamp: dt.datetime
    payload: Said


class MessagePosted(BaseMessage):
    """To a client."""

    action: Literal["messagePosted"] = "messagePosted"
    timestamp: dt.datetime
    payload: ChatMessage


def _posted(message: SendMessage) -> MessagePosted:
    said = ChatMessage(
        id=uuid.UUID("b7d1f0c4-9e35-4c8e-8f43-5d2a60e7c911"),
        room="general",
        author="ann",
        text=message.payload.text,
        postedAt=message.timestamp,
        replyTo=message.payload.replyTo,
    )
    return MessagePosted(timestamp=now(), payload=said)


@channel(name="room")
class Room(AsyncJsonWebsocketConsumer):
    """Answers each message to whoever sent it."""

    @ws_handler(output_type=MessagePosted)
    async def handle_send_message(self, message: SendMessage) -> None:
        """Send it back."""
        await self.send_message(_posted(message))


@channel(name="shared-room")
class SharedRoom(AsyncJsonWebsocketConsumer):
    """Tells everybody in a room what one says. Who is in it is told so."""

    channel_layer_alias = "shared-room"
    room = "general"

    async def post_authentication(self) -> None:
        """Enter the room; any other is for speaking only."""
        if self.scope["path_params"]["room"] == self.room:
            await self.join_group(self.room)
            await self.send_json({"type": "presenceChanged"})

    @ws_handler
    async def handle_send_message(self, message: SendMessage) -> None:
        """Tell it."""
        await self.broadcast_message(_posted(message), [self.room])


structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
app = Starlette(routes=[WebSocketRoute("/v1/rooms/{room}", Room.as_asgi())])
shared = Starlette(routes=[WebSocketRoute("/v1/rooms/{room}", SharedRoom.as_asgi())])
