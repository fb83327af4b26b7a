"""Trying servers without sockets: generated clients speak to them in memory, through all that a server does.

    async with testing.Host(Chat()) as host, host.connected(RoomClient(room="lobby", token="ann")) as room:
        await room.send_message(data=messages.SendMessageData(text="hello"))
        message = await anext(aiter(room))

Nothing is left out but the network: handshakes are admitted, credentials verified, payloads judged, limits held to.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import msgspec

from sockspec.runtime.application import Application
from sockspec.runtime.backoff import Ending
from sockspec.runtime.client import Client
from sockspec.runtime.connection import Admission
from sockspec.runtime.dispatcher import Dispatcher, Request
from sockspec.runtime.error_messages import read_problem
from sockspec.runtime.handshake import HttpResponse, Values, http_refusal
from sockspec.runtime.limits import Limits
from sockspec.runtime.options import ClientOptions, Options
from sockspec.runtime.problems import INTERNAL_SERVER_ERROR, MESSAGE_TOO_LARGE, PROBLEMS, Problem
from sockspec.runtime.server import Server
from sockspec.runtime.transport import ClientTransport, ConnectionClosed, Frame

C = TypeVar("C", bound=Client[Any, Any])

ADDRESS: Final = "127.0.0.1"
"""Where clients in memory are said to come from."""
WINDOW: Final = 64 * 1024
"""How many bytes a client that does not read is sent before it counts as slow."""
TOO_LARGE: Final = PROBLEMS[MESSAGE_TOO_LARGE]


class ServeInMemory(Protocol):
    """The fixture `serve_in_memory`."""

    def __call__(self, server: Server[Any] | Application, *, options: Options | None = None) -> Host:
        """A host in memory, to be entered by `async with`; see `Host`."""
        ...


class Host:
    """An application in memory, while an `async with` block lasts."""

    def __init__(self, server: Server[Any] | Application, *, options: Options | None = None) -> None:
        """`options` are for a server; an application has its own."""
        application = server if isinstance(server, Application) else server.application(options=options)
        self.dispatcher: Final = Dispatcher(application.servers, application.options)
        self._conversations: set[asyncio.Task[None]] = set()
        self._ends: WeakKeyDictionary[Client[Any, Any], End] = WeakKeyDictionary()

    async def __aenter__(self) -> Host:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.dispatcher.drain()
        if self._conversations:
            _, unfinished = await asyncio.wait(self._conversations, timeout=self.dispatcher.options.close_timeout)
            for task in unfinished:
                task.cancel()
        await self.dispatcher.stop()

    @asynccontextmanager
    async def connected(self, client: C) -> AsyncGenerator[C]:
        """A client that is connected to the server while the block lasts. Its URL says the path alone."""

        async def dial(
            url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], options: ClientOptions
        ) -> ClientTransport | Ending:
            end = await self.dial(url, headers=headers, subprotocols=subprotocols, options=options)
            if isinstance(end, End):
                self._ends[client] = end
            return end

        client.dial_by(dial)
        async with client:
            yield client

    def end_of(self, client: Client[Any, Any]) -> End:
        """The client's end of its connection: it can be told to stop reading. Raises KeyError when it has none."""
        return self._ends[client]

    async def dial(
        self, url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], options: ClientOptions
    ) -> End | Ending:
        """Open a connection in memory; an Ending says why there is none."""
        parts = urlsplit(url)
        pairs = list(headers.items())
        if subprotocols:
            pairs.append(("Sec-WebSocket-Protocol", ", ".join(subprotocols)))
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"
        request = Request(target, Values(pairs, ignore_case=True), ADDRESS, 0, is_secure=True)
        try:
            async with asyncio.timeout(self.dispatcher.options.open_timeout):
                answer = await self.dispatcher.admit(request)
        except TimeoutError:
            answer = http_refusal(Problem.of(INTERNAL_SERVER_ERROR, "the handshake took too long"))
        if isinstance(answer, HttpResponse):
            return _refused(answer)
        served, given = End(self.dispatcher.options, self.dispatcher.limits_of(answer)), End()
        served.other, given.other = given, served
        given.resumes = answer.resumes
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
    """One end of a connection in memory, a server's or a client's. Messages arrive as they are sent, and at once.

    A server's is held to its limits. A client's can stop reading: what it is sent waits then, as in the buffers of a network.
    """

    other: End

    def __init__(self, options: Options | None = None, limits: Limits | None = None) -> None:
        """`options` and `limits` are for a server's end."""
        self._write_timeout = options.write_timeout if options is not None else None
        self._limits = limits
        self._ending: ConnectionClosed | None = None
        self._messages: deque[str | bytes] = deque()
        self._held = 0
        self._is_reading = True
        self._moved = asyncio.Event()
        self._stall: asyncio.TimerHandle | None = None
        self._on_end: Callable[[], None] | None = None
        self.resumes = False
        """Whether the server says where messages stand."""

    def pause_reading(self) -> None:
        """Take nothing of what is sent from now on, as a client does that is too slow."""
        self._is_reading = False

    def resume_reading(self) -> None:
        """Go on reading."""
        self._is_reading = True
        self._held = 0
        self._tell()
        self.other.resume_writing()

    def attach(self, name: str, ended: Callable[[], None]) -> None:
        """Have a function called once the connection has ended."""
        self._on_end = ended

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._ending is None

    @property
    def buffered(self) -> int:
        """How many bytes the other end does not read."""
        return self.other._held

    @property
    def is_writable(self) -> bool:
        """Whether the other end reads, or little waits for it."""
        return self.buffered <= WINDOW

    def received(self) -> str | bytes | None:
        """Nothing: the next message is waited for, so that both ends have their turns."""
        return None

    async def receive(self) -> str | bytes:
        """The next message. Raises ConnectionClosed."""
        while not (self._messages and self._is_reading):
            if self._ending is not None:
                raise self._ending
            self._moved.clear()
            await self._moved.wait()
        message = self._messages.popleft()
        self.other._tell()
        return message

    def post(self, frame: Frame) -> None:
        """Send a message."""
        if self._ending is None:
            if frame.before is not None:
                self.other.arrive(frame.before.payload)
            self.other.arrive(frame.payload)
            if not self.is_writable and self._stall is None and self._write_timeout is not None:
                self._stall = asyncio.get_running_loop().call_later(self._write_timeout, self.abort)

    async def send(self, frame: str | bytes) -> None:
        """Send a message. Waits while the other end has as many as it takes. Raises ConnectionClosed."""
        while self._ending is None and self.other.is_full:
            self._moved.clear()
            await self._moved.wait()
        if self._ending is not None:
            raise self._ending
        self.other.arrive(frame)
        await asyncio.sleep(0)

    @property
    def is_full(self) -> bool:
        """Whether as many messages wait as the limits allow."""
        return self._limits is not None and len(self._messages) >= self._limits.max_inbound

    async def drained(self) -> None:
        """Wait until the other end reads. Raises ConnectionClosed when the connection has ended."""
        while self._ending is None and not self.is_writable:
            self._moved.clear()
            await self._moved.wait()
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

    def arrive(self, message: str | bytes) -> None:
        """The other end sent a message. One that is too large ends the connection."""
        size = len(message if isinstance(message, bytes) else message.encode())
        if self._limits is not None and size > self._limits.max_message:
            self._end(ConnectionClosed(TOO_LARGE.close or 1009, TOO_LARGE.title))
            return
        self._messages.append(message)
        if not self._is_reading:
            self._held += size
        self._tell()

    def resume_writing(self) -> None:
        """The other end reads again."""
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        self._tell()

    def _tell(self) -> None:
        self._moved.set()

    def _end(self, ending: ConnectionClosed) -> None:
        for end in (self, self.other):
            if end._ending is None:
                end._ending = ending
                end.resume_writing()
                if end._on_end is not None:
                    end._on_end()


def _refused(answer: HttpResponse) -> Ending:
    problem = read_problem(msgspec.json.decode(answer.body))
    reason = f"the handshake was refused with HTTP status {answer.status}: {problem.message}"
    return Ending(reason=reason, problem=problem, status=answer.status)
