"""A connection to NATS that comes back by itself: requests that end in time, and subscriptions without queues.

nats-py connects and speaks the protocol. It is told not to reconnect: a connection that broke is given up with all that
waited in it, and another one is made. So nothing that was published to an engine that did not answer is sent later on.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import msgspec
from nats import errors
from nats.aio.client import Client

from sockspec.runtime.backplane.line import BackplaneError
from sockspec.runtime.backplane.nats.messages import (
    NO_STREAM,
    Answer,
    Condition,
    Found,
    Last,
    Refused,
    Rejection,
    headers_of,
    read,
    seconds_of,
)

if TYPE_CHECKING:
    from nats.aio.msg import Msg

logger: Final = logging.getLogger("sockspec.backplane")

_OLDEST: Final = (2, 11)
_MOST_UNSENT: Final = 8 * 1024 * 1024
"""Bytes that wait for the socket. An engine that takes no more than this does not answer any more, either."""
_LONGEST_PAUSE: Final = 1.0
_AT_ONCE: Final = 256
"""So many subscriptions are made before others have their turn."""
_NO_MESSAGE: Final = 10037
_NO_RESPONDERS: Final = "503"

T = TypeVar("T")


class _Client(Client):
    """nats-py's client, which reads headers faster: its own way takes longer than all the rest of a message."""

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in raw.decode("utf-8", "replace").split("\r\n"):
            name, colon, value = line.partition(":")
            if colon:
                found[name.strip()] = value.strip()
        return found


class Sink:
    """Takes the messages of a subscription while they are read.

    nats-py hands a message to the future of a subscription at once, where a callback costs a queue, a task, and a turn of the
    loop for each message. What a node does with a message is quick, so this is given in place of a future.
    """

    __slots__ = ("_take",)

    def __init__(self, take: Callable[[Msg], None]) -> None:
        self._take = take

    def cancelled(self) -> bool:
        """Never: it takes any number."""
        return False

    def set_result(self, message: Msg) -> None:
        """A message came. Nothing is raised, for it would end the reading of the connection."""
        try:
            self._take(message)
        except Exception as error:
            logger.warning("a message from NATS could not be read: %s", type(error).__name__)


class _Gathering:
    """An answer of several messages, which ends with one that has a status."""

    __slots__ = ("done", "messages")

    def __init__(self, done: asyncio.Future[Msg]) -> None:
        self.done = done
        self.messages: list[Msg] = []

    def add(self, message: Msg) -> None:
        if message.headers is not None and "Status" in message.headers:
            if not self.done.done():
                self.done.set_result(message)
        else:
            self.messages.append(message)


