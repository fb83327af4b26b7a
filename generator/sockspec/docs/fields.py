"""The properties of objects as trees, and the values of a handshake, a row for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sockspec import ir
from sockspec.analysis import walk
from sockspec.docs.types import Line, Piece, Types
from sockspec.docs.writing import Described, Writing

_DEEPEST = 4
_HEADINGS = 5
"""The level of headings in descriptions of properties."""
Place = Callable[[str], str]
"""The anchor of the property at a path."""


@dataclass(frozen=True, slots=True)
class Row:
    """A property or a parameter."""

    prefix: str
    """The path to the object that has it, as in `data.`; empty for the outermost."""
    name: str
    path: str
    """Prefix and name as one piece of code."""
    type: Line
    is_required: bool
    is_deprecated: bool
    bounds: tuple[Line, ...]
    description: Described
    anchor: str = ""
    below: tuple[Row, ...] = ()
    """The properties of the object inside, where it is shown in place."""
    is_open: bool = False
    """Whether those are seen at once."""


def flat(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows and, after each, those below it."""
    for row in rows:
        yield row
        yield from flat(row.below)


class Fields:
    """Makes rows. A definition that is used in one place only is shown there, others are linked."""

    def __init__(self, api: ir.Api, types: Types, linked: Mapping[str, str], writing: Writing) -> None:
        self._definitions = walk.by_name(api)
        self._types = types
        self._writing = writing
        bodies = [message.payload.type for message in api.messages]
        bodies += [walk.body(definition) for definition in api.definitions]
        used = Counter(part.name for body in bodies for part in walk.parts(body) if isinstance(part, ir.Ref))
        self._inside = {name for name, times in used.items() if times == 1 and name not in linked}

    def rows(self, record: ir.Record) -> tuple[Row, ...]:
        """The properties of a record and, after each, those of the objects inside."""
        return tuple(flat(self.tree(record)))

    def tree(self, record: ir.Record, place: Place = lambda path: "") -> tuple[Row, ...]:
        """The properties of a record, each with those of the object inside below it."""
        return tuple(self._rows(record, "", 0, place))

    def _rows(self, record: ir.Record, prefix: str, depth: int, place: Place) -> Iterator[Row]:
        for field in record.fields:
            suffix, inner = self._inner(field.type) if depth < _DEEPEST else ("", None)
            bounds = list(self._types.bounds(field.type))
            if inner is not None and inner.closed:
                bounds.append((self._types.words("no other properties"),))
            if field.access:
                bounds.append((self._types.words(field.access),))
            if field.has_default:
                bounds.append((self._types.words("default"), Piece(" "), self._types.code(field.default)))
            yield self._row(
                prefix,
                field.wire_name,
                self._types.line(field.type) if inner is None else self._opened(field.type),
                field.required,
                bounds,
                field.description or (inner.description if inner is not None else ""),
                place(f"{prefix}{field.wire_name}"),
                tuple(self._rows(inner, f"{prefix}{field.wire_name}{suffix}.", depth + 1, place)) if inner else (),
                is_deprecated=field.deprecated,
                is_open=depth == 0,
            )
        if record.extra is not None:
            others, bounds = self._types.line(record.extra), list(self._types.bounds(record.extra))
            yield self._row(prefix, "*", others, False, bounds, "All other properties.", place(f"{prefix}*"))

    def _inner(self, of: ir.Type) -> tuple[str, ir.Record | None]:
        """The record inside a type that is shown in place, and how a path to it goes on."""
        match of:
            case ir.Nullable():
                return self._inner(of.of)
            case ir.Array():
                suffix, inner = self._inner(of.item)
                return f"[]{suffix}", inner
            case ir.Map():
                suffix, inner = self._inner(of.value)
                return f".*{suffix}", inner
            case ir.Ref() if of.name in self._inside:
                definition = self._definitions.get(of.name)
                return "", definition if isinstance(definition, ir.Record) else None
            case _:
                return "", None

    def _opened(self, of: ir.Type) -> Line:
        """The type, with `object` in place of the name of what is shown in place."""
        match of:
            case ir.Nullable():
                return (*self._opened(of.of), Piece(" or "), self._types.words("null"))
            case ir.Array():
                return (self._types.words("array of"), Piece(" "), *self._opened(of.item))
            case ir.Map():
                return (self._types.words("object with values:"), Piece(" "), *self._opened(of.value))
            case _:
                return (self._types.words("object"),)

    def _row(
        self,
        prefix: str,
        name: str,
        line: Line,
        is_required: bool,
        bounds: Iterable[Line],
        description: str,
        anchor: str,
        below: tuple[Row, ...] = (),
        *,
        is_deprecated: bool = False,
        is_open: bool = False,
    ) -> Row:
        code = self._writing.code
        return Row(
            code(prefix) if prefix else "",
            code(name),
            code(f"{prefix}{name}"),
            line,
            is_required,
            is_deprecated,
            tuple(bounds),
            self._writing.described(description, _HEADINGS),
            anchor,
            below,
            is_open,
        )

    def parameters(self, parameters: Iterable[ir.Parameter], place: Place = lambda path: "") -> tuple[Row, ...]:
        """Values of the handshake, or variables of a server."""
        return tuple(self._parameter(parameter, place(parameter.wire_name)) for parameter in parameters)

    def _parameter(self, parameter: ir.Parameter, anchor: str) -> Row:
        bounds = list(self._types.bounds(parameter.type))
        if parameter.values and not isinstance(parameter.type, ir.Constant):
            values = self._types.listed(map(self._types.identifier, parameter.values), ", ")
            bounds.append((self._types.words("one of"), Piece(" "), *values))
        if parameter.default is not None:
            bounds.append((self._types.words("default"), Piece(" "), self._types.identifier(parameter.default)))
        if parameter.examples:
            examples = self._types.listed(map(self._types.identifier, parameter.examples), ", ")
            bounds.append((self._types.words("for example"), Piece(" "), *examples))
        line = self._types.line(parameter.type)
        return self._row("", parameter.wire_name, line, parameter.required, bounds, parameter.description, anchor)
