"""All backplanes keep to the same things."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from sockspec.runtime.backplane import conformance
from sockspec.runtime.backplane.line import Backplane
from sockspec.runtime.backplane.redis import RedisBackplane


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
