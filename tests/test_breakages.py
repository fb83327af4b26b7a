"""Names and values on which generators are known to break: each package is executed and held to its wire names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.payloads import api_of, codec_of, package_of

STRING = {"type": "string"}
WORDS = ["from", "class", "type", "self", "import", "None", "__init__", "1st", "@type", "$id", "", "a'b", 'a"b', "a\\b"]
CLASSES = "Error List Optional Message Any Union Literal Client Server Codec dict str datetime Struct ClassVar StrEnum".split()


def _object(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _round_trip(codec: Any, value: object) -> Any:
    decoded = codec.decode(json.dumps(value))
    assert json.loads(codec.encode(decoded)) == value
    return decoded


@pytest.mark.parametrize("word", WORDS)
def test_a_property_of_any_name_keeps_its_wire_name(tmp_path: Path, word: str) -> None:
    _round_trip(codec_of(tmp_path, _object(**{word: STRING, "other": STRING})), {word: "x", "other": "y"})


def test_properties_that_differ_only_in_case_stay_apart(tmp_path: Path) -> None:
    schema = _object(e=STRING, E={"type": "integer"}, t=STRING, T={"type": "integer"})
    decoded = _round_trip(codec_of(tmp_path, schema), {"e": "x", "E": 1, "t": "y", "T": 2})
    assert (decoded.e, decoded.E, decoded.t, decoded.T) == ("x", 1, "y", 2)


@pytest.mark.parametrize("name", CLASSES)
def test_a_schema_may_be_called_what_the_modules_need(tmp_path: Path, name: str) -> None:
    payload = _object(x={"$ref": f"#/components/schemas/{name}"}, at={"type": "string", "format": "date-time"})
    codec = codec_of(tmp_path, payload, {name: _object(y=STRING)})
    _round_trip(codec, {"x": {"y": "z"}, "at": "2024-01-02T03:04:05Z"})


@pytest.mark.parametrize("name", CLASSES)
def test_a_message_may_be_called_what_the_modules_need(tmp_path: Path, name: str) -> None:
    package = package_of(tmp_path, api_of(tmp_path, {name: _object(x=STRING)})[0])
    _round_trip(package.codecs.ALL_FROM_CLIENT, {"x": "y"})


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": "book.update"}, "book.update"),
        ({"enum": ["book update", "book.update"]}, "book.update"),
        ({"type": "integer", "enum": [1, 2]}, 2),
        ({"enum": ["a", 1, None]}, 1),
    ],
)
def test_constants_and_enums_of_any_kind_keep_their_values(tmp_path: Path, schema: object, value: object) -> None:
    _round_trip(codec_of(tmp_path, _object(x=schema)), {"x": value})


def test_inline_schemas_are_named_after_where_they_stand(tmp_path: Path) -> None:
    api, _ = api_of(tmp_path, {"Order": _object(buyer=_object(name=STRING), state=STRING)})
    package = package_of(tmp_path, api)
    assert package.messages.OrderBuyer
    _round_trip(package.codecs.ALL_FROM_CLIENT, {"buyer": {"name": "x"}, "state": "y"})


@pytest.mark.parametrize("keyword", ["x-enum-varnames", "x-enumNames"])
def test_members_are_called_what_the_document_says(tmp_path: Path, keyword: str) -> None:
    values = ["a", "b", "c", "d", "e"]
    state = {"type": "string", "enum": values, keyword: ["name", "value", "mro", "_x_", "Open order"]}
    api, _ = api_of(tmp_path, {"Payload": _object(x={"$ref": "#/components/schemas/State"})}, {"State": state})
    package = package_of(tmp_path, api)
    assert [member.value for member in package.messages.State] == values
    assert package.messages.State.OPEN_ORDER.value == "e"
    _round_trip(package.codecs.ALL_FROM_CLIENT, {"x": "c"})
