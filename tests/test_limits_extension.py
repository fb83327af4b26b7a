"""The extension `x-limits` has a JSON Schema, which says the same as the reader, and the same defaults as the runtime."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from sockspec.ir import COUNTING_LIMITS
from sockspec.live import imported
from sockspec.pipeline import examine, generate
from sockspec.runtime import Limits
from sockspec.runtime.limits import COUNTING
from sockspec.spec.limits import KNOWN

ROOT = Path(__file__).parents[1]
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "x-limits.schema.json").read_text(encoding="utf-8"))
DEFAULTS = {field.name: field.default for field in fields(Limits)}
VALUES: list[Any] = [1, 0, -1, 1.5, 2.0, 0.25, True, None, "1", [1], {}]


def option(name: str) -> str:
    """`maxMessage` as `max_message`."""
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), name)


def test_the_schema_the_reader_and_the_runtime_have_the_same_members_and_defaults() -> None:
    assert set(SCHEMA["properties"]) == set(KNOWN)
    assert {option(name): one.get("default") for name, one in SCHEMA["properties"].items()} == DEFAULTS
    assert [option(name) for name in COUNTING_LIMITS] == list(COUNTING)


def refused_by_reader(limits: object, place: str, folder: Path) -> bool:
    """Whether the generator finds fault with limits in that place of a document."""
    channel: dict[str, Any] = {"address": "/room", "messages": {"hello": {"payload": {"type": "object"}}}}
    document: dict[str, Any] = {
        "asyncapi": "3.0.0",
        "info": {"title": "A", "version": "1"},
        "channels": {"room": channel},
    }
    (document if place == "root" else channel)["x-limits"] = limits
    path = folder / "document.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    _, report = examine(path, name=path.name)
    return any(one.code.id == "limit-invalid" for one in report)


@pytest.mark.parametrize("place", ["root", "endpoint"])
@pytest.mark.parametrize("name", [*KNOWN, "maxMesage"])
def test_the_schema_and_the_reader_have_the_same_verdict(name: str, place: str, tmp_path: Path) -> None:
    registry: Registry[Any] = Registry().with_resource("urn:x-limits", Resource.from_contents(SCHEMA))
    fragment = "" if place == "root" else "#/$defs/endpoint"
    validator = Draft202012Validator({"$ref": f"urn:x-limits{fragment}"}, registry=registry)
    for value in VALUES:
        assert validator.is_valid({name: value}) is not refused_by_reader({name: value}, place, tmp_path), value


def test_limits_are_an_object() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert not Draft202012Validator(SCHEMA).is_valid(5)
    assert "x-limits.schema.json" in (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")


def test_a_generated_endpoint_counts_by_the_limits_that_it_has_of_its_own(tmp_path: Path) -> None:
    hello = {"hello": {"payload": {"type": "object"}}}
    channels = {
        "one": {"address": "/one", "messages": hello, "x-limits": {"maxConnections": 2, "maxMessage": 100}},
        "again": {"address": "/one", "messages": hello, "x-limits": {"maxConnections": 9, "connectionBurst": 3}},
        "other": {"address": "/other", "messages": hello, "x-limits": {"maxMessage": 100}},
        "plain": {"address": "/plain", "messages": hello},
    }
    root = {"maxConnections": 5, "maxFaults": 7}
    document = {"asyncapi": "3.0.0", "info": {"title": "A", "version": "1"}, "x-limits": root, "channels": channels}
    path = tmp_path / "document.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    api, _ = examine(path, name=path.name)
    assert api is not None
    with imported(generate(api, path.name)) as package:
        server = package.AServer
        found = {route.path: (route.limits, route.counted) for route in server.routes}
    assert server.limits == Limits(max_connections=5, max_faults=7)
    one = Limits(max_connections=2, max_faults=7, max_message=100, connection_burst=3)
    assert found == {
        "/one": (one, ("max_connections", "connection_burst")),
        "/other": (Limits(max_connections=5, max_faults=7, max_message=100), ()),
        "/plain": (None, ()),
    }
