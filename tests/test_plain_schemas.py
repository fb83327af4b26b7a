"""Schemas that are passed without a look at the meta-schema: none of them may be one that the meta-schema refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema.exceptions import SchemaError
from openapi_schema_validator import OAS31Validator, OAS32Validator, oas31_format_checker

from sockspec.spec.plain_schemas import is_plain

_LEAVES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, 1, -1, 1.5, 2.0, "", "string", "integer", "^a+$", "(", "#/x", [], {}, ["string", "null"]]
)
_WORDS = st.sampled_from(
    [
        *("type", "required", "enum", "const", "default", "examples", "example", "pattern", "format", "title"),
        *("minLength", "maximum", "exclusiveMinimum", "uniqueItems", "deprecated", "contentEncoding", "$ref", "$id"),
        *("items", "additionalProperties", "not", "if", "unevaluatedItems", "allOf", "anyOf", "prefixItems"),
        *("properties", "patternProperties", "dependentSchemas", "dependentRequired", "dependencies", "$defs"),
        *("definitions", "discriminator", "xml", "externalDocs", "x-note", "nullable", "$anchor", "$schema"),
    ]
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.dictionaries(_WORDS | st.sampled_from(["name", "("]), inner, max_size=3) | st.lists(inner, max_size=2)
    ),
    max_leaves=8,
)


def judged(value: Any) -> bool:
    try:
        for dialect in (OAS31Validator, OAS32Validator):
            dialect.check_schema(value, format_checker=oas31_format_checker)
    except SchemaError:
        return False
    return True


@given(st.dictionaries(_WORDS, _VALUES, max_size=4))
def test_a_plain_schema_is_one_that_the_meta_schema_accepts(schema: dict[str, Any]) -> None:
    assert not is_plain(schema) or judged(schema)


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"type": ["string", "null"], "pattern": "^a+$", "minLength": 1, "examples": ["a"]},
        {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/b"}}, "additionalProperties": False},
        {"oneOf": [{"const": 1}, {"enum": [1, "a"], "default": None}], "x-note": 1},
        {"type": "array", "prefixItems": [True], "items": {"minimum": 1.5}, "uniqueItems": True},
    ],
)
def test_usual_schemas_are_plain(schema: Any) -> None:
    assert is_plain(schema)
    assert judged(schema)


@pytest.mark.parametrize(
    "schema",
    [
        *(None, 1, "string", []),
        {"type": "strin"},
        {"type": []},
        {"type": ["string", "string"]},
        {"pattern": "("},
        {"minLength": -1},
        {"minimum": True},
        {"required": ["a", "a"]},
        {"allOf": []},
        {"properties": {"a": {"type": 1}}},
        {"$id": "a#b"},
        {"$schema": "https://json-schema.org/draft/2020-12/schema"},
    ],
)
def test_what_may_be_wrong_is_for_the_meta_schema(schema: Any) -> None:
    assert not is_plain(schema)
