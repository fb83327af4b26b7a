"""Text of a document as text of Python: the only way in, so that a hostile document never becomes code."""

from __future__ import annotations

import textwrap

WIDTH = 88
"""The length of a line that generated code keeps to where it can: the one that formatters assume."""


def string(text: str) -> str:
    """A string literal on one line, in double quotes as formatters write it."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join("\\" + c if c in (quote, "\\") else _printable(c) for c in text) + quote


def _printable(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]


def value(of: object) -> str:
    """A literal of a scalar JSON value."""
    if isinstance(of, str):
        return string(of)
    return repr(of)


def docstring(text: str, indent: int = 0) -> str:
    """A docstring at an indentation, from its opening quotes to its closing ones; it holds the words of the text."""
    margin = " " * indent
    paragraphs = [_wrapped(paragraph, WIDTH - indent - 6) for paragraph in _paragraphs(text)]
    lines = [_quoted(line) for paragraph in paragraphs for line in (*paragraph, "")][:-1] or [""]
    if lines[0].startswith('"'):
        lines[0] = "\\" + lines[0]
    if lines[-1].endswith('"'):
        before = lines[-1][:-1]
        escaped = (len(before) - len(before.rstrip("\\"))) % 2
        lines[-1] = lines[-1] if escaped else before + '\\"'
    if len(lines) == 1:
        return f'"""{lines[0]}"""'
    body = "".join("\n" + (margin + line if line else "") for line in lines[1:])
    return f'"""{lines[0]}{body}\n{margin}"""'


def _quoted(line: str) -> str:
    safe = line.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in safe)


def _paragraphs(text: str) -> list[str]:
    plain = "\n".join("".join(c if c.isprintable() else " " for c in line) for line in text.splitlines())
    return [paragraph for paragraph in plain.split("\n\n") if paragraph.strip()]


def _wrapped(paragraph: str, width: int) -> list[str]:
    lines = [line.strip() for line in paragraph.splitlines() if line.strip()]
    if any(line.startswith(("-", "*", "|", "#", "```", "1.")) for line in lines):
        return lines
    return textwrap.wrap(" ".join(lines), width, break_long_words=False, break_on_hyphens=False) or [""]


def first_paragraph(text: str) -> str:
    """What a description begins with, for places that have room for no more."""
    return text.strip().split("\n\n", 1)[0]
