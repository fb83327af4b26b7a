"""Mock servers: what clients of all kinds get from them, over real sockets."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import socket
import threading
import urllib.request
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

import chat
from chat import RoomClient, messages
from sockspec.mock import Hosted
from sockspec.runtime import ProblemError

ROOT = Path(__file__).parents[1]
SPECS = ROOT / "specs"
CHAT = SPECS / "chat.asyncapi.yaml"
Serve = Callable[..., Hosted]
ROOM = "/rooms/{room}"
HISTORY = {"type": "getHistory", "id": "7", "timestamp": "2025-03-01T10:05:12Z", "data": {"limit": 2}}
LEAVE = {"type": "leave", "timestamp": "2025-03-01T10:05:12Z"}


def within_bounds(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in an event loop; what hangs fails."""

    @wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(20):
                await test(*arguments, **named)

        asyncio.run(bounded())

    return run


def script(*steps: object) -> dict[str, Any]:
    return {"endpoints": {ROOM: list(steps)}}


def on_connect(*actions: object, **others: object) -> dict[str, object]:
    return {"event": "connect", "do": list(actions), **others}


def on_leave(*actions: object, **others: object) -> dict[str, object]:
    return {"message": "Leave", "do": list(actions), **others}


def opened(mock: Hosted, **arguments: Any) -> connect:
    return connect(mock.urls["room"], additional_headers={"Authorization": "Bearer ann"}, **arguments)


async def types(socket: ClientConnection, count: int) -> list[str]:
    return [json.loads(await socket.recv())["type"] for _ in range(count)]


async def closed(socket: ClientConnection) -> ConnectionClosed:
    """How the connection ended, once it has; what came before is left out."""
    try:
        while True:
            await socket.recv()
    except ConnectionClosed as ending:
        return ending


# --- without a script ------------------------------------------------------------------------------------------------


@within_bounds
async def test_a_new_connection_gets_an_example_of_each_message_that_is_no_reply(mock_server: Serve) -> None:
    async with opened(mock_server(CHAT)) as socket:
        said, came = json.loads(await socket.recv()), json.loads(await socket.recv())
    assert said["data"]["text"] == "Good morning, Ada."  # the example of the document
    assert (said["type"], came["type"]) == ("messagePosted", "presenceChanged")


@within_bounds
async def test_generated_clients_get_valid_replies_with_their_own_ids(mock_server: Serve) -> None:
    mock = mock_server(CHAT, package=chat)
    async with RoomClient(room="lobby", url=mock.url, token="ann") as room:
        pages = await asyncio.gather(*(room.get_history(data=messages.GetHistoryData(limit=n)) for n in (1, 2)))
        await room.send_message(data=messages.SendMessageData(text="hello"))
        received = await asyncio.to_thread(mock.wait_received, 3)
    assert [page.data.messages[0].author for page in pages] == ["ada", "ada"]
    match received:
        case [messages.GetHistory(id=one), messages.GetHistory(id=two), messages.SendMessage(data=said)]:
            assert [page.id for page in pages] == [one, two]
            assert said.text == "hello"
        case others:
            pytest.fail(f"{others} came")


@within_bounds
async def test_what_is_not_valid_is_answered_with_the_errors_of_the_guide(mock_server: Serve) -> None:
    mock = mock_server(CHAT, package=chat, push=False)
    async with opened(mock) as socket:
        for frame in ("{", '{"type": "nope"}', json.dumps({**HISTORY, "data": {"limit": -1}})):
            await socket.send(frame)
        told = [json.loads(await socket.recv())["error"]["type"] for _ in range(3)]
    assert told == ["/problems/malformed-message", "/problems/unknown-type", "/problems/validation-error"]
    assert mock.received == []


@within_bounds
async def test_pushes_are_repeated_where_that_is_wanted_and_left_out_where_not(mock_server: Serve) -> None:
    async with opened(mock_server(CHAT, package=chat, every=0.01)) as socket:
        assert await types(socket, 6) == ["messagePosted", "presenceChanged"] * 3
    async with opened(mock_server(CHAT, package=chat, push=False)) as socket:
        await socket.send(json.dumps(HISTORY))
        assert await types(socket, 1) == ["history"]


@within_bounds
async def test_the_same_seed_gives_the_same_messages_and_another_one_others(mock_server: Serve) -> None:
    async def heard(seed: int) -> list[str | bytes]:
        mock = mock_server(SPECS / "market.asyncapi.yaml", every=0.001, seed=seed, open=True)
        async with connect(next(iter(mock.urls.values()))) as socket:
            return [await socket.recv() for _ in range(25)]

    first = await heard(1)
    assert await heard(1) == first
    assert await heard(2) != first


