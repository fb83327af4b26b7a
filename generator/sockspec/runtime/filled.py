"""What sending fills in where it was left out."""

from __future__ import annotations

import datetime as dt
import os
from typing import Final

from msgspec import UNSET, UnsetType

_now: Final = dt.datetime.now
_UTC: Final = dt.UTC


def now() -> dt.datetime:
    """The present time in UTC."""
    return _now(_UTC)


def stamped(timestamp: dt.datetime | UnsetType) -> dt.datetime:
    """The timestamp, or the present time in UTC where it was left out."""
    return _now(_UTC) if timestamp is UNSET else timestamp


def identified(identifier: str | UnsetType) -> str:
    """The correlation id, or a fresh one where it was left out."""
    return os.urandom(16).hex() if identifier is UNSET else identifier
