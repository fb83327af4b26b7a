"""Classes that another generated package has already: which of them are the same, told by their code.

Two packages have a class in common where its code is the same but for docstrings, and so is the code of all that it
refers to. Code that is the same does the same, whatever the documents are.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Models:
    """The module `messages` of another package."""

    package: str
    """The name by which it is imported."""
    code: str


@dataclass(frozen=True, slots=True)
class _Statement:
    """What a module says of a name, without docstrings, and the names that stand in it."""

    code: str
    names: frozenset[str]


def in_common(code: str, other: Models) -> frozenset[str]:
    """The names of this code that mean the same in the other module. Raises SyntaxError where that is no Python."""
    ours, theirs = _statements(code), _statements(other.code)
    same = {name for name, statement in ours.items() if name in theirs and theirs[name].code == statement.code}
    while True:
        apart = {name for name in same if (ours[name].names & ours.keys()) - same}
        if not apart:
            return frozenset(same)
        same -= apart


def _statements(code: str) -> dict[str, _Statement]:
    return {name: _statement(node) for node in ast.parse(code).body for name in _defined(node)}


def _defined(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.ClassDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case ast.If(test=ast.Name(id="TYPE_CHECKING"), body=[ast.AnnAssign(target=ast.Name(id=name))]):
            yield name
        case _:
            pass


def _statement(node: ast.stmt) -> _Statement:
    for part in ast.walk(node):
        if isinstance(part, ast.ClassDef):
            part.body = [one for one in part.body if not _is_text(one)] or [ast.Pass()]
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return _Statement(ast.dump(node), frozenset(names.union(*(re.findall(r"\w+", text) for text in texts))))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
