"""Trying servers without sockets: generated clients speak to them in memory, through all that a server does.

    async with testing.Host(Chat()) as host, host.connected(RoomClient(room="lobby", token="ann")) as room:
        await room.send_message(data=messages.SendMessageData(text="hello"))
        message = await anext(aiter(room))

Nothing is left out but the network: handshakes are admitted, credentials verified, payloads judged, limits held to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from sockspec.runtime.application import Application
from sockspec.runtime.backoff import Ending
from sockspec.runtime.client import Client
from sockspec.runtime.connection import Admission
from sockspec.runtime.dispatcher import Dispatcher, Request
from sockspec.runtime.error_messages import read_problem
from sockspec.runtime.handshake import HttpResponse, Values
from sockspec.runtime.options import ClientOptions, Options
from sockspec.runtime.server import Server
from sockspec.runtime.transport import ClientTransport, ConnectionClosed, Frame

C = TypeVar("C", bound=Client[Any, Any])

ADDRESS: Final = "127.0.0.1"
"""Where clients in memory are said to come from."""


class Host:
    """An application in memory, while an `async with` block lasts."""

    def __init__(self, server: Server[Any] | Application, *, options: Options | None = None) -> None:
        """`options` are for a server; an application has its own."""
        application = server if isinstance(server, Application) else server.application(options=options)
        self.dispatcher: Final = Dispatcher(application.servers, application.options)
        self._conversations: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Host:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.dispatcher.drain()
        if self._conversations:
            await asyncio.wait(self._conversations)

    @asynccontextmanager
    async def connected(self, client: C) -> AsyncGenerator[C]:
        """A client that is connected to the server while the block lasts. Its URL says the path alone."""
        client.dial_by(self.dial)
        async with client:
            yield client

    async def dial(
        self, url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], options: ClientOptions
    ) -> ClientTransport | Ending:
        """Open a connection in memory; an Ending says why there is none."""
        parts = urlsplit(url)
        pairs = list(headers.items())
        if subprotocols:
            pairs.append(("Sec-WebSocket-Protocol", ", ".join(subprotocols)))
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"
        request = Request(target, Values(pairs, ignore_case=True), ADDRESS, 0, is_secure=True)
        answer = await self.dispatcher.admit(request)
        if isinstance(answer, HttpResponse):
            return _refused(answer)
        served, given = End(), End()
        served.other, given.other = given, served
        task = asyncio.create_task(self._converse(served, answer))
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)
        return given

    async def _converse(self, end: End, admission: Admission) -> None:
        try:
            await self.dispatcher.converse(end, admission)
            await end.close()
        finally:
            end.abort()
            self.dispatcher.forget(admission)


class End:
    """One end of a connection in memory, a server's or a client's. Messages arrive as they are sent, and at once."""

    other: End

    def __init__(self) -> None:
        self._ending: ConnectionClosed | None = None
        self._messages: asyncio.Queue[str | bytes | None] = asyncio.Queue()

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._ending is None

    @property
    def buffered(self) -> int:
        """Nothing: what is sent has arrived."""
        return 0

    @property
    def is_writable(self) -> bool:
        """Always."""
        return True

    def received(self) -> str | bytes | None:
        """Nothing: the next message is waited for, so that both ends have their turns."""
        return None

    async def receive(self) -> str | bytes:
        """The next message. Raises ConnectionClosed."""
        if self._ending is not None and self._messages.empty():
            raise self._ending
        message = await self._messages.get()
        if message is None:
            raise self._ending or ConnectionClosed()
        return message

    def post(self, frame: Frame) -> None:
        """Send a message."""
        if self._ending is None:
            self.other.arrive(frame.payload)

    async def send(self, frame: str | bytes) -> None:
        """Send a message. Raises ConnectionClosed."""
        if self._ending is not None:
            raise self._ending
        self.other.arrive(frame)
        await asyncio.sleep(0)

    async def drained(self) -> None:
        """Raises ConnectionClosed when the connection has ended."""
        if self._ending is not None:
            raise self._ending

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection."""
        self._end(ConnectionClosed(code, reason))
        await asyncio.sleep(0)

    def abort(self) -> None:
        """End the connection without a word."""
        self._end(ConnectionClosed())

    async def keep_alive(self, interval: float, timeout: float) -> None:
        """There is nothing to keep alive."""

    def arrive(self, message: str | bytes | None) -> None:
        """The other end sent a message; None for the end of the connection."""
        self._messages.put_nowait(message)

    def _end(self, ending: ConnectionClosed) -> None:
        for end in (self, self.other):
            if end._ending is None:
                end._ending = ending
                end.arrive(None)


def _refused(answer: HttpResponse) -> Ending:
    problem = read_problem(msgspec.json.decode(answer.body))
    reason = f"the handshake was refused with HTTP status {answer.status}: {problem.message}"
    return Ending(reason=reason, problem=problem, status=answer.status)
