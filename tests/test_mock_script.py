"""Scripts of mock servers: what each action is read as, and that the JSON Schema says what the reader takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import chat
from sockspec.diagnostics import Report, text
from sockspec.mock import BadScript, Hosted, Manner, Mock, Traffic, script
from sockspec.mock.faults import MALFORMED
from sockspec.mock.steps import Action, Close, Delay, Drop, Raw, Repeat, Slow, Stall, Step, Tell, Text
from sockspec.pipeline import examine
from sockspec.spec import structure

ROOT = Path(__file__).parents[1]
CHAT = ROOT / "specs" / "chat.asyncapi.yaml"

PLAIN: list[tuple[object, Action]] = [
    ({"error": "/problems/forbidden", "message": "not you"}, Tell("/problems/forbidden", "not you")),
    ({"text": "{"}, Text("{")),
    ({"delay": 0.5}, Delay(0.5)),
    ({"close": 4001, "reason": "enough"}, Close(4001, "enough")),
    ({"malformed": "json"}, Raw(MALFORMED["json"])),
    ({"malformed": "utf8"}, Raw(MALFORMED["utf8"])),
    ({"malformed": "frame"}, Raw(MALFORMED["frame"])),
    ({"malformed": "masked"}, Raw(MALFORMED["masked"])),
    ({"raw": "81 02 7B7d"}, Raw(b"\x81\x02{}")),
    ("drop", Drop(resets=True)),
    ({"drop": "reset"}, Drop(resets=True)),
    ({"drop": "end"}, Drop(resets=False)),
    ({"slow": 100}, Slow(100)),
    ({"slow": 0}, Slow(None)),
    ({"stall": 2}, Stall(2.0)),
    ({"repeat": 2, "do": [{"delay": 1}]}, Repeat(2, (Delay(1.0),))),
    ({"repeat": "forever", "do": ["drop"]}, Repeat(None, (Drop(resets=True),))),
]
"""Actions that name no message."""

WITH_MESSAGES: list[object] = [
    {"send": "MessagePosted"},
    {"send": "MessagePosted", "with": {"data": {"text": "hi"}}},
    {"reply": "History"},
    "reply",
]
BAD_STRUCTURES: list[object] = [
    *({"stop": 1}, {}, "stop", 1, None, [], {"delay": -1}, {"delay": True}, {"close": 999}, {"close": 1005}),
    *({"close": 5000}, {"close": 1000, "payload": {}}, {"malformed": "x"}, {"raw": "8"}, {"raw": ""}, {"drop": None}),
    *({"slow": -1}, {"stall": "1"}, {"repeat": 0, "do": ["drop"]}, {"repeat": 2, "do": []}, {"send": ""}),
    *({"send": "A", "reply": "B"}, {"text": 1}, {"error": "x", "reason": ""}, {"payload": {}}),
]


def of_action(action: object) -> dict[str, Any]:
    return {"endpoints": {"room": [{"message": "GetHistory", "do": [action]}]}}


WHOLE: list[Any] = [
    *({}, [], {"endpoints": []}, {"endpoints": {}}, {"endpoints": {"room": []}}, {"endpoints": {}, "other": 1}),
    *({"endpoints": {"room": [step]}} for step in ({}, {"event": "connect"}, {"message": "Join"}, {"do": ["drop"]})),
    {"endpoints": {"room": [{"event": "close", "do": ["drop"]}]}},
    {"endpoints": {"room": [{"event": "connect", "message": "Join", "do": ["drop"]}]}},
    {"endpoints": {"room": [{"event": "connect", "times": 2, "do": ["drop"]}]}},
    {"endpoints": {"room": [{"message": "Join", "times": 0, "do": ["drop"]}]}},
    {"endpoints": {"room": [{"message": "Join", "where": [], "do": ["drop"]}]}},
]


@pytest.fixture(scope="module")
def mock() -> Mock:
    api, _ = examine(CHAT)
    assert api is not None
    return Mock(api, chat, Manner(), Traffic())


def read(mock: Mock, written: str) -> tuple[Step, ...]:
    report = Report()
    found = script.read_text(written, mock.endpoints, mock.examples, report)
    assert text(report.sorted()) == ""
    return found.get("room", ())


@pytest.mark.parametrize(("written", "expected"), PLAIN)
def test_an_action_is_read_as_what_it_says(mock: Mock, written: object, expected: Action) -> None:
    (step,) = read(mock, json.dumps(of_action(written)))
    assert step.actions == (expected,)


def test_every_action_of_the_schema_is_read_here() -> None:
    definitions: dict[str, Any] = script.schema()["definitions"]
    actions = set(definitions) - {"script", "step", "eventStep", "messageStep", "times", "action"}
    written = [one for one, _ in PLAIN] + WITH_MESSAGES
    assert {next(iter(one)) for one in written if isinstance(one, dict)} == actions


def test_the_schema_is_a_json_schema_that_jsonschema_judges_by_as_we_do() -> None:
    validator = jsonschema.Draft7Validator(script.schema())
    validator.check_schema(script.schema())
    scripts = [of_action(one) for one, _ in PLAIN] + [of_action(one) for one in (*WITH_MESSAGES, *BAD_STRUCTURES)]
    verdicts = [(validator.is_valid(one), structure.faults(script.schema(), one) == []) for one in (*scripts, *WHOLE)]
    assert [ours for _, ours in verdicts] == [theirs for theirs, _ in verdicts]
    assert [ours for _, ours in verdicts].count(True) == len(PLAIN) + len(WITH_MESSAGES) + 3
    assert not any(ours for _, ours in verdicts[len(PLAIN) + len(WITH_MESSAGES) : len(scripts)])


@pytest.mark.parametrize(
    ("where", "payload", "fits"),
    [
        ({}, None, True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": {"b": [1]}}, {"a": {"b": [1], "c": 3}}, True),
        ({"a": {"b": [1]}}, {"a": {"b": [1, 2]}}, False),
        ({"a": None}, {}, False),
        ({"a": {}}, {"a": []}, False),
    ],
)
def test_a_step_fits_messages_that_have_its_members(where: dict[str, Any], payload: Any, fits: bool) -> None:
    assert Step("any", (), where).fits(payload) is fits


def pages() -> Iterator[str]:
    """The scripts that the documentation shows."""
    page = (ROOT / "docs" / "mock.md").read_text(encoding="utf-8")
    yield from re.findall(r"```yaml\n(endpoints:.*?)```", page, re.DOTALL)


def test_the_scripts_of_the_documentation_can_be_played(mock: Mock) -> None:
    steps = [len(read(mock, written)) for written in pages()]
    assert len(steps) >= 2
    assert all(steps)


def test_the_documentation_lists_the_actions_of_the_schema() -> None:
    page = (ROOT / "docs" / "mock.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(\w+)[:`]", page, re.MULTILINE))
    definitions: dict[str, Any] = script.schema()["definitions"]
    assert listed >= set(definitions) - {"script", "step", "eventStep", "messageStep", "times", "action"}


def test_a_bad_script_is_told_with_its_places_and_a_document_with_errors_as_well(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("endpoints:\n  rooom: []\n", encoding="utf-8")
    with pytest.raises(BadScript, match=r"bad\.yaml:2:3: error script-unknown-endpoint there is no endpoint 'rooom'"):
        Hosted(CHAT, package=chat, script=file)
    with pytest.raises(BadScript, match="cannot be read"):
        Hosted(CHAT, package=chat, script=tmp_path / "none.yaml")
    with pytest.raises(ValueError, match=r"bad\.yaml"):
        Hosted(file)


def test_dates_of_yaml_are_texts(mock: Mock) -> None:
    written = "endpoints: {room: [{message: Leave, where: {timestamp: 2025-03-01}, do: [drop]}]}"
    assert [step.where for step in read(mock, written)] == [{"timestamp": "2025-03-01"}]
