"""What sending fills in where it was left out."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec import UNSET, UnsetType

M = TypeVar("M", bound=msgspec.Struct)
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


def message_of(
    kind: type[M],
    message: M | None,
    fields: Mapping[str, Any],
    *,
    timestamps: Collection[str] = (),
    identifiers: Collection[str] = (),
) -> M:
    """The message, or one made of its fields: what methods that take either call.

    `timestamps` and `identifiers` are the members that are filled in where they are left out. A field whose name is none
    of a member's has an underscore behind it, since the name meant something else. Raises TypeError for both, for a
    message of another class, and for fields that are missing or unknown.
    """
    if message is not None:
        if fields or not isinstance(message, kind):
            raise TypeError(f"expected a {kind.__name__} or its fields")
        return message
    members = kind.__struct_fields__
    values = {
        name if name in members else name.removesuffix("_"): value
        for name, value in fields.items()
        if value is not UNSET
    }
    for name in timestamps:
        values.setdefault(name, now())
    for name in identifiers:
        if name not in values:
            values[name] = identified(UNSET)
    return kind(**values)


def payload_of(kind: Callable[..., M], payload: object) -> M:
    """The message, or one made of its payload, where that has no members of its own."""
    return payload if isinstance(payload, cast("type[M]", kind)) else kind(payload)
