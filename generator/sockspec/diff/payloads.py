"""What messages carry: the changes of their schemas, where they stand, and what they do to old clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sockspec import ir
from sockspec.diagnostics import Location
from sockspec.diff import schemas
from sockspec.diff.pairs import Pairs, Version
from sockspec.diff.payload_rules import ANNOTATIONS, SENDERS, severity
from sockspec.diff.rule import NEW, OLD, Changes
from sockspec.diff.schemas import SchemaChange
from sockspec.spec.text import quoted

Place = tuple[str, ...]
_MOST_NAMED = 3
"""Messages that are named where one schema of many changed."""


@dataclass(slots=True)
class _Found:
    """A change of a schema, and the messages in which it shows."""

    change: SchemaChange
    side: ir.Direction
    place: Place
    old: ir.Message
    new: ir.Message
    others: dict[str, None] = field(default_factory=dict[str, None])


class Payloads:
    """Compares the payloads of messages. A schema that many of them use is spoken of once for each side."""

    def __init__(self, pairs: Pairs, changes: Changes) -> None:
        self._pairs, self._changes = pairs, changes
        self._comparison = schemas.Comparison(_documents(pairs.old), _documents(pairs.new))
        self._known: dict[tuple[str, str], tuple[SchemaChange, ...]] = {}
        self._found: dict[tuple[str, ...], _Found] = {}

    def compare(
        self,
        old: ir.Message,
        new: ir.Message,
        place: Place,
        side: ir.Direction,
        reported: frozenset[tuple[str, ...]],
    ) -> None:
        """Compare two payloads; `reported` are places in them of which all is said already."""
        for change in self._changed(old, new):
            if change.path in reported or change.kind in ANNOTATIONS:
                continue
            at = (*place, *change.path)
            # What stands in the message's own schema is its own; what it refers to is shared.
            key = (side.value, change.kind, change.old_pointer, change.new_pointer, change.detail, change.effect.value)
            found = self._found.setdefault(key, _Found(change, side, at, old, new))
            if found.new.name != new.name:
                found.others[new.name] = None

    def report(self) -> None:
        """Say what was found."""
        for found in self._found.values():
            change, who = found.change, SENDERS[found.side]
            where = (
                f"{quoted(_written(change.path))} of {quoted(found.new.name)}"
                if change.path
                else quoted(found.new.name)
            )
            others = list(found.others)
            if others:
                named = ", ".join(map(quoted, others[:_MOST_NAMED]))
                more = len(others) - _MOST_NAMED
                where += f" (also in {named}{f' and {more} others' if more > 0 else ''})"
            location, related, note = self._places(found)
            message = f"{where}: {_keyword(change)}{change.detail}"
            level = severity(change, found.side)
            self._changes.add(
                f"{who}-{change.kind}", found.place, location, message, related=(related,), severity=level, note=note
            )

    def _changed(self, old: ir.Message, new: ir.Message) -> tuple[SchemaChange, ...]:
        key = (old.name, new.name)
        if key not in self._known:
            self._known[key] = self._comparison.changes(*(one.payload.schema or _ANY for one in (old, new)))
        return self._known[key]

    def _places(self, found: _Found) -> tuple[Location, Location, str]:
        """Where the change shows in the new document, or in the old one where something is not there any more."""
        before = _place(found.old, found.change.old_pointer, self._pairs.old)
        after = _place(found.new, found.change.new_pointer, self._pairs.new)
        return (before, after, NEW) if "removed" in found.change.kind.split("-") else (after, before, OLD)


_BOUNDS = {
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern"),
    *("minItems", "maxItems", "minProperties", "maxProperties", "format"),
}
"""Keywords whose values say nothing by themselves."""
_ANY = "#/definitions/ anything"
"""Where the schema of a message stands that has none. No name of a document begins with a space."""


def _documents(version: Version) -> Mapping[str, object]:
    """The schemas of a version, and one for messages that may carry anything."""
    written = version.api.schemas.get("definitions")
    definitions = written if isinstance(written, Mapping) else {}
    return {**version.api.schemas, "definitions": {**definitions, _ANY.rpartition("/")[2]: True}}


def _keyword(change: SchemaChange) -> str:
    """The keyword where the change says only a value of it."""
    found = {pointer.rpartition("/")[2] for pointer in (change.old_pointer, change.new_pointer)} & _BOUNDS
    return f"{found.pop()} " if found else ""


def _written(path: tuple[str, ...]) -> str:
    """A path as people write it: `data.text`, `items[].name`."""
    return "".join(step if step.startswith("[") else f".{step}" for step in path).removeprefix(".")


def _place(message: ir.Message, pointer: str, version: Version) -> Location:
    """Where the part of a schema at a pointer was written; the message where nobody wrote it."""
    place = version.api.schema_place
    return message.location if place is None or pointer.startswith(_ANY) else place(pointer)
