"""Unions that msgspec cannot decode by itself: alternatives tried in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec


class _OneOf(type):
    """The class of stand-ins for a union; any value passes for an instance, since the decoder hook has checked it."""

    alternatives: Callable[[], tuple[Any, ...]]

    def __instancecheck__(cls, instance: object) -> bool:
        return True


def one_of(alternatives: Callable[[], tuple[Any, ...]]) -> Any:
    """A type whose values are of the first alternative that takes them."""
    return _OneOf("OneOf", (), {"alternatives": staticmethod(alternatives)})


def decode_hook(target: type, value: object) -> object:
    """What msgspec calls for a type that it does not know: the value as the first alternative that takes it."""
    if not isinstance(target, _OneOf):
        raise ValueError(f"{target.__name__} has no values")
    for alternative in target.alternatives():
        try:
            return msgspec.convert(value, alternative, dec_hook=decode_hook)
        except msgspec.ValidationError:
            continue
    raise ValueError("fits none of the alternatives")
