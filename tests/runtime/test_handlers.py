"""How handlers are called: in time, side by side where they may, and only for those who may; over TLS, too."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from market import MarketServer
from sockspec.runtime import (
    CertificateScheme,
    Connection,
    Handler,
    Handshake,
    Limits,
    Options,
    Principal,
    Problem,
    Refused,
    Requirement,
)
from tests.certificates import certificate
from tests.runtime.chatting import Chat, GetHistory, History, Post, RoomConnection, raw, scenario, serving, told


@scenario
async def test_a_reply_that_does_not_come_in_time_is_an_error_and_the_handler_is_cancelled() -> None:
    class Slow(Chat):
        cancelled = False

        async def get_history(self, connection: RoomConnection, message: GetHistory) -> History:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise
            raise AssertionError

    server = Slow()
    async with serving(server, reply_timeout=0.05) as running, raw(running) as websocket:
        await websocket.send('{"type":"getHistory","id":"r1"}')
        answer = await told(websocket)
        assert (answer["error"]["type"], answer["id"]) == ("/problems/internal-server-error", "r1")
        assert server.cancelled
        await websocket.send('{"type":"post","text":"still here"}')
        assert (await told(websocket))["text"] == "still here"


class Parallel(Chat):
    """Handles posts side by side."""

    routes = tuple(
        replace(route, handlers={**route.handlers, Post: Handler("post", concurrent=True)}) for route in Chat.routes
    )

    async def post(self, connection: RoomConnection, message: Post) -> None:
        if message.text == "wait":
            await self.release.wait()
        if message.text == "last":
            self.release.set()
        if message.text == "expire":
            raise Refused(Problem.of("/problems/token-expired"))
        await connection.send_posted(room="lobby", text=message.text)


@scenario
async def test_handlers_run_side_by_side_where_the_operation_says_so() -> None:
    async with serving(Parallel()) as running, raw(running) as websocket:
        for text in ("wait", "quick", "last"):
            await websocket.send('{"type":"post","text":"' + text + '"}')
        assert {(await told(websocket))["text"] for _ in range(2)} == {"quick", "last"}
        assert (await told(websocket))["text"] == "wait"


@scenario
async def test_no_more_handlers_run_side_by_side_than_the_limit() -> None:
    server = Parallel()
    async with serving(server, max_concurrent=2) as running, raw(running) as websocket:
        for text in ("wait", "wait", "quick"):
            await websocket.send('{"type":"post","text":"' + text + '"}')
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(websocket.recv(), 0.1)
        server.release.set()
        assert [(await told(websocket))["text"] for _ in range(3)] == ["wait", "wait", "quick"]


@scenario
async def test_a_problem_of_a_handler_beside_others_ends_the_connection_all_the_same() -> None:
    server = Parallel()
    async with serving(server) as running, raw(running) as websocket:
        for text in ("wait", "expire"):
            await websocket.send('{"type":"post","text":"' + text + '"}')
        assert (await told(websocket))["error"]["type"] == "/problems/token-expired"
        await websocket.wait_closed()
        assert websocket.close_code == 3000
        await server.until("opened", "closed")


@scenario
async def test_the_application_may_turn_a_message_down_by_a_rule_of_its_own() -> None:
    class Muting(Chat):
        async def authorize(self, connection: Connection[Any, Principal], operation: str, message: object) -> None:
            if operation == "post":
                raise Refused(Problem.of("/problems/forbidden", "you are muted"))

    async with serving(Muting()) as running, raw(running) as websocket:
        await websocket.send('{"type":"post","text":"hi"}')
        assert (await told(websocket))["error"]["message"] == "you are muted"
        await websocket.send('{"type":"getHistory","id":"1"}')
        assert (await told(websocket))["texts"] == []


def test_limits_of_the_document_hold_until_others_are_given() -> None:
    class Market(MarketServer):
        async def request(self, connection: Any, message: Any) -> None:
            raise NotImplementedError

    (endpoint,) = Market().asgi().dispatcher.endpoints
    assert endpoint.limits == Limits(
        max_message=16384, messages_per_second=10, message_burst=20, max_connections_per_address=50
    )
    (other,) = Market().asgi(options=Options(limits=Limits())).dispatcher.endpoints
    assert other.limits == Limits()


@scenario
async def test_a_server_with_a_certificate_speaks_tls(tmp_path: Path) -> None:
    files = certificate(tmp_path, "localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    trusting = ssl.create_default_context(cafile=files.certificate)
    async with Chat().serve("0.0.0.0", 0, ssl=context) as running:
        assert running.url.startswith("wss://")
        url = f"wss://localhost:{running.port}/v1/rooms/lobby"
        async with connect(url, ssl=trusting, proxy=None) as websocket:
            await websocket.send('{"type":"post","text":"' + "x" * 50_000 + '"}')
            assert len((await told(websocket))["text"]) == 50_000


@scenario
async def test_the_certificate_of_a_client_reaches_whoever_verifies_it(tmp_path: Path) -> None:
    class Certified(Chat):
        schemes = (CertificateScheme("certificate", "verify"),)
        routes = tuple(replace(route, security=((Requirement("certificate"),),)) for route in Chat.routes)

        async def verify(self, handshake: Handshake[Any]) -> Principal | None:
            shown = handshake.peer_certificate
            return Principal(id=x509.load_der_x509_certificate(shown).subject.rfc4514_string()) if shown else None

        async def authorize(self, connection: Connection[Any, Principal], operation: str, message: object) -> None:
            self.texts.append(connection.principal.id)

    files = certificate(tmp_path, "localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=files.certificate)
    context.load_cert_chain(files.certificate, files.key)
    context.verify_mode = ssl.CERT_OPTIONAL
    stranger, trusting = (ssl.create_default_context(cafile=files.certificate) for _ in range(2))
    trusting.load_cert_chain(files.certificate, files.key)
    server = Certified()
    async with server.serve("127.0.0.1", 0, ssl=context, options=Options(origins=())) as running:
        url = f"wss://localhost:{running.port}/v1/rooms/lobby"
        async with connect(url, ssl=trusting, proxy=None) as websocket:
            await websocket.send('{"type":"getHistory","id":"1"}')
            assert (await told(websocket))["texts"] == ["CN=localhost"]
        with pytest.raises(InvalidStatus, match="401"):
            async with connect(url, ssl=stranger, proxy=None):
                pass
