"""Where a client's credentials go, and where they do not."""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from sockspec.runtime import (
    BasicCredentials,
    Client,
    ClientOptions,
    ConnectionLost,
    Credential,
    InsecureTransport,
    basic,
)
from sockspec.runtime.security.credentials import bearer
from tests.certificates import certificate
from tests.runtime.chatting import FROM_CLIENT, FROM_SERVER, QUICK, FromClient, FromServer, RoomClient, scenario

ALL = (
    bearer("token-secret"),
    Credential("key-secret", "query", "key"),
    Credential("cookie secret", "cookie", "sid"),
    Credential("header-secret", "header", "X-Api-Key"),
)
SECRETS = ("token-secret", "key-secret", "cookie secret", "cookie%20secret", "header-secret", "password")


def client(url: str, *credentials: Credential, options: ClientOptions = QUICK) -> Client[FromServer, FromClient]:
    return Client(url, path="/", incoming=FROM_SERVER, outgoing=FROM_CLIENT, credentials=credentials, options=options)


class Seen:
    """Handshakes that a server saw."""

    def __init__(self, redirect: str = "") -> None:
        self.requests: list[Request] = []
        self.redirect = redirect

    def process(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if not self.redirect:
            return None
        response = connection.respond(HTTPStatus.TEMPORARY_REDIRECT, "")
        response.headers["Location"] = self.redirect
        return response


@asynccontextmanager
async def seeing(seen: Seen) -> AsyncGenerator[str]:
    async def wait(websocket: ServerConnection) -> None:
        await websocket.wait_closed()

    async with serve(wait, "127.0.0.1", 0, process_request=seen.process) as listener:
        yield f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}"


@scenario
async def test_each_credential_is_in_its_place() -> None:
    seen = Seen()
    async with seeing(seen) as url, client(url, *ALL):
        pass
    (request,) = seen.requests
    assert request.path == "/?key=key-secret"
    assert request.headers["Authorization"] == "Bearer token-secret"
    assert request.headers["Cookie"] == "sid=cookie%20secret"
    assert request.headers["X-Api-Key"] == "header-secret"


@scenario
async def test_a_user_and_a_password_are_sent_as_http_does() -> None:
    seen = Seen()
    async with seeing(seen) as url, client(url, basic(BasicCredentials("ann", "pass:word"))):
        pass
    kind, encoded = seen.requests[0].headers["Authorization"].split()
    assert (kind, base64.b64decode(encoded)) == ("Basic", b"ann:pass:word")


@scenario
async def test_a_redirect_to_another_host_gets_no_credentials() -> None:
    elsewhere = Seen()
    async with seeing(elsewhere) as other_url:
        here = Seen(f"{other_url}/elsewhere")
        async with seeing(here) as url, client(url, *ALL):
            pass
    assert here.requests[0].headers["Authorization"] == "Bearer token-secret"
    (request,) = elsewhere.requests
    assert request.path == "/elsewhere"
    names = {name.lower() for name, _ in request.headers.raw_items()}
    assert names & {"authorization", "cookie", "x-api-key"} == set()


@scenario
async def test_a_redirect_on_the_same_host_keeps_them() -> None:
    seen = Seen("/moved")

    def once(connection: ServerConnection, request: Request) -> Response | None:
        response = seen.process(connection, request)
        seen.redirect = ""
        return response

    async def wait(websocket: ServerConnection) -> None:
        await websocket.wait_closed()

    async with serve(wait, "127.0.0.1", 0, process_request=once) as listener:
        url = f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        async with client(url, bearer("token-secret")):
            pass
    assert [(request.path, request.headers["Authorization"]) for request in seen.requests] == [
        ("/", "Bearer token-secret"),
        ("/moved", "Bearer token-secret"),
    ]


@scenario
async def test_no_credential_gets_into_a_log_or_an_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def fail() -> str:
        raise RuntimeError("no token-secret today")

    seen = Seen()
    async with seeing(seen) as url:
        async with client(url, *ALL, basic(BasicCredentials("ann", "password"))):
            pass
        broken = client(url, bearer(fail), options=ClientOptions(connect_timeout=0.05, backoff_base=0.01))
        with pytest.raises(ConnectionLost) as lost:
            await broken.connect()
    refused = client("ws://127.0.0.1:1", *ALL, options=ClientOptions(connect_timeout=0.05))
    with pytest.raises(ConnectionLost) as unreachable:
        await refused.connect()
    ours = [record for record in caplog.records if record.name != "websockets.server"]  # the peer's
    said = [text for record in ours for text in (record.getMessage(), record.exc_text or "")]
    said += [str(lost.value), str(unreachable.value), repr(ALL), repr(refused.url)]
    assert [text for text in said if any(secret in text for secret in SECRETS)] == []


@pytest.mark.parametrize("credential", ALL)
def test_no_credential_travels_in_clear_text_beyond_loopback(credential: Credential) -> None:
    with pytest.raises(InsecureTransport, match=r"refusing to send a token to 'example.com' in clear text"):
        client("ws://example.com", credential)
    client("ws://[::1]", credential)
    client("wss://example.com", credential)
    client("ws://example.com", Credential(None))


@scenario
async def test_certificates_are_verified_and_clients_can_have_their_own(tmp_path: Path) -> None:
    ours, theirs = certificate(tmp_path, "localhost"), certificate(tmp_path, "ann")
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=theirs.certificate)
    server_side.load_cert_chain(ours.certificate, ours.key)
    server_side.verify_mode = ssl.CERT_REQUIRED
    subjects: list[object] = []

    async def note(websocket: ServerConnection) -> None:
        subjects.append(websocket.transport.get_extra_info("peercert")["subject"])

    async with serve(note, "127.0.0.1", 0, ssl=server_side) as listener:
        url = f"wss://localhost:{listener.sockets[0].getsockname()[1]}"
        untrusting = RoomClient(room="r", url=url, token="token-secret", options=QUICK)
        with pytest.raises(ConnectionLost, match="the certificate of the server is not trusted"):
            await untrusting.connect()
        context = ssl.create_default_context(cafile=ours.certificate)
        context.load_cert_chain(theirs.certificate, theirs.key)
        async with RoomClient(room="r", url=url, token="token-secret", options=ClientOptions(ssl=context)) as trusting:
            assert [message async for message in trusting] == []
    assert subjects == [((("commonName", "ann"),),)]


@scenario
async def test_a_proxy_carries_what_is_not_meant_for_this_machine() -> None:
    asked: list[bytes] = []

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0])
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(tunnel, "127.0.0.1", 0) as proxy:
        address = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        options = ClientOptions(proxy=address, connect_timeout=0.2, backoff_base=30)
        with pytest.raises(ConnectionLost, match="the proxy could not be used"):
            await client("wss://chat.example.com", bearer("token-secret"), options=options).connect()
    assert asked == [b"CONNECT chat.example.com:443 HTTP/1.1"]
