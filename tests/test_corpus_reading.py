"""Every file of the corpora is read to a value or refused with a place, and its references are followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sockspec.diagnostics import Diagnostic, Report, text
from sockspec.spec.resolve import Documents
from sockspec.spec.source import Document, Unreadable, load
from sockspec.spec.walk import references

FOLDERS = ("hostile", "asyncapi", "asyncapi-official", "asyncapi-tck", "OAI-tests", "openapi")


def examined(path: Path, report: Report) -> Document | None:
    """The document with its references followed; None where it is refused."""
    try:
        document = load(path, name=path.name, report=report)
    except Unreadable as unreadable:
        for found in unreadable.diagnostics:
            report.add(found)
        return None
    documents = Documents(document, report)
    documents.check()
    for node in references(documents.root, set()):
        end = documents.follow(node)
        assert end.reference is None
        assert documents.is_broken(end) or end.location.line
    return document


def codes(found: list[Diagnostic]) -> list[str]:
    """What was found, in short."""
    return [diagnostic.code.id for diagnostic in found]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_of_a_corpus_is_read_or_refused_with_a_place(shared: Path, folder: str) -> None:
    files = sorted(path for path in (shared / "corpus" / folder).rglob("*") if path.is_file())
    assert files
    for path in files:
        report = Report()
        document = examined(path, report)
        found = report.sorted()
        assert document is not None or report.failed
        assert all(diagnostic.location.line or diagnostic.code.id == "empty-file" for diagnostic in found)
        assert text(found).encode().decode() == text(found)


HOSTILE = {
    "deep-arrays-100000.json": ["too-deep"],
    "deep-nesting-50.json": [],
    "deep-nesting-200.json": [],
    "deep-nesting-1000.json": ["too-deep"],
    "empty.yaml": ["empty-file"],
    "json-bom.json": [],
    "json-lone-surrogate.json": ["bad-encoding"] * 3,
    "json-trailing-comma.json": ["invalid-json"],
    "list-root.yaml": ["not-a-mapping"],
    "only-comment.yaml": ["empty-file"],
    "ref-chain-5000.yaml": [],
    "ref-escapes.yaml": [],
    "ref-external-cycle-a.yaml": ["reference-loop"],
    "ref-external-missing.yaml": ["missing-file"],
    "ref-into-array-item.yaml": [],
    "ref-into-properties.yaml": [],
    "ref-missing.yaml": ["dangling-reference"],
    "ref-mutual-allof.yaml": [],
    "ref-property-named-ref.yaml": [],
    "ref-recursive-allof.yaml": [],
    "ref-remote-http.yaml": ["remote-reference"],
    "ref-remote-metadata.yaml": ["remote-reference"],
    "ref-self.yaml": ["reference-loop"],
    "yaml-binary-set-omap-timestamp.yaml": ["unknown-tag"] * 3,
    "yaml-control-chars.yaml": ["control-character"],
    "yaml-crlf-nel.yaml": [],
    "yaml-invalid-utf8.yaml": ["bad-encoding"],
    "yaml-multi-document.yaml": ["several-documents"],
    "yaml-norway.yaml": ["bad-number"],
    "yaml-python-tag.yaml": ["unknown-tag"],
    "yaml-recursive-alias.yaml": ["bad-alias"],
    "yaml-unknown-tag.yaml": ["unknown-tag"],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_told_what_is_wrong_with_it(shared: Path, name: str) -> None:
    report = Report()
    examined(shared / "corpus" / "hostile" / name, report)
    assert codes(report.sorted()) == HOSTILE[name]


def test_keys_of_the_norway_file_stay_as_they_are_written(shared: Path) -> None:
    document = load(shared / "corpus" / "hostile" / "yaml-norway.yaml", report=Report())
    found = Documents(document, Report()).root
    for key in ("components", "schemas", "A", "properties"):
        child = found.get(key)
        assert child is not None
        found = child
    keys = [key for key, _ in found.items()]
    assert " ".join(keys) == "on no yes y null ~ 1 1.5 0x1F 010 1_000 12:30:45 2024-01-01 .inf << ="
