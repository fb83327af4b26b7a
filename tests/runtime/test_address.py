"""URLs and headers from typed values, and where clear text may go."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec import UNSET

from sockspec.runtime import InsecureTransport
from sockspec.runtime.address import endpoint, header_lines, of_server, refuse_clear_text
from sockspec.runtime.security.cleartext import is_loopback


@pytest.mark.parametrize(
    ("url", "path", "expected"),
    [
        ("wss://chat.example.com", "/rooms/a", "wss://chat.example.com/rooms/a"),
        ("wss://chat.example.com/v1/", "/rooms/a/", "wss://chat.example.com/v1/rooms/a"),
        ("wss://chat.example.com/v1", "/", "wss://chat.example.com/v1"),
        ("wss://chat.example.com", "/", "wss://chat.example.com/"),
        ("ws://[::1]:8765/v1?key=1", "/chat", "ws://[::1]:8765/v1/chat?key=1"),
    ],
)
def test_a_path_is_added_to_the_url_of_the_server(url: str, path: str, expected: str) -> None:
    assert endpoint(url, path, {}, {}) == expected


def test_parameters_and_query_are_encoded_and_what_is_unset_is_left_out() -> None:
    query = {
        "q": "a&b ü",
        "deep": True,
        "limit": 5,
        "tag": ["x", "y"],
        "since": datetime(2026, 1, 2, tzinfo=UTC),
        "none": None,
        "unset": UNSET,
    }
    assert endpoint("wss://h/v1?k=1", "/rooms/{room}/{n}", {"room": "a/ö", "n": 7}, query) == (
        "wss://h/v1/rooms/a%2F%C3%B6/7?k=1&q=a%26b+%C3%BC&deep=true&limit=5&tag=x&tag=y&since=2026-01-02T00%3A00%3A00Z"
    )


@pytest.mark.parametrize("url", ["http://h", "h", "wss://", "wss:///v1", "wss://h/#part"])
def test_a_url_that_is_none_of_a_websocket_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected a URL that starts with ws://|has no fragment"):
        endpoint(url, "/", {}, {})


def test_headers_take_lists_and_leave_out_what_is_unset() -> None:
    assert header_lines({"X-A": [1, 2], "X-B": UNSET, "X-C": False}) == {"X-A": "1, 2", "X-C": "false"}


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "\x00", "ü"])
def test_a_header_value_that_would_not_stay_in_its_line_is_refused_without_quoting_it(value: str) -> None:
    with pytest.raises(ValueError, match=r"^the value of the header 'X-A' has characters that a header cannot have$"):
        header_lines({"X-A": value})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST.", "a.localhost"])
def test_this_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "10.0.0.1", "localhost.example.com", "127.0.0.1.example.com", "127.1"]
)
def test_this_is_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_a_token_goes_over_tls_or_stays_here() -> None:
    refuse_clear_text("wss://chat.example.com")
    refuse_clear_text("ws://localhost:8765")
    with pytest.raises(InsecureTransport):
        refuse_clear_text("ws://10.0.0.1")


def test_the_variables_of_a_url_are_filled_in() -> None:
    url = "wss://{region}.example.com:{port}/{base}"
    assert of_server(url, {"region": "eu", "port": 8443, "base": "v1/x"}) == "wss://eu.example.com:8443/v1/x"


def test_a_variable_that_the_url_does_not_have_is_not_needed() -> None:
    assert of_server("ws://localhost:1", {"region": None}) == "ws://localhost:1"


@pytest.mark.parametrize("value", [None, "", "evil.example/", "a@b", "a?b", "a#b", "a b", "a//b", "{b}"])
def test_a_variable_cannot_lead_elsewhere(value: object) -> None:
    with pytest.raises(ValueError, match="the variable 'region' of the URL"):
        of_server("wss://{region}.example.com", {"region": value})
