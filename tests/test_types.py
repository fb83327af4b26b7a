"""Schemas become types that say as much of them as types can, and the lanes know what is left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sockspec import ir
from sockspec.runtime import PayloadError
from tests.payloads import api_of, codec_of, package_of

STRING = {"type": "string"}


def _field(schema: object, required: bool = True) -> dict[str, object]:
    return {"type": "object", "properties": {"x": schema}, "required": ["x"] if required else []}


@pytest.mark.parametrize(
    ("schema", "annotation", "lane"),
    [
        (STRING, "str", "typed"),
        ({"type": "string", "minLength": 1}, "Annotated[str, Meta(min_length=1)]", "typed"),
        ({"type": "string", "pattern": "^a"}, 'Annotated[str, Meta(pattern="^a")]', "typed"),
        ({"type": "integer", "minimum": 0.5}, "Annotated[int, Meta(ge=1)]", "typed"),
        ({"type": "integer", "minimum": 2**70}, "int", "checked"),
        ({"type": "integer", "multipleOf": 3}, "Annotated[int, Meta(multiple_of=3)]", "typed"),
        ({"type": "number"}, "int | float", "typed"),
        ({"type": "number", "multipleOf": 0.1}, "int | float", "checked"),
        ({"type": "boolean"}, "bool", "typed"),
        ({"type": ["string", "null"]}, "str | None", "typed"),
        ({"anyOf": [STRING, {"type": "null"}]}, "str | None", "typed"),
        ({"enum": ["a", 1]}, 'Literal["a", 1]', "typed"),
        ({"enum": ["a", None]}, 'Literal["a"] | None', "typed"),
        ({"const": True}, "bool", "checked"),
        ({"type": "array", "items": STRING, "maxItems": 3}, "Annotated[list[str], Meta(max_length=3)]", "typed"),
        ({"type": "array", "items": STRING, "uniqueItems": True}, "list[str]", "checked"),
        (
            {"type": "array", "items": [STRING, {"type": "integer"}], "minItems": 2, "additionalItems": False},
            "tuple[str, int]",
            "typed",
        ),
        ({"type": "array", "items": [STRING], "minItems": 1}, "PayloadX", "checked"),
        ({"type": "array", "items": [STRING], "maxItems": 1}, "PayloadX", "typed"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "dict[str, int]", "typed"),
        ({"type": "object"}, "dict[str, Any]", "typed"),
        ({"type": "string", "format": "date-time"}, "DateTime", "typed"),
        ({"type": "string", "format": "uuid"}, "UUID", "typed"),
        ({"type": "string", "format": "decimal"}, "Decimal", "checked"),
        ({"type": "string", "format": "email"}, "str", "typed"),
        ({"oneOf": [STRING, {"type": "integer"}]}, "str | int", "typed"),
        ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, "PayloadX", "checked"),
        ({"not": STRING}, "Any", "checked"),
        ({}, "Any", "typed"),
        (True, "Any", "typed"),
        ({"allOf": [{"type": "integer", "minimum": 1}, {"maximum": 5}]}, "Annotated[int, Meta(ge=1, le=5)]", "typed"),
    ],
)
def test_a_schema_is_annotated_and_judged_in_its_lane(
    tmp_path: Path, schema: object, annotation: str, lane: str
) -> None:
    api, report = api_of(tmp_path, {"Payload": _field(schema)})
    assert [str(d) for d in report.sorted()] == []
    package_of(tmp_path, api)
    written = next(tmp_path.glob("sockspec_tested_*/messages.py")).read_text(encoding="utf-8")
    assert f"    x: {annotation}\n" in written
    assert api.messages[0].lane.value == lane


ACCEPTED: list[tuple[Any, str]] = [
    (_field({"type": "integer"}), '{"x": 1.0}'),
    (_field({"type": "integer"}), '{"x": 1e2}'),
    (_field({"type": "integer"}), '{"x": 123456789012345678901234567890}'),
    (_field({"type": "number"}), '{"x": 5}'),
    (_field({"enum": [1, 2]}), '{"x": 2.0}'),
    (_field({"type": "string"}, required=False), "{}"),
    ({"properties": {"x": STRING}}, '"no object at all"'),
    (
        _field({"anyOf": [_field(STRING), {"type": "object", "additionalProperties": {"type": "integer"}}]}),
        '{"x": {"a": 1}}',
    ),
    ({"type": "array", "items": {"type": "integer"}}, "[1, 2.0]"),
]


@pytest.mark.parametrize(("schema", "payload"), ACCEPTED)
def test_what_the_validator_accepts_is_delivered(tmp_path: Path, schema: object, payload: str) -> None:
    assert codec_of(tmp_path, schema).decode(payload) is not None


REFUSED: list[tuple[Any, str, str, str]] = [
    (_field({"type": "integer"}), '{"x": true}', "/x", "type"),
    (_field({"type": "integer"}), '{"x": 1.5}', "/x", "type"),
    (_field({"type": "array", "items": {"enum": [1]}}), '{"x": [true]}', "/x/0", "enum"),
    (_field({"type": "array", "items": {"const": True}}), '{"x": [1]}', "/x/0", "const"),
    (_field(STRING), '{"x": null}', "/x", "type"),
    (_field(STRING, required=False), '{"x": null}', "/x", "type"),
    (_field({"type": "array", "uniqueItems": True}), '{"x": [1, 1]}', "/x", "uniqueItems"),
    (_field({"type": "array", "items": _field({"const": "a"})}), '{"x": [{"x": "a"}, {}]}', "/x/1", "required"),
    ({"type": "object", "additionalProperties": False, "properties": {"a/b": STRING}}, '{"a/b": 1}', "/a~1b", "type"),
    ({"type": "object", "additionalProperties": False, "properties": {}}, '{"y": 1}', "", "additionalProperties"),
    (_field({"type": "string", "format": "date-time"}), '{"x": "2024-01-01"}', "/x", "format"),
]


@pytest.mark.parametrize(("schema", "payload", "pointer", "keyword"), REFUSED)
def test_what_the_validator_refuses_is_a_problem_with_its_place(
    tmp_path: Path, schema: object, payload: str, pointer: str, keyword: str
) -> None:
    with pytest.raises(PayloadError) as caught:
        codec_of(tmp_path, schema).decode(payload)
    assert caught.value.problem.type == "/problems/validation-error"
    assert (pointer, keyword) in [(fault.pointer, fault.keyword) for fault in caught.value.problem.errors]


def test_a_lone_tagged_class_insists_on_its_tag(tmp_path: Path) -> None:
    schema = {"type": "object", "required": ["type"], "properties": {"type": {"const": "a"}, "n": {"type": "integer"}}}
    codec = codec_of(tmp_path, schema)
    assert codec.examine('{"type": "a", "n": 1}').lane == "typed"
    for payload in ('{"n": 1}', '{"type": "b"}', '{"type": "\\u0000nothing"}', '{"type": 1}'):
        with pytest.raises(PayloadError) as caught:
            codec.decode(payload)
        assert caught.value.problem.type == "/problems/unknown-type"


def test_recursive_schemas_are_records_that_refer_to_themselves(tmp_path: Path) -> None:
    tree = {
        "type": "object",
        "required": ["kids"],
        "properties": {"kids": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}},
    }
    api, _ = api_of(tmp_path, {"Payload": {"$ref": "#/components/schemas/Tree"}}, {"Tree": tree})
    assert api.messages[0].lane is ir.Lane.TYPED
    codec = package_of(tmp_path, api).codecs.ALL_FROM_CLIENT
    assert codec.decode('{"kids": [{"kids": []}]}').kids[0].kids == []
    with pytest.raises(PayloadError):
        codec.decode('{"kids": [{}]}')


@pytest.mark.parametrize(
    "schemas",
    [
        {"A": {"allOf": [{"$ref": "#/components/schemas/A"}, {"type": "object", "properties": {"x": STRING}}]}},
        {
            "A": {"allOf": [{"$ref": "#/components/schemas/B"}, STRING]},
            "B": {"allOf": [{"$ref": "#/components/schemas/A"}, STRING]},
        },
        {"A": {"oneOf": [{"$ref": "#/components/schemas/A"}, STRING]}},
    ],
)
def test_a_schema_that_is_made_of_itself_is_an_error(tmp_path: Path, schemas: dict[str, object]) -> None:
    _, report = api_of(tmp_path, {"Payload": _field({"$ref": "#/components/schemas/A"})}, schemas)
    assert "schema-loop" in {d.code.id for d in report.sorted()}


OPEN_ARRAYS: list[tuple[dict[str, Any], str, list[object]]] = [
    ({"minItems": 2}, "tuple[str, dt.date, *tuple[Any, ...]]", [["a", "2024-01-02"], ["a", "2024-01-02", 3, {"b": 4}]]),
    (
        {"minItems": 2, "additionalItems": {"type": "integer"}},
        "tuple[str, dt.date, *tuple[int, ...]]",
        [["a", "2024-01-02"], ["a", "2024-01-02", 3]],
    ),
    ({"additionalItems": False, "minItems": 1}, "tuple[str, dt.date] | tuple[str]", [["a"], ["a", "2024-01-02"]]),
    (
        {"minItems": 1},
        "PayloadX1 | tuple[str]",
        [["a"], ["a", "2024-01-02"], ["a", "2024-01-02", None]],
    ),
    ({"maxItems": 1}, "tuple[str] | tuple[()]", [[], ["a"]]),
]


@pytest.mark.parametrize(("bounds", "annotation", "values"), OPEN_ARRAYS)
def test_items_by_position_are_tuples_also_where_the_end_is_open(
    tmp_path: Path, bounds: dict[str, Any], annotation: str, values: list[object]
) -> None:
    schema = {"type": "array", "items": [STRING, {"type": "string", "format": "date"}], **bounds}
    api, _ = api_of(tmp_path, {"Payload": _field(schema)})
    codec: Any = package_of(tmp_path, api).codecs.ALL_FROM_CLIENT
    written = next(tmp_path.glob("sockspec_tested_*/messages.py")).read_text(encoding="utf-8")
    assert f"    PayloadX: TypeAlias = {annotation}\n" in written
    for value in values:
        decoded = codec.decode(json.dumps({"x": value}))
        assert isinstance(decoded.x, tuple)
        assert json.loads(codec.encode(decoded)) == {"x": value}
    with pytest.raises(PayloadError):
        codec.decode('{"x": [5]}')


EXTRAS: list[tuple[dict[str, Any], str]] = [
    ({"additionalProperties": {"type": "string", "format": "date"}}, "dict[str, dt.date]"),
    (
        {"patternProperties": {"^d": {"type": "string", "format": "date"}}, "additionalProperties": False},
        "dict[str, dt.date]",
    ),
    ({"patternProperties": {"^d": {"type": "string", "format": "date"}}}, "dict[str, Any]"),
    (
        {"patternProperties": {"^d": {"type": "integer"}}, "additionalProperties": {"type": ["string", "null"]}},
        "dict[str, int | str | None]",
    ),
]


@pytest.mark.parametrize(("closing", "annotation"), EXTRAS)
def test_other_properties_are_kept_in_one_member(tmp_path: Path, closing: dict[str, Any], annotation: str) -> None:
    schema = {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}, "extra": STRING}, **closing}
    api, _ = api_of(tmp_path, {"Payload": {"type": "array", "items": schema}})
    assert api.messages[0].lane is ir.Lane.CHECKED
    package = package_of(tmp_path, api)
    written = next(tmp_path.glob("sockspec_tested_*/messages.py")).read_text(encoding="utf-8")
    assert f'    extra2: {annotation} = field(name="**", default={{}})\n' in written
    other: object = 7 if "int" in annotation else "2024-01-02"
    codec: Any = package.codecs.ALL_FROM_CLIENT
    payload = [{"x": 1}, {"x": 2, "extra": "e", "day": other}]
    decoded = codec.decode(json.dumps(payload))
    assert (decoded.payload[0].extra2, list(decoded.payload[1].extra2)) == ({}, ["day"])
    assert json.loads(codec.encode(decoded)) == payload


def test_an_extra_property_cannot_have_the_name_of_a_member(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"x": STRING}, "additionalProperties": STRING}
    package = package_of(tmp_path, api_of(tmp_path, {"Payload": schema})[0])
    with pytest.raises(ValueError, match="member for 'x'"):
        package.codecs.ALL_FROM_CLIENT.encode(package.messages.Payload(extra={"x": "a"}))


DEFAULTS: list[tuple[dict[str, Any], str]] = [
    ({"type": "string", "default": "a"}, 'x: str = "a"'),
    ({"type": "integer", "default": 5}, "x: int = 5"),
    ({"type": "integer", "default": "5"}, "x: int | UnsetType = UNSET"),
    ({"type": ["integer", "null"], "default": None}, "x: int | None = None"),
    ({"type": "string", "format": "date", "default": "2024-01-02"}, 'x: dt.date = dt.date.fromisoformat("2024-01-02")'),
    (
        {"type": "string", "format": "date-time", "default": "2024-01-02T03:04:05Z"},
        'x: DateTime = dt.datetime.fromisoformat("2024-01-02T03:04:05Z")',
    ),
    ({"type": "string", "format": "date-time", "default": "2024-01-02"}, "x: DateTime | UnsetType = UNSET"),
    (
        {"type": "string", "format": "uuid", "default": "00000000-0000-0000-0000-000000000001"},
        'x: UUID = UUID("00000000-0000-0000-0000-000000000001")',
    ),
    ({"enum": ["a", "b"], "default": "c"}, 'x: Literal["a", "b"] | UnsetType = UNSET'),
]


@pytest.mark.parametrize(("schema", "line"), DEFAULTS)
def test_a_default_is_a_value_of_its_type_or_is_left_out(tmp_path: Path, schema: dict[str, Any], line: str) -> None:
    api, _ = api_of(tmp_path, {"Payload": _field(schema, required=False)})
    codec: Any = package_of(tmp_path, api).codecs.ALL_FROM_CLIENT
    written = next(tmp_path.glob("sockspec_tested_*/messages.py")).read_text(encoding="utf-8")
    assert f"    {line}\n" in written
    assert json.loads(codec.encode(codec.decode("{}"))) == {}


def test_properties_of_conditions_are_optional_members(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"kind": STRING},
        "if": {"properties": {"kind": {"const": "card"}}, "required": ["kind"]},
        "then": {"properties": {"number": STRING}, "required": ["number"]},
        "else": {"properties": {"iban": STRING}},
        "dependencies": {"iban": {"properties": {"bic": STRING}, "required": ["bic"]}},
    }
    codec = codec_of(tmp_path, schema)
    assert codec.decode('{"kind": "card", "number": "1"}').number == "1"
    assert codec.decode('{"kind": "bank", "iban": "2", "bic": "3"}').bic == "3"
    for payload in ('{"kind": "card"}', '{"iban": "2"}'):
        with pytest.raises(PayloadError):
            codec.decode(payload)


def test_nothing_passes_for_parts_that_want_different_types(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"x": {"allOf": [STRING, {"type": "integer"}]}}}
    api, _ = api_of(tmp_path, {"Payload": schema})
    codec: Any = package_of(tmp_path, api).codecs.ALL_FROM_CLIENT
    for payload in ('{"x": "a"}', '{"x": 1}'):
        with pytest.raises(PayloadError):
            codec.decode(payload)
    assert codec.decode("{}") is not None


def test_properties_beside_tagged_alternatives_are_members_of_each(tmp_path: Path) -> None:
    cat = {"type": "object", "required": ["kind", "lives"], "properties": {"kind": {"const": "cat"}, "lives": STRING}}
    dog = {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "dog"}, "tail": STRING}}
    schema = {"type": "object", "required": ["name"], "properties": {"name": STRING}, "oneOf": [cat, dog]}
    api, _ = api_of(tmp_path, {"Payload": {"type": "object", "properties": {"pet": schema}}})
    assert api.messages[0].lane is ir.Lane.TYPED
    package = package_of(tmp_path, api)
    codec: Any = package.codecs.ALL_FROM_CLIENT
    pet = codec.decode('{"pet": {"name": "Tom", "kind": "cat", "lives": "9"}}').pet
    assert (type(pet).__name__, pet.name, pet.kind, pet.lives) == ("PayloadPetCat", "Tom", "cat", "9")
    for wrong in ('{"kind": "cat", "lives": "9"}', '{"name": "Tom", "kind": "cat"}', '{"name": "Tom"}'):
        with pytest.raises(PayloadError):
            codec.decode(f'{{"pet": {wrong}}}')


def test_an_object_that_is_nullable_in_the_old_spelling_is_a_class_or_null(tmp_path: Path) -> None:
    schema = {**_field(STRING), "nullable": True}
    payload = {"type": "object", "properties": {"a": schema, "b": {"$ref": "#/components/schemas/Old"}}}
    package = package_of(tmp_path, api_of(tmp_path, {"Payload": payload}, {"Old": schema})[0])
    codec: Any = package.codecs.ALL_FROM_CLIENT
    decoded = codec.decode('{"a": {"x": "1"}, "b": {"x": "2"}}')
    assert (decoded.a.x, decoded.b.x) == ("1", "2")
    assert codec.decode('{"a": null, "b": null}') == package.messages.Payload(a=None, b=None)
    for wrong in ('{"a": {"x": 5}}', '{"b": {"x": 5}}', '{"a": {}}'):
        with pytest.raises(PayloadError):
            codec.decode(wrong)


def test_an_array_that_may_be_of_several_lengths_refuses_all_that_is_no_array(tmp_path: Path) -> None:
    schema = {"type": "array", "items": [{"type": ["string", "null"]}, {"enum": [1, 2]}]}
    codec = codec_of(tmp_path, schema)
    assert codec.decode('["a", 1, 5]').payload == ("a", 1, 5)
    for payload in ('{"a": 1}', "5", "null", "[1]"):
        with pytest.raises(PayloadError):
            codec.decode(payload)


def test_a_union_may_have_arrays_of_what_the_decoder_needs_a_stand_in_for(tmp_path: Path) -> None:
    text = [{"type": "string", "format": "date"}, {"type": "string", "format": "time"}, STRING]
    codec = codec_of(tmp_path, _field({"oneOf": [{"type": "array", "items": {"anyOf": text}}, {"type": "boolean"}]}))
    assert json.loads(codec.encode(codec.decode('{"x": ["2024-01-02", "b"]}'))) == {"x": ["2024-01-02", "b"]}
    assert codec.decode('{"x": true}').x is True
