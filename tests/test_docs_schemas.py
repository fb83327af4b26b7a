"""The JSON Schema of each message as a file of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker, validators

from sockspec import ir
from sockspec.docs import schemas
from sockspec.pipeline import examine
from sockspec.samples import Judge, NoSample, broken, valid
from tests.pages import HERE, chat

ROOT = Path(__file__).parents[1]
SPECS = sorted((ROOT / "specs").glob("*.yaml"))
REAL = (
    "tryAGI__Deepgram/asyncapi.yaml",
    "tradeparadex__paradex-docs/asyncapi-2.6.0.yaml",
    "speechmatics__docs/realtime.yaml",
)


def read(path: Path) -> ir.Api:
    api, _ = examine(path, name=path.name, wholly=False)
    assert api is not None
    return api


def message(name: str, schema: str) -> ir.Message:
    return ir.Message(name, ir.Payload(ir.Anything(), schema), HERE)


def made(api: ir.Api) -> dict[str, dict[str, Any]]:
    """The schemas by the names of messages."""
    found = schemas.of(api)
    return {name: json.loads(found.texts[file]) for name, file in found.names.items()}


def same_verdicts(api: ir.Api) -> int:
    """Hold each file to the schemas that judge payloads, by payloads that are right and wrong; how many there were."""
    judge, tried = Judge(api.schemas), 0
    files = made(api)
    for one in api.messages:
        if one.payload.content is not ir.Content.JSON:
            continue
        schema = files[one.name]
        base: Any = validators.validator_for(schema)
        base.check_schema(schema)
        validator = base(schema)
        try:
            right = valid(judge, one.payload.schema, count=2)
        except NoSample:
            continue
        wrong = [sample.payload for sample in broken(judge, one.payload.schema, right[0], most=6)]
        bundled = base({"$ref": one.payload.schema, **api.schemas}) if one.payload.schema else base({})
        for payload in (*right, *wrong):
            assert validator.is_valid(payload) == bundled.is_valid(payload), (one.name, payload)
            tried += 1
    return tried


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.name)
def test_a_file_says_what_the_schemas_of_the_package_say(spec: Path) -> None:
    assert same_verdicts(read(spec)) > 0


@pytest.mark.parametrize("name", REAL)
def test_files_of_real_documents_say_what_their_schemas_say(shared: Path, name: str) -> None:
    assert same_verdicts(read(shared / "corpus" / "asyncapi" / name)) > 20


def test_a_file_has_what_it_refers_to_and_no_more() -> None:
    definitions = {
        "A": {"type": "object", "properties": {"b": {"$ref": "#/definitions/B"}, "$ref": {"type": "string"}}},
        "B": {"type": "array", "items": {"$ref": "#/definitions/C"}},
        "C": {"const": {"$ref": "#/definitions/D"}},
        "D": {"type": "null"},
    }
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", "definitions": definitions}
    api = ir.Api("T", "1", HERE, messages=(message("A", "#/definitions/A"),), schemas=document)
    assert made(api)["A"] == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": schemas.HEADER,
        "title": "A",
        "type": "object",
        "properties": {"b": {"$ref": "#/$defs/B"}, "$ref": {"type": "string"}},
        "$defs": {"B": {"type": "array", "items": {"$ref": "#/$defs/C"}}, "C": {"const": {"$ref": "#/definitions/D"}}},
    }


@pytest.mark.parametrize(
    ("draft", "root", "container"),
    [
        ("http://json-schema.org/draft-07/schema#", {"allOf": [{"$ref": "#/definitions/A"}]}, "definitions"),
        ("https://json-schema.org/draft/2020-12/schema", {"$ref": "#/$defs/A"}, "$defs"),
    ],
)
def test_a_schema_that_refers_to_itself_stays_whole(draft: str, root: dict[str, Any], container: str) -> None:
    tree = {"type": "object", "properties": {"inner": {"$ref": "#/definitions/A"}}}
    api = ir.Api(
        "T",
        "1",
        HERE,
        messages=(message("A", "#/definitions/A"),),
        schemas={"$schema": draft, "definitions": {"A": tree}},
    )
    own = made(api)["A"]
    assert {word: own[word] for word in root} == root
    assert list(own[container]) == ["A"]
    check: Any = validators.validator_for(own)(own)
    assert check.is_valid({"inner": {"inner": {}}})
    assert not check.is_valid({"inner": {"inner": 1}})


def test_messages_of_other_kinds_have_no_file() -> None:
    binary = ir.Message("Sound", ir.Payload(ir.Anything(), "", ir.Content.BINARY), HERE)
    found = schemas.of(chat(binary, message("Any", "")))
    assert list(found.names) == ["Any"]
    assert json.loads(found.texts["Any.json"]) == {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": schemas.HEADER,
        "title": "Any",
    }


def test_what_many_share_is_not_written_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    definitions = {f"S{at}": {"type": "string", "$ref": f"#/definitions/S{at + 1}"} for at in range(300)} | {"S300": {}}
    messages = tuple(message(f"M{at}", "#/definitions/S0") for at in range(300))
    api = ir.Api("T", "1", HERE, messages=messages, schemas={"definitions": definitions})
    monkeypatch.setattr(schemas, "_MOST", 200_000)
    found = schemas.of(api)
    assert sum(map(len, found.texts.values())) < 400_000
    assert 0 < len(found.names) < len(messages) == len(found.roots)


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (["Join", "join", "JOIN"], ["Join.json", "join-2.json", "JOIN-3.json"]),
        (["a/b", "a:b", "a b"], ["a_b.json", "a_b-2.json", "a_b-3.json"]),
        (["..", "", "日本"], ["message.json", "message-2.json", "_.json"]),
        (["con", "LPT1.x", "-x"], ["con_.json", "LPT1.x_.json", "x.json"]),
        (["x" * 300], ["x" * 80 + ".json"]),
    ],
)
def test_file_names_are_safe_everywhere(names: list[str], files: list[str]) -> None:
    assert schemas.file_names(names) == files


@given(st.lists(st.text(max_size=100), max_size=20))
def test_no_two_files_have_the_same_name_where_case_does_not_count(names: list[str]) -> None:
    found = schemas.file_names(names)
    assert len({file.casefold() for file in found}) == len(names)
    assert all(file.isascii() and "/" not in file and not file.startswith((".", "-")) for file in found)


def test_formats_are_checked_as_before() -> None:
    """The files name formats, which validators check that are asked to."""
    schema = made(read(ROOT / "specs" / "chat.asyncapi.yaml"))["Leave"]
    checker = Draft7Validator(schema, format_checker=FormatChecker(["date-time"]))
    assert checker.is_valid({"type": "leave", "timestamp": "2025-03-01T10:05:12Z"})
    assert not checker.is_valid({"type": "leave"})
