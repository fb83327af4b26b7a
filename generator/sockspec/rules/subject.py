"""What rules look at: a document that has been read, as far as it could be."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from sockspec import ir
from sockspec.diagnostics import Location
from sockspec.rules.judging import Judging
from sockspec.rules.outline import Outline
from sockspec.rules.parts import Parts
from sockspec.rules.schemas import Schemas
from sockspec.spec.kinds import Kinds
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.source import Document, index_of, unescape
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

    @property
    def is_asyncapi(self) -> bool:
        """Whether it is an AsyncAPI document, of either major version."""
        return self.kind.specification is not Specification.OPENAPI_3

    @property
    def is_asyncapi_3(self) -> bool:
        """Whether it is an AsyncAPI document of the second form."""
        return self.kind.specification is Specification.ASYNCAPI_3

    def node_at(self, place: Location) -> Node | None:
        """The value that stands at a place, as its pointer says; None where there is none."""
        document = self._by_name.get(place.path)
        here = Node(document.value, document, "") if document is not None else None
        for token in place.pointer.split("/")[1:]:
            if here is None:
                break
            index = index_of(token, here.value) if isinstance(here.value, list) else None
            if index is not None and isinstance(here.value, list):
                here = Node(here.value[index], here.document, f"{here.pointer}/{token}")
            else:
                here = here.get(unescape(token))
        return here

    @cached_property
    def _by_name(self) -> Mapping[str, Document]:
        return {document.name: document for document in self.documents.loaded}

    @cached_property
    def outline(self) -> Outline:
        """The parts of an AsyncAPI document; none of an OpenAPI document."""
        return Outline(self.documents, self.kind, self.kinds)

    @cached_property
    def kinds(self) -> Kinds:
        """What the parts of an AsyncAPI document are, and what its references should lead to; nothing of OpenAPI."""
        return Kinds(self.documents, self.kind.version if self.is_asyncapi else None)

    @cached_property
    def schemas(self) -> Schemas:
        """The Schema Objects of the document, and where they stand."""
        return Schemas(self.documents, self.kind)

    @cached_property
    def parts(self) -> Parts:
        """What puts schemas together that hold together."""
        return Parts(self.schemas)

    @cached_property
    def judging(self) -> Judging:
        """What judges the values that the document gives as valid."""
        return Judging(self.schemas)
