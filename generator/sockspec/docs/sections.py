"""Messages and definitions as sections of a page."""

from __future__ import annotations

from collections.abc import Iterator

from sockspec import ir
from sockspec.analysis import walk
from sockspec.docs.anchors import Anchors
from sockspec.docs.channels import Dispatches
from sockspec.docs.fields import Fields
from sockspec.docs.page import Example, Section, Table
from sockspec.docs.types import Line, Piece, Types
from sockspec.docs.writing import Writing, as_json, fence

_EXAMPLES = 3
_FRAMES = {
    ir.Content.JSON: "JSON, in a text frame",
    ir.Content.TEXT: "plain text, in a text frame",
    ir.Content.BINARY: "bytes, in a binary frame",
}


class Sections:
    """Writes the sections of one page."""

    def __init__(
        self,
        api: ir.Api,
        anchors: Anchors,
        types: Types,
        fields: Fields,
        dispatches: Dispatches,
        writing: Writing,
    ) -> None:
        self._anchors = anchors
        self._types = types
        self._fields = fields
        self._writing = writing
        self._definitions = walk.by_name(api)
        self._senders: dict[str, set[ir.Direction]] = {}
        for (_, direction), found in dispatches.items():
            for choice in found.choices:
                self._senders.setdefault(choice.message.name, set()).add(direction)

    # --- messages -----------------------------------------------------------------------------------------------------

    def message(self, message: ir.Message) -> Section:
        """What a message is, who sends it, and who judges it."""
        payload = message.payload.type
        is_record = isinstance(payload, ir.Record)
        described = message.description or (payload.description if isinstance(payload, ir.Record) else "")
        return Section(
            self._writing.text(message.name),
            self._anchors.messages[message.name],
            tuple(self._notes(message)),
            self._writing.text(message.summary or message.title),
            self._writing.paragraphs(described if described != message.summary else ""),
            () if is_record else self._types.line(payload),
            self._types.bounds(payload),
            self._tables(payload),
            (),
            tuple(self._verdict(message)),
            tuple(self._example(example) for example in message.examples[:_EXAMPLES]),
        )

    def _tables(self, body: ir.Type | ir.Record) -> tuple[Table, ...]:
        return (Table("Fields", self._fields.rows(body)),) if isinstance(body, ir.Record) and body.fields else ()

    def _notes(self, message: ir.Message) -> Iterator[Line]:
        senders = self._senders.get(message.name, set())
        you = {ir.Direction.CLIENT_TO_SERVER: "You send it.", ir.Direction.SERVER_TO_CLIENT: "You receive it."}
        if len(senders) == len(you):
            yield (self._types.words("You send it, and you receive it."),)
        elif senders:
            yield (self._types.words(you[next(iter(senders))]),)
        else:
            yield (self._types.words("No endpoint carries it."),)
        yield (self._types.words(f"It travels as {_FRAMES[message.payload.content]}."),)
        if message.is_error:
            yield (self._types.words("It is the error message: see"), Piece(" "), self._errors(), Piece("."))
        if message.correlation:
            path = self._types.identifier(".".join(message.correlation))
            yield (self._types.words("A reply repeats the value of"), Piece(" "), path, Piece("."))
        if message.deprecated:
            yield (self._types.words("Deprecated."),)

    def _errors(self) -> Piece:
        return Piece(self._writing.text("Errors"), anchor="errors")

    def _verdict(self, message: ir.Message) -> Iterator[Line]:
        if message.payload.content is not ir.Content.JSON:
            return
        if message.lane is ir.Lane.TYPED:
            yield (self._types.words("Judged by the typed decoder alone: the class says all that the schema says."),)
            return
        yield (self._types.words("Decoded and then checked by the JSON Schema validator."),)
        places: dict[Line, None] = {}
        for reason in message.lane_reasons:
            place = self._types.identifier(reason.location.pointer or "/")
            places[self._types.identifier(reason.keyword), self._types.words(" at "), place] = None
        for keyword, _, place in places:
            yield (keyword, Piece(" "), self._types.words("at"), Piece(" "), place)

    def _example(self, example: ir.Example) -> Example:
        text = as_json(example.payload, indent=2)
        title = ": ".join(part for part in (example.name, example.summary) if part)
        return Example(self._writing.text(title), text, fence(text))

    # --- definitions --------------------------------------------------------------------------------------------------

    def definitions(self) -> tuple[Section, ...]:
        """What messages have named so far and is not a message itself, and what that names in turn."""
        shown: dict[str, Section] = {}
        messages = set(self._anchors.messages.values())
        while waiting := [name for name in self._types.named if name not in shown]:
            for name in waiting:
                shown[name] = self._definition(self._definitions[name])
        own = [name for name in self._definitions if name in shown and self._anchors.definitions[name] not in messages]
        return tuple(shown[name] for name in own)

    def _definition(self, definition: ir.Definition) -> Section:
        body = walk.body(definition)
        notes = [(self._types.words("Deprecated."),)] if isinstance(body, ir.Record) and body.deprecated else []
        is_listed = isinstance(definition, ir.Enumeration) or isinstance(body, ir.Union)
        return Section(
            self._writing.text(definition.name),
            self._anchors.definitions[definition.name],
            tuple(notes),
            self._writing.text(definition.title) if definition.title != definition.name else "",
            self._writing.paragraphs(definition.description),
            () if is_listed or isinstance(body, ir.Record) else self._types.line(body),
            self._types.bounds(body),
            self._tables(body),
            tuple(self._members(definition, body)),
            (),
            (),
        )

    def _members(self, definition: ir.Definition, body: ir.Type | ir.Record) -> Iterator[Line]:
        if isinstance(definition, ir.Enumeration):
            for at, value in enumerate(definition.values):
                meaning = definition.descriptions[at] if at < len(definition.descriptions) else ""
                words = (Piece(" "), self._types.words(f"– {meaning}")) if meaning else ()
                yield (self._types.code(value), *words)
        elif isinstance(body, ir.Union):
            yield from (self._types.line(member) for member in body.members)
