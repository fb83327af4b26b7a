"""Values of the handshake: server variables, and parameters of the path, the query and the headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from sockspec import ir
from sockspec.diagnostics import Location
from sockspec.schema import SchemaReader
from sockspec.spec.asyncapi.address import PARAMETER
from sockspec.spec.resolve import Documents, Node


def string_parameter(name: str, definition: Node, place: Node) -> ir.Parameter:
    """A server variable, or a channel's parameter as AsyncAPI 3 has it: always a string."""
    values = _texts(definition.get("enum"))
    default = definition.get("default")
    return ir.Parameter(
        name,
        ir.Constant(values) if values else ir.Scalar(ir.Kind.STRING),
        place.key_location,
        description=definition.text("description"),
        default=written(default.value) if default is not None and default.value is not None else None,
        values=values,
        examples=_texts(definition.get("examples")),
    )


def typed_parameter(
    name: str, schema: Node, place: Node, documents: Documents, reader: SchemaReader, *, required: bool = True
) -> ir.Parameter:
    """A parameter that has a schema. What `place` says of it wins over what the schema says."""
    about = documents.follow(schema)
    const, default = about.get("const"), about.get("default")
    return ir.Parameter(
        name,
        reader.parameter(name, schema),
        place.key_location,
        required,
        place.text("description") or about.text("description"),
        written(default.value) if default is not None and default.value is not None else None,
        (written(const.value),) if const is not None else _texts(about.get("enum")),
        _texts(place.get("examples")) or _texts(about.get("examples")),
    )


def fixed_or_named(name: str, value: str, declared: Mapping[str, ir.Parameter], place: Location) -> ir.Parameter:
    """A query parameter that a URL has: `name={declared}`, or `name=value` with a value that never changes."""
    named = PARAMETER.fullmatch(value)
    if named is not None and named[1] in declared:
        return replace(declared[named[1]], wire_name=name)
    if PARAMETER.search(value) is not None or not value:
        return ir.Parameter(name, ir.Scalar(ir.Kind.STRING), place)
    return ir.Parameter(name, ir.Constant((value,)), place, default=value, values=(value,))


def written(value: object) -> str:
    """A value as it is written in a URL: text as it stands, others as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _texts(node: Node | None) -> tuple[str, ...]:
    values = [item.value for item in node.elements()] if node is not None else []
    return tuple(written(value) for value in values if isinstance(value, str | int | float))
