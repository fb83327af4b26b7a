"""Options that cannot be are errors when they are made, with words that say what can."""

from __future__ import annotations

from typing import Any

import pytest

from sockspec.runtime import ClientOptions, Limits, Options

WRONG: list[tuple[type[Any], dict[str, Any], str]] = [
    (
        Options,
        {"slow_consumer": "drop_oldest"},
        "slow_consumer='drop_oldest' is none of 'disconnect', 'drop-oldest', 'coalesce'; did you mean 'drop-oldest'?",
    ),
    (Options, {"library": "picosw"}, "library='picosw' is none of 'websockets', 'picows'; did you mean 'picows'?"),
    (Options, {"loop": "trio"}, "loop='trio' is none of 'auto', 'asyncio', 'uvloop'"),
    (Options, {"receiving": "lax"}, "receiving='lax' is none of 'strict', 'report', 'off'"),
    (Options, {"retired": ("v0",)}, "'v0' in retired has to begin with '/': '/v0'"),
    (Options, {"retired": "/v0"}, "retired='/v0' has to be several texts: write ('/v0',)"),
    (Options, {"origins": "https://a.example"}, "origins='https://a.example' has to be several texts"),
    (Options, {"origins": (1,)}, "origins=(1,) has to be several texts"),
    (Options, {"origins": ("a.example",)}, "'a.example' in origins is no origin"),
    (Options, {"origins": ("https://a.example/",)}, "'https://a.example/' in origins is no origin"),
    (Options, {"origins": ("https://*.example",)}, "'https://*.example' in origins is no origin"),
    (Options, {"trusted_proxies": "10.0.0.1"}, "trusted_proxies='10.0.0.1' has to be several texts"),
    (Options, {"open_timeout": -1}, "open_timeout=-1 is no number above 0"),
    (Options, {"ping_interval": 0}, "ping_interval=0 is no number above 0"),
    (Options, {"ping_timeout": None}, "ping_timeout=None is no number above 0"),
    (Options, {"write_timeout": float("nan")}, "write_timeout=nan is no number above 0"),
    (Options, {"reply_timeout": "10"}, "reply_timeout='10' is no number above 0"),
    (Options, {"drain_timeout": -1}, "drain_timeout=-1 is no number from 0 on"),
    (Options, {"drain_batch": 0}, "drain_batch=0 is no whole number above 0"),
    (ClientOptions, {"offline": "wiat"}, "offline='wiat' is none of 'wait', 'raise', 'queue'; did you mean 'wait'?"),
    (ClientOptions, {"overflow": "drop"}, "overflow='drop' is none of 'pause', 'drop-oldest', 'fail'"),
    (ClientOptions, {"connect_timeout": 0}, "connect_timeout=0 is no number above 0"),
    (ClientOptions, {"max_attempts": 0}, "max_attempts=0 is no whole number above 0"),
    (ClientOptions, {"backoff_base": -0.5}, "backoff_base=-0.5 is no number from 0 on"),
    (Limits, {"max_connections": 0}, "max_connections=0 is no whole number above 0; None means no limit"),
    (Limits, {"max_message": None}, "max_message=None is no whole number above 0"),
    (Limits, {"max_message": True}, "max_message=True is no whole number above 0"),
    (Limits, {"max_depth": 1.5}, "max_depth=1.5 is no whole number above 0"),
    (Limits, {"messages_per_second": 0}, "messages_per_second=0 is no number above 0; None means no limit"),
    (Limits, {"idle_timeout": -1}, "idle_timeout=-1 is no number above 0; None means no limit"),
]


@pytest.mark.parametrize(("kind", "options", "message"), WRONG, ids=[str(row[1]) for row in WRONG])
def test_a_wrong_option_is_an_error_that_says_what_is_expected(
    kind: type[Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011  # the words are compared below
        kind(**options)
    assert str(error.value).startswith(message)


def test_what_means_no_limit_and_what_is_as_small_as_can_be_is_no_error() -> None:
    names = ("max_connections", "max_sockets", "max_connections_per_principal", "max_connections_per_address")
    none: dict[str, Any] = dict.fromkeys((*names, "connections_per_second", "messages_per_second", "idle_timeout"))
    assert Limits(**none).ceiling is None
    assert Options(drain_timeout=0, drain_pause=0, retry_after=0, origins=(), retired=()).origins == ()
    assert Options(origins=("null", "https://a.example:8443"), retired=("/",)).origins is not None
    assert ClientOptions(backoff_base=0, backoff_cap=0, stable_after=0, max_retry_after=0).backoff_cap == 0
