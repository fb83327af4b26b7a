"""The imports that a module needs, found in what was printed of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from sockspec.python.layout import Group, lay

_MODULES: Final = {
    "abc": ("abstractmethod",),
    "datetime": (),
    "decimal": ("Decimal",),
    "enum": ("IntEnum", "StrEnum"),
    "typing": ("TYPE_CHECKING", "Annotated", "Any", "ClassVar", "Literal", "Never", "TypeAlias", "Union", "overload"),
    "uuid": ("UUID",),
    "msgspec": ("UNSET", "Meta", "Struct", "UnsetType", "field"),
    "sockspec.runtime": (
        "BasicCredentials",
        "BasicScheme",
        "BearerScheme",
        "CertificateScheme",
        "Client",
        "ClientOptions",
        "Codec",
        "Connection",
        "Credential",
        "DateTime",
        "Endpoint",
        "Entry",
        "FromHeader",
        "FromPath",
        "FromQuery",
        "Handler",
        "Handshake",
        "Heartbeat",
        "KeyScheme",
        "Limits",
        "P",
        "Principal",
        "Problem",
        "Publisher",
        "Refused",
        "Requirement",
        "Route",
        "Schemas",
        "Scheme",
        "Server",
        "SyncClient",
        "SyncEndpoint",
        "SyncPublisher",
        "Token",
        "basic",
        "identified",
        "message_of",
        "one_of",
        "open_tuple",
        "payload_of",
        "stamped",
    ),
}
_TEXT: Final = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""'  # a docstring
    r'|(?<!TypeAlias = )"(?:[^"\\\n]|\\.)*"'
    r"|'(?:[^'\\\n]|\\.)*'",
    re.DOTALL,
)
"""Strings and docstrings as the views print them. A quoted alias is code, though."""
_TARGET: Final = re.compile(r"^\s+[^\W\d]\w*(?=: )|[^\W\d]\w*(?==[^=\s])", re.MULTILINE)
"""What is given a type or a value: members, parameters, arguments. They are names of the document, and use nothing."""
_NAME: Final = re.compile(r"(?<![\w.])[^\W\d]\w*")
_DEFINED: Final = re.compile(r"^class ([^\W\d]\w*)|^([^\W\d]\w*): TypeAlias", re.MULTILINE)
"""The classes and aliases that a module makes itself."""
_BLOCKS: Final = (
    ("abc", "datetime", "decimal", "enum", "typing", "uuid"),
    ("msgspec", "sockspec.runtime"),
)


def used(body: str) -> set[str]:
    """The names in the code of a module, whatever they stand for."""
    return set(_NAME.findall(_TARGET.sub("", _TEXT.sub("", body))))


def blocks(body: str, siblings: Iterable[str], others: Mapping[str, frozenset[str]]) -> tuple[tuple[str, ...], ...]:
    """The import statements for the code of a module, in the order and the blocks that linters want.

    `siblings` are the modules of the package that it may use; `others` what it has from modules of other packages.
    """
    names = used(body) - {name for pair in _DEFINED.findall(body) for name in pair}
    found: list[tuple[str, ...]] = []
    for modules in _BLOCKS:
        plain = ["import datetime as dt"] if "datetime" in modules and "dt" in names else []
        froms = [
            import_of(module, names & set(_MODULES[module])) for module in modules if names & set(_MODULES[module])
        ]
        if plain or froms:
            found.append((*plain, *froms))
    if others:
        found.append(tuple(import_of(module, found_there) for module, found_there in others.items()))
    beside = names & set(siblings)
    return (*found, (import_of(".", beside),)) if beside else tuple(found)


def import_of(module: str, names: Iterable[str]) -> str:
    """One import of several names."""
    ordered = tuple(sorted(names, key=order))
    one = f"from {module} import {', '.join(ordered)}"
    return one if len(one) <= 88 else lay(Group(f"from {module} import (", ordered, ")"))


Order = tuple[int, list[tuple[int, int | str]], list[tuple[int, int | str]]]


def order(name: str) -> Order:
    """The order in which linters want imported names: constants, classes, the rest, each without regard to case."""
    return _kind(name), _natural(name.lower()), _natural(name)


def exported_order(literal: str) -> Order:
    """The order in which linters want the strings of `__all__`: the same, but capitals first."""
    name = literal[1:-1]
    return _kind(name), _natural(name), []


def _kind(name: str) -> int:
    return 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Numbers inside a name count by their value."""
    pieces = [piece for piece in re.split(r"(\d+)", name) if piece]
    return [(0, int(piece)) if piece.isdigit() else (1, piece) for piece in pieces]
