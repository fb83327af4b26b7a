"""Who gets in, in whose name, and how many at once: decided without a socket."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from sockspec.runtime import (
    BearerScheme,
    ClientOptions,
    ConnectionClosed,
    Handshake,
    KeyScheme,
    Principal,
    Refused,
    Requirement,
)
from sockspec.runtime.backoff import Ending
from sockspec.runtime.security.authentication import Identity
from sockspec.runtime.testing import Host
from sockspec.runtime.transport import ClientTransport
from tests.runtime.chatting import Chat, GetHistory, History, RoomConnection, scenario

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
