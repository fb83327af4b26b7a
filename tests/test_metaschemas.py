"""Our meta-schemas of AsyncAPI, held to the official JSON Schemas: over real documents, and over damaged ones."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry
from referencing.jsonschema import DRAFT7

from sockspec.diagnostics import Report
from sockspec.spec.metaschema import VERSIONS, metaschema
from sockspec.spec.source import Unreadable, load
from sockspec.spec.structure import faults

EVERY_PROTOCOL = Path(__file__).parent / "documents/every-protocol.yaml"
LARGEST = 12_000


@cache
def official(shared: Path, version: str) -> Draft7Validator:
    """The official JSON Schema of a version."""
    schema = json.loads((shared / "oracle/asyncapi" / f"{version}.0.json").read_text(encoding="utf-8"))
    # Its parts are found by their identifiers once, and not again for each document.
    registry = Registry[Any]().with_resource(schema["$id"], DRAFT7.create_resource(schema)).crawl()
    return Draft7Validator({"$ref": schema["$id"]}, registry=registry)


def accepts(version: str, document: Any) -> bool:
    """Our own verdict."""
    return all(fault.keyword == "format" for fault in faults(metaschema(version), document))


def disagreements(shared: Path, documents: Iterator[tuple[str, str, Any]]) -> tuple[int, list[str]]:
    """How many documents there are, and those about which the two verdicts differ."""
    count, differing = 0, []
    for name, version, document in documents:
        count += 1
        expected = official(shared, version).is_valid(document)
        if accepts(version, document) != expected:
            differing.append(f"{name}: officially {'valid' if expected else 'invalid'}: {json.dumps(document)[:2000]}")
    return count, differing


def corpus(shared: Path, *folders: str) -> Iterator[tuple[str, str, Any]]:
    """Name, minor version and value of each document in the corpus; the version's last number is made 0."""
    for folder in folders:
        for path in sorted((shared / "corpus" / folder).rglob("*")):
            if path.suffix not in (".yaml", ".yml", ".json"):
                continue
            try:
                value = load(path, report=Report(), any_root=True).value
            except Unreadable:
                continue
            written = value.get("asyncapi") if isinstance(value, dict) else None
            version = written.rpartition(".")[0] if isinstance(written, str) else ""
            if isinstance(value, dict) and version in VERSIONS:
                yield path.relative_to(shared).as_posix(), version, {**value, "asyncapi": f"{version}.0"}


# --- damage -----------------------------------------------------------------------------------------------------------

JUNK: list[Any] = [
    None, True, False, 0, 1, -1, 1.0, 2.5, "", "x", "send", "#/a", [], ["x"], ["x", "x"], [1, 1.0], {}, {"x-a": 1},
    {"a": 1}, {"$ref": "#/x"}, {"$ref": 5}, {"$ref": "#/x", "type": "object"}, {"type": "Array"}, [{}], "http",
    {"type": "oauth2", "flows": {}, "$ref": "#/x"}, {"schema": {"type": "object"}}, {"schemaFormat": "x", "schema": 1},
]  # fmt: skip
KEYS = [
    "$ref",
    "$id",
    "x-a",
    "x-",
    "x-ü",
    "x y",
    "name",
    "type",
    "description",
    "tags",
    "schema",
    "oneOf",
    "payload",
    "bindings",
    "Type",
]


