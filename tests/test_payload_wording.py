"""What is wrong with payloads, in words for people: a table, and every invalid instance of the JSON Schema Test Suite."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sockspec.spec.payload_wording import refusals
from sockspec.spec.wording import pointer
from tests.test_json_schema_suite import groups, judge_of

COUNT = {"type": "object", "properties": {"data": {"type": "object", "properties": {"count": {"type": "integer"}}}}}
CLOSED = {"type": "object", "properties": {"text": {}, "sender": {}}, "additionalProperties": False}
TEXT = {
    "type": "object",
    "required": ["type", "text"],
    "properties": {"type": {"const": "text"}, "text": {"type": "string"}},
}
IMAGE = {
    "type": "object",
    "required": ["type", "url"],
    "properties": {"type": {"const": "image"}, "url": {"type": "string"}},
}
CREATED = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string"}},
    "additionalProperties": False,
}
FAILED = {
    "type": "object",
    "required": ["code", "why"],
    "properties": {"code": {}, "why": {}},
    "additionalProperties": False,
}

SENTENCES: list[tuple[Any, Any, list[str]]] = [
    (COUNT, {"data": {"count": "three"}}, ["the payload's 'data.count' is 'three'; a whole number was expected"]),
    (COUNT, {"data": {"count": "3"}}, [
        "the payload's 'data.count' is '3'; a whole number was expected (write it without quotes: 3)"
    ]),
    ({"items": {"type": "string"}}, ["a", 5], [
        "the payload's '[1]' is 5; text was expected (write it between quotes: \"5\")"
    ]),
    ({"type": ["string", "null"]}, [], ["the payload is an empty list; text or null was expected"]),
    (CLOSED, {"txet": 1}, [
        "the payload has a property 'txet', which its schema does not have (did you mean 'text'?)"
    ]),
    ({"required": ["text", "sender"], "properties": {"text": {}, "sender": {}}}, {"sendr": 1, "text": 2}, [
        "the payload lacks the property 'sender' (it has 'sendr'; was 'sender' meant?)"
    ]),
    ({"required": ["a", "b"]}, {}, ["the payload lacks the property 'a'", "the payload lacks the property 'b'"]),
    ({"enum": ["lobby", "garden"]}, "gardn", [
        "the payload is 'gardn'; 'lobby' or 'garden' was expected (did you mean 'garden'?)"
    ]),
    ({"enum": list(range(20))}, 30, ["the payload is 30; one of the 20 values of its schema was expected"]),
    ({"const": {"a": 1}}, {}, ["the payload is a mapping; just what its schema has as 'const' (1 property) was expected"]),
    ({"minimum": 1}, 0, ["the payload is 0; at least 1 was expected"]),
    ({"exclusiveMaximum": 5}, 5, ["the payload is 5; less than 5 was expected"]),
    ({"multipleOf": 5}, 7, ["the payload is 7; a multiple of 5 was expected"]),
    ({"minLength": 2}, "a", ["the payload has 1 character; at least 2 were expected"]),
    ({"maxItems": 1}, [1, 2], ["the payload has 2 items; at most 1 was expected"]),
    ({"minProperties": 1}, {}, ["the payload has 0 properties; at least 1 was expected"]),
    ({"pattern": "^a"}, "b", ["the payload is 'b'; text that matches '^a' was expected"]),
    ({"uniqueItems": True}, [1, 2, 1], [
        "the payload has the same item twice (at 0 and 2); the items were expected to differ"
    ]),
    ({"contains": {"const": 5}}, [1], ["the payload has no item of the kind that it has to have (5); at least one was expected"]),
    ({"contains": {"const": 5}}, [], ["the payload has no items (5); at least one was expected"]),
    ({"contains": {"const": 5}, "minContains": 2}, [5], [
        "the payload has too few items of the kind of which at least 2 were expected"
    ]),
    ({"dependentRequired": {"card": ["owner"]}}, {"card": 1}, [
        "the payload has 'card' and so needs the property 'owner'"
    ]),
    ({"propertyNames": {"pattern": "^[a-z]+$"}}, {"A": 1}, [
        "the payload has a property 'A', a name that is not allowed there"
    ]),
    ({"not": {"required": ["old"]}}, {"old": 1}, [
        "the payload is a mapping, which is what it must not be (an object with 'old')"
    ]),
    ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"a": 1}, ["the payload lacks the property 'b'"]),
    ({"properties": {"a": False}}, {"a": 1}, ["the payload's 'a' is 1; no value was expected here"]),
    ({"properties": {"a": {}}, "unevaluatedProperties": False}, {"b": 1}, [
        "the payload has a property 'b', which its schema does not have"
    ]),
    ({"prefixItems": [{}], "items": False}, [1, 2], ["the payload has 2 items, more than its schema has places for"]),
    ({"oneOf": [{"minimum": 1}, {"maximum": 5}]}, 3, [
        "the payload is 3, which fits more than one of 2 alternatives; just one was expected"
    ]),
    ({"anyOf": [{"type": "string"}, {"type": "number"}]}, True, ["the payload is true; text or a number was expected"]),
    ({"anyOf": [{"type": "string"}, {"minimum": 2, "type": "number"}]}, 1, ["the payload is 1; at least 2 was expected"]),
    ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {}, ["the payload lacks a property: 'a' or 'b' was expected"]),
    ({"oneOf": [TEXT, IMAGE]}, {"type": "image", "url": 5}, [
        "the payload's 'url' is 5; text was expected (write it between quotes: \"5\")"
    ]),
    ({"oneOf": [TEXT, IMAGE]}, {"type": "imgae"}, [
        "the payload's 'type' is 'imgae'; 'text' or 'image' was expected (did you mean 'image'?)"
    ]),
    ({"oneOf": [CREATED, FAILED]}, {"id": 5}, [
        "the payload's 'id' is 5; text was expected (write it between quotes: \"5\")"
    ]),
    ({"oneOf": [{"minLength": 4}, {"maxLength": 2}], "type": "string"}, "abc", [
        "the payload is 'abc', which fits none of 2 alternatives"
    ]),
    ({"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"oneOf": [TEXT, {"type": "null"}]}}}, {"a": {"type": "text"}}, [
        "the payload's 'a' lacks the property 'text'"
    ]),
]  # fmt: skip


def said(schema: Any, payload: Any) -> list[str]:
    """What is said of a payload, hints in brackets."""
    found = refusals(Draft202012Validator(schema).iter_errors(payload), payload)
    return [f"{one.message} ({one.hint})" if one.hint else one.message for one in found]


@pytest.mark.parametrize(("schema", "payload", "expected"), SENTENCES, ids=[str(n) for n in range(len(SENTENCES))])
def test_a_fault_is_told_in_a_sentence(schema: Any, payload: Any, expected: list[str]) -> None:
    assert said(schema, payload) == expected


def test_the_whole_is_called_as_it_is_told() -> None:
    found = refusals(Draft202012Validator(COUNT).iter_errors({"data": 5}), {"data": 5}, "the example's headers")
    assert [one.message for one in found] == ["the example's headers' 'data' is 5; a mapping was expected"]


def test_an_unexpected_property_is_told_at_its_key_and_a_missing_one_at_its_object() -> None:
    schema = {"properties": {"a": {**CLOSED, "required": ["text"]}}}
    found = refusals(Draft202012Validator(schema).iter_errors({"a": {"b": 1}}), {"a": {"b": 1}})
    assert [(one.keyword, pointer(one.path), one.at_key) for one in found] == [
        ("additionalProperties", "/a/b", True),
        ("required", "/a", False),
    ]


def test_no_more_is_told_of_a_payload_than_anybody_reads() -> None:
    payload = [*range(100)]
    assert len(said({"items": {"type": "string"}}, payload)) == 10


_FOREIGN = re.compile(
    r"is not valid under|valid under each|does not match|should not be valid|is a required property|is not of type"
    r"|not allowed \(|were unexpected|was unexpected|do not match|is a dependency|does not contain|False schema"
    r"|is not one of|was expected to|is too (?:long|short)|non-empty|deque\("
)


@pytest.mark.parametrize(("draft", "least"), [("draft7", 350), ("draft2020-12", 500)])
def test_every_invalid_instance_of_the_suite_is_told_of_in_our_own_words(shared: Path, draft: str, least: int) -> None:
    suite = shared / "oracle" / "json-schema-test-suite"
    count = 0
    for group in (each for found in groups(suite, draft) for each in found):
        judge = judge_of(suite, draft, group.schema)
        for payload in (test["data"] for test in group.tests if not test["valid"]):
            found = refusals(judge.iter_errors(payload), payload)
            if not found:  # a format that is not looked at, or a dialect that jsonschema does not know
                assert judge.is_valid(payload), group.name
                continue
            count += 1
            for one in found:
                value: Any = payload
                for key in one.path if not one.at_key else one.path[:-1]:
                    value = value[key]
                assert one.message.startswith("the payload"), group.name
                assert not _FOREIGN.search(one.message), (group.name, one.message)
                assert "\n" not in one.message
    assert count > least
