"""Arrays: of items that are all alike, and of items told apart by position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sockspec import ir
from sockspec.schema.scalars import length
from sockspec.schema.shape import Shape
from sockspec.spec.resolve import Node

if TYPE_CHECKING:
    from sockspec.schema.reader import SchemaReader

_ARRAY_WORDS = frozenset({"items", "minItems", "maxItems"})
_MOST_LEFT_OUT = 3
"""How many items at the end of an array may be left out for it to have a type for each length."""


def array(reader: SchemaReader, shape: Shape, name: str, unsaid: list[ir.Unsaid]) -> ir.Type:
    """The type of a shape that is an array."""
    positions = shape.words.get(reader.dialect.tuple_keywords[0])
    low, high = length(shape.bounds.get("minItems")), length(shape.bounds.get("maxItems"))
    if positions is not None and isinstance(positions.value, list):
        return _positions(reader, shape, positions, name, unsaid)
    reader.note(shape, _ARRAY_WORDS, ("array",), unsaid)
    items_word = shape.words.get("items")
    item = ir.Anything() if items_word is None else reader.convert((items_word,), f"{name} item", unsaid)
    return ir.Array(item, low, high)


def _positions(reader: SchemaReader, shape: Shape, positions: Node, name: str, unsaid: list[ir.Unsaid]) -> ir.Type:
    """Items told apart by position: as many types as there are lengths that leave out items at the end."""
    positions_word, rest_word = reader.dialect.tuple_keywords
    low, high = length(shape.bounds.get("minItems")) or 0, length(shape.bounds.get("maxItems"))
    elements = list(positions.elements())
    count = len(elements)
    is_closed = shape.is_false(rest_word) or (high is not None and high <= count)
    longest = count if high is None else min(high, count)
    if not count or not longest or longest - low > _MOST_LEFT_OUT or low > count:
        reader.note(shape, {"minItems", "maxItems"}, ("array",), unsaid)
        return ir.Array(ir.Anything(), low or None, high)
    said = {positions_word, rest_word, "minItems", "maxItems"}
    reader.note(shape, said if is_closed else {positions_word}, ("array",), unsaid)
    items = tuple(reader.convert((item,), f"{name} {at}", unsaid) for at, item in enumerate(elements[:longest]))
    rest: ir.Type | None = None
    if not is_closed:
        rest_schema = shape.words.get(rest_word)
        rest = ir.Anything() if rest_schema is None else reader.convert((rest_schema,), f"{name} rest", unsaid)
        unsaid.append(ir.Unsaid(positions_word, positions.key_location))
    tuples = [ir.Tuple(items[:shorter]) for shorter in range(low, longest)]
    return ir.Union((ir.Tuple(items, rest), *reversed(tuples))) if tuples else ir.Tuple(items, rest)
