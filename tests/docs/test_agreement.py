"""The page judges and tells messages apart as the generated packages do, and begins messages that are nearly valid."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from sockspec import docs, ir
from sockspec.pipeline import examine
from sockspec.render import renderer
from sockspec.runtime import Codec, PayloadError
from sockspec.runtime.jsontext import NotJson, parse
from sockspec.runtime.judge import Schemas
from sockspec.samples import Judge, NoSample, broken, valid
from sockspec.schema.expressions import is_risky
from tests.npm import Node
from tests.test_verdicts import LEAVES, SCALARS

ROOT = Path(__file__).parents[2]
PACKAGES = ("chat", "chat_openapi", "market", "hostile_names", "types_shown")
SPECS = {
    "chat": "chat.asyncapi.yaml",
    "chat_openapi": "chat.openapi.yaml",
    "market": "market.asyncapi.yaml",
    "hostile_names": "hostile_names.asyncapi.yaml",
    "types_shown": "types.asyncapi.yaml",
}


def said(jobs: Iterable[dict[str, Any]], folder: Path) -> list[Any]:
    """What the page makes of each job."""
    path = folder / "jobs.json"
    path.write_text(json.dumps(list(jobs)), encoding="utf-8")
    done = subprocess.run(
        [str(Node.installed().binary), str(Path(__file__).parent / "agreement.mjs"), str(path)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: list[Any] = json.loads(done.stdout)
    return found


def samples(document: Any, pointer: str) -> list[str]:
    """Payloads that a schema allows, and such as break one of its keywords."""
    if not pointer:
        return ["null", "{}"]
    judge = Judge(document)
    try:
        fitting = valid(judge, pointer, count=4)
    except NoSample:
        return []
    wrong = [one.payload for payload in fitting[:2] for one in broken(judge, pointer, payload)]
    return [json.dumps(payload) for payload in (*fitting, *wrong)]


def verdict(schemas: Schemas, pointer: str, text: str) -> bool:
    """Whether the runtime takes a text as a payload."""
    try:
        return schemas.faults(pointer, parse(text)) == ()
    except NotJson:
        return False


def verdicts(document: Any, texts: dict[str, list[str]]) -> dict[str, Any]:
    """A job: texts by the pointers of the schemas that judge them."""
    written = json.dumps(document)
    schemas = Schemas(lambda: written)
    cases = [(p, text, verdict(schemas, p, text)) for p, found in texts.items() for text in found]
    risky = sorted(set(filter(is_risky, re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', written))))
    return {"way": "verdicts", "document": written, "costly": risky, "cases": cases}


@pytest.mark.parametrize(
    "draft", ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"]
)
def test_scalars_are_judged_as_by_the_runtime(draft: str, tmp_path: Path) -> None:
    document = {"$schema": draft, "definitions": {str(at): leaf for at, leaf in enumerate(LEAVES)}}
    job = verdicts(document, {f"#/definitions/{at}": SCALARS for at in range(len(LEAVES))})
    (wrong,) = said([job], tmp_path)
    # By ECMA-262, `$` stands for the end alone; Python lets a line break follow.
    assert [(LEAVES[int(pointer.rpartition("/")[2])], text, expected) for pointer, text, expected in wrong] == [
        ({"type": "string", "pattern": "^[a-z]*$"}, '"a\\n"', True)
    ]
    assert len(job["cases"]) > 1000


def test_samples_of_our_packages_are_judged_as_by_the_runtime(tmp_path: Path) -> None:
    jobs: list[dict[str, Any]] = []
    for package in PACKAGES:
        document = json.loads((ROOT / "generated" / package / "schemas.json").read_text(encoding="utf-8"))
        pointers = [f"#/definitions/{name}" for name in document["definitions"]]
        jobs.append(verdicts(document, {pointer: samples(document, pointer) for pointer in pointers}))
    assert said(jobs, tmp_path) == [[] for _ in jobs]
    judged = [is_valid for job in jobs for _, _, is_valid in job["cases"]]
    assert judged.count(True) > 100
    assert judged.count(False) > 100


def data_of(api: ir.Api) -> str:
    """What the page of an API carries for its scripts."""
    page = docs.files(api, renderer())["docs/index.html"]
    found = re.search(r'<script type="application/json" id="api">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return found[1]


def api_of(package: str) -> ir.Api:
    spec = ROOT / "specs" / SPECS[package]
    api, _ = examine(spec, name=spec.name)
    assert api is not None
    return api


def chosen(codec: Codec[Any], text: str) -> int:
    """Which message of a codec a text is, by its place; -1 for none."""
    try:
        decoded = codec.decode(text)
    except PayloadError:
        return -1
    return next(at for at, message in enumerate(codec.messages) if isinstance(decoded, message))


@pytest.mark.parametrize("package", ["chat", "chat_openapi", "market", "hostile_names"])
def test_messages_are_told_apart_as_by_the_codecs(package: str, tmp_path: Path) -> None:
    data = data_of(api_of(package))
    known = json.loads(data)
    codecs = importlib.import_module(f"{package}.codecs")
    jobs: list[dict[str, Any]] = []
    for at, channel in enumerate(known["channels"]):
        for side in ("sends", "receives"):
            names = [choice["message"] for choice in channel.get(side, {}).get("choices", ())]
            codec = codec_of(codecs, [schema_of(known, name) for name in names]) if names else None
            if codec is None:
                continue
            texts = [text for name in names for text in samples(known["schemas"], schema_of(known, name))]
            places = [chosen(codec, text) for text in texts]
            cases = [(text, names[place] if place >= 0 else "") for text, place in zip(texts, places, strict=True)]
            jobs.append({"way": "choices", "api": data, "channel": at, "side": side, "cases": cases})
    assert jobs
    assert said(jobs, tmp_path) == [[] for _ in jobs]


def schema_of(known: Any, message: str) -> str:
    """The pointer of a message's schema; empty where anything is allowed."""
    return str(known["messages"][message].get("schema", ""))


def codec_of(module: Any, schemas: list[str]) -> Codec[Any] | None:
    """The codec of a module that has messages of these schemas, in this order."""
    found = [one for one in vars(module).values() if isinstance(one, Codec)]
    return next((one for one in found if [entry.schema for entry in one.entries] == schemas), None)


def test_a_message_to_begin_with_lacks_only_what_the_user_has_to_say(tmp_path: Path) -> None:
    found = said(({"way": "drafts", "api": data_of(api_of(package))} for package in PACKAGES), tmp_path)
    lacking = {(message, pointer, keyword) for faults in found for message, pointer, keyword, _ in faults}
    assert lacking == {
        ("Join", "/data/nickname", "minLength"),
        ("SendMessage", "/data/text", "minLength"),
        ("subscribe", "/symbols/0", "minLength"),
        ("unsubscribe", "/symbols/0", "minLength"),
    }
