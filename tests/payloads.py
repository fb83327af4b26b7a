"""Schemas as the payloads of messages: a document, an API and a package around each, for tests."""

from __future__ import annotations

import importlib
import itertools
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sockspec import ir, output, python, render
from sockspec.analysis import defaults, lanes, plain
from sockspec.diagnostics import Report
from sockspec.runtime import Codec
from sockspec.schema import Dialect, SchemaReader
from sockspec.spec.resolve import Documents
from sockspec.spec.source import load

_NUMBERS = itertools.count()


def api_of(
    folder: Path,
    payloads: Mapping[str, object],
    schemas: Mapping[str, object] | None = None,
    dialect: Dialect = Dialect.ASYNCAPI,
) -> tuple[ir.Api, Report]:
    """An API whose clients send one message for each payload, on one channel."""
    path = folder / "document.json"
    path.write_text(json.dumps({"components": {"schemas": schemas or {}}, "payloads": payloads}), encoding="utf-8")
    report = Report()
    documents = Documents(load(path, name="document.json", report=report), report)
    reader = SchemaReader(documents, report, dialect)
    listed = documents.root.get("payloads")
    assert listed is not None
    messages = tuple(
        ir.Message(name, reader.payload(node, message=name), node.location) for name, node in listed.items()
    )
    place = documents.root.location
    operations = tuple(ir.Operation(name, ir.Direction.CLIENT_TO_SERVER, "all", (name,), place) for name in payloads)
    api = ir.Api(
        "Test",
        "1.0.0",
        place,
        channels=(ir.Channel("all", "/all", place),),
        operations=operations,
        messages=messages,
        definitions=reader.definitions(),
        schemas=reader.schemas(),
        schema_place=reader.schema_place,
    )
    return lanes.prove(plain.plain(defaults.fitting(api), report)), report


def package_of(folder: Path, api: ir.Api) -> Any:
    """The package of an API, written below the folder and imported."""
    name = f"sockspec_tested_{next(_NUMBERS)}"
    output.write(python.files(api, "document.json", render.renderer()), folder / name)
    sys.path.insert(0, str(folder))
    try:
        importlib.import_module(f"{name}.codecs")
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))


def codec_of(folder: Path, payload: object, schemas: Mapping[str, object] | None = None) -> Codec[Any]:
    """The codec for one message, `Payload`, with this schema."""
    package = package_of(folder, api_of(folder, {"Payload": payload}, schemas)[0])
    codec: Codec[Any] = package.codecs.ALL_FROM_CLIENT
    return codec