def containers(value: Any) -> Iterator[dict[str, Any] | list[Any]]:
    """All mappings and lists with anything in them."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, (dict, list)) and part:
            yield part
            waiting.extend(part.values() if isinstance(part, dict) else part)


def delete(rng: random.Random, part: Any, key: Any) -> None:
    """Remove an entry."""
    del part[key]


def replace(rng: random.Random, part: Any, key: Any) -> None:
    """Put something else in its place."""
    part[key] = copy.deepcopy(rng.choice(JUNK))


def rename(rng: random.Random, part: Any, key: Any) -> None:
    """Give an entry another key, or repeat it."""
    if isinstance(part, dict):
        value = part.pop(key)
        part[rng.choice([*KEYS, str(key) + "s", str(key).upper()])] = value
    else:
        part.append(copy.deepcopy(part[key]))


def add(rng: random.Random, part: Any, key: Any) -> None:
    """Add an entry."""
    if isinstance(part, dict):
        part[rng.choice(KEYS)] = copy.deepcopy(rng.choice([*JUNK, part[key]]))
    else:
        part.append(copy.deepcopy(rng.choice(JUNK)))


def swap(rng: random.Random, part: Any, key: Any) -> None:
    """Exchange two entries."""
    other = rng.choice([*part] if isinstance(part, dict) else range(len(part)))
    part[key], part[other] = part[other], part[key]


DAMAGE: list[Callable[[random.Random, Any, Any], None]] = [delete, replace, replace, rename, add, add, swap]


def damaged(document: Any, rng: random.Random) -> Any:
    """A copy of a document with one to three faults."""
    result = copy.deepcopy(document)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        parts = list(containers(result))
        if parts:
            part = rng.choice(parts)
            rng.choice(DAMAGE)(rng, part, rng.choice([*part] if isinstance(part, dict) else range(len(part))))
    return result


@cache
def valid_documents(shared: Path) -> dict[str, list[Any]]:
    """Small documents that the official schemas accept, by version, with every protocol in those of AsyncAPI 3."""
    found: dict[str, list[Any]] = {version: [] for version in VERSIONS}
    for _, version, document in corpus(shared, "asyncapi", "asyncapi-official", "asyncapi-tck"):
        if len(json.dumps(document)) < LARGEST and official(shared, version).is_valid(document):
            found[version].append(document)
    for version in ("3.0", "3.1"):
        found[version] += [every_protocol(version)] * 8
    for version in ("2.1", "2.2", "2.4", "2.5", "3.1"):  # of which there are few or none
        found[version] += [{**document, "asyncapi": f"{version}.0"} for document in found[f"{version[0]}.0"]]
    return found


def every_protocol(version: str) -> Any:
    """A document of AsyncAPI 3 that uses what the official schemas say of each protocol."""
    document = load(EVERY_PROTOCOL, report=Report()).value
    assert isinstance(document, dict)
    return {**document, "asyncapi": f"{version}.0"}


def mutations(shared: Path, number: int, seed: int) -> Iterator[tuple[str, str, Any]]:
    """Damaged documents, the same for the same seed."""
    rng = random.Random(seed)
    documents = valid_documents(shared)
    for index in range(number):
        version = rng.choice(VERSIONS)
        yield f"mutation {index} of seed {seed}", version, damaged(rng.choice(documents[version]), rng)


# --- tests ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["asyncapi", "asyncapi-official", "asyncapi-tck"])
def test_real_documents_are_judged_as_the_official_schemas_judge_them(shared: Path, folder: str) -> None:
    count, differing = disagreements(shared, corpus(shared, folder))
    assert differing == []
    assert count > 30


def test_damaged_documents_are_judged_as_the_official_schemas_judge_them(shared: Path) -> None:
    assert disagreements(shared, mutations(shared, 1200, seed=1)) == (1200, [])


def test_our_checker_has_the_verdict_of_jsonschema_by_the_same_meta_schema(shared: Path) -> None:
    judges = {version: Draft7Validator(metaschema(version)) for version in VERSIONS}
    for name, version, document in mutations(shared, 150, seed=9):
        assert (name, accepts(version, document)) == (name, judges[version].is_valid(document))


@pytest.mark.parametrize("version", ["3.0", "3.1"])
def test_the_document_with_every_protocol_is_valid(shared: Path, version: str) -> None:
    assert official(shared, version).is_valid(every_protocol(version))
    assert accepts(version, every_protocol(version))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_meta_schema_is_a_json_schema_whose_references_all_lead_somewhere(version: str) -> None:
    schema = metaschema(version)
    Draft7Validator.check_schema(schema)
    references = {part["$ref"] for part in schemas(schema) if isinstance(part.get("$ref"), str)}
    assert {reference.rpartition("/")[2] for reference in references} <= schema["definitions"].keys()


CHECKED = set(
    "type const enum required properties patternProperties additionalProperties propertyNames items minItems "
    "uniqueItems minLength maxLength pattern minimum maximum exclusiveMinimum format not allOf anyOf oneOf if then "
    "else $ref".split()
)
FOR_PEOPLE = {"hint", "says", "moved", "tolerated", "to"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_meta_schema_has_only_keywords_that_our_checker_knows(version: str) -> None:
    used = {keyword for part in schemas(metaschema(version)) for keyword in part}
    assert used - CHECKED - FOR_PEOPLE == {"$schema", "definitions"}


@pytest.mark.parametrize("version", VERSIONS)
def test_whatever_cannot_be_worded_by_its_keyword_says_what_it_wants(version: str) -> None:
    """`not` and `oneOf` give no reason that could be told, nor does `anyOf` but where it lists required properties."""
    for part in schemas(metaschema(version)):
        if "anyOf" in part and all(form.keys() == {"required"} for form in part["anyOf"]):
            continue
        if part.keys() & {"not", "oneOf", "anyOf"}:
            assert "says" in part


def schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema and all those within it."""
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, dict):
            continue
        yield part
        for keyword, value in part.items():
            if keyword in ("properties", "patternProperties", "definitions"):
                waiting.extend(value.values())
            elif keyword in ("allOf", "anyOf", "oneOf") or (keyword == "items" and isinstance(value, list)):
                waiting.extend(value)
            elif keyword in ("additionalProperties", "propertyNames", "items", "not", "if", "then", "else"):
                waiting.append(value)
