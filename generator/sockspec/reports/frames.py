"""The line of a file with marks under a word, for terminals."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from sockspec.diagnostics import Location
from sockspec.reports.places import Places, Window
from sockspec.reports.printable import commands, shown

WIDTH = 110
"""Characters of a line that are shown."""
_TAB = 4


def frame(places: Places, location: Location) -> tuple[str, str] | None:
    """The line of a place, and the line of marks below it; None where the text cannot be had.

    Both begin at the same column: whoever prints them puts what is equally wide before them.
    """
    window = places.window(location, WIDTH)
    if window is None:
        return None
    pieces = list(_pieces(window))
    before = _cells("".join(pieces[: window.start]))
    under = _cells("".join(pieces[window.start : window.end]))
    lead, trail = "…" * window.cut_before, "…" * window.cut_after
    line = f"{lead}{''.join(pieces)}{trail}".rstrip()
    return line, " " * (len(lead) + before) + "^" * max(1, under)


def _pieces(window: Window) -> Iterator[str]:
    """Each character as it is printed; a tab as the spaces to the next stop."""
    hidden = commands(window.text)
    column = 0
    for index, character in enumerate(window.text):
        if character == "\t":
            piece = " " * (_TAB - column % _TAB)
        else:
            piece = r"\x23" if index in hidden else shown(character)
        column += _cells(piece)
        yield piece


def _cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_cell, text))


def _cell(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