# --- credentials ------------------------------------------------------------------------------------------------------


async def status(mock: Hosted, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with connect(mock.urls["room"], additional_headers=headers):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


@within_bounds
async def test_any_token_is_good_unless_one_is_chosen_or_none_is_asked_for(mock_server: Serve) -> None:
    cases = {
        "any": mock_server(CHAT),
        "one": mock_server(CHAT, package=chat, token="ann"),
        "open": mock_server(CHAT, open=True),
    }
    found = {name: [await status(mock, token) for token in ("", "ann", "bob")] for name, mock in cases.items()}
    assert found == {"any": [401, 101, 101], "one": [401, 101, 401], "open": [101, 101, 101]}


GUARDED = """
asyncapi: 3.0.0
info: {title: Vault, version: 1.0.0}
servers:
  here:
    host: localhost
    protocol: ws
    security:
      - {$ref: '#/components/securitySchemes/login'}
      - {$ref: '#/components/securitySchemes/cookie'}
      - {$ref: '#/components/securitySchemes/query'}
channels:
  vault:
    address: /vault
    messages: {open: {payload: {type: object, required: [type], properties: {type: {const: open}}}}}
operations:
  open:
    action: receive
    channel: {$ref: '#/channels/vault'}
    security: [{$ref: '#/components/securitySchemes/grant'}]
components:
  securitySchemes:
    login: {type: http, scheme: basic}
    cookie: {type: httpApiKey, name: session, in: cookie}
    query: {type: httpApiKey, name: key, in: query}
    grant:
      type: oauth2
      flows: {clientCredentials: {tokenUrl: 'https://example.com/token', availableScopes: {'vault:open': Open it.}}}
      scopes: ['vault:open']
"""


@within_bounds
async def test_every_kind_of_credentials_is_taken_from_any_page_with_all_scopes(
    mock_server: Serve, tmp_path: Path
) -> None:
    document = tmp_path / "vault.yaml"
    document.write_text(GUARDED, encoding="utf-8")
    one, any_one = mock_server(document, token="good"), mock_server(document)
    origin = {"Origin": "https://example.com"}
    good = base64.b64encode(b"ann:good").decode()
    handshakes: list[tuple[str, dict[str, str]]] = [
        ("", {"Authorization": f"Basic {good}"}),
        ("", {"Cookie": "session=good", **origin}),
        ("?key=good", {}),
    ]
    for query, headers in handshakes:
        async with connect(one.urls["vault"] + query, additional_headers=headers) as socket:
            assert socket.response is not None
            assert socket.response.status_code == 101
    for wrong in ("?key=bad", ""):
        with pytest.raises(InvalidStatus, match="401"):
            await connect(one.urls["vault"] + wrong)
    headers = {"Authorization": "Bearer any"}
    async with connect(any_one.urls["vault"] + "?key=any", additional_headers=headers) as socket:
        await socket.send('{"type": "open"}')
        await asyncio.to_thread(any_one.wait_received, 1)


# --- scripts ----------------------------------------------------------------------------------------------------------


@within_bounds
async def test_a_script_sends_messages_with_payloads_examples_and_changes(mock_server: Serve) -> None:
    payload = {
        "type": "presenceChanged",
        "timestamp": "2025-03-01T10:05:12Z",
        "data": {"nickname": "bob", "presence": "away"},
    }
    steps = on_connect(
        {"send": "PresenceChanged", "payload": payload},
        {"send": "MessagePosted"},
        {"send": "MessagePosted", "with": {"data": {"text": "changed"}}},
    )
    async with opened(mock_server(CHAT, package=chat, script=script(steps))) as socket:
        heard = [json.loads(await socket.recv()) for _ in range(3)]
    assert heard[0] == payload
    assert [one["data"]["text"] for one in heard[1:]] == ["Good morning, Ada.", "changed"]
    assert heard[2]["data"]["author"] == heard[1]["data"]["author"]


@within_bounds
async def test_steps_answer_the_messages_that_they_are_for(mock_server: Serve) -> None:
    steps = script(
        {"message": "GetHistory", "where": {"data": {"limit": 1}}, "do": [{"reply": "History", "with": HAS_MORE}]},
        {"message": "GetHistory", "where": {"data": {"limit": 2}}, "do": [{"error": "/problems/forbidden"}]},
    )
    mock = mock_server(CHAT, package=chat, script=steps)
    async with RoomClient(room="lobby", url=mock.url, token="ann") as room:
        assert (await room.get_history(data=messages.GetHistoryData(limit=1))).data.has_more is True
        with pytest.raises(ProblemError) as told:
            await room.get_history(data=messages.GetHistoryData(limit=2))
        assert told.value.problem.type == "/problems/forbidden"
        # No step is for this one, so it is answered as without a script.
        assert (await room.get_history(data=messages.GetHistoryData(limit=3))).data.has_more is False


HAS_MORE = {"data": {"hasMore": True}}


@within_bounds
async def test_a_step_with_times_gives_way_to_the_next_one(mock_server: Serve) -> None:
    steps = script(on_connect({"close": 1013, "reason": "busy"}, times=2), on_connect({"send": "MessagePosted"}))
    mock = mock_server(CHAT, package=chat, script=steps)
    for _ in range(2):
        async with opened(mock) as socket:
            ending = await closed(socket)
            assert ending.rcvd is not None
            assert (ending.rcvd.code, ending.rcvd.reason) == (1013, "busy")
    async with opened(mock) as socket:
        assert await types(socket, 1) == ["messagePosted"]


@within_bounds
async def test_a_delay_holds_back_the_answer_and_not_what_else_is_sent(mock_server: Serve) -> None:
    steps = script(
        on_connect({"repeat": "forever", "do": [{"send": "PresenceChanged"}, {"delay": 0.01}]}),
        on_leave({"delay": 0.1}, {"send": "MessagePosted"}),
    )
    async with opened(mock_server(CHAT, package=chat, script=steps)) as socket:
        await socket.send(json.dumps(LEAVE))
        between = 0
        while await types(socket, 1) == ["presenceChanged"]:
            between += 1
    assert between > 1


@within_bounds
async def test_actions_are_repeated_so_many_times(mock_server: Serve) -> None:
    steps = script(
        on_connect({"repeat": 3, "do": [{"send": "MessagePosted"}]}, {"send": "PresenceChanged"}, {"close": 1000})
    )
    async with opened(mock_server(CHAT, package=chat, script=steps)) as socket:
        heard = [json.loads(message)["type"] async for message in socket]
    assert heard == ["messagePosted"] * 3 + ["presenceChanged"]


@within_bounds
async def test_a_reply_can_be_left_out_and_be_sent_twice(mock_server: Serve) -> None:
    steps = script({"message": "GetHistory", "do": [{"send": "PresenceChanged"}, "reply", "reply", {"close": 4000}]})
    async with opened(mock_server(CHAT, package=chat, script=steps, push=False)) as socket:
        await socket.send(json.dumps(HISTORY))
        heard = [json.loads(message) async for message in Until(socket)]
    assert [(one["type"], one.get("id")) for one in heard] == [
        ("presenceChanged", None),
        ("history", "7"),
        ("history", "7"),
    ]


class Until:
    """The messages of a connection until it ends in whatever way."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    def __aiter__(self) -> Until:
        return self

    async def __anext__(self) -> str | bytes:
        try:
            return await self._socket.recv()
        except ConnectionClosed:
            raise StopAsyncIteration from None


@within_bounds
async def test_a_text_is_sent_as_it_is(mock_server: Serve) -> None:
    async with opened(mock_server(CHAT, package=chat, script=script(on_connect({"text": "no {json}"})))) as socket:
        assert await socket.recv() == "no {json}"


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ({"malformed": "utf8"}, 1007),
        ({"malformed": "frame"}, 1002),
        ({"malformed": "masked"}, 1002),
        ({"raw": "81 02 c3 28"}, 1007),
        ({"raw": "80 00"}, 1002),
    ],
)
def test_frames_that_no_server_may_send_arrive_as_such(mock_server: Serve, action: dict[str, str], code: int) -> None:
    @within_bounds
    async def what_the_client_makes_of_it() -> None:
        async with opened(mock_server(CHAT, package=chat, script=script(on_connect(action)))) as socket:
            ending = await closed(socket)
            assert ending.sent is not None
            assert ending.sent.code == code

    what_the_client_makes_of_it()


@within_bounds
async def test_a_text_that_is_not_json_arrives_in_a_correct_frame(mock_server: Serve) -> None:
    async with opened(mock_server(CHAT, package=chat, script=script(on_connect({"malformed": "json"})))) as socket:
        with pytest.raises(json.JSONDecodeError):
            json.loads(await socket.recv())


@pytest.mark.parametrize(("action", "error"), [("drop", ConnectionResetError), ({"drop": "end"}, EOFError)])
def test_a_dropped_connection_ends_without_a_close_frame(
    mock_server: Serve, action: object, error: type[Exception] | None
) -> None:
    @within_bounds
    async def dropped() -> None:
        steps = script(on_connect({"send": "MessagePosted"}), on_leave(action))
        async with opened(mock_server(CHAT, package=chat, script=steps)) as socket:
            await types(socket, 1)
            await socket.send(json.dumps(LEAVE))
            ending = await closed(socket)
        assert isinstance(ending, ConnectionClosedError)
        assert ending.rcvd is None
        assert ending.sent is None
        assert (type(ending.__cause__)) is error

    dropped()


@within_bounds
async def test_a_slow_server_sends_a_message_bit_by_bit_and_answers_pings_in_between(mock_server: Serve) -> None:
    steps = script(on_connect({"slow": 1000}, {"send": "PresenceChanged"}, {"slow": 0}, {"send": "MessagePosted"}))
    async with opened(mock_server(CHAT, package=chat, script=steps)) as socket:
        await (await socket.ping())
        parts = [part async for part in socket.recv_streaming()]
        assert len(parts) > 1
        assert json.loads("".join(map(str, parts)))["type"] == "presenceChanged"
        assert json.loads(await socket.recv())["type"] == "messagePosted"


@within_bounds
async def test_a_stalled_server_reads_nothing_for_a_while(mock_server: Serve) -> None:
    steps = script(
        on_connect({"send": "PresenceChanged"}, {"stall": 0.3}, {"text": "pause over"}), on_leave({"text": "read"})
    )
    async with opened(mock_server(CHAT, package=chat, script=steps)) as socket:
        await types(socket, 1)
        await socket.send(json.dumps(LEAVE))  # what is sent in the pause would be answered in it
        assert [await socket.recv() for _ in range(2)] == ["pause over", "read"]


@within_bounds
async def test_a_script_can_be_replaced_while_clients_are_connected(mock_server: Serve) -> None:
    mock = mock_server(CHAT, package=chat, push=False)
    async with opened(mock) as socket:
        mock.script("endpoints: {room: [{message: Leave, do: [{close: 4001}]}]}")
        await socket.send(json.dumps(LEAVE))
        ending = await closed(socket)
    assert ending.rcvd is not None
    assert ending.rcvd.code == 4001


@within_bounds
async def test_a_generated_client_comes_back_after_a_drop(mock_server: Serve) -> None:
    steps = script(on_connect("drop", times=1), on_connect({"send": "MessagePosted"}))
    mock = mock_server(CHAT, package=chat, script=steps)
    async with RoomClient(room="lobby", url=mock.url, token="ann") as room:
        assert isinstance(await anext(aiter(room)), messages.MessagePosted)


# --- the end ----------------------------------------------------------------------------------------------------------


@within_bounds
async def test_clients_are_told_that_a_mock_stops(mock_server: Serve) -> None:
    mock = mock_server(CHAT, package=chat, push=False)
    async with opened(mock) as socket:
        await asyncio.to_thread(mock.close)
        told = json.loads(await socket.recv())
        ending = await closed(socket)
    assert told["error"]["type"] == "/problems/service-restart"
    assert ending.rcvd is not None
    assert ending.rcvd.code == 1012


def test_nothing_is_left_of_a_mock() -> None:
    before = set(threading.enumerate())
    steps = script(
        on_connect({"send": "MessagePosted"}, times=1),
        on_connect({"send": "MessagePosted"}, {"slow": 1}, {"send": "MessagePosted"}, times=1),
        on_connect({"send": "MessagePosted"}, {"stall": 60}),
        on_leave({"repeat": "forever", "do": [{"delay": 60}]}),
    )

    @within_bounds
    async def used() -> None:
        with Hosted(CHAT, script=steps) as mock:
            async with opened(mock) as client, opened(mock) as slow, opened(mock) as stalled:
                assert [await types(one, 1) for one in (client, slow, stalled)] == [["messagePosted"]] * 3
                await client.send(json.dumps(LEAVE))
                await asyncio.to_thread(mock.wait_received, 1)
                await asyncio.to_thread(mock.close)
            ports.append(int(mock.url.split(":")[2].split("/")[0]))

    ports: list[int] = []
    used()
    assert set(threading.enumerate()) == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", ports[0]))


def test_a_mock_serves_the_documentation_of_the_api(mock_server: Serve) -> None:
    origin = mock_server(CHAT).url.replace("ws://", "http://").removesuffix("/v1")
    with urllib.request.urlopen(f"{origin}/docs") as page:
        assert "Chat API" in page.read().decode()


def test_the_example_of_the_documentation_passes(mock_server: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    (written,) = re.findall(
        r"```python[^\n]*\n(.*?)```", (ROOT / "docs" / "mock.md").read_text(encoding="utf-8"), re.DOTALL
    )
    monkeypatch.chdir(ROOT)
    module: dict[str, Any] = {}
    exec(written, module)
    module["test_the_client_asks_again_after_an_error"](mock_server)
