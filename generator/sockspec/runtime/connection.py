"""A connection as handlers see it."""

from __future__ import annotations

import asyncio
import logging
import os
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import msgspec

from sockspec.runtime.error_messages import error_frame
from sockspec.runtime.filled import now
from sockspec.runtime.handshake import Handshake, Values
from sockspec.runtime.options import Options
from sockspec.runtime.problems import Problem
from sockspec.runtime.routing import Route
from sockspec.runtime.transport import ConnectionClosed, Transport

Out = TypeVar("Out")

_log: Final = logging.getLogger("sockspec.server")

_MOST_IN_VAIN: Final = 100
"""How many messages a handler can send to its client after that has gone."""

current: Final[ContextVar[object]] = ContextVar("sockspec.connection", default=None)
"""The connection on whose behalf the code runs: set while its handlers and hooks run, and in the tasks they start."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A handshake that was accepted."""

    route: Route
    handshake: Handshake[Any]
    principal: object = None


class Connection(Generic[Out]):
    """One client's connection to a server; `Out` is what the server may send on it."""

    def __init__(
        self,
        transport: Transport,
        admission: Admission,
        *,
        error_message: type[msgspec.Struct] | None,
        options: Options,
    ) -> None:
        self.id: Final = os.urandom(8).hex()
        """Names the connection in logs."""
        self.principal: Final = admission.principal
        """Who connected: what `authenticate` returned."""
        self.handshake: Final = admission.handshake
        self.parameters: Any = admission.handshake.parameters
        """The declared parameters of the handshake, each of its own type; None for an endpoint without."""
        self._transport = transport
        self._outgoing = admission.route.outgoing
        self._error_message = error_message
        self._options = options
        self._sending = asyncio.Lock()
        self._in_vain = 0
        self._closing: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} from {self.handshake.peer}>"

    @property
    def query(self) -> Values:
        """The parameters of the query."""
        return self.handshake.query

    @property
    def headers(self) -> Values:
        """The headers of the handshake; names in any case."""
        return self.handshake.headers

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._transport.is_open

    async def send(self, message: Out) -> None:
        """Send a message. Raises PayloadError for a message that the document does not allow.

        To a client that has gone, nothing is sent, and nothing is raised: it must not keep a handler from telling the
        others. A handler that sends for long looks at `is_open`; one that never does gets ConnectionClosed in the end.

        Sending to the client whose message is being handled waits while it is slow to read, at most for
        `Options.write_timeout`. Sending to any other client never waits. Whoever does not read in that time, or has
        more than `Options.max_outbound` bytes to read, is disconnected.
        """
        await self._write(self._outgoing.encode(message, check=self._options.check_sent))

    async def send_problem(self, problem: Problem) -> None:
        """Send an error message. Closes nothing; waits and raises like `send`."""
        await self._write(error_frame(problem, shape=self._error_message, outgoing=self._outgoing, at=now()))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection. Does nothing when it has ended.

        Waits, in bounded time, for the client whose message is being handled, and for no other.
        """
        closing = asyncio.create_task(self._transport.close(code, reason))
        if current.get() is self:
            await closing
        else:
            self._closing = closing  # the loop itself keeps no hold on its tasks

    async def _write(self, frame: str | bytes) -> None:
        if current.get() is self:
            await self._write_patiently(frame)
        elif self._transport.buffered > self._options.max_outbound:
            self._evict()
        else:
            self._transport.post(frame)

    async def _write_patiently(self, frame: str | bytes) -> None:
        try:
            # One at a time: what waits here is not yet in the transport's buffer.
            async with asyncio.timeout(self._options.write_timeout), self._sending:
                if self._transport.is_open:
                    await self._transport.send(frame)
                    return
        except TimeoutError:
            self._evict()
        except ConnectionClosed:
            pass
        self._in_vain += 1
        if self._in_vain > _MOST_IN_VAIN:
            raise ConnectionClosed(reason="the client has gone")
        await asyncio.sleep(0)  # a handler that sends in a loop lets the others run

    def _evict(self) -> None:
        if self._transport.is_open:
            # A close frame would wait behind all that the client does not read.
            _log.warning("connection %s is aborted: the client does not read what it is sent", self.id)
            self._transport.abort()
