"""Tokens, tickets, proxies and what gets into logs: decided without a socket."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from sockspec.runtime import Handshake, Options, Principal, Refused, SignedTickets, Tickets, Values
from sockspec.runtime.dispatcher import Request
from sockspec.runtime.handshake import HttpResponse
from sockspec.runtime.proxies import TrustedProxies
from sockspec.runtime.security.credentials import Credential, placed
from sockspec.runtime.security.jwt import JwtPrincipal, JwtVerifier
from sockspec.runtime.security.redaction import RedactingFilter, redacted
from sockspec.runtime.security.schemes import (
    BasicCredentials,
    BasicScheme,
    BearerScheme,
    KeyScheme,
)
from tests.runtime.chatting import Chat

KEY = "0123456789abcdef0123456789abcdef"
OTHER_KEY = "another secret that is long enough"
FAR = 4102444800
"""The year 2100: tokens are made before tests run, which takes its time."""
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
GOOD = {"sub": "ann", "aud": "chat", "iss": "https://id.example.com", "scope": "chat:read chat:write"}


def _claims(**changes: Any) -> dict[str, Any]:
    claims = {**GOOD, "exp": FAR, **changes}
    return {name: value for name, value in claims.items() if value is not None}


def _verifier(**changes: Any) -> JwtVerifier:
    arguments: dict[str, Any] = {
        "algorithms": ["HS256"],
        "issuer": GOOD["iss"],
        "audience": "chat",
        "key": KEY,
        **changes,
    }
    return JwtVerifier(**arguments)


def _verify(verifier: JwtVerifier, token: str) -> JwtPrincipal | str:
    """Whose token it is, or the problem that it is refused with."""
    try:
        return asyncio.run(verifier.verify(token))
    except Refused as refused:
        return refused.problem.type


def test_a_good_token_says_who_it_is_what_they_may_do_and_until_when() -> None:
    principal = _verify(_verifier(leeway=0), jwt.encode(_claims(exp=FAR), KEY, "HS256"))
    assert isinstance(principal, JwtPrincipal)
    assert (principal.id, principal.scopes) == ("ann", frozenset({"chat:read", "chat:write"}))
    assert principal.expires == dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    assert principal.claims["iss"] == GOOD["iss"]


BAD_TOKENS: list[tuple[str, str, str]] = [
    ("signed by another key", jwt.encode(_claims(), OTHER_KEY, "HS256"), "unauthorized"),
    ("another algorithm", jwt.encode(_claims(), KEY * 2, "HS512"), "unauthorized"),
    ("no signature", jwt.encode(_claims(), "", "none"), "unauthorized"),
    ("expired", jwt.encode(_claims(exp=time.time() - 60), KEY, "HS256"), "token-expired"),
    ("not valid yet", jwt.encode(_claims(nbf=FAR - 1), KEY, "HS256"), "unauthorized"),
    ("for another audience", jwt.encode(_claims(aud="shop"), KEY, "HS256"), "unauthorized"),
    ("by another issuer", jwt.encode(_claims(iss="https://evil.example"), KEY, "HS256"), "unauthorized"),
    ("that never expires", jwt.encode(_claims(exp=None), KEY, "HS256"), "unauthorized"),
    ("of nobody", jwt.encode(_claims(sub=None), KEY, "HS256"), "unauthorized"),
    ("of a subject that is empty", jwt.encode(_claims(sub=""), KEY, "HS256"), "unauthorized"),
    ("that expires when there is no calendar", jwt.encode(_claims(exp=10**18), KEY, "HS256"), "unauthorized"),
    ("that expires when no number is as large", jwt.encode(_claims(exp=10**40), KEY, "HS256"), "unauthorized"),
    ("that is none", "swordfish", "unauthorized"),
    ("that is empty", "", "unauthorized"),
    ("with a payload that is no object", "e30.W10.AA", "unauthorized"),
]


@pytest.mark.parametrize(("token", "problem"), [row[1:] for row in BAD_TOKENS], ids=[row[0] for row in BAD_TOKENS])
def test_a_bad_token_is_refused_and_not_logged(token: str, problem: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert _verify(_verifier(), token) == f"/problems/{problem}"
    assert not token or not [entry for entry in caplog.records if token in entry.getMessage()]


@pytest.mark.parametrize(
    "changes",
    [
        {"algorithms": []},
        {"algorithms": ["none"]},
        {"algorithms": ["HS256", "RS256"]},
        {"key": None},
        {"key_set_url": "https://id.example.com/keys"},
        {"key": None, "key_set_url": "https://id.example.com/keys"},
        {"key": None, "key_set_url": "http://id.example.com/keys", "algorithms": ["RS256"]},
    ],
    ids=str,
)
def test_an_unsafe_verifier_cannot_be_made(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"algorithm|secret|key"):
        _verifier(**changes)


def test_a_key_set_is_read_once_and_anew_for_unknown_keys_but_not_for_each_of_them() -> None:
    fetched: list[str] = []

    def fetch(url: str) -> bytes:
        fetched.append(url)
        key = {**json.loads(RSAAlgorithm.to_jwk(RSA.public_key())), "kid": "one", "use": "sig"}
        return json.dumps({"keys": [key]}).encode()

    async def verify_many() -> list[str]:
        found = []
        for kid in ("one", "one", "two", "three", None):
            token = jwt.encode(_claims(), RSA, "RS256", headers={"kid": kid} if kid else None)
            try:
                found.append((await verifier.verify(token)).id)
            except Refused as refused:
                found.append(refused.problem.type)
        return found

    url = "https://id.example.com/keys"
    verifier = _verifier(key=None, key_set_url=url, algorithms=["RS256"], fetch=fetch)
    assert asyncio.run(verify_many()) == ["ann", "ann", *["/problems/unauthorized"] * 3]
    assert fetched == [url]


def test_a_key_set_that_cannot_be_read_refuses_without_a_word_of_why() -> None:
    def fetch(url: str) -> bytes:
        raise OSError("the proxy's password is swordfish")

    verifier = _verifier(key=None, key_set_url="https://id.example.com/keys", algorithms=["RS256"], fetch=fetch)
    assert _verify(verifier, jwt.encode(_claims(), RSA, "RS256", headers={"kid": "one"})) == "/problems/unauthorized"


def test_a_ticket_is_good_once_and_for_a_short_time() -> None:
    now = [0.0]
    tickets = Tickets(30, clock=lambda: now[0])
    ann = Principal(id="ann")
    first, second, third = (tickets.issue(ann) for _ in range(3))
    assert [tickets.redeem(first), tickets.redeem(first), tickets.redeem("made up")] == [ann, None, None]
    now[0] = 29.9
    assert tickets.redeem(second) is ann
    now[0] = 30.0
    assert tickets.redeem(third) is None
    tickets.issue(ann)
    assert len(tickets) == 1


def test_a_signed_ticket_is_good_once_wherever_it_is_taken() -> None:
    now, spent = [1000.0], set[str]()

    async def spend(name: str, seconds: float) -> bool:
        assert 1.0 <= seconds <= 30.0
        is_first = name not in spent
        spent.add(name)
        return is_first

    def redeem(tickets: SignedTickets, ticket: str) -> Principal | None:
        return asyncio.run(tickets.redeem(ticket, spend))

    one, other = (SignedTickets("a secret of many letters", clock=lambda: now[0]) for _ in range(2))
    ann = Principal(id="ann", scopes=frozenset({"chat"}), expires=dt.datetime(2030, 1, 1, tzinfo=dt.UTC))
    first, second = one.issue(ann), one.issue(ann)
    assert [redeem(other, first), redeem(one, first), redeem(other, first)] == [ann, None, None]
    changed = second[:-4] + ("AAAA" if second[-4:] != "AAAA" else "BBBB")
    foreign = SignedTickets(b"another secret of many letters", clock=lambda: now[0])
    assert [redeem(one, bad) for bad in (changed, "", "made up", "é", foreign.issue(ann))] == [None] * 5
    now[0] += 30.0
    assert redeem(one, second) is None
    assert "secret" not in repr(one)
    with pytest.raises(ValueError, match="16 bytes"):
        SignedTickets("short")


PROXIES: list[tuple[str, tuple[str, ...], str, list[str], str]] = [
    ("no proxy is trusted", (), "10.0.0.1", ["1.2.3.4"], "10.0.0.1"),
    ("another proxy", ("10.1.0.0/16",), "10.0.0.1", ["1.2.3.4"], "10.0.0.1"),
    ("one proxy", ("10.0.0.0/8",), "10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
    ("what the client wrote itself", ("10.0.0.0/8",), "10.0.0.1", ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
    ("two proxies, two lines", ("10.0.0.0/8",), "10.0.0.1", ["6.6.6.6", "1.2.3.4, 10.0.0.2"], "1.2.3.4"),
    ("ports", ("10.0.0.0/8",), "10.0.0.1", ["1.2.3.4:5678"], "1.2.3.4"),
    ("version 6", ("::1",), "::1", ["[2001:db8::1]:443"], "2001:db8::1"),
    ("nonsense", ("10.0.0.0/8",), "10.0.0.1", ["unknown"], "10.0.0.1"),
    ("nonsense beside what the client wrote itself", ("10.0.0.0/8",), "10.0.0.1", ["6.6.6.6, unknown"], "10.0.0.1"),
    ("version 4 on a socket for both", ("10.0.0.0/8",), "::ffff:10.0.0.1", ["1.2.3.4, ::ffff:10.0.0.2"], "1.2.3.4"),
    ("no proxy on a socket for both", (), "::ffff:10.0.0.1", [], "10.0.0.1"),
    ("a socket without an address", ("10.0.0.0/8",), "", ["1.2.3.4"], ""),
    ("no header", ("10.0.0.0/8",), "10.0.0.1", [], "10.0.0.1"),
]


@pytest.mark.parametrize(
    ("trusted", "host", "lines", "client"), [row[1:] for row in PROXIES], ids=[row[0] for row in PROXIES]
)
def test_only_trusted_proxies_are_believed(trusted: tuple[str, ...], host: str, lines: list[str], client: str) -> None:
    headers = Values((("X-Forwarded-For", line) for line in lines), ignore_case=True)
    assert TrustedProxies(trusted).client(host, headers) == client


def test_queries_are_logged_without_credentials() -> None:
    assert redacted(b"a=1&token=x%20y&to%6ben=z&b", {"token"}) == b"a=1&token=***&to%6ben=***&b"
    record = logging.makeLogRecord({"msg": '%s - "WebSocket %s" [accepted]', "args": ("::1", "/a?token=x&b=1")})
    assert RedactingFilter({"token"}).filter(record)
    assert record.getMessage() == '::1 - "WebSocket /a?token=***&b=1" [accepted]'
    header = logging.makeLogRecord({"msg": "< %s: %s", "args": ("Authorization", "Bearer x")})
    assert not RedactingFilter({"token"}).filter(header)


@pytest.mark.parametrize("way", ["< %s", "> %s", "%s [%d] Started scope=%s"])
def test_frames_and_scopes_are_not_logged(way: str) -> None:
    assert not RedactingFilter(()).filter(logging.makeLogRecord({"msg": way, "args": ("TEXT 'hi' [2 bytes]", 1, {})}))


@pytest.mark.parametrize(
    ("host", "is_secure", "behind_proxy", "status"),
    [
        ("203.0.113.1", False, False, 403),
        ("203.0.113.1", True, False, 101),
        ("203.0.113.1", False, True, 101),
        ("127.0.0.1", False, False, 101),
        ("::1", False, False, 101),
        ("::ffff:127.0.0.1", False, False, 101),
        ("::ffff:203.0.113.1", False, False, 403),
        ("testclient", False, False, 101),
    ],
)
def test_clear_text_from_another_machine_is_refused_below_a_server_that_accepts_it(
    host: str, is_secure: bool, behind_proxy: bool, status: int
) -> None:
    dispatcher = Chat().asgi(options=Options(behind_tls_proxy=behind_proxy)).dispatcher
    answer = asyncio.run(dispatcher.admit(Request("/v1/rooms/lobby", Values(), host, 1, is_secure)))
    assert (answer.status if isinstance(answer, HttpResponse) else 101) == status


def test_credentials_that_are_garbled_are_none() -> None:
    def handshake(**headers: str) -> Handshake[None]:
        pairs = ((name.replace("_", "-"), value) for name, value in headers.items())
        return Handshake("/", None, headers=Values(pairs, ignore_case=True))

    basic = BasicScheme("basic", "verify")
    assert basic.find(handshake(authorization="Basic YW5uOng6eQ=="), "") == (BasicCredentials("ann", "x:y"),)
    for text in ("Basic", "Basic !", "Basic YW5u", "Basic /w==", "Bearer YW5uOng="):
        assert basic.find(handshake(authorization=text), "") is None
    bearer = BearerScheme("token", "verify")
    for text in ("sockspec.bearer.", "sockspec.bearer.!", "sockspec.bearer._w", "sockspec"):
        assert bearer.find(handshake(sec_websocket_protocol=text), "") is None
    cookie = KeyScheme("session", "verify", parameter="session", place="cookie")
    assert cookie.find(handshake(cookie="a=1; session=x"), "") == ("x",)
    assert cookie.find(handshake(cookie="a=1"), "") is None
    for text in ('x="a b"; bad name; session=x', "=; session = x ;", "a=session=y; session=x", 'session="x"'):
        assert cookie.find(handshake(cookie=text), "") == ("x",)
    assert cookie.find(handshake(cookie="session"), "") is None
    assert "x:y" not in repr(BasicCredentials("ann", "x:y"))


@pytest.mark.parametrize("key", ["a+b/c==", "a%20b", "{'a':[1]}"])
def test_a_cookie_arrives_as_the_client_has_it(key: str) -> None:
    sent = (Credential("one", "cookie", "other"), Credential(key, "cookie", "session"))
    _, headers = asyncio.run(placed(sent, "ws://localhost", {}))
    handshake = Handshake("/", None, headers=Values(headers.items(), ignore_case=True))
    cookie = KeyScheme("session", "verify", parameter="session", place="cookie")
    assert cookie.find(handshake, "") == (key,)
