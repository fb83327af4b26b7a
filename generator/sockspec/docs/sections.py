"""Messages and definitions as sections of a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sockspec import ir
from sockspec.analysis import walk
from sockspec.docs.anchors import Anchors
from sockspec.docs.channels import CLIENT, MANY, SENDERS, SERVER, Channels, Dispatches
from sockspec.docs.examples import Shown
from sockspec.docs.fields import Fields
from sockspec.docs.page import Section, Table, Use
from sockspec.docs.types import Line, Piece, Types
from sockspec.docs.writing import Writing

_FRAMES = {
    ir.Content.JSON: "JSON, in a text frame",
    ir.Content.TEXT: "plain text, in a text frame",
    ir.Content.BINARY: "bytes, in a binary frame",
}
_MOST_CHANNELS = 6


class Sections:
    """Writes the sections of one page."""

    def __init__(
        self,
        api: ir.Api,
        anchors: Anchors,
        types: Types,
        fields: Fields,
        dispatches: Dispatches,
        channels: Channels,
        examples: Shown,
        writing: Writing,
    ) -> None:
        self._anchors = anchors
        self._types = types
        self._fields = fields
        self._channels = channels
        self._examples = examples
        self._writing = writing
        self._definitions = walk.by_name(api)
        self._has_channels = len(api.channels) > 1
        self._carriers: dict[str, dict[str, None]] = {}
        self._senders: dict[str, set[ir.Direction]] = {}
        for (channel, direction), found in dispatches.items():
            for choice in found.choices:
                self._senders.setdefault(choice.message.name, set()).add(direction)
                self._carriers.setdefault(choice.message.name, {})[channel] = None
        self._uses: dict[str, list[ir.Operation]] = {}
        for operation in api.operations:
            for name in operation.messages:
                self._uses.setdefault(name, []).append(operation)

    # --- messages -----------------------------------------------------------------------------------------------------

    def message(self, message: ir.Message) -> Section:
        """What a message is, who sends it, and who judges it."""
        payload = message.payload.type
        is_record = isinstance(payload, ir.Record)
        described = message.description or (payload.description if isinstance(payload, ir.Record) else "")
        anchor = self._anchors.messages[message.name]
        summary = message.summary or (message.title if message.title != message.name else "")
        is_said = described.strip() in ("", message.summary.strip())
        is_begun = not is_said and bool(summary) and described.strip().startswith(summary.strip())
        return Section(
            self._writing.text(message.name),
            anchor,
            self.sender(message.name),
            self._writing.text(message.title if message.title != message.name and message.summary else ""),
            tuple(self._notes(message)),
            "" if is_begun else self._writing.summary(summary),
            self._writing.described("" if is_said else described),
            tuple(self._used(message)),
            () if is_record else self._types.line(payload),
            self._types.bounds(payload),
            self._tables(payload, anchor),
            (),
            tuple(self._verdict(message)),
            self._examples(message),
        )

    def sender(self, message: str) -> str:
        """Who sends a message: `client`, `server` or `both`; empty where nobody does."""
        senders = self._senders.get(message, set())
        return "both" if len(senders) > 1 else SENDERS[next(iter(senders))] if senders else ""

    def _tables(self, body: ir.Type | ir.Record, anchor: str) -> tuple[Table, ...]:
        if not isinstance(body, ir.Record) or not (body.fields or body.extra):
            return ()
        return (Table("Fields", self._fields.tree(body, self._anchors.within(anchor))),)

    def _used(self, message: ir.Message) -> Iterator[Use]:
        """The operations that carry a message, where they say more than it does itself."""
        seen: set[tuple[str, str]] = set()
        said = {message.summary.strip(), message.description.strip(), ""}
        for one in self._uses.get(message.name, ()):
            texts = [text if text.strip() not in said else "" for text in (one.summary or one.title, one.description)]
            needs = self._channels.connecting.scopes(one.security)
            if len(one.messages) > MANY or (not any(texts) and not needs) or (texts[0], texts[1]) in seen:
                continue
            seen.add((texts[0], texts[1]))
            yield self._channels.use(replace(one, summary=texts[0], title="", description=texts[1]))

    def _notes(self, message: ir.Message) -> Iterator[Line]:
        words, senders = self._types.words, self._senders.get(message.name, set())
        if senders == {CLIENT, SERVER}:
            yield (words("You send it, and you receive it."),)
        elif senders == {CLIENT}:
            yield (words("You send it.", "You receive it."),)
        elif senders == {SERVER}:
            yield (words("You receive it.", "You send it."),)
        else:
            yield (words("No endpoint carries it."),)
        carriers = [
            Piece(self._writing.text(name), anchor=self._anchors.channels[name])
            for name in self._carriers.get(message.name, ())
        ]
        if self._has_channels and 0 < len(carriers) <= _MOST_CHANNELS:
            yield (words("Endpoint:" if len(carriers) == 1 else "Endpoints:"), Piece(" "))
            yield (*self._types.listed(carriers, ", "), Piece("."))
        yield (words(f"It travels as {_FRAMES[message.payload.content]}."),)
        if message.is_error:
            errors = Piece(self._writing.text("Errors"), anchor="errors")
            yield (words("It is the error message: see"), Piece(" "), errors, Piece("."))
        if message.correlation:
            path = self._types.identifier(".".join(message.correlation))
            yield (words("A reply repeats the value of"), Piece(" "), path, Piece("."))
        if message.deprecated:
            yield (words("Deprecated."),)

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
        body, anchor = walk.body(definition), self._anchors.definitions[definition.name]
        notes = [(self._types.words("Deprecated."),)] if isinstance(body, ir.Record) and body.deprecated else []
        is_listed = isinstance(definition, ir.Enumeration) or isinstance(body, ir.Union)
        return Section(
            self._writing.text(definition.name),
            anchor,
            "",
            "",
            tuple(notes),
            self._writing.summary(definition.title) if definition.title != definition.name else "",
            self._writing.described(definition.description),
            (),
            () if is_listed or isinstance(body, ir.Record) else self._types.line(body),
            self._types.bounds(body),
            self._tables(body, anchor),
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
