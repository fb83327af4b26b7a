"""What stands where: which objects of AsyncAPI the parts of a document are, and what its references should lead to.

Both follow from the meta-schema: where it says `message or reference`, a message is, or is referred to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sockspec.spec.metaschema import Schema, metaschema
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.source import Document
from sockspec.spec.walk import Seen, nearest, references

Identity = tuple[Path, str]

SCHEMA = "schema"

WORDS: Mapping[str, str] = {
    "server": "a server",
    "serverVariable": "a server variable",
    "channel": "a channel",
    "parameter": "a parameter",
    "operation": "an operation",
    "operationTrait": "a trait of operations",
    "message": "a message",
    "messageTrait": "a trait of messages",
    SCHEMA: "a schema",
    "securityScheme": "a security scheme",
    "correlationId": "a correlation id",
    "reply": "a reply",
    "replyAddress": "the address of a reply",
    "tag": "a tag",
    "externalDocs": "a link to documentation",
    "serverBindings": "bindings of a server",
    "channelBindings": "bindings of a channel",
    "operationBindings": "bindings of an operation",
    "messageBindings": "bindings of a message",
}
"""The kinds of objects that references lead to, in plain words."""

_KINDS = {
    **{name: name for name in WORDS},
    **dict.fromkeys(("anySchema", "jsonSchema", "headers", "schemaNotReference", "multiFormatSchema"), SCHEMA),
    **dict.fromkeys(("openapiSchema", "openapiPayload", "avroSchema", "avroSchemaEntry", "avroPayload"), SCHEMA),
    "messageTraitEntry": "messageTrait",
    "parameterEntry": "parameter",
    "securitySchemeEntry": "securityScheme",
}
"""The shapes of the meta-schema by the kinds that they are."""

_DOCUMENTS = frozenset(("asyncapi", "components", "channels", "servers", "operations"))
"""Keys by which another file is taken for a document of the same form, or a part of one."""


_SLIP = 0.75
_FEW = 20
"""How near a key has to be to a known one to be a slip of it, and of how many that is asked."""

_HOPS = 64
"""How many references to references are followed before only the last counts."""


@dataclass(slots=True)
class _Shape:
    """A part of the meta-schema: what stands there, and the shapes of what is within it."""

    kind: str = ""
    properties: dict[str, Any] = field(default_factory=dict[str, Any])
    others: list[Any] = field(default_factory=list[Any])
    """Of properties that have no shape of their own."""
    items: list[Any] = field(default_factory=list[Any])


@dataclass(frozen=True, slots=True)
class Expected:
    """A reference, and the kind of what it should lead to."""

    node: Node
    kind: str


class Kinds:
    """The kinds of the parts of a document and of what it refers to, and the references among them."""

    def __init__(self, documents: Documents, version: str | None) -> None:
        """`version` is that of AsyncAPI; where there is none, nothing is known of the document."""
        self._documents = documents
        self._definitions: dict[str, Schema] = metaschema(version)["definitions"] if version else {"document": {}}
        self._starts = {name: {"$ref": f"#/definitions/{name}"} for name in ("document", *WORDS)}
        self._shapes: dict[int, _Shape] = {}
        self._kinds: dict[Identity, str] = {}
        self._expected: dict[Identity, Expected] = {}
        self._elsewhere: dict[Identity, Expected] = {}
        self._waiting: deque[Expected] = deque()
        self._in_schemas: Seen = set()
        self._marked: set[Path] = {documents.root.document.path}
        self._walk(documents.root, "document")
        while self._waiting:
            self._go(self._waiting.popleft())

    @property
    def expected(self) -> tuple[Expected, ...]:
        """The references, each with what it should lead to."""
        return tuple(self._expected.values())

    @property
    def elsewhere(self) -> tuple[Expected, ...]:
        """What references rightly lead to where nobody looks: parts of other files, and of extensions."""
        return tuple(self._elsewhere.values())

    @cached_property
    def misleading(self) -> tuple[tuple[Expected, Node, str], ...]:
        """The references that lead to something else than they should: each with that, and the kind of that."""
        found = ((one, *self.target(one)) for one in self.expected if not self._documents.is_broken(one.node))
        return tuple((one, target, kind) for one, target, kind in found if kind != one.kind)

    @cached_property
    def _misleading(self) -> frozenset[Identity]:
        return frozenset(one.node.identity for one, _, _ in self.misleading)

    def end(self, node: Node) -> Node | None:
        """What a node leads to; None where its reference is broken, or leads to something of another kind."""
        here = node
        for _ in range(_HOPS):
            if here.reference is None:
                return here
            if self._documents.is_broken(here) or here.identity in self._misleading:
                return None
            there = self._documents.target(here)
            if there is None:
                return None
            here = there
        return self._documents.follow(here)

    def target(self, expected: Expected) -> tuple[Node, str]:
        """Where a reference leads, and the kind of that; an empty text where nothing tells it.

        A reference to a reference is right where the second stands in place of the right kind.
        """
        here = expected.node
        for _ in range(_HOPS):
            there = self._documents.target(here)
            if there is None:
                return here, ""
            here = there
            kind = self.kind(here)
            if kind or here.reference is None:
                return here, kind
        return self._documents.follow(here), ""

    def kind(self, node: Node) -> str:
        """What a part of a document is; empty where nothing tells it."""
        self._mark(node.document)
        path, pointer = node.identity
        found = self._kinds.get((path, pointer))
        while found is None and pointer:
            pointer = pointer.rpartition("/")[0]
            found = self._kinds.get((path, pointer))
            found = "" if found is not None and found != SCHEMA else found
        return found or ""

    # --- finding out ------------------------------------------------------------------------------------------------

    def _go(self, one: Expected) -> None:
        """Go where a reference leads, if no walk has been there."""
        if self._documents.is_broken(one.node):
            return
        target, kind = self.target(one)
        if target.identity in self._elsewhere or (kind and target.document is self._documents.root.document):
            return
        if kind == one.kind or (not kind and self._resembles(target, one.kind)):
            self._elsewhere[target.identity] = Expected(target, one.kind)
            self._kinds.setdefault(target.identity, one.kind)
            self._walk(target, one.kind)

    def _resembles(self, node: Node, kind: str) -> bool:
        """Whether a value that nothing tells the kind of may be of this one."""
        if kind == SCHEMA:
            is_elsewhere = node.document is not self._documents.root.document
            return is_elsewhere or isinstance(node.value, (dict, bool))
        known = self._shape(self._starts[kind]).properties
        if not isinstance(node.value, dict) or not node.value or not known.keys().isdisjoint(node.value):
            return isinstance(node.value, dict)
        return any(nearest(key, known, likeness=_SLIP) is not None for key in [*node.value][:_FEW])

    def _expect(self, node: Node, kind: str) -> None:
        if node.identity not in self._expected:
            self._expected[node.identity] = Expected(node, kind)
            self._waiting.append(self._expected[node.identity])

    def _mark(self, document: Document) -> None:
        """Note what the parts of another file are, where it is of the same form."""
        if document.path in self._marked:
            return
        self._marked.add(document.path)
        if isinstance(document.value, dict) and not _DOCUMENTS.isdisjoint(document.value):
            self._walk(Node(document.value, document, ""), "document", marking=True)

    def _walk(self, start: Node, name: str, *, marking: bool = False) -> None:
        """Note the kinds of a part and of all within it, and unless that is all that is wanted, its references."""
        seen: set[tuple[int, int]] = set()
        waiting: list[tuple[Node, Any]] = [(start, self._starts[name])]
        while waiting:
            node, schema = waiting.pop()
            shape = self._shape(schema)
            pair = id(node.value), id(schema)
            if not isinstance(node.value, (dict, list)) or pair in seen:
                continue
            seen.add(pair)
            if shape.kind:
                self._kinds.setdefault(node.identity, shape.kind)
            if node.reference is not None and shape.kind:
                if not marking:
                    self._expect(node, shape.kind)
            elif shape.kind == SCHEMA:
                for reference in references(node, self._in_schemas) if not marking else ():
                    self._expect(reference, SCHEMA)
            else:
                waiting.extend(_inside(node, shape))

    def _shape(self, schema: Any) -> _Shape:
        known = self._shapes.get(id(schema))
        if known is None:
            known = self._shapes[id(schema)] = _Shape()
            self._read(schema, known, set())
        return known

    def _read(self, schema: Any, into: _Shape, seen: set[str]) -> None:
        """Add what a schema says, and those that it consists of."""
        waiting = [schema]
        while waiting:
            one = waiting.pop()
            if not isinstance(one, dict):
                continue
            name = one.get("$ref", "").rpartition("/")[2]
            if name and name not in seen:
                seen.add(name)
                waiting.append(self._definitions[name])
            into.kind = into.kind or _KINDS.get(name, "") or one.get("to", "")
            for key, inner in one.get("properties", {}).items():
                if isinstance(inner, dict):
                    into.properties.setdefault(key, inner)
            items = one.get("items")
            into.items.extend(items if isinstance(items, list) else [items])
            into.others.extend([one.get("additionalProperties"), *one.get("patternProperties", {}).values()])
            waiting.extend((*one.get("allOf", ()), one.get("else"), one.get("then")))
        into.items = [each for each in into.items if isinstance(each, dict)]
        into.others = [each for each in into.others if isinstance(each, dict)]


def _inside(node: Node, shape: _Shape) -> Iterator[tuple[Node, Any]]:
    """The values in a mapping or a list that have a shape, each with it."""
    for item in node.elements():
        for inner in shape.items:
            yield item, inner
    for key, value in node.items():
        if key in shape.properties:
            yield value, shape.properties[key]
        else:
            for inner in shape.others:
                yield value, inner
