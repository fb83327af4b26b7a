"""A server with every kind of credentials, scopes per operation, and groups, for the scenarios about them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from sockspec.runtime import (
    BasicCredentials,
    BasicScheme,
    BearerScheme,
    Connection,
    Handler,
    Handshake,
    KeyScheme,
    Principal,
    Problem,
    Refused,
    Requirement,
    Scheme,
)
from sockspec.runtime.security.principal import P
from tests.runtime.chatting import FROM_SERVER, Chat, FromServer, GetHistory, History, Post, Posted, RoomConnection

ANY = tuple((Requirement(name),) for name in ("token", "basic", "header", "query", "cookie", "certificate"))


@dataclass(frozen=True, kw_only=True)
class User(Principal):
    """Who connects, and how they said who they are."""

    via: str = ""


class Guarded(Chat):
    """Takes whatever says `ann`; what follows a colon are scopes, and a number among them the seconds until expiry."""

    schemes = (
        BearerScheme("token", "verify_token"),
        BasicScheme("basic", "verify_basic"),
        KeyScheme("header", "verify_key", parameter="X-Key"),
        KeyScheme("query", "verify_key", parameter="key", place="query"),
        KeyScheme("cookie", "verify_key", parameter="session", place="cookie"),
        Scheme("certificate", "verify_certificate"),
    )
    routes = tuple(
        replace(
            route,
            security=ANY,
            handlers={
                Post: Handler("post", security=((Requirement("token", ("chat:write",)),),)),
                GetHistory: Handler("get_history", replies=True),
            },
        )
        for route in Chat.routes
    )

    def __init__(self) -> None:
        super().__init__()
        self.users: list[User] = []

    async def verify_token(self, token: str, handshake: Handshake[Any]) -> User:
        return _user(token, "token")

    async def verify_basic(self, credentials: BasicCredentials, handshake: Handshake[Any]) -> User:
        assert credentials.password == "swordfish"
        return _user(credentials.username, "basic")

    async def verify_key(self, key: str, handshake: Handshake[Any]) -> User:
        return _user(key, "key")

    async def verify_certificate(self, handshake: Handshake[Any]) -> User | None:
        name = handshake.headers.get("x-client-certificate")
        return _user(name, "certificate") if name else None

    async def room_opened(self, connection: RoomConnection) -> None:
        await super().room_opened(connection)
        assert isinstance(connection.principal, User)
        self.users.append(connection.principal)

    async def get_history(self, connection: RoomConnection, message: GetHistory) -> History:
        if message.limit == 7:
            connection.renew(_user(message.id, "renewal"))
        return await super().get_history(connection, message)


def _user(text: str, via: str) -> User:
    name, _, words = text.partition(":")
    if name not in ("ann", "bob"):
        raise Refused(Problem.of("/problems/unauthorized"))
    seconds = [float(word) for word in words.split() if word.replace(".", "").isdigit()]
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds[0]) if seconds else None
    return User(id=name, scopes=frozenset(words.split()), expires=expires, via=via)


class Grouped(Chat):
    """Passes posts on by a group, and to everybody but their author when they begin with `!`."""

    async def room_opened(self, connection: RoomConnection) -> None:
        await self.group(RoomConnection, connection.room).join(connection)
        await super().room_opened(connection)

    async def post(self, connection: RoomConnection, message: Post) -> None:
        group = self.group(RoomConnection, connection.room)
        if message.text == "/leave":
            await group.leave(connection)
            return
        excluded = [connection] if message.text.startswith("!") else []
        await group.broadcast(Posted(room=connection.room, text=message.text), exclude=excluded)


def typed(connection: Connection[FromServer, P]) -> P:
    """That the principal is of the application's own class is for type checkers to see."""
    assert connection.handshake.path
    assert FROM_SERVER.messages
    return connection.principal
