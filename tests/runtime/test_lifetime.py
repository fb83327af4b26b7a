"""How connections end that should end: whoever is slow, gone or expired keeps neither a place nor a group."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, suppress

import pytest

from sockspec.runtime import ClientOptions, Connection, Handshake, Limits, Observer, Options, PayloadError, Principal
from sockspec.runtime.problems import Problem
from sockspec.runtime.testing import End, Host
from sockspec.runtime.transport import ConnectionClosed
from tests.runtime import hosts
from tests.runtime.chatting import (
    Chat,
    FromServer,
    GuardedChat,
    Post,
    Posted,
    RoomConnection,
    RoomParameters,
    options_of,
    raw,
    scenario,
    serving,
    told,
)

PATH = "/v1/rooms/lobby"
UPGRADE = (
    b"GET /v1/rooms/lobby HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.fixture(params=hosts.STAND_ALONE)
def way_of_serving(request: pytest.FixtureRequest) -> Generator[str]:
    token = hosts.chosen.set(request.param)
    yield request.param
    hosts.chosen.reset(token)


class Grouped(GuardedChat):
    """Everybody is in one group, with credentials that soon expire."""

    lifetime = 0.2

    async def verify_access_token(self, token: str, handshake: Handshake[RoomParameters]) -> Principal:
        return Principal(id="ann", expires=dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.lifetime))

    async def room_opened(self, connection: RoomConnection) -> None:
        await self.group(RoomConnection, "all").join(connection)
        await super().room_opened(connection)


async def _dialled(host: Host) -> End:
    headers = {"Authorization": "Bearer good"}
    end = await host.dial(f"ws://localhost{PATH}", headers=headers, subprotocols=(), options=ClientOptions())
    assert isinstance(end, End)
    return end


@asynccontextmanager
async def _broadcasting(server: Chat) -> AsyncGenerator[None]:
    async def broadcast() -> None:
        while True:
            await server.group(RoomConnection, "all").broadcast(Posted(room="lobby", text="x" * 10_000))
            await asyncio.sleep(0)

    task = asyncio.create_task(broadcast())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@scenario
async def test_whoever_expires_and_reads_slowly_is_out_of_all_groups_not_heard_any_more_and_cut_off_in_time() -> None:
    """Invariant: gone within the close timeout, although it is broadcast to without end."""
    server = Grouped()
    options = Options(slow_consumer="drop-oldest", close_timeout=0.2, write_timeout=60)
    async with Host(server, options=options) as host:
        end = await _dialled(host)
        await server.until("opened")
        end.pause_reading()
        group = server.group(RoomConnection, "all")
        async with _broadcasting(server):
            while len(group):
                await asyncio.sleep(0)
            await end.send('{"type":"post","text":"too late"}')
            with pytest.raises(ConnectionClosed):
                await end.receive()
            await server.until("opened", "closed")
        assert server.texts == []


@scenario
async def test_whoever_expires_is_told_and_the_log_has_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sockspec.server")
    async with serving(Grouped()) as running:
        async with raw(running, additional_headers={"Authorization": "Bearer good"}) as websocket:
            assert (await told(websocket))["error"]["type"] == "/problems/token-expired"
    records = [record for record in caplog.records if record.getMessage() == "/problems/token-expired"]
    assert [hasattr(record, "connection") for record in records] == [True]


@scenario
async def test_whoever_is_idle_is_told_and_the_log_has_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sockspec.server")
    async with serving(idle_timeout=0.05) as running, raw(running) as websocket:
        assert (await told(websocket))["error"]["type"] == "/problems/idle-timeout"
    records = [record for record in caplog.records if record.getMessage() == "/problems/idle-timeout"]
    assert [hasattr(record, "connection") for record in records] == [True]


class Hanging(Chat):
    """Its handler never ends."""

    def __init__(self) -> None:
        super().__init__()
        self.cancelled = asyncio.Event()

    async def post(self, connection: RoomConnection, message: Post) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()


@scenario
async def test_a_handler_is_cancelled_some_time_after_its_client_has_gone(way_of_serving: str) -> None:
    """Invariant: its place in the limits is given back."""
    server = Hanging()
    async with serving(server, drain_timeout=0.1, close_timeout=0.1) as running:
        async with raw(running) as websocket:
            await websocket.send('{"type":"post","text":"hang"}')
            await server.until("opened")
            websocket.transport.abort()
        await server.cancelled.wait()
        await server.until("opened", "closed")
        while running.dispatcher.turnstile.connections:
            await asyncio.sleep(0)


@scenario
async def test_a_peer_that_is_silent_behind_a_handler_that_hangs_is_found(
    way_of_serving: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Invariant: gone after some missed pongs, although the server reads nothing that could tell."""
    caplog.set_level(logging.INFO, "sockspec.server")
    server = Hanging()
    options = {"ping_interval": 0.05, "ping_timeout": 0.05, "close_timeout": 0.1, "drain_timeout": 0.1}
    async with serving(server, **options) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        text = b'{"type":"post","text":"hang"}'
        writer.write(UPGRADE + 40 * (bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text))
        with suppress(ConnectionError):
            await reader.read()
        await server.until("opened", "closed")
        while running.dispatcher.turnstile.connections:
            await asyncio.sleep(0)
        writer.close()
    records = [record for record in caplog.records if "does not answer pings" in record.getMessage()]
    assert [hasattr(record, "connection") for record in records] == [True]


