"""What sending fills in where it was left out."""

from __future__ import annotations

import datetime as dt
import os

from msgspec import UNSET, UnsetType


def now() -> dt.datetime:
    """The present time in UTC."""
    return dt.datetime.now(dt.UTC)


def stamped(timestamp: dt.datetime | UnsetType) -> dt.datetime:
    """The timestamp, or the present time in UTC where it was left out."""
    return now() if timestamp is UNSET else timestamp


def identified(identifier: str | UnsetType) -> str:
    """The correlation id, or a fresh one where it was left out."""
    return os.urandom(16).hex() if identifier is UNSET else identifier
