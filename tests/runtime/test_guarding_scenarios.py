"""Who may connect, and do what, on every way of serving: credentials, scopes, expiry, origins, limits, groups."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Generator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from market import MarketServer
from sockspec.runtime import Principal, Tickets
from tests.runtime import hosts
from tests.runtime.chatting import Chat, raw, scenario, serving, told
from tests.runtime.guarding import Grouped, Guarded
from tests.runtime.hosts import Host

SECRET = "ann:chat:write"
ORIGINS = ("https://chat.example.com",)


@pytest.fixture(params=hosts.ALL, autouse=True)
def way_of_serving(request: pytest.FixtureRequest) -> Generator[str]:
    token = hosts.chosen.set(request.param)
    yield request.param
    hosts.chosen.reset(token)


def _bearer(token: str) -> dict[str, Any]:
    return {"additional_headers": {"Authorization": f"Bearer {token}"}}


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


CREDENTIALS: list[tuple[str, str, dict[str, Any], str]] = [
    ("a header", "", _bearer(SECRET), "token"),
    ("a subprotocol", "", {"subprotocols": ["sockspec", f"sockspec.bearer.{_encoded(SECRET)}"]}, "token"),
    ("the query", f"?access_token={SECRET}", {}, "token"),
    (
        "basic",
        "",
        {"additional_headers": {"Authorization": "Basic " + base64.b64encode(b"ann:swordfish").decode()}},
        "basic",
    ),
    ("a key in a header", "", {"additional_headers": {"X-Key": SECRET}}, "key"),
    ("a key in the query", f"?key={SECRET}", {}, "key"),
    ("a cookie", "", {"additional_headers": {"Cookie": "other=1; session=ann", "Origin": ORIGINS[0]}}, "key"),
    ("something of its own", "", {"additional_headers": {"X-Client-Certificate": "ann"}}, "certificate"),
]


@pytest.mark.parametrize(
    ("query", "arguments", "via"), [row[1:] for row in CREDENTIALS], ids=[r[0] for r in CREDENTIALS]
)
@scenario
async def test_credentials_are_found_where_the_document_has_them_and_get_into_no_log(
    query: str, arguments: dict[str, Any], via: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = Guarded()
    async with serving(server, origins=ORIGINS, token_in_query="access_token") as running:
        async with raw(running, "/v1/rooms/lobby" + query, **arguments) as websocket:
            await websocket.send('{"type":"getHistory","id":"1"}')
            assert (await told(websocket))["type"] == "history"
            assert websocket.subprotocol in (None, "sockspec")
    assert [(user.id, user.via) for user in server.users] == [("ann", via)]
    # What the client of the test logs is its own.
    logged = [entry.getMessage() for entry in caplog.records if "client" not in entry.name]
    assert not [text for text in logged if SECRET in text or _encoded(SECRET) in text or "swordfish" in text]


REFUSED: list[tuple[str, str, dict[str, Any], int]] = [
    ("no credentials", "", {}, 401),
    ("somebody unknown", "", _bearer("eve"), 401),
    ("a token in the query that was not asked for", f"?access_token={SECRET}", {}, 401),
    ("a ticket where there are none", "?ticket=1", {}, 401),
    ("another origin", "", {"additional_headers": {"Origin": "https://evil.example"}}, 403),
]


@pytest.mark.parametrize(
    ("query", "arguments", "status"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
@scenario
async def test_whoever_is_not_known_is_refused_by_http(query: str, arguments: dict[str, Any], status: int) -> None:
    async with serving(Guarded(), origins=ORIGINS) as running:
        with pytest.raises(InvalidStatus) as refusal:
            async with raw(running, "/v1/rooms/lobby" + query, **arguments):
                pass
    assert refusal.value.response.status_code == status
    challenge = refusal.value.response.headers.get("WWW-Authenticate")
    assert (challenge or "").startswith("Bearer, Basic realm=" if status == 401 else "")


@pytest.mark.parametrize(
    "arguments", [{"additional_headers": {"Origin": ORIGINS[0]}}, {"subprotocols": ["sockspec"]}], ids=str
)
@scenario
async def test_browsers_are_refused_over_a_connection_since_they_see_no_http_status(arguments: dict[str, Any]) -> None:
    async with serving(Guarded(), origins=ORIGINS) as running, raw(running, **arguments) as websocket:
        assert (await told(websocket))["error"]["type"] == "/problems/unauthorized"
        assert await _closed(websocket) == (3000, "Unauthorized access")


@scenario
async def test_a_ticket_opens_one_connection() -> None:
    tickets = Tickets()
    server = Guarded()
    async with serving(server, origins=ORIGINS, tickets=tickets) as running:
        path = "/v1/rooms/lobby?ticket=" + tickets.issue(_user())
        async with raw(running, path) as websocket:
            await websocket.send('{"type":"getHistory","id":"1"}')
            assert (await told(websocket))["type"] == "history"
        with pytest.raises(InvalidStatus):
            async with raw(running, path):
                pass


def _user() -> Principal:
    from tests.runtime.guarding import User

    return User(id="ann", via="ticket")


@scenario
async def test_an_operation_needs_its_scopes_and_the_connection_stays_usable() -> None:
    post = '{"type":"post","text":"hi"}'
    async with serving(Guarded(), origins=ORIGINS) as running:
        async with raw(running, **_bearer("ann:chat:write")) as writer, raw(running, **_bearer("bob")) as reader:
            await reader.send(post)
            assert (await told(reader))["error"]["type"] == "/problems/forbidden"
            await reader.send('{"type":"getHistory","id":"1"}')
            assert (await told(reader))["texts"] == []
            await writer.send(post)
            assert [(await told(one))["text"] for one in (writer, reader)] == ["hi", "hi"]
        async with raw(running, additional_headers={"X-Key": "ann:chat:write"}) as keyed:
            await keyed.send(post)  # the operation asks for the scope by another scheme
            assert (await told(keyed))["error"]["type"] == "/problems/forbidden"


@scenario
async def test_a_connection_ends_with_its_token_unless_that_is_renewed() -> None:
    async with serving(Guarded(), origins=ORIGINS) as running:
        async with raw(running, **_bearer("ann:0.2")) as renewed, raw(running, **_bearer("ann:0.2")) as expiring:
            await renewed.send('{"type":"getHistory","id":"bob","limit":7}')
            assert (await told(renewed))["error"]["type"] == "/problems/forbidden"
            await renewed.send('{"type":"getHistory","id":"ann:chat:write","limit":7}')
            assert (await told(renewed))["type"] == "history"
            assert (await told(expiring))["error"]["type"] == "/problems/token-expired"
            assert await _closed(expiring) == (3000, "Token expired")
            await renewed.send('{"type":"post","text":"still here"}')
            assert (await told(renewed))["text"] == "still here"


@scenario
async def test_the_connection_too_many_is_told_so_over_a_connection_and_leaving_makes_room() -> None:
    server = Guarded()
    async with (
        serving(server, origins=ORIGINS, max_connections_per_principal=2) as running,
        raw(running, **_bearer("ann")) as first,
        raw(running, **_bearer("ann")),
        raw(running, **_bearer("bob")),
    ):
        async with raw(running, **_bearer("ann")) as third:
            assert await _refusal(third) == ("/problems/reach-maximum-connections", 1013)
        await first.close()
        while running.dispatcher.turnstile.connections > 2:
            await asyncio.sleep(0)
        async with raw(running, **_bearer("ann")) as again:
            await again.send('{"type":"getHistory","id":"1"}')
            assert (await told(again))["type"] == "history"
    assert running.dispatcher.turnstile.connections == running.dispatcher.turnstile.sockets == 0


@scenario
async def test_above_the_ceiling_there_is_no_more_than_an_http_status() -> None:
    async with serving(Chat(), max_connections=1, max_sockets=2, retry_after=3.0) as running, raw(running) as guest:
        await guest.send('{"type":"getHistory","id":"1"}')
        await told(guest)
        assert running.dispatcher.turnstile.reserve()  # somebody who is just being told
        with pytest.raises(InvalidStatus) as refusal:
            async with raw(running):
                pass
        running.dispatcher.turnstile.release()
    assert refusal.value.response.status_code == 503
    assert refusal.value.response.headers["Retry-After"] == "3"


@scenario
async def test_connections_are_counted_by_the_address_that_a_trusted_proxy_tells() -> None:
    def coming_from(address: str) -> dict[str, Any]:
        return {"additional_headers": {"X-Forwarded-For": f"6.6.6.6, {address}"}}

    trusting = serving(Chat(), max_connections_per_address=1, trusted_proxies=("127.0.0.0/8",))
    async with trusting as running, raw(running, **coming_from("10.0.0.1")) as one:
        await one.send('{"type":"getHistory","id":"1"}')
        await told(one)
        async with raw(running, **coming_from("10.0.0.1")) as same:
            assert await _refusal(same) == ("/problems/reach-maximum-connections", 1013)
        async with raw(running, **coming_from("10.0.0.2")) as other:
            await other.send('{"type":"getHistory","id":"1"}')
            assert (await told(other))["type"] == "history"


@scenario
async def test_handshakes_are_limited_in_rate() -> None:
    async with serving(Chat(), connections_per_second=0.01, connection_burst=2) as running:
        for _ in range(2):
            async with raw(running):
                pass
        with pytest.raises(InvalidStatus) as refusal:
            async with raw(running):
                pass
    assert refusal.value.response.status_code == 429
    assert json.loads(refusal.value.response.body or b"")["type"] == "/problems/too-many-requests"


@scenario
async def test_a_browser_is_told_that_it_comes_too_often_and_that_the_server_stops() -> None:
    page: dict[str, Any] = {"additional_headers": {"Origin": ORIGINS[0]}}
    async with serving(Chat(), connections_per_second=0.01, connection_burst=1) as running:
        async with raw(running, **page):
            pass
        async with raw(running, **page) as websocket:
            assert await _refusal(websocket) == ("/problems/too-many-requests", 1008)
        running.dispatcher.draining = True
        async with raw(running, **page) as websocket:
            assert await _refusal(websocket) == ("/problems/service-restart", 1012)


@scenario
async def test_messages_are_limited_in_rate_and_repetition_ends_the_connection() -> None:
    limited = serving(Chat(), messages_per_second=0.01, message_burst=2, max_faults=3)
    async with limited as running, raw(running) as websocket:
        for number in range(5):
            await websocket.send(json.dumps({"type": "getHistory", "id": str(number)}))
        answers = [await told(websocket) for _ in range(5)]
        assert [answer["type"] for answer in answers] == ["history"] * 2 + ["error"] * 3
        assert {answer["error"]["type"] for answer in answers[2:]} == {"/problems/too-many-requests"}
        assert [answer["id"] for answer in answers[2:]] == ["2", "3", "4"]
        assert await _closed(websocket) == (1008, "Too many requests")


@scenario
async def test_a_connection_that_says_nothing_is_closed_where_that_is_limited() -> None:
    async with serving(Chat(), idle_timeout=0.1) as running, raw(running) as websocket:
        assert (await told(websocket))["error"]["type"] == "/problems/idle-timeout"
        assert await _closed(websocket) == (3008, "Connection idle for too long")


@scenario
async def test_a_group_hears_what_is_broadcast_in_order_and_without_those_excluded() -> None:
    server = Grouped()
    async with serving(server) as running:
        async with raw(running) as one, raw(running) as other, raw(running, "/v1/rooms/elsewhere") as elsewhere:
            await server.until("opened", "opened", "opened")
            for text in ("a", "!b", "c"):
                await one.send(json.dumps({"type": "post", "text": text}))
            assert [(await told(one))["text"] for _ in range(2)] == ["a", "c"]
            assert [(await told(other))["text"] for _ in range(3)] == ["a", "!b", "c"]
            for text in ("/leave", "d"):
                await other.send(json.dumps({"type": "post", "text": text}))
            assert (await told(one))["text"] == "d"
            await elsewhere.send('{"type":"post","text":"e"}')
            assert (await told(elsewhere))["text"] == "e"
        await server.until(*["opened"] * 3, *["closed"] * 3)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@scenario
async def test_health_is_told_until_the_server_drains(path: str) -> None:
    async with serving(Chat()) as running:
        assert (await _get(running, path)).startswith(b"HTTP/1.1 200")
        running.dispatcher.draining = True
        assert (await _get(running, path)).startswith(b"HTTP/1.1 200" if path == "/healthz" else b"HTTP/1.1 503")


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("HEAD", 200), ("POST", 405), ("DELETE", 405)])
@scenario
async def test_pages_are_got_and_nothing_else(method: str, status: int) -> None:
    async with serving(Chat()) as running:
        answer = await _get(running, "/healthz", method)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status}".encode())
    assert (b"allow: get, head" in head.lower()) is (status == 405)
    assert (body == b"") is (method == "HEAD")


@scenario
async def test_documentation_is_served_only_when_asked_for() -> None:
    class Market(MarketServer):
        async def request(self, connection: Any, message: Any) -> None:
            raise NotImplementedError

    async with serving(Market()) as running:
        assert (await _get(running, "/docs")).startswith(b"HTTP/1.1 404")
    async with serving(Market(), docs=True) as running:
        answer = await _get(running, "/docs")
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"content-security-policy: default-src 'none'" in answer.lower()
        assert b"Market API" in answer


async def _get(running: Host, path: str, method: str = "GET") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(f"{method} {running.prefix}{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer


async def _refusal(websocket: Any) -> tuple[str, int]:
    problem = (await told(websocket))["error"]["type"]
    return problem, (await _closed(websocket))[0]


async def _closed(websocket: Any) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed):
        await websocket.recv()
    return websocket.close_code, websocket.close_reason
