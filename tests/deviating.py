"""A small server for `tests/documents/contract.yaml`, written without sockspec, that deviates from it where it is told to."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

TOKEN = "the-right-token"


class Deviating:
    """Does all that the document says, but for the deviations."""

    def __init__(self, *deviations: str, is_open: bool = False) -> None:
        self._deviations = frozenset(deviations)
        self._is_open = is_open
        self.messages = 0
        """How many messages came."""
        self.handshakes = 0
        """How many handshakes came."""

    def does(self, deviation: str) -> bool:
        """Whether it deviates in a way."""
        return deviation in self._deviations

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[str]:
        """Serve within the block; gives the URL."""
        async with serve(
            self._converse,
            "127.0.0.1",
            0,
            process_request=self._admit,
            select_subprotocol=self._choose,
            max_size=None if self.does("takes any size") else 2000,
            compression=None,
        ) as server:
            yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"

    # --- handshake ---------------------------------------------------------------------------------------------------

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.handshakes += 1
        if self.does("is down") or (self.does("goes down") and self.handshakes > 8):
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "")
        parts = urlsplit(request.path)
        limit = parse_qs(parts.query).get("limit", [""])[0]
        segments = parts.path.split("/")[1:]
        if (len(segments) != 2 or segments[0] != "rooms") and not self.does("takes any path"):
            return connection.respond(HTTPStatus.NOT_FOUND, "")
        if not self.does("takes any parameter") and (not limit.isdigit() or segments[1] not in ("lobby", "garden")):
            return connection.respond(HTTPStatus.BAD_REQUEST, "")
        if self._is_open:
            return connection.respond(HTTPStatus.FORBIDDEN, "") if self.does("locks an open door") else None
        given = request.headers.get("Authorization", "")
        right = given == f"Bearer {TOKEN}"
        if right or (given and self.does("takes any token")) or (not given and self.does("takes no token")):
            return None
        if self.does("says goodbye instead") or self.does("says goodbye without a word"):
            connection.is_unwelcome = True  # type: ignore[attr-defined]
            return None
        response = connection.respond(HTTPStatus.UNAUTHORIZED, "")
        if not self.does("does not challenge"):
            response.headers["WWW-Authenticate"] = "Bearer"
        return response

    def _choose(self, connection: ServerConnection, offered: Any) -> Subprotocol | None:
        return None if self.does("chooses no subprotocol") or "room.v1" not in offered else Subprotocol("room.v1")

    # --- messages ----------------------------------------------------------------------------------------------------

    async def _converse(self, connection: ServerConnection) -> None:
        if getattr(connection, "is_unwelcome", False):
            if not self.does("says goodbye without a word"):
                await self._error(connection, "/problems/unauthorized")
            await connection.close(3000)
            return
        if self.does("answers no ping"):
            _silence_pongs(connection)
        if self.does("sends what it likes"):
            await connection.send('{"type": "surprise"}')
        try:
            async for frame in connection:
                await self._take(connection, frame)
        except ConnectionClosed:
            return

    async def _take(self, connection: ServerConnection, frame: str | bytes) -> None:
        self.messages += 1
        if self.does("is in a hurry") and self.messages % 3 == 0:
            await self._error(connection, "/problems/too-many-requests", retryAfter=0.01)
            return
        problem = self._problem(frame)
        if problem is not None:
            if problem in self._deviations:
                return
            await self._error(connection, problem)
            if self.does("closes after mistakes") and problem == "/problems/validation-error":
                await connection.close(1008)
            if self.does("breaks off") and problem == "/problems/binary-not-supported":
                connection.transport.abort()
            if self.does("closes by a code of its own") and problem == "/problems/binary-not-supported":
                await connection.close(4242)
            return
        await self._answer(connection, json.loads(frame))

    def _problem(self, frame: str | bytes) -> str | None:
        if isinstance(frame, bytes):
            return "/problems/binary-not-supported"
        try:
            message = json.loads(frame)
        except ValueError:
            return "/problems/malformed-message"
        if not isinstance(message, dict):
            return "/problems/validation-error"
        match message.get("type"):
            case "say":
                text = message.get("text")
                fits = isinstance(text, str) and 1 <= len(text) <= 20 and message.keys() == {"type", "text"}
            case "ask":
                number, name = message.get("n"), message.get("id")
                fits = type(number) is int and 1 <= number <= 5 and isinstance(name, str) and bool(name)
                fits = fits and message.keys() == {"type", "id", "n"}
            case _:
                return "/problems/unknown-type"
        return None if fits else "/problems/validation-error"

    async def _answer(self, connection: ServerConnection, message: dict[str, Any]) -> None:
        if message["type"] == "say":
            if self.does("calls valid messages wrong"):
                await self._error(connection, "/problems/validation-error")
            else:
                await connection.send(json.dumps({"type": "said", "text": message["text"]}))
        elif not self.does("does not reply"):
            name = "another" if self.does("mixes up replies") else message["id"]
            await connection.send(json.dumps({"type": "answer", "id": name}))

    async def _error(self, connection: ServerConnection, kind: str, **others: object) -> None:
        error = {"type": kind, "message": TOKEN if self.does("repeats the token") else kind, **others}
        await connection.send(json.dumps({"type": "error", "error": error}))


def _silence_pongs(connection: ServerConnection) -> None:
    send = connection.protocol.send_frame

    def quietly(frame: Frame) -> None:
        if frame.opcode is not Opcode.PONG:
            send(frame)

    connection.protocol.send_frame = quietly  # type: ignore[method-assign]
