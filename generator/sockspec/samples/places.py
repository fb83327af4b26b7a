"""The places of a payload, each with the schemas that it is held to."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sockspec.samples import expressions
from sockspec.samples.judge import Judge

Path = tuple[str | int, ...]

_MOST_PLACES: Final = 500
_MOST_PARTS: Final = 100


def applying(judge: Judge, schema: Mapping[str, Any] | bool, payload: Any) -> Iterator[tuple[Path, Any, list[Any]]]:
    """Each place of a valid payload with its value and the schemas that hold there, the outermost first.

    Of alternatives, those count that accept the value. A payload has at most so many places that are looked at.
    """
    waiting: deque[tuple[Path, Any, list[Any]]] = deque([((), payload, [schema])])
    places = 0
    while waiting and places < _MOST_PLACES:
        path, value, schemas = waiting.popleft()
        parts = _parts(judge, schemas, value)
        places += 1
        yield path, value, parts
        if isinstance(value, dict):
            waiting.extend(((*path, name), inner, _of_member(parts, name)) for name, inner in value.items())
        elif isinstance(value, list):
            waiting.extend(((*path, at), inner, _of_item(parts, at)) for at, inner in enumerate(value))


def _parts(judge: Judge, schemas: list[Any], value: Any) -> list[Mapping[str, Any]]:
    """The schemas that hold for a value: those given, and those that they lead to at the same place."""
    found: list[Mapping[str, Any]] = []
    waiting = list(schemas)
    while waiting and len(found) < _MOST_PARTS:
        schema = waiting.pop(0)
        if not isinstance(schema, Mapping) or any(schema is other for other in found):
            continue
        found.append(schema)
        if isinstance(schema.get("$ref"), str):
            try:
                waiting.append(judge.resolve(schema["$ref"]))
            except (KeyError, IndexError, ValueError, TypeError):
                continue
            if not judge.siblings_apply:
                continue
        waiting += _led_to(judge, schema, value)
    return found


def _led_to(judge: Judge, schema: Mapping[str, Any], value: Any) -> Iterator[Any]:
    yield from schema.get("allOf", ())
    for keyword in ("anyOf", "oneOf"):
        yield from (branch for branch in schema.get(keyword, ()) if judge.accepts(branch, value))
    if "if" in schema:
        yield schema.get("then" if judge.accepts(schema["if"], value) else "else", True)
    if isinstance(value, dict):
        for keyword in ("dependencies", "dependentSchemas"):
            for name, needs in schema.get(keyword, {}).items():
                if name in value and not isinstance(needs, list):
                    yield needs


def _of_member(parts: list[Mapping[str, Any]], name: str) -> list[Any]:
    found: list[Any] = []
    for part in parts:
        own = [part["properties"][name]] if name in part.get("properties", {}) else []
        own += [schema for pattern, schema in part.get("patternProperties", {}).items() if _matches(pattern, name)]
        if not own and "additionalProperties" in part:
            own = [part["additionalProperties"]]
        found += own
    return found


def _matches(pattern: str, name: str) -> bool:
    try:
        return expressions.matches(pattern, name)
    except ValueError:
        return False


def _of_item(parts: list[Mapping[str, Any]], at: int) -> list[Any]:
    found: list[Any] = []
    for part in parts:
        listed = part.get("prefixItems", part.get("items"))
        if isinstance(listed, list) and at < len(listed):
            found.append(listed[at])
        else:
            found.append(part.get("additionalItems" if isinstance(part.get("items"), list) else "items", True))
    return found
