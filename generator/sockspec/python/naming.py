"""Identifiers: the only place where names of a document become names of Python."""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from collections.abc import Iterable
from typing import Final

_SYMBOLS: Final = {
    "+": "plus",
    "-": "minus",
    "*": "star",
    "/": "slash",
    "%": "percent",
    "&": "and",
    "|": "or",
    "=": "equal",
    "<": "less",
    ">": "greater",
    "!": "not",
    "?": "question",
    "@": "at",
    "#": "hash",
    "$": "dollar",
    ".": "dot",
    "_": "underscore",
    " ": "space",
}
_PLAIN_STEMS: Final = {"asyncapi", "openapi", "api", "spec", "index", "document", ""}
_BOUNDARY: Final = re.compile(r"(?<=[^\W\d_])(?<![^\W\d_a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD: Final = re.compile(r"[^\W_]+")
_IN_ANNOTATIONS: Final = frozenset({"bool", "int", "float", "str", "bytes", "list", "dict", "tuple", "object"})

CLASS_RESERVED: Final = frozenset(
    """Annotated Any ClassVar Literal TypeAlias TYPE_CHECKING Union IntEnum StrEnum Meta Struct UNSET UnsetType UUID Decimal
    DateTime True False None""".split()
)
"""Names that the modules of a package need for themselves."""

_UNREADABLE: Final = frozenset({"l", "O", "I"})

ATTRIBUTE_RESERVED: Final = frozenset(
    {*keyword.kwlist, *_IN_ANNOTATIONS, *_UNREADABLE, "dt", "field", "one_of", "open_tuple", "self"}
)
"""Names that an attribute must not take from what stands around it."""

METHOD_RESERVED: Final = ATTRIBUTE_RESERVED | set(
    "P abstractmethod codecs identified messages overload stamped".split()
)
"""The same for the methods of servers and clients, and for their parameters."""

MEMBER_RESERVED: Final = frozenset({"NAME", "VALUE", "MRO"})
"""Names that members of an enumeration must not have."""


def _words(text: str) -> list[str]:
    """The words of a name: runs of letters and digits, split where lower case meets upper case."""
    plain = unicodedata.normalize("NFKC", text)
    found = [part for run in _WORD.findall(plain) for part in _BOUNDARY.split(run) if part]
    found = [word for word in found if ("a" + word).isidentifier()]
    return found or [_SYMBOLS[symbol] for symbol in plain if symbol in _SYMBOLS]


def class_name(text: str) -> str:
    """`chat message`, `chat_message` and `chatMessage` as `ChatMessage`."""
    name = "".join(word[:1].upper() + word[1:] for word in _words(text)) or "Empty"
    return name if name.isidentifier() else f"N{name}"


def attribute_name(text: str) -> str:
    """`chatMessage`, `chat-message` and `ChatMessage` as `chat_message`."""
    name = "_".join(word.lower() for word in _words(text)) or "empty"
    return name if name.isidentifier() else f"n_{name}"


def member_name(text: str) -> str:
    """`order-book` as `ORDER_BOOK`."""
    return attribute_name(text).upper()


def package_name(document: str, title: str) -> str:
    """A name for a package: from the name of the document's file, or from its title where the file's says nothing.

    It hides no module of Python itself, as `types` or `queue` would.
    """
    stem = document.partition(".")[0]
    words = title if stem.lower() in _PLAIN_STEMS else stem
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    name = "_".join(re.findall(r"[a-z0-9]+", plain.lower())) or "api"
    is_taken = keyword.iskeyword(name) or name in sys.stdlib_module_names
    return f"api_{name}" if is_taken or not name.isidentifier() else name


class Scope:
    """Names that are taken, and the way to take another. What claims first keeps its name, whatever comes after."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._reserved = frozenset(reserved)
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}

    def take(self, name: str) -> None:
        """A name is taken already, elsewhere."""
        self._taken.add(name)

    def claim(self, wanted: str, *others: str) -> str:
        """The first of the wanted names that is free, else the first one with a number."""
        for name in (wanted, *others):
            free = f"{name}_" if name in self._reserved or keyword.iskeyword(name) else name
            if free.isidentifier() and not free.startswith("_") and free not in self._taken:
                self._taken.add(free)
                return free
        number = self._numbers.get(wanted, 1)
        while (name := f"{wanted}_{number + 1}" if wanted[-1:].isdigit() else f"{wanted}{number + 1}") in self._taken:
            number += 1
        self._numbers[wanted] = number + 1
        self._taken.add(name)
        return name
