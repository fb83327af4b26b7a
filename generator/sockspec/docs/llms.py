"""What language models read: an index by the llms.txt proposal, and one text with all that a client needs.

What the document says stands on one line between words of ours, behind `> `, or in a fence that it cannot close, so
that no text of a document can pass for ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sockspec.docs.page import Example, Page, Section
from sockspec.docs.rewriting import rewriting
from sockspec.docs.schemas import Schemas, compact
from sockspec.docs.types import Line
from sockspec.docs.writing import Writing, fence, one_line

_FULL = """URLs, handshake, authentication, every message with its JSON Schema and an example, errors, close codes, limits, \
and how to connect again"""
_PAGES = {
    "llms-full.txt": ("Everything in one text", _FULL),
    "index.md": ("Reference as Markdown", "the same for people, with tables of fields and code samples"),
    "index.html": ("Reference as a page", "the same with search and a console"),
}
"""What each page is called in the index, and what is said of it."""
_SPECIAL = re.compile(r"[\\`<\[\]]")
_BEGINS = re.compile(r"^(?=[#>+*=~_|-])|^\d{1,9}(?=[.)](?:\s|$))")
"""What would begin a heading, a quote, a list or a rule."""
_ABOUT = ("title", "description")
_LONGEST = 300
"""Characters of a title, and of a summary in a list."""


@dataclass(frozen=True, slots=True)
class Told:
    """A message: its schema on one line, and an example."""

    section: Section
    schema: str
    """Empty where it does not travel as JSON."""
    fence: str
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Shared:
    """A part of schemas that several of them refer to."""

    name: str
    schema: str
    fence: str


@dataclass(frozen=True, slots=True)
class Group:
    """Messages by who sends them."""

    title: str
    messages: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A line of the index."""

    text: str
    target: str
    about: str


@dataclass(frozen=True, slots=True)
class Links:
    """A section of the index."""

    title: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """All that a client needs."""

    page: Page
    title: str
    summary: str
    facts: Line
    groups: tuple[Group, ...]
    container: str
    """Where references of schemas lead: `$defs` or `definitions`."""
    dialect: str
    shared: tuple[Shared, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """What `llms.txt` says."""

    page: Page
    title: str
    summary: str
    facts: Line
    urls: tuple[str, ...]
    sections: tuple[Links, ...]


def text(page: Page, messages: Iterable[str], schemas: Schemas) -> Text:
    """The text of an API, from its page in the writing WORDS. `messages` are their names, as the API has them."""
    told = [_told(section, name, schemas) for name, section in zip(messages, page.messages, strict=True)]
    senders = {
        "Messages that the client sends": ("client",),
        "Messages that the server sends": ("server",),
        "Messages that both send": ("both",),
        "Messages that no endpoint carries": ("",),
    }
    groups = (Group(title, tuple(t for t in told if t.section.sender in of)) for title, of in senders.items())
    shared = tuple(
        Shared(one_line(name), written := compact(schema), fence(written))
        for name, schema in schemas.definitions.items()
    )
    filled = tuple(group for group in groups if group.messages)
    dialect = one_line(schemas.dialect)
    return Text(
        page,
        _short(page.title),
        _summary(page),
        _joined(page.facts),
        filled,
        schemas.container,
        dialect,
        shared,
    )


def index(page: Page, messages: Iterable[str], schemas: Schemas, made: Iterable[str]) -> Index:
    """The index of what is made: pages by their file names, and the schemas where `schemas/` is among them."""
    names = [*made]
    pages = Links("Documentation", tuple(_page(name) for name in ("llms-full.txt", "index.md") if name in names))
    lists = tuple(_lists(page, [*messages], schemas)) if "schemas/" in names else ()
    optional = Links("Optional", (_page("index.html"),) if "index.html" in names else ())
    urls = tuple(dict.fromkeys(url for channel in page.channels for url in channel.urls))
    sections = tuple(one for one in (pages, *lists, optional) if one.links)
    return Index(page, _short(page.title), _summary(page), _joined(page.facts), urls, sections)


def _page(name: str) -> Link:
    title, about = _PAGES[name]
    return Link(title, name, about)


def _told(section: Section, name: str, schemas: Schemas) -> Told:
    root = schemas.roots.get(name)
    # Title and description stand above it.
    written = compact({word: root[word] for word in root if word not in _ABOUT}) if root is not None else ""
    return Told(section, written, fence(written), section.examples[:1])


def _lists(page: Page, names: list[str], schemas: Schemas) -> Iterator[Links]:
    titles = {
        "Schemas of messages that the client sends": ("client", "both"),
        "Schemas of messages that the server sends": ("server", "both"),
    }
    for title, senders in titles.items():
        yield Links(
            title,
            tuple(
                Link(section.name, f"schemas/{schemas.names[name]}", _short(section.summary or section.title))
                for name, section in zip(names, page.messages, strict=True)
                if section.sender in senders and name in schemas.names
            ),
        )


def _joined(lines: Iterable[Line]) -> Line:
    return tuple(piece for line in lines for piece in line)


def _summary(page: Page) -> str:
    """What the API is for: its summary, else how its description begins."""
    begins = " ".join(page.description.paragraphs[0]) if page.description.paragraphs else ""
    return _short(page.summary or begins) or "A WebSocket API."


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST].rstrip("\\ ") + "…"


def _words(text: str) -> str:
    return _BEGINS.sub(r"\g<0>\\", _SPECIAL.sub(r"\\\g<0>", one_line(text)))


def _code(text: str) -> str:
    """Backticks around text, more of them than stand in it."""
    line = one_line(text)
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    ticks, space = "`" * (longest + 1), " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def _link(words: str, url: str) -> str:
    target = _words(url)
    return words if words == target else f"{words} ({target})"


WORDS = rewriting(Writing(_words, _code, _words), _link)
"""Text in which nothing of a document begins code, a link or markup, and which is otherwise as it was written."""
