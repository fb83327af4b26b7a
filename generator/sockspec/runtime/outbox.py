"""What a connection has still to send: bounded, in order, and with a policy for peers that read too slowly."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from sockspec.runtime.limits import Limits
from sockspec.runtime.policy import SlowConsumer
from sockspec.runtime.transport import ConnectionClosed, Frame, ServerTransport

_log: Final = logging.getLogger("sockspec.server")

KEPT: Final = object()
"""The key of what no policy forgets: without it the peer could not tell what it has missed."""


@dataclass(slots=True)
class _Waiting:
    frame: Frame
    key: Hashable


class Outbox:
    """Sends at once while the peer reads; what has to wait, waits here."""

    def __init__(
        self,
        transport: ServerTransport,
        limits: Limits,
        policy: SlowConsumer,
        overflow: Callable[[], None],
        sent: Callable[[Frame], None] | None = None,
    ) -> None:
        """`overflow` is called when the peer has to be disconnected, `sent` with each message that goes out."""
        self._transport = transport
        self._limits = limits
        self._policy = policy
        self._overflow = overflow
        self._sent = sent
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._pump: asyncio.Task[None] | None = None
        self._moved: asyncio.Future[None] | None = None
        self.dropped = 0
        """How many messages were forgotten by the policy."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_clear(self) -> bool:
        """Whether a message would be sent at once."""
        return not self._waiting and self._transport.is_writable

    def put(self, frame: Frame, key: Hashable = None) -> bool:
        """Send a message as soon as the peer reads. Never waits; says whether another one would be sent at once."""
        transport = self._transport
        if not self._waiting and transport.is_writable:
            if self._sent is not None and transport.is_open:
                self._sent(frame)
            transport.post(frame)
            return transport.is_writable and transport.is_open
        if not transport.is_open:
            return False
        if key is not None and key is not KEPT and self._policy == "coalesce":
            self._forget_key(key)
        self._waiting.append(_Waiting(frame, key))
        self._bytes += len(frame.data)
        self._bound()
        if self._pump is None and self._waiting:
            self._pump = asyncio.create_task(self._send_waiting())
        return False

    async def settled(self) -> None:
        """Wait until nothing waits any more. Raises ConnectionClosed when the connection ends before."""
        if not self._waiting:
            await self._transport.drained()
        while self._waiting:
            if not self._transport.is_open:
                raise ConnectionClosed
            if self._moved is None:
                self._moved = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._moved)
        if not self._transport.is_open:
            raise ConnectionClosed

    def clear(self) -> None:
        """Forget what waits: the connection has ended."""
        self._waiting.clear()
        self._bytes = 0
        if self._pump is not None:
            self._pump.cancel()
        self._tell()

    def _forget_key(self, key: Hashable) -> None:
        for waiting in self._waiting:
            if waiting.key == key:
                self._waiting.remove(waiting)
                self._bytes -= len(waiting.frame.data)
                return

    def _bound(self) -> None:
        limits = self._limits
        while len(self._waiting) > limits.max_outbound_messages or self._bytes > limits.max_outbound:
            oldest = next((index for index, one in enumerate(self._waiting) if one.key is not KEPT), None)
            if self._policy != "drop-oldest" or len(self._waiting) == 1 or oldest is None:
                self._waiting.clear()
                self._bytes = 0
                self._overflow()
                return
            self._bytes -= len(self._waiting[oldest].frame.data)
            del self._waiting[oldest]
            self.dropped += 1

    async def _send_waiting(self) -> None:
        try:
            while self._waiting:
                await self._transport.drained()
                while self._waiting and self._transport.is_writable:
                    waiting = self._waiting.popleft()
                    self._bytes -= len(waiting.frame.data)
                    if self._sent is not None and self._transport.is_open:
                        self._sent(waiting.frame)
                    self._transport.post(waiting.frame)
                    if self._transport.buffered > _AHEAD:
                        break
                self._tell()
        except ConnectionClosed:
            self._waiting.clear()
            self._bytes = 0
        finally:
            self._pump = None
            self._tell()

    def _tell(self) -> None:
        moved, self._moved = self._moved, None
        if moved is not None and not moved.done():
            moved.set_result(None)


_AHEAD: Final = 64 * 1024
"""How many bytes are handed to the transport at once."""
