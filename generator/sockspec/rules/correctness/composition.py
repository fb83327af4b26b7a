"""Schemas that are made of others: whether anything obeys them all, and what they require and choose by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.rules.parts import Parts
from sockspec.rules.rule import ALL, Group, Rule
from sockspec.rules.schemas import Schema, applying, types_of
from sockspec.rules.subject import Subject
from sockspec.spec.resolve import Node
from sockspec.spec.structure import comparable
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest
from sockspec.spec.wording import kinds

TYPES_CONTRADICT = Code(
    "types-contradict",
    Severity.ERROR,
    "Schemas that all have to hold (`allOf`, or what stands beside `$ref`) want different types or different constants, so "
    "that no value obeys them. The validator refuses every payload that has one. Take the wrong part out.",
    tolerable=True,
)
REQUIRED_UNDECLARED = Code(
    "required-not-declared",
    Severity.WARNING,
    "`required` names a property that no `properties` beside it, around it or in the schemas that it is made of has, most "
    "often for a slip of the pen. The member is in the package, required, of any type. Declare the property, or correct "
    "its name.",
)


# --- types and constants ----------------------------------------------------------------------------------------------


def _contradicting(subject: Subject) -> Iterator[Diagnostic]:
    parts = subject.parts
    said: set[tuple[int, ...]] = set()
    for schema in subject.schemas:
        words = schema.value
        if "allOf" not in words and not ("$ref" in words and len(words) > 1 and schema.dialect.siblings_apply):
            continue
        together = parts.of(schema).parts
        place = schema.node.get("allOf") or schema.node.get("$ref") or schema.node
        groups = [(together, place), *_of_properties(subject, parts, together)]
        for group, node in groups:
            found = _no_type(group) or _no_constant(group)
            # What contradicts itself within a part does so in all that is made of it.
            if found is not None and (key := tuple(sorted(id(one.value) for one in found[1]))) not in said:
                said.add(key)
                related = (one.location for one in found[1])
                yield TYPES_CONTRADICT.at(node.key_location, found[0], related=related)


def _of_properties(subject: Subject, parts: Parts, together: list[Schema]) -> Iterator[tuple[list[Schema], Node]]:
    """The schemas of each property that several parts declare, with where it is declared last."""
    declared: dict[str, list[Schema]] = {}
    for part in together:
        properties = part.value.get("properties")
        for name, value in properties.items() if isinstance(properties, dict) else ():
            if (known := subject.schemas.known(value)) is not None:
                declared.setdefault(name, []).append(known)
    for several in declared.values():
        if len(several) > 1:
            yield [one for each in several for one in parts.of(each).parts], several[-1].node


def _no_type(parts: list[Schema]) -> tuple[str, list[Node]] | None:
    """What to say where parts have no type in common, and the two nodes that it is about."""
    common: tuple[str, ...] | None = None
    first: Schema | None = None
    for part in parts:
        types = types_of(part)
        if types is None:
            continue
        if common is None or first is None:
            common, first = types, part
            continue
        left = _in_common(common, types)
        if not left:
            nodes = [node for one in (first, part) if (node := one.node.get("type")) is not None]
            return f"one part wants {kinds([*common])} and another {kinds([*types])}, so that no value fits", nodes
        common = left
    return None


def _in_common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    wider = tuple((*each, "integer") if "number" in each else each for each in (one, other))
    return tuple(name for name in dict.fromkeys(wider[0]) if name in wider[1])


def _no_constant(parts: list[Schema]) -> tuple[str, list[Node]] | None:
    """What to say where parts have no value of `const` and `enum` in common."""
    common: set[tuple[Any, ...]] | None = None
    first: Node | None = None
    for part in parts:
        for keyword in ("const", "enum"):
            node = part.node.get(keyword)
            if node is None or (keyword == "enum" and not isinstance(node.value, list)):
                continue
            values = node.value if keyword == "enum" and isinstance(node.value, list) else [node.value]
            allowed = {comparable(value) for value in values}
            if common is None or first is None:
                common, first = allowed, node
            elif common.isdisjoint(allowed):
                return f"the parts have no value of {quoted(keyword)} in common, so that no value fits", [first, node]
            else:
                common &= allowed
    return None


# --- required ---------------------------------------------------------------------------------------------------------


def _required(subject: Subject) -> Iterator[Diagnostic]:
    for schema in subject.schemas:
        if not _lacks(schema):
            continue
        wholes = [subject.parts.of(each, branches=True) for each in (schema, *subject.parts.around(schema))]
        declared = set[str]().union(*(whole.properties for whole in wholes))
        required = schema.node.get("required")
        if not declared or required is None or not all(whole.is_known for whole in wholes):
            continue
        for node in required.elements():
            if isinstance(node.value, str) and node.value not in declared:
                near = nearest(node.value, declared)
                hint = f"did you mean {quoted(near)}?" if near is not None else ""
                message = f"{quoted(node.value)} is required, and not among the properties"
                yield REQUIRED_UNDECLARED.at(node.location, message, hint=hint)


def _lacks(schema: Schema) -> bool:
    """Whether the schema requires what it does not declare itself."""
    words = schema.value
    required, properties = words.get("required"), words.get("properties")
    if not isinstance(required, list) or not required or not applying(schema):
        return False
    known: Any = properties if isinstance(properties, dict) else {}
    return any(isinstance(name, str) and name not in known for name in required)


RULES = (
    Rule(
        TYPES_CONTRADICT,
        Group.CORRECTNESS,
        ALL,
        bad="""\
allOf:
  - {type: object, properties: {id: {type: string}}}
  - {type: string}
""",
        good="""\
allOf:
  - {type: object, properties: {id: {type: string}}}
  - {type: object, properties: {text: {type: string}}}
""",
        check=_contradicting,
    ),
    Rule(
        REQUIRED_UNDECLARED,
        Group.CORRECTNESS,
        ALL,
        bad="""\
type: object
required: [txet]
properties: {text: {type: string}}
""",
        good="""\
type: object
required: [text]
properties: {text: {type: string}}
""",
        check=_required,
    ),
)
