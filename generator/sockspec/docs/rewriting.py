"""Markdown of documents written anew, in the Markdown that all readers take alike, with nothing in it that they would run.

Headings become bold lines, since they are none of the page; emphasis and images go, and their words stay; links stay where
they lead to other sites. Items are indented by four spaces, which readers agree on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from sockspec.docs.markdown import LONGEST, PLAIN, SAFE, parser
from sockspec.docs.writing import MARKDOWN as LITERAL
from sockspec.docs.writing import Writing, fence, one_line, without_unseen

if TYPE_CHECKING:
    from markdown_it.token import Token

_URL = str.maketrans({char: f"%{ord(char):02X}" for char in "()[]<>|`*_{}\\\"' "})
"""What would end a link, or mean something in a table or to a template."""

Link = Callable[[str, str], str]
"""Words and a URL as a link. The words are written already."""


def rewriting(literal: Writing, link: Link) -> Writing:
    """A way of writing in which descriptions keep their lists, code and links; all else is written as before."""
    return replace(
        literal,
        summary=lambda text: _line(text, literal, link),
        blocks=lambda text: _lines(text, literal, link),
    )


def _line(text: str, literal: Writing, link: Link) -> str:
    seen = one_line(text)
    if PLAIN.fullmatch(seen) or len(seen) > LONGEST:
        return literal.text(seen)
    return _inline(parser().parseInline(seen)[0], literal, link)


def _lines(text: str, literal: Writing, link: Link) -> tuple[str, ...]:
    seen = without_unseen(text).strip()
    if len(seen) > LONGEST:
        ticks = fence(seen)
        return (f"{ticks}text", *seen.split("\n"), ticks)
    return tuple(_blocks(iter(parser().parse(seen)), literal, link))


def _blocks(tokens: Iterator[Token], literal: Writing, link: Link) -> list[str]:
    """The lines of the blocks up to the end of what holds them; the parser bounds how deep they are nested."""
    lines: list[str] = []
    is_tight = False
    for token in tokens:
        if token.nesting < 0:
            break
        block = _block(token, tokens, literal, link)
        # Within items that no blank line parts, a list follows its words at once.
        if lines and block and not (is_tight and token.type.endswith("list_open")):
            lines.append("")
        lines += block
        is_tight = token.hidden
    return lines


def _block(token: Token, tokens: Iterator[Token], literal: Writing, link: Link) -> list[str]:
    match token.type:
        case "paragraph_open" | "heading_open":
            words = _inline(next(tokens), literal, link)
            next(tokens)
            bold = words and token.type == "heading_open"
            return [f"**{words}**" if bold else words] if words else []
        case "bullet_list_open":
            return _items(tokens, False, literal, link)
        case "ordered_list_open":
            return _items(tokens, True, literal, link)
        case "blockquote_open":
            return [f"> {line}".rstrip() for line in _blocks(tokens, literal, link)]
        case "fence" | "code_block":
            ticks = fence(token.content)
            return [f"{ticks}text", *token.content.rstrip("\n").split("\n"), ticks]
        case "table_open":
            return _table(tokens, literal, link)
        case _:
            return []


def _items(tokens: Iterator[Token], are_numbered: bool, literal: Writing, link: Link) -> list[str]:
    lines: list[str] = []
    is_loose = False
    for number, token in enumerate(tokens, 1):
        if token.type != "list_item_open":
            break
        block = _blocks(tokens, literal, link) or [""]
        if lines and is_loose:
            lines.append("")
        is_loose = "" in block
        marker = f"{number}.".ljust(4) if are_numbered and number < 1000 else "-   "
        lines += [f"{marker}{block[0]}".rstrip(), *(f"    {line}".rstrip() for line in block[1:])]
    return lines


def _table(tokens: Iterator[Token], literal: Writing, link: Link) -> list[str]:
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_inline(token, literal, link))
    head, *others = rows
    listed: Iterable[list[str]] = (head, ["---"] * len(head), *others)
    return [f"| {' | '.join(row)} |" for row in listed]


def _inline(token: Token, literal: Writing, link: Link) -> str:
    """The words of a block on one line."""
    written = ""
    links: list[tuple[int, str]] = []
    for child in token.children or ():
        match child.type:
            case "text":
                written += _text(child.content, literal, is_first=not written)
            case "code_inline":
                written += literal.code(child.content)
            case "softbreak" | "hardbreak":
                written += " "
            case "link_open":
                links.append((len(written), str(child.attrs.get("href", ""))))
            case "link_close":
                start, url = links.pop()
                words = written[start:].strip()
                if words and SAFE.fullmatch(url) and not url.startswith("#"):
                    written = written[:start] + link(words, url)
            case _:
                pass
    return written.strip()


def _text(text: str, literal: Writing, *, is_first: bool) -> str:
    """Words within a line, with the spaces around them; only those at the beginning could begin a block."""
    before, after = "" if is_first else "a", "a" if text[-1:].isspace() else ""
    written = literal.text(f"{before}{text}{after}")
    return written[len(before) : len(written) - len(after)]


MARKDOWN = rewriting(LITERAL, lambda words, url: f"[{words}]({url.translate(_URL)})")
"""For sites and repositories."""
