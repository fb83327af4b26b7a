"""The messages of a channel in words, for whoever is about to send one."""

from __future__ import annotations

from collections.abc import Iterator

from sockspec import ir
from sockspec.analysis import walk
from sockspec.console.look import Look
from sockspec.console.vocabulary import Kind, Vocabulary
from sockspec.docs.fields import Fields, Row
from sockspec.docs.types import Line, Types
from sockspec.docs.writing import PLAIN, as_json, one_line


def listed(vocabulary: Vocabulary, look: Look) -> Iterator[str]:
    """All messages, each with what it is."""
    for title, kinds in (("you can send", vocabulary.sendable), ("you may receive", vocabulary.receivable)):
        yield f"{title}:" if kinds else f"{title}: nothing"
        width = max(map(len, kinds), default=0)
        for name, kind in kinds.items():
            yield f"  {look.paint(name.ljust(width), 'name')}  {kind.summary}".rstrip()


def shown(vocabulary: Vocabulary, kind: Kind, look: Look) -> Iterator[str]:
    """A message: what it carries, and an example of the document."""
    message = kind.message
    yield f"{look.paint(kind.name, 'name')}  {kind.summary}".rstrip()
    types = Types(vocabulary.definitions, {}, PLAIN)
    body = walk.resolve(message.payload.type, vocabulary.definitions)
    if isinstance(body, ir.Record):
        rows = Fields(vocabulary.api, types, {}, PLAIN).rows(body)
        width = max((len(row.path) for row in rows), default=0)
        yield from (_row(row, width, look) for row in rows)
    else:
        yield f"  {_text(types.line(message.payload.type))}"
    if not message.examples:
        yield "the document has no example"
        return
    example = message.examples[0]
    yield f"for example ({one_line(example.summary)}):" if example.summary else "for example:"
    if message.payload.content is ir.Content.JSON:
        yield f"{kind.name} {as_json(example.payload)}"
    else:
        yield f"{kind.name} {one_line(str(example.payload))}"


def _row(row: Row, width: int, look: Look) -> str:
    need = "required" if row.is_required else "optional"
    bounds = "".join(f", {_text(bound)}" for bound in row.bounds)
    line = f"  {row.path.ljust(width)}  {need}  {_text(row.type)}{bounds}"
    about = " ".join(row.description.paragraphs[0]) if row.description else ""
    return f"{line}  {look.paint(about, 'quiet')}" if about else line


def _text(line: Line) -> str:
    return "".join(piece.text for piece in line)
