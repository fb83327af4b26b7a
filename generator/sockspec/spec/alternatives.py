"""Which of the alternatives of `anyOf` and `oneOf` was meant by a payload that fits none of them."""

from __future__ import annotations

from typing import Any

from sockspec.spec.structure import comparable
from sockspec.spec.text import Json


def cause(error: Any) -> tuple[Any | None, int]:
    """The error to tell of in place of one that only says that no alternative fits, and how many others there were.

    It is of the alternative that was meant: the one whose types and constants the value has, or else the one that it
    comes nearest to. None where that cannot be told.
    """
    if error.validator not in ("anyOf", "oneOf") or not error.context:
        return None, 0
    found = branches(error)
    fitting = [errors for errors in found if not any(is_own(one, "type") for one in errors)]
    tagged = [errors for errors in fitting if not any(_is_of_tag(one) for one in errors)]
    if not tagged:
        return _tag(fitting) if fitting else None, 0
    if len(tagged) > 1 and all(len(errors) == 1 and is_own(errors[0], "required") for errors in tagged):
        return None, 0
    least = min(len(errors) for errors in tagged)
    nearest_ones = [errors for errors in tagged if len(errors) == least]
    chosen = max(nearest_ones, key=lambda errors: max(len(one.relative_path) for one in errors))
    if (
        len(tagged) > 1
        and not chosen[0].relative_path
        and chosen[0].validator not in ("required", "additionalProperties")
    ):
        return None, 0
    return chosen[0], len(tagged) - 1


def _tag(fitting: list[list[Any]]) -> Any | None:
    """An error about the constant that tells alternatives apart, with the values that all of them have for it."""
    found: dict[tuple[Any, ...], list[Any]] = {}
    for errors in fitting:
        for one in errors:
            if _is_of_tag(one):
                found.setdefault(tuple(one.relative_path), []).append(one)
                break
    errors = max(found.values(), key=len)
    if len(errors) < len(fitting) or not errors:
        return None
    allowed = [value for one in errors for value in _allowed(one)]
    return _Merged(errors[0], allowed)


class _Merged:
    """The error of one alternative's constant as that of all of them."""

    def __init__(self, error: Any, allowed: list[Json]) -> None:
        self.absolute_path = error.absolute_path
        self.absolute_schema_path = error.absolute_schema_path
        self.instance: Json = error.instance
        self.schema: dict[str, Any] = {}
        self.message = ""
        self.context: list[Any] = []
        self.validator = "enum"
        self.validator_value = [*{comparable(value): value for value in allowed}.values()]


def _allowed(error: Any) -> list[Json]:
    value: Any = error.validator_value
    return value if error.validator == "enum" and isinstance(value, list) else [value]


def branches(error: Any) -> list[list[Any]]:
    """The errors of each alternative."""
    found: dict[object, list[Any]] = {}
    for each in error.context:
        # A branch that is `false` has no number in its error.
        number = each.relative_schema_path[0] if each.relative_schema_path else id(each)
        found.setdefault(number, []).append(each)
    return [*found.values()]


def is_own(error: Any, keyword: str) -> bool:
    """Whether it is about the value itself and not about a part of it."""
    return error.validator == keyword and not error.relative_path


def _is_of_tag(error: Any) -> bool:
    return error.validator in ("const", "enum") and len(error.relative_path) <= 1
