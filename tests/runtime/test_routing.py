"""Which route a path leads to, and paths from templates."""

from __future__ import annotations

import pytest

from sockspec.runtime import Route
from sockspec.runtime.routing import Router, expand
from tests.runtime.chatting import FROM_CLIENT, FROM_SERVER, RoomConnection


def find(path: str, *templates: str) -> tuple[str, dict[str, str]] | None:
    routes = [
        Route(path=template, connection=RoomConnection, incoming=FROM_CLIENT, outgoing=FROM_SERVER)
        for template in templates
    ]
    match = Router(routes).match(path)
    return None if match is None else (match.route.path, dict(match.parameters))


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("/", "/", {}),
        ("/chat", "/chat", {}),
        ("/chat", "/chat/", {}),
        ("/chat/", "/chat", {}),
        ("chat", "/chat", {}),
        ("/rooms/{room}", "/rooms/lobby", {"room": "lobby"}),
        ("/rooms/{room}", "/rooms/caf%C3%A9%20bar", {"room": "café bar"}),
        ("/rooms/{room}", "/rooms/a%2Fb", {"room": "a/b"}),
        ("/rooms/{room}", "/rooms/a+b", {"room": "a+b"}),
        ("/café/{x}", "/caf%C3%A9/1", {"x": "1"}),
        ("/{a}/{b}", "/1/2", {"a": "1", "b": "2"}),
        ("/v{major}.{minor}", "/v1.2", {"major": "1", "minor": "2"}),
        ("/v{major}.{minor}", "/v1.2.3", {"major": "1", "minor": "2.3"}),
        ("/{name}.json", "/a.json.json", {"name": "a.json"}),
        ("/{a}{b}", "/xyz", {"a": "x", "b": "yz"}),
    ],
)
def test_a_template_matches_a_path_with_these_parameters(template: str, path: str, parameters: dict[str, str]) -> None:
    assert find(path, template) == (template, parameters)


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/chat", "/"),
        ("/chat", "/Chat"),
        ("/chat", "/chat/more"),
        ("/rooms/{room}", "/rooms"),
        ("/rooms/{room}", "/rooms/"),
        ("/rooms/{room}", "/rooms//"),
        ("/rooms/{room}", "/rooms/a/b"),
        ("/rooms/{room}", "/rooms/%ff"),
        ("/v{major}.{minor}", "/v1"),
        ("/v{major}.{minor}", "/v.2"),
        ("/v{major}.{minor}", "/v1."),
    ],
)
def test_a_template_does_not_match_a_path(template: str, path: str) -> None:
    assert find(path, template) is None


def test_more_literal_templates_come_first_whatever_their_order() -> None:
    templates = ("/{anything}/{more}", "/rooms/{room}", "/rooms/v{n}", "/rooms/lobby")
    for order in (templates, templates[::-1]):
        assert [find(path, *order) for path in ("/rooms/lobby", "/rooms/v2", "/rooms/x", "/x/y")] == [
            ("/rooms/lobby", {}),
            ("/rooms/v{n}", {"n": "2"}),
            ("/rooms/{room}", {"room": "x"}),
            ("/{anything}/{more}", {"anything": "x", "more": "y"}),
        ]


def test_a_path_of_many_parameters_is_matched_in_linear_time() -> None:
    template = "/" + "-".join(f"{{p{number}}}" for number in range(30)) + "!"
    assert find("/" + "-" * 8000, template) is None


@pytest.mark.parametrize("value", ["lobby", "a/b", "é ?#%", "a b+c", "..."])
def test_a_template_expands_to_a_path_that_matches_with_the_same_value(value: str) -> None:
    assert find(expand("/rooms/{room}", {"room": value}), "/rooms/{room}") == ("/rooms/{room}", {"room": value})


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_value_that_would_be_lost_in_a_path_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"the parameter 'room' of the path '/rooms/{room}' cannot be"):
        expand("/rooms/{room}", {"room": value})


def test_a_value_that_looks_like_another_parameter_stays_a_value() -> None:
    assert expand("/{a}/{b}", {"a": "{b}", "b": "x"}) == "/%7Bb%7D/x"
