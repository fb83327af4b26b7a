"""Markdown of documents as HTML that can do nothing: no markup of theirs, no images, and links only to safe places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import escape
from typing import TYPE_CHECKING

from sockspec.docs.writing import Html, Writing, one_line, without_unseen

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_DEEPEST_HEADING = 6
LONGEST = 100_000
"""Characters that are read as Markdown; what is longer is shown as it is written."""
PLAIN = re.compile(r"(?![ \t]|[-+=>]|\d{1,9}[.)])[^\\`*_\[\]<>&~|#\n\r\t]*")
"""One line that has nothing in it that Markdown knows."""
SAFE = re.compile(r"(?:https?://|mailto:|#)[^\s]*", re.IGNORECASE)
_DROPPED = ("style", "class", "start")


def html(text: str, level: int) -> Html:
    """The text as HTML, whose headings begin with `h{level}` and go down by one level at a time.

    Raw HTML is shown, not run. Links lead to http, https, mailto or a place on the page; others are plain text.
    """
    seen = without_unseen(text).strip()
    if not seen:
        return Html("")
    if PLAIN.fullmatch(seen):
        return Html(f"<p>{escape(seen)}</p>\n")
    if len(seen) > LONGEST:
        return Html(f"<pre>{escape(seen)}</pre>\n")
    reader = parser()
    tokens = reader.parse(seen)
    links: list[bool] = []
    above: list[str] = []
    for token in _all(tokens):
        _tame(token, links)
        if token.type == "heading_open":
            while above and above[-1] >= token.tag:
                above.pop()
            above.append(token.tag)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(level + len(above) - 1, _DEEPEST_HEADING)}"
    return Html(reader.renderer.render(tokens, reader.options, {}))


def line(text: str) -> str:
    """One line of text, whose emphasis, code and links are HTML; the text itself where it has none of them."""
    seen = one_line(text)
    if PLAIN.fullmatch(seen) or len(seen) > LONGEST:
        return seen
    reader = parser()
    tokens = reader.parseInline(seen)
    links: list[bool] = []
    for token in _all(tokens):
        _tame(token, links)
    return Html(reader.renderer.render(tokens, reader.options, {}))


@cache
def parser() -> MarkdownIt:
    """What reads Markdown: without HTML and images, and with tables."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return reader.disable(["image", "html_block", "html_inline"])


def _all(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from token.children or ()


def _tame(token: Token, links: list[bool]) -> None:
    """Take from a token what a page of ours must not have. `links` has, for each open link, whether it is one."""
    for name in _DROPPED:
        token.attrs.pop(name, None)
    token.info = ""
    if token.type == "link_open":
        target = str(token.attrs.get("href", ""))
        links.append(SAFE.fullmatch(target) is not None)
        token.attrs = {"href": target, "rel": "nofollow noopener noreferrer"} if links[-1] else {}
        token.tag = "a" if links[-1] else "span"
    elif token.type == "link_close":
        token.tag = "a" if links.pop() else "span"


HTML = Writing(one_line, one_line, line, html)
"""For templates that escape what they print, beside descriptions, which are HTML already."""
