"""Text into plain JSON values, more strictly than `json.loads`, for payloads that the typed decoder does not take."""

from __future__ import annotations

import json
import math
import re
from typing import Final, NoReturn

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET: Final = re.compile(r"[\[\]{}]")


class NotJson(ValueError):
    """The text is not JSON that every peer reads the same way; says why."""


def nested_deeper(text: str, limit: int) -> bool:
    """Whether objects and arrays are nested deeper than the limit."""
    if text.count("{") + text.count("[") <= limit:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        if bracket in "[{":
            depth += 1
            if depth > limit:
                return True
        else:
            depth -= 1
    return False


def parse(text: str) -> object:
    """The value of a JSON text (RFC 8259). Raises NotJson, also for numbers and strings that cannot be carried on."""
    try:
        value: object = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise NotJson(f"not JSON: {error.msg.lower()} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except NotJson:
        raise
    except ValueError:
        raise NotJson("a number has too many digits") from None
    if "\\u" in text:
        _no_lone_surrogates(value)
    return value


def plain(frame: str | bytes) -> object:
    """The value of a frame that is JSON, else the frame itself."""
    if isinstance(frame, bytes):
        return frame
    try:
        return parse(frame)
    except NotJson:
        return frame


def _no_constant(name: str) -> NoReturn:
    raise NotJson(f"not JSON: {name} is not a number of JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise NotJson("a number is out of range")
    return number


def _no_lone_surrogates(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise NotJson("a string has half of a surrogate pair") from None
