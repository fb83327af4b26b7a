"""Whether an OpenAPI document has the structure that OpenAPI asks for, by the JSON Schema of its version.

The schemas are those that the package `openapi-spec-validator` has; its code is not imported, which takes half a second.
What the parts of a document say of each other is for the rules, and Schema Objects are judged one by one.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jsonschema.exceptions import ValidationError
from jsonschema.validators import validator_for
from referencing import Registry, Resource

from sockspec.diagnostics import Diagnostic, Report
from sockspec.spec import openapi_faults, wording
from sockspec.spec.resolve import Documents
from sockspec.spec.source import Document, Json
from sockspec.spec.structure import MAX_FAULTS
from sockspec.spec.text import TOO_DEEP

_STACK = 64 * 1024 * 1024
_RECURSION = 12_000


def validate(documents: Documents, version: str, report: Report, *, part: Json = None) -> None:
    """Report every place where the root document, or the part of it, is not what OpenAPI of that version asks for."""
    document = documents.root.document
    found: list[Diagnostic] = []

    def judge() -> None:
        try:
            found.extend(_structure(document, version, document.value if part is None else part))
        except RecursionError:
            found.append(TOO_DEEP.at(document.locate(""), "the document nests too deeply to be checked"))

    _with_deep_stack(judge)
    for diagnostic in found:
        report.add(diagnostic)


def _structure(document: Document, version: str, value: Json) -> list[Diagnostic]:
    schema = metaschema(version)
    # Crawled once: each `$dynamicRef` would crawl it again, which is most of the time of a validator without.
    resource: Resource[Any] = Resource.from_contents(schema)
    registry: Any = Registry[Any]().with_resource(resource.id() or "", resource).crawl()
    judge: Any = validator_for(schema)(schema, registry=registry)
    errors: list[ValidationError] = []
    for error in judge.iter_errors(value):
        errors.append(error)
        if len(errors) > MAX_FAULTS:
            break
    faults = openapi_faults.faults(errors, value, openapi_faults.property_names(schema))
    return [*wording.diagnostics(faults, document)]


@functools.cache
def metaschema(version: str) -> dict[str, Any]:
    """The JSON Schema of OpenAPI documents of a minor version such as `"3.1"`."""
    package = importlib.util.find_spec("openapi_spec_validator")
    folders = package.submodule_search_locations if package is not None else None
    if not folders:
        raise ModuleNotFoundError("the package openapi-spec-validator is not installed")
    path = Path(folders[0], "resources", "schemas", f"v{version}", "schema.json")
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def _with_deep_stack(work: Callable[[], None]) -> None:
    """Do something that recurses with the document."""
    limit, size = sys.getrecursionlimit(), threading.stack_size(_STACK)
    try:
        sys.setrecursionlimit(max(limit, _RECURSION))
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
        sys.setrecursionlimit(limit)
