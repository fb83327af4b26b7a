"""What is claimed of two versions of a schema holds for payloads: random ones, those of the suite, and those of codecs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sockspec import ir, live, pipeline
from sockspec.diagnostics import Severity
from sockspec.diff.schemas import KINDS, Comparison, SchemaChange, compare
from sockspec.python import codec_name
from sockspec.runtime import Codec
from sockspec.samples import Judge, NoSample, valid
from tests.payloads import api_of
from tests.schemas import (
    IT,
    KEYWORDS,
    PAYLOADS,
    SMALL,
    UNIONS,
    VALUES,
    Schema,
    by_chance,
    changes,
    claims,
    disproof,
    document,
    edited,
    names_in,
    nearby,
    pairs,
    samples,
    strictly,
    usually,
)
from tests.test_json_schema_suite import DRAFTS, groups
from tests.test_verdicts import LEAVES, SCHEMAS

ROOT = Path(__file__).parents[1]
_MANY = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


@_MANY
@given(pairs(), st.lists(PAYLOADS, min_size=5, max_size=15))
def test_no_payload_disproves_what_is_claimed(pair: tuple[Schema, Schema], payloads: list[Any]) -> None:
    old, new = pair
    found = changes(old, new)
    made = [*samples(old), *samples(new)]
    near = [payload for sample in made for payload in islice(nearby(sample), 15)]
    assert disproof(old, new, found, [*payloads, *VALUES, *made, *near]) == []


_LEAVES = [leaf for leaf in LEAVES if "format" not in leaf and "nullable" not in leaf]


@pytest.mark.slow
def test_no_small_payload_disproves_what_is_claimed_of_small_schemas(told: list[str]) -> None:
    schemas: list[Schema] = [*map(json.loads, KEYWORDS), *_LEAVES, *({"not": leaf} for leaf in _LEAVES[1:6]), *UNIONS]
    judges = [Judge(document(schema)) for schema in schemas]
    fitting = [frozenset(at for at, one in enumerate(SMALL) if judge.accepts({"$ref": IT}, one)) for judge in judges]
    counted: Counter[str] = Counter()
    wrong: list[str] = []
    every = document(True, **{str(at): schema for at, schema in enumerate(schemas)})
    for old, before in zip(schemas, fitting, strict=True):
        comparison = Comparison(document(old), every)
        for at, (new, after) in enumerate(zip(schemas, fitting, strict=True)):
            keeps = claims(comparison.changes(IT, f"#/definitions/{at}"), strictly)[0]
            counted["within, and proven" if keeps else "apart" if before - after else "not proven"] += 1
            wrong += [f"{SMALL[one]} of {old} and {new}" for one in sorted(before - after)[:1] if keeps]
    told.append(f"pairs of small schemas, of which the first is held to be within the second: {dict(counted)}")
    assert wrong == []
    assert counted["not proven"] < counted["within, and proven"] / 5


@_MANY
@given(pairs())
def test_the_way_back_is_the_mirror_of_the_way(pair: tuple[Schema, Schema]) -> None:
    old, new = pair
    assert Counter(map(_mirrored, changes(old, new))) == Counter(map(_as_it_is, changes(new, old)))


def _mirrored(change: SchemaChange) -> tuple[object, ...]:
    kind = KINDS[change.kind].mirror
    return kind, change.path, change.effect.mirrored, change.strict.mirrored, change.new_pointer, change.old_pointer


def _as_it_is(change: SchemaChange) -> tuple[object, ...]:
    return change.kind, change.path, change.effect, change.strict, change.old_pointer, change.new_pointer


@settings(_MANY, max_examples=30)
@given(st.data())
def test_what_stays_valid_in_two_steps_stays_valid(data: st.DataObject) -> None:
    first = data.draw(SCHEMAS)
    second = data.draw(edited(first))
    third = data.draw(edited(second))
    keeps, kept = zip(*(claims(changes(*step), strictly) for step in ((first, second), (second, third))), strict=True)
    judges = [Judge({"definitions": {"It": schema}}) for schema in (first, third)]
    verdicts = [
        tuple(judge.accepts({"$ref": "#/definitions/It"}, payload) for judge in judges)
        for payload in (*VALUES, *samples(first), *samples(third))
    ]
    assert not all(keeps) or (True, False) not in verdicts
    assert not all(kept) or (False, True) not in verdicts


@_MANY
@given(SCHEMAS)
def test_nothing_has_changed_from_a_schema_to_itself(schema: Schema) -> None:
    assert changes(schema, json.loads(json.dumps(schema))) == ()


_SUITE = {draft: {"schemas": 240, "pairs": 900, "proven": 400} for draft in DRAFTS}
"""Schemas that are read, pairs that are compared, and pairs of which inclusion is proven: so many at least."""


@pytest.mark.slow
@pytest.mark.parametrize("draft", DRAFTS)
def test_no_instance_of_the_suite_disproves_what_is_claimed(
    draft: str, shared: Path, tmp_path: Path, told: list[str]
) -> None:
    counted: Counter[str] = Counter()
    wrong: list[str] = []
    for found in groups(shared / "oracle" / "json-schema-test-suite", draft):
        read: list[tuple[str, ir.Api, list[Any]]] = []
        for group in found:
            (tmp_path / "case.json").write_text(json.dumps(group.schema), encoding="utf-8")
            api, report = api_of(tmp_path, {"Case": {"$ref": "case.json"}}, dialect=DRAFTS[draft])
            if not any(diagnostic.severity is Severity.ERROR for diagnostic in report.sorted()):
                read.append((group.name, api, [test["data"] for test in group.tests]))
        judges = [Judge(api.schemas) for _, api, _ in read]
        instances = [instance for _, _, data in read for instance in data]
        verdicts = [
            [judge.accepts({"$ref": api.messages[0].payload.schema}, instance) for instance in instances]
            for judge, (_, api, _) in zip(judges, read, strict=True)
        ]
        counted["schemas"] += len(read)
        for (one, old, _), before in zip(read, verdicts, strict=True):
            for (other, new, _), after in list(zip(read, verdicts, strict=True))[:_MOST_OTHERS]:
                changed = compare(
                    old.schemas, old.messages[0].payload.schema, new.schemas, new.messages[0].payload.schema
                )
                counted["pairs"] += 1
                wrong += [f"{one} is not itself"] if one == other and changed else []
                if claims(changed, strictly)[0]:
                    counted["proven"] += 1
                    wrong += [f"{one}, {other}"] if (True, False) in zip(before, after, strict=True) else []
                else:
                    counted["disproven"] += (True, False) in zip(before, after, strict=True)
    told.append(
        f"{draft}: pairs of schemas of the suite, of which the first is held to be within the second: {counted}"
    )
    assert wrong == []
    assert all(counted[what] >= least for what, least in _SUITE[draft].items())


_MOST_OTHERS = 4
"""Schemas of a file of the suite that each other schema of the file is compared to."""


def _read(path: Path) -> ir.Api | None:
    return pipeline.examine(path, name=path.name, wholly=False)[0]


def _real(shared: Path) -> dict[str, ir.Api]:
    """The APIs of the real AsyncAPI documents."""
    folder = shared / "corpus" / "asyncapi"
    paths = (path for path in sorted(folder.rglob("*")) if path.suffix in (".yaml", ".yml", ".json") and path.is_file())
    found = {path.relative_to(folder).as_posix(): _read(path) for path in paths}
    return {name: api for name, api in found.items() if api is not None}


@pytest.mark.slow
def test_no_sample_of_real_messages_disproves_what_is_claimed(shared: Path, told: list[str]) -> None:
    counted: Counter[str] = Counter()
    wrong: list[str] = []
    for name, api in _real(shared).items():
        again = json.loads(json.dumps(api.schemas))
        comparison, judge = Comparison(api.schemas, again), Judge(again)
        messages = [message for message in api.messages if message.payload.schema]
        for message in messages:
            counted["messages"] += 1
            wrong += [f"{name}: {message.name}"] if comparison.changes(*[message.payload.schema] * 2) else []
        for one, other in pairwise(messages):
            found = comparison.changes(one.payload.schema, other.payload.schema)
            counted["pairs"] += 1
            counted["not proven"] += any(change.kind == "schema-changed" for change in found)
            for (old, new), index in (((one, other), 0), ((other, one), 1)):
                if claims(found, usually)[index]:
                    counted["proven"] += 1
                    wrong += [f"{name}: {old.name} {new.name} {p}" for p in _lost(judge, old, new, by_chance(found))]
    told.append(f"messages of real documents, held against themselves and the next one: {dict(counted)}")
    assert wrong == []
    assert counted["messages"] > 600
    assert counted["proven"] > 100
    assert counted["not proven"] == 0


def _lost(judge: Judge, old: ir.Message, new: ir.Message, left_aside: set[str]) -> Iterator[Any]:
    """Samples of one message that are not valid as another one."""
    try:
        found = valid(judge, old.payload.schema, count=2)
    except NoSample:
        return
    for payload in found:
        if not left_aside & names_in(payload) and not judge.accepts({"$ref": new.payload.schema}, payload):
            yield payload


_OFFICIAL = "examples-v{}/websocket-gemini{}.yml"


@pytest.mark.parametrize(("old", "new"), [("2.6.0", "3.0.0"), ("3.1.0", "2.6.0")])
def test_one_api_in_two_majors_of_the_specification_has_the_same_payloads(old: str, new: str, shared: Path) -> None:
    folder = shared / "corpus" / "asyncapi-official"
    names = [_OFFICIAL.format(version, "-asyncapi" if version[0] == "3" else "") for version in (old, new)]
    before, after = (_read(folder / name) for name in names)
    assert before is not None
    assert after is not None
    assert [
        change
        for one, other in zip(before.messages, after.messages, strict=True)
        for change in compare(before.schemas, one.payload.schema, after.schemas, other.payload.schema)
    ] == []


VERSIONS = {
    "as it was": ("", "", (True, True)),
    "an optional property more": (
        "a: {type: string}",
        "a: {type: string}\n            new: {type: integer}",
        (True, True),
    ),
    "an optional property less": ("b: {type: [integer, 'null'], minimum: 0}", "", (True, True)),
    "a required property more": ("required: [kind, a]", "required: [kind, a, b]", (False, True)),
    "null allowed": ("a: {type: string}", "a: {type: [string, 'null']}", (True, False)),
    "a bound raised": ("minimum: 0", "minimum: 5", (False, True)),
    "another type": ("a: {type: string}", "a: {type: boolean}", (False, False)),
    "a value more": ("enum: [x, y]", "enum: [x, y, z]", (True, False)),
    "an alternative more": ("- {type: boolean}", "- {type: boolean}\n                - {type: array}", (True, False)),
    "the same otherwise": (
        "type: [integer, 'null'], minimum: 0",
        "anyOf: [{type: integer, exclusiveMinimum: -1}, {type: 'null'}]",
        (True, True),
    ),
    "items opened": ("items: {$ref: '#/components/schemas/Item'}", "items: {}", (True, False)),
}
"""A text of the document and what it becomes, and whether old payloads stay valid, and new ones have been."""

DOCUMENT = """\
asyncapi: 3.0.0
info: {title: Versions, version: 1.0.0}
channels:
  all:
    address: /
    messages:
      note:
        payload:
          type: object
          required: [kind, a]
          properties:
            kind: {const: note}
            a: {type: string}
            b: {type: [integer, 'null'], minimum: 0}
            c: {enum: [x, y]}
            d:
              oneOf:
                - {type: string, maxLength: 3}
                - {type: boolean}
            items: {type: array, items: {$ref: '#/components/schemas/Item'}}
