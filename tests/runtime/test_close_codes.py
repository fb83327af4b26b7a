"""Close codes and subprotocols that the document declares: with these, connections end and begin."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from market import MarketServer, StreamCloseCode
from sockspec.runtime import BearerScheme, ConnectionClosed, Handshake, Principal, Problem, Refused, Requirement
from sockspec.runtime.backoff import Ending
from sockspec.runtime.dispatcher import Request
from sockspec.runtime.handshake import HttpResponse, Values
from sockspec.runtime.problems import Reaction
from sockspec.runtime.testing import Host
from tests.runtime.chatting import Chat, Post, RoomConnection, options_of, scenario
from tests.runtime.test_admission import BROWSER, answer, connected, dialled, refusal

CODES = {
    "/problems/unauthorized": 4401,
    "/problems/token-expired": 4402,
    "/problems/too-many-requests": 4429,
    "/problems/service-restart": 4012,
    "/problems/banned": 4403,
}


class Coded(Chat):
    """Has close codes of its own, and 4000 beside. The text of a post says what to close with, or to refuse with."""

    schemes = (BearerScheme("token", "verify_token"),)
    routes = tuple(
        replace(
            route,
            security=((Requirement("token"),),),
            close_codes=(4000, *CODES.values()),
            closing=CODES,
        )
        for route in Chat.routes
    )

    async def verify_token(self, token: str, handshake: Handshake[Any]) -> Principal:
        if token != "ann":
            raise Refused(Problem.of(f"/problems/{token}"))
        return Principal(id="ann")

    async def post(self, connection: RoomConnection, message: Post) -> None:
        if message.text.startswith("/problems"):
            raise Refused(Problem.of(message.text))
        try:
            await connection.close(int(message.text))
        except ValueError as error:
            await connection.send_posted(room="lobby", text=str(error))


ANN = {"Authorization": "Bearer ann"}


def post(text: object) -> str:
    return f'{{"type":"post","text":"{text}"}}'


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1013, 3000, 3003, 3008, 4000, 4401])
@scenario
async def test_the_application_closes_with_codes_that_are_declared_or_registered(code: int) -> None:
    async with Host(Coded()) as host, connected(host, **ANN) as end:
        await end.send(post(code))
        with pytest.raises(ConnectionClosed) as closed:
            await end.receive()
        assert closed.value.code == code


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (4001, "the document does not declare the close code 4001 for /v1/rooms/{room}, but 4000, 4401, 4402, 4429,"),
        (3001, "the document does not declare the close code 3001"),
        (1005, "1005 is no close code that a server can send"),
        (1006, "1006 is no close code that a server can send"),
        (2000, "2000 is no close code that a server can send"),
        (5000, "5000 is no close code that a server can send"),
        (0, "0 is no close code that a server can send"),
    ],
)
@scenario
async def test_the_application_closes_with_no_other_code(code: int, message: str) -> None:
    async with Host(Coded()) as host, connected(host, **ANN) as end:
        assert (await answer(end, post(code)))["text"].startswith(message)


@scenario
async def test_where_no_code_is_declared_the_application_has_its_own() -> None:
    class Plain(Coded):
        routes = tuple(replace(route, close_codes=(), closing={}) for route in Coded.routes)

    async with Host(Plain()) as host, connected(host, **ANN) as end:
        assert "1006 is no close code" in (await answer(end, post(1006)))["text"]
        await end.send(post(4999))
        with pytest.raises(ConnectionClosed) as closed:
            await end.receive()
        assert closed.value.code == 4999


@pytest.mark.parametrize(
    ("token", "code"), [("unauthorized", 4401), ("token-expired", 4402), ("forbidden", 3003), ("banned", 4403)]
)
@scenario
async def test_a_refused_browser_sees_the_code_of_the_document(token: str, code: int) -> None:
    async with Host(Coded()) as host:
        end = await dialled(host, Authorization=f"Bearer {token}", **BROWSER)
        assert await refusal(end) == (f"/problems/{token}", code)


@scenario
async def test_a_problem_that_ends_a_connection_has_the_code_of_the_document() -> None:
    async with Host(Coded(), options=options_of(messages_per_second=0.001, message_burst=1, max_faults=2)) as host:
        async with connected(host, **ANN) as end:
            assert await refusal_after(end, post("/problems/token-expired")) == ("/problems/token-expired", 4402)
        async with connected(host, **ANN) as end:
            # What usually ends nothing does not because it has a code: that is for when it does.
            assert (await answer(end, post("/problems/banned")))["error"]["type"] == "/problems/banned"
            assert (await answer(end, post(1)))["error"]["type"] == "/problems/too-many-requests"
            assert await refusal_after(end, post(2)) == ("/problems/too-many-requests", 4429)
        async with connected(host, **ANN) as end:
            draining = asyncio.create_task(host.dispatcher.drain())
            assert await refusal(end) == ("/problems/service-restart", 4012)
            await draining


async def refusal_after(end: Any, message: str) -> tuple[str, int]:
    await end.send(message)
    return await refusal(end)


@pytest.mark.parametrize(
    ("problem", "code", "reaction"),
    [
        ("/problems/unauthorized", 4401, Reaction.RENEW_TOKEN),
        ("/problems/service-restart", 4012, Reaction.RECONNECT),
        ("/problems/not-found", 4404, Reaction.STOP),
        ("/problems/banned", 4403, Reaction.STOP),
        ("/problems/unauthorized", 1008, Reaction.STOP),
    ],
)
def test_a_client_goes_by_the_problem_that_it_was_told_before_a_code_of_the_document(
    problem: str, code: int, reaction: Reaction
) -> None:
    assert Ending(code=code, problem=Problem.of(problem)).reaction is reaction


def test_the_codes_of_a_generated_server_are_an_enumeration() -> None:
    assert [(one.name, one.value) for one in StreamCloseCode] == [
        ("EXCHANGE_CLOSED", 4000),
        ("TOO_MANY_REQUESTS", 4029),
    ]
    (route,) = MarketServer.routes
    assert (route.close_codes, route.closing) == ((4000, 4029), {"/problems/too-many-requests": 4029})


# --- subprotocols -----------------------------------------------------------------------------------------------------

OFFERS: list[tuple[str, str | None]] = [
    ("", None),
    ("chat.v1", "chat.v1"),
    ("chat.v1, chat.v2", "chat.v2"),
    ("other, chat.v1", "chat.v1"),
    ("sockspec", "sockspec"),
    ("other, sockspec", "sockspec"),
    ("sockspec.bearer.YQ", None),
    ("other", "refused"),
    ("CHAT.V1, chat.v3", "refused"),
]


@pytest.mark.parametrize(("offered", "chosen"), OFFERS, ids=[row[0] or "none" for row in OFFERS])
def test_a_client_speaks_a_declared_subprotocol_or_leaves_the_choice_to_the_server(
    offered: str, chosen: str | None
) -> None:
    pairs = [("Sec-WebSocket-Protocol", offered)] if offered else []
    request = Request("/v1/rooms/lobby", Values(pairs, ignore_case=True), "127.0.0.1", 1)
    found = asyncio.run(Chat().asgi().dispatcher.admit(request))
    if isinstance(found, HttpResponse):
        assert (found.status, chosen) == (400, "refused")
        assert b"/problems/invalid-parameters" in found.body
        assert b"chat.v2, chat.v1" in found.body
    else:
        assert found.subprotocol == chosen


def test_where_no_subprotocol_is_declared_any_may_be_offered() -> None:
    class Free(Chat):
        routes = tuple(replace(route, subprotocols=()) for route in Chat.routes)

    request = Request("/v1/rooms/lobby", Values([("Sec-WebSocket-Protocol", "other")], ignore_case=True), "::1", 1)
    found = asyncio.run(Free().asgi().dispatcher.admit(request))
    assert not isinstance(found, HttpResponse)
    assert found.subprotocol is None
