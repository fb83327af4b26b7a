"""The imports that a module needs, found in what was printed of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final

from sockspec.python.layout import Group, lay

_MODULES: Final = {
    "abc": ("abstractmethod",),
    "datetime": (),
    "decimal": ("Decimal",),
    "enum": ("StrEnum",),
    "typing": ("TYPE_CHECKING", "Annotated", "Any", "ClassVar", "Literal", "Never", "TypeAlias"),
    "uuid": ("UUID",),
    "msgspec": ("UNSET", "Meta", "Struct", "UnsetType", "field"),
    "sockspec.runtime": (
        "Client",
        "ClientOptions",
        "Codec",
        "Connection",
        "DateTime",
        "Entry",
        "Handler",
        "Handshake",
        "Route",
        "Schemas",
        "Server",
        "Token",
        "identified",
        "one_of",
        "stamped",
    ),
    ".": ("codecs", "messages"),
}
_BLOCKS: Final = (
    ("abc", "datetime", "decimal", "enum", "typing", "uuid"),
    ("msgspec", "sockspec.runtime"),
    (".",),
)


def blocks(body: str) -> tuple[tuple[str, ...], ...]:
    """The import statements for the code of a module, in the order and the blocks that linters want."""
    used = set(_used(ast.parse(body)))
    found: list[tuple[str, ...]] = []
    for modules in _BLOCKS:
        plain = ["import datetime as dt"] if "datetime" in modules and "dt" in used else []
        froms = [statement(module, used & set(_MODULES[module])) for module in modules if used & set(_MODULES[module])]
        if plain or froms:
            found.append((*plain, *froms))
    return tuple(found)


def statement(module: str, names: Iterable[str]) -> str:
    """One import of several names."""
    ordered = tuple(sorted(names, key=order))
    one = f"from {module} import {', '.join(ordered)}"
    return one if len(one) <= 88 else lay(Group(f"from {module} import (", ordered, ")"))


def order(name: str) -> tuple[int, list[tuple[int, int | str]]]:
    """The order in which linters want names: constants, classes, the rest; numbers inside a name by their value."""
    group = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    pieces = [piece for piece in re.split(r"(\d+)", name) if piece]
    return group, [(0, int(piece)) if piece.isdigit() else (1, piece) for piece in pieces]


def quoted_order(literal: str) -> tuple[int, list[tuple[int, int | str]]]:
    """The same order for names that are written as strings."""
    return order(literal[1:-1])


def _used(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Constant):
            quoted = node.value.value
            if isinstance(quoted, str) and isinstance(node.annotation, ast.Name) and node.annotation.id == "TypeAlias":
                yield from _used(ast.parse(quoted, mode="eval"))
