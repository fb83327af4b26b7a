"""Mending what reading a document says, which is of no rule."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import quote

from sockspec.diagnostics import Diagnostic
from sockspec.rules.edits import Edit, quoted, renamed, replaced
from sockspec.rules.rule import Fixer
from sockspec.rules.subject import Subject
from sockspec.spec.node import Node
from sockspec.spec.resolve import UNESCAPED_REFERENCE
from sockspec.spec.source import Document
from sockspec.spec.wording import NOT_ALLOWED_VALUE, UNKNOWN_PROPERTY, WRONG_TYPE

_MEANT = re.compile(r"did you mean ('[^']*'|\"[^\"]*\")\?")


def edits(subject: Subject, finding: Diagnostic, *, unsafe: bool) -> Iterable[Edit]:
    """What mends a finding; nothing where that cannot be told, or where it would have to be guessed and may not be."""
    fixer = SAFE.get(finding.code.id) or (UNSAFE.get(finding.code.id) if unsafe else None)
    return fixer(subject, finding) if fixer is not None else ()


def _document(subject: Subject, finding: Diagnostic) -> Document | None:
    loaded = subject.documents.loaded
    return next((document for document in loaded if document.name == finding.location.path), None)


def _as_text(subject: Subject, finding: Diagnostic) -> list[Edit]:
    """A version such as 1.0 that is meant as text."""
    document, pointer = _document(subject, finding), finding.location.pointer
    if document is None or not isinstance(document.at(pointer), (int, float)):
        return []
    return quoted(document, pointer)


def _escaped(subject: Subject, finding: Diagnostic) -> list[Edit]:
    """A reference with a raw '/' in a key, written by the rules."""
    document, pointer = _document(subject, finding), finding.location.pointer
    if document is None:
        return []
    around = pointer.removesuffix("/$ref")
    node = Node(document.at(around), document, around)
    target = subject.documents.target(node)
    if node.reference is None or target is None:
        return []
    file = node.reference.partition("#")[0]
    if _named(document, file) != target.document.path:
        return []
    return replaced(document, pointer, f"{file}#{quote(target.pointer, safe=_IN_FRAGMENTS)}")


def _named(document: Document, file: str) -> object:
    return (document.path.parent / file).resolve() if file else document.path


def _as_meant(subject: Subject, finding: Diagnostic) -> list[Edit]:
    """The listed value that is nearest to what was written."""
    document, meant = _document(subject, finding), _meant(finding)
    return replaced(document, finding.location.pointer, meant) if document is not None and meant else []


def _named_as_meant(subject: Subject, finding: Diagnostic) -> list[Edit]:
    """The property that is nearest to what was written."""
    document, meant = _document(subject, finding), _meant(finding)
    return renamed(document, finding.location.pointer, meant) if document is not None and meant else []


def _meant(finding: Diagnostic) -> str:
    """The name that the hint of a finding offers; empty where it offers none."""
    found = _MEANT.fullmatch(finding.hint)
    return str(ast.literal_eval(found[1])) if found is not None else ""


_IN_FRAGMENTS = "/~!$&'()*+,;=:@-._?"
"""What stands for itself in the fragment of a URI (RFC 3986)."""

SAFE: Mapping[str, Fixer] = MappingProxyType({WRONG_TYPE.id: _as_text, UNESCAPED_REFERENCE.id: _escaped})
"""What means the same before and after."""

UNSAFE: Mapping[str, Fixer] = MappingProxyType({NOT_ALLOWED_VALUE.id: _as_meant, UNKNOWN_PROPERTY.id: _named_as_meant})
"""What has to be guessed."""