class Link:
    """A connection to one of the servers."""

    def __init__(
        self,
        servers: Collection[str],
        options: Mapping[str, Any],
        timeout: float,
        *,
        prepare: Callable[[], Awaitable[bool]],
        interrupted: Callable[[], None],
        restored: Callable[[], None],
    ) -> None:
        """`prepare` finds the streams, or makes them, and says whether they are others than before."""
        self.timeout: Final = timeout
        self._servers = list(servers)
        self._options = options
        self._prepare = prepare
        self._interrupted = interrupted
        self._restored = restored
        self._client: Client | None = None
        self._is_up = False
        self._maker: asyncio.Task[Any] | None = None
        """Who makes the connection, and may use it before it is ready."""
        self._broken = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._watched: dict[str, Sink] = {}
        self._subscriptions: dict[str, Any] = {}
        self._inbox = ""
        self._serial = 0
        self._waiting: dict[str, asyncio.Future[Msg] | _Gathering] = {}
        self._ahead: float | None = None

    # --- being connected --------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect, and keep connected from now on. Raises BackplaneError."""
        try:
            await self._connect()
        except BaseException:
            self._give_up()
            await self._all_closed()
            raise
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Disconnect for good."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
        self._give_up()
        await self._all_closed()

    async def _all_closed(self) -> None:
        if self._closing:
            await asyncio.wait(set(self._closing))

    @property
    def is_up(self) -> bool:
        """Whether it is connected, and everything there that has to be."""
        return self._is_up

    def suspect(self) -> None:
        """Something answered as a server does that has lost what it had."""
        if self._is_up:
            self._broken.set()

    async def _keep(self) -> None:
        """Look after the connection until it is closed."""
        while True:
            await self._until_broken()
            self._give_up()
            self._interrupted()
            pause = 0.05
            while not self._is_up:
                try:
                    await self._connect()
                except BackplaneError as error:
                    logger.debug("NATS is not back: %s", error)
                    self._give_up()
                    await asyncio.sleep(random.uniform(pause / 2, pause))
                    pause = min(2 * pause, _LONGEST_PAUSE)
            self._restored()

    async def _until_broken(self) -> None:
        """Ask now and then; return when the connection is gone, there is no answer, or the streams are others."""
        while True:
            try:
                async with asyncio.timeout(self.timeout / 2):
                    await self._broken.wait()
                return
            except TimeoutError:
                pass
            try:
                if await self._prepare():
                    return
            except BackplaneError as error:
                logger.warning("NATS does not answer: %s", error)
                return

    async def _connect(self) -> None:
        """Connect to any of the servers, and bring everything there that has to be. Raises BackplaneError."""
        self._broken.clear()
        self._maker = asyncio.current_task()
        client = self._client = _Client()
        options: dict[str, Any] = {
            **self._options,
            "servers": list(self._servers),
            "connect_timeout": self.timeout,
            "error_cb": _note,
            "closed_cb": self._closed(client),
            "allow_reconnect": False,
            "max_reconnect_attempts": 2,
            "reconnect_time_wait": 0.05,
            "ping_interval": 60,  # `_until_broken` asks more often, and for more than a pong
            "pending_size": 0,  # nothing waits for a connection, and a publish for no buffer
            "flusher_queue_size": 0,
        }
        try:
            async with asyncio.timeout(self.timeout):
                await client.connect(**options)
            _check(client)
            self._inbox = client.new_inbox() + "."
            await client.subscribe(self._inbox + "*", future=cast(Any, Sink(self._answer)))
            await self._prepare()
            await self._subscribe(client, self._watched)
            await self._prepare()  # once this is answered, the subscriptions are there
        except (errors.Error, OSError, TimeoutError, ValueError) as error:
            raise BackplaneError(f"NATS cannot be reached: {_reason(client.last_error or error)}") from error
        if self._broken.is_set() or client.is_closed:
            raise BackplaneError("NATS closed the connection")
        self._is_up = True

    def _closed(self, client: Client) -> Callable[[], Awaitable[None]]:
        async def closed() -> None:
            if client is self._client:
                self._broken.set()

        return closed

    def _give_up(self) -> None:
        """Let go of a connection, and of everything that waits for an answer over it."""
        self._is_up = False
        client, self._client = self._client, None
        self._subscriptions.clear()
        waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            future = one.done if isinstance(one, _Gathering) else one
            if not future.done():
                future.set_exception(BackplaneError("the connection to NATS broke", doubtful=True))
        if client is not None:
            task = asyncio.create_task(_dispose(client, self.timeout))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    # --- subscriptions ----------------------------------------------------------------------------------------------

    async def watch(self, sinks: Mapping[str, Sink]) -> None:
        """Subscribe. The next answer says that it was done. Raises BackplaneError."""
        client = self._connected()
        self._watched.update(sinks)
        try:
            await self._subscribe(client, sinks)
        except errors.Error as error:
            raise BackplaneError(f"NATS cannot be reached: {_reason(error)}") from error

    async def _subscribe(self, client: Client, sinks: Mapping[str, Sink]) -> None:
        for number, (subject, sink) in enumerate(list(sinks.items()), 1):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if client is not self._client:
                raise BackplaneError("the connection to NATS broke")
            if subject in self._watched and subject not in self._subscriptions:
                self._subscriptions[subject] = await client.subscribe(subject, future=cast(Any, sink))

    async def unwatch(self, subjects: Collection[str]) -> None:
        """Subscribe no more."""
        for subject in subjects:
            self._watched.pop(subject, None)
            subscription = self._subscriptions.pop(subject, None)
            if subscription is not None:
                try:
                    await subscription.unsubscribe()
                except errors.Error as error:
                    logger.debug("unsubscribing failed: %s", type(error).__name__)

    # --- requests ---------------------------------------------------------------------------------------------------

    def _connected(self) -> Client:
        client = self._client
        ready = self._is_up or asyncio.current_task() is self._maker
        if client is None or not ready or not client.is_connected:
            raise BackplaneError("NATS is not connected")
        if client.pending_data_size > _MOST_UNSENT:
            raise BackplaneError("NATS does not take what it is sent")
        return client

    async def ask(self, subject: str, payload: bytes, headers: dict[str, str] | None = None) -> Msg:
        """Publish, and the first answer. Raises BackplaneError, which is doubtful once it was sent."""
        future = asyncio.get_running_loop().create_future()
        return await self._await(future, future, subject, payload, headers)

    async def gather(self, subject: str, payload: bytes) -> tuple[list[Msg], dict[str, str]]:
        """Publish, and the answers up to one with a status; the headers of that one. Raises BackplaneError."""
        gathering = _Gathering(asyncio.get_running_loop().create_future())
        headers = headers_of(await self._await(gathering, gathering.done, subject, payload, None))
        if headers.get("Status") not in ("204", "404"):
            raise BackplaneError(f"NATS gives nothing out: {headers.get('Status')}")
        return gathering.messages, headers

    async def _await(
        self,
        waiting: asyncio.Future[Msg] | _Gathering,
        future: asyncio.Future[Msg],
        subject: str,
        payload: bytes,
        headers: dict[str, str] | None,
    ) -> Msg:
        client = self._connected()
        self._serial += 1
        token = str(self._serial)
        self._waiting[token] = waiting
        timer = future.get_loop().call_later(self.timeout, _expire, future)
        try:
            await client.publish(subject, payload, self._inbox + token, headers)
            message = await future
        except errors.Error as error:
            raise BackplaneError(f"NATS takes no such message: {_reason(error)}") from error
        finally:
            timer.cancel()
            self._waiting.pop(token, None)
        if message.headers is not None and message.headers.get("Status") == _NO_RESPONDERS:
            self.suspect()
            raise BackplaneError("NATS has no such stream at the moment; is JetStream enabled?")
        return message

    def _answer(self, message: Msg) -> None:
        waiting = self._waiting.get(message.subject[len(self._inbox) :])
        if isinstance(waiting, _Gathering):
            waiting.add(message)
        elif waiting is not None and not waiting.done():
            waiting.set_result(message)

    async def append(self, subject: str, payload: bytes, headers: dict[str, str]) -> int:
        """Publish to a JetStream stream; the sequence that the message has there. Raises Refused, and BackplaneError."""
        answer = read((await self.ask(subject, payload, headers)).data, Answer)
        if answer.error is not None:
            if answer.error.code == 503:
                self.suspect()
            raise Refused(answer.error)
        return answer.seq

    async def command(self, what: str, body: Any, kind: type[T]) -> T:
        """A request to JetStream itself. Raises Refused, and BackplaneError."""
        data = (await self.ask(f"$JS.API.{what}", msgspec.json.encode(body))).data
        refusal = read(data, Rejection).error
        if refusal is not None:
            if refusal.err_code == NO_STREAM:
                self.suspect()
            raise Refused(refusal)
        return read(data, kind)

    async def last(self, stream: str, subject: str) -> Last | None:
        """The last message of a subject, from the leader: a replica may not have it yet. None where there is none."""
        try:
            return (await self.command(f"STREAM.MSG.GET.{stream}", {"last_by_subj": subject}, Found)).message
        except Refused as refused:
            if refused.err_code != _NO_MESSAGE:
                raise
            return None

    async def condition(self, stream: str) -> Condition:
        """How a JetStream stream is. The engine's clock is read by the way."""
        before = time.time()
        found = await self.command(f"STREAM.INFO.{stream}", {}, Condition)
        now = time.time()
        if self._ahead is None or now - before < 0.25:
            try:
                self._ahead = seconds_of(found.ts) - (before + now) / 2
            except ValueError:
                logger.warning("NATS says a time that cannot be read")
        return found

    def clock(self) -> float:
        """The engine's time, as far as it is known here."""
        return time.time() + (self._ahead or 0.0)


