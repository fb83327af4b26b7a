"""How handlers are called: in time, side by side where they may, and only for those who may; over TLS, too."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvloop
from cryptography import x509
from websockets.asyncio.client import connect, unix_connect
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
from sockspec.runtime.options import Library
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


def _tls(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Settings of TLS for a server, and for clients that trust it."""
    files = certificate(folder, "localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    return context, ssl.create_default_context(cafile=files.certificate)


def _on_each_loop(test: Callable[[Path], Awaitable[None]], folder: Path) -> None:
    for loop_factory in (asyncio.new_event_loop, uvloop.new_event_loop):
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(asyncio.wait_for(_awaited(test(folder)), 20))


async def _awaited(awaitable: Awaitable[None]) -> None:
    await awaitable


def test_a_server_with_a_certificate_speaks_tls(tmp_path: Path) -> None:
    async def test(folder: Path) -> None:
        context, trusting = _tls(folder)
        libraries: tuple[Library, ...] = ("websockets", "picows")
        for library in libraries:
            async with Chat().serve("0.0.0.0", 0, ssl=context, options=Options(library=library)) as running:
                assert running.url.startswith("wss://")
                url = f"wss://localhost:{running.port}/v1/rooms/lobby"
                async with connect(url, ssl=trusting, proxy=None) as websocket:
                    await websocket.send('{"type":"post","text":"' + "x" * 50_000 + '"}')
                    assert len((await told(websocket))["text"]) == 50_000

    _on_each_loop(test, tmp_path)


def test_handshakes_of_tls_count_among_the_handshakes_and_are_cut_off_like_them(tmp_path: Path) -> None:
    async def test(folder: Path) -> None:
        context, trusting = _tls(folder)
        options = Options(limits=Limits(max_handshakes=3), open_timeout=0.5)
        async with Chat().serve("127.0.0.1", 0, ssl=context, options=options) as running:
            silent = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(4)]
            with suppress(ConnectionError):
                assert await silent[0][0].read() == b""
            secure, _ = await asyncio.open_connection("localhost", running.port, ssl=trusting)
            with suppress(ConnectionError):
                assert await secure.read() == b""
            for reader, writer in silent:
                with suppress(ConnectionError):
                    assert await reader.read() == b""
                writer.close()
            url = f"wss://localhost:{running.port}/v1/rooms/lobby"
            async with connect(url, ssl=trusting, proxy=None) as websocket:
                await websocket.send('{"type":"getHistory","id":"1"}')
                assert (await told(websocket))["type"] == "history"

    _on_each_loop(test, tmp_path)


def test_a_unix_socket_needs_no_tls(tmp_path: Path) -> None:
    async def test(folder: Path) -> None:
        path = folder / f"{id(asyncio.get_running_loop())}.socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            async with Chat().serve(sock=listener) as running:
                assert (running.url, running.port) == ("ws://localhost", 0)
                async with unix_connect(str(path), running.url + "/v1/rooms/lobby") as websocket:
                    await websocket.send('{"type":"getHistory","id":"1"}')
                    assert (await told(websocket))["type"] == "history"

    _on_each_loop(test, tmp_path)


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
