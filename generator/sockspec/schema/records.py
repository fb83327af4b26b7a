"""Objects with named properties, as records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sockspec import ir
from sockspec.schema import unions
from sockspec.schema.discriminators import narrowed
from sockspec.schema.shape import Shape, is_true
from sockspec.spec.resolve import Node

if TYPE_CHECKING:
    from sockspec.schema.reader import SchemaReader

_OBJECT_WORDS = frozenset({"properties", "required", "additionalProperties"})
_ACCESS = {"readOnly": "read-only", "writeOnly": "write-only"}


def record(reader: SchemaReader, name: str, shape: Shape) -> ir.Record:
    """The record of a shape that is an object with named properties."""
    unsaid = list(shape.unsaid)
    closing = shape.words.get("additionalProperties")
    closed = closing is not None and closing.value is False and "patternProperties" not in shape.words
    open_or_closed = closing is None or closing.value is True or closed
    reader.note(shape, _OBJECT_WORDS if open_or_closed else {"properties", "required"}, ("object",), unsaid)
    keyword = unions.keyword(shape)
    reader.note(shape, {"oneOf", "anyOf"} - {keyword}, (), unsaid)
    fields = [
        _field(reader, wire_name, tuple(nodes), f"{name} {wire_name}", wire_name in shape.required, unsaid)
        for wire_name, nodes in shape.properties.items()
    ]
    said = reader.implied.get(shape.node.identity)
    if said is not None:
        fields = [narrowed(field, said, reader.known) or field for field in fields]
    fields += _branch_fields(reader, name, shape, unsaid)
    extra = None if closed else _extra(reader, name, shape, unsaid)
    declared = {field.wire_name for field in fields}
    undeclared = [wire_name for wire_name in shape.required if wire_name not in declared]
    fields += [ir.Field(wire_name, ir.Anything(), True, shape.node.location) for wire_name in undeclared]
    if closed and undeclared:
        # Required and forbidden at once: nothing obeys such a schema, and only the validator can say so.
        unsaid.append(ir.Unsaid("required", shape.node.location))
    return ir.Record(
        name,
        tuple(fields),
        shape.node.location,
        closed,
        shape.text("title"),
        shape.text("description"),
        is_true(shape, "deprecated"),
        tuple(unsaid),
        extra,
    )


def _extra(reader: SchemaReader, name: str, shape: Shape, unsaid: list[ir.Unsaid]) -> ir.Type | None:
    """The type of the values of undeclared properties, where the schema gives one."""
    closing, patterns = shape.words.get("additionalProperties"), shape.words.get("patternProperties")
    schemas = [schema for _, schema in patterns.items()] if patterns is not None else []
    if closing is not None and not isinstance(closing.value, bool) and closing.value != {}:
        schemas.append(closing)
    elif (schemas and not shape.is_false("additionalProperties")) or "minProperties" in shape.words:
        # Without its other properties an object may have too few of them.
        return ir.Anything()
    types = [reader.convert((schema,), f"{name} value", unsaid) for schema in schemas if schema.value is not False]
    return unions.one_of_types(types) if types else None


def _branch_fields(reader: SchemaReader, name: str, shape: Shape, unsaid: list[ir.Unsaid]) -> list[ir.Field]:
    """Properties that a record has only in some branches, or on some condition: optional in the record."""
    keyword = unions.keyword(shape)
    branches = list(shape.words[keyword].elements()) if keyword is not None else []
    for condition in ("then", "else"):
        branches += [shape.words[condition]] if "if" in shape.words and condition in shape.words else []
    for dependent in ("dependentSchemas", "dependencies"):
        found_schemas = shape.words.get(dependent)
        schemas = [node for _, node in found_schemas.items()] if found_schemas is not None else []
        branches += [node for node in schemas if isinstance(node.value, dict)]
    found: dict[str, list[Node]] = {}
    for branch in branches:
        for wire_name, nodes in reader.shape((branch,)).properties.items():
            if wire_name not in shape.properties:
                found.setdefault(wire_name, []).append(nodes[0])
    return [
        _field(reader, wire_name, (nodes[0],), f"{name} {wire_name}", False, unsaid)
        if len(nodes) == 1
        else ir.Field(wire_name, ir.Anything(), False, nodes[0].key_location, nodes[0].text("description"))
        for wire_name, nodes in found.items()
    ]


def _field(
    reader: SchemaReader, wire_name: str, nodes: tuple[Node, ...], name: str, required: bool, unsaid: list[ir.Unsaid]
) -> ir.Field:
    shape = reader.shape(nodes)
    default = shape.words.get("default")
    own = nodes[-1]
    description = own.text("description") or shape.text("description")
    return ir.Field(
        wire_name,
        reader.convert(nodes, name, unsaid),
        required,
        own.key_location,
        description,
        default.value if default is not None else None,
        default is not None,
        is_true(shape, "deprecated"),
        own.text("x-python-name"),
        next((access for keyword, access in _ACCESS.items() if is_true(shape, keyword)), ""),
    )
