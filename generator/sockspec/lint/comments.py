"""The comments of a YAML text that speak to the linter."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from sockspec.spec.text import Text

_MARK = re.compile(r"(?<![^\s])#[ \t]*lint-ignore(?![\w])[^\r\n]*")
_LINE_END = re.compile(r"\r\n?|\n")
_FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
    try:
        starts, ends = _hidden(characters)
    except yaml.YAMLError:
        return  # JSON that YAML does not take: it has no comments
    for found in _MARK.finditer(characters):
        index = bisect_right(starts, found.start()) - 1
        if index < 0 or found.start() >= ends[index]:
            place = text.place(found.start())
            before = characters[found.start() - place.column + 1 : found.start()]
            yield Comment(found.start(), place.line, found[0][1:].strip(), not before.strip())


def _hidden(characters: str) -> tuple[list[int], list[int]]:
    """Where the texts begin and end in which a '#' is a character as any other."""
    starts: list[int] = []
    ends: list[int] = []
    for event in yaml.parse(characters, Loader=_FASTEST):
        if isinstance(event, yaml.ScalarEvent) and event.style:
            start = event.start_mark.index
            if event.style in ("|", ">"):
                # A comment may stand behind the sign of a block.
                line_end = _LINE_END.search(characters, start)
                start = line_end.end() if line_end is not None else len(characters)
            starts.append(start)
            ends.append(event.end_mark.index)
    return starts, ends
