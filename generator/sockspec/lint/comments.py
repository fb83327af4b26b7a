"""The comments of a YAML text that speak to the linter."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from sockspec.spec.text import Text
from sockspec.spec.written import written

_MARK = re.compile(r"(?<![^\s])#[ \t]*lint-ignore(?![\w])[^\r\n]*")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment that speaks to the linter."""

    offset: int
    """Which character of the text its sign is."""
    line: int
    words: str
    """What follows the sign, without spaces around it."""
    is_alone: bool
    """Whether nothing else stands on the line before it."""


def comments(text: Text) -> Iterator[Comment]:
    """The comments of a text that begin with `lint-ignore`; those that look so within quotes or blocks are none."""
    characters = text.characters
    if "lint-ignore" not in characters:
        return
    form = written(text)
    if form.is_json:
        return
    opaque = form.opaque()
    for found in _MARK.finditer(characters):
        index = bisect_right(opaque, (found.start(), len(characters))) - 1
        if index < 0 or found.start() >= opaque[index][1]:
            place = text.place(found.start())
            before = characters[found.start() - place.column + 1 : found.start()]
            yield Comment(found.start(), place.line, found[0][1:].strip(), not before.strip())
