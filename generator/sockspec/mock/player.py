"""One connection to a mock: what it is sent of its own accord, and what answers its messages."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from sockspec.mock import examples, faults
from sockspec.mock.endpoints import Endpoint
from sockspec.mock.examples import Examples
from sockspec.mock.faults import Pace
from sockspec.mock.steps import (
    Action,
    Close,
    Delay,
    Drop,
    Raw,
    Repeat,
    Reply,
    Send,
    Slow,
    Stall,
    Step,
    Tell,
    Text,
)
from sockspec.mock.traffic import Traffic
from sockspec.runtime import Connection, ConnectionClosed, Problem
from sockspec.runtime.problems import INTERNAL_SERVER_ERROR
from sockspec.runtime.transport import Frame
from sockspec.samples import NoSample
from sockspec.spec.source import Json

_log: Final = logging.getLogger("sockspec.mock")

_MOST_WAITING: Final = 16
"""How many messages wait for their turn before no more are taken."""


@dataclass(frozen=True, slots=True)
class Part:
    """What the players of all connections go by."""

    examples: Examples
    traffic: Traffic
    pushes: bool
    """Whether messages that are no replies are sent without a script."""
    every: float | None
    """How often they are sent again, in seconds."""
    next_step: Callable[[Endpoint, str | None, Json], Step | None]
    """The step of the script for what happened; None where it has none."""


class Player:
    """Plays the part of the server on one connection.

    What is sent of its own accord goes beside the answers, which come one after the other.
    """

    def __init__(self, part: Part, endpoint: Endpoint, connection: Connection[Any, Any], pace: Pace) -> None:
        self._part = part
        self._endpoint = endpoint
        self._connection = connection
        self._pace = pace
        self._turns: asyncio.Queue[tuple[str, object]] = asyncio.Queue(_MOST_WAITING)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """The connection is open."""
        self._spawn(self._open)
        self._spawn(self._answer_in_turn)

    def stop(self) -> None:
        """The connection has ended."""
        self._pace.stop()
        for task in self._tasks:
            task.cancel()

    async def take(self, message: object) -> None:
        """A valid message of the client came. Waits while many wait already."""
        name = self._endpoint.name_of(message)
        self._part.traffic.took(self._connection, self._endpoint, name, message)
        handler = self._endpoint.route.handlers[type(message)]
        if handler.concurrent:
            self._spawn(lambda: self._answer(name, message))
        else:
            await self._turns.put((name, message))

    # --- what happens -----------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        step = self._part.next_step(self._endpoint, None, None)
        if step is not None:
            await self._play(step.actions, None)
        elif self._part.pushes:
            await self._push()

    async def _push(self) -> None:
        for turn in itertools.count():
            for name in self._endpoint.pushed:
                await self._send_example(name, turn)
            if self._part.every is None:
                return
            await asyncio.sleep(self._part.every)

    async def _answer_in_turn(self) -> None:
        while True:
            await self._answer(*await self._turns.get())

    async def _answer(self, name: str, message: object) -> None:
        step = self._part.next_step(self._endpoint, name, self._plain(message))
        if step is not None:
            await self._play(step.actions, message)
        elif self._endpoint.replies.get(name):
            await self._reply_by_example(self._endpoint.replies[name], message)

    def _plain(self, message: object) -> Json:
        """A message as JSON; None for one that is none."""
        incoming = self._endpoint.incoming
        if any(entry.content != "json" for entry in incoming.entries if entry.message is type(message)):
            return None
        plain: Json = msgspec.json.decode(incoming.encode(message, check=False))
        return plain

    # --- actions ----------------------------------------------------------------------------------------------------

    async def _play(self, actions: tuple[Action, ...], message: object) -> None:
        """Do one action after the other; `message` is what a reply answers."""
        for action in actions:
            if self._is_over():
                return
            match action:
                case Repeat(times, inner):
                    for _ in itertools.count() if times is None else range(times):
                        await self._play(inner, message)
                        if self._is_over():
                            return
                        await asyncio.sleep(0)  # others have their turn even if nothing in between waits
                case Send(name, payload):
                    await self._send(name, payload)
                case Reply(name, payload):
                    await self._reply(name, payload, message)
                case _:
                    await self._do(action, message)

    def _is_over(self) -> bool:
        return not self._connection.is_open

    async def _do(self, action: Action, message: object) -> None:
        connection, pace = self._connection, self._pace
        match action:
            case Tell(problem, text):
                correlation = None if message is None else self._endpoint.incoming.correlation_of(message)
                await connection.send_problem(Problem.of(problem, text).about(correlation))
            case Text(text):
                self._part.traffic.did(connection, self._endpoint, "text")
                await connection.send_frame(Frame(text.encode(errors="surrogatepass")))
            case Raw(data):
                self._part.traffic.did(connection, self._endpoint, "raw bytes")
                await connection.send_frame(faults.RawFrame(data))
            case Delay(seconds):
                await asyncio.sleep(seconds)
            case Slow(rate):
                self._part.traffic.did(connection, self._endpoint, f"slow: {rate or 0} bytes a second")
                pace.rate = rate
            case Stall(seconds):
                self._part.traffic.did(connection, self._endpoint, f"stall: {seconds:g} s")
                async with faults.stalled(pace.below):
                    await asyncio.sleep(seconds)
            case Close(code, reason):
                self._part.traffic.did(connection, self._endpoint, f"close: {code}")
                await pace.drained()
                await connection.close(code, reason)
            case Drop(resets):
                self._part.traffic.did(connection, self._endpoint, "drop")
                await pace.drained()
                pace.stop()
                faults.drop(pace.below, resets=resets)
            case _:
                raise AssertionError(f"{action} is played elsewhere")

    # --- messages ---------------------------------------------------------------------------------------------------

    async def _reply_by_example(self, names: tuple[str, ...], message: object) -> None:
        """Reply by the first message of which there is an example."""
        for name in names:
            try:
                payload = self._part.examples.payload(self._endpoint, name)
            except NoSample as none:
                _log.warning("no reply %s: %s", name, none)
                continue
            await self._reply(name, payload, message)
            return
        problem = Problem.of(INTERNAL_SERVER_ERROR, "the mock has no example of the reply")
        await self._connection.send_problem(problem.about(self._endpoint.incoming.correlation_of(message)))

    async def _reply(self, name: str, payload: Json, message: object) -> None:
        correlation = self._endpoint.incoming.correlation_of(message)
        if correlation is not None:
            plain = msgspec.to_builtins(correlation)
            payload = examples.correlated(self._endpoint, name, payload, plain)
            if examples.taken_for(self._endpoint, name, payload) is None:
                _log.warning("the reply %s is not valid with the correlation id of its request", name)
        await self._send(name, payload)

    async def _send_example(self, name: str, turn: int) -> None:
        try:
            payload = self._part.examples.payload(self._endpoint, name, turn)
        except NoSample as none:
            if turn == 0:
                _log.warning("no %s: %s", name, none)
            return
        await self._send(name, payload)

    async def _send(self, name: str, payload: Json) -> None:
        frame = examples.frame(self._endpoint, name, payload)
        self._part.traffic.sent(self._connection, self._endpoint, name, frame)
        await self._connection.send_frame(frame)

    def _spawn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except ConnectionClosed:
            pass
        except Exception:
            _log.exception("the mock of %s failed", self._endpoint.route.path)
            self._pace.abort()
