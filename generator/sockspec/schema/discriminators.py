"""What `discriminator` says of schemas: which value of a property stands for which of them.

OpenAPI (Discriminator Object) maps values to schemas in `mapping`; where it does not, and in AsyncAPI always, the value
is the name of the schema among the components. It makes no payload invalid: it tells what is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sockspec import ir
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.source import Json, unescape
from sockspec.spec.walk import mappings

Identity = tuple[Path, str]


@dataclass(frozen=True, slots=True)
class Implied:
    """The values of a property that stand for a schema."""

    wire_name: str
    values: tuple[str, ...]


def implied(documents: Documents) -> Mapping[Identity, Implied]:
    """By the identity of each schema that a discriminator chooses. A schema of which two say different things is none."""
    found: dict[Identity, Implied | None] = {}
    speaking = [document for document in documents.loaded if _speaks(document.value)]
    every = (node for document in speaking for node, _ in mappings(Node(document.value, document, ""), set()))
    nodes = [node for node in every if node.get("discriminator") is not None or node.get("allOf") is not None]
    children = _children(documents, nodes)
    for node in nodes:
        discriminator = node.get("discriminator")
        if discriminator is None:
            continue
        value = discriminator.value
        wire_name = value if isinstance(value, str) else discriminator.text("propertyName")
        mapped = _mapped(documents, discriminator)
        for target in _chosen(documents, node, children):
            values = tuple(mapped.get(target.identity, ())) or (unescape(target.pointer.rpartition("/")[2]),)
            own = Implied(wire_name, values)
            found[target.identity] = own if found.setdefault(target.identity, own) == own else None
    return {identity: one for identity, one in found.items() if one is not None and one.wire_name}


def narrowed(field: ir.Field, said: Implied, definitions: Mapping[str, ir.Definition | None]) -> ir.Field | None:
    """The field with the values that stand for its schema; None where its type says something else."""
    if field.wire_name != said.wire_name:
        return None
    of = field.type
    definition = definitions.get(of.name) if isinstance(of, ir.Ref) else None
    if isinstance(of, ir.Scalar):
        fits = of.kind is ir.Kind.STRING and of.limits == ir.Limits()
    elif isinstance(of, ir.Constant):
        fits = len(of.values) > len(said.values) and all(value in of.values for value in said.values)
    else:
        fits = isinstance(definition, ir.Enumeration) and all(value in definition.values for value in said.values)
    return replace(field, type=ir.Constant(said.values), default=None, has_default=False) if fits else None


def _speaks(document: Json) -> bool:
    """Whether there is a discriminator anywhere; most documents have none, and need not be walked with places."""
    waiting, seen = [document], set[int]()
    while waiting:
        value = waiting.pop()
        if not isinstance(value, dict | list) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            if "discriminator" in value:
                return True
            waiting.extend(value.values())
        else:
            waiting.extend(value)
    return False


def _children(documents: Documents, nodes: list[Node]) -> Mapping[Identity, list[Node]]:
    """The schemas that are made of another by `allOf`, by the identity of that."""
    found: dict[Identity, list[Node]] = {}
    for node in nodes:
        branches = node.get("allOf")
        for branch in branches.elements() if branches is not None else ():
            target = documents.target(branch) if branch.reference is not None else None
            if target is not None:
                found.setdefault(target.identity, []).append(node)
    return found


def _chosen(documents: Documents, node: Node, children: Mapping[Identity, list[Node]]) -> Iterator[Node]:
    """The schemas between which a discriminator chooses: the branches beside it, else what is made of its schema."""
    branches = [one for word in ("oneOf", "anyOf") if (listed := node.get(word)) for one in listed.elements()]
    if not branches:
        yield from children.get(node.identity, ())
    for branch in branches:
        target = documents.target(branch) if branch.reference is not None else None
        if target is not None:
            yield documents.follow(target)


def _mapped(documents: Documents, discriminator: Node) -> Mapping[Identity, list[str]]:
    """The values of `mapping` by the identity of the schema that each of them names, by its name or by a reference."""
    found: dict[Identity, list[str]] = {}
    mapping = discriminator.get("mapping")
    for value, target in mapping.items() if mapping is not None else ():
        if not isinstance(target.value, str):
            continue
        if any(sign in target.value for sign in "#/"):
            end = documents.target(Node({"$ref": target.value}, target.document, target.pointer))
        else:
            end = _component(target, target.value)
        if end is not None:
            found.setdefault(documents.follow(end).identity, []).append(value)
    return found


def _component(near: Node, name: str) -> Node | None:
    """The component schema of that name in the same document."""
    here: Node | None = Node(near.document.value, near.document, "")
    for key in ("components", "schemas", name):
        here = here.get(key) if here is not None else None
    return here
