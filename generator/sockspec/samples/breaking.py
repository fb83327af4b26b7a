"""Payloads that are just not valid: neighbours of valid ones that break one keyword at one place."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sockspec.samples.judge import Breach, Judge
from sockspec.samples.mutations import neighbours
from sockspec.samples.places import applying

_MOST_LOOKED_AT: Final = 2_000
"""Neighbours that are judged, of one payload."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A payload that the judge refuses because of one keyword at one place."""

    payload: Any
    pointer: str
    """JSON Pointer to what breaks the keyword; to the object where one of its properties is missing or too many."""
    keyword: str


def broken(
    judge: Judge, reference: str, payload: Any, *, other: Callable[[Any], bool] = lambda _: False, most: int = 100
) -> list[Broken]:
    """Neighbours of a valid payload that are invalid by the schema at a reference, at most `most` of them.

    For each keyword at each place of the payload that can be broken without breaking anything elsewhere, one payload.
    `other` says of a payload that it is a valid message of another kind (because what tells messages apart was
    changed); such are left out. Nothing where the schema accepts everything, or the payload is not valid.
    """
    schema = {"$ref": reference} if reference else True
    judge.begin()
    if not judge.accepts(schema, payload):
        return []
    found: dict[tuple[str, str], Broken] = {}
    seen = {_text(payload)}
    for looked, (path, keyword, value) in enumerate(_proposed(judge, schema, payload)):
        if len(found) >= most or looked >= _MOST_LOOKED_AT:
            break
        pointer = "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in path)
        if (pointer, keyword) in found and keyword != "required":
            continue
        changed = _with(payload, path, value)
        text = _text(changed)
        if text in seen or not _breaks(judge.breaches(schema, changed), pointer, keyword) or other(changed):
            continue
        seen.add(text)
        found[pointer, text if keyword == "required" else keyword] = Broken(changed, pointer, keyword)
    return list(found.values())


def _proposed(judge: Judge, schema: Any, payload: Any) -> Iterator[tuple[tuple[str | int, ...], str, Any]]:
    for path, value, parts in applying(judge, schema, payload):
        for part in parts:
            for keyword, neighbour in neighbours(judge, part, value):
                yield path, keyword, neighbour


def _breaks(breaches: tuple[Breach, ...] | None, pointer: str, keyword: str) -> bool:
    """Whether a keyword is broken at a place, and nothing elsewhere."""
    if not breaches:
        return False
    if keyword == "propertyNames":  # of which the judge names only the keyword within
        return all(breach.pointer == pointer for breach in breaches)
    leaves = [set(breach.leaves()) for breach in breaches]
    return all(any(place == pointer for place, _ in found) for found in leaves) and any(
        (pointer, keyword) in found for found in leaves
    )


def _with(payload: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """The payload with another value at a place."""
    if not path:
        return value
    changed = copy.copy(payload)
    changed[path[0]] = _with(payload[path[0]], path[1:], value)
    return changed


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
