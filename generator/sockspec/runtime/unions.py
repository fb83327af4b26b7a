"""Types that msgspec cannot decode by itself: alternatives tried in order, and arrays whose end is open."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec


class _StandIn(type):
    """The class of stand-ins; any value passes for an instance, since the decoder hook has checked it."""

    alternatives: Callable[[], tuple[Any, ...]]
    items: Callable[[], list[Any]] | None
    rest: Callable[[], Any]

    def __instancecheck__(cls, instance: object) -> bool:
        return True


def one_of(alternatives: Callable[[], tuple[Any, ...]]) -> Any:
    """A type whose values are of the first alternative that takes them."""
    return _StandIn("OneOf", (), {"alternatives": staticmethod(alternatives), "items": None})


def open_tuple(items: Callable[[], list[Any]], rest: Callable[[], Any]) -> Any:
    """A type whose values are tuples of these items and any number of the rest after them."""
    return _StandIn("OpenTuple", (), {"items": staticmethod(items), "rest": staticmethod(rest)})


def types_at(target: type, value: object) -> tuple[Any, ...] | None:
    """The type for each item of an open tuple; None for another type, or a value that is too short for it."""
    if not isinstance(target, _StandIn) or target.items is None or not isinstance(value, list):
        return None
    items = target.items()
    return (*items, *((target.rest(),) * (len(value) - len(items)))) if len(value) >= len(items) else None


def stand_in_types(target: type) -> tuple[Any, ...]:
    """The types of the items of an open tuple, and that of the rest; none for another type."""
    return () if not isinstance(target, _StandIn) or target.items is None else (*target.items(), target.rest())


def alternatives_of(target: type) -> tuple[Any, ...]:
    """The alternatives of a stand-in for a union; none for another type."""
    return target.alternatives() if isinstance(target, _StandIn) and target.items is None else ()


def decode_hook(target: type, value: object) -> object:
    """What msgspec calls for a type that it does not know: the value as the stand-in's types say."""
    if not isinstance(target, _StandIn):
        raise ValueError(f"{target.__name__} has no values")
    types = types_at(target, value)
    if types is not None and isinstance(value, list):
        return tuple(msgspec.convert(one, of, dec_hook=decode_hook) for one, of in zip(value, types, strict=True))
    for alternative in alternatives_of(target):
        try:
            return as_alternative(value, alternative)
        except msgspec.ValidationError:
            continue
    raise ValueError("fits none of the alternatives")


def as_alternative(value: object, alternative: Any) -> object:
    """The value as one alternative of a union. Raises ValidationError where it is none."""
    found: object = msgspec.convert(value, alternative, dec_hook=decode_hook)
    # msgspec makes decimals of numbers, too, and of `NaN`: those a later alternative may take.
    if isinstance(found, Decimal) and not (isinstance(value, str) and found.is_finite()):
        raise msgspec.ValidationError("expected a text of decimal digits")
    return found
