"""`discriminator`: whether there is what it says that schemas are told apart by."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.rules.rule import ALL, Group, Rule
from sockspec.rules.schemas import Schema, applying
from sockspec.rules.subject import Subject
from sockspec.spec.resolve import Node
from sockspec.spec.source import unescape
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest

DISCRIMINATOR_PROPERTY = Code(
    "discriminator-property",
    Severity.ERROR,
    "A schema that a `discriminator` tells apart from others does not declare the property that it names, or does not "
    "require it (AsyncAPI, Schema Object; OpenAPI, Discriminator Object). Where it is absent nothing says what is meant.",
    tolerable=True,
)
DISCRIMINATOR_MAPPING = Code(
    "discriminator-mapping",
    Severity.ERROR,
    "A value of a discriminator's `mapping` names no component schema (OpenAPI, Discriminator Object).",
    tolerable=True,
)


def _name(schema: Schema) -> str:
    """The property that a discriminator names; empty where there is none."""
    discriminator = schema.value.get("discriminator")
    named: Any = discriminator.get("propertyName") if isinstance(discriminator, dict) else discriminator
    return named if isinstance(named, str) else ""


def _property(subject: Subject) -> Iterator[Diagnostic]:
    for schema in subject.schemas:
        if "discriminator" not in schema.value or not applying(schema) or not _name(schema):
            continue
        name, node = _name(schema), schema.node.get("discriminator") or schema.node
        own = subject.parts.of(schema)
        # Until OpenAPI 3.2 the specification says nothing of whether it is required.
        is_silent = not subject.is_asyncapi and subject.kind.version < "3.2"
        is_optional = is_silent or node.get("defaultMapping") is not None
        variants = _variants(subject, schema)
        for variant in variants or [schema]:
            whole = subject.parts.of(variant)
            has = name in whole.properties or name in own.properties or not (whole.is_known and own.is_known)
            requires = is_optional or name in whole.required or name in own.required
            if has and requires:
                continue
            who = f"the alternative {quoted(_called(subject, variant))}" if variants else "the schema"
            lacks = f"does not declare the property {quoted(name)}" if not has else f"does not require {quoted(name)}"
            near = nearest(name, whole.properties) if not has else None
            hint = f"did you mean {quoted(near)}?" if near is not None else ""
            place = node.get("propertyName") or node
            related = [variant.node.location] if variants else []
            message = f"{who} {lacks}, by which the discriminator tells"
            yield DISCRIMINATOR_PROPERTY.at(place.location, message, hint=hint, related=related)


def _variants(subject: Subject, schema: Schema) -> list[Schema]:
    """The schemas between which a discriminator chooses; in place of a union within the union its members."""
    found: list[Schema] = []
    waiting, seen = deque(subject.parts.inner(schema.value, ("oneOf", "anyOf"))), set[int]()
    while waiting:
        variant = waiting.popleft()
        if id(variant.node.value) in seen:
            continue
        seen.add(id(variant.node.value))
        parts = subject.parts.of(variant).parts
        members = [one for part in parts for one in subject.parts.inner(part.value, ("oneOf", "anyOf"))]
        if members:
            waiting.extend(members)
        else:
            found.append(variant)
    return found


def _called(subject: Subject, variant: Schema) -> str:
    """What to call one of the alternatives: what its reference names, its title, or its number."""
    target = subject.schemas.target(variant) if variant.node.reference is not None else variant
    node = target.node if isinstance(target, Schema) else variant.node
    return variant.node.text("title") or unescape(node.pointer.rpartition("/")[2])


def _mapping(subject: Subject) -> Iterator[Diagnostic]:
    for schema in subject.schemas:
        discriminator = schema.node.get("discriminator") if "discriminator" in schema.value else None
        mapping = discriminator.get("mapping") if discriminator is not None else None
        for value, target in mapping.items() if mapping is not None else ():
            written = target.value
            # What is no name is a reference, and broken ones are reported as such.
            if isinstance(written, str) and not any(sign in written for sign in "#/."):
                names = _components(target)
                if written not in names:
                    near = nearest(written, names)
                    hint = f"did you mean {quoted(near)}?" if near is not None else ""
                    message = (
                        f"the mapping of {quoted(value)} names {quoted(written)}, and no component schema is called so"
                    )
                    yield DISCRIMINATOR_MAPPING.at(target.location, message, hint=hint)


def _components(near: Node) -> dict[str, None]:
    """The names of the component schemas in the same document."""
    here: Node | None = Node(near.document.value, near.document, "")
    for key in ("components", "schemas"):
        here = here.get(key) if here is not None else None
    return {name: None for name, _ in here.items()} if here is not None else {}


RULES = (
    Rule(
        DISCRIMINATOR_PROPERTY,
        Group.CORRECTNESS,
        ALL,
        bad="""\
Pet:
  type: object
  discriminator: kind
  properties: {kind: {type: string}}
""",
        good="""\
Pet:
  type: object
  discriminator: kind
  required: [kind]
  properties: {kind: {type: string}}
""",
        check=_property,
    ),
    Rule(
        DISCRIMINATOR_MAPPING,
        Group.CORRECTNESS,
        ("OpenAPI 3.0",),
        bad="""\
components:
  schemas:
    Pet:
      oneOf: [{$ref: '#/components/schemas/Cat'}]
      discriminator: {propertyName: kind, mapping: {cat: Kat}}
    Cat: {type: object, required: [kind], properties: {kind: {type: string}}}
""",
        good="""\
components:
  schemas:
    Pet:
      oneOf: [{$ref: '#/components/schemas/Cat'}]
      discriminator: {propertyName: kind, mapping: {cat: Cat}}
    Cat: {type: object, required: [kind], properties: {kind: {type: string}}}
""",
        check=_mapping,
    ),
)
