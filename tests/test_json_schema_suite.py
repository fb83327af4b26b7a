"""The JSON Schema Test Suite through generated codecs: the verdict is the validator's, or the schema is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from jsonschema import FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7, DRAFT202012

from sockspec.diagnostics import Severity
from sockspec.runtime import Codec, PayloadError
from sockspec.runtime.formats import FORMATS
from sockspec.schema import Dialect
from tests.payloads import api_of, package_of

DRAFTS = {"draft7": Dialect.ASYNCAPI, "draft2020-12": Dialect.OPENAPI_31}
VALIDATORS = {"draft7": jsonschema.Draft7Validator, "draft2020-12": jsonschema.Draft202012Validator}
DEFAULTS = {"draft7": DRAFT7, "draft2020-12": DRAFT202012}
PAGE = Path(__file__).parents[1] / "docs" / "schema-support.md"
_TESTED = {"draft7": 800, "draft2020-12": 1_000}
"""How many tests have to come as far as a verdict, so that no fault can make the test empty."""


_EXCEPT = "ref: $ref prevents a sibling $id from changing the base uri"
"""The one schema with another verdict; the page says why."""


@dataclass(frozen=True, slots=True)
class Group:
    """A schema of the suite with its tests."""

    name: str
    schema: Any
    tests: tuple[dict[str, Any], ...]


def groups(suite: Path, draft: str) -> Iterator[list[Group]]:
    """The required tests, a list for each file."""
    for path in sorted((suite / "tests" / draft).glob("*.json")):
        yield [
            Group(f"{path.stem}: {group['description']}", group["schema"], tuple(group["tests"]))
            for group in json.loads(path.read_text(encoding="utf-8"))
        ]


def judge_of(suite: Path, draft: str, schema: Any) -> Any:
    """jsonschema with the formats that payloads are held to, and the suite's own remote schemas."""
    specification: Any = DEFAULTS[draft]
    remotes: list[tuple[str, Any]] = []
    for path in (suite / "remotes").rglob("*.json"):
        contents = json.loads(path.read_text(encoding="utf-8"))
        uri = f"http://localhost:1234/{path.relative_to(suite / 'remotes').as_posix()}"
        remotes.append((uri, Resource.from_contents(contents, default_specification=specification)))
    registry: Any = Registry().with_resources(remotes)
    checker = FormatChecker(formats=())
    for name, check in FORMATS.items():
        checker.checks(name)(lambda value, check=check: not isinstance(value, str) or check(value))
    return VALIDATORS[draft](schema, registry=registry, format_checker=checker)


def codecs_of(folder: Path, found: list[Group], draft: str) -> tuple[dict[str, Codec[Any]], dict[str, set[str]]]:
    """A codec for each schema that is generated, and the codes of the errors for each that is refused."""
    refused: dict[str, set[str]] = {}
    for number, group in enumerate(found):
        (folder / f"case{number}.json").write_text(json.dumps(group.schema), encoding="utf-8")
        _, report = api_of(folder, {"Case": {"$ref": f"case{number}.json"}}, dialect=DRAFTS[draft])
        errors = {d.code.id for d in report.sorted() if d.severity is Severity.ERROR}
        if errors:
            refused[group.name] = errors
    kept = {number: group for number, group in enumerate(found) if group.name not in refused}
    payloads = {f"Case{number}": {"$ref": f"case{number}.json"} for number in kept}
    if not kept:
        return {}, refused
    api, _ = api_of(folder, payloads, dialect=DRAFTS[draft])
    given = package_of(folder, api).codecs
    entries = {entry.message.__name__: entry for entry in given.ALL_FROM_CLIENT.entries}
    return {
        group.name: Codec(given.SCHEMAS, replace(entries[f"Case{number}"], tags=(), marks=()))
        for number, group in kept.items()
    }, refused


def accepts(codec: Codec[Any], instance: object) -> bool:
    """Whether the codec takes a payload; the message that it makes of it has to be one that it takes again.

    A schema that names properties without asking for an object takes other values too, which are delivered as they are.
    """
    try:
        decoded = codec.decode(json.dumps(instance))
    except PayloadError:
        return False
    if isinstance(decoded, msgspec.Struct):
        codec.decode(codec.encode(decoded))
    return True


@pytest.mark.parametrize("draft", DRAFTS)
def test_the_verdict_is_that_of_the_validator_and_of_the_suite(
    draft: str, shared: Path, tmp_path: Path, told: list[str]
) -> None:
    suite = shared / "oracle" / "json-schema-test-suite"
    documented = PAGE.read_text(encoding="utf-8")
    tested, wrong, refused = 0, list[str](), dict[str, set[str]]()
    for at, found in enumerate(groups(suite, draft)):
        folder = tmp_path / str(at)
        folder.mkdir()
        codecs, errors = codecs_of(folder, found, draft)
        refused |= errors
        for group in found:
            if group.name not in codecs or (draft, group.name) == ("draft7", _EXCEPT):
                continue
            judge = judge_of(suite, draft, group.schema)
            for test in group.tests:
                tested += 1
                expected = judge.is_valid(test["data"])
                if accepts(codecs[group.name], test["data"]) is not expected:
                    wrong.append(f"{group.name}: {test['description']}: expected {expected}")
    told.append(f"{draft}: {tested} tests of the JSON Schema Test Suite agree, {len(refused)} schemas are refused")
    assert wrong == []
    assert tested > _TESTED[draft]
    undocumented = {
        name: codes for name, codes in refused.items() if not all(f"`{code}`" in documented for code in codes)
    }
    assert undocumented == {}
