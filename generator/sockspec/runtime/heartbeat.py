"""Heartbeats that are messages of the document (`x-heartbeat`), for peers that do not see the protocol's pings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from sockspec.runtime.filled import M, message_of
from sockspec.runtime.transport import ClientTransport, ConnectionClosed

TIMESTAMP: Final = "timestamp"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A message that asks whether the other side is there, and the one that says so."""

    ping: type[msgspec.Struct]
    pong: type[msgspec.Struct]
    interval: float
    """How often whoever sends `ping` does so, in seconds."""
    timeout: float = 10.0
    """How long the answer may take, in seconds, before the other side counts as gone."""
    identifiers: Collection[str] = ()
    """The members of `ping` that are filled in with a fresh id."""

    def beat(self) -> Any:
        """A message that asks."""
        return message_of(self.ping, None, {}, timestamps=_timestamps(self.ping), identifiers=self.identifiers)

    def answer(self, message: msgspec.Struct) -> Any:
        """The message that answers one."""
        return answer(self.pong, message)


class Pulse:
    """The heartbeat of one client: it answers the server's, or sends its own and misses the answers."""

    def __init__(self, heartbeat: Heartbeat, *, answers: bool, encode: Callable[[Any], str | bytes]) -> None:
        self._heartbeat = heartbeat
        self._answers = answers
        self._encode = encode
        self._heard = asyncio.Event()

    def is_of(self, message: object) -> bool:
        """Whether a message that came belongs to the heartbeat, and to nobody else."""
        return type(message) is (self._heartbeat.ping if self._answers else self._heartbeat.pong)

    async def take(self, message: Any, transport: ClientTransport) -> None:
        """A message of the heartbeat came. Raises ConnectionClosed."""
        if not self._answers:
            self._heard.set()
            return
        try:
            async with asyncio.timeout(self._heartbeat.timeout):
                await transport.send(self._encode(self._heartbeat.answer(message)))
        except TimeoutError:
            transport.abort()

    async def run(self, transport: ClientTransport) -> None:
        """Send a connection's heartbeats, and end it when one is not answered in time."""
        heartbeat = self._heartbeat
        while not self._answers:
            await asyncio.sleep(heartbeat.interval)
            self._heard.clear()
            try:
                async with asyncio.timeout(heartbeat.timeout):
                    await transport.send(self._encode(heartbeat.beat()))
                    await self._heard.wait()
            except ConnectionClosed:
                return
            except TimeoutError:
                transport.abort()
                return


class Beats:
    """The pings that a server sends on one connection. Any message of the client is a sign of life."""

    def __init__(
        self,
        heartbeat: Heartbeat,
        *,
        send: Callable[[Any], None],
        heard: Callable[[], float],
        missed: Callable[[], None],
    ) -> None:
        """`heard` says when the latest message came, by the clock of `time.monotonic`; `missed` ends the connection."""
        self._heartbeat = heartbeat
        self._send = send
        self._heard = heard
        self._missed = missed
        self._timer = asyncio.get_running_loop().call_later(heartbeat.interval, self._beat)

    def stop(self) -> None:
        """Send no more."""
        self._timer.cancel()

    def _beat(self) -> None:
        sent = time.monotonic()
        self._send(self._heartbeat.beat())
        self._timer = asyncio.get_running_loop().call_later(self._heartbeat.timeout, self._look, sent)

    def _look(self, sent: float) -> None:
        if self._heard() < sent:
            self._missed()
            return
        left = max(0.0, self._heartbeat.interval - self._heartbeat.timeout)
        self._timer = asyncio.get_running_loop().call_later(left, self._beat)


def answer(kind: type[M], message: msgspec.Struct) -> M:
    """A message of a class that repeats what it has in common with another one, but for the time."""
    common = set(kind.__struct_fields__) & set(message.__struct_fields__) - {TIMESTAMP}
    return message_of(kind, None, {name: getattr(message, name) for name in common}, timestamps=_timestamps(kind))


def _timestamps(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return (TIMESTAMP,) if TIMESTAMP in kind.__struct_fields__ else ()
