"""A connection as the test sees it: what is sent is paced, what comes back is kept and judged."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from sockspec.contract.settings import NoConnection
from sockspec.contract.target import Target
from sockspec.runtime.error_messages import read_problem
from sockspec.runtime.jsontext import NotJson, parse
from sockspec.runtime.problems import TOO_MANY_REQUESTS, Problem
from sockspec.runtime.security.cleartext import is_loopback

_LARGEST: Final = 16 * 1024 * 1024
_LONGEST_WAIT: Final = 60.0
_PATIENCE: Final = 5
"""How often a message is sent again that came too early for the server."""

_log: Final = logging.getLogger("sockspec.contract")
_log.setLevel(logging.CRITICAL)  # the library would write down headers, and so tokens


@dataclass(frozen=True, slots=True)
class Refusal:
    """A handshake that was not answered by a connection. The status is 0 where it was no answer by the protocol."""

    status: int
    challenge: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """A frame of the server."""

    frame: str | bytes
    problem: Problem | None
    """What it tells, where it is an error message."""
    message: Any = None
    """The decoded message; None where the document does not have it."""


@dataclass(slots=True)
class Pace:
    """Not more than so many messages a second over all connections; 0 is no limit."""

    rate: float
    _next: float = 0.0

    async def wait(self) -> None:
        """Wait for one's turn."""
        if self.rate <= 0:
            return
        now = time.monotonic()
        self._next = max(self._next, now)
        delay = self._next - now
        self._next += 1.0 / self.rate
        if delay > 0:
            await asyncio.sleep(delay)

    async def back_off(self, seconds: float | None) -> None:
        """Do what a server asks for that was sent too much."""
        await asyncio.sleep(min(_LONGEST_WAIT, 1.0 if seconds is None else seconds))


@dataclass(slots=True)
class Journal:
    """What the server did on all connections to a channel."""

    judge: Callable[[str | bytes], Received]
    received: int = 0
    unfit: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Frames that the document does not allow, and why."""
    closings: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """Close codes of connections that the server ended; 1006 where it did so without a close frame."""


class Wire:
    """An open connection."""

    def __init__(self, socket: ClientConnection, journal: Journal, pace: Pace, timeout: float) -> None:
        self._socket = socket
        self._journal = journal
        self._pace = pace
        self._timeout = timeout
        self._arrived: asyncio.Queue[Received | None] = asyncio.Queue()
        self._reader = asyncio.create_task(self._read())
        self._is_leaving = False
        self.closed: int | None = None
        """The close code, once the server has ended the connection."""
        self.faults = 0
        """Invalid messages that were sent."""

    @property
    def subprotocol(self) -> str | None:
        """What the server has chosen."""
        return self._socket.subprotocol

    async def _read(self) -> None:
        try:
            while True:
                frame = await self._socket.recv()
                received = self._journal.judge(frame)
                self._journal.received += 1
                self._arrived.put_nowait(received)
        except ConnectionClosed as ended:
            code = ended.rcvd.code if ended.rcvd is not None else 1006
            if not self._is_leaving:
                self.closed = code
                self._journal.closings.append((code, ended.rcvd.reason if ended.rcvd is not None else ""))
        finally:
            self._arrived.put_nowait(None)

    async def send(self, frame: str | bytes) -> None:
        """Send a frame, when it is its turn. A connection that has ended meanwhile shows when something is awaited."""
        await self._pace.wait()
        try:
            async with asyncio.timeout(self._timeout):
                await self._socket.send(frame)
        except (ConnectionClosed, TimeoutError):
            return

    async def next(self, seconds: float) -> Received | None:
        """What comes next; None where nothing comes in time or the connection has ended."""
        if self.closed is not None and self._arrived.empty():
            return None
        try:
            async with asyncio.timeout(seconds):
                received = await self._arrived.get()
        except TimeoutError:
            return None
        return received

    async def pong(self) -> bool:
        """Whether a ping is answered in time."""
        try:
            async with asyncio.timeout(self._timeout):
                await (await self._socket.ping())
        except (ConnectionClosed, TimeoutError):
            return False
        return True

    async def leave(self) -> None:
        """Close the connection."""
        self._is_leaving = self.closed is None and not self._reader.done()
        try:
            async with asyncio.timeout(self._timeout):
                await self._socket.close()
                await self._reader
        except TimeoutError:
            self._socket.transport.abort()
            self._reader.cancel()
            await asyncio.wait([self._reader])


async def dial(target: Target, journal: Journal, pace: Pace, timeout: float) -> Wire | Refusal:
    """Open a connection. NoConnection where nobody is there; a server that has too many handshakes is asked again."""
    for _ in range(_PATIENCE):
        try:
            return Wire(await _open(target, timeout), journal, pace, timeout)
        except InvalidStatus as refused:
            response = refused.response
            if response.status_code == 429:
                waiting = response.headers.get("Retry-After", "1")
                await pace.back_off(float(waiting) if waiting.isdigit() else 1.0)
                continue
            challenge = ", ".join(response.headers.get_all("WWW-Authenticate"))
            return Refusal(response.status_code, challenge, _told(bytes(response.body or b"")))
        except InvalidHandshake as error:
            return Refusal(0, why=str(error))
        except EOFError:
            return Refusal(0, why="the connection was closed without an answer")
        except TimeoutError:
            raise NoConnection(f"no answer to the handshake within {timeout:g} s") from None
        except OSError as error:
            raise NoConnection(error.strerror or type(error).__name__) from None
    return Refusal(429, why="too many connections, also after waiting")


async def _open(target: Target, timeout: float) -> ClientConnection:
    url = target.url
    local = is_loopback(urlsplit(url).hostname or "")
    return await connect(
        url,
        additional_headers=dict(target.headers),
        subprotocols=[Subprotocol(name) for name in target.subprotocols] or None,
        compression=None,
        proxy=None if local else True,
        open_timeout=timeout,
        close_timeout=timeout,
        ping_interval=None,
        max_size=_LARGEST,
        logger=_log,
    )


def _told(body: bytes) -> str:
    try:
        members = parse(body.decode())
    except (NotJson, UnicodeDecodeError):
        return ""
    return read_problem(members).message if isinstance(members, dict) else ""


def is_too_early(received: Received) -> bool:
    """Whether the server asks to be sent less."""
    problem = received.problem
    return problem is not None and (problem.type == TOO_MANY_REQUESTS or problem.status == 429)
