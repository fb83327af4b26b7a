"""What there is to mock: each endpoint with the messages of both sides, by their names in the document."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import msgspec

from sockspec import ir
from sockspec.python import class_names
from sockspec.runtime import Codec, Route, Server
from sockspec.runtime.lanes import Entry


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint of a document."""

    channel: ir.Channel
    route: Route
    """The generated one."""
    sent: Mapping[str, Entry]
    """What the server sends, with what its codec knows of it, in the order of the document."""
    taken: Mapping[str, type[msgspec.Struct]]
    """What clients send, by the classes of the package."""
    replies: Mapping[str, tuple[str, ...]]
    """What may answer a message of a client; nothing for a message that needs no answer."""
    pushed: tuple[str, ...]
    """What the server sends of its own accord: no reply, and not the error message."""

    @property
    def outgoing(self) -> Codec[Any]:
        """The codec of what the server sends."""
        return self.route.outgoing

    @property
    def incoming(self) -> Codec[Any]:
        """The codec of what clients send."""
        return self.route.incoming

    def name_of(self, message: object) -> str:
        """The name of a client's message in the document."""
        return next(name for name, kind in self.taken.items() if kind is type(message))


def server_class(package: ModuleType) -> type[Server[Any]]:
    """The generated class of the server."""
    module = importlib.import_module(f"{package.__name__}.server")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Server) and value.__module__ == module.__name__:
            return value
    raise TypeError(f"{package.__name__!r} has no server")


def endpoints(api: ir.Api, package: ModuleType) -> tuple[Endpoint, ...]:
    """The endpoints of a document, of which `package` was made."""
    messages = importlib.import_module(f"{package.__name__}.messages")
    classes = {name: getattr(messages, given) for name, given in class_names(api).items()}
    routes = server_class(package).routes
    return tuple(_endpoint(api, one, route, classes) for one, route in zip(api.channels, routes, strict=True))


def _endpoint(api: ir.Api, channel: ir.Channel, route: Route, classes: Mapping[str, type[msgspec.Struct]]) -> Endpoint:
    entries = {entry.message: entry for entry in route.outgoing.entries}
    sent = api.messages_of(channel, ir.Direction.SERVER_TO_CLIENT)
    replies = dict(_replies(api, channel))
    answers = {name for names in replies.values() for name in names}
    return Endpoint(
        channel,
        route,
        {m.name: entries[classes[m.name]] for m in sent if classes[m.name] in entries},
        {m.name: classes[m.name] for m in api.messages_of(channel, ir.Direction.CLIENT_TO_SERVER)},
        replies,
        tuple(m.name for m in sent if m.name not in answers and not m.is_error),
    )


def _replies(api: ir.Api, channel: ir.Channel) -> Iterator[tuple[str, tuple[str, ...]]]:
    for operation in api.operations:
        if operation.channel != channel.name or operation.direction is not ir.Direction.CLIENT_TO_SERVER:
            continue
        if operation.reply is not None:
            for name in operation.messages:
                yield name, operation.reply.messages
