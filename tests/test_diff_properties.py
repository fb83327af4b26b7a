"""What holds of any two or three versions of an API."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sockspec import ir, python
from sockspec.diagnostics import Severity
from sockspec.diff import Category, Change, compare
from sockspec.diff.schemas import KINDS
from sockspec.live import imported
from sockspec.pipeline import examine, generate
from sockspec.runtime import PayloadError
from sockspec.samples import Judge, valid

ROOT = Path(__file__).parents[1]
SPECS = sorted((ROOT / "specs").glob("*.yaml"))

Document = dict[str, Any]
Feature = Callable[[Document], None]


def message(tag: str, **properties: object) -> Document:
    """A message with a tag, and optional properties."""
    tagged = {"type": {"const": tag}, **properties}
    return {"name": tag, "payload": {"type": "object", "required": ["type"], "properties": tagged}}


BASE: Document = {
    "asyncapi": "3.0.0",
    "info": {"title": "Rooms", "version": "1.0.0"},
    "servers": {"production": {"host": "rooms.example.com", "protocol": "wss"}},
    "channels": {
        "room": {
            "address": "/rooms/{room}",
            "parameters": {"room": {}},
            "messages": {
                "Say": message("say", text={"type": "string", "maxLength": 20}, tone={"enum": ["calm", "loud"]}),
                "Said": message("said", text={"type": "string", "maxLength": 20}, tone={"enum": ["calm", "loud"]}),
            },
        }
    },
    "operations": {},
}


def payload(doc: Document, name: str) -> Document:
    """The schema of a message."""
    found: Document = doc["channels"]["room"]["messages"][name]["payload"]
    return found


def another_message(name: str, action: str) -> Feature:
    def add(doc: Document) -> None:
        doc["channels"]["room"]["messages"][name] = message(name.lower())
        operation(name, action)(doc)

    return add


def operation(name: str, action: str) -> Feature:
    def add(doc: Document) -> None:
        reference = {"$ref": f"#/channels/room/messages/{name}"}
        doc["operations"][name] = {"action": action, "channel": {"$ref": "#/channels/room"}, "messages": [reference]}

    return add


def schema(name: str, edit: Callable[[Document], object]) -> Feature:
    def change(doc: Document) -> None:
        edit(payload(doc, name))

    return change


def query(name: str, *, required: bool) -> Feature:
    def add(doc: Document) -> None:
        bindings = doc["channels"]["room"].setdefault("bindings", {"ws": {"query": {"type": "object"}}})
        bindings["ws"]["query"].setdefault("properties", {})[name] = {"type": "string"}
        if required:
            bindings["ws"]["query"].setdefault("required", []).append(name)

    return add


FEATURES: Mapping[str, Feature] = {
    "another server": lambda doc: doc["servers"].update(staging={"host": "other.example.com", "protocol": "wss"}),
    "a client's message": another_message("Leave", "receive"),
    "a server's message": another_message("Left", "send"),
    "an optional query parameter": query("since", required=False),
    "a required query parameter": query("key", required=True),
    "a subprotocol": lambda doc: doc["channels"]["room"].update({"x-websocket": {"subprotocols": ["rooms.v1"]}}),
    "a limit": lambda doc: doc.update({"x-limits": {"maxMessage": 4096}}),
    "credentials": lambda doc: doc["servers"]["production"].update(security=[{"type": "http", "scheme": "bearer"}]),
    "a longer text to say": schema("Say", lambda found: found["properties"]["text"].update(maxLength=40)),
    "a longer text said": schema("Said", lambda found: found["properties"]["text"].update(maxLength=40)),
    "a tone less to say": schema("Say", lambda found: found["properties"]["tone"].update(enum=["calm"])),
    "a tone less said": schema("Said", lambda found: found["properties"]["tone"].update(enum=["calm"])),
    "a text that has to be said": schema("Say", lambda found: found["required"].append("text")),
    "a text that is always said": schema("Said", lambda found: found["required"].append("text")),
    "a closed message": schema("Say", lambda found: found.update(additionalProperties=False)),
    "an author": schema("Said", lambda found: found["properties"].update(author={"type": "string"})),
}
"""Whatever a version of the API may have or not, each independent of the others."""

versions = st.frozensets(st.sampled_from(sorted(FEATURES)), max_size=5)


@cache
def api(features: frozenset[str]) -> ir.Api:
    """The API with some features."""
    doc = copy.deepcopy(BASE)
    operation("Say", "receive")(doc)
    operation("Said", "send")(doc)
    for name in sorted(features):
        FEATURES[name](doc)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "document.json")
        path.write_text(json.dumps(doc), encoding="utf-8")
        found, said = examine(path, name="document.json", wholly=False)
    assert found is not None, said
    return found


def worst(changes: tuple[Change, ...]) -> int:
    """How bad it is: 0 where clients do not notice, 1 where they may, 2 where they break."""
    ranks = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}
    return max((ranks[change.rule.severity] for change in changes), default=0)


MIRRORED = {
    **{f"{what}-added": f"{what}-removed" for what in ("server", "channel", "client-message", "server-message")},
    **{f"{what}-added": f"{what}-removed" for what in ("subprotocol", "limit", "security", "close-code")},
    "parameter-optional-added": "parameter-removed",
    "parameter-required-added": "parameter-removed",
    **{f"{side}-{kind.id}": f"{side}-{kind.mirror}" for kind in KINDS.values() for side in ("client", "server")},
}
"""The rule of the same change the other way round, where there is one."""


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_a_version_does_not_differ_from_itself(path: Path) -> None:
    one, other = (examine(path, wholly=False)[0] for _ in range(2))
    assert one is not None
    assert other is not None
    assert compare(one, other) == ()


def test_real_documents_do_not_differ_from_themselves(shared: Path, told: list[str]) -> None:
    counted = 0
    for path in sorted((shared / "corpus" / "asyncapi").rglob("*")):
        if path.suffix in (".yaml", ".yml", ".json"):
            found, _ = examine(path, wholly=False)
            if found is not None:
                counted += 1
                assert compare(found, found) == (), path
    assert counted > 20
    told.append(f"real documents that do not differ from themselves: {counted}")


@given(versions, versions)
@settings(max_examples=60)
def test_what_is_added_one_way_is_removed_the_other_way(one: frozenset[str], other: frozenset[str]) -> None:
    there, back = compare(api(one), api(other)), compare(api(other), api(one))
    added = {(MIRRORED[change.rule.id], change.place) for change in there if change.rule.id in MIRRORED}
    seen = {(change.rule.id, change.place) for change in back}
    assert added - seen == set()


@given(versions, versions, versions)
@settings(max_examples=60)
def test_two_steps_that_break_nobody_break_nobody_together(
    one: frozenset[str], other: frozenset[str], last: frozenset[str]
) -> None:
    steps = worst(compare(api(one), api(other))), worst(compare(api(other), api(last)))
    assert worst(compare(api(one), api(last))) <= max(steps)


@given(versions)
@settings(max_examples=25)
def test_a_version_without_differences_has_the_same_package(features: frozenset[str]) -> None:
    again = api.__wrapped__(features)
    assert compare(api(features), again) == ()


@cache
def judge(features: frozenset[str]) -> Judge:
    """What judges the payloads of a version."""
    return Judge(api(features).schemas)


@cache
def payloads(features: frozenset[str], name: str) -> list[object]:
    """Payloads of a message that are valid in a version."""
    return valid(judge(features), api(features).message(name).payload.schema, count=12)


@given(versions, versions)
@settings(max_examples=60)
def test_payloads_of_messages_that_did_not_break_are_valid_for_whoever_gets_them(
    one: frozenset[str], other: frozenset[str]
) -> None:
    broken = {
        change.place[3]
        for change in compare(api(one), api(other))
        if change.rule.severity is not Severity.INFO and change.place[0] == "channels" and len(change.place) > 3
    }
    for name, sender, receiver in (("Say", one, other), ("Said", other, one)):
        refused = [
            payload
            for payload in payloads(sender, name)
            if not judge(receiver).accepts({"$ref": api(receiver).message(name).payload.schema}, payload)
        ]
        assert refused == [] or name in broken


SAFE = [
    frozenset[str](),
    frozenset({"a longer text to say", "a client's message", "another server", "an optional query parameter"}),
    frozenset({"a tone less said", "a text that is always said", "an author"}),
    frozenset({"a longer text to say", "a tone less said", "a text that is always said", "an author", "a subprotocol"}),
]
"""Versions of which each may follow the first one without breaking anybody."""


@pytest.mark.parametrize("features", SAFE[1:], ids=lambda features: ", ".join(sorted(features)))
def test_what_breaks_nobody_is_understood_by_the_other_version(features: frozenset[str]) -> None:
    old, new = api(SAFE[0]), api(features)
    changes = compare(old, new)
    assert [str(change.finding) for change in changes if change.rule.severity is Severity.ERROR] == []
    with imported(generate(old, "document.json")) as before, imported(generate(new, "document.json")) as after:
        for side, sender, receiver, package in (
            (ir.Direction.CLIENT_TO_SERVER, old, new, after),
            (ir.Direction.SERVER_TO_CLIENT, new, old, before),
        ):
            codec = getattr(package.codecs, python.codec_name(receiver, receiver.channels[0], side))
            known = {one.name for one in receiver.messages_of(receiver.channels[0], side)}
            judge = Judge(sender.schemas)
            for one in sender.messages_of(sender.channels[0], side):
                for value in valid(judge, one.payload.schema, count=20) if one.name in known else ():
                    assert codec.decode(json.dumps(value)) is not None


def test_what_breaks_clients_is_refused_by_the_other_version() -> None:
    old, new = (
        api(frozenset()),
        api(frozenset({"a tone less to say", "a text that has to be said", "a closed message"})),
    )
    assert {change.rule.id for change in compare(old, new) if change.rule.category is Category.WIRE} == {
        "client-enum-value-removed",
        "client-property-became-required",
        "client-additional-properties-closed",
    }
    with imported(generate(new, "document.json")) as package:
        for payload_ in (
            {"type": "say", "text": "a", "tone": "loud"},
            {"type": "say"},
            {"type": "say", "text": "", "x": 1},
        ):
            with pytest.raises(PayloadError):
                package.codecs.ROOM_FROM_CLIENT.decode(json.dumps(payload_))
