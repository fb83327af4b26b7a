"""JSON text (RFC 8259) to values and places."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sockspec.diagnostics import Report
from sockspec.spec.json_scanner import INVALID_JSON, scan
from sockspec.spec.text import MAX_DEPTH, MAX_DIGITS, Json, Marks, Text, Unreadable

_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
_PIECE = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]|[^\s,:\[\]{}"]++')


def read(text: Text, report: Report) -> tuple[Json, Callable[[], Marks]]:
    """The value of a text, and a way to find where its parts stand, which takes longer than reading.

    Repeated keys are reported. Raises Unreadable where the text has no value.
    """
    repeated = False

    def mapping(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        nonlocal repeated
        found = dict(pairs)
        repeated = repeated or len(found) != len(pairs)
        return found

    try:
        value: Json = json.loads(
            text.characters,
            object_pairs_hook=mapping,
            parse_constant=_constant,
            parse_float=_number,
            parse_int=_integer,
        )
    except (RecursionError, ValueError) as error:
        scan(text, None, report)
        offset = error.pos if isinstance(error, json.JSONDecodeError) else 0
        raise Unreadable(INVALID_JSON.at(text.place(offset), f"this is not JSON: {error}")) from None
    if repeated or _too_deep(value) or _HALF_PAIR.search(text.characters):
        marks = scan(text, value, report)
        return value, lambda: marks
    return value, lambda: _marks(text, value)


def _constant(word: str) -> Json:
    raise ValueError(f"{word} is no value of JSON")


def _number(written: str) -> float:
    value = float(written)
    if math.isinf(value):
        raise ValueError("a number is out of range")
    return value


def _integer(written: str) -> int:
    if len(written) > MAX_DIGITS:
        raise ValueError("a number is out of range")
    return int(written)


def _too_deep(value: Json) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for container in level
            if isinstance(container, (dict, list))
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


@dataclass(slots=True)
class _Open:
    """A container whose end has not come yet, the values in it that are still to come, and the places so far."""

    value: dict[str, Json] | list[Json]
    coming: Iterator[Json]
    is_mapping: bool
    offsets: list[int] = field(default_factory=list[int])


def _marks(text: Text, value: Json) -> Marks:
    """Where the parts of a value stand in a text that is JSON and repeats no key."""
    marks = Marks()
    characters = text.characters
    top = _Open([value], iter((value,)), is_mapping=False)
    outer: list[_Open] = []
    for piece in _PIECE.finditer(characters):
        offset = piece.start()
        if characters[offset] in "}]":
            marks.note(top.value, top.offsets)
            top = outer.pop()
            continue
        top.offsets.append(offset)
        if top.is_mapping and len(top.offsets) % 2:
            continue  # the key; its value comes next
        child = next(top.coming)
        if isinstance(child, dict):
            outer.append(top)
            top = _Open(child, iter(child.values()), is_mapping=True)
        elif isinstance(child, list):
            outer.append(top)
            top = _Open(child, iter(child), is_mapping=False)
    marks.root = top.offsets[0]
    return marks
