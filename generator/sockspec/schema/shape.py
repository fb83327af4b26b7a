"""A schema with its `allOf` branches and references folded together, keyword by keyword."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity
from sockspec.schema.dialect import Dialect, keywords
from sockspec.spec.resolve import Documents, Node

SCHEMA_LOOP = Code(
    "schema-loop",
    Severity.ERROR,
    "A schema is made of itself (`allOf`, `oneOf` or `anyOf` leads back to it with nothing in between), so no payload "
    "can ever be judged by it. Let it refer to itself from a property or from the items of an array instead.",
)

_TIGHTER_ABOVE = {"minimum": max, "exclusiveMinimum": max, "minLength": max, "minItems": max, "minProperties": max}
_TIGHTER_BELOW = {"maximum": min, "exclusiveMaximum": min, "maxLength": min, "maxItems": min, "maxProperties": min}
_TIGHTER = _TIGHTER_ABOVE | _TIGHTER_BELOW
_DESCRIPTIVE = (
    "title",
    "description",
    "deprecated",
    "readOnly",
    "writeOnly",
    "default",
    "x-python-name",
    "x-enum-varnames",
    "x-enumNames",
    "x-enum-descriptions",
)


@dataclass(slots=True)
class Shape:
    """What a schema says, gathered from all its parts."""

    node: Node
    types: tuple[str, ...] | None = None
    """The allowed JSON types; None where the schema does not say."""
    values: list[object] | None = None
    """The allowed values (`const`, `enum`); None where the schema does not say."""
    bounds: dict[str, int | float] = field(default_factory=dict[str, int | float])
    properties: dict[str, list[Node]] = field(default_factory=dict[str, list[Node]])
    required: dict[str, None] = field(default_factory=dict[str, None])
    words: dict[str, Node] = field(default_factory=dict[str, Node])
    """All other keywords, assertions and descriptions alike."""
    unsaid: list[ir.Unsaid] = field(default_factory=list[ir.Unsaid])
    """Keywords that two parts have and that cannot be folded into one."""
    is_alone: bool = True
    """Whether it is one schema, with what that refers to, and not several that stand in different places."""

    def text(self, keyword: str) -> str:
        """The value of a descriptive keyword, if it is text."""
        node = self.words.get(keyword)
        return node.value if node is not None and isinstance(node.value, str) else ""

    def is_false(self, keyword: str) -> bool:
        """Whether the keyword is there and is the schema that nothing obeys."""
        node = self.words.get(keyword)
        return node is not None and node.value is False


def is_number(value: object) -> bool:
    """Whether a JSON value is a number; Python's booleans are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(left: object, right: object) -> bool:
    """Whether two scalar JSON values are equal: 1 and 1.0 are, 1 and true are not."""
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def is_true(shape: Shape, keyword: str) -> bool:
    """Whether a keyword is there and says yes."""
    node = shape.words.get(keyword)
    return node is not None and node.value is True


def gather(documents: Documents, dialect: Dialect, nodes: Iterable[Node], report: Report) -> Shape:
    """Fold schemas that all have to hold into one shape."""
    roots = tuple(nodes)
    shape = Shape(documents.follow(roots[0]), is_alone=len(roots) == 1)
    properties_in = 0
    for part in _parts(documents, dialect, roots, report):
        if part.value is False:
            shape.unsaid.append(ir.Unsaid("false", part.location))
        properties_in += part.get("properties") is not None or part.get("additionalProperties") is not None
        for keyword, node in keywords(part):
            _fold(shape, keyword, node, dialect)
    closing = shape.words.get("additionalProperties")
    if properties_in > 1 and closing is not None and closing.value is not True:
        # It speaks of the properties of its own part only, which one record cannot express.
        shape.unsaid.append(ir.Unsaid("additionalProperties", closing.location))
        del shape.words["additionalProperties"]
    return shape


def _parts(documents: Documents, dialect: Dialect, roots: tuple[Node, ...], report: Report) -> Iterator[Node]:
    """The schemas without references and `allOf` that have to hold, those further down first."""
    stack: list[tuple[Node, bool]] = [(node, False) for node in reversed(roots)]
    open_parts: set[tuple[Path, str]] = set()
    done: set[tuple[Path, str]] = set()
    while stack:
        node, leaving = stack.pop()
        if leaving:
            open_parts.discard(node.identity)
            done.add(node.identity)
            yield node
            continue
        if node.identity in done:
            continue
        if node.identity in open_parts:
            report.add(SCHEMA_LOOP.at(node.location, "this schema is made of itself"))
            continue
        reference = node.get("$ref")
        if reference is not None and isinstance(reference.value, str):
            target = documents.target(node)
            below = [] if target is None else [target]
            stack_self = dialect.siblings_apply
        else:
            below, stack_self = [], True
        branches = node.get("allOf")
        if stack_self and branches is not None:
            below += list(branches.elements())
        open_parts.add(node.identity)
        if stack_self:
            stack.append((node, True))
        stack.extend((branch, False) for branch in reversed(below))


def _fold(shape: Shape, keyword: str, node: Node, dialect: Dialect) -> None:
    value = node.value
    if keyword in ("$ref", "allOf"):
        return
    if keyword == "properties":
        for name, child in node.items():
            shape.properties.setdefault(name, []).append(child)
    elif keyword == "required" and isinstance(value, list):
        shape.required.update((name, None) for name in value if isinstance(name, str))
    elif keyword == "type":
        names = tuple(name for name in (value if isinstance(value, list) else [value]) if isinstance(name, str))
        shape.types = names if shape.types is None else _common_types(shape.types, names)
    elif keyword == "const" or (keyword == "enum" and isinstance(value, list)):
        allowed: list[object] = [*value] if keyword == "enum" and isinstance(value, list) else [value]
        known = shape.values
        shape.values = allowed if known is None else [v for v in known if any(same(v, other) for other in allowed)]
        shape.words.setdefault(keyword, node)
    elif keyword in _TIGHTER and isinstance(value, int | float) and not isinstance(value, bool):
        before = shape.bounds.get(keyword)
        shape.bounds[keyword] = value if before is None else _TIGHTER[keyword](before, value)
        shape.words.setdefault(keyword, node)
    elif keyword in _DESCRIPTIVE or keyword not in dialect.assertions:
        shape.words[keyword] = node
    elif keyword in shape.words and shape.words[keyword].value != value:
        shape.unsaid.append(ir.Unsaid(keyword, node.location))
    else:
        shape.words[keyword] = node


def _common_types(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[str, ...]:
    common = [name for name in left if name in right]
    if "integer" not in common and ({"integer", "number"} <= {*left, *right}):
        common.append("integer")
    return tuple(common)
