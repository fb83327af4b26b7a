"""Random schemas and payloads: a codec accepts exactly what the validator accepts, and gives back what it was given."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sockspec.runtime import PayloadError
from sockspec.runtime.formats import FORMATS
from sockspec.runtime.jsontext import NotJson, parse
from tests.payloads import api_of, package_of

NAMES = ("a", "b", "type")
LEAVES: list[dict[str, Any]] = [
    {},
    {"type": "string"},
    {"type": "string", "minLength": 1, "maxLength": 3},
    {"type": "string", "pattern": "^[a-z]*$"},
    {"type": "integer"},
    {"type": "integer", "minimum": 0, "exclusiveMaximum": 10},
    {"type": "integer", "multipleOf": 3},
    {"type": "number"},
    {"type": "number", "exclusiveMinimum": 0},
    {"type": "number", "multipleOf": 0.5},
    {"type": "boolean"},
    {"type": "null"},
    {"type": ["string", "null"]},
    {"type": ["integer", "string"]},
    {"type": "string", "nullable": True},
    {"enum": ["a", 1, None]},
    {"enum": [1, 2]},
    {"enum": ["x", "y"]},
    {"const": "a"},
    {"const": True},
    {"const": 1.5},
    {"not": {"type": "string"}},
    *({"type": "string", "format": name} for name in FORMATS),
]
TEXTS = """1 1.0 1e2 -0.0 0 3 9 10 1.5 0.5 true false null "" "a" "x" "abc" "abcd" "a\\n" "A" 1e308 5e-324 1e400 NaN
12345678901234567890123 "2024-01-01T00:00:00Z" "2024-01-01t00:00:00z" "2024-01-01~00:00:00Z" "2024-01-01T00:00:00+0100"
"2016-12-31T23:59:60Z" "2024-01-01T00:00:00.123456789Z" "2024-01-01T00:00:00" "2024-01-01" "2024-W01-1" "12:00:00Z" "12:00:00"
"0d4f2b7c-3a51-4f0e-9a7e-5c2f3c9d1e88" "0d4f2b7c3a514f0e9a7e5c2f3c9d1e88" "c29ja3M=" "c29ja3M" "1.50" "1.0e5" "NaN"
"\\ud800" "\\u0663" [] {}""".split("\n")
SCALARS = [text.replace("~", " ") for line in TEXTS for text in line.split(" ")]


def _objects(of: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda properties, required, closing, nullable: {
            "type": "object",
            "properties": properties,
            "required": required,
            **closing,
            **nullable,
        },
        st.dictionaries(st.sampled_from(NAMES), of, max_size=3),
        st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
        st.one_of(
            st.sampled_from([{}, {"additionalProperties": False}, {"minProperties": 1}]),
            st.builds(lambda schema: {"additionalProperties": schema}, of),
            st.builds(lambda schema: {"patternProperties": {"^[bt]": schema}}, of),
            st.builds(lambda schema: {"if": {"required": ["a"]}, "then": schema}, of),
        ),
        st.sampled_from([{}, {}, {"nullable": True}]),
    )


def _compound(of: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    tagged = st.builds(
        lambda word, one, other: {
            word: [
                {"type": "object", "required": ["type"], "properties": {"type": {"const": "a"}, "a": one}},
                {"type": "object", "required": ["type"], "properties": {"type": {"const": "b"}, "a": other}},
            ]
        },
        st.sampled_from(["oneOf", "anyOf"]),
        of,
        of,
    )
    arrays = st.builds(
        lambda items, bounds: {"type": "array", "items": items, **bounds},
        of | st.lists(of, min_size=1, max_size=2),
        st.sampled_from(
            [{}, {"minItems": 1}, {"minItems": 2, "additionalItems": False}, {"maxItems": 1}, {"uniqueItems": True}]
        ),
    )
    unions = st.builds(
        lambda word, members: {word: members},
        st.sampled_from(["oneOf", "anyOf", "allOf"]),
        st.lists(of, min_size=1, max_size=3),
    )
    return st.one_of(_objects(of), _objects(of), arrays, tagged, unions)


SCHEMAS = st.recursive(st.sampled_from(LEAVES), _compound, max_leaves=6)
INNER = [text for text in SCALARS if text != "1e400"]
"""What stands inside of payloads: a number beyond all floats is not noticed where nobody reads it."""
PAYLOADS = st.recursive(
    st.sampled_from(INNER),
    lambda of: st.one_of(
        st.lists(of, max_size=3).map(lambda items: f"[{','.join(items)}]"),
        st.lists(st.tuples(st.sampled_from([*NAMES, "c"]), of), max_size=4).map(
            lambda members: "{" + ",".join(f'"{name}":{value}' for name, value in members) + "}"
        ),
    ),
    max_leaves=8,
)


def _judge(schema: dict[str, Any]) -> Any:
    checker = jsonschema.FormatChecker(formats=())
    for name, check in FORMATS.items():
        checker.checks(name)(lambda value, check=check: not isinstance(value, str) or check(value))
    return jsonschema.Draft7Validator(_nullable(schema), format_checker=checker)


def _nullable(schema: Any) -> Any:
    """The schema with null allowed where the old keyword says so, as the generator reads it."""
    if isinstance(schema, list):
        return [_nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {word: _nullable(one) for word, one in schema.items() if word != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


def _valid(judge: Any, text: str) -> bool:
    try:
        return bool(judge.is_valid(parse(text)))
    except NotJson:
        return False


def _same(original: Any, again: Any) -> bool:
    """Whether what came back means what went in: the same values, formats in any spelling, unknown properties gone."""
    if isinstance(original, dict) and isinstance(again, dict):
        return all(name in original and _same(original[name], value) for name, value in again.items())
    if isinstance(original, list) and isinstance(again, list):
        return len(original) == len(again) and all(map(_same, original, again))
    if not isinstance(original, str) or original == again:
        same_kind = isinstance(original, bool) == isinstance(again, bool)
        # Beyond 2**53 integers may come back as the floats nearest to them (RFC 8259, section 6).
        is_near = isinstance(original, int) and isinstance(again, float) and float(original) == again
        return same_kind and (is_near or bool(original == again))
    readers = (_moment, Decimal, UUID, dt.date.fromisoformat, dt.time.fromisoformat)
    return isinstance(again, str) and any(_reads_alike(reader, original, again) for reader in readers)


def _moment(text: str) -> dt.datetime:
    return msgspec.convert(text, dt.datetime)


def _reads_alike(read: Callable[[str], object], left: str, right: str) -> bool:
    try:
        return read(left) == read(right)
    except (ValueError, ArithmeticError):
        return False


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(SCHEMAS, st.lists(PAYLOADS, min_size=10, max_size=20))
def test_a_codec_accepts_what_the_validator_accepts_and_gives_it_back(
    schema: dict[str, Any], payloads: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        api = api_of(Path(name), {"Payload": schema})[0]
        _hold(package_of(Path(name), api).codecs.ALL_FROM_CLIENT, schema, [*payloads, *SCALARS])


def _hold(codec: Any, schema: dict[str, Any], texts: list[str]) -> None:
    judge, written = _judge(schema), json.dumps(schema)
    for text in texts:
        expected = _valid(judge, text)
        try:
            message = codec.decode(text)
        except PayloadError:
            assert not expected, f"refused {text} of {written}"
            continue
        assert expected, f"accepted {text} of {written}"
        if type(message) in codec.messages:
            again = codec.encode(message)
            assert _valid(judge, again), f"{text} came back as {again} of {written}"
            assert codec.decode(again) == message, f"{text} became another as {again} of {written}"
            assert _same(parse(text), parse(again)), f"{text} came back as {again} of {written}"
