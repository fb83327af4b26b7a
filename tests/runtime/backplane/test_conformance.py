"""All backplanes keep to the same things."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from sockspec.runtime.backplane import conformance
from sockspec.runtime.backplane.line import Backplane
from sockspec.runtime.backplane.memory import MemoryBackplane


def _memory(request: pytest.FixtureRequest) -> Backplane:
    return MemoryBackplane()


@pytest.fixture(params=[_memory], ids=["memory"])
def backplane(request: pytest.FixtureRequest) -> Backplane:
    """One on which nothing was done before."""
    make: Callable[[pytest.FixtureRequest], Backplane] = request.param
    return make(request)


@pytest.mark.parametrize("check", conformance.CHECKS, ids=conformance.sentence)
def test_it_keeps_to(backplane: Backplane, check: conformance.Check) -> None:
    asyncio.run(conformance.run(check, backplane))
