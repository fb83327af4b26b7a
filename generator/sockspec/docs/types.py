"""Types in the words of a reader: what a value is, and what bounds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sockspec import ir
from sockspec.docs.writing import Writing, as_json

_DEEPEST = 8
_MOST = 20
_LONGEST = 80

_KINDS = {
    ir.Kind.BYTES: "bytes, as base64 text",
    ir.Kind.DATE_TIME: "date and time (RFC 3339)",
    ir.Kind.DATE: "date (RFC 3339)",
    ir.Kind.TIME: "time (RFC 3339)",
    ir.Kind.UUID: "UUID",
    ir.Kind.DECIMAL: "decimal number, as text",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line: words, an identifier, or a link to a section of the page."""

    text: str
    is_code: bool = False
    anchor: str = ""
    other: str = ""
    """What stands there instead for whoever writes a server; empty where it is the same."""


Line = tuple[Piece, ...]


class Types:
    """Describes the types of one API, and keeps which definitions it has named."""

    def __init__(self, definitions: Mapping[str, ir.Definition], anchors: Mapping[str, str], writing: Writing) -> None:
        self.named: dict[str, None] = {}
        self._definitions = definitions
        self._anchors = anchors
        self._writing = writing

    def words(self, text: str, other: str = "") -> Piece:
        """Words of ours; `other` is what stands there instead for whoever writes a server."""
        return Piece(self._writing.text(text), other=self._writing.text(other))

    def code(self, value: object) -> Piece:
        """A JSON value, cut where it is long."""
        text = as_json(value)
        return Piece(self._writing.code(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"), is_code=True)

    def identifier(self, name: str) -> Piece:
        """A name that travels."""
        return Piece(self._writing.code(name), is_code=True)

    def link(self, name: str) -> Piece:
        """The name of a definition, with a link to where it is described."""
        self.named.setdefault(name)
        return Piece(self._writing.text(name), anchor=self._anchors.get(name, ""))

    def line(self, of: ir.Type | ir.Record) -> Line:
        """What a value of the type is."""
        return tuple(self._pieces(of, 0))

    def _pieces(self, of: ir.Type | ir.Record, depth: int) -> Iterator[Piece]:
        if depth > _DEEPEST:
            yield self.words("…")
            return
        match of:
            case ir.Record():
                yield self.words("object")
            case ir.Scalar():
                yield self.words(_KINDS.get(of.kind, of.kind.value))
            case ir.Constant():
                yield from self.listed(self.code(value) for value in of.values)
            case ir.Array():
                yield self.words("array of")
                yield from self._spaced(of.item, depth)
            case ir.Tuple():
                yield self.words("array of exactly:" if of.rest is None else "array that begins with:")
                yield Piece(" ")
                yield from self._joined(of.items, ", ", depth)
                if of.rest is not None:
                    yield self.words(", then any number of")
                    yield from self._spaced(of.rest, depth)
            case ir.Map(value=ir.Anything()):
                yield self.words("object")
            case ir.Map():
                yield self.words("object with values:")
                yield from self._spaced(of.value, depth)
            case ir.Ref():
                yield self.link(of.name)
            case ir.Union():
                yield from self._joined(of.members, " or ", depth)
            case ir.Nullable():
                yield from self._pieces(of.of, depth)
                yield Piece(" or ")
                yield self.words("null")
            case ir.Anything():
                yield self.words("any value")

    def _spaced(self, of: ir.Type, depth: int) -> Iterator[Piece]:
        yield Piece(" ")
        yield from self._pieces(of, depth + 1)

    def _joined(self, types: tuple[ir.Type, ...], separator: str, depth: int) -> Iterator[Piece]:
        for at, one in enumerate(types[:_MOST]):
            if at:
                yield Piece(separator)
            yield from self._pieces(one, depth + 1)
        if len(types) > _MOST:
            yield self.words(f"{separator}{len(types) - _MOST} more")

    def listed(self, pieces: Iterable[Piece], separator: str = " or ") -> Iterator[Piece]:
        """Pieces in a row; only the first where they are many."""
        several = tuple(pieces)
        for at, piece in enumerate(several[:_MOST]):
            if at:
                yield Piece(separator)
            yield piece
        if len(several) > _MOST:
            yield Piece(self._writing.text(f"{separator}{len(several) - _MOST} more"))

    # --- bounds -------------------------------------------------------------------------------------------------------

    def bounds(self, of: ir.Type | ir.Record) -> tuple[Line, ...]:
        """What bounds a value of the type, each bound in a line."""
        return tuple(self._bounds(of, 0))

    def _bounds(self, of: ir.Type | ir.Record, depth: int) -> Iterator[Line]:
        match of:
            case ir.Scalar():
                yield from self._limits(of.limits)
            case ir.Nullable():
                yield from self._bounds(of.of, depth)
            case ir.Array():
                yield from self._counted(of.min_items, of.max_items, "item")
                if depth < _DEEPEST:
                    yield from (
                        (self.words("each item:"), Piece(" "), *line) for line in self._bounds(of.item, depth + 1)
                    )
            case ir.Map():
                yield from self._counted(of.min_properties, of.max_properties, "property")
            case ir.Ref():
                yield from self._values(self._definitions.get(of.name))
            case ir.Record() if of.closed:
                yield (self.words("no other properties"),)
            case _:
                pass

    def _values(self, definition: ir.Definition | None) -> Iterator[Line]:
        if isinstance(definition, ir.Enumeration):
            yield (self.words("one of"), Piece(" "), *self.listed(map(self.code, definition.values), ", "))

    def _limits(self, limits: ir.Limits) -> Iterator[Line]:
        for words, bound in (
            ("at least", limits.minimum),
            ("at most", limits.maximum),
            ("more than", limits.exclusive_minimum),
            ("less than", limits.exclusive_maximum),
            ("a multiple of", limits.multiple_of),
        ):
            if bound is not None:
                yield (self.words(words), Piece(" "), self.code(bound))
        yield from self._counted(limits.min_length, limits.max_length, "character")
        if limits.pattern is not None:
            yield (self.words("matches"), Piece(" "), self.identifier(limits.pattern))

    def _counted(self, low: int | None, high: int | None, noun: str) -> Iterator[Line]:
        if low is not None and low == high:
            yield (self.words(f"exactly {_count(low, noun)}"),)
            return
        if low is not None:
            yield (self.words(f"at least {_count(low, noun)}"),)
        if high is not None:
            yield (self.words(f"at most {_count(high, noun)}"),)


def _count(number: int, noun: str) -> str:
    several = noun[:-1] + "ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else several}"
