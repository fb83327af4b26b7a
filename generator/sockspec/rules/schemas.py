"""The Schema Objects of a document, wherever they stand, each once and with the dialect that it is written in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sockspec.diagnostics import Report
from sockspec.rules.places import ASYNCAPI, OPENAPI, placed
from sockspec.schema.dialect import NAMED_SCHEMAS, SCHEMA, SCHEMAS, Dialect
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.version import Kind, Specification

if TYPE_CHECKING:
    from sockspec.spec.openapi.described import Described

_SINGLE = SCHEMA | {"if", "then", "else", "not"}
_NAMED = NAMED_SCHEMAS | {"definitions", "$defs"}
_HOLDING = _SINGLE | SCHEMAS | _NAMED

_FORMATS = (
    (re.compile(r"application/vnd\.aai\.asyncapi(\+\w+)?\s*;.*", re.DOTALL), Dialect.ASYNCAPI),
    (re.compile(r"application/schema(\+\w+)?(\s*;\s*version=draft-0[67])?", re.DOTALL), Dialect.ASYNCAPI),
    (re.compile(r"application/schema(\+\w+)?\s*;\s*version=2020-12", re.DOTALL), Dialect.OPENAPI_31),
    (re.compile(r"application/vnd\.oai\.openapi(\+\w+)?\s*;\s*version=3\.0.*", re.DOTALL), Dialect.OPENAPI_30),
    (re.compile(r"application/vnd\.oai\.openapi(\+\w+)?\s*;\s*version=3\.[12].*", re.DOTALL), Dialect.OPENAPI_31),
)
"""The schema formats of AsyncAPI that are JSON Schema."""

_DIALECTS = re.compile(
    r"https?://(spec\.openapis\.org/oas/3\.\d+/(dialect|schema)/.*|json-schema\.org/draft/2020-12/schema#?)"
)
_DRAFT_7 = re.compile(r"https?://json-schema\.org/draft-0[67]/schema#?")


@dataclass(frozen=True, slots=True)
class Schema:
    """A Schema Object."""

    node: Node
    dialect: Dialect

    @property
    def value(self) -> Mapping[str, object]:
        """The keywords."""
        value = self.node.value
        return value if isinstance(value, dict) else {}


class Schemas:
    """All Schema Objects that a document has or refers to: those that are mappings."""

    def __init__(self, documents: Documents, kind: Kind) -> None:
        self.documents = documents
        self._kind = kind
        self._found: dict[int, Schema] = {}
        self._places = placed(documents, OPENAPI if kind.specification is Specification.OPENAPI_3 else ASYNCAPI)
        self._objects: dict[str, list[Node]] = {}
        self._unknown: dict[int, Node] = {}

    def __iter__(self) -> Iterator[Schema]:
        return iter(self._all.values())

    def objects(self, kind: str) -> Sequence[Node]:
        """The other objects on the way to schemas, by kind: `parameter`, `mediaType` …"""
        _ = self._all
        return self._objects.get(kind, ())

    @property
    def unknown(self) -> Iterable[Node]:
        """The schemas that say themselves, or whose document says, that they are of a dialect that is not known."""
        _ = self._all
        return self._unknown.values()

    @cached_property
    def described(self) -> tuple[Described, ...]:
        """The messages that an OpenAPI document describes in words of its own."""
        if self._kind.specification is not Specification.OPENAPI_3:
            return ()
        # AsyncAPI can spare the readers of OpenAPI.
        from sockspec.spec.openapi import convention, endpoints
        from sockspec.spec.openapi.described import Reading

        unsaid = Report()  # what reading the document says itself
        reading = Reading(self.documents, unsaid, None)
        found = [
            message
            for endpoint in endpoints.find(self.documents, unsaid)
            for message in convention.read(endpoint, reading, unsaid).messages
        ]
        return (*found, *convention.shared(self.documents, reading))

    def of(self, node: Node, dialect: Dialect | None = None) -> Schema | None:
        """The schema at a node, read where it has not been met yet; None for `true`, `false` and what is no schema."""
        if not isinstance(node.value, dict):
            return None
        if id(node.value) not in self._all:
            self._walk(node, dialect or self._dialect(node))
        return self._found.get(id(node.value))

    def known(self, value: object) -> Schema | None:
        """The schema that a mapping of the document is; None where it is not one that was met."""
        return self._all.get(id(value))

    def target(self, schema: Schema) -> Schema | bool | None:
        """What a schema with a `$ref` refers to: one step. None where that leads nowhere."""
        found = self.documents.target(schema.node)
        if found is None:
            return None
        return found.value if isinstance(found.value, bool) else self.of(found, self._of_file(found, schema.dialect))

    @cached_property
    def _all(self) -> dict[int, Schema]:
        for kind, node in self._places:
            if kind == "message":
                self._message(node)
            if kind == "schemaEntry":
                self._entry(node)
            elif kind == "schema":
                self._walk(node, self._dialect(node))
            elif kind != "payload":
                self._objects.setdefault(kind, []).append(node)
        for message in self.described:
            if message.schema is not None:
                self._walk(message.schema, self._dialect(message.schema))
        return self._found

    def entry(self, node: Node) -> Schema | None:
        """The schema that stands as itself or in `{schemaFormat, schema}`; None where it is in no format that is read."""
        own, _ = self._opened(node)
        return self._all.get(id(own.value)) or (
            self.of(own) if own is node and node.get("schemaFormat") is None else None
        )

    def _opened(self, node: Node) -> tuple[Node, str | None]:
        target = self.documents.follow(node)
        inner = target.get("schema")
        if inner is not None and target.get("schemaFormat") is not None:
            return inner, target.text("schemaFormat")
        return node, None

    def _entry(self, node: Node, written: str | None = None) -> None:
        """A schema, or `{schemaFormat, schema}`; `written` is the format that stands beside it."""
        node, inside = self._opened(node)
        written = written if inside is None else inside
        dialect = self._dialect(node) if written is None else dialect_of(written)
        if dialect is not None or written is None:
            self._walk(node, dialect)

    def _message(self, node: Node) -> None:
        payload, traits = node.get("payload"), node.get("traits")
        if payload is not None:
            others = [self.documents.follow(trait) for trait in traits.elements()] if traits is not None else []
            said = [text for one in (node, *others) if (text := one.text("schemaFormat"))]
            self._entry(payload, said[0] if said else None)

    def _dialect(self, node: Node) -> Dialect | None:
        """The dialect of a schema by the file that it stands in, and by what it says itself."""
        if self._kind.specification is not Specification.OPENAPI_3:
            return self._of_file(node, Dialect.ASYNCAPI)
        return self._of_file(node, Dialect.OPENAPI_30 if self._kind.version == "3.0" else Dialect.OPENAPI_31)

    def _of_file(self, node: Node, otherwise: Dialect | None) -> Dialect | None:
        root = node.document.value
        said = node.text("$schema")
        if isinstance(root, dict):
            version = root.get("openapi")
            if "asyncapi" in root:
                return otherwise or Dialect.ASYNCAPI
            if isinstance(version, str):
                otherwise = Dialect.OPENAPI_30 if version.startswith("3.0") else Dialect.OPENAPI_31
            if otherwise is Dialect.OPENAPI_30 and isinstance(version, str):
                return otherwise
            for word in ("jsonSchemaDialect", "$schema"):
                if not said and isinstance(named := root.get(word), str):
                    said = named
        if not said:
            return otherwise
        if _DRAFT_7.fullmatch(said):
            return Dialect.ASYNCAPI
        return Dialect.OPENAPI_31 if _DIALECTS.fullmatch(said) else None

    def _walk(self, root: Node, dialect: Dialect | None) -> None:
        """Note a schema and all that are within it or that it refers to. Of a dialect that is not known none is noted."""
        waiting = [(root, dialect)]
        while waiting:
            node, dialect = waiting.pop()
            value = node.value
            if not isinstance(value, dict) or id(value) in self._found:
                continue
            if "$schema" in value:
                dialect = self._of_file(node, dialect)
            if dialect is None:
                self._unknown.setdefault(id(value), node)
                continue
            self._found[id(value)] = Schema(node, dialect)
            inside: list[tuple[Node, Dialect | None]] = []
            if isinstance(value.get("$ref"), str):
                target = self.documents.target(node)
                if target is not None and id(target.value) not in self._found:
                    inside.append((target, self._of_file(target, dialect)))
                if not dialect.siblings_apply:
                    waiting.extend(inside)
                    continue
            for keyword in value:
                if keyword in _HOLDING and (child := node.get(keyword)) is not None:
                    inside.extend((schema, dialect) for schema in _within(keyword, child))
            waiting.extend(reversed(inside))


def applying(schema: Schema) -> bool:
    """Whether what stands beside a `$ref` of the schema, if it has one, says anything."""
    return schema.dialect.siblings_apply or not isinstance(schema.value.get("$ref"), str)


def types_of(schema: Schema) -> tuple[str, ...] | None:
    """The types that a schema names; None where it names none, or what is no type."""
    written = schema.value.get("type")
    names = [written] if isinstance(written, str) else written
    known = ("array", "boolean", "integer", "null", "number", "object", "string")
    if not isinstance(names, list) or not names or any(name not in known for name in names):
        return None
    return (*(str(name) for name in names), *(("null",) if schema.value.get("nullable") is True else ()))


def dialect_of(written: str) -> Dialect | None:
    """The dialect of JSON Schema that a `schemaFormat` means; None where it means something else."""
    return next((dialect for form, dialect in _FORMATS if form.fullmatch(written.strip())), None)


def _within(keyword: str, child: Node) -> Iterator[Node]:
    """The schemas that a keyword holds."""
    if keyword in _NAMED:
        yield from (schema for _, schema in child.items())
    elif isinstance(child.value, list):
        if keyword in SCHEMAS:
            yield from child.elements()
    elif keyword in _SINGLE or keyword == "items":
        yield child
