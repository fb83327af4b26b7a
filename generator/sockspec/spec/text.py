"""The text of a file, the places in it, and where each value of it was written."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterator
from functools import cached_property

from sockspec.diagnostics import Code, Diagnostic, Location, Severity

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""What a document is made of. Keys are always strings."""

MAX_DEPTH = 512
"""How many mappings and lists may stand within one another, aliases followed."""

MAX_DIGITS = 1000
"""How long a written integer may be. Python refuses to print those of more than 4300 digits."""

TOO_DEEP = Code(
    "too-deep",
    Severity.ERROR,
    f"The file nests mappings and lists more than {MAX_DEPTH} deep. No description of an API does; "
    "a file made to exhaust the reader does. Move inner parts to definitions of their own and refer to them.",
)
DUPLICATE_KEY = Code(
    "duplicate-key",
    Severity.ERROR,
    "A mapping has the same key twice. YAML forbids it, and JSON has no meaning for it; the last value counts here, as in "
    "most readers, and the others are lost. Remove or rename all but one.",
    tolerable=True,
)
BAD_NUMBER = Code(
    "bad-number",
    Severity.ERROR,
    "The number cannot be carried by JSON: it is infinite, not a number, beyond the range of a double, or thousands of "
    "digits long. Write a finite number, or quote it if it is meant as text.",
)
BAD_ENCODING = Code(
    "bad-encoding",
    Severity.ERROR,
    "The file is not UTF-8 text, or it writes a half of a surrogate pair (`\\ud800`) that no file can hold. Save the "
    "file as UTF-8.",
)

_MOST_QUOTED = 200
_LINE_END = re.compile("\r\n?|\n")


class Unreadable(Exception):
    """The file gives no value. `diagnostics` say why, at least one of them an error."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(map(str, diagnostics)))
        self.diagnostics = diagnostics


class Text:
    """The characters of a file under the name that users know it by."""

    def __init__(self, name: str, characters: str) -> None:
        self.name = name
        self.characters = characters

    @cached_property
    def _lines(self) -> array[int]:
        """Where each line after the first begins."""
        return array("L", (end.end() for end in _LINE_END.finditer(self.characters)))

    def place(self, offset: int, pointer: str = "") -> Location:
        """The line and column of a character."""
        line = bisect_right(self._lines, offset)
        start = self._lines[line - 1] if line else 0
        return Location(self.name, line + 1, offset - start + 1, pointer)


class Marks:
    """Where the values of a document begin, as offsets into its text.

    A mapping has two offsets for each entry (key, value) in the order of the dict, a list has one for each item. They
    stand together in one array, at a start that is found by the identity of the container; so a million values cost
    some megabytes, and a container that is used twice (a YAML alias) is noted once.
    """

    def __init__(self) -> None:
        self.root = 0
        self._offsets = array("L")
        self._starts: dict[int, int] = {}
        self._orders: dict[int, dict[str, int]] = {}

    def note(self, container: list[Json] | dict[str, Json], offsets: list[int]) -> None:
        """Note the places of a container's entries. The container has to live as long as the marks."""
        self._starts[id(container)] = len(self._offsets)
        self._offsets.extend(offsets)

    def of_key(self, mapping: dict[str, Json], key: str) -> tuple[int, int]:
        """Where a key of the mapping and its value begin."""
        order = self._orders.get(id(mapping))
        if order is None:
            order = self._orders[id(mapping)] = {name: index for index, name in enumerate(mapping)}
        start = self._starts[id(mapping)] + 2 * order[key]
        return self._offsets[start], self._offsets[start + 1]

    def of_item(self, items: list[Json], index: int) -> int:
        """Where an item of the list begins."""
        return self._offsets[self._starts[id(items)] + index]

    def beginnings(self, root: Json, wanted: Collection[int]) -> Iterator[tuple[int, Json, str]]:
        """Of the wanted offsets those at which a key or a value begins, with it and the JSON pointer of the value."""
        waiting: list[tuple[Json, str]] = [(root, "")]
        seen: set[int] = set()
        while waiting:
            container, pointer = waiting.pop()
            start = self._starts.get(id(container))
            # What is empty begins where the next one does.
            if start is None or not container or start in seen:
                continue
            seen.add(start)
            inner: list[tuple[Json, str]] = []
            if isinstance(container, dict):
                for key, value in container.items():
                    below = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
                    for offset, found in ((self._offsets[start], key), (self._offsets[start + 1], value)):
                        if offset in wanted:
                            yield offset, found, below
                    start += 2
                    if isinstance(value, dict | list):
                        inner.append((value, below))
            elif isinstance(container, list):
                for index, value in enumerate(container):
                    if self._offsets[start + index] in wanted:
                        yield self._offsets[start + index], value, f"{pointer}/{index}"
                    if isinstance(value, dict | list):
                        inner.append((value, f"{pointer}/{index}"))
            waiting.extend(reversed(inner))


def quoted(text: str) -> str:
    """What was written, between quotes, on one line and not too long."""
    return repr(text if len(text) <= _MOST_QUOTED else text[:_MOST_QUOTED] + "...")
