"""Text of documents as text for terminals and logs: nothing in it acts."""

from __future__ import annotations

import re

_COMMAND = re.compile(r"##(?=\w*\[)")
"""What begins a command to the runners of GitHub, Azure and TeamCity, wherever it stands in a line of a log."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    """The text with an escape for each character that is not printed as itself: controls, turns of direction, blanks
    that look like others. A number sign that would begin a command to a build server is one of them.
    """
    if not text.isprintable():
        text = "".join(shown(character) for character in text)
    return _COMMAND.sub(r"#\\x23", text) if "##" in text else text


def shown(character: str) -> str:
    """One character as it is printed."""
    return character if character.isprintable() else repr(character)[1:-1]


def commands(text: str) -> set[int]:
    """Where number signs stand that would begin a command to a build server."""
    return {match.start() + 1 for match in _COMMAND.finditer(text)} if "##" in text else set()


def encodable(text: str) -> str:
    """The text with a sign of replacement for each half of a surrogate pair, which no file can hold."""
    return _SURROGATE.sub("\ufffd", text)
