"""What is said of an API beside what travels: texts, what is on its way out, and what is meant by what is left out."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sockspec import ir
from sockspec.diagnostics import Location
from sockspec.diff.conversation import Sides
from sockspec.diff.matching import Matched
from sockspec.diff.pairs import Pairs
from sockspec.diff.rule import Changes
from sockspec.spec.text import quoted

Place = tuple[str, ...]
_Described = ir.Api | ir.Server | ir.Channel | ir.Operation | ir.Message | ir.Parameter | ir.Record | ir.Field
_TEXTS = ("title", "summary", "description")


def compare(pairs: Pairs, changes: Changes) -> None:
    """What is said of the API, its servers and its channels."""
    _texts(pairs.old.api, pairs.new.api, (), "the API", changes)
    for old, new in pairs.servers.pairs:
        _texts(old, new, ("servers", new.name), f"the server {quoted(new.name)}", changes)


def channel(old: ir.Channel, new: ir.Channel, changes: Changes) -> None:
    """What is said of a channel, its parameters and close codes."""
    place = ("channels", new.name)
    _texts(old, new, place, f"the channel {quoted(new.name)}", changes)
    for word, before, after in (
        ("path", old.parameters, new.parameters),
        ("query", old.query, new.query),
        ("headers", old.headers, new.headers),
    ):
        known = {one.wire_name: one for one in before}
        for other in after:
            if other.wire_name in known:
                at, what = (*place, word, other.wire_name), f"the parameter {quoted(other.wire_name)}"
                _texts(known[other.wire_name], other, at, what, changes)
    meanings = {one.code: one.meaning for one in old.close_codes}
    for code in new.close_codes:
        if meanings.get(code.code, code.meaning) != code.meaning:
            message = f"the meaning of the close code {code.code} reads differently"
            at = (*place, "close-codes", str(code.code))
            changes.add("text-changed", at, new.location, message, related=(old.location,))


def operations(matched: Matched[ir.Operation], place: Place, changes: Changes) -> None:
    """What is said of operations."""
    for old, new in matched.pairs:
        at, what = (*place, "operations", new.name), f"the operation {quoted(new.name)}"
        _texts(old, new, at, what, changes)
        _deprecation(old, new, at, what, changes)


class Messages:
    """What is said of messages and of what they carry, each once."""

    def __init__(self, pairs: Pairs, changes: Changes) -> None:
        self._pairs, self._changes = pairs, changes
        self._seen: set[tuple[str, str]] = set()

    def compare(self, sides: Sides) -> None:
        """What is said of the messages of a channel."""
        for matched in sides.values():
            for old, new in matched.pairs:
                if (old.name, new.name) not in self._seen:
                    self._seen.add((old.name, new.name))
                    at, what = ("messages", new.name), f"the message {quoted(new.name)}"
                    _texts(old, new, at, what, self._changes)
                    _deprecation(old, new, at, what, self._changes)
                    self._record(old.payload.type, new.payload.type, at, new.name)

    def definitions(self) -> None:
        """What is said of the definitions that both versions have under one name."""
        for name, new in self._pairs.new.definitions.items():
            old = self._pairs.old.definitions.get(name)
            if isinstance(old, ir.Record) and isinstance(new, ir.Record):
                self._record(old, new, ("schemas", name), name)

    def _record(self, old: ir.Type | ir.Record, new: ir.Type | ir.Record, place: Place, name: str) -> None:
        if not isinstance(old, ir.Record) or not isinstance(new, ir.Record):
            return
        _texts(old, new, place, f"the payload {quoted(name)}", self._changes)
        known = {one.wire_name: one for one in old.fields}
        for other in new.fields:
            one = known.get(other.wire_name)
            if one is not None:
                at, what = (*place, other.wire_name), f"the property {quoted(other.wire_name)} of {quoted(name)}"
                _texts(one, other, at, what, self._changes)
                _deprecation(one, other, at, what, self._changes)
                _default(one, other, at, what, self._changes)


def _default(old: ir.Field, new: ir.Field, place: Place, what: str, changes: Changes) -> None:
    before, after = (json.dumps(one.default) if one.has_default else "none" for one in (old, new))
    if before != after and not (old.required and new.required):
        message = f"the default of {what} is {after} and was {before}"
        changes.add("property-default-changed", place, new.location, message, related=(old.location,))


def _texts(old: _Described, new: _Described, place: Place, what: str, changes: Changes) -> None:
    changed = [name for name, before, after in _said(old, new) if before != after]
    if changed:
        message = f"the {' and the '.join(changed)} of {what} {'read' if len(changed) > 1 else 'reads'} differently"
        changes.add("text-changed", place, new.location, message, related=(old.location,))


def _said(old: _Described, new: _Described) -> Iterator[tuple[str, str, str]]:
    for name in _TEXTS:
        before, after = getattr(old, name, ""), getattr(new, name, "")
        yield name, " ".join(before.split()), " ".join(after.split())


_MayLeave = ir.Operation | ir.Message | ir.Field


def _deprecation(old: _MayLeave, new: _MayLeave, place: Place, what: str, changes: Changes) -> None:
    related: tuple[Location, ...] = (old.location,)
    if new.deprecated and not old.deprecated:
        changes.add("deprecated", place, new.location, f"{what} is deprecated", related=related)
    elif old.deprecated and not new.deprecated:
        changes.add("deprecation-withdrawn", place, new.location, f"{what} is not deprecated any more", related=related)
