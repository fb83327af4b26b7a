"""The code blocks of the pages, and what is said about them.

    <!-- not run: why -->                  above a block: it is looked at by nobody
    <!-- checked: why it is not run -->    above a block of Python: its types are checked
    ```python title="server.py"            the block is a file, which later blocks use
    ```console title="terminal 1"          the last command of the block goes on running

`tests/site/test_blocks.py` says what becomes of each language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_OPENING = re.compile(r"^( *)(`{3,})([^`]*)$")
_MARK = re.compile(r"^ *<!-- (not run|checked): (.+?) -->$")
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Block:
    """One block of code of a page."""

    page: str
    """The path of the page below the repository's root."""
    line: int
    """The line of its first line of code."""
    language: str
    title: str
    """A file's name, or which terminal it is; empty where the block has no title."""
    text: str
    mark: str
    """`not run`, `checked` or nothing."""
    reason: str
    """What the mark says."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """All pages with code, by their paths below the root."""
    return ["README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))]


def blocks(page: str) -> list[Block]:
    """The blocks of a page, in their order."""
    return list(_blocks(page, (ROOT / page).read_text(encoding="utf-8").splitlines()))


def _blocks(page: str, lines: list[str]) -> Iterator[Block]:
    mark: re.Match[str] | None = None
    at = 0
    while at < len(lines):
        opening = _OPENING.match(lines[at])
        if opening is None:
            found = _MARK.match(lines[at])
            mark = found if found or lines[at].strip() else mark
            at += 1
            continue
        indent, fence, info = opening.groups()
        end = next(line for line in range(at + 1, len(lines)) if lines[line].strip() == fence)
        title = _TITLE.search(info)
        yield Block(
            page=page,
            line=at + 2,
            language=info.split()[0] if info.strip() else "",
            title=title[1] if title else "",
            text="".join(f"{line.removeprefix(indent)}\n" for line in lines[at + 1 : end]),
            mark=mark[1] if mark else "",
            reason=mark[2] if mark else "",
        )
        mark = None
        at = end + 1
