"""The engines that the scenarios run over, and chance that can be had again."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Callable

import pytest

from sockspec.runtime import Backplane, MemoryBackplane, NatsBackplane, RedisBackplane
from tests.runtime.backplane import engines

_VARIABLE = "SOCKSPEC_CHAOS_SEED"


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


@pytest.fixture
def rng() -> random.Random:
    """Chance, by a seed that is printed when a test fails, and that the environment can set."""
    seed = int(os.environ.get(_VARIABLE) or random.SystemRandom().randrange(2**32))
    print(f"{_VARIABLE}={seed}")
    return random.Random(seed)


@pytest.fixture(params=["redis", "nats"])
def engine(request: pytest.FixtureRequest) -> engines.Engine:
    """An engine that the test may stop."""
    start: Callable[[], engines.Engine] = request.getfixturevalue(f"start_{request.param}")
    return start()
