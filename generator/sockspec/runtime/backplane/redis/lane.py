"""Commands on their way to the engine: many callers, one connection, answers in order.

What is asked for while others are on their way leaves together once those are answered: so a connection is never shared by
two who wait for different answers, concurrent callers cost one round trip, and one who is cancelled leaves nothing unread.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final, Protocol

from sockspec.runtime.backplane.line import BackplaneError
from sockspec.runtime.backplane.redis import reach
from sockspec.runtime.backplane.redis.scripts import Command, packed, with_text

if TYPE_CHECKING:
    from redis.asyncio import RedisCluster
    from redis.asyncio.connection import AbstractConnection

_log: Final = logging.getLogger("sockspec.backplane")
_MOST_COMMANDS: Final = 128
_MOST_BYTES: Final = 1024 * 1024
"""How much leaves together; at least one command, however long."""
_AT_ONCE: Final = 32
"""How many commands are on their way in a cluster, below the connections that redis-py allows."""


class Lane(Protocol):
    """Asks the engine."""

    async def ask(self, command: Command) -> Any:
        """The answer to a command. Raises BackplaneError."""
        ...

    async def ask_all(self, commands: Iterable[Command]) -> list[Any]:
        """The answers to commands, in order. Raises BackplaneError if one of them fails."""
        ...

    def distrust(self) -> None:
        """Another connection to the engine broke: what is asked for from now on goes over a new one."""
        ...

    async def close(self) -> None:
        """Fail what is on its way, and give the connections up."""
        ...


class _Asked:
    """A command, and who waits for its answer."""

    __slots__ = ("answer", "command", "deadline", "packed")

    def __init__(self, command: Command, answer: asyncio.Future[Any], deadline: float) -> None:
        self.command: Final = command
        self.packed: Final = packed(command)
        self.answer: Final = answer
        self.deadline: Final = deadline

    def fail(self, error: BackplaneError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class OneConnection:
    """The lane to one server."""

    def __init__(
        self,
        make: Callable[[], AbstractConnection],
        timeout: float,
        *,
        replicas: int = 0,
        on_connect: Callable[[AbstractConnection], None] = lambda _: None,
    ) -> None:
        """With `replicas`, what is asked for counts as done once so many of them have it."""
        self._make: Final = make
        self._timeout: Final = timeout
        self._replicas: Final = replicas
        self._on_connect: Final = on_connect
        self._connection: AbstractConnection | None = None
        self._waiting: Final[deque[_Asked]] = deque()
        self._unconfirmed: Final[list[tuple[_Asked, Any]]] = []
        self._flight: asyncio.Task[None] | None = None
        self._is_closed = False
        self._is_distrusted = False

    def distrust(self) -> None:
        """Another connection to the engine broke: what is asked for from now on goes over a new one."""
        self._is_distrusted = True

    async def ask(self, command: Command) -> Any:
        """The answer to a command."""
        return await self._send(command)

    async def ask_all(self, commands: Iterable[Command]) -> list[Any]:
        """The answers to commands."""
        return await asyncio.gather(*[self._send(command) for command in commands])

    def _send(self, command: Command) -> asyncio.Future[Any]:
        if self._is_closed:
            raise BackplaneError("this line is closed")
        loop = asyncio.get_running_loop()
        asked = _Asked(command, loop.create_future(), loop.time() + self._timeout)
        self._waiting.append(asked)
        if self._flight is None:
            self._flight = loop.create_task(self._fly(), context=Context())  # it outlasts whoever asks first
        return asked.answer

    async def close(self) -> None:
        """Give the connection up."""
        self._is_closed = True
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait({self._flight})
        await self._hang_up()

    def _leaving(self) -> list[_Asked]:
        """Those that leave together: the first ones, without those that nobody waits for any more."""
        leaving: list[_Asked] = []
        size = 0
        while self._waiting and len(leaving) < _MOST_COMMANDS:
            asked = self._waiting[0]
            size += len(asked.packed)
            if leaving and size > _MOST_BYTES:
                break
            self._waiting.popleft()
            if not asked.answer.done():
                leaving.append(asked)
        return leaving

    async def _fly(self) -> None:
        try:
            while self._waiting:
                if leaving := self._leaving():
                    await self._fly_once(leaving)
        finally:
            self._flight = None
            while self._waiting:  # only when the line is closed
                self._waiting.popleft().fail(BackplaneError("this line is closed"))

    async def _fly_once(self, leaving: Sequence[_Asked]) -> None:
        is_sent = False
        self._unconfirmed.clear()
        try:
            async with asyncio.timeout_at(leaving[0].deadline):
                connection = await self._connected()
                is_sent = True
                unknown = await self._exchange(connection, leaving, [asked.packed for asked in leaving])
                if unknown:  # the engine was started anew, and has forgotten the scripts
                    await self._exchange(connection, unknown, [packed(with_text(asked.command)) for asked in unknown])
                await self._confirm(connection, leaving[0].deadline)
        except asyncio.CancelledError:
            self._fail(leaving, BackplaneError("this line is closed", doubtful=is_sent))
            raise
        except Exception as error:
            await self._hang_up()
            self._fail(leaving, reach.failure(error, doubtful=is_sent))

    @staticmethod
    def _fail(leaving: Iterable[_Asked], error: BackplaneError) -> None:
        for asked in leaving:
            asked.fail(BackplaneError(str(error), doubtful=error.doubtful))

    async def _connected(self) -> AbstractConnection:
        connection = self._connection
        if connection is not None and not self._is_distrusted and not reach.has_ended(connection):
            return connection
        await self._hang_up()
        self._is_distrusted = False
        self._connection = await reach.connected(self._make, self._timeout)
        self._on_connect(self._connection)
        return self._connection

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await reach.hang_up(connection)

    async def _exchange(
        self, connection: AbstractConnection, leaving: Sequence[_Asked], commands: Iterable[bytes]
    ) -> list[_Asked]:
        """Send commands and read the answers; those whose scripts are not known."""
        from redis.exceptions import NoScriptError, ReadOnlyError

        await connection.send_packed_command(b"".join(commands), check_health=False)
        unknown: list[_Asked] = []
        is_demoted = False
        for asked in leaving:
            try:
                reply = await connection.read_response(disconnect_on_error=False)
            except NoScriptError:
                unknown.append(asked)
            except Exception as error:
                if not reach.is_refusal(error):
                    raise
                is_demoted = is_demoted or isinstance(error, ReadOnlyError)
                asked.fail(reach.failure(error, doubtful=False))
            else:
                if self._replicas:
                    self._unconfirmed.append((asked, reply))
                elif not asked.answer.done():
                    asked.answer.set_result(reply)
        if is_demoted:  # where there are sentinels, the next connection leads to another server
            await self._hang_up()
        return unknown

    async def _confirm(self, connection: AbstractConnection, deadline: float) -> None:
        """Wait for replicas, but not for so long that the answer would come too late."""
        if not self._unconfirmed:
            return
        left = deadline - asyncio.get_running_loop().time()
        await connection.send_command("WAIT", self._replicas, max(1, int(left * 800)), check_health=False)
        count = int(await connection.read_response(disconnect_on_error=False) or 0)
        for asked, reply in self._unconfirmed:
            if count < self._replicas:
                why = f"not enough replicas confirmed in time: {count} of {self._replicas} replicas"
                asked.fail(BackplaneError(why, doubtful=True))
            elif not asked.answer.done():
                asked.answer.set_result(reply)


class Cluster:
    """The lane to a cluster: redis-py knows where each key is, and follows it when it moves."""

    def __init__(self, client: RedisCluster, timeout: float) -> None:
        self._client: Final = client
        self._timeout: Final = timeout
        self._tasks: Final[set[asyncio.Task[Any]]] = set()
        self._room: Final = asyncio.Semaphore(_AT_ONCE)
        self._is_closed = False

    async def ask(self, command: Command) -> Any:
        """The answer to a command. Who is cancelled leaves it on its way."""
        return await asyncio.shield(self._send(command))

    async def ask_all(self, commands: Iterable[Command]) -> list[Any]:
        """The answers to commands."""
        return await asyncio.gather(*[asyncio.shield(self._send(command)) for command in commands])

    def _send(self, command: Command) -> asyncio.Task[Any]:
        if self._is_closed:
            raise BackplaneError("this line is closed")
        task = asyncio.create_task(self._run(command))
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may wait for it any more

    async def _run(self, command: Command) -> Any:
        from redis.exceptions import NoScriptError

        is_sent = False
        try:
            async with asyncio.timeout(self._timeout), self._room:
                is_sent = True
                try:
                    return await self._client.execute_command(command.name, *command.arguments)
                except NoScriptError:
                    command = with_text(command)
                    return await self._client.execute_command(command.name, *command.arguments)
        except asyncio.CancelledError:
            raise BackplaneError("this line is closed", doubtful=is_sent) from None
        except Exception as error:
            raise reach.failure(error, doubtful=is_sent) from error

    def distrust(self) -> None:
        """The other connection may have led to another server: redis-py sees to its own."""

    async def close(self) -> None:
        """Give the connections up."""
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
