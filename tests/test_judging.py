"""Examples and defaults are judged as the JSON Schema Test Suite wants it, and in bounded time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sockspec.diagnostics import Report
from sockspec.pipeline import check
from sockspec.rules.schemas import Schema
from sockspec.rules.subject import Subject
from sockspec.rules.verdict import Verdicts
from sockspec.spec.resolve import Documents
from sockspec.spec.source import load_text
from sockspec.spec.version import kind
from tests.test_json_schema_suite import Group, groups, judge_of

HEADS = {
    "draft7": {"asyncapi": "3.0.0", "info": {"title": "t", "version": "1"}},
    "draft2020-12": {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}},
}


def subject_of(folder: Path, found: list[Group], draft: str) -> tuple[Subject, dict[int, Schema]]:
    """A document that refers to each schema in a file of its own, and those schemas by their numbers."""
    for number, group in enumerate(found):
        (folder / f"case{number}.json").write_text(json.dumps(group.schema), encoding="utf-8")
    references = {f"Case{number}": {"$ref": f"case{number}.json"} for number in range(len(found))}
    report = Report()
    text = json.dumps({**HEADS[draft], "components": {"schemas": references}})
    document = load_text(text, path=folder / "document.json", report=report)
    what = kind(document, report)
    assert what is not None
    subject = Subject(Documents(document, report), what)
    listed = subject.root.get("components")
    schemas = listed.get("schemas") if listed is not None else None
    read = {number: node for number, (_, node) in enumerate(schemas.items() if schemas is not None else ())}
    subject.documents.check()
    broken = {
        int(d.location.path.rpartition("case")[2].split(".")[0]) for d in report.sorted() if "case" in d.location.path
    }
    return subject, {
        n: s for n, node in read.items() if n not in broken and (s := subject.schemas.of(node)) is not None
    }


OTHERWISE = {
    "unevaluatedItems: unevaluatedItems with $dynamicRef": "the same",
    "unevaluatedProperties: unevaluatedProperties with $dynamicRef": "the same",
    "dynamicRef": "`$dynamicRef` is not followed, so that all is taken for valid",
    "ref: $ref prevents a sibling $id from changing the base uri": "`$id` beside `$ref` is none of draft-07",
}
"""Schemas of the suite with another verdict, and why."""


@pytest.mark.parametrize(("draft", "least", "quickly"), [("draft7", 700, 0.75), ("draft2020-12", 900, 0.6)])
def test_values_are_judged_as_the_suite_wants_it(
    shared: Path, tmp_path: Path, draft: str, least: int, quickly: float
) -> None:
    suite = shared / "oracle" / "json-schema-test-suite"
    judged = quick = 0
    wrong: list[str] = []
    for number, found in enumerate(groups(suite, draft)):
        folder = tmp_path / str(number)
        folder.mkdir()
        subject, schemas = subject_of(folder, found, draft)
        verdicts = Verdicts(subject.schemas)
        for index, schema in schemas.items():
            group = found[index]
            judge = judge_of(suite, draft, group.schema)
            for value in (test["data"] for test in group.tests):
                is_valid = judge.is_valid(value)
                answer = verdicts.of(schema, value)
                judged += 1
                quick += answer is not None
                told = subject.judging.faults(schema, value, "the value")
                if (answer is not None and answer is not is_valid) or (told != []) is is_valid:
                    wrong.append(f"{group.name}: {json.dumps(value)[:60]} {answer} {bool(told)} {is_valid}")
    assert [line for line in wrong if not line.startswith(tuple(OTHERWISE))] == []
    assert judged > least
    assert quick / judged > quickly


def document(folder: Path, schema: Any) -> list[str]:
    """What is said of an OpenAPI document with a schema."""
    value = {**HEADS["draft2020-12"], "components": {"schemas": {"S": schema}}}
    (folder / "document.json").write_text(json.dumps(value), encoding="utf-8")
    return [f"{d.code.id} {d.message}" for d in check(folder / "document.json", name="document.json")[1].sorted()]


def test_references_that_double_at_each_step_end_without_a_verdict(tmp_path: Path) -> None:
    defs = {f"a{n}": {"anyOf": [{"$ref": f"#/components/schemas/S/$defs/a{n + 1}"}] * 2} for n in range(40)}
    schema = {"$ref": "#/components/schemas/S/$defs/a0", "$defs": {**defs, "a40": {"const": 1}}, "default": 2}
    assert document(tmp_path, schema) == []


def test_an_expression_that_never_ends_is_not_run(tmp_path: Path) -> None:
    schema = {"type": "string", "pattern": "^(a+)+$", "default": "a" * 60 + "!"}
    polynomial = {"type": "string", "pattern": "^" + "a*" * 12 + "$", "default": "a" * 5_000 + "!"}
    assert document(tmp_path, {"anyOf": [schema, polynomial]}) == []


def test_a_value_that_lies_too_deep_is_left_alone(tmp_path: Path) -> None:
    schema: dict[str, Any] = {"type": "array", "items": {"$ref": "#/components/schemas/S"}}
    value: Any = [5]
    for _ in range(300):
        value = [value]
    assert document(tmp_path, {**schema, "default": value}) == []


def test_thousands_of_wrong_values_are_said_in_a_few_sentences(tmp_path: Path) -> None:
    schema = {"type": "integer", "enum": [f"v{n}" for n in range(20_000)]}
    assert document(tmp_path, schema) == [
        "invalid-listed-value the value in 'enum' is 'v0'; a whole number was expected (and so for 19999 more)"
    ]


def test_a_document_whose_examples_are_valid_needs_no_other_library(tmp_path: Path) -> None:
    text = """\
asyncapi: 3.0.0
info: {title: t, version: '1'}
channels:
  c:
    address: /
    messages:
      m:
        payload:
          type: object
          required: [type]
          properties:
            type: {const: m}
            at: {type: string, pattern: '^[0-9]+$', default: '5'}
            of: {oneOf: [{type: 'null'}, {type: integer}]}
        examples: [{payload: {type: m, at: '12', of: 3}}]
"""
    (tmp_path / "document.yaml").write_text(text, encoding="utf-8")
    program = (
        "import sys, pathlib; from sockspec.pipeline import check; "
        f"print(check(pathlib.Path({str(tmp_path / 'document.yaml')!r}))[1].sorted(), 'jsonschema' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[] False\n"
