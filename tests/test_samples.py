"""Payloads made from schemas: valid ones, ones that break a keyword, and hostile schemas that give none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sockspec import ir
from sockspec.choices import Choices
from sockspec.diagnostics import Severity
from sockspec.pipeline import examine
from sockspec.runtime.judge import Schemas
from sockspec.samples import Broken, Judge, NoSample, broken, valid
from sockspec.samples import expressions as expressions_module
from tests.corpus import documents
from tests.payloads import api_of
from tests.test_json_schema_suite import DRAFTS, groups, judge_of

ROOT = Path(__file__).parents[1]
OURS = sorted((ROOT / "generated").glob("*/schemas.json"))

UNSATISFIABLE = {"partialTranscript", "finalTranscript"}
"""Messages of real documents that no payload fits: their parts ask for two values of `message_type` at once."""

WITHOUT_SAMPLE = {"draft7": 0, "draft2020-12": 2}
"""Schemas of the JSON Schema Test Suite that have valid payloads, of which none is found."""


def judge_for(schema: object) -> Judge:
    return Judge({"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"It": schema}})


def sample(schema: object) -> Any:
    return valid(judge_for(schema), "#/definitions/It", count=1)[0]


def breaks(schema: object, payload: object) -> list[Broken]:
    return broken(judge_for(schema), "#/definitions/It", payload)


def runtime_judge(schemas: object) -> Schemas:
    text = json.dumps(schemas)
    return Schemas(lambda: text)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.parent.name)
def test_every_schema_of_our_packages_has_samples_on_which_the_runtime_agrees(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    judge, runtime = Judge(document), runtime_judge(document)
    for name in document["definitions"]:
        reference = f"#/definitions/{name}"
        for payload in valid(judge, reference):
            assert runtime.faults(reference, payload) == ()
            for wrong in broken(judge, reference, payload):
                assert runtime.faults(reference, wrong.payload) != ()


@pytest.mark.slow
def test_every_message_of_real_documents_has_samples_or_none_is_possible(shared: Path, told: list[str]) -> None:
    without: dict[str, str] = {}
    counted: Counter[str] = Counter()
    for path, messages in documents():
        api, _ = examine(path, name=path.name, choices=Choices(messages=messages), wholly=False)
        if api is None:
            continue
        judge = Judge(api.schemas)
        for message in api.messages:
            counted["messages"] += 1
            try:
                found = valid(judge, message.payload.schema, count=2, examples=[e.payload for e in message.examples])
            except NoSample as none:
                without[message.name] = str(none)
                continue
            counted["samples"] += len(found)
            counted["broken"] += len(broken(judge, message.payload.schema, found[0], most=20))
    assert without == dict.fromkeys(UNSATISFIABLE, "nothing is allowed")
    assert counted["messages"] > 700
    assert counted["broken"] > 4 * counted["messages"]
    told.append(f"samples of real documents: {dict(counted)}")


@pytest.mark.parametrize("draft", DRAFTS)
def test_samples_of_the_json_schema_test_suite_are_valid_by_jsonschema(
    draft: str, shared: Path, tmp_path: Path, told: list[str]
) -> None:
    suite = shared / "oracle" / "json-schema-test-suite"
    without, wrong, found = list[str](), list[str](), 0
    for group in (group for each in groups(suite, draft) for group in each):
        if group.name == "ref: $ref prevents a sibling $id from changing the base uri":
            continue  # the one schema with another verdict, as docs/schema-support.md says
        (tmp_path / "case.json").write_text(json.dumps(group.schema), encoding="utf-8")
        api, report = api_of(tmp_path, {"Case": {"$ref": "case.json"}}, dialect=DRAFTS[draft])
        if any(diagnostic.severity is Severity.ERROR for diagnostic in report.sorted()):
            continue
        judge, reference = Judge(api.schemas), api.messages[0].payload.schema
        official = judge_of(suite, draft, group.schema)
        try:
            payloads = valid(judge, reference)
        except NoSample:
            if any(test["valid"] for test in group.tests):
                without.append(group.name)
            continue
        found += len(payloads)
        wrong += [f"{group.name}: {payload!r}" for payload in payloads if not official.is_valid(payload)]
        for case in broken(judge, reference, payloads[0]):
            wrong += [f"{group.name}: {case!r}"] if official.is_valid(case.payload) else []
    told.append(f"{draft}: {found} samples of the suite's schemas, none of {without}")
    assert wrong == []
    assert len(without) == WITHOUT_SAMPLE[draft]
    assert found > 450


def test_the_same_seed_gives_the_same_samples_and_another_gives_others() -> None:
    schema = {"type": "object", "properties": {f"p{n}": {"type": "integer"} for n in range(8)}}
    judge = judge_for(schema)
    first, again, other = (valid(judge, "#/definitions/It", seed=seed, count=6) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_same_seed_gives_the_same_samples_in_another_process() -> None:
    program = (
        "import json, sys; from sockspec.samples import Judge, broken, valid\n"
        "schema = {'not': {'type': 'object'}, 'anyOf': [{'type': ['string', 'null', 'array']}, {'type': 'boolean'}]}\n"
        "free = {'properties': {name: schema for name in 'abcdef'}, 'required': ['f', 'b']}\n"
        "judge = Judge({'definitions': {'It': free}}); found = valid(judge, '#/definitions/It', count=20)\n"
        "print(json.dumps([found, [case.payload for case in broken(judge, '#/definitions/It', found[0])]]))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "generator")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1


def test_first_come_the_examples_that_are_valid_then_the_least_then_all() -> None:
    judge = judge_for(
        {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["a"]}
    )
    found = valid(judge, "#/definitions/It", examples=[{"a": 1}, {"a": "shown"}], count=3)
    assert found == [{"a": "shown"}, {"a": "text"}, {"a": "text", "b": 1}]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "pattern": "^[A-Z]{2}-\\d{3}$"}, "AA-000"),
        ({"type": "string", "pattern": "^[a-z]+$", "minLength": 5, "maxLength": 5}, "aaaaa"),
        ({"type": "string", "pattern": r"^(?=.*\d)(?=.*[A-Z]).{8,}$"}, None),
        ({"type": "string", "minLength": 9, "maxLength": 9}, "texttextt"),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001}, 0.0005),
        ({"type": "integer", "minimum": 7, "multipleOf": 5}, 10),
        ({"type": "number", "multipleOf": 0.25, "minimum": 0.1, "maximum": 0.3}, 0.25),
        ({"type": ["null", "string"]}, "text"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1),
        ({"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 3}, None),
        ({"type": "array", "items": [{"const": "a"}, {"type": "integer"}], "minItems": 2}, ["a", 1]),
        ({"type": "array", "contains": {"const": 7}}, [7]),
        ({"type": "object", "minProperties": 2, "patternProperties": {"^x-": {"const": 1}}}, None),
        ({"type": "object", "propertyNames": {"pattern": "^[a-z]{3}$"}, "minProperties": 1}, None),
        ({"type": "object", "required": ["a"], "dependencies": {"a": ["b"]}}, {"a": None, "b": None}),
        ({"type": "string", "not": {"minLength": 3}}, "te"),
        ({"if": {"required": ["a"]}, "then": {"required": ["b"]}, "required": ["a"]}, None),
        ({"oneOf": [{"type": "integer", "multipleOf": 3}, {"type": "integer", "multipleOf": 5}]}, None),
        ({"allOf": [{"required": ["a"]}, {"properties": {"a": {"const": 1}}, "type": "object"}]}, {"a": 1}),
        ({"type": "string", "format": "date-time"}, "2025-03-01T10:05:12Z"),
    ],
    ids=repr,
)
def test_a_sample_obeys_each_keyword(schema: object, expected: object) -> None:
    found = sample(schema)
    assert runtime_judge(judge_for(schema).document).faults("#/definitions/It", found) == ()
    if expected is not None and not (isinstance(expected, dict) and None in expected.values()):
        assert found == expected


def test_recursion_ends_where_it_may() -> None:
    tree = {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/definitions/It"}}}}
    judge = judge_for({**tree, "required": ["children"]})
    least, full = valid(judge, "#/definitions/It", count=2)
    assert least == {"children": []}
    assert json.dumps(full).count("children") < 10


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (False, "nothing is allowed"),
        ({"$ref": "#/definitions/It"}, "the schemas refer to each other without an end"),
        ({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/definitions/It"}}}, "endless nesting"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "no type fits all"),
        ({"type": "array", "minItems": 10**9}, "1000000000 items are asked for"),
        ({"type": "string", "minLength": 10**9}, "a text of 1000000000 characters is asked for"),
        ({"type": "string", "pattern": "^a{4000000}$"}, "a very long text"),
        ({"type": "object", "minProperties": 10**9}, "1000000000 properties are asked for"),
        ({"enum": []}, "no value fits"),
        ({"type": "string", "pattern": "^(a+)+$", "minLength": 60}, "no value fits"),
        ({"$ref": "#/definitions/Missing"}, "there is no schema at '#/definitions/Missing'"),
    ],
    ids=repr,
)
def test_no_sample_is_a_reason_and_not_an_invalid_payload(schema: object, why: str) -> None:
    with pytest.raises(NoSample, match=why):
        sample(schema)


@pytest.mark.parametrize(
    "definitions",
    [
        {f"L{n}": {"allOf": [{"$ref": f"#/definitions/L{n + 1}"}] * 2} for n in range(40)} | {"L40": {}},
        {f"L{n}": {"anyOf": [{"$ref": f"#/definitions/L{n + 1}"}] * 2} for n in range(40)} | {"L40": {"type": "null"}},
        {"L0": {"type": "array", "items": {"$ref": "#/definitions/L0"}, "minItems": 2, "maxItems": 2}},
        {"L0": {"type": "object", "properties": {f"p{n}": {"$ref": "#/definitions/L0"} for n in range(50)}}},
        {"L0": {"type": "string", "pattern": "^(a|a)*$"}},
        {"L0": {"type": "string", "pattern": "(((a*)*)*)*b"}},
        {"L0": {"type": "object", "patternProperties": {"^(a+)+$": {"type": "integer"}}, "minProperties": 3}},
        {"L0": {"enum": list(range(20_000)), "not": {"maximum": 19_998}}},
        {"L0": {"oneOf": [{"type": "integer", "minimum": n} for n in range(2_000)]}},
    ],
    ids=lambda definitions: json.dumps(definitions)[:60],
)
def test_hostile_schemas_come_to_an_end(definitions: dict[str, object]) -> None:
    judge = Judge({"definitions": definitions})
    try:
        found = valid(judge, "#/definitions/L0")
    except NoSample:
        return
    for payload in found:
        broken(judge, "#/definitions/L0", payload)


@pytest.mark.parametrize(
    ("schema", "payload", "expected"),
    [
        ({"type": "integer", "minimum": 3, "maximum": 9}, 5, {("type", "text"), ("minimum", 2), ("maximum", 10)}),
        ({"minLength": 2, "maxLength": 3}, "abc", {("minLength", "a"), ("maxLength", "abcc")}),
        ({"enum": ["a", "b"]}, "a", {("enum", "ax")}),
        ({"const": "join"}, "join", {("const", "joinx")}),
        ({"exclusiveMinimum": 1}, 2, {("exclusiveMinimum", 1)}),
        ({"multipleOf": 5}, 10, {("multipleOf", 11)}),
        ({"format": "date"}, "2025-03-01", {("format", "not-a-format")}),
        ({"pattern": "^a+$"}, "aa", {("pattern", "aa!")}),
    ],
    ids=lambda value: repr(sorted(value, key=repr)) if isinstance(value, set) else repr(value),
)
def test_a_keyword_is_broken_at_its_boundary(schema: object, payload: object, expected: set[Any]) -> None:
    assert {(case.keyword, case.payload) for case in breaks(schema, payload)} == expected


@pytest.mark.parametrize(
    ("schema", "payload", "keyword"),
    [
        ({"required": ["a", "b"]}, {"a": 1, "b": 2}, "required"),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"a": 1}, "additionalProperties"),
        ({"uniqueItems": True}, [1, 2], "uniqueItems"),
        ({"minItems": 2}, [1, 2], "minItems"),
        ({"maxItems": 2}, [1], "maxItems"),
        ({"items": [{}, {}], "additionalItems": False}, [1, 2], "additionalItems"),
        ({"contains": {"const": 7}}, [7, 8], "contains"),
        ({"minProperties": 1}, {"a": 1}, "minProperties"),
        ({"maxProperties": 1}, {"a": 1}, "maxProperties"),
        ({"propertyNames": {"pattern": "^[a-z]$"}}, {"a": 1}, "propertyNames"),
        ({"dependencies": {"a": ["b"]}}, {"a": 1, "b": 2}, "dependencies"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1, "anyOf"),
        ({"not": {"type": "object"}, "type": ["array", "object"]}, [], "not"),
    ],
    ids=repr,
)
def test_a_keyword_of_arrays_objects_and_alternatives_is_broken(schema: object, payload: object, keyword: str) -> None:
    keywords = {case.keyword for case in breaks(schema, payload)}
    assert keyword in keywords


def test_each_missing_member_is_a_case_of_its_own() -> None:
    cases = breaks({"type": "object", "required": ["a", "b"]}, {"a": 1, "b": 2})
    assert [case.payload for case in cases if case.keyword == "required"] == [{"b": 2}, {"a": 1}]


def test_a_neighbour_that_is_a_message_of_another_kind_is_left_out() -> None:
    schema = {"properties": {"type": {"const": "join"}}, "required": ["type"]}
    judge = judge_for(schema)

    def is_other(payload: Any) -> bool:
        return isinstance(payload, dict) and payload.get("type") == "joinx"

    told = {json.dumps(case.payload) for case in broken(judge, "#/definitions/It", {"type": "join"})}
    kept = {json.dumps(case.payload) for case in broken(judge, "#/definitions/It", {"type": "join"}, other=is_other)}
    assert json.dumps({"type": "joinx"}) in told
    assert json.dumps({"type": "joinx"}) not in kept


def test_nothing_is_broken_of_a_payload_that_is_not_valid() -> None:
    assert breaks({"type": "integer"}, "text") == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\d{4}-\d{2}$",
        r"a|b",
        r"[^abc]+",
        r"(?P<x>a)(?P=x)",
        r"\w+@\w+\.com",
        r"^(?:x|y)?z*$",
        r"[\u4e00-\u9fff]+",
        r"\S\s\D",
    ],
)
def test_texts_match_their_expression(pattern: str) -> None:
    assert expressions_module.matches(pattern, sample({"type": "string", "pattern": pattern}))


def test_the_reference_of_a_message_without_a_schema_stands_for_anything() -> None:
    assert valid(Judge({}), "", count=2, examples=["shown"]) == ["shown", {}]


def test_ir_says_where_the_schema_of_a_message_is(tmp_path: Path) -> None:
    api, _ = api_of(tmp_path, {"Case": {"type": "integer"}})
    message: ir.Message = api.messages[0]
    assert valid(Judge(api.schemas), message.payload.schema, count=1) == [1]
