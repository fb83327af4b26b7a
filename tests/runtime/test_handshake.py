"""The handshake as the application sees it, and the responses that refuse one."""

from __future__ import annotations

import json

import pytest

from sockspec.runtime import Handshake, Problem, Values
from sockspec.runtime.handshake import http_refusal, read_target


def headers(*pairs: tuple[str, str]) -> Handshake[None]:
    return Handshake("/chat", None, headers=Values(pairs, ignore_case=True))


@pytest.mark.parametrize(
    ("value", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("BEARER abc=.~", "abc=.~"),
        ("Basic abc", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("", None),
        ("abc", None),
    ],
)
def test_the_bearer_token_is_what_follows_the_scheme(value: str, token: str | None) -> None:
    assert headers(("Authorization", value)).bearer_token == token


def test_there_is_no_token_without_the_header() -> None:
    assert headers().bearer_token is None


def test_subprotocols_are_listed_in_the_clients_order() -> None:
    pairs = (("Sec-WebSocket-Protocol", "b, a"), ("sec-websocket-protocol", "c,"))
    assert headers(*pairs).subprotocols == ("b", "a", "c")


def test_header_names_ignore_case_and_query_names_do_not() -> None:
    assert headers(("X-Room", "a")).headers["x-rOOM"] == "a"
    assert "x" not in Values([("X", "1")])


def test_a_name_that_occurs_twice_gives_the_first_value_and_all_of_them() -> None:
    path, query = read_target("/chat?a=1&b=&a=2&c=%C3%A9+%26")
    assert (path, dict(query), query.all("a"), query.all("z")) == (
        "/chat",
        {"a": "1", "b": "", "c": "é &"},
        ("1", "2"),
        (),
    )


def test_a_query_of_too_many_fields_counts_as_empty() -> None:
    assert dict(read_target("/chat?" + "&".join("a=1" for _ in range(1000)))[1]) == {}


def test_no_representation_shows_a_value() -> None:
    _, query = read_target("/chat?ticket=swordfish")
    handshake = Handshake("/chat", None, query=query, headers=Values([("Authorization", "Bearer swordfish")]))
    assert "swordfish" not in repr(handshake)


def test_a_refusal_is_a_problem_document() -> None:
    refusal = http_refusal(Problem.of("/problems/service-restart", retry_after=1.2))
    assert (refusal.status, dict(refusal.headers), json.loads(refusal.body)) == (
        503,
        {"Content-Type": "application/problem+json", "Cache-Control": "no-store", "Retry-After": "2"},
        {
            "type": "/problems/service-restart",
            "title": "The service is restarting",
            "status": 503,
            "detail": "The service is restarting",
            "retryAfter": 1.2,
        },
    )


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (Problem("/problems/own", "no"), 400),
        (Problem("/problems/own", "no", status=409), 409),
        (Problem("/problems/own", "no", status=200), 400),
        (Problem("/problems/own", "no", status=499), 400),
        (Problem("/problems/forbidden", "no", status=999), 403),
    ],
)
def test_a_refusal_has_the_status_of_its_problem_where_that_is_an_error_of_http(problem: Problem, status: int) -> None:
    assert http_refusal(problem).status == status
