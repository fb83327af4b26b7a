"""What the scenarios over processes share: engines that they may stop, and chance that can be had again."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from tests.runtime.backplane import engines
from tests.runtime.backplane.conftest import start_nats as start_nats
from tests.runtime.backplane.conftest import start_redis as start_redis

_VARIABLE = "SOCKSPEC_CHAOS_SEED"


@pytest.fixture
def rng() -> random.Random:
    """Chance, by a seed that is printed when a test fails, and that the environment can set."""
    seed = int(os.environ.get(_VARIABLE) or random.SystemRandom().randrange(2**32))
    print(f"{_VARIABLE}={seed}")
    return random.Random(seed)


@pytest.fixture(params=["redis", "nats"])
def engine(request: pytest.FixtureRequest) -> engines.Engine:
    """An engine of the test's own."""
    start: Callable[[], engines.Engine] = request.getfixturevalue(f"start_{request.param}")
    return start()
