"""A client over real sockets: replies, callbacks, and what it does when the connection ends."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from sockspec.runtime import (
    ClientOptions,
    ConnectionLost,
    Handshake,
    InsecureTransport,
    Options,
    PayloadError,
    Policy,
    Principal,
    Problem,
    ProblemError,
    State,
    Token,
)
from tests.runtime.chatting import (
    QUICK,
    Chat,
    FromServer,
    GetHistory,
    GuardedChat,
    History,
    Posted,
    RoomClient,
    RoomParameters,
    scenario,
    serving,
    texts,
)
from tests.runtime.hosts import Host


def room(running: Host, options: ClientOptions = QUICK, token: Token | None = None) -> RoomClient:
    return RoomClient(room="lobby", url=running.url + "/v1", token=token, options=options)


@asynccontextmanager
async def peer(behave: Callable[[ServerConnection], Awaitable[None]]) -> AsyncGenerator[str]:
    """The URL of a server that is not ours, and may do anything."""
    async with serve(behave, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


class Log:
    """What callbacks were given, to be awaited."""

    def __init__(self) -> None:
        self.items: list[object] = []
        self._added = asyncio.Event()

    def add(self, item: object) -> None:
        self.items.append(item)
        self._added.set()

    async def until(self, *items: object) -> None:
        while self.items != list(items):
            self._added.clear()
            await self._added.wait()


# --- replies ----------------------------------------------------------------------------------------------------------


@scenario
async def test_each_of_many_concurrent_requests_gets_its_own_reply() -> None:
    async with serving() as running, room(running) as client:
        await client.send_post(text="hello")
        replies = await asyncio.gather(*(client.get_history(id=f"r{number}") for number in range(50)))
        assert replies == [History(id=f"r{number}", texts=["hello"]) for number in range(50)]
        assert (await client.get_history()).texts == ["hello"]
        assert await texts(client, 1) == ["hello"]


@scenario
async def test_a_request_that_the_server_refuses_raises_its_problem_and_the_connection_goes_on() -> None:
    async with serving() as running, room(running) as client:
        with pytest.raises(ProblemError, match="thirteen is not allowed") as refused:
            await client.get_history(limit=13)
        assert (refused.value.problem.type, refused.value.problem.status) == ("/problems/forbidden", 403)
        assert (await client.get_history()).texts == []


@scenario
async def test_a_message_that_the_document_does_not_allow_is_not_sent() -> None:
    async with serving() as running, room(running) as client:
        with pytest.raises(PayloadError) as refused:
            await client.get_history(limit=1000)
        assert [fault.pointer for fault in refused.value.problem.errors] == ["/limit"]


@scenario
async def test_a_reply_that_does_not_come_times_out() -> None:
    server = Chat()
    async with serving(server) as running, room(running) as client:
        await client.send_post(text="/hold")
        with pytest.raises(TimeoutError, match=r"no reply to GetHistory within 0\.05 s"):
            await client.get_history(timeout=0.05)
        server.release.set()
        assert await texts(client, 1) == ["/hold"]
        assert (await client.get_history()).texts == ["/hold"]


@scenario
async def test_a_request_fails_when_the_connection_is_lost_before_its_reply() -> None:
    async def drop(websocket: ServerConnection) -> None:
        await websocket.recv()
        await websocket.close(1011, "cannot go on")

    async with peer(drop) as url, RoomClient(room="lobby", url=url, options=QUICK) as client:
        with pytest.raises(ConnectionLost, match="connection lost with code 1011: cannot go on"):
            await client.get_history()


@scenario
async def test_an_invalid_reply_fails_its_request_at_once() -> None:
    async def garble(websocket: ServerConnection) -> None:
        await websocket.recv()
        await websocket.send('{"type":"history","id":"r1","texts":"none"}')
        await websocket.wait_closed()

    async with peer(garble) as url, RoomClient(room="lobby", url=url) as client:
        with pytest.raises(ProblemError, match="not a valid History message"):
            await client.get_history(id="r1")


# --- receiving --------------------------------------------------------------------------------------------------------


@scenario
async def test_messages_go_to_callbacks_and_to_the_iteration_and_replies_to_neither() -> None:
    async with serving() as running, room(running) as client:
        log = Log()
        client.on(Posted, lambda message: log.add(message.text))
        client.on(History, log.add)
        for text in ("a", "b", "c"):
            await client.send_post(text=text)
        await client.get_history()
        assert await texts(client, 3) == ["a", "b", "c"]
        await log.until("a", "b", "c")


@scenario
async def test_a_callback_can_be_taken_away_and_one_that_fails_harms_nobody() -> None:
    async with serving() as running, room(running) as client:
        log = Log()

        def fail(message: Posted) -> None:
            raise RuntimeError(message.text)

        client.on(Posted, fail)
        remove = client.on(Posted, lambda message: log.add(message.text))
        await client.send_post(text="a")
        await log.until("a")
        remove()
        await client.send_post(text="b")
        assert await texts(client, 2) == ["a", "b"]
        assert log.items == ["a"]


@scenario
async def test_callbacks_alone_can_make_requests_however_many_messages_come() -> None:
    options = ClientOptions(max_inbound=4)
    async with serving() as running, room(running, options) as client:
        log = Log()

        async def ask(message: Posted) -> None:
            reply = await client.get_history(limit=1)
            log.add((message.text, len(reply.texts)))

        client.on(Posted, ask)
        for number in range(50):
            await client.send_post(text=str(number))
        await log.until(*((str(number), 1) for number in range(50)))


@scenario
async def test_a_slow_iteration_loses_nothing_and_can_make_requests() -> None:
    options = ClientOptions(max_inbound=4)
    async with serving() as running, room(running, options) as client:
        taker = asyncio.create_task(anext(client))
        for number in range(50):
            await client.send_post(text=str(number))
        first = await taker
        found: list[FromServer] = [first]
        async for message in client:
            await client.get_history(limit=1)
            found.append(message)
            if len(found) == 50:
                break
        assert [message.text for message in found if isinstance(message, Posted)] == [str(n) for n in range(50)]


@scenario
async def test_until_somebody_iterates_only_the_latest_messages_are_kept() -> None:
    options = ClientOptions(max_inbound=3)
    async with serving() as running, room(running, options) as client:
        for number in range(10):
            await client.send_post(text=str(number))
        await client.get_history()
        assert await texts(client, 1) == ["7"]


WRONG = (
    "nonsense",
    '{"type":"dance","step":1}',
    '{"type":"posted","room":1,"text":"half right"}',
    '{"type":"error","error":{"type":"/problems/forbidden","message":"no"}}',
    '{"type":"posted","room":"lobby","text":"hello"}',
)
REPORTED = (
    "/problems/malformed-message",
    "/problems/unknown-type",
    "/problems/validation-error",
    "/problems/forbidden",
)


@scenario
@pytest.mark.parametrize(
    ("receiving", "delivered", "reported"),
    [
        ("report", ["half right", "hello"], REPORTED),
        ("strict", ["hello"], REPORTED),
        ("off", ["half right", "hello"], (*REPORTED[:2], REPORTED[3])),
    ],
)
async def test_what_the_document_does_not_allow_is_told_and_delivered_as_the_policy_says(
    receiving: Policy, delivered: list[str], reported: tuple[str, ...]
) -> None:
    async def babble(websocket: ServerConnection) -> None:
        for frame in WRONG:
            await websocket.send(frame)
        await websocket.wait_closed()

    async with peer(babble) as url:
        client = RoomClient(room="lobby", url=url, options=ClientOptions(receiving=receiving))
        log, unknown = Log(), Log()
        client.on_problem(lambda problem: log.add(problem.type))
        client.on_unknown(lambda message: unknown.add(message.value))
        async with client:
            assert await texts(client, len(delivered)) == delivered
            await log.until(*reported)
            await unknown.until("nonsense", {"type": "dance", "step": 1})


@scenario
async def test_what_is_sent_is_held_to_its_schema_unless_that_is_turned_off() -> None:
    received: list[str | bytes] = []
    taken = asyncio.Event()

    async def take(websocket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            received.append(await websocket.recv())
            taken.set()
        await websocket.wait_closed()

    async with peer(take) as url:
        async with RoomClient(room="lobby", url=url) as client:
            with pytest.raises(PayloadError) as refused:
                await client.send(GetHistory(id="r", limit=1000))
            assert [fault.pointer for fault in refused.value.problem.errors] == ["/limit"]
        async with RoomClient(room="lobby", url=url, options=ClientOptions(check_sent=False)) as client:
            await client.send(GetHistory(id="r", limit=1000))
            await taken.wait()
    assert [json.loads(frame)["limit"] for frame in received] == [1000]


# --- endings ----------------------------------------------------------------------------------------------------------


@scenario
async def test_the_iteration_ends_when_the_client_closes() -> None:
    async with serving() as running, room(running) as client:
        await client.send_post(text="last")
        await client.get_history()
        await client.close()
        assert [message async for message in client if isinstance(message, Posted)] != []
        assert client.state is State.CLOSED
        with pytest.raises(ConnectionLost):
            await client.send_post(text="too late")


@scenario
async def test_a_callback_can_close_the_client() -> None:
    async with serving() as running, room(running) as client:

        async def leave(message: Posted) -> None:
            await client.close()

        client.on(Posted, leave)
        await client.send_post(text="go")
        assert [type(message) async for message in client] == [Posted]


@pytest.mark.parametrize(("code", "reason"), [(1008, "policy"), (1003, ""), (3003, "no"), (4321, "own"), (1011, "")])
@scenario
async def test_a_close_code_that_forbids_another_attempt_ends_the_iteration_with_an_error(
    code: int, reason: str
) -> None:
    attempts: list[ServerConnection] = []

    async def dismiss(websocket: ServerConnection) -> None:
        attempts.append(websocket)
        await websocket.close(code, reason)

    async with peer(dismiss) as url, RoomClient(room="lobby", url=url, options=QUICK) as client:
        with pytest.raises(ConnectionLost) as lost:
            async for _ in client:
                pass
        assert (lost.value.code, lost.value.reason, len(attempts)) == (code, reason, 1)


@scenario
async def test_the_iteration_ends_when_the_server_closes_normally() -> None:
    async def finish(websocket: ServerConnection) -> None:
        await websocket.send('{"type":"posted","room":"lobby","text":"the end"}')

    async with peer(finish) as url, RoomClient(room="lobby", url=url, options=QUICK) as client:
        assert [message.text async for message in client if isinstance(message, Posted)] == ["the end"]


@scenario
async def test_a_client_comes_back_after_a_restart_and_sends_what_waited() -> None:
    log = Log()
    async with serving() as running:
        port = running.port
        client = room(running)
        client.on_state(log.add)
        await client.connect()
        await client.send_post(text="before")
        assert await texts(client, 1) == ["before"]
    waiting = asyncio.create_task(client.send_post(text="after"))
    async with Chat().serve(port=port, options=Options()):
        await waiting
        assert await texts(client, 1) == ["after"]
        await client.close()
    assert log.items[:3] == [State.CONNECTING, State.OPEN, State.WAITING]
    assert log.items[-3:] == [State.CONNECTING, State.OPEN, State.CLOSED]


@scenario
async def test_a_message_that_finds_no_connection_in_time_is_given_up() -> None:
    async with serving() as running:
        client = room(running, ClientOptions(backoff_base=60, backoff_cap=60, send_timeout=0.05))
        await client.connect()
    with pytest.raises(TimeoutError, match=r"could not send within 0\.05 s"):
        await client.send_post(text="lost")
    await client.close()


@scenario
async def test_a_server_that_accepts_and_closes_is_not_hammered() -> None:
    loop = asyncio.get_running_loop()
    times: list[float] = []
    enough = asyncio.Event()

    async def dismiss(websocket: ServerConnection) -> None:
        times.append(loop.time())
        if len(times) == 11:
            enough.set()
        await websocket.close(1012)

    options = ClientOptions(backoff_base=0.001, backoff_cap=0.002, max_attempts=5, attempts_window=0.3)
    async with peer(dismiss) as url, RoomClient(room="lobby", url=url, options=options):
        await enough.wait()
    # Ten attempts after the first, two windows have to be over, less what the first handshake took.
    assert times[10] - times[0] > 1.5 * options.attempts_window


# --- attempts ---------------------------------------------------------------------------------------------------------


@scenario
async def test_no_server_at_all_is_reported_when_the_time_is_over() -> None:
    async with serving() as running:
        url = running.url
    client = RoomClient(room="lobby", url=url, options=ClientOptions(connect_timeout=0.1, backoff_base=0.01))
    with pytest.raises(ConnectionLost, match=r"connection lost with code 1006: .*Connect call failed"):
        await client.connect()
    assert client.state is State.CLOSED


@scenario
async def test_an_unknown_path_is_reported_at_once_with_the_problem() -> None:
    async with serving() as running:
        client = RoomClient(room="lobby", url=running.url + "/v9", options=QUICK)
        with pytest.raises(ConnectionLost, match="HTTP status 404: no WebSocket endpoint has this path") as lost:
            await client.connect()
        assert lost.value.status == 404
        assert lost.value.problem == Problem(
            "/problems/not-found",
            "no WebSocket endpoint has this path",
            title="Not found",
            status=404,
            detail="no WebSocket endpoint has this path",
        )


@scenario
async def test_a_token_is_asked_for_again_once_when_it_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for tokens, asked in (("good",), 1), (("stale", "good"), 2):
        supply = iter(tokens)
        given: list[str] = []

        async def token(supply: Iterator[str] = supply, given: list[str] = given) -> str:
            given.append(next(supply))
            return given[-1]

        async with serving(GuardedChat()) as running, room(running, token=token) as client:
            await client.get_history()
        assert len(given) == asked
    assert not [entry for entry in caplog.records if "good" in entry.getMessage() or "stale" in entry.getMessage()]


@pytest.mark.parametrize(("callable_token", "attempts"), [(True, 2), (False, 1)])
@scenario
async def test_a_token_that_stays_refused_ends_the_attempts(callable_token: bool, attempts: int) -> None:
    class Counting(GuardedChat):
        handshakes = 0

        async def verify_access_token(self, token: str, handshake: Handshake[RoomParameters]) -> Principal:
            self.handshakes += 1
            return await super().verify_access_token(token, handshake)

    server = Counting()
    async with serving(server) as running:
        token = (lambda: "stale") if callable_token else "stale"
        client = RoomClient(room="lobby", url=running.url + "/v1", token=token, options=QUICK)
        with pytest.raises(ConnectionLost, match="Token expired") as lost:
            await client.connect()
        assert (lost.value.status, server.handshakes) == (401, attempts)


@scenario
async def test_a_token_source_that_fails_is_asked_again() -> None:
    failures = [OSError("the token service is down"), ValueError("odd")]

    def token() -> str:
        if failures:
            raise failures.pop()
        return "good"

    async with serving(GuardedChat()) as running, room(running, token=token) as client:
        assert (await client.get_history()).texts == []


def test_a_token_does_not_travel_in_clear_text_beyond_loopback() -> None:
    with pytest.raises(InsecureTransport, match=r"refusing to send a token to 'chat.example.com' in clear text"):
        RoomClient(room="lobby", url="ws://chat.example.com/v1", token="secret")
    RoomClient(room="lobby", url="wss://chat.example.com/v1", token="secret")
    RoomClient(room="lobby", url="ws://chat.example.com/v1")
