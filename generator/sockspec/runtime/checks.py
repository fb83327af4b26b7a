"""Checks of options when they are made: a wrong one is an error there, and not a surprise when it first matters."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, get_args


def choices(options: object, **kinds: Any) -> None:
    """Options that are one of the texts of a Literal. Raises ValueError with the nearest of them."""
    for name, kind in kinds.items():
        value, known = getattr(options, name), get_args(kind)
        if value not in known:
            raise ValueError(f"{name}={value!r} is none of {', '.join(map(repr, known))}{_hint(value, known)}")


def above_zero(options: object, *names: str) -> None:
    """Options that are a number above zero, or None where that is their default. Raises ValueError."""
    for name in names:
        value = getattr(options, name)
        if not ((_is_number(value) and value > 0) or (value is None and _may_be_none(options, name))):
            raise ValueError(f"{name}={value!r} is no number above 0{_instead(options, name)}")


def at_least_zero(options: object, *names: str) -> None:
    """Options that are zero or a number above. Raises ValueError."""
    for name in names:
        value = getattr(options, name)
        if not (_is_number(value) and value >= 0):
            raise ValueError(f"{name}={value!r} is no number from 0 on")


def whole(options: object, *names: str) -> None:
    """Options that are a whole number above zero, or None where they may be. Raises ValueError."""
    for name in names:
        value = getattr(options, name)
        is_whole = isinstance(value, int) and not isinstance(value, bool) and value > 0
        if not (is_whole or (value is None and _may_be_none(options, name))):
            raise ValueError(f"{name}={value!r} is no whole number above 0{_instead(options, name)}")


def of_kind(options: object, name: str, kinds: tuple[type, ...], example: str) -> None:
    """An option that is of one of these classes. Raises ValueError with an example."""
    value = getattr(options, name)
    if not isinstance(value, kinds):
        raise ValueError(f"{name}={value!r} is none: it has to be {example}")


def texts(options: object, *names: str) -> None:
    """Options that are several texts, of which one alone is a frequent slip. Raises ValueError."""
    for name in names:
        value = getattr(options, name)
        if isinstance(value, str):
            raise ValueError(f"{name}={value!r} has to be several texts: write ({value!r},)")
        if value is not None and not all(isinstance(one, str) for one in value):
            raise ValueError(f"{name}={value!r} has to be several texts")


def starting_with(options: object, name: str, start: str) -> None:
    """An option that is several texts that begin alike. Raises ValueError."""
    for text in getattr(options, name):
        if not text.startswith(start):
            raise ValueError(f"{text!r} in {name} has to begin with {start!r}: {start + text!r}")


def origins(options: object, name: str) -> None:
    """An option that is what browsers send as `Origin` (RFC 6454, section 6.2), or None. Raises ValueError."""
    for text in getattr(options, name) or ():
        scheme, separator, host = text.partition("://")
        if (text != "null" and not (scheme and separator and host)) or "/" in host or "*" in host:
            raise ValueError(f"{text!r} in {name} is no origin; something like 'https://chat.example.com' was expected")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _may_be_none(options: object, name: str) -> bool:
    return "None" in str(getattr(type(options), "__annotations__", {}).get(name, ""))


def _instead(options: object, name: str) -> str:
    return "; None means no limit" if _may_be_none(options, name) else ""


def _hint(written: object, known: Iterable[str]) -> str:
    import difflib  # for errors only

    near = difflib.get_close_matches(str(written), known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
