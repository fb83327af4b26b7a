"""Names that schemas give themselves: `$id` and `$anchor` (JSON Schema 2020-12, section 8.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urljoin

from sockspec.spec.node import Node
from sockspec.spec.source import Document
from sockspec.spec.walk import mappings


@dataclass(frozen=True, slots=True)
class Identifiers:
    """The names in one document."""

    anchors: dict[tuple[str, str], Node] = field(default_factory=dict[tuple[str, str], Node])
    """By the URI of the resource around them, and name."""
    resources: dict[str, Node] = field(default_factory=dict[str, Node])
    """By URI without fragment; relative where nothing around makes it absolute."""
    bases: dict[str, str] = field(default_factory=dict[str, str])
    """The URI of a resource, by the pointer where it stands."""

    def resource(self, node: Node) -> Node | None:
        """The nearest schema around a node that has an `$id`."""
        uri = self._base(node.pointer)
        return self.resources.get(uri) if uri else None

    def anchor(self, around: Node, name: str) -> Node | None:
        """The schema of that name in the resource that a node is or stands in, else the only one of the document."""
        own = self.anchors.get((self._base(around.pointer), name))
        others = [] if own is not None else [node for (_, other), node in self.anchors.items() if other == name]
        return others[0] if len(others) == 1 else own

    def named(self, node: Node, reference: str) -> Node | None:
        """The schema whose `$id` is what a reference, written at the node, amounts to."""
        return self.resources.get(_joined(self._base(node.pointer), reference))

    def _base(self, pointer: str) -> str:
        while pointer and pointer not in self.bases:
            pointer = pointer.rpartition("/")[0]
        return self.bases.get(pointer, "")

    def note(self, node: Node) -> None:
        """Note the names that a schema gives itself."""
        identifier = node.text("$id")
        if identifier.startswith("#"):
            self.anchors.setdefault((self._base(node.pointer), identifier[1:]), node)
        elif identifier:
            uri = _joined(self._base(node.pointer), identifier)
            self.bases[node.pointer] = uri
            self.resources.setdefault(uri, node)
        for word in ("$anchor", "$dynamicAnchor"):
            if name := node.text(word):
                self.anchors.setdefault((self._base(node.pointer), name), node)


def identifiers(document: Document) -> Identifiers:
    """The names in a document. An AsyncAPI document has none: there `$id` is a word like any other."""
    found = Identifiers()
    if not (isinstance(document.value, dict) and "asyncapi" in document.value):
        for node, named in mappings(Node(document.value, document, ""), set()):
            if not named:
                found.note(node)
    return found


def _joined(base: str, reference: str) -> str:
    try:
        return urljoin(base, reference).partition("#")[0]
    except ValueError:
        return reference
