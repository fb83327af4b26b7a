"""The engines that the scenarios run over."""

from __future__ import annotations

import uuid

import pytest

from sockspec.runtime import Backplane, MemoryBackplane, NatsBackplane, RedisBackplane


@pytest.fixture(params=["memory", "redis", "nats"])
def backplane(request: pytest.FixtureRequest) -> Backplane:
    """A backplane that nobody else uses."""
    prefix = f"test{uuid.uuid4().hex[:12]}"
    match request.param:
        case "redis":
            return RedisBackplane(request.getfixturevalue("redis_url"), prefix=prefix)
        case "nats":
            return NatsBackplane(request.getfixturevalue("nats_url"), prefix=prefix, storage="memory")
        case _:
            return MemoryBackplane()
