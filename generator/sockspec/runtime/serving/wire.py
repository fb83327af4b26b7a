"""A server's connection on a stream of bytes: what is the same whichever library reads the frames."""

from __future__ import annotations

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Final

from sockspec.runtime.limits import Limits
from sockspec.runtime.options import Options
from sockspec.runtime.problems import IDLE_TIMEOUT, PROBLEMS
from sockspec.runtime.transport import ConnectionClosed, Frame

_log: Final = logging.getLogger("sockspec.server")

_TURN: Final = 64
"""How many messages in a row are handed out before other connections get their turn."""
_GATHERED: Final = 64 * 1024
"""How many bytes are gathered at most before they are written."""
_MOST_MISSED: Final = 6
"""How many pongs in a row can be missing that could not be read, because handlers have more to do than they can."""
_MOST_REASON: Final = 123
"""The bytes that a close reason can have (RFC 6455, section 5.5)."""


class Writing:
    """The connections that write when this turn of the event loop ends: one callback for however many there are."""

    def __init__(self) -> None:
        self._wires: list[Wire] = []

    def join(self, wire: Wire) -> None:
        """Have a connection write at the end of the turn."""
        if not self._wires:
            asyncio.get_running_loop().call_soon(self._end)
        self._wires.append(wire)

    def _end(self) -> None:
        wires, self._wires = self._wires, []
        for wire in wires:
            try:
                wire.write_gathered()
            except Exception:
                _log.exception("a connection could not be written to")
                wire.abort()


