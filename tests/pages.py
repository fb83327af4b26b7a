"""Pages of documentation as tests read them: made from small APIs, and read as a browser would."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from sockspec import docs, ir
from sockspec.diagnostics import Location
from sockspec.render import renderer

_RENDER = renderer()
HERE = Location("d.yaml", 3, 1, "/channels/chat")
CLIENT, SERVER = ir.Direction.CLIENT_TO_SERVER, ir.Direction.SERVER_TO_CLIENT
TEXT = ir.Scalar(ir.Kind.STRING)
VOID = {"br", "hr", "input", "meta"}
UNREAD = {"style", "title", "script", "desc", "button"}


def field(name: str, of: ir.Type = TEXT, *, required: bool = False) -> ir.Field:
    return ir.Field(name, of, required, HERE)


def message(name: str, *fields: ir.Field) -> ir.Message:
    return ir.Message(name, ir.Payload(ir.Record(name, fields, HERE)), HERE)


def chat(*messages: ir.Message, definitions: tuple[ir.Definition, ...] = ()) -> ir.Api:
    """An API with one endpoint, to which the client sends these messages."""
    operations = tuple(ir.Operation(m.name, CLIENT, "chat", (m.name,), HERE) for m in messages)
    channel = ir.Channel("chat", "/chat", HERE)
    return ir.Api(
        "Chat", "1", HERE, channels=(channel,), operations=operations, messages=messages, definitions=definitions
    )


class Reader(HTMLParser):
    """Reads a page as a browser would: its elements, its links and their targets, and its visible text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.targets: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.headings: list[int] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.targets.append(value or "")
            if name in ("href", "src"):
                self.links.append(value or "")
        if tag not in VOID:
            self._open.append("other side" if ("class", "s") in attrs else tag)
            self.words.append(" " if tag in ("div", "p", "li", "dt", "dd", "span") else "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() in (tag, "other side")
        self.words.append(" " if tag in ("td", "th", "p", "li", "dt", "dd", "div") else "")

    def handle_data(self, data: str) -> None:
        self.words.append(data if not {*UNREAD, "other side"} & {*self._open} else "")

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def pages(api: ir.Api, origin: docs.Origin | None = None) -> tuple[str, str]:
    """The page as HTML and as Markdown."""
    files = docs.files(api, _RENDER, origin or docs.Origin("chat.yaml", "chat"))
    return files["docs/index.html"], files["docs/index.md"]
