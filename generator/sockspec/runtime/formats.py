"""The one definition of the formats that payloads are held to.

A format is what the typed decoder makes of it: a `date-time` is a text that msgspec reads as a `datetime` with an
offset, and so on. The validator uses the same definition, so that both give one verdict. Formats that are not listed here only
describe a value and never make a payload invalid.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

import msgspec

DateTime = Annotated[dt.datetime, msgspec.Meta(tz=True)]
"""A point in time (RFC 3339, section 5.6): date, time and offset."""


def _decodes_as(target: object) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            msgspec.convert(text, target)
        except msgspec.ValidationError:
            return False
        return True

    return check


def _is_decimal(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "date-time": _decodes_as(DateTime),
    "date": _decodes_as(dt.date),
    "time": _decodes_as(dt.time),
    "uuid": _decodes_as(uuid.UUID),
    "byte": _decodes_as(bytes),
    "decimal": _is_decimal,
}
"""Whether a text is of the format, by the format's name."""
