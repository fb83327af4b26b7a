"""The constants of a payload: where a value stands that only some messages have there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sockspec import ir
from sockspec.analysis import walk

TagValue = str | int
Path = tuple[str | int, ...]
"""Wire names, or positions in arrays, from the payload's root to a value."""

_DEEPEST = 3
"""How many steps a path has at most."""


@dataclass(frozen=True, slots=True)
class Constant:
    """What a place in a payload may hold, where that is one of a few texts or integers."""

    values: tuple[TagValue, ...]
    required: bool
    """Whether the place cannot be absent."""


Constants = dict[Path, Constant]


def of(
    payload: ir.Type | ir.Record, definitions: Mapping[str, ir.Definition], *, nested: bool = False, unions: int = 4
) -> Constants:
    """The constants of a payload: its own members' and items', and with `nested` also those further inside.

    Unions in unions are entered `unions` levels deep.
    """
    resolved = walk.resolve(payload, definitions)
    if isinstance(resolved, ir.Nullable):
        return {}
    if isinstance(resolved, ir.Union):
        if not unions:
            return {}
        if all(isinstance(member, ir.Tuple) for member in resolved.members):
            return _of_tail(resolved, definitions, nested=nested)
        return _of_all([of(member, definitions, nested=nested, unions=unions - 1) for member in resolved.members])
    return dict(_inside(resolved, definitions, (), True, _DEEPEST if nested else 1))


def _inside(
    of_type: ir.Type | ir.Record,
    definitions: Mapping[str, ir.Definition],
    path: Path,
    required: bool,
    steps: int,
) -> Iterator[tuple[Path, Constant]]:
    places: Iterator[tuple[str | int, ir.Type, bool]]
    match walk.resolve(of_type, definitions):
        case ir.Record(fields=fields):
            places = ((field.wire_name, field.type, field.required) for field in fields)
        case ir.Tuple(items=items):
            places = ((at, item, True) for at, item in enumerate(items))
        case _:
            return
    for step, inner, demanded in places:
        resolved = walk.resolve(inner, definitions)
        if isinstance(resolved, ir.Constant):
            values = tuple(value for value in resolved.values if isinstance(value, str | int) and is_tag(value))
            if values and len(values) == len(resolved.values):
                yield (*path, step), Constant(values, required and demanded)
        elif steps > 1 and isinstance(resolved, ir.Record):
            yield from _inside(resolved, definitions, (*path, step), required and demanded, steps - 1)


def _of_all(alternatives: list[Constants]) -> Constants:
    """What alternatives have in common: the places that are constant in each, with the values of all."""
    shared = set(alternatives[0]).intersection(*alternatives[1:]) if alternatives else set[Path]()
    return {
        path: Constant(
            tuple(dict.fromkeys(value for found in alternatives for value in found[path].values)),
            all(found[path].required for found in alternatives),
        )
        for path in (alternatives[0] if alternatives else ())
        if path in shared
    }


def _of_tail(union: ir.Union, definitions: Mapping[str, ir.Definition], *, nested: bool) -> Constants:
    """The constants of arrays that may end early: those of the longest."""
    lengths = [len(member.items) for member in union.members if isinstance(member, ir.Tuple)]
    longest = union.members[lengths.index(max(lengths))]
    return {
        path: Constant(found.values, found.required and isinstance(path[0], int) and path[0] < min(lengths))
        for path, found in of(longest, definitions, nested=nested).items()
    }


def is_tag(value: object) -> bool:
    """Whether a value can tell messages apart: a text, or an integer of 64 bits."""
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63)
