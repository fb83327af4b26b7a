"""All backplanes keep to the same things."""

from __future__ import annotations

import asyncio

import pytest

from sockspec.runtime.backplane import conformance
from sockspec.runtime.backplane.line import Backplane


@pytest.mark.parametrize("check", conformance.CHECKS, ids=conformance.sentence)
def test_it_keeps_to(backplane: Backplane, check: conformance.Check) -> None:
    asyncio.run(conformance.run(check, backplane))
