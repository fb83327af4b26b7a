"""The steps from a document to a package, in their order.

What only some documents or commands need is imported where they need it: checking a document takes no templates.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sockspec import ir
from sockspec.analysis import ambiguity, defaults, heartbeats, lanes, plain
from sockspec.choices import Choices, Named
from sockspec.diagnostics import Code, Diagnostic, Report, Severity
from sockspec.rules import schema_structure
from sockspec.rules.rule import Group
from sockspec.rules.subject import Subject
from sockspec.rules.table import findings, labelled, of, unspoilt
from sockspec.spec.resolve import Documents
from sockspec.spec.source import NO_TEXTS, Json, Unreadable, load, without_collector
from sockspec.spec.validate import validate
from sockspec.spec.version import Specification, kind

if TYPE_CHECKING:
    from sockspec import docs, python

_NONE = Choices()
_FRAMES = 20_000
"""Frames that nested schemas may take; the depth of documents is bounded when they are read."""


_OTHER_APIS = ("no-websocket-server", "no-websocket-endpoint")
"""What is said of documents that describe APIs of other protocols."""

MESSAGES_NOT_READ = Code(
    "messages-option-not-read",
    Severity.ERROR,
    "The option `--messages` names component schemas of OpenAPI documents, which have no words for messages. AsyncAPI "
    "documents say themselves which messages their channels carry.",
)


def check(
    path: Path,
    *,
    name: str | None = None,
    messages: Named | None = None,
    wholly: bool = True,
    texts: Mapping[Path, bytes] = NO_TEXTS,
) -> tuple[Subject | None, Report]:
    """Read a document and all that it refers to, and hold it to its specification: structure and meaning.

    Where messages are named and the check is not to be of the whole, only what they lead to is held to it. What `texts`
    has stands in the place of files, by their absolute paths.
    """
    report = Report()
    try:
        root = load(path, name=name, report=report, texts=texts)
    except Unreadable as unreadable:
        for diagnostic in unreadable.diagnostics:
            report.add(diagnostic)
        return None, report
    documents = Documents(root, report, texts=texts)
    found = kind(root, report)
    if found is None:
        return None, report
    if messages is not None and found.specification is not Specification.OPENAPI_3:
        report.add(MESSAGES_NOT_READ.at(root.locate(""), "messages are named, and this is not an OpenAPI document"))
        return None, report
    documents.check()
    part: Json = None
    if messages is not None and not wholly and not report.failed:
        from sockspec.spec.openapi.named import reached

        part = reached(documents, messages)
    validate(documents, report, part=part)
    subject = Subject(documents, found)
    for diagnostic in schema_structure.faults(subject, part):
        report.add(diagnostic)
    if part is None:
        for diagnostic in unspoilt(findings(of(Group.CORRECTNESS), subject), report):
            report.add(diagnostic)
    return subject, report


@without_collector()
def validated(
    path: Path, *, name: str | None = None, choices: Choices = _NONE, texts: Mapping[Path, bytes] = NO_TEXTS
) -> list[Diagnostic]:
    """What is wrong with a document by its specification, and what of its WebSocket API keeps a package from being made.

    What is merely said while one is made, such as what was assumed, is left out; `examine` and the linter have it. So
    is that a document has no WebSocket API: that is no fault of it.
    """
    subject, report = check(path, name=name, messages=choices.messages, texts=texts)
    said = set(report.sorted())
    if subject is not None and not report.failed:
        _described(subject, report, choices, wholly=True)
    return [
        labelled(d)
        for d in report.sorted()
        if d in said or (d.severity is Severity.ERROR and d.code.id not in _OTHER_APIS)
    ]


@without_collector()
def examine(
    path: Path,
    *,
    name: str | None = None,
    choices: Choices = _NONE,
    wholly: bool = True,
    texts: Mapping[Path, bytes] = NO_TEXTS,
) -> tuple[ir.Api | None, list[Diagnostic]]:
    """The API that a document describes, and what there is to say about it; no API where something is wrong.

    `wholly` is for checking documents: also what a package can be made without is looked at.
    """
    subject, report = examined(path, name=name, choices=choices, wholly=wholly, texts=texts)
    return subject.api if subject is not None else None, report.sorted()


@without_collector()
def examined(
    path: Path,
    *,
    name: str | None = None,
    choices: Choices = _NONE,
    wholly: bool = True,
    texts: Mapping[Path, bytes] = NO_TEXTS,
) -> tuple[Subject | None, Report]:
    """Like `examine`: the document with its API, as rules look at it. No subject where it cannot be read at all.

    What `texts` has stands in the place of files, by their absolute paths.
    """
    subject, report = check(path, name=name, messages=choices.messages, wholly=wholly, texts=texts)
    if subject is None or report.failed:
        return subject, report
    return _described(subject, report, choices, wholly=wholly), report


def _described(subject: Subject, report: Report, choices: Choices, *, wholly: bool) -> Subject:
    """The document with the API that it describes, where one can be made."""
    documents = subject.documents
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _FRAMES))
    try:
        if subject.kind.specification is Specification.OPENAPI_3:
            from sockspec.spec import openapi

            api = openapi.read(documents, report, perspective=choices.perspective, messages=choices.messages)
        else:
            from sockspec.spec import asyncapi

            api = asyncapi.read(documents, report, perspective=choices.perspective, channels=choices.channels)
        api = lanes.prove(plain.plain(defaults.fitting(api), report))
        ambiguity.check(api, report)
        api = heartbeats.fitting(api, report)
    finally:
        sys.setrecursionlimit(limit)
    return subject if report.failed else Subject(documents, subject.kind, api)


@without_collector()
def generate(
    api: ir.Api,
    source: str,
    *,
    package: str = "",
    templates: Path | None = None,
    models: python.Models | None = None,
) -> Mapping[str, str]:
    """The files of the package by their paths below its folder. What `models` has is imported and not made again.

    `package` is the name that users import it by, for its documentation; without it, what it would be called.
    """
    from sockspec import docs, python, render

    printer = render.renderer(templates)
    pages = docs.files(api, printer, docs.Origin(source, package))
    return {**python.files(api, source, printer, models=models), **pages}


@without_collector()
def modules(api: ir.Api, source: str) -> Mapping[str, str]:
    """The files of the package without its documentation, for programs that import it at once."""
    from sockspec import python, render

    return python.files(api, source, render.renderer())


@without_collector()
def documentation(
    api: ir.Api, origin: docs.Origin, *, formats: Collection[str], templates: Path | None = None
) -> Mapping[str, str]:
    """The pages of the API by their paths. `formats` are names of `docs.FORMATS`."""
    from sockspec import docs, render

    files = docs.files(api, render.renderer(templates), origin, formats)
    return {path.removeprefix("docs/"): text for path, text in files.items()}


@without_collector()
def scaffold(api: ir.Api, spec: str, package: str) -> Mapping[str, str]:
    """The files of a project around the package; `spec` is where the document is, seen from the project's folder."""
    from sockspec import render
    from sockspec.python import scaffold as projects

    return projects.files(api, spec, package, render.renderer())
