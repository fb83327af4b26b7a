"""Mending what reading a document says, which is of no rule."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from sockspec.diagnostics import Diagnostic
from sockspec.rules.edits import Edit, quoted, renamed, replaced
from sockspec.rules.rule import Fixer
from sockspec.rules.subject import Subject
from sockspec.spec.wording import NOT_ALLOWED_VALUE, UNKNOWN_PROPERTY, WRONG_TYPE

_MEANT = re.compile(r"did you mean ('[^']*'|\"[^\"]*\")\?")


def edits(subject: Subject, finding: Diagnostic, *, unsafe: bool) -> Iterable[Edit]:
    """What mends a finding; nothing where that cannot be told, or where it would have to be guessed and may not be."""
    fixer = SAFE.get(finding.code.id) or (UNSAFE.get(finding.code.id) if unsafe else None)
    return fixer(subject, finding) if fixer is not None else ()


def _as_text(subject: Subject, finding: Diagnostic) -> list[Edit]:
    """A version such as 1.0 that is meant as text."""
    node = subject.node_at(finding.location)
    return quoted(node.document, node.pointer) if node is not None and isinstance(node.value, (int, float)) else []


def _as_meant(subject: Subject, finding: Diagnostic) -> list[Edit]:
    """The listed value that is nearest to what was written."""
    node, meant = subject.node_at(finding.location), _meant(finding)
    return replaced(node.document, node.pointer, meant) if node is not None and meant else []


def _named_as_meant(subject: Subject, finding: Diagnostic) -> list[Edit]:
    """The property that is nearest to what was written."""
    node, meant = subject.node_at(finding.location), _meant(finding)
    return renamed(node.document, node.pointer, meant) if node is not None and meant else []


def _meant(finding: Diagnostic) -> str:
    """The name that the hint of a finding offers; empty where it offers none."""
    found = _MEANT.fullmatch(finding.hint)
    return str(ast.literal_eval(found[1])) if found is not None else ""


SAFE: Mapping[str, Fixer] = MappingProxyType({WRONG_TYPE.id: _as_text})
"""What means the same before and after."""

UNSAFE: Mapping[str, Fixer] = MappingProxyType({NOT_ALLOWED_VALUE.id: _as_meant, UNKNOWN_PROPERTY.id: _named_as_meant})
"""What has to be guessed."""
