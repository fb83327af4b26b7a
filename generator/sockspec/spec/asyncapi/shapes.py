"""What there is inside of a payload, by its type."""

from __future__ import annotations

from collections.abc import Mapping

from sockspec import ir

Definitions = Mapping[str, ir.Definition]


def constant(of: ir.Type | ir.Record, wire_name: str, definitions: Definitions) -> str | None:
    """The only text that a property of an object may be; None where there is none such."""
    record = _resolved(of, definitions)
    for field in record.fields if isinstance(record, ir.Record) else ():
        if field.wire_name == wire_name:
            value = _resolved(field.type, definitions)
            values = value.values if isinstance(value, ir.Constant | ir.Enumeration) else ()
            return values[0] if len(values) == 1 and isinstance(values[0], str) else None
    return None


def leads(of: ir.Type | ir.Record, path: tuple[str, ...], definitions: Definitions) -> bool:
    """Whether a payload may have something at a path."""
    level: list[ir.Type | ir.Definition] = [of]
    for token in path:
        level = [inner for one in _alternatives(level, definitions) for inner in _inside(one, token)]
    return bool(level)


def _resolved(of: ir.Type | ir.Definition, definitions: Definitions) -> ir.Type | ir.Definition:
    """What a reference or an alias stands for."""
    seen: set[str] = set()
    while True:
        if isinstance(of, ir.Alias):
            of = of.type
        elif isinstance(of, ir.Ref) and of.name in definitions and of.name not in seen:
            seen.add(of.name)
            of = definitions[of.name]
        else:
            return of


def _alternatives(level: list[ir.Type | ir.Definition], definitions: Definitions) -> list[ir.Type | ir.Definition]:
    """The types, with those inside of unions in their place; each definition once."""
    found: list[ir.Type | ir.Definition] = []
    waiting, seen = [*reversed(level)], set[str]()
    while waiting:
        one = waiting.pop()
        if isinstance(one, ir.Ref):
            if one.name in seen:
                continue
            seen.add(one.name)
        one = _resolved(one, definitions)
        if isinstance(one, ir.Union):
            waiting.extend(one.members)
        elif isinstance(one, ir.Nullable):
            waiting.append(one.of)
        else:
            found.append(one)
    return found


def _inside(of: ir.Type | ir.Definition, token: str) -> list[ir.Type | ir.Definition]:
    match of:
        case ir.Record():
            return [field.type for field in of.fields if field.wire_name == token]
        case ir.Map():
            return [of.value]
        case ir.Array():
            return [of.item] if token.isdigit() else []
        case ir.Tuple():
            return [item for at, item in enumerate(of.items) if token == str(at)]
        case ir.Anything():
            return [of]
        case _:
            return []