def _expire(future: asyncio.Future[Msg]) -> None:
    if not future.done():
        future.set_exception(BackplaneError("NATS did not answer in time", doubtful=True))


def _check(client: Client) -> None:
    """Raises BackplaneError for a server that is too old."""
    version = client.connected_server_version
    if (version.major or 0, version.minor or 0) < _OLDEST:
        raise BackplaneError(f"NATS 2.11 or newer is needed, and this is {version.major}.{version.minor}")


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


async def _note(error: Exception) -> None:
    logger.debug("NATS: %s", _reason(error))


async def _dispose(client: Client, timeout: float) -> None:
    """Close a connection that is of no use any more, also one whose other side takes nothing."""
    closing = asyncio.create_task(client.close())
    await asyncio.wait({closing}, timeout=timeout)
    # nats-py waits for what is unsent, and has no other way to end a connection at once.
    writer = getattr(getattr(client, "_transport", None), "_io_writer", None)
    if writer is not None:
        writer.transport.abort()
    closing.cancel()
    await asyncio.wait({closing}, timeout=timeout)
    # Where the connection breaks while nats-py closes it, its tasks end with that error, and nobody else looks at them.
    for task in (getattr(client, "_flusher_task", None), getattr(client, "_reading_task", None)):
        if isinstance(task, asyncio.Task) and task.done() and not task.cancelled():
            task.exception()
    if not closing.cancelled() and closing.done() and (error := closing.exception()) is not None:
        logger.debug("closing a connection to NATS failed: %s", type(error).__name__)
