"""What every backplane keeps to, as checks to run over one: for ours, and for whoever writes another.

    import asyncio
    import pytest
    from sockspec.runtime.backplane import conformance

    @pytest.mark.parametrize("check", conformance.CHECKS, ids=conformance.sentence)
    def test_our_backplane_keeps_to_it(check: conformance.Check) -> None:
        asyncio.run(conformance.run(check, OurBackplane("somewhere", prefix=conformance.unused())))

Each check is given a backplane of its own on which nothing was done before: another prefix, or another database. The engine
itself may be shared, also by checks that run at the same time. Checks are plain functions with `assert`;
`pytest.register_assert_rewrite("sockspec.runtime.backplane.conformance")` in a conftest makes them say more when they fail.

`FORGETTING` has the checks for engines that can lose everything. They need a function that makes it so.
"""

from __future__ import annotations

from typing import Final

from sockspec.runtime.backplane.conformance import kept, lines, names, records, renouncing, streams
from sockspec.runtime.backplane.conformance.fleet import Check, Fleet, Forget, Inbox, Member, run, sentence, unused
from sockspec.runtime.backplane.conformance.forgetting import FORGETTING, ForgettingCheck, run_forgetting

CHECKS: Final[tuple[Check, ...]] = (
    *streams.CHECKS,
    *renouncing.CHECKS,
    *names.CHECKS,
    *records.CHECKS,
    *kept.CHECKS,
    *lines.CHECKS,
)
"""All that a backplane keeps to."""

__all__ = [
    "CHECKS",
    "FORGETTING",
    "Check",
    "Fleet",
    "Forget",
    "ForgettingCheck",
    "Inbox",
    "Member",
    "run",
    "run_forgetting",
    "sentence",
    "unused",
]
