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


@channel(name="room")
class Room(AsyncJsonWebsocketConsumer):
    """Answers each message to whoever sent it."""

    @ws_handler(output_type=MessagePosted)
    async def handle_send_message(self, message: SendMessage) -> None:
        """Send it back."""
        said = ChatMessage(
            id=uuid.UUID("b7d1f0c4-9e35-4c8e-8f43-5d2a60e7c911"),
            room="general",
            author="ann",
            text=message.payload.text,
            postedAt=message.timestamp,
            replyTo=message.payload.replyTo,
        )
        await self.send_message(MessagePosted(timestamp=now(), payload=said))


structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
app = Starlette(routes=[WebSocketRoute("/v1/rooms/{room}", Room.as_asgi())])
