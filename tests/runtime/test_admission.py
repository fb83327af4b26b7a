"""Who gets in, in whose name, and how many at once: decided without a socket."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import ssl
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from sockspec.runtime import (
    Application,
    BearerScheme,
    CertificateScheme,
    ClientOptions,
    ConnectionClosed,
    Handshake,
    KeyScheme,
    Limits,
    Observer,
    Options,
    Principal,
    Refused,
    Requirement,
    Route,
    Scheme,
)
from sockspec.runtime.backoff import Ending
from sockspec.runtime.handshake import HttpResponse
from sockspec.runtime.security.authentication import Identity
from sockspec.runtime.serving import pages
from sockspec.runtime.testing import Host
from sockspec.runtime.transport import ClientTransport
from tests.runtime.chatting import Chat, GetHistory, History, RoomConnection, options_of, scenario

BOTH = ((Requirement("key"), Requirement("token")),)
CREDENTIALS = {"X-Key": "machine", "Authorization": "Bearer ann"}
HISTORY = '{"type":"getHistory","id":"1"}'


class Doubly(Chat):
    """Wants a key of the machine and a token of the person, which expires after as many seconds."""

    schemes = (KeyScheme("key", "verify_key", parameter="X-Key"), BearerScheme("token", "verify_token"))
    routes = tuple(replace(route, security=BOTH) for route in Chat.routes)

    def __init__(self, *, key_for: float | None = None, token_for: float | None = 1000.0) -> None:
        super().__init__()
        self._key_for = key_for
        self._token_for = token_for
        self.seen: list[Principal] = []

    async def verify_key(self, key: str, handshake: Handshake[Any]) -> Principal:
        return Principal(id=key, scopes=frozenset({"admin"}), expires=_in(self._key_for))

    async def verify_token(self, token: str, handshake: Handshake[Any]) -> Principal:
        return Principal(id=token, scopes=frozenset({"read"}), expires=_in(self._token_for))

    async def get_history(self, connection: RoomConnection, message: GetHistory) -> History:
        self.seen.append(connection.principal)
        if message.limit == 7:
            connection.renew(Principal(id="ann", scopes=frozenset({"write"}), expires=_in(1000.0)))
            self.seen += connection.identity.principals.values()
        return await super().get_history(connection, message)


def _in(seconds: float | None) -> dt.datetime | None:
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds) if seconds is not None else None


async def dialled(host: Host, path: str = "/v1/rooms/lobby", **headers: str) -> ClientTransport | Ending:
    return await host.dial(f"ws://localhost{path}", headers=headers, subprotocols=[], options=ClientOptions())


@asynccontextmanager
async def connected(host: Host, path: str = "/v1/rooms/lobby", **headers: str) -> AsyncGenerator[ClientTransport]:
    end = await dialled(host, path, **headers)
    assert not isinstance(end, Ending), end
    try:
        yield end
    finally:
        await end.close()


async def answer(end: ClientTransport, message: str = HISTORY) -> dict[str, Any]:
    await end.send(message)
    return await told(end)


async def told(end: ClientTransport) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await end.receive())
    return found


async def refusal(end: ClientTransport | Ending) -> tuple[str, int]:
    """The problem that a connection was only opened to tell, and the close code; or that and the HTTP status."""
    if isinstance(end, Ending):
        assert end.problem is not None
        return end.problem.type, end.status or 0
    problem: str = (await told(end))["error"]["type"]
    with pytest.raises(ConnectionClosed) as closed:
        await end.receive()
    return problem, closed.value.code


# --- in whose name ----------------------------------------------------------------------------------------------------


@scenario
async def test_of_credentials_that_are_needed_together_handlers_see_the_person_and_the_scopes_of_each_count() -> None:
    server = Doubly()
    async with Host(server) as host, connected(host, **CREDENTIALS) as end:
        assert (await answer(end))["type"] == "history"
    assert [one.id for one in server.seen] == ["ann"]


@pytest.mark.parametrize(("key_for", "token_for"), [(None, 0.1), (0.1, None), (0.1, 1000.0)], ids=str)
@scenario
async def test_a_connection_ends_with_the_first_of_its_credentials(
    key_for: float | None, token_for: float | None
) -> None:
    async with Host(Doubly(key_for=key_for, token_for=token_for)) as host, connected(host, **CREDENTIALS) as end:
        assert await refusal(end) == ("/problems/token-expired", 3000)


@scenario
async def test_fresh_credentials_replace_those_of_one_scheme() -> None:
    server = Doubly(token_for=0.2)
    async with Host(server) as host, connected(host, **CREDENTIALS) as end, connected(host, **CREDENTIALS) as expiring:
        assert (await answer(end, '{"type":"getHistory","id":"1","limit":7}'))["type"] == "history"
        _, *granted = server.seen
        assert [(one.id, *one.scopes) for one in granted] == [("machine", "admin"), ("ann", "write")]
        assert await refusal(expiring) == ("/problems/token-expired", 3000)
        assert (await answer(end))["type"] == "history"


def test_fresh_credentials_of_somebody_else_or_of_no_scheme_are_not_taken() -> None:
    ann = Principal(id="ann", expires=_in(10.0))
    identity = Identity.of({"key": Principal(id="machine"), "token": ann})
    assert identity.renewed(Principal(id="machine", expires=_in(5.0)), "key").principal is ann
    with pytest.raises(Refused):
        identity.renewed(Principal(id="machine"))
    with pytest.raises(KeyError):
        identity.renewed(ann, "cookie")


def test_the_ticket_that_stood_for_all_schemes_is_replaced_for_all() -> None:
    ann = Principal(id="ann", expires=_in(1.0))
    later = Principal(id="ann", expires=_in(1000.0))
    assert Identity.of({"key": ann, "token": ann}).renewed(later).expires is later.expires


def test_a_time_without_a_zone_is_no_time_to_expire_at() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Principal(expires=dt.datetime(2030, 1, 1))  # that is the point


# --- how many ---------------------------------------------------------------------------------------------------------


class Slow(Chat):
    """Takes its time to verify."""

    schemes = (Scheme("patience", "verify"),)
    routes = tuple(replace(route, security=((Requirement("patience"),),)) for route in Chat.routes)

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.verified = asyncio.Event()

    async def verify(self, handshake: Handshake[Any]) -> Principal:
        self.asked += 1
        await self.verified.wait()
        return Principal()


@scenario
async def test_handshakes_that_come_at_the_same_time_do_not_get_over_the_ceiling() -> None:
    server = Slow()
    async with Host(server, options=options_of(max_connections=1, max_sockets=3)) as host:
        dials = [asyncio.create_task(dialled(host)) for _ in range(20)]
        while server.asked < 3 or host.dispatcher.turnstile.sockets < 3:
            await asyncio.sleep(0)
        server.verified.set()
        ends = await asyncio.gather(*dials)
        assert server.asked == 3
        told_by_http = [one for one in ends if isinstance(one, Ending)]
        assert [one.status for one in told_by_http] == [503] * 17
        first, *others = [one for one in ends if not isinstance(one, Ending)]
        assert (await answer(first))["type"] == "history"
        assert [await refusal(one) for one in others] == [("/problems/reach-maximum-connections", 1013)] * 2
    assert (host.dispatcher.turnstile.sockets, host.dispatcher.turnstile.connections) == (0, 0)


@scenario
async def test_a_handshake_that_is_given_up_gives_its_place_back() -> None:
    server = Slow()
    async with Host(server, options=options_of(max_sockets=1)) as host:
        dial = asyncio.create_task(dialled(host))
        while not server.asked:
            await asyncio.sleep(0)
        dial.cancel()
        await asyncio.wait([dial])
        assert host.dispatcher.turnstile.sockets == 0
        server.verified.set()
        async with connected(host) as end:
            assert (await answer(end))["type"] == "history"


def _route(path: str, limits: Limits | None = None, *counted: str) -> Route:
    return replace(Chat.routes[0], path=path, limits=limits, counted=counted, parameters=None)


class Limited(Chat):
    """An API of at most three connections, with an endpoint of at most one, and one with limits of another kind."""

    limits = Limits(max_connections=3, max_message=1000)
    routes: ClassVar[tuple[Route, ...]] = (
        _route("/a"),
        _route("/b"),
        _route("/one", replace(limits, max_connections=1), "max_connections"),
        _route("/large", replace(limits, max_message=2000)),
    )

    async def room_opened(self, connection: RoomConnection) -> None:
        pass

    async def room_closed(self, connection: RoomConnection) -> None:
        pass


class Other(Limited):
    """Another API, below a path of its own."""

    limits = Limits(max_connections=1)
    routes = (_route("/other"),)


FULL = ("/problems/reach-maximum-connections", 1013)


@scenario
async def test_an_endpoint_counts_by_its_own_limits_and_the_others_together_by_those_of_their_api() -> None:
    async with Host(Application(Limited(), Other())) as host:
        refused: dict[str, list[bool]] = {}
        for path in ("/one", "/one", "/other", "/other", "/a", "/b", "/large", "/a", "/large"):
            end = await dialled(host, path)
            assert not isinstance(end, Ending)
            await end.send(HISTORY)
            said = await told(end)
            refused.setdefault(path, []).append(said["type"] == "error")
        assert refused == {
            "/one": [False, True],
            "/other": [False, True],
            "/a": [False, True],
            "/b": [False],
            "/large": [False, True],
        }
        assert host.dispatcher.turnstile.connections == 5
    assert (host.dispatcher.turnstile.sockets, host.dispatcher.turnstile.connections) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "ceiling"),
    [
        ({"max_connections": None}, None),
        ({}, 13 + 11 + 11),
        ({"max_sockets": 5}, 5 + 11),  # the endpoint that counts its connections has no ceiling of its own, then
    ],
    ids=str,
)
def test_the_ceiling_of_a_process_has_room_for_all_that_is_served(changes: dict[str, Any], ceiling: int | None) -> None:
    root = replace(Limited.limits, **changes)
    one = _route("/one", replace(root, max_connections=1), "max_connections")

    class Here(Limited):
        limits = root
        routes = (_route("/a"), one)

    assert Application(Here(), Other()).asgi().dispatcher.limits.max_sockets == ceiling


def test_the_largest_message_of_a_process_is_the_largest_of_any_endpoint() -> None:
    limits = Application(Limited()).asgi().dispatcher.limits
    assert limits.max_message == 2000


@pytest.mark.parametrize("path", ["/a", "/rooms/{name}"])
def test_two_servers_at_the_same_paths_are_an_error(path: str) -> None:
    class One(Limited):
        routes = (_route("/a"), _route("/rooms/{room}"))

    class Two(Limited):
        routes = (_route(path),)

    with pytest.raises(ValueError, match=f"One and Two both serve '{path}'"):
        Application(One(), Two()).asgi()


# --- who is told, and how ---------------------------------------------------------------------------------------------

BROWSER = {"Origin": "https://chat.example.com"}


@scenario
async def test_browsers_are_told_that_they_come_too_often() -> None:
    async with Host(Chat(), options=options_of(connections_per_second=0.001, connection_burst=1)) as host:
        async with connected(host, **BROWSER) as end:
            assert (await answer(end))["type"] == "history"
        assert await refusal(await dialled(host, **BROWSER)) == ("/problems/too-many-requests", 1008)
        assert await refusal(await dialled(host)) == ("/problems/too-many-requests", 429)


@scenario
async def test_browsers_are_told_that_the_server_stops() -> None:
    async with Host(Chat()) as host:
        host.dispatcher.draining = True
        assert await refusal(await dialled(host, **BROWSER)) == ("/problems/service-restart", 1012)
        assert await refusal(await dialled(host)) == ("/problems/service-restart", 503)
    assert host.dispatcher.turnstile.sockets == 0


@scenario
async def test_a_refusal_is_logged_with_its_problem_and_the_address_and_nothing_that_was_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "sockspec.server")
    async with Host(Doubly()) as host:
        for path in ("/v1/rooms/swordfish?ticket=swordfish", "/swordfish"):
            assert isinstance(await dialled(host, path, Authorization="Bearer swordfish"), Ending)
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("INFO", "a handshake from 127.0.0.1 is refused: /problems/unauthorized"),
        ("INFO", "a handshake from 127.0.0.1 is refused: /problems/not-found"),
    ]


class Faulty(Observer):
    """Fails whenever it is told of one kind of event."""

    def __init__(self, event: str) -> None:
        setattr(self, event, self._fail)

    def _fail(self, *arguments: object) -> Any:
        raise RuntimeError("the observer is broken")


@pytest.mark.parametrize("event", ["refused", "opened", "closed", "received", "sent", "told", "handling"])
@scenario
async def test_an_observer_that_fails_breaks_nothing(event: str, caplog: pytest.LogCaptureFixture) -> None:
    server = Chat()
    async with Host(server, options=options_of(observers=(Faulty(event),), max_connections=1)) as host:
        async with connected(host) as end:
            assert (await answer(end, '{"type":"dance"}'))["type"] == "error"
            assert (await answer(end))["type"] == "history"
            assert await refusal(await dialled(host)) == FULL
            assert await refusal(await dialled(host, "/nowhere")) == ("/problems/not-found", 404)
        await server.until("opened", "closed")
    failed = {one.getMessage() for one in caplog.records if one.levelno == logging.ERROR}
    assert failed == {"the observer Faulty failed"}


@scenario
async def test_an_observer_that_fails_when_it_leaves_a_handler_keeps_no_exception_from_being_told() -> None:
    class Swallowing(Observer):
        @contextmanager
        def handling(self, connection: Any, operation: str, message: object) -> Generator[None]:
            with suppress(Exception):
                yield
            raise RuntimeError("the observer is broken")

    async with Host(Chat(), options=options_of(observers=(Swallowing(),))) as host, connected(host) as end:
        assert (await answer(end, '{"type":"post","text":"/refuse"}'))["error"]["type"] == "/problems/forbidden"
        assert (await answer(end))["type"] == "history"


@scenario
async def test_the_certificate_that_an_asgi_server_has_verified_reaches_whoever_verifies_the_client() -> None:
    seen: list[bytes | None] = []

    class Certified(Chat):
        schemes = (CertificateScheme("certificate", "verify"),)
        routes = tuple(replace(route, security=((Requirement("certificate"),),)) for route in Chat.routes)

        async def verify(self, handshake: Handshake[Any]) -> Principal | None:
            seen.append(handshake.peer_certificate)
            return None

    application = Certified().asgi(options=Options(origins=()))
    chain = [ssl.DER_cert_to_PEM_cert(b"own"), ssl.DER_cert_to_PEM_cert(b"issuer's")]
    told_of: list[dict[str, Any] | None] = [
        {"client_cert_chain": chain},
        {"client_cert_chain": []},
        {"client_cert_chain": chain, "client_cert_error": "expired"},
        None,
    ]
    for tls in told_of:
        scope: dict[str, Any] = {
            "type": "websocket",
            "path": "/v1/rooms/lobby",
            "headers": [],
            "query_string": b"",
            "scheme": "wss",
            "extensions": {"tls": tls, "websocket.http.response": {}} if tls is not None else None,
        }
        sent: list[Any] = []

        async def send(event: Any, sent: list[Any] = sent) -> None:
            sent.append(event)

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        await application(scope, receive, send)
        assert sent[0].get("status", sent[0].get("code")) in (401, 1008)
    assert seen == [b"own", None, None, None]


# --- pages ------------------------------------------------------------------------------------------------------------


class Documented(Limited):
    """Has a page."""

    @classmethod
    def page(cls) -> str:
        return "<title>One &amp; only</title>"


class OtherDocumented(Other):
    """Has another one."""

    @classmethod
    def page(cls) -> str:
        return "<title>Other</title>"


def page(application: Application, path: str, method: str = "GET") -> HttpResponse:
    return pages.answer(application.asgi().dispatcher, path, method)


def test_each_api_has_its_page_and_there_is_one_that_leads_to_them() -> None:
    options = Options(docs=True)
    one = Application(Documented(), options=options)
    both = Application(Documented(), OtherDocumented(), Chat(), options=options)
    assert page(one, "/docs").body == page(one, "/docs/1").body == page(both, "/docs/1").body
    assert page(both, "/docs/2/").body == b"<title>Other</title>"
    assert b'<a href="docs/1">One &amp; only</a></li><li><a href="docs/2">Other</a>' in page(both, "/docs").body
    assert b'<a href="2">Other</a>' in page(both, "/docs/").body
    assert [page(both, path).status for path in ("/docs/3", "/docs/0", "/docs/x", "/docs/99999")] == [404] * 4
    assert page(Application(Documented()), "/docs/1").status == 404


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/a", "/nowhere"])
def test_pages_are_got_and_nothing_else(path: str) -> None:
    application = Application(Documented(), options=Options(docs=True))
    got = page(application, path)
    head = page(application, path, "HEAD")
    assert (head.status, head.headers, head.body) == (got.status, got.headers, b"")
    assert head.content_length == got.content_length == str(len(got.body)) != "0"
    refused = page(application, path, "POST")
    assert (refused.status, dict(refused.headers)["Allow"]) == (405, "GET, HEAD")
