"""Where findings stand in the texts of files: lines, words, and where a word ends."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass

from sockspec.diagnostics import Location
from sockspec.reports.run import Source

MOST_CHARACTERS = 500
"""How much of a line is looked at, on either side of a place: a file may be one line of megabytes."""

_LINE_END = re.compile("\r\n?|\n")
_QUOTED = r'"(?:[^"\\]|\\.)*"|' + r"'(?:[^']|'')*'"
_WORD = re.compile(
    rf"""
      {_QUOTED}
    | [{{\[]                                                          # a flow collection: its bracket
    | -(?=\s|$)                                                       # a list: the dash of its first item
    | [|>][+-]?[0-9]?[+-]?(?=\s|$)                                    # a block of text: its sign
    | \#.*                                                            # a comment
    | [&*!][^\s,\]}}]*                                                # an anchor, an alias, a tag
    | (?:true|false|null|-?[0-9][0-9.eE+-]*)(?=\s*(?:[,\]}}]|$))      # a literal of JSON
    """,
    re.VERBOSE,
)
_BLOCK_END = re.compile(r":(?=\s|$)|\s\s*(?:\#|$)|$")
_FLOW_END = re.compile(r":(?=[\s,\[\]{}]|$)|[,\[\]{}]|\s\s*(?:\#|$)|$")
_BRACKETS = re.compile(rf"{_QUOTED}|[{{}}\[\]]")


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a line around a word."""

    text: str
    start: int
    """Where the word begins in the text."""
    end: int
    """The place behind its last character in the text."""
    cut_before: bool
    cut_after: bool


@dataclass(frozen=True, slots=True)
class _File:
    text: str
    starts: array[int]

    def line(self, number: int) -> tuple[int, int] | None:
        """Where a line begins and ends in the text, counted from 1; None where there is none."""
        if not 1 <= number <= len(self.starts):
            return None
        start = self.starts[number - 1]
        stop = self.starts[number] if number < len(self.starts) else len(self.text)
        while stop > start and self.text[stop - 1] in "\r\n":
            stop -= 1
        return start, stop


class Places:
    """The texts of a run's files, each read when it is first asked for."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._files: dict[str, _File | None] = {}

    def end(self, location: Location) -> tuple[int, int] | None:
        """The line and the column behind the last character of a place; None where the text cannot be had."""
        if location.end_line and location.end_column:
            return location.end_line, location.end_column
        found = self._found(location)
        if found is None:
            return None
        file, start, (first, stop) = found
        return location.line, location.column + len(_word(file.text, first, start, stop))

    def word(self, location: Location) -> str | None:
        """What stands at a place, on its line."""
        found = self._found(location)
        if found is None:
            return None
        file, start, (first, stop) = found
        return file.text[start : self._behind(location, file, start, first, stop)]

    def line(self, location: Location) -> str | None:
        """The whole line of a place; None where the text cannot be had, or where the line is too long to be shown."""
        found = self._found(location)
        if found is None:
            return None
        file, _, (first, stop) = found
        return file.text[first:stop] if stop - first <= MOST_CHARACTERS else None

    def window(self, location: Location, size: int) -> Window | None:
        """The part of a place's line that shows the beginning of its word; at most so many characters."""
        found = self._found(location)
        if found is None:
            return None
        file, start, (first, stop) = found
        behind = self._behind(location, file, start, first, stop)
        begin = first if behind - first <= size * 3 // 4 else max(first, min(start - size // 4, stop - size))
        finish = min(stop, begin + size)
        text = file.text[begin:finish]
        return Window(text, start - begin, min(behind, finish) - begin, begin > first, finish < stop)

    def _behind(self, location: Location, file: _File, start: int, first: int, stop: int) -> int:
        """The offset behind the last character of a place, on the line where it begins."""
        if location.end_line == location.line and location.end_column:
            return max(start, min(stop, first + location.end_column - 1))
        if location.end_line > location.line:
            return stop
        return start + len(_word(file.text, first, start, stop))

    def _found(self, location: Location) -> tuple[_File, int, tuple[int, int]] | None:
        """The file, the offset of a place, and the bounds of its line."""
        file = self._file(location.path)
        bounds = file.line(location.line) if file is not None else None
        if file is None or bounds is None or location.column < 1:
            return None
        return file, min(bounds[0] + location.column - 1, bounds[1]), bounds

    def _file(self, path: str) -> _File | None:
        if path not in self._files:
            text = self._source(path)
            ends = (match.end() for match in _LINE_END.finditer(text or ""))
            self._files[path] = _File(text, array("L", [0, *ends])) if text is not None else None
        return self._files[path]


def _word(text: str, first: int, start: int, stop: int) -> str:
    """The word of YAML or JSON that begins at an offset, as far as its line, from first to stop, shows it."""
    most = min(stop, start + MOST_CHARACTERS)
    known = _WORD.match(text, start, most)
    if known is not None:
        return known[0]
    before = text[max(first, start - MOST_CHARACTERS) : start]
    end = (_FLOW_END if _is_in_flow(before) else _BLOCK_END).search(text, start, most)
    return text[start : end.start() if end is not None else most]


def _is_in_flow(before: str) -> bool:
    """Whether what stands before a place in its line opens a bracket that it does not close."""
    depth = 0
    for match in _BRACKETS.finditer(before):
        depth = max(0, depth + {"{": 1, "[": 1, "}": -1, "]": -1}.get(match[0], 0))
    return depth > 0
