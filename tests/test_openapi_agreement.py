"""Our verdict on OpenAPI documents beside that of `openapi-spec-validator`: what it refuses, we refuse."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, OpenAPIV32SpecValidator

from sockspec.diagnostics import Severity
from sockspec.pipeline import check
from sockspec.rules.correctness.composition import REQUIRED_UNDECLARED

SOUND: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Rooms", "version": "1.0.0"},
    "tags": [{"name": "chat"}, {"name": "rooms"}],
    "servers": [{"url": "wss://{region}.example.com", "variables": {"region": {"default": "eu", "enum": ["eu", "us"]}}}],
    "paths": {
        "/rooms/{room}": {
            "parameters": [{"$ref": "#/components/parameters/room"}],
            "get": {
                "operationId": "connect",
                "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "default": 20}}],
                "responses": {"101": {"description": "Switching protocols"}, "400": {"$ref": "#/components/responses/Bad"}},
            },
        },
        "/rooms": {
            "post": {
                "operationId": "open",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Room"}}}},
                "responses": {"201": {"description": "Opened"}},
            }
        },
    },
    "components": {
        "parameters": {"room": {"name": "room", "in": "path", "required": True, "schema": {"type": "string"}}},
        "responses": {
            "Bad": {
                "description": "Bad",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
        },
        "schemas": {
            "Room": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "minLength": 1, "default": "lobby"},
                    "kind": {"enum": ["open", "closed"], "default": "open"},
                    "size": {"oneOf": [{"type": "integer", "minimum": 1}, {"type": "null"}], "default": 3},
                },
                "allOf": [{"$ref": "#/components/schemas/Named"}],
            },
            "Named": {"type": "object", "properties": {"title": {"type": "string", "examples": ["a"]}}},
            "Problem": {"type": "object", "properties": {"type": {"type": "string", "format": "uri"}}},
        },
    },
}  # fmt: skip

VALUES: tuple[Any, ...] = (5, "text", None, [], {}, True, ["text"])


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values in one, but the root."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def changed(path: tuple[Any, ...], value: Any, *, rename: bool = False, drop: bool = False) -> Any:
    """The sound document with another value in a place, or with a key renamed or left out."""
    whole = copy.deepcopy(SOUND)
    here: Any = whole
    for key in path[:-1]:
        here = here[key]
    if drop:
        del here[path[-1]]
    elif rename:
        here[f"{path[-1]}x"] = here.pop(path[-1])
    else:
        here[path[-1]] = value
    return whole


def mutations() -> Iterator[tuple[str, Any]]:
    """Documents with one change each, by what was changed."""
    for path in places(SOUND):
        where = "/".join(map(str, path))
        yield f"{where} is left out", changed(path, None, drop=True)
        if isinstance(path[-1], str):
            yield f"{where} has another name", changed(path, None, rename=True)
        for value in VALUES:
            yield f"{where} is {value!r}", changed(path, value)


def is_refused(value: Any) -> bool:
    """Their verdict."""
    validator = OpenAPIV32SpecValidator if str(value.get("openapi")).startswith("3.2") else OpenAPIV31SpecValidator
    try:
        return next(iter(validator(value).iter_errors()), None) is not None
    except Exception:  # it stops where a reference is broken, and in other places
        return True


def is_refused_here(folder: Path, value: Any) -> bool:
    """Our verdict. Of required properties that are not declared they say an error, and we a warning."""
    path = folder / "document.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    found = check(path)[1].sorted()
    return any(one.severity is Severity.ERROR or one.code is REQUIRED_UNDECLARED for one in found)


OURS = {
    "servers/0/variables": "a variable of a URL that is not described, and a default that its `enum` does not have",
    "paths//rooms/post/requestBody/content/application/json/schema/$ref": "a reference that leads nowhere",
    "components/schemas/Room ": "a reference that leads nowhere",
    "components/schemas/Named/properties/title/examples": "an example that its schema refuses",
}
"""What we refuse and they do not, by where the change is."""


@pytest.mark.parametrize("third", range(3))
def test_what_the_validator_refuses_is_refused(tmp_path: Path, third: int) -> None:
    assert not is_refused(SOUND)
    assert not is_refused_here(tmp_path, SOUND)
    some = [each for number, each in enumerate(mutations()) if number % 9 == third * 3]
    verdicts = {what: (is_refused(value), is_refused_here(tmp_path, value)) for what, value in some}
    assert len(verdicts) >= 100
    assert [what for what, (theirs, ours) in verdicts.items() if theirs and not ours] == []
    alone = [what for what, (theirs, ours) in verdicts.items() if ours and not theirs]
    assert [what for what in alone if not what.startswith(tuple(OURS))] == []
