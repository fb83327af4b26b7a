"""A server over real sockets: whatever one client does, its healthy neighbour gets all its messages."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Response
from websockets.protocol import State

from sockspec.runtime import InsecureTransport, Options, Policy
from tests.runtime import hosts
from tests.runtime.chatting import (
    SECRET,
    Chat,
    GetHistory,
    GuardedChat,
    History,
    RoomClient,
    RoomConnection,
    raw,
    scenario,
    serving,
    texts,
    told,
)
from tests.runtime.hosts import Host


@pytest.fixture(params=hosts.ALL, autouse=True)
def way_of_serving(request: pytest.FixtureRequest) -> Generator[str]:
    deviation = hosts.DEVIATIONS.get((request.param, request.function.__name__))
    if deviation is not None:
        # Most of them would take for ever to show.
        request.applymarker(pytest.mark.xfail(reason=f"{request.param} {deviation}", run=False))
    token = hosts.chosen.set(request.param)
    yield request.param
    hosts.chosen.reset(token)


BAD_FRAMES: list[tuple[str, str | bytes, dict[str, Any]]] = [
    ("text that is no JSON", "hello", {"type": "/problems/malformed-message"}),
    ("an empty text", "", {"type": "/problems/malformed-message"}),
    ("JSON cut off", '{"type":"post","text":"a', {"type": "/problems/malformed-message"}),
    ("nesting without end", "[" * 30_000, {"type": "/problems/malformed-message"}),
    ("nesting in a message", '{"type":"post","text":' + '{"a":' * 9000 + "1" + "}" * 9001, {}),
    ("no object", "[1, 2]", {"type": "/problems/validation-error"}),
    ("no type", '{"text":"a"}', {"type": "/problems/unknown-type"}),
    ("an unknown type", '{"type":"dance"}', {"type": "/problems/unknown-type"}),
    ("a type that is no text", '{"type":["post"]}', {"type": "/problems/unknown-type"}),
    ("a missing property", '{"type":"post"}', {"type": "/problems/validation-error"}),
    (
        "a property of another type",
        '{"type":"post","text":7}',
        {"errors": [{"pointer": "/text", "keyword": "type", "message": "expected string"}]},
    ),
    (
        "a request out of bounds",
        '{"type":"getHistory","id":"r1","limit":101}',
        {"errors": [{"pointer": "/limit", "keyword": "maximum", "message": "expected at most 100"}], "id": "r1"},
    ),
]


@pytest.mark.parametrize(("frame", "expected"), [row[1:] for row in BAD_FRAMES], ids=[row[0] for row in BAD_FRAMES])
@scenario
async def test_a_bad_frame_is_answered_and_the_connection_stays_usable(
    frame: str | bytes, expected: dict[str, Any]
) -> None:
    async with serving() as running, RoomClient(room="lobby", url=running.url + "/v1") as neighbour:
        async with raw(running) as culprit:
            for number in range(5):
                await neighbour.send_post(text=f"before {number}")
                await culprit.send(frame)
            answers: list[dict[str, Any]] = []
            while len(answers) < 5:
                message = await told(culprit)
                if message["type"] == "error":
                    answers.append(message)
            await culprit.send('{"type":"post","text":"still here"}')
            assert await texts(neighbour, 6) == [*(f"before {number}" for number in range(5)), "still here"]
        for answer in answers:
            assert answer["error"].items() >= expected.items()
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", answer["timestamp"])


@scenario
async def test_the_answer_to_a_bad_frame_has_the_shape_of_the_design_guide() -> None:
    async with serving() as running, raw(running) as websocket:
        await websocket.send('{"type":"getHistory","id":"r1","limit":0}')
        answer = await told(websocket)
        del answer["timestamp"]
        assert answer == {
            "type": "error",
            "error": {
                "type": "/problems/validation-error",
                "message": "the payload is not a valid GetHistory message",
                "title": "Invalid message",
                "status": 422,
                "errors": [{"pointer": "/limit", "message": "expected at least 1", "keyword": "minimum"}],
                "id": "r1",
            },
            "id": "r1",
        }


FATAL_FRAMES: list[tuple[str, str | bytes | list[str], dict[str, Any], int]] = [
    ("a binary frame", b"\x00\x01", {}, 1003),
    ("a frame that is too large", '{"type":"post","text":"' + "a" * 70_000 + '"}', {}, 1009),
    ("fragments that are too large together", ['{"type":"post","text":"', *("a" * 1000 for _ in range(70))], {}, 1009),
    ("text that is not UTF-8", b"\xff\xfe", {"text": True}, 1007),
]


@pytest.mark.parametrize(
    ("frame", "arguments", "code"), [row[1:] for row in FATAL_FRAMES], ids=[row[0] for row in FATAL_FRAMES]
)
@scenario
async def test_what_cannot_be_answered_closes_only_the_connection_it_came_on(
    frame: Any, arguments: dict[str, Any], code: int
) -> None:
    async with serving() as running, RoomClient(room="lobby", url=running.url + "/v1") as neighbour:
        async with raw(running) as culprit:
            await neighbour.send_post(text="before")
            await culprit.send(frame, **arguments)
            await culprit.wait_closed()
            if code == 1007:
                code = hosts.CODE_FOR_INVALID_UTF8.get(hosts.chosen.get(), code)
            assert culprit.close_code == code
        await neighbour.send_post(text="after")
        assert await texts(neighbour, 2) == ["before", "after"]


@scenario
async def test_a_binary_frame_is_answered_before_the_connection_is_closed() -> None:
    async with serving() as running, raw(running) as websocket:
        await websocket.send(b"\x00")
        assert (await told(websocket))["error"]["type"] == "/problems/binary-not-supported"


@scenario
async def test_the_last_of_too_many_faults_in_a_row_closes_the_connection() -> None:
    async with serving(max_faults=3) as running, raw(running) as websocket:
        for frame in ("1", "2", '{"type":"getHistory","id":"r"}', "3", "4", "5"):
            await websocket.send(frame)
        answers = [(await told(websocket))["type"] for _ in range(6)]
        assert answers == ["error", "error", "history", "error", "error", "error"]
        with pytest.raises(ConnectionClosed):
            await websocket.recv()
        assert websocket.close_code == 1008


@scenario
async def test_an_exception_in_a_handler_is_told_by_an_id_that_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with (
        serving() as running,
        RoomClient(room="lobby", url=running.url + "/v1") as neighbour,
        raw(running) as one,
    ):
        await one.send('{"type":"post","text":"/crash"}')
        answer = await told(one)
        assert answer["error"]["type"] == "/problems/internal-server-error"
        assert SECRET not in json.dumps(answer)
        incident = re.search(r"incident (\w+)", answer["error"]["message"])
        assert incident is not None
        record = next(entry for entry in caplog.records if incident[1] in entry.getMessage())
        assert (record.name, record.levelno) == ("sockspec.server", logging.ERROR)
        assert record.exc_text is not None
        assert SECRET in record.exc_text
        await one.send('{"type":"post","text":"again"}')
        assert await texts(neighbour, 1) == ["again"]


@scenario
async def test_a_handler_refuses_in_its_own_words() -> None:
    async with serving() as running, raw(running) as websocket:
        await websocket.send('{"type":"post","text":"/refuse"}')
        assert (await told(websocket))["error"] == {
            "type": "/problems/forbidden",
            "message": "not in this room",
            "title": "Access forbidden",
            "status": 403,
        }
        await websocket.send('{"type":"getHistory","id":"r2","limit":13}')
        refusal = await told(websocket)
        assert (refusal["id"], refusal["error"]["message"]) == ("r2", "thirteen is not allowed")
        await websocket.send('{"type":"post","text":"/expire"}')
        assert (await told(websocket))["error"]["type"] == "/problems/token-expired"
        with pytest.raises(ConnectionClosed):
            await websocket.recv()
        assert websocket.close_code == 3000


@scenario
async def test_messages_are_handled_one_at_a_time_and_in_order() -> None:
    server = Chat()
    async with serving(server) as running, raw(running) as websocket:
        for text in ("one", "/hold", "two", "three"):
            await websocket.send(json.dumps({"type": "post", "text": text}))
        await server.holding.wait()
        assert server.texts == ["one"]
        server.release.set()
        assert [(await told(websocket))["text"] for _ in range(4)] == ["one", "/hold", "two", "three"]


@scenario
async def test_what_was_sent_before_a_client_left_is_still_handled() -> None:
    server = Chat()
    async with serving(server) as running, RoomClient(room="lobby", url=running.url + "/v1") as neighbour:
        async with raw(running) as leaver:
            for number in range(10):
                await leaver.send(json.dumps({"type": "post", "text": str(number)}))
        assert await texts(neighbour, 10) == [str(number) for number in range(10)]
    assert server.events == ["opened", "opened", "closed", "closed"]


@scenario
async def test_a_client_that_never_reads_is_cut_off_and_disturbs_nobody() -> None:
    server = Chat()
    serving_little = serving(server, max_outbound=64 * 1024)
    async with serving_little as running, RoomClient(room="lobby", url=running.url + "/v1") as neighbour:
        _, writer = await _upgraded(running)
        _shrink(writer)
        await server.until("opened", "opened")
        number = 0
        while len(server.members) == 2:
            await neighbour.send_post(text=f"{number}:" + "x" * 30_000)
            assert await texts(neighbour, 1) == [f"{number}:" + "x" * 30_000]
            number += 1
        await neighbour.send_post(text="after")
        assert await texts(neighbour, 1) == ["after"]
        writer.transport.abort()


@scenario
async def test_a_handler_that_sends_to_a_client_that_never_reads_is_ended() -> None:
    class Flood(Chat):
        async def post(self, connection: RoomConnection, message: object) -> None:
            while True:
                await connection.send_posted(room="flood", text="x" * 10_000)

    server = Flood()
    async with serving(server, max_outbound=64 * 1024, write_timeout=0.1) as running:
        _, writer = await _upgraded(running)
        _shrink(writer)
        writer.write(_masked(b'{"type":"post","text":""}'))
        await server.until("opened", "closed")
        writer.transport.abort()


@scenario
async def test_a_client_that_is_sent_much_and_reads_it_is_not_cut_off_by_what_others_send() -> None:
    class Archive(Chat):
        async def get_history(self, connection: RoomConnection, message: GetHistory) -> History:
            for number in range(300):
                await connection.send_posted(room="archive", text=f"{number}:" + "x" * 10_000)
            return History(texts=[])

    async with (
        serving(Archive(), max_outbound=128 * 1024) as running,
        raw(running, max_queue=None) as reader,
        RoomClient(room="lobby", url=running.url + "/v1") as neighbour,
    ):
        await reader.send('{"type":"getHistory","id":"r"}')
        archived = sent = posted = 0
        while archived < 300 or posted < 100:
            # Others send less than may wait for one client, who has far more of its own on the way.
            if sent < 100:
                await neighbour.send_post(text="hello")
                sent += 1
            message = await told(reader)
            archived += message.get("room") == "archive"
            posted += message.get("text") == "hello"
        assert reader.state is State.OPEN


@scenario
async def test_a_handler_can_close_the_connection_of_a_client_that_does_not_answer() -> None:
    class Bouncer(Chat):
        async def post(self, connection: RoomConnection, message: object) -> None:
            for member in self.members:
                if member is not connection:
                    await member.close(4000, "out")
            await connection.send_posted(room="lobby", text="done")

    server = Bouncer()
    running_briefly = serving(server, close_timeout=0.2)
    async with running_briefly as running, RoomClient(room="lobby", url=running.url + "/v1") as bouncer:
        reader, writer = await _upgraded(running)
        await server.until("opened", "opened")
        await bouncer.send_post(text="")
        assert await texts(bouncer, 1) == ["done"]
        assert await reader.readexactly(7) == b"\x88\x05\x0f\xa0out"
        await server.until("opened", "opened", "closed")
        writer.close()


@scenario
async def test_a_peer_that_answers_no_ping_is_gone_within_interval_and_timeout() -> None:
    server = Chat()
    async with serving(server, ping_interval=0.05, ping_timeout=0.05, close_timeout=0.05) as running:
        _, writer = await _upgraded(running)
        await server.until("opened", "closed")
        writer.transport.abort()


@scenario
async def test_a_peer_that_floods_with_pings_and_reads_no_answers_is_cut_off() -> None:
    server = Chat()
    async with serving(
        server, max_outbound=16 * 1024, write_timeout=0.1, ping_interval=0.5, ping_timeout=0.5
    ) as running:
        _, writer = await _upgraded(running)
        _shrink(writer)
        ping = bytes((0x89, 0x80 | 100)) + bytes(104)

        async def flood() -> None:
            with suppress(ConnectionError):
                while not writer.transport.is_closing():
                    writer.write(ping * 100)
                    await writer.drain()

        # With its window closed for so long, not even the reset reaches the flooding side.
        flooding = asyncio.create_task(flood())
        await server.until("opened", "closed")
        flooding.cancel()
        writer.transport.abort()


async def _upgraded(running: Host) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection after the handshake, on which nobody answers by itself."""
    sock = socket.create_connection(("127.0.0.1", running.port))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader, writer = await asyncio.open_connection(sock=sock, limit=1024)
    writer.write(
        b"GET "
        + running.prefix.encode()
        + b"/v1/rooms/lobby HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def _shrink(writer: asyncio.StreamWriter) -> None:
    """Read no more."""
    transport = writer.transport
    assert isinstance(transport, asyncio.Transport)
    transport.pause_reading()


def _masked(payload: bytes) -> bytes:
    """A text frame with a mask of zeros."""
    return bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload


# --- handshakes -------------------------------------------------------------------------------------------------------


async def _refusal(running: Host, path: str, **headers: str) -> Response:
    with pytest.raises(InvalidStatus) as refusal:
        async with raw(running, path, additional_headers=headers):
            pass
    return refusal.value.response


REFUSALS: list[tuple[str, str, str | None, int, str]] = [
    ("an unknown path", "/v2/rooms/lobby", "good", 404, "/problems/not-found"),
    ("a path without the parameter", "/v1/rooms/", "good", 404, "/problems/not-found"),
    ("a parameter that is not UTF-8", "/v1/rooms/%ff", "good", 404, "/problems/not-found"),
    ("a number out of bounds", "/v1/rooms/lobby?since=-1", "good", 400, "/problems/invalid-parameters"),
    ("a number that is none", "/v1/rooms/lobby?since=secret", "good", 400, "/problems/invalid-parameters"),
    ("no token", "/v1/rooms/lobby", None, 401, "/problems/unauthorized"),
    ("a token that has expired", "/v1/rooms/lobby", "stale", 401, "/problems/token-expired"),
    ("a token without the right", "/v1/rooms/lobby", "other", 403, "/problems/forbidden"),
    ("a failing check", "/v1/rooms/lobby", "broken", 500, "/problems/internal-server-error"),
]


@pytest.mark.parametrize(
    ("path", "token", "status", "problem"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
@scenario
async def test_a_handshake_is_refused_with_a_problem_document(
    path: str, token: str | None, status: int, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(GuardedChat()) as running:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        response = await _refusal(running, path, **headers)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
    body = json.loads(response.body or b"")
    assert (body["type"], body["status"]) == (problem, status)
    assert SECRET not in json.dumps(body)
    # The library of the client under the test logs headers; the server's side must not.
    logged = [entry.getMessage() for entry in caplog.records if "client" not in entry.name]
    assert not [entry for entry in logged if f"Bearer {token}" in entry]


@scenario
async def test_the_principal_the_parameters_and_the_subprotocol_reach_the_connection() -> None:
    server = GuardedChat()
    async with serving(server) as running:
        headers = {"Authorization": "Bearer good"}
        path = "/v1/rooms/caf%C3%A9%2Fbar/?limit=5&limit=6"
        async with raw(running, path, additional_headers=headers, subprotocols=["chat.v1", "chat.v2"]) as websocket:
            await websocket.send('{"type":"getHistory","id":"1"}')
            await told(websocket)
            (member,) = server.members
            assert (member.principal.id, member.room, member.query.all("limit")) == ("ann", "café/bar", ("5", "6"))
            assert websocket.subprotocol == "chat.v2"
            assert "good" not in repr(member.handshake)
        async with raw(running, additional_headers=headers, subprotocols=None) as websocket:
            assert websocket.subprotocol is None


@scenario
async def test_a_page_of_another_origin_is_turned_away() -> None:
    async with serving(origins=("https://chat.example.com",)) as running:
        response = await _refusal(running, "/v1/rooms/lobby", Origin="https://evil.example.com")
        assert (response.status_code, json.loads(response.body or b"")["type"]) == (403, "/problems/origin-not-allowed")
        async with raw(running, additional_headers={"Origin": "https://chat.example.com"}), raw(running):
            pass


@scenario
async def test_a_request_that_is_no_handshake_gets_an_http_answer() -> None:
    async with serving() as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET " + running.prefix.encode() + b"/v1/rooms/lobby HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 426 ")
        writer.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.1", "chat.example.com"])
def test_clear_text_beyond_loopback_is_refused(host: str) -> None:
    with pytest.raises(InsecureTransport, match="in clear text"):
        Chat().serve(host)


@scenario
async def test_a_proxy_that_terminates_tls_makes_clear_text_fine() -> None:
    async with Chat().serve("0.0.0.0", 0, options=Options(behind_tls_proxy=True)) as running:
        assert running.port > 0


@scenario
@pytest.mark.parametrize(("receiving", "answer"), [("strict", "error"), ("report", "history"), ("off", "history")])
async def test_a_server_lets_in_what_a_schema_refuses_only_where_it_is_told_to(receiving: Policy, answer: str) -> None:
    async with serving(receiving=receiving) as running, raw(running) as websocket:
        await websocket.send('{"type":"getHistory","id":"r","limit":1000}')
        assert json.loads(await websocket.recv())["type"] == answer
