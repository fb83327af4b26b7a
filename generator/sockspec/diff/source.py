"""The names of generated packages: what programs written against the old one do not find in the new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sockspec import ir
from sockspec.analysis import walk
from sockspec.diagnostics import Location
from sockspec.diff.conversation import SIDES, Sides
from sockspec.diff.matching import Matched
from sockspec.diff.pairs import Pairs, Version, variables
from sockspec.diff.rule import NEW, Changes
from sockspec.python.surface import surface
from sockspec.spec.text import quoted

Key = tuple[str, ...]
_WHAT = {"class": "the class", "method": "the method", "attribute": "the member"}


class Names:
    """Compares the names of two packages, of all that is in both versions."""

    def __init__(self, pairs: Pairs, changes: Changes) -> None:
        self._pairs, self._changes = pairs, changes
        self._old, self._new = surface(pairs.old.api), surface(pairs.new.api)
        self._there = set(self._new.values())
        self._told: set[tuple[str, str]] = set()
        self._kept: list[ir.Type | ir.Record] = []
        for kind in ("server", "publisher", "sync publisher"):
            self._compare(("class", kind), ("class", kind), pairs.old.api.location, pairs.new.api.location)

    def channel(self, old: ir.Channel, new: ir.Channel, sides: Sides, operations: Matched[ir.Operation]) -> None:
        """The names that come from a channel, its operations and its messages."""
        places = old.location, new.location
        for kind in ("connection", "client", "sync client", "close codes"):
            self._compare(("class", kind, old.name), ("class", kind, new.name), *places)
        for word in SIDES.values():
            self._compare(("class", "union", old.name, word), ("class", "union", new.name, word), *places)
        for kind in ("opened", "closed"):
            self._compare(("method", kind, old.name), ("method", kind, new.name), *places)
        self._compare(("attribute", "publisher", old.name), ("attribute", "publisher", new.name), *places)
        for where, parameter, counterpart in _parameters(old, new):
            was = ("attribute", "parameter", old.name, where, parameter.wire_name)
            now = ("attribute", "parameter", new.name, where, counterpart.wire_name)
            self._kept.append(parameter.type)
            self._compare(was, now, parameter.location, counterpart.location)
        for code in old.close_codes:
            key = "attribute", "close code"
            self._compare((*key, old.name, str(code.code)), (*key, new.name, str(code.code)), *places)
        for side, matched in sides.items():
            kind = "client" if side is ir.Direction.CLIENT_TO_SERVER else "connection"
            for one, other in matched.pairs:
                before, after = ("method", kind, old.name, one.name), ("method", kind, new.name, other.name)
                self._compare(before, after, one.location, other.location)
                self._message(one, other)
        self._handlers(old, new, operations)

    def report(self) -> None:
        """Compare what is known by its own name: definitions, and the schemes that credentials go by."""
        used = _reached(self._kept, self._pairs.old)
        for name, definition in self._pairs.old.definitions.items():
            other = self._pairs.new.definitions.get(name)
            key = ("class", "definition", name)
            if other is not None:
                self._compare(key, key, definition.location, other.location)
                self._members("definition", definition, other)
            elif name in used and not _is_message(name, self._pairs.old):
                self._missing(definition)
        for scheme in self._pairs.old.api.security_schemes:
            other_scheme = self._pairs.new.schemes.get(scheme.name)
            if other_scheme is not None:
                key = ("method", "verifier", scheme.name)
                self._compare(key, key, scheme.location, other_scheme.location)

    def _missing(self, definition: ir.Definition) -> None:
        """A class of a definition that is not there any more, though what used it is."""
        name = self._old.get(("class", "definition", definition.name), "")
        if name and name not in self._there:
            message = f"the class {quoted(name)} is not there any more: there is no schema {quoted(definition.name)}"
            self._changes.add("class-removed", ("schemas", definition.name), definition.location, message)

    def _message(self, old: ir.Message, new: ir.Message) -> None:
        self._kept.append(old.payload.type)
        self._compare(("class", "message", old.name), ("class", "message", new.name), old.location, new.location)
        one, other = old.payload.type, new.payload.type
        if isinstance(one, ir.Record) and isinstance(other, ir.Record):
            known = {field.wire_name: field for field in other.fields}
            for field in one.fields:
                if field.wire_name in known:
                    before, after = (("attribute", "message", m.name, field.wire_name) for m in (old, new))
                    self._compare(before, after, field.location, known[field.wire_name].location)

    def _members(self, kind: str, old: ir.Definition, new: ir.Definition) -> None:
        if isinstance(old, ir.Record) and isinstance(new, ir.Record):
            places = {field.wire_name: field.location for field in new.fields}
            for field in old.fields:
                if field.wire_name in places:
                    key = ("attribute", kind, old.name, field.wire_name)
                    self._compare(key, key, field.location, places[field.wire_name])
        elif isinstance(old, ir.Enumeration) and isinstance(new, ir.Enumeration):
            for value in old.values:
                key = ("attribute", kind, old.name, value)
                self._compare(key, key, old.location, new.location)

    def _handlers(self, old: ir.Channel, new: ir.Channel, operations: Matched[ir.Operation]) -> None:
        for one, other in operations.pairs:
            before, after = ("method", "handler", old.name, one.name), ("method", "handler", new.name, other.name)
            self._compare(before, after, one.location, other.location)
        carried = {name for operation in self._pairs.new.operations.get(new.name, ()) for name in operation.messages}
        for one in operations.removed:
            python_name = self._old.get(("method", "handler", old.name, one.name), "")
            if python_name and python_name not in self._there and carried.issuperset(one.messages):
                message = (
                    f"the method {quoted(python_name)} is not there any more: there is no operation {quoted(one.name)}"
                )
                place = ("channels", new.name, "operations", one.name)
                self._changes.add("method-removed", place, one.location, message, related=(new.location,), note=NEW)

    def _compare(self, before: Key, after: Key, was_at: Location, is_at: Location) -> None:
        """Compare two names of one thing. A member of a class that has another name is compared by its own name."""
        old, new = self._old.get(before), self._new.get(after)
        if old is None or new is None or _own(old) == _own(new) or (old, new) in self._told:
            return
        self._told.add((old, new))
        kind = before[0]
        message = f"{_WHAT[kind]} {quoted(old)} is called {quoted(new)}"
        self._changes.add(f"{kind}-renamed", ("source", *after), is_at, message, related=(was_at,))


def _reached(types: Iterable[ir.Type | ir.Record], version: Version) -> set[str]:
    """The names of the definitions that types are made of."""
    found: set[str] = set()
    waiting = list(types)
    while waiting:
        for part in walk.parts(waiting.pop()):
            if isinstance(part, ir.Ref) and part.name not in found and part.name in version.definitions:
                found.add(part.name)
                waiting.append(walk.body(version.definitions[part.name]))
    return found


def _own(name: str) -> str:
    """The name of a member without that of its class."""
    owner, parenthesis, argument = name.partition("(")
    return argument if parenthesis else owner.rpartition(".")[2]


def _is_message(name: str, version: Version) -> bool:
    message = version.messages.get(name)
    return message is not None and message.payload.definition == name


def _parameters(old: ir.Channel, new: ir.Channel) -> Iterator[tuple[str, ir.Parameter, ir.Parameter]]:
    """The parameters that both have: those of the path by where they stand, the others by name."""
    by_name: Mapping[str, ir.Parameter]
    in_path = [{one.wire_name: one for one in channel.parameters} for channel in (old, new)]
    for one, other in zip(*(variables(channel.address or "") for channel in (old, new)), strict=False):
        if one in in_path[0] and other in in_path[1]:
            yield "path", in_path[0][one], in_path[1][other]
    for where, before, after in (("query", old.query, new.query), ("headers", old.headers, new.headers)):
        by_name = {one.wire_name: one for one in after}
        for parameter in before:
            if parameter.wire_name in by_name:
                yield where, parameter, by_name[parameter.wire_name]
