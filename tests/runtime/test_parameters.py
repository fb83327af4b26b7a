"""The parameters of a handshake: from texts of path, query and headers to a typed value, or to a refusal."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Literal

import pytest
from msgspec import Meta, Struct

from sockspec.runtime import FromHeader, FromPath, FromQuery, Refused, Values
from sockspec.runtime.handshake import read_target
from sockspec.runtime.parameters import read_parameters


class Side(StrEnum):
    BUY = "buy"


class Filter(Struct):
    field: str


class Asked(Struct, frozen=True, kw_only=True):
    room: Annotated[Annotated[str, Meta(max_length=8)], FromPath("room-id")]
    depth: Annotated[Annotated[int, Meta(ge=1)], FromQuery("depth")] = 20
    quiet: Annotated[bool | None, FromQuery("quiet")] = None
    rate: Annotated[int | float | None, FromQuery("rate")] = None
    side: Annotated[Side | None, FromQuery("side")] = None
    level: Annotated[Literal[1, 2] | None, FromQuery("level")] = None
    since: Annotated[dt.datetime | None, FromQuery("since")] = None
    venues: Annotated[list[str] | None, FromQuery("venue")] = None
    where: Annotated[Filter | None, FromQuery("where")] = None
    sizes: Annotated[list[int] | None, FromHeader("X-Sizes")] = None
    client: Annotated[str, FromHeader("X-Client")]


def asked(query: str = "", *, room: str = "a", sizes: str | None = None, client: str | None = "c") -> Asked:
    headers = [(name, value) for name, value in (("x-client", client), ("x-sizes", sizes)) if value is not None]
    _, values = read_target(f"/?{query}")
    found = read_parameters(Asked, {"room-id": room}, values, Values(headers, ignore_case=True))
    assert isinstance(found, Asked)
    return found


@pytest.mark.parametrize(
    ("query", "member", "value"),
    [
        ("", "depth", 20),
        ("depth=3", "depth", 3),
        ("quiet=true", "quiet", True),
        ("quiet=false", "quiet", False),
        ("rate=2", "rate", 2),
        ("rate=2.5", "rate", 2.5),
        ("side=buy", "side", Side.BUY),
        ("level=2", "level", 2),
        ("since=2024-01-02T03:04:05Z", "since", dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC)),
        ("venue=a&venue=b", "venues", ["a", "b"]),
        ("venue=a", "venues", ["a"]),
        ("where=%7B%22field%22:%22x%22%7D", "where", Filter("x")),
    ],
)
def test_a_text_becomes_a_value_of_its_type(query: str, member: str, value: object) -> None:
    found = getattr(asked(query), member)
    assert (type(found), found) == (type(value), value)


def test_a_header_has_its_name_in_any_case_and_lists_by_commas() -> None:
    assert asked(sizes="1, 2,3").sizes == [1, 2, 3]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("depth=0", "the query parameter 'depth' is not valid: Expected `int` >= 1"),
        ("depth=sesame", "the query parameter 'depth' is not valid: Expected `int`, got `str`"),
        ("depth=1.5", "the query parameter 'depth' is not valid: Expected `int`, got `str`"),
        ("side=sesame", "the query parameter 'side' has none of the values that are allowed"),
        ("level=3", "the query parameter 'level' has none of the values that are allowed"),
        ("where=sesame", "the query parameter 'where' is not the JSON text that was expected"),
        ("where=" + "[" * 9000, "the query parameter 'where' is not valid: Expected `object | null`, got `array`"),
    ],
)
def test_a_value_that_does_not_fit_refuses_and_is_not_quoted(query: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        asked(query)
    problem = refused.value.problem
    assert (problem.type, problem.status, problem.message) == ("/problems/invalid-parameters", 400, said)


def test_what_is_required_has_to_be_there() -> None:
    with pytest.raises(Refused, match="the header 'X-Client' is missing"):
        asked(client=None)


def test_the_path_is_held_to_its_type() -> None:
    with pytest.raises(Refused, match="the path parameter 'room-id' is not valid"):
        asked(room="a very long one")


def test_an_endpoint_that_declares_nothing_reads_nothing() -> None:
    assert read_parameters(None, {}, Values(), Values()) is None