@scenario
async def test_a_handler_has_as_much_time_as_the_options_give_it() -> None:
    server = Hanging()
    async with serving(server, handler_timeout=0.05) as running, raw(running) as websocket:
        await websocket.send('{"type":"post","text":"hang"}')
        error = (await told(websocket))["error"]
        assert error["type"] == "/problems/internal-server-error"
        assert error["message"] == "it took too long to handle this message"
        assert server.cancelled.is_set()
        await websocket.send('{"type":"getHistory","id":"1"}')
        assert (await told(websocket))["type"] == "history"


def test_an_expiry_has_a_time_zone() -> None:
    with pytest.raises(ValueError, match="has to have a time zone"):
        Principal(expires=dt.datetime(2026, 1, 1))


class Broken(Observer):
    """Fails when it is told of a connection."""

    def opened(self, connection: Connection[FromServer, Principal]) -> None:
        raise RuntimeError("the observer failed")


class Counting(Observer):
    """Counts."""

    def __init__(self) -> None:
        self.open = 0
        self.count = 0

    def opened(self, connection: Connection[FromServer, Principal]) -> None:
        self.open += 1

    def closed(self, connection: Connection[FromServer, Principal], seconds: float) -> None:
        self.open -= 1

    def sent(self, connection: Connection[FromServer, Principal], size: int) -> None:
        self.count += 1

    def told(self, connection: Connection[FromServer, Principal], problem: Problem) -> None:
        """Nothing beside what was sent."""


@scenario
async def test_an_observer_that_fails_disturbs_nobody_and_connections_are_counted_out() -> None:
    counting = Counting()
    async with serving(observers=(counting, Broken())) as running:
        async with raw(running) as websocket:
            await websocket.send('{"type":"getHistory","id":"1"}')
            assert (await told(websocket))["type"] == "history"
            assert counting.open == 1
        while running.dispatcher.turnstile.connections:
            await asyncio.sleep(0)
    assert counting.open == 0


@scenario
async def test_observers_are_told_of_what_is_sent_and_not_of_what_is_dropped() -> None:
    server, counting = Grouped(), Counting()
    server.lifetime = 60
    limits = Limits(max_outbound_messages=2, messages_per_second=None)
    options = Options(limits=limits, slow_consumer="drop-oldest", observers=(counting,), write_timeout=60)
    async with Host(server, options=options) as host:
        end = await _dialled(host)
        await server.until("opened")
        end.pause_reading()
        (connection,) = server.members
        for number in range(20):
            await connection.send_posted(room="lobby", text=str(number).ljust(10_000))
        assert connection.dropped > 0
        end.resume_reading()
        got = [json.loads(await end.receive())["text"] for _ in range(20 - connection.dropped)]
        assert int(got[-1]) == 19
        assert counting.count == len(got)
        before = counting.count
        await end.close()
        await server.until("opened", "closed")
        await connection.send_posted(room="lobby", text="in vain")
        assert counting.count == before


@scenario
async def test_groups_do_not_check_what_is_not_to_be_checked() -> None:
    class Lax(Chat):
        async def room_opened(self, connection: RoomConnection) -> None:
            await self.group(RoomConnection, "all").join(connection)
            await super().room_opened(connection)

    for check_sent in (True, False):
        server = Lax()
        async with Host(server, options=options_of(check_sent=check_sent)) as host:
            end = await _dialled(host)
            await server.until("opened")
            message = Posted(room="lobby", text=5)  # type: ignore[arg-type]
            if check_sent:
                with pytest.raises(PayloadError):
                    await server.group(RoomConnection, "all").broadcast(message)
            else:
                await server.group(RoomConnection, "all").broadcast(message)
                assert json.loads(await end.receive())["text"] == 5


@scenario
async def test_a_reply_that_is_missed_is_a_warning_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sockspec.server")

    class Slow(Chat):
        async def get_history(self, connection: RoomConnection, message: object) -> object:  # type: ignore[override]
            return await asyncio.Event().wait()

    async with serving(Slow(), reply_timeout=0.05) as running, raw(running) as websocket:
        await websocket.send('{"type":"getHistory","id":"r1"}')
        answer = await told(websocket)
        assert answer["error"]["message"] == "it took too long to handle this message"
        assert answer["id"] == "r1"
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(record.levelname, record.exc_info, hasattr(record, "connection")) for record in warnings] == [
        ("WARNING", None, True)
    ]
