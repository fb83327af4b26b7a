"""A small chat API as the generator would write it, and what the scenarios of this folder share."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, ParamSpec, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from websockets.asyncio.client import ClientConnection, connect

from sockspec.runtime import (
    BearerScheme,
    Client,
    ClientOptions,
    Codec,
    Connection,
    Entry,
    FromHeader,
    FromPath,
    FromQuery,
    Handler,
    Handshake,
    Limits,
    Options,
    Principal,
    Problem,
    Refused,
    Requirement,
    Route,
    Schemas,
    Server,
    Token,
    stamped,
)
from sockspec.runtime.serving.standalone import Running
from tests.runtime.hosts import Host, host

P = ParamSpec("P")

SECRET = "the database password is swordfish"


class Post(Struct, kw_only=True, tag_field="type", tag="post"):
    type: ClassVar[Literal["post"]] = "post"
    text: str


class GetHistory(Struct, kw_only=True, tag_field="type", tag="getHistory"):
    type: ClassVar[Literal["getHistory"]] = "getHistory"
    id: str
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class Posted(Struct, kw_only=True, tag_field="type", tag="posted"):
    type: ClassVar[Literal["posted"]] = "posted"
    room: str
    text: str
    timestamp: datetime | UnsetType = UNSET


class History(Struct, kw_only=True, tag_field="type", tag="history"):
    type: ClassVar[Literal["history"]] = "history"
    id: str = ""
    texts: list[str]


FromClient: TypeAlias = Post | GetHistory
FromServer: TypeAlias = Posted | History


def _object(tag: str, required: list[str], **properties: object) -> dict[str, object]:
    return {"type": "object", "required": ["type", *required], "properties": {"type": {"const": tag}, **properties}}


_TEXT = {"type": "string"}
SCHEMAS = Schemas(
    lambda: json.dumps(
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "definitions": {
                "post": _object("post", ["text"], text=_TEXT),
                "getHistory": _object(
                    "getHistory", ["id"], id=_TEXT, limit={"type": "integer", "minimum": 1, "maximum": 100}
                ),
                "posted": _object("posted", ["room", "text"], room=_TEXT, text=_TEXT, timestamp=_TEXT),
                "history": _object("history", ["texts"], id=_TEXT, texts={"type": "array", "items": _TEXT}),
            },
        }
    )
)
FROM_CLIENT: Codec[FromClient] = Codec(
    SCHEMAS,
    Entry(Post, "#/definitions/post", "typed", ("post",)),
    Entry(GetHistory, "#/definitions/getHistory", "typed", ("getHistory",), correlation=("id",)),
    tag="type",
)
FROM_SERVER: Codec[FromServer] = Codec(
    SCHEMAS,
    Entry(Posted, "#/definitions/posted", "typed", ("posted",)),
    Entry(History, "#/definitions/history", "typed", ("history",), correlation=("id",)),
    tag="type",
)


class RoomParameters(Struct, frozen=True, kw_only=True):
    room: Annotated[str, FromPath("room")]
    since: Annotated[Annotated[int, Meta(ge=0)] | None, FromQuery("since")] = None
    tags: Annotated[list[str], FromQuery("tag")] = []
    lang: Annotated[Literal["de", "en"], FromHeader("Accept-Language")] = "en"


class RoomConnection(Connection[FromServer]):
    parameters: RoomParameters

    @property
    def room(self) -> str:
        return self.parameters.room

    async def send_posted(self, *, room: str, text: str, timestamp: datetime | UnsetType = UNSET) -> None:
        await self.send(Posted(room=room, text=text, timestamp=stamped(timestamp)))


class Chat(Server):
    """Passes each post on to everybody in the room. Some texts are commands that make it misbehave."""

    routes: ClassVar[tuple[Route, ...]] = (
        Route(
            path="/v1/rooms/{room}",
            connection=RoomConnection,
            incoming=FROM_CLIENT,
            outgoing=FROM_SERVER,
            handlers={Post: Handler("post"), GetHistory: Handler("get_history", replies=True)},
            opened="room_opened",
            closed="room_closed",
            parameters=RoomParameters,
            subprotocols=("chat.v2", "chat.v1"),
        ),
    )

    def __init__(self) -> None:
        self.members: dict[RoomConnection, None] = {}
        self.texts: list[str] = []
        self.events: list[str] = []
        self._happened = asyncio.Event()
        self.holding = asyncio.Event()
        self.release = asyncio.Event()

    async def post(self, connection: RoomConnection, message: Post) -> None:
        match message.text:
            case "/crash":
                raise RuntimeError(SECRET)
            case "/refuse":
                raise Refused(Problem.of("/problems/forbidden", "not in this room"))
            case "/expire":
                raise Refused(Problem.of("/problems/token-expired"))
            case "/hold":
                self.holding.set()
                await self.release.wait()
            case _:
                pass
        self.texts.append(message.text)
        for member in list(self.members):
            if member.room == connection.room:
                await member.send_posted(room=connection.room, text=message.text)

    async def get_history(self, connection: RoomConnection, message: GetHistory) -> History:
        if message.limit == 13:
            raise Refused(Problem.of("/problems/forbidden", "thirteen is not allowed"))
        return History(texts=self.texts[-message.limit :])

    async def room_opened(self, connection: RoomConnection) -> None:
        self.members[connection] = None
        self._note("opened")

    async def room_closed(self, connection: RoomConnection) -> None:
        self.members.pop(connection, None)
        self._note("closed")

    def _note(self, event: str) -> None:
        self.events.append(event)
        self._happened.set()

    async def until(self, *events: str) -> None:
        """Wait until exactly these events have happened."""
        while self.events != list(events):
            self._happened.clear()
            await self._happened.wait()


class GuardedChat(Chat):
    """Lets in whoever has the right token, as the principal of that name."""

    schemes = (BearerScheme("accessToken", "verify_access_token"),)
    routes = tuple(replace(route, security=((Requirement("accessToken"),),)) for route in Chat.routes)

    async def verify_access_token(self, token: str, handshake: Handshake[RoomParameters]) -> Principal:
        match token:
            case "good":
                return Principal(id="ann")
            case "broken":
                raise RuntimeError(SECRET)
            case "stale":
                raise Refused(Problem.of("/problems/token-expired"))
            case _:
                raise Refused(Problem.of("/problems/forbidden"))


class RoomClient(Client[FromServer, FromClient]):
    def __init__(
        self, *, room: str, url: str, token: Token | None = None, options: ClientOptions | None = None
    ) -> None:
        super().__init__(
            url,
            path="/rooms/{room}",
            path_parameters={"room": room},
            incoming=FROM_SERVER,
            outgoing=FROM_CLIENT,
            token=token,
            options=options,
        )

    async def send_post(self, *, text: str) -> None:
        await self.send(Post(text=text))

    async def get_history(self, *, id: str = "", limit: int = 50, timeout: float | None = None) -> History:
        return await self.request(GetHistory(id=id, limit=limit), (History,), timeout=timeout)


QUICK = ClientOptions(backoff_base=0.01, backoff_cap=0.05, max_attempts=1000, max_retry_after=0.01)
"""For scenarios in which a client is to be back soon."""


def lasting(seconds: float) -> Callable[[Callable[P, Awaitable[None]]], Callable[P, None]]:
    """Run a test on a loop of its own, for so long at most, and see that it leaves no task behind."""

    def decorate(test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
        @functools.wraps(test)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            async def bounded() -> set[str]:
                await asyncio.wait_for(test(*args, **kwargs), timeout=seconds)
                others = asyncio.all_tasks() - {asyncio.current_task()}
                # A task that was cancelled in the end takes a few turns of the loop to be gone.
                if others:
                    await asyncio.wait(others, timeout=2)
                return {repr(task) for task in others if not task.done()}

            assert asyncio.run(bounded()) == set()

        return run

    return decorate


scenario = lasting(20)
"""What most tests run as."""


@asynccontextmanager
async def raw(
    running: Host | Running, path: str = "/v1/rooms/lobby", **arguments: Any
) -> AsyncGenerator[ClientConnection]:
    """A connection that can send anything."""
    async with connect(running.url + path, proxy=None, **arguments) as websocket:
        yield websocket


async def told(websocket: ClientConnection) -> dict[str, Any]:
    """The next message, as plain JSON."""
    payload: dict[str, Any] = msgspec.json.decode(await websocket.recv())
    return payload


async def texts(client: RoomClient, count: int) -> list[str]:
    """The texts of the next posts."""
    found: list[str] = []
    async for message in client:
        if isinstance(message, Posted):
            found.append(message.text)
        if len(found) == count:
            break
    return found


def serving(server: Server | None = None, **options: Any) -> Host:
    """A server on a free port. Options and limits are named alike; no rate of messages is limited unless asked for."""
    return host(server or Chat(), options_of(**options))


def options_of(**options: Any) -> Options:
    """The options and limits of these names."""
    limits: dict[str, Any] = {"messages_per_second": None}
    limits |= {field.name: options.pop(field.name) for field in fields(Limits) if field.name in options}
    return Options(limits=Limits(**limits), **options)
