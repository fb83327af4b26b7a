"""The steps from a document to a package, in their order."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from sockspec import docs, ir, python, render
from sockspec.analysis import ambiguity, defaults, lanes, plain
from sockspec.diagnostics import Diagnostic, Report
from sockspec.spec import asyncapi, openapi
from sockspec.spec.resolve import Documents
from sockspec.spec.source import Unreadable, load, without_collector
from sockspec.spec.validate import validate
from sockspec.spec.version import Specification, kind

_FRAMES = 20_000
"""Frames that nested schemas may take; the depth of documents is bounded when they are read."""


def check(path: Path, *, name: str | None = None) -> tuple[Documents | None, Report]:
    """Read a document and all that it refers to, and hold its structure to its specification."""
    report = Report()
    try:
        root = load(path, name=name, report=report)
    except Unreadable as unreadable:
        for diagnostic in unreadable.diagnostics:
            report.add(diagnostic)
        return None, report
    documents = Documents(root, report)
    if kind(root, report) is None:
        return None, report
    documents.check()
    validate(documents, report)
    return documents, report


@without_collector()
def examine(
    path: Path, *, name: str | None = None, perspective: str | None = None
) -> tuple[ir.Api | None, list[Diagnostic]]:
    """The API that a document describes, and what there is to say about it; no API where something is wrong."""
    documents, report = check(path, name=name)
    if documents is None or report.failed:
        return None, report.sorted()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _FRAMES))
    try:
        specification = kind(documents.root.document, report)
        is_openapi = specification is not None and specification.specification is Specification.OPENAPI_3
        api = (openapi if is_openapi else asyncapi).read(documents, report, perspective=perspective)
        api = lanes.prove(plain.plain(defaults.fitting(api, report), report))
        ambiguity.check(api, report)
    finally:
        sys.setrecursionlimit(limit)
    return (None if report.failed else api), report.sorted()


@without_collector()
def generate(api: ir.Api, source: str, *, templates: Path | None = None) -> Mapping[str, str]:
    """The files of the package by their paths below its folder."""
    printer = render.renderer(templates)
    return {**python.files(api, source, printer), **docs.files(api, printer)}
