"""Many raw connections in one thread, as cheap as can be: what they hear is counted, and the time that it took to get there.

They know just enough of the protocol to resume, so that what a server does for such clients can be measured, too. They answer
no pings: servers send none that they would miss.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final

from benchmarks.fleet_servers import GREETING, ROOM

MARK: Final = b"|"
"""Stands once in each message that is counted, before the time at which it was said; no size of a frame looks like it."""
_PATIENCE: Final = 60.0
_QUIET: Final = 0.5
_AT_ONCE: Final = 50
"""How many connections are opened at the same time: a listener that has no room for one answers a second later."""
_DIGITS: Final = 20
_STREAMS: Final = 3
"""How many streams a member hears: the room, everybody, and what is for its principal."""


class _Member:
    """One connection."""

    def __init__(self, port: int, number: int) -> None:
        self.port = port
        self.number = number
        self.stream: socket.socket | None = None
        self.early = b""
        self.is_ready = False
        self.session = ""
        self.positions: dict[str, tuple[str, int]] = {}


def _frame(payload: bytes) -> bytes:
    head = bytes((0x81, 0x80 | len(payload))) if len(payload) < 126 else struct.pack("!BBH", 0x81, 0xFE, len(payload))
    return head + bytes(4) + payload


def _texts(data: bytes) -> Iterator[bytes]:
    """The payloads of whole frames from a server."""
    while len(data) >= 2:
        size, start = data[1] & 0x7F, 2
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        if len(data) < start + size:
            return
        yield data[start : start + size]
        data = data[start + size :]


class Crowd:
    """Connections that are in a room, spread over servers."""

    def __init__(self, ports: list[int], count: int, path: str, *, resumes: bool = False) -> None:
        self.heard = 0
        self.refused = 0
        """How often a server has closed a connection before it was in the room."""
        self.delays: list[float] = []
        """How long each message was on its way to each member, in seconds."""
        self._path = path
        self._resumes = resumes
        self._poll = select.epoll()
        self._by_number: dict[int, _Member] = {}
        self._members = [_Member(ports[number % len(ports)], number) for number in range(count)]
        self._speaker: socket.socket | None = None

    def __len__(self) -> int:
        return len(self._members)

    def __enter__(self) -> Crowd:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.cut()
        if self._speaker is not None:
            self._speaker.close()
        self._poll.close()

    # --- coming and going -------------------------------------------------------------------------------------------

    def open(self, *, until: str = "") -> None:
        """Connect all, and wait until each is in the room; or until it heard a control message of that type."""
        left = iter(self._members)
        opening: list[_Member] = []
        end = time.monotonic() + _PATIENCE
        while True:
            opening = [member for member in opening if not member.is_ready]
            for member in left:
                self._connect(member)
                opening.append(member)
                if len(opening) >= _AT_ONCE:
                    break
            if not opening:
                return
            self._read(1.0, until or GREETING)
            if time.monotonic() > end:
                raise TimeoutError(f"{len(opening)} connections did not open: {opening[0].early[-200:]!r}")

    def _connect(self, member: _Member) -> None:
        member.is_ready, member.early = False, b""
        member.stream = socket.create_connection(("127.0.0.1", member.port), timeout=_PATIENCE)
        resume = "Sockspec-Resume: 1\r\n" if self._resumes else ""
        member.stream.sendall(_handshake(self._path, f"ann-{member.number}", resume))
        if self._resumes:
            places = [{"group": name, "epoch": at[0], "offset": at[1]} for name, at in member.positions.items()]
            asked = {"type": "sockspec.resume", "session": member.session, "positions": places}
            member.stream.sendall(_frame(json.dumps(asked, separators=(",", ":")).encode()))
        member.stream.setblocking(False)
        self._by_number[member.stream.fileno()] = member
        self._poll.register(member.stream.fileno(), select.EPOLLIN)

    def cut(self) -> None:
        """Break all connections off."""
        for number, member in self._by_number.items():
            self._poll.unregister(number)
            assert member.stream is not None
            member.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            member.stream.close()
        self._by_number.clear()

    def move(self, port: int) -> None:
        """Connect to another server the next time."""
        for member in self._members:
            member.port = port

    # --- hearing ----------------------------------------------------------------------------------------------------

    def _read(self, seconds: float, until: str = "") -> None:
        for number, _ in self._poll.poll(max(0.0, seconds)):
            member = self._by_number[number]
            assert member.stream is not None
            data = member.stream.recv(1 << 18)
            if member.is_ready:
                if not data:
                    raise ConnectionError("a server has closed a connection")
                self._count(data)
            elif data:
                self._begin(member, data, until)
            else:
                self._try_again(member)

    def _try_again(self, member: _Member) -> None:
        """A server that has too much to do sends clients away for a moment."""
        assert member.stream is not None
        self._poll.unregister(member.stream.fileno())
        del self._by_number[member.stream.fileno()]
        member.stream.close()
        self.refused += 1
        self._connect(member)

    def _count(self, data: bytes) -> None:
        at, found = time.perf_counter(), data.count(MARK)
        self.heard += found
        if found == 1:
            start = data.index(MARK) + 1
            with contextlib.suppress(ValueError):
                self.delays.append(at - int(data[start : start + _DIGITS]) / 1e9)

    def _begin(self, member: _Member, data: bytes, until: str) -> None:
        member.early += data
        head, end, rest = member.early.partition(b"\r\n\r\n")
        if not end or until.encode() not in rest:
            return
        if self._resumes and not member.session and rest.count(b"sockspec.joined") < _STREAMS:
            return
        assert b" 101 " in head, head
        if self._resumes and not member.session:
            for text in _texts(rest):
                said = json.loads(text)
                if said["type"] == "sockspec.session":
                    member.session = said["session"]
                elif said["type"] == "sockspec.joined":
                    member.positions[said["group"]] = (said["epoch"], said["offset"])
        member.is_ready = True
        self.heard += rest.count(MARK)
        member.early = b""

    def listen(self, seconds: float) -> None:
        """Hear whatever comes within that time."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._read(left)

    def settle(self) -> None:
        """Hear what is still to come, until nothing comes for a while."""
        end = time.monotonic() + _PATIENCE
        before = -1
        while self.heard != before and time.monotonic() < end:
            before = self.heard
            self.listen(_QUIET)

    # --- speaking ---------------------------------------------------------------------------------------------------

    def speak(self, port: int, request: Callable[[str], bytes], count: int = 1) -> None:
        """Say something, from beside the room; `request` makes a message of a text."""
        if self._speaker is None:
            path = self._path.replace(ROOM, "outside")
            self._speaker = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
            self._speaker.sendall(_handshake(path, "speaker", ""))
            answer = self._speaker.recv(4096)
            assert b" 101 " in answer, answer
        for _ in range(count):
            at = f"{time.perf_counter_ns():0{_DIGITS}}"
            self._speaker.sendall(_frame(request(f"{MARK.decode()}{at} Good morning, everybody!")))

    def drain(self, seconds: float = _PATIENCE, *, to: int) -> bool:
        """Hear until so many messages have come in all; whether they have, before nothing came for so long."""
        while self.heard < to:
            before = self.heard
            self._read(seconds)
            if self.heard == before:
                return False
        return True


def _handshake(path: str, token: str, more: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Authorization: Bearer {token}\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Sec-WebSocket-Version: 13\r\n{more}\r\n"
    ).encode()
