"""What somebody who is new to it does wrong, and is told."""

from __future__ import annotations

import sys
from typing import Any, cast

import pytest

from chat import RoomConnection
from sockspec.runtime import Connection, NatsBackplane, Options, Unavailable
from tests.runtime.chatting import scenario
from tests.runtime.fleet.nodes import Hall, posted


def test_a_url_is_no_backplane_and_a_number_no_history() -> None:
    with pytest.raises(ValueError, match=r"backplane='redis://localhost' is none: it has to be RedisBackplane"):
        Options(backplane=cast(Any, "redis://localhost"))
    with pytest.raises(ValueError, match=r"history=5 is none: it has to be History"):
        Options(history=cast(Any, 5))


def test_an_engine_is_not_looked_for_by_the_scheme_of_another_one() -> None:
    with pytest.raises(ValueError, match="redis:// is no scheme of NATS"):
        NatsBackplane("redis://localhost")


@pytest.mark.parametrize(("extra", "library", "kind"), [("redis", "redis", "Redis"), ("nats", "nats", "Nats")])
def test_an_extra_that_is_missing_is_named(
    extra: str, library: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = f"sockspec.runtime.backplane.{extra}"
    for name in [name for name in sys.modules if name.startswith(package)]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ModuleNotFoundError, match=rf"{kind}Backplane needs .*: pip install 'sockspec\[{extra}\]'"):
        __import__(package)


@scenario
async def test_a_server_that_nobody_serves_has_nobody_to_broadcast_to() -> None:
    with pytest.raises(RuntimeError, match="nobody serves this server"):
        await Hall().group(RoomConnection, "lobby").broadcast(posted("hello"))


def test_a_group_is_of_an_endpoint_of_its_server() -> None:
    class Other(Connection[Any]):
        pass

    with pytest.raises(TypeError, match="Other is no connection of Hall; it has RoomConnection"):
        Hall().group(Other, "lobby")


def test_what_is_unavailable_says_whether_it_was_done() -> None:
    assert str(Unavailable()) == "the backplane did not answer in time: this was not done"
    assert str(Unavailable(doubtful=True)).endswith("nobody knows whether this was done")
