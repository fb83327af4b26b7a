"""All backplanes keep to the same things."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import pytest
from redis.asyncio import Redis

from sockspec.runtime.backplane import conformance
from sockspec.runtime.backplane.line import Backplane
from sockspec.runtime.backplane.memory import MemoryBackplane
from sockspec.runtime.backplane.nats import NatsBackplane
from sockspec.runtime.backplane.redis import RedisBackplane


def _memory(request: pytest.FixtureRequest) -> Backplane:
    return MemoryBackplane()


def _redis(request: pytest.FixtureRequest) -> Backplane:
    return RedisBackplane(request.getfixturevalue("redis_url"), prefix=conformance.unused())


def _nats(request: pytest.FixtureRequest) -> Backplane:
    url: str = request.getfixturevalue("nats_url")
    return NatsBackplane(url, prefix=f"test-{os.urandom(6).hex()}", storage="memory")


@pytest.fixture(params=[_memory, _redis, _nats], ids=["memory", "redis", "nats"])
def backplane(request: pytest.FixtureRequest) -> Backplane:
    """One on which nothing was done before."""
    make: Callable[[pytest.FixtureRequest], Backplane] = request.param
    return make(request)


@pytest.mark.parametrize("check", conformance.CHECKS, ids=conformance.sentence)
def test_it_keeps_to(backplane: Backplane, check: conformance.Check) -> None:
    asyncio.run(conformance.run(check, backplane))


@pytest.mark.parametrize("check", conformance.FORGETTING, ids=conformance.sentence)
def test_redis_forgets_as(redis_url: str, check: conformance.ForgettingCheck) -> None:
    prefix = conformance.unused()

    async def forget() -> None:
        async with Redis.from_url(redis_url) as client:
            await client.delete(*[key async for key in client.scan_iter(f"{prefix}:*")])

    asyncio.run(conformance.run_forgetting(check, RedisBackplane(redis_url, prefix=prefix), forget))
