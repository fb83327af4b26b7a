"""What came of a rule."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Outcome(enum.Enum):
    """How it ended. What could not be tried is told, and is no failure."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """One rule, tried once."""

    rule: str
    channel: str
    subject: str
    """What it was tried with: a message, or a message and the place that was broken; empty for the channel itself."""
    outcome: Outcome
    detail: str = ""
    """What was expected and what came, or why it was skipped."""
    payload: str = ""
    """The frame that was sent, where the rule failed; a long one is cut."""
