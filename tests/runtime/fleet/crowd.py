"""Clients that come back by themselves, in hundreds, and note what they hear."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec

from sockspec.runtime import ClientOptions, Recovery
from sockspec.runtime.backoff import Ending
from sockspec.runtime.dial import dial
from sockspec.runtime.fleet import control
from sockspec.runtime.fleet.recovery import Resumption
from sockspec.runtime.transport import ClientTransport
from tests.runtime.chatting import Posted, RoomClient
from tests.runtime.fleet.processes import Fleet, Node, Said, until
from tests.runtime.fleet.publishing import Outcome, Publisher, more, say
from tests.runtime.fleet.verdict import Listener, verify

QUICK: Final = ClientOptions(backoff_base=0.05, backoff_cap=0.2, max_attempts=10_000, max_retry_after=0.2)
_HANDSHAKE: Final = (
    "GET /v1/rooms/{room}{query} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    "Authorization: Bearer {name}\r\nSockspec-Resume: 1\r\n\r\n"
)
_PAUSES: Final = (0.02, 0.5)
"""The shortest and the longest time before a connection is tried again, in seconds."""
_PING, _CLOSE, _TEXT = 0x89, 0x88, 0x81
_decode: Final = msgspec.json.Decoder(Said).decode


class Light(asyncio.Protocol):
    """A client that speaks the protocol by which clients resume, and not much more, so that there can be a thousand."""

    def __init__(self, fleet: Fleet, name: str, room: str, query: str = "") -> None:
        self.name = name
        self.heard: list[str] = []
        self.recoveries: list[Recovery] = []
        self.is_here = False
        self.node: Node | None = None
        """Where it is connected, or was."""
        self.losses = 0
        """How many connections ended."""
        self.may_come: Final = asyncio.Event()
        """Cleared, it stays away."""
        self.may_come.set()
        self.cuts = 0
        """How often it breaks the connection off once more, after some of what it is sent."""
        self._patience = 0
        self._fleet = fleet
        self._rng = random.Random(fleet.rng.random())
        self._request = _HANDSHAKE.format(room=room, query=query, name=name).encode()
        self._resumption = Resumption()
        self._received = bytearray()
        self._is_open = False
        self._leaves = False
        self._pause = _PAUSES[0]
        self._transport: asyncio.Transport | None = None
        fleet.start(self._dial())

    async def _dial(self) -> None:
        while not self._leaves:
            await self.may_come.wait()
            node = self._fleet.next()
            if node is not None:
                try:
                    self.node = node
                    await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", node.port)
                    return
                except OSError:
                    pass
            await self._wait()

    async def _wait(self) -> None:
        pause, self._pause = self._pause, min(2 * self._pause, _PAUSES[1])
        await asyncio.sleep(self._rng.uniform(pause / 2, pause))

    async def _dial_again(self) -> None:
        await self._wait()
        await self._dial()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is up to us to begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received.clear()
        self._is_open = False
        self._patience = self._rng.randrange(60) if self.cuts else -1
        transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        """Come back."""
        self._transport = None
        self.is_here = False
        self.losses += 1
        if not self._leaves:
            self._fleet.start(self._dial_again())

    def cut(self) -> None:
        """Break the connection off."""
        if self._transport is not None:
            self._transport.abort()

    def leave(self) -> None:
        """Say goodbye."""
        self._leaves = True
        if self._transport is not None:
            self._write(_CLOSE, (1000).to_bytes(2))

    def _write(self, head: int, payload: bytes) -> None:
        assert self._transport is not None
        size = len(payload)
        length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2)
        self._transport.write(bytes((head,)) + length + bytes(4) + payload)

    def data_received(self, data: bytes) -> None:
        """Take the frames that are whole."""
        received = self._received
        received += data
        start = 0
        if not self._is_open:
            end = received.find(b"\r\n\r\n")
            if end < 0:
                return
            if b" 101 " not in received[:end] or b"sockspec-resume: 1" not in received[:end].lower():
                self.cut()
                return
            self._is_open = True
            start = end + 4
            asked = self._resumption.begin()
            assert isinstance(asked, str)
            self._write(_TEXT, asked.encode())
        while (found := _frame(received, start)) is not None:
            head, first, last = found
            self._take(head, bytes(received[first:last]))
            start = last
        del received[:start]

    def _take(self, head: int, payload: bytes) -> None:
        if head == _TEXT:
            if self._patience == 0:
                self.cuts -= 1
                self.cut()
            self._patience -= 1
            self._hear(payload.decode())
        elif head == _PING:
            self._write(0x8A, payload)
        elif head == _CLOSE and self._transport is not None:
            self._write(_CLOSE, payload[:2])
            self._transport.close()

    def _hear(self, text: str) -> None:
        if control.is_control(text):
            self._note(self._resumption.take(text))
            self._resumption.prepared()
            return
        if not self._resumption.is_new():
            return
        said = _decode(text)
        if said.type == "posted" and said.room == "welcome":
            self.is_here = True
            self._pause = _PAUSES[0]
        elif said.type == "posted":
            self.heard.append(said.text)
        self._note(self._resumption.handed_on())

    def _note(self, recovery: Recovery | None) -> None:
        if recovery is not None:
            self.recoveries.append(recovery)


def _frame(received: bytearray, start: int) -> tuple[int, int, int] | None:
    """The head of the next frame, and where its payload is; None while it is not whole."""
    if len(received) < start + 2:
        return None
    size, first = received[start + 1], start + 2
    assert size < 127, "a frame is longer than any that is sent here"
    if size == 126:
        if len(received) < start + 4:
            return None
        size, first = int.from_bytes(received[start + 2 : start + 4], "big"), start + 4
    return None if len(received) < first + size else (received[start], first, first + size)


class Generated:
    """A client as packages have it."""

    def __init__(self, fleet: Fleet, name: str, room: str) -> None:
        self.name = name
        self.heard: list[str] = []
        self.recoveries: list[Recovery] = []
        self.is_here = False
        self._fleet = fleet
        self._client = RoomClient(room=room, url="ws://127.0.0.1/v1", token=name, options=QUICK)
        self._client.dial_by(self._dial)
        self._client.on(Posted, self._hear)
        self._client.on_recovery(self.recoveries.append)
        self._left = asyncio.Event()
        fleet.start(self._stay())

    async def _stay(self) -> None:
        async with self._client:
            await self._left.wait()

    async def _dial(
        self, url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], options: ClientOptions
    ) -> ClientTransport | Ending:
        self.is_here = False
        node = self._fleet.next()
        if node is None:
            return Ending(reason="there is no node")
        there = urlsplit(url)._replace(netloc=f"127.0.0.1:{node.port}").geturl()
        return await dial(there, headers=headers, subprotocols=subprotocols, options=options)

    def _hear(self, message: Posted) -> None:
        if message.room == "welcome":
            self.is_here = True
        else:
            self.heard.append(message.text)

    def leave(self) -> None:
        """Say goodbye."""
        self._left.set()


class Crowd:
    """Those in a room, and those who publish to it."""

    def __init__(self, fleet: Fleet, room: str = "lobby") -> None:
        self.fleet = fleet
        self.room = room
        self.listeners: list[Listener] = []
        self.publishers: list[Publisher] = []

    def lights(self, count: int, query: str = "", start: str = "light") -> list[Light]:
        """Bring in light clients."""
        found = [Light(self.fleet, f"{start}{number}", self.room, query) for number in range(count)]
        self.listeners += found
        return found

    def generated(self, count: int) -> None:
        """Bring in clients as packages have them."""
        self.listeners += [Generated(self.fleet, f"client{number}", self.room) for number in range(count)]

    def publish(self, count: int, *, at: Node | None = None, pace: float = 0.01) -> list[asyncio.Task[None]]:
        """Have messages published from now on."""
        start = len(self.publishers)
        found = [Publisher(self.fleet, f"p{start + number}", self.room, at=at) for number in range(count)]
        self.publishers += found
        return [self.fleet.start(one.run(pace)) for one in found]

    async def here(self, seconds: float = 20.0) -> None:
        """Wait until everybody is in the room."""
        await until(
            lambda: all(one.is_here for one in self.listeners),
            f"all are there, but {[one.name for one in self.listeners if not one.is_here][:5]}",
            seconds,
        )

    async def more(self, wanted: int, *outcomes: Outcome) -> None:
        """Wait until that became of so many more messages: they were acknowledged, if nothing else is said."""
        await more(self.publishers, wanted, *outcomes)

    async def end(self, publishing: Iterable[asyncio.Task[None]]) -> str:
        """Publish no more, let everybody hear what was, see that it is what it should be, and have them leave.

        Returns the last message.
        """
        for one in self.publishers:
            one.stop()
        await asyncio.gather(*publishing)
        await asyncio.gather(*(one.leave() for one in self.publishers))
        last = await say(self.fleet, self.room, "end")
        await until(lambda: all(last in one.heard for one in self.listeners), "everybody has heard the last message")
        verify(self.listeners, self.publishers, last)
        self.leave()
        return last

    def leave(self) -> None:
        """Have everybody leave."""
        for one in self.listeners:
            one.leave()