operations:
  note: {action: receive, channel: {$ref: '#/channels/all'}}
components:
  schemas:
    Item:
      type: object
      required: [id]
      properties:
        id: {type: string, format: uuid}
        inner: {$ref: '#/components/schemas/Item'}
"""


@pytest.fixture(scope="module")
def old_version(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ir.Api, Codec[Any]]]:
    """The API of the first version, and the codec of its package."""
    yield from _codec(tmp_path_factory.mktemp("old"), DOCUMENT)


def _codec(folder: Path, text: str) -> Iterator[tuple[ir.Api, Codec[Any]]]:
    (folder / "versions.yaml").write_text(text, encoding="utf-8")
    api = _read(folder / "versions.yaml")
    assert api is not None
    with live.imported(pipeline.generate(api, "versions.yaml")) as package:
        name = codec_name(api, api.channels[0], ir.Direction.CLIENT_TO_SERVER)
        yield api, getattr(package.codecs, name)


@pytest.mark.parametrize("version", VERSIONS)
def test_codecs_of_both_versions_take_what_is_judged_compatible(
    version: str, old_version: tuple[ir.Api, Codec[Any]], tmp_path: Path
) -> None:
    written, becomes, expected = VERSIONS[version]
    assert written in DOCUMENT
    old, old_codec = old_version
    for new, new_codec in _codec(tmp_path, DOCUMENT.replace(written, becomes)):
        found = compare(old.schemas, "#/definitions/note", new.schemas, "#/definitions/note")
        assert claims(found, usually) == expected
        for api, own, codec, holds in (
            (old, old_codec, new_codec, expected[0]),
            (new, new_codec, old_codec, expected[1]),
        ):
            payloads = valid(Judge(api.schemas), "#/definitions/note", count=12)
            kept = [payload for payload in payloads if not by_chance(found) & names_in(payload)]
            for payload in kept:
                own.decode(json.dumps(payload))
                if holds:
                    codec.decode(json.dumps(payload))
            assert kept