class Wire(ABC):
    """An open connection.

    What is sent within one turn of the event loop is written at once. While the peer does not read, nothing more is read
    from it, and after `Options.write_timeout` without progress it is cut off: so neither what it is sent nor the answers
    to its pings pile up.
    """

    def __init__(self, stream: asyncio.Transport, options: Options, limits: Limits, writing: Writing) -> None:
        self._stream = stream
        self._options = options
        self._loop = asyncio.get_running_loop()
        self.is_open = True
        """Whether messages can be sent."""
        self.is_writable = True
        """Whether the peer takes what it is sent."""
        self._ending: ConnectionClosed | None = None
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        # Receiving.
        self._most_received = limits.max_inbound
        self._received: deque[str | bytes] = deque()
        self._receiver: asyncio.Future[None] | None = None
        self._in_a_row = 0
        self._is_full = False
        # Sending.
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._writing = writing
        self._will_write = False
        self._drained: asyncio.Future[None] | None = None
        self._ping = b""
        self._missed = 0
        self._name = ""
        self._on_lost: Callable[[], None] | None = None

    def start(self) -> None:
        """Watch over the peer from now on."""
        first = self._options.ping_interval * random.uniform(0.5, 1.0)  # not all that came together at the same moment
        self._after("ping", first, self._send_ping)

    @property
    def stream(self) -> asyncio.Transport:
        """The stream of bytes below, for those who have to break it in ways that no server should."""
        return self._stream

    # --- what the library does --------------------------------------------------------------------------------------

    @abstractmethod
    def _write_close(self, code: int, reason: str) -> None:
        """Write a close frame."""

    @abstractmethod
    def _write_ping(self, payload: bytes) -> None:
        """Write a ping."""

    # --- ServerTransport --------------------------------------------------------------------------------------------

    def attach(self, name: str, ended: Callable[[], None]) -> None:
        """Name the connection in logs, and call `ended` once the stream has ended."""
        self._name = name
        self._on_lost = ended

    @property
    def buffered(self) -> int:
        """How many bytes were sent and not yet taken by the peer."""
        return self._gathered_bytes + self._stream.get_write_buffer_size()

    def received(self) -> str | bytes | None:
        """The next message, if it is there and others have not waited long for their turn."""
        if not self._received or self._in_a_row >= _TURN:
            return None
        self._in_a_row += 1
        message = self._received.popleft()
        if self._is_full and len(self._received) <= self._most_received // 2:
            self._is_full = False
            self._read_on()
        return message

    async def receive(self) -> str | bytes:
        """The next message. Raises ConnectionClosed once all that came before the end is taken."""
        self._flush()
        if self._received and self._in_a_row >= _TURN:
            await asyncio.sleep(0)
        self._in_a_row = 0
        while True:
            message = self.received()
            if message is not None:
                return message
            if self._ending is not None:
                raise self._ending
            self._in_a_row = 0
            self._receiver = self._loop.create_future()
            try:
                await self._receiver
            finally:
                self._receiver = None

    def post(self, frame: Frame) -> None:
        """Send a message without waiting. Does nothing when the connection is not open."""
        if not self.is_open:
            return
        data = frame.wire
        self._gathered.append(data)
        self._gathered_bytes += len(data)
        if self._gathered_bytes > _GATHERED:
            self._flush()
        elif not self._will_write:
            self._will_write = True
            self._writing.join(self)

    async def drained(self) -> None:
        """Wait until the peer has taken enough. Raises ConnectionClosed."""
        self._flush()
        while not self.is_writable and self._ending is None:
            if self._drained is None:
                self._drained = self._loop.create_future()
            await asyncio.shield(self._drained)
        if self._ending is not None:
            raise self._ending

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection, and wait until it has ended: `Options.close_timeout` at most."""
        self._start_closing(code, reason)
        await asyncio.shield(self._gone)

    def abort(self) -> None:
        """End the connection now."""
        if self.is_open:
            self.is_open = False
        self._end(ConnectionClosed())
        self._stream.abort()

    def write_gathered(self) -> None:
        """Write what was sent in this turn of the event loop."""
        self._will_write = False
        self._flush()

    # --- what the library tells -------------------------------------------------------------------------------------

    def take(self, message: str | bytes) -> None:
        """A message came."""
        self._received.append(message)
        if not self._is_full and len(self._received) >= self._most_received:
            self._is_full = True
            self._stream.pause_reading()
        if self._receiver is not None:
            self._wake_receiver()

    def take_text(self, payload: bytes) -> None:
        """A text message came. Text that is not UTF-8 ends the connection (RFC 6455, section 8.1)."""
        try:
            self.take(payload.decode())
        except UnicodeDecodeError as error:
            self._refuse_text(error)

    def take_pong(self, payload: bytes) -> None:
        """The answer to a ping came, perhaps to one that nobody sent."""
        if self._ping and payload == self._ping:
            self._ping = b""
            self._missed = 0
            self._forget("pong")

    def closing(self, code: int, reason: str) -> None:
        """The peer started to close, or the library did for a fault of the peer; no message can be sent any more."""
        if self.is_open:
            self.is_open = False
            self._after("close", self._options.close_timeout, self.abort)
        self._end(ConnectionClosed(code, reason))

    def lost(self) -> None:
        """The stream has ended."""
        self.is_open = False
        self._end(ConnectionClosed())
        for name in list(self._timers):
            self._forget(name)
        on_lost, self._on_lost = self._on_lost, None
        if on_lost is not None:
            on_lost()
        self._gathered.clear()
        self._gathered_bytes = 0
        if not self._gone.done():
            self._gone.set_result(None)

    def pause_writing(self) -> None:
        """The peer reads slower than it is sent: so read less from it, too."""
        self.is_writable = False
        self._stream.pause_reading()
        self._watch_stall()

    def resume_writing(self) -> None:
        """The peer has caught up."""
        self.is_writable = True
        self._forget("stall")
        self._read_on()
        self._wake_sender()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _refuse_text(self, error: UnicodeDecodeError) -> None:
        self._start_closing(1007, f"not UTF-8 at byte {error.start}")

    def _start_closing(self, code: int, reason: str) -> None:
        if not self.is_open:
            return
        self._flush()
        self.is_open = False
        self._end(ConnectionClosed(code, reason))
        self._read_on()
        self._after("close", self._options.close_timeout, self.abort)
        self._write_close(code, reason.encode()[:_MOST_REASON].decode(errors="ignore"))

    def _end(self, ending: ConnectionClosed) -> None:
        if self._ending is None:
            self._ending = ending
        self._wake_receiver()
        self._wake_sender()

    def _wake_receiver(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None and not receiver.done():
            receiver.set_result(None)

    def _wake_sender(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    def _read_on(self) -> None:
        """Read from the peer again, if nothing stands against it."""
        wanted = not self.is_open or (self.is_writable and not self._is_full)
        if wanted and not self._stream.is_closing():
            self._stream.resume_reading()

    def _flush(self) -> None:
        if not self._gathered:
            return
        data = self._gathered[0] if len(self._gathered) == 1 else b"".join(self._gathered)
        self._gathered.clear()
        self._gathered_bytes = 0
        if not self._stream.is_closing():
            self._stream.write(data)

    def _send_ping(self) -> None:
        if not self.is_open:
            return
        self._after("ping", self._options.ping_interval, self._send_ping)
        if not self._ping and self.is_writable:
            self._ping = random.randbytes(4)
            self._flush()
            self._write_ping(self._ping)
            self._after("pong", self._options.ping_timeout, self._miss_pong)

    def _miss_pong(self) -> None:
        self._missed += 1
        if not self.is_writable or (self._is_full and self._missed <= _MOST_MISSED):
            # The answer may be there, unread because of us. If the peer does not read, that is found elsewhere. Another
            # ping finds out whether the system has given the stream up, which nobody who does not read is told.
            if self.is_writable:
                self._write_ping(self._ping)
            self._after("pong", self._options.ping_timeout, self._miss_pong)
            return
        _log.info("a connection is closed: its peer does not answer pings", extra={"connection": self._name})
        kind = PROBLEMS[IDLE_TIMEOUT]
        self._start_closing(kind.close or 1000, kind.title)
        self._after("close", min(1.0, self._options.close_timeout), self.abort)

    def _watch_stall(self, buffered: int | None = None) -> None:
        """Cut off a peer that has taken nothing since the last look."""
        left = self._stream.get_write_buffer_size()
        if buffered is not None and left >= buffered:
            _log.warning(
                "a connection is aborted: its peer does not read what it is sent", extra={"connection": self._name}
            )
            self.abort()
        else:
            self._after("stall", self._options.write_timeout, lambda: self._watch_stall(left))

    def _after(self, name: str, delay: float, action: object) -> None:
        self._forget(name)
        assert callable(action)
        self._timers[name] = self._loop.call_later(delay, action)

    def _forget(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
