"""How text of a document becomes text of a page: as it is where the template escapes it, as HTML, or as Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

Lines = tuple[str, ...]
"""A paragraph: one line, or the items of a list."""

_SPECIAL = re.compile(r"[\\`*_\[\]!]|(?<!&)#")
"""What every reader of Markdown takes literally behind a backslash."""
_LINE_START = re.compile(r"^(?:\d{1,9}(?=[.)](?:\s|$))|[-+])")
_LINE_START_ENTITY = re.compile(r"^[=:%(@/?]")
"""What begins a block in some dialect: headings, directives, comments, targets, blocks of plugins."""
_ITEM = re.compile(r"\s*(?:[-*+|>#]|\d{1,9}[.)]|```)")
_ENTITIES = str.maketrans({char: f"&#{ord(char)};" for char in "|~${}^"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""What means something to some readers only: tables, formulas, attributes, roles, templates."""
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Control characters, those that turn the direction of text, and halves of surrogate pairs."""
_NOT_IN_A_SPAN = re.compile(r"[`|<>&]|\{[{%#]|^\s|\s$|^$")


def one_line(text: str) -> str:
    """The text with each run of white space and of what changes the reading of others as one space."""
    return " ".join(_UNSEEN.sub(" ", text).split())


class Html(str):
    """HTML of our own making, which templates print as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


@dataclass(frozen=True, slots=True)
class Described:
    """A description: as HTML, or as paragraphs where the page is no HTML. False where there is none."""

    paragraphs: tuple[Lines, ...] = ()
    blocks: Lines = ()
    """The same as lines of Markdown, for where there is room."""
    html: str = ""

    def __bool__(self) -> bool:
        return bool(self.paragraphs or self.html)


@dataclass(frozen=True, slots=True)
class Writing:
    """The ways in which words, identifiers and blocks of code are written."""

    text: Callable[[str], str]
    """Words on one line."""
    code: Callable[[str], str]
    """Something that is written in the document's or in the wire's own way, on one line."""
    summary: Callable[[str], str] = one_line
    """Words on one line in which Markdown may stand."""
    html: Callable[[str, int], Html] | None = None
    """Markdown of the document as HTML with headings from a level on; None where the page is no HTML."""
    blocks: Callable[[str], Lines] | None = None
    """Markdown of the document as lines of Markdown; None where there is none on the page."""

    def described(self, text: str, level: int = 4) -> Described:
        """A description, whose headings begin at a level."""
        if self.html is not None:
            return Described(html=self.html(text, level))
        return Described(self.paragraphs(text), self.blocks(text) if self.blocks is not None else ())

    def paragraphs(self, text: str) -> tuple[Lines, ...]:
        """Text as paragraphs, which blank lines part."""
        blocks = re.split(r"\n[^\S\n]*\n", text.replace("\r\n", "\n").replace("\r", "\n"))
        lines = ([self.summary(line) for line in _filled(block.split("\n"))] for block in blocks)
        return tuple(tuple(block) for block in lines if block)


def _filled(lines: list[str]) -> list[str]:
    """Lines that only the width of the document's page has broken, as one; the items of a list stay apart."""
    filled: list[str] = []
    for line in filter(str.strip, lines):
        if filled and not _ITEM.match(line):
            filled[-1] += f" {line.strip()}"
        else:
            filled.append(line)
    return filled


def without_unseen(text: str) -> str:
    """The text, whose lines stay apart, without what cannot be seen or changes the reading of others."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ").split("\n")
    return "\n".join(_UNSEEN.sub(" ", line).rstrip() for line in lines)


def as_json(value: object, indent: int | None = None) -> str:
    """A JSON value as it travels, with escapes for what cannot be seen."""
    return visible(json.dumps(value, indent=indent, ensure_ascii=False))


def visible(written: str) -> str:
    """JSON text with escapes for what cannot be seen in it."""
    return _UNSEEN.sub(lambda found: found[0] if found[0] == "\n" else json.dumps(found[0])[1:-1], written)


def fence(text: str) -> str:
    """Backticks around a block of Markdown that no line of it can be taken for."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)


def _markdown(text: str) -> str:
    escaped = _SPECIAL.sub(r"\\\g<0>", one_line(text).translate(_ENTITIES))
    if _LINE_START_ENTITY.match(escaped):
        return f"&#{ord(escaped[0])};{escaped[1:]}"
    start = _LINE_START.match(escaped)
    if start is None:
        return escaped
    # A list or a rule would begin with it.
    return f"{start[0]}\\{escaped[start.end() :]}" if start[0].isdigit() else f"\\{escaped}"


def _markdown_code(text: str) -> str:
    line = _UNSEEN.sub(" ", text)
    return f"<code>{_markdown(line)}</code>" if _NOT_IN_A_SPAN.search(line) else f"`{line}`"


PLAIN = Writing(one_line, one_line)
"""For terminals, and for templates that escape what they print."""

MARKDOWN = Writing(_markdown, _markdown_code, _markdown)
"""Text whose every character is meant literally by readers of Markdown. None of it is HTML."""
