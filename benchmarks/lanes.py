"""Larger payloads through each lane, beside bare msgspec, pydantic, and json with jsonschema."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pydantic

from tests.payloads import api_of, package_of

_LEVEL: dict[str, Any] = {"type": "array", "items": [{"type": "string"}, {"type": "string"}], "minItems": 2}
_BOOK: dict[str, Any] = {
    "type": "object",
    "required": ["type", "bids", "asks"],
    "properties": {
        "type": {"const": "book"},
        "bids": {"type": "array", "items": {**_LEVEL, "additionalItems": False}},
        "asks": {"type": "array", "items": {**_LEVEL, "additionalItems": False}},
    },
}
_DEEP: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "inner": {"$ref": "#/components/schemas/Deep"}},
}


class _PydanticBook(pydantic.BaseModel):
    type: str
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class _PydanticDeep(pydantic.BaseModel):
    name: str
    inner: _PydanticDeep | None = None


def run() -> Iterator[str]:
    """Microseconds a payload, in turns, for each schema and lane."""
    levels = [[f"{price}.50", "1.25"] for price in range(50)]
    book = json.dumps({"type": "book", "bids": levels, "asks": levels})
    deep: dict[str, Any] = {"name": "end"}
    for _ in range(50):
        deep = {"name": "level", "inner": deep}
    yield from _measured("an order book of 100 levels", _BOOK, book, _PydanticBook)
    yield from _measured("objects nested 50 deep", _DEEP, json.dumps(deep), _PydanticDeep)


def _measured(what: str, schema: dict[str, Any], text: str, model: type[pydantic.BaseModel]) -> Iterator[str]:
    components = {"Deep": _DEEP}
    with tempfile.TemporaryDirectory() as folder:
        typed: Any = _codec(Path(folder), schema, components)
        # `not` says nothing that this payload breaks, and puts the message into the other lane.
        checked: Any = _codec(Path(folder), {**schema, "not": {"required": ["never"]}}, components)
        message = type(typed.decode(text))
        bundle = {**schema, "components": {"schemas": components}}
        validator = jsonschema.Draft7Validator(bundle)
        contenders: dict[str, Callable[[], Any]] = {
            "msgspec, bare typed decode": lambda: msgspec.json.decode(text, type=message),
            "sockspec, typed lane": lambda: typed.decode(text),
            "sockspec, checked lane": lambda: checked.decode(text),
            "pydantic 2": lambda: model.model_validate_json(text),
            "json + jsonschema": lambda: validator.validate(json.loads(text)),
        }
        times = {name: _best(call) for name, call in contenders.items()}
    yield f"  {what}: {len(text)} bytes, lanes {typed.examine(text).lane} and {checked.examine(text).lane}"
    for name, seconds in times.items():
        yield (
            f"  {name:34} {seconds * 1e6:8.1f} µs  {seconds / times['msgspec, bare typed decode']:7.2f} × msgspec"
            f"  {times['json + jsonschema'] / seconds:7.1f} × faster than jsonschema"
        )


def _codec(folder: Path, schema: dict[str, Any], components: dict[str, Any]) -> Any:
    return package_of(folder, api_of(folder, {"Payload": schema}, components)[0]).codecs.ALL_FROM_CLIENT


def _best(call: Callable[[], Any], rounds: int = 5) -> float:
    best, calls = float("inf"), 1
    for _ in range(rounds):
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        spent = time.perf_counter() - begin
        best = min(best, spent / calls)
        calls = max(calls, min(2_000, int(0.05 / best)))
    return best
