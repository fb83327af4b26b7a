"""What rules look at: a document that has been read, as far as it could be."""

from __future__ import annotations

from functools import cached_property

from sockspec import ir
from sockspec.diagnostics import Location
from sockspec.rules.outline import Outline
from sockspec.spec.kinds import Kinds
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.version import Kind, Specification


class Subject:
    """A document with all that it refers to.

    Rules are asked whatever else is wrong with the document, so nothing may be taken for granted: `Node.get` and
    `Node.items` give nothing where a value is of another kind, and `Documents.follow` an empty mapping where a
    reference is broken.
    """

    def __init__(self, documents: Documents, kind: Kind, api: ir.Api | None = None) -> None:
        """`api` is what the document describes; None where that could not be made, or is not wanted."""
        self.documents = documents
        self.kind = kind
        self.api = api

    @property
    def root(self) -> Node:
        """The root of the document."""
        return self.documents.root

    def at(self, place: Location) -> Node | None:
        """The value at a place of a finding; None where the place is of no document here."""
        loaded = self.documents.loaded
        document = next((document for document in loaded if document.name == place.path), None)
        return Node(document.at(place.pointer), document, place.pointer) if document is not None else None

    @property
    def is_asyncapi(self) -> bool:
        """Whether it is an AsyncAPI document, of either major version."""
        return self.kind.specification is not Specification.OPENAPI_3

    @property
    def is_asyncapi_3(self) -> bool:
        """Whether it is an AsyncAPI document of the second form."""
        return self.kind.specification is Specification.ASYNCAPI_3

    @cached_property
    def outline(self) -> Outline:
        """The parts of an AsyncAPI document; none of an OpenAPI document."""
        return Outline(self.documents, self.kind, self.kinds)

    @cached_property
    def kinds(self) -> Kinds:
        """What the parts of an AsyncAPI document are, and what its references should lead to; nothing of OpenAPI."""
        return Kinds(self.documents, self.kind.version if self.is_asyncapi else None)
