"""Messages of one direction are told apart by the first way that does, decided when generating."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sockspec import ir
from sockspec.analysis import ambiguity, dispatch
from sockspec.diagnostics import Report
from sockspec.runtime import PayloadError
from tests.payloads import api_of, package_of


def _record(*optional: str, **required: object) -> dict[str, object]:
    properties = {name: schema if isinstance(schema, dict) else {"const": schema} for name, schema in required.items()}
    properties |= {name: {"type": "string"} for name in optional}
    return {"type": "object", "properties": properties, "required": list(required)}


def _row(*items: object, minimum: int | None = None) -> dict[str, object]:
    schemas = [item if isinstance(item, dict) else {"const": item} for item in items]
    low = len(items) if minimum is None else minimum
    return {"type": "array", "items": schemas, "minItems": low, "additionalItems": False}


def _pets(discriminator: object, **values: str) -> dict[str, object]:
    """A union of which only the discriminator says how its members are told apart, and its members."""
    members = {name: _record("kind", **{f"a_{value}": {"type": "string"}}) for name, value in values.items()}
    for schema in members.values():
        schema["required"] = ["kind"]
    references = [{"$ref": f"#/components/schemas/{name}"} for name in members]
    return {**members, "Pet": {"anyOf": references, "discriminator": discriminator}}


DISCRIMINATORS: dict[str, tuple[dict[str, object], dict[str, str]]] = {
    "a mapping by name and by reference": (
        _pets({"propertyName": "kind", "mapping": {"cat": "Cat", "dog": "#/components/schemas/Dog"}}, Cat="x", Dog="y"),
        {"cat": "Cat", "dog": "Dog"},
    ),
    "no mapping": (_pets({"propertyName": "kind"}, Cat="x", Dog="y"), {"Cat": "Cat", "Dog": "Dog"}),
    "as AsyncAPI has it": (_pets("kind", Cat="x", Dog="y"), {"Cat": "Cat", "Dog": "Dog"}),
    "a mapping that leads nowhere": (
        _pets({"propertyName": "kind", "mapping": {"bird": "Bird", "cat": "Cat"}}, Cat="x", Dog="y"),
        {"cat": "Cat", "Dog": "Dog"},
    ),
    "schemas made of the one that has it": (
        {
            "Base": {**_record("kind"), "discriminator": "kind"},
            "Cat": {"allOf": [{"$ref": "#/components/schemas/Base"}, _record("a_x")]},
            "Dog": {"allOf": [{"$ref": "#/components/schemas/Base"}, _record("a_y")]},
            "Pet": {"anyOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]},
        },
        {"Cat": "Cat", "Dog": "Dog"},
    ),
}


@pytest.mark.parametrize(("schemas", "values"), DISCRIMINATORS.values(), ids=DISCRIMINATORS)
def test_a_discriminator_tells_which_class_a_value_is_of(
    schemas: dict[str, object], values: dict[str, str], tmp_path: Path
) -> None:
    payload = {"type": "object", "properties": {"pet": {"$ref": "#/components/schemas/Pet"}}, "required": ["pet"]}
    api, report = api_of(tmp_path, {"Seen": payload}, schemas)
    assert not report.failed
    codec = package_of(tmp_path, api).codecs.ALL_FROM_CLIENT
    for value, name in values.items():
        text = json.dumps({"pet": {"kind": value, "a_x": "1"}})
        decoded = codec.decode(text)
        assert type(decoded.pet).__name__ == name
        assert json.loads(codec.encode(decoded))["pet"]["kind"] == value


def test_a_discriminator_makes_no_payload_valid_that_its_schema_refuses(tmp_path: Path) -> None:
    pet = _pets({"propertyName": "kind"}, Cat="x", Dog="y")
    references = [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]
    either = {"oneOf": references, "discriminator": "kind"}
    payload = {"type": "object", "properties": {"pet": either}, "required": ["pet"]}
    codec = package_of(tmp_path, api_of(tmp_path, {"Seen": payload}, pet)[0]).codecs.ALL_FROM_CLIENT
    with pytest.raises(PayloadError):  # fits both
        codec.decode('{"pet": {"kind": "Cat"}}')


TEXT, NUMBER, ROW = {"type": "string"}, {"type": "number"}, {"type": "array"}

DOCUMENTS: dict[str, tuple[dict[str, object], dispatch.By, str, dict[str, object]]] = {
    "one tag": (
        {"Join": _record(type="join"), "Leave": _record(type="leave")},
        dispatch.By.TAG,
        "'type'",
        {"Join": {"type": "join"}, "Leave": {"type": "leave"}},
    ),
    "an integer tag": (
        {"Hello": _record(op=10), "Beat": _record(op=1)},
        dispatch.By.TAG,
        "'op'",
        {"Hello": {"op": 10}, "Beat": {"op": 1}},
    ),
    "a nested tag": (
        {"A": _record(header=_record(type="a"), kind="x"), "B": _record(header=_record(type="b"), kind="x")},
        dispatch.By.NESTED_TAG,
        "'header.type'",
        {"A": {"header": {"type": "a"}, "kind": "x"}, "B": {"header": {"type": "b"}, "kind": "x"}},
    ),
    "a pair": (
        {
            "Opened": _record(event="sub", channel="book"),
            "Traded": _record(event="sub", channel="trade"),
            "Closed": _record(event="unsub", channel="book"),
        },
        dispatch.By.PAIR,
        "'event' and 'channel'",
        {
            "Opened": {"event": "sub", "channel": "book"},
            "Traded": {"event": "sub", "channel": "trade"},
            "Closed": {"event": "unsub", "channel": "book"},
        },
    ),
    "a pair that one message needs no second of": (
        {
            "Opened": _record(event="sub", channel="book"),
            "Traded": _record(event="sub", channel="trade"),
            "Beat": _record(event="beat"),
        },
        dispatch.By.PAIR,
        "'event' and 'channel'",
        {
            "Opened": {"event": "sub", "channel": "book"},
            "Traded": {"event": "sub", "channel": "trade"},
            "Beat": {"event": "beat"},
        },
    ),
    "a position": (
        {"Ticker": _row(NUMBER, TEXT, "ticker"), "Trade": _row(NUMBER, TEXT, "trade")},
        dispatch.By.POSITION,
        "item 3 of an array",
        {"Ticker": [1, "a", "ticker"], "Trade": [1, "a", "trade"]},
    ),
    "objects by a tag beside arrays by a position": (
        {
            "Status": _record(event="status"),
            "Error": _record(event="error"),
            "Beat": _row(NUMBER, "hb"),
            "Update": _row(NUMBER, "tu", ROW),
            "Snapshot": _row(NUMBER, ROW),
        },
        dispatch.By.TAG,
        "'event', then item 2 of an array",
        {
            "Status": {"event": "status"},
            "Error": {"event": "error"},
            "Beat": [7, "hb"],
            "Update": [7, "tu", [1]],
            "Snapshot": [7, [1]],
        },
    ),
    "JSON-RPC": (
        {
            "Get": _record(method="get", id=NUMBER),
            "Put": _record(method="put", id=NUMBER),
            "Done": _record(id=NUMBER, result={}),
            "Failed": _record(id=NUMBER, error={"type": "object"}),
        },
        dispatch.By.JSON_RPC,
        "'method', then their JSON-RPC shape",
        {
            "Get": {"method": "get", "id": 1},
            "Put": {"method": "put", "id": 1},
            "Done": {"id": 1, "result": 5},
            "Failed": {"id": 1, "error": {}},
        },
    ),
    "required properties, the most first": (
        {"Short": _record(id=TEXT), "Long": _record(id=TEXT, note=TEXT)},
        dispatch.By.REQUIRED,
        "the properties that they require",
        {"Short": {"id": "a"}, "Long": {"id": "a", "note": "b"}},
    ),
    "trial": (
        {"Text": _record(data=TEXT), "Number": _record(data=NUMBER)},
        dispatch.By.TRIAL,
        "trial, in the order of the document",
        {"Text": {"data": "a"}, "Number": {"data": 1}},
    ),
    "what they are on the wire": (
        {"Word": TEXT, "Figure": NUMBER, "List": ROW, "Thing": _record(a=TEXT)},
        dispatch.By.KIND,
        "what they are on the wire",
        {"Word": "a", "Figure": 1.5, "List": [], "Thing": {"a": "b"}},
    ),
    "unions by the tags of their members": (
        {
            "Order": {"oneOf": [_record(type="buy"), _record(type="sell")]},
            "Quote": {"oneOf": [_record(type="bid"), _record(type="ask")]},
        },
        dispatch.By.TAG,
        "'type'",
        {"Order": {"type": "sell"}, "Quote": {"type": "bid"}},
    ),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_messages_are_told_apart_in_the_way_that_is_printed(case: str, tmp_path: Path) -> None:
    payloads, by, wording, examples = DOCUMENTS[case]
    api, _ = api_of(tmp_path, payloads)
    (found,) = dispatch.all_of(api).values()
    assert found.by is by
    report = Report()
    ambiguity.check(api, report)
    told = [d.message for d in report.sorted() if d.code is ambiguity.TOLD_APART]
    assert told == [f"what clients may send on '/all' is told apart by {wording}"]
    assert [d for d in report.sorted() if d.code is ambiguity.NOT_DISTINGUISHABLE] == []
    codec: Any = package_of(tmp_path, api).codecs.ALL_FROM_CLIENT
    for name, payload in examples.items():
        decoded = codec.decode(json.dumps(payload))
        assert type(decoded).__name__ == name
        assert json.loads(codec.encode(decoded)) == payload


def test_a_tag_is_read_where_the_typed_decoder_refuses_and_the_validator_accepts(tmp_path: Path) -> None:
    payloads = {name: _record(a=_record(op=name), n={"type": "integer"}) for name in ("x", "y")}
    codec: Any = package_of(tmp_path, api_of(tmp_path, payloads)[0]).codecs.ALL_FROM_CLIENT
    assert codec.decode('{"a": {"op": "y"}, "n": 2.0}').n == 2


@pytest.mark.parametrize(
    "text", ['{"a": {"op": "z"}, "n": 1}', '{"n": 1}', '{"a": 5, "n": 1}', '{"a": {"op": []}, "n": 1}']
)
def test_a_nested_tag_that_no_message_has_is_an_unknown_type(text: str, tmp_path: Path) -> None:
    payloads = {name: _record(a=_record(op=name), n={"type": "integer"}) for name in ("x", "y")}
    codec: Any = package_of(tmp_path, api_of(tmp_path, payloads)[0]).codecs.ALL_FROM_CLIENT
    with pytest.raises(PayloadError) as refused:
        codec.decode(text)
    assert refused.value.problem.type == "/problems/unknown-type"
    assert "'a.op'" in refused.value.problem.message


def test_messages_that_nothing_tells_apart_are_reported_with_both_places(tmp_path: Path) -> None:
    api, _ = api_of(tmp_path, {"One": _record("note", id=TEXT), "Two": _record("memo", id=TEXT)})
    report = Report()
    ambiguity.check(api, report)
    (warning,) = [d for d in report.sorted() if d.code is ambiguity.NOT_DISTINGUISHABLE]
    assert "'One' and 'Two'" in warning.message
    assert (warning.location, *warning.related) == (api.message("Two").location, api.message("One").location)


def test_one_tag_in_two_messages_is_reported_unless_their_shapes_differ(tmp_path: Path) -> None:
    api, _ = api_of(
        tmp_path, {"A": _record(type="t", x=TEXT), "B": _record(type="t", x=NUMBER), "C": _record(type="u")}
    )
    (found,) = dispatch.all_of(api).values()
    assert found.member == "type"
    report = Report()
    ambiguity.check(api, report)
    assert [d for d in report.sorted() if d.code is ambiguity.NOT_DISTINGUISHABLE] == []
    api, _ = api_of(tmp_path, {"A": _record("y", type="t", x=TEXT), "B": _record(type="t", x=TEXT)})
    ambiguity.check(api, report)
    assert [d.message for d in report.sorted() if d.code is ambiguity.NOT_DISTINGUISHABLE] == [
        "the messages 'A' and 'B' both have 't' as 'type'; payloads are tried in this order"
    ]


def test_a_message_that_is_tried_last_keeps_its_direction(tmp_path: Path) -> None:
    api, _ = api_of(tmp_path, {"A": _record(type="a"), "Other": {"type": "object"}})
    codec: Any = package_of(tmp_path, api).codecs.ALL_FROM_CLIENT
    assert type(codec.decode('{"type": "a"}')).__name__ == "A"
    assert type(codec.decode('{"type": "other"}')).__name__ == "Other"
    assert {key[1] for key in dispatch.all_of(api)} == {ir.Direction.CLIENT_TO_SERVER}


def test_a_constant_that_is_the_default_of_its_property_is_sent_all_the_same(tmp_path: Path) -> None:
    """As pydantic describes a `Literal` with a default: a receiver cannot tell by a property that is absent."""

    def described(value: str, **others: object) -> dict[str, object]:
        return {"type": "object", "properties": {"action": {"const": value, "default": value}, **others}}

    shapes = {name: {**described(name, x={"type": "integer"}), "required": ["x"]} for name in ("circle", "square")}
    shape = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in shapes]}
    payloads = {"Draw": {**described("draw", shape=shape), "required": ["shape"]}, "Wipe": described("wipe")}
    api, report = api_of(tmp_path, payloads, shapes)
    assert not report.failed
    package = package_of(tmp_path, api)
    codec, messages = package.codecs.ALL_FROM_CLIENT, package.messages
    text = '{"action":"draw","shape":{"action":"square","x":1}}'
    assert codec.encode(messages.Draw(shape=messages.Square(x=1))) == text
    assert codec.encode(messages.Wipe()) == '{"action":"wipe"}'
    verdict = codec.examine(text)
    assert (verdict.message, verdict.lane) == (messages.Draw(shape=messages.Square(x=1)), "typed")
    assert codec.decode('{"shape":{"action":"square","x":1}}') == messages.Draw(shape=messages.Square(x=1))
    with pytest.raises(PayloadError):
        codec.decode('{"action":"draw","shape":{"x":1}}')
