"""`oneOf` and `anyOf`: unions of types, the property that tells their members apart, and what stays unproven."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from sockspec import ir
from sockspec.schema.shape import Shape
from sockspec.spec.resolve import Node

if TYPE_CHECKING:
    from sockspec.schema.reader import SchemaReader


def keyword(shape: Shape) -> str | None:
    """The keyword that makes the shape a union, if one does."""
    for word in ("oneOf", "anyOf"):
        node = shape.words.get(word)
        if node is not None and isinstance(node.value, list) and node.value:
            return word
    return None


def convert(reader: SchemaReader, shape: Shape, name: str, unsaid: list[ir.Unsaid]) -> ir.Type:
    """The union that a shape means. Keywords beside it hold for each branch, which only the validator checks."""
    word = keyword(shape)
    assert word is not None
    node = shape.words[word]
    branches = [(*beside(shape), branch) for branch in node.elements()]
    if not beside(shape):
        for other, place in shape.words.items():
            if other in reader.dialect.assertions and other != word:
                unsaid.append(ir.Unsaid(other, place.key_location))
        if shape.required:
            unsaid.append(ir.Unsaid("required", shape.node.location))
    members: list[ir.Type] = []
    shapes: list[Shape] = []
    nullable = False
    for at, branch in enumerate(branches, 1):
        branch_shape = reader.shape(branch)
        if branch_shape.types == ("null",):
            nullable = True
            continue
        shapes.append(branch_shape)
        members.append(reader.convert(branch, _member_name(name, branch[-1], branch_shape, at), unsaid))
    tag = _tag(shapes)
    if word == "oneOf" and tag is None and not _disjoint(shapes):
        unsaid.append(ir.Unsaid("oneOf", node.key_location))
    nullable = nullable or any(isinstance(member, ir.Nullable) for member in members)
    one = _one_type(tuple(_flatten(members)), tag)
    return ir.Nullable(one) if nullable and not isinstance(one, ir.Anything) else one


def beside(shape: Shape) -> tuple[Node, ...]:
    """What stands beside the union and holds for each branch, as a schema; nothing where it only narrows."""
    word = keyword(shape)
    if word is None or not shape.properties or not isinstance(shape.node.value, dict):
        return ()
    own = shape.node.get(word)
    if own is None or own.identity != shape.words[word].identity or not shape.is_alone:
        return ()
    others = {key: value for key, value in shape.node.value.items() if key != word}
    return (replace(shape.node, value=others),)


def is_tagged(reader: SchemaReader, shape: Shape) -> bool:
    """Whether a property tells the branches of the union apart."""
    word = keyword(shape)
    return (
        word is not None and _tag([reader.shape((*beside(shape), b)) for b in shape.words[word].elements()]) is not None
    )


def _member_name(name: str, branch: Node, shape: Shape, at: int) -> str:
    title = branch.text("title")
    if title:
        return title
    for wire_name in shape.properties:
        value = _constant(shape, wire_name)
        if isinstance(value, str) and value:
            return f"{name} {value}"
    return f"{name} {at}"


def one_of_types(types: Iterable[ir.Type]) -> ir.Type:
    """The type of a value that may be of any of these types."""
    members = list(types)
    one = _one_type(tuple(_flatten(members)), None)
    nullable = any(isinstance(member, ir.Nullable) for member in members)
    return ir.Nullable(one) if nullable and not isinstance(one, ir.Anything) else one


def _one_type(flat: tuple[ir.Type, ...], tag: str | None) -> ir.Type:
    if not flat:
        return ir.Scalar(ir.Kind.NULL)
    if any(isinstance(member, ir.Anything) for member in flat):
        return ir.Anything()
    constants = [member for member in flat if isinstance(member, ir.Constant)]
    if len(constants) == len(flat):
        return ir.Constant(tuple(value for constant in constants for value in constant.values))
    return flat[0] if len(flat) == 1 else ir.Union(flat, tag)


def _flatten(members: Iterable[ir.Type]) -> Iterator[ir.Type]:
    seen: set[ir.Type] = set()
    for member in members:
        inner = member.of if isinstance(member, ir.Nullable) else member
        for one in inner.members if isinstance(inner, ir.Union) else (inner,):
            if one not in seen:
                seen.add(one)
                yield one


def _constant(shape: Shape, wire_name: str) -> object:
    """The one value that a property of a shape may have; None where there is none such."""
    for node in shape.properties.get(wire_name, ()):
        const, enum = node.get("const"), node.get("enum")
        if const is not None:
            return const.value
        if enum is not None and isinstance(enum.value, list) and len(enum.value) == 1:
            return enum.value[0]
    return None


def _tag(shapes: list[Shape]) -> str | None:
    """The property that all shapes have with a text of their own each, required or as its default."""
    if len(shapes) < 2:
        return None
    for wire_name in shapes[0].properties:
        texts = {_sent(shape, wire_name) for shape in shapes} - {None}
        if len(texts) == len(shapes):
            return wire_name
    return None


def _sent(shape: Shape, wire_name: str) -> str | None:
    """The one text that a property of a shape may have, where a sender can always write it."""
    value = _constant(shape, wire_name)
    if not isinstance(value, str):
        return None
    defaults = (node.get("default") for node in shape.properties[wire_name])
    is_default = any(default is not None and default.value == value for default in defaults)
    return value if wire_name in shape.required or is_default else None


def _disjoint(shapes: list[Shape]) -> bool:
    """Whether no value can have the types of two shapes."""
    seen: set[str] = set()
    for shape in shapes:
        if shape.types is None or keyword(shape) is not None:
            return False
        types = {"number" if name == "integer" else name for name in shape.types}
        if types & seen:
            return False
        seen |= types
    return True


def looping(definitions: Iterable[ir.Definition]) -> list[ir.Alias]:
    """Aliases that are made of themselves with no record, array or map in between."""
    aliases = {d.name: d for d in definitions if isinstance(d, ir.Alias)}
    settled: set[str] = set()
    loops: list[ir.Alias] = []
    for start in aliases:
        path: dict[str, None] = {}
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            name, leaving = stack.pop()
            if leaving:
                path.pop(name, None)
                settled.add(name)
            elif name in path:
                loops.append(aliases[name])
            elif name in aliases and name not in settled:
                path[name] = None
                stack.append((name, True))
                stack.extend((inner, False) for inner in _direct(aliases[name].type))
    return loops


def _direct(of: ir.Type) -> Iterator[str]:
    stack = [of]
    while stack:
        one = stack.pop()
        if isinstance(one, ir.Ref):
            yield one.name
        elif isinstance(one, ir.Union):
            stack.extend(one.members)
        elif isinstance(one, ir.Nullable):
            stack.append(one.of)
