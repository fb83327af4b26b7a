"""One JSON Schema document out of many: what judges the payloads of a generated package.

Only keywords that can make a payload invalid are kept, and every reference leads into the bundle itself, so that the
validator needs no file, no network and no knowledge of the document that the schemas come from.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path

from sockspec.diagnostics import Code, Location, Report, Severity
from sockspec.schema.dialect import NAMED_SCHEMAS, SCHEMA, SCHEMAS, Dialect, keywords
from sockspec.schema.expressions import fault
from sockspec.schema.scalars import readable
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.source import index_of, unescape

PATTERN_NOT_READABLE = Code(
    "pattern-not-readable",
    Severity.WARNING,
    "Python's `re` module, which `jsonschema` uses, cannot read the regular expression, so it is left out of the "
    "verdict on payloads. Write it without constructs that only ECMA-262 has, such as `\\p{L}` or `(?<name>...)`.",
)
NULLABLE_KEYWORD = Code(
    "nullable-keyword",
    Severity.WARNING,
    "`nullable` is a keyword of OpenAPI 3.0 and means nothing in this dialect of JSON Schema. It is read as its author "
    "meant it: null is allowed as well. Write `type: [string, 'null']` to say so.",
)

DYNAMIC_REFERENCE = Code(
    "dynamic-reference",
    Severity.ERROR,
    "`$dynamicRef` chooses its target while a payload is judged, which types cannot follow. Write `$ref` to the schema "
    "that is meant.",
)


class Bundle:
    """The schemas of messages by name, and the schemas that they refer to."""

    def __init__(self, documents: Documents, dialect: Dialect, report: Report) -> None:
        self._documents = documents
        self._dialect = dialect
        self._report = report
        self._names: dict[tuple[Path, str], str] = {}
        self._schemas: dict[str, object] = {}
        self._waiting: deque[tuple[str, Node]] = deque()
        self._numbers: dict[str, int] = {}
        self._nodes: dict[str, Node] = {}

    def add(self, node: Node, name: str) -> str:
        """Take in the schema at a node; the pointer at which it stands in the bundle."""
        name = self._claim(name)
        self._wait(name, node)
        while self._waiting:
            waiting, schema = self._waiting.popleft()
            self._schemas[waiting] = self._copy(schema)
        return f"#/definitions/{name}"

    def document(self) -> Mapping[str, object]:
        """The bundle as one JSON Schema document."""
        return {"$schema": self._dialect.uri, "definitions": self._schemas}

    def place(self, pointer: str) -> Location:
        """Where in the documents the part of the bundle at a pointer was written, or the nearest value around it."""
        name, *tokens = pointer.removeprefix("#/definitions/").split("/")
        root = self._nodes[name]
        found, value = root.pointer, root.value
        while tokens:
            token = tokens.pop(0)
            if token == "anyOf" and isinstance(value, dict) and token not in value and "nullable" in value:
                tokens = tokens[1:]  # within what is written as `nullable`
                continue
            found += f"/{token}"
            if isinstance(value, dict):
                value = value.get(unescape(token))
            elif isinstance(value, list):
                index = index_of(token, value)
                value = value[index] if index is not None else None
        return root.document.locate(found, key=True)

    def _wait(self, name: str, node: Node) -> None:
        self._schemas[name] = None
        self._nodes[name] = node
        self._waiting.append((name, node))

    def _claim(self, name: str) -> str:
        # A pointer's token without anything that needs escaping, in a pointer or in a URI.
        stem = "".join(c if c.isascii() and (c.isalnum() or c in "_-.") else "_" for c in name) or "schema"
        claimed = stem
        while claimed in self._schemas:
            self._numbers[stem] = self._numbers.get(stem, 1) + 1
            claimed = f"{stem}-{self._numbers[stem]}"
        return claimed

    def _reference(self, node: Node) -> str | None:
        target = self._documents.target(node)
        if target is None:
            return None
        final = self._documents.follow(target) if not self._dialect.siblings_apply else target
        name = self._names.get(final.identity)
        if name is None:
            name = self._claim(final.pointer.rpartition("/")[2] or "schema")
            self._names[final.identity] = name
            self._wait(name, final)
        return f"#/definitions/{name}"

    def _copy(self, node: Node) -> object:
        if isinstance(node.value, bool):
            return node.value
        copy: dict[str, object] = {}
        reference = node.get("$ref")
        if reference is not None and isinstance(reference.value, str):
            pointer = self._reference(node)
            if pointer is not None:
                copy["$ref"] = pointer
            if not self._dialect.siblings_apply:
                return copy
        for keyword, child in keywords(node):
            if keyword in self._dialect.assertions:
                self._copy_keyword(copy, keyword, child)
            elif keyword == "$dynamicRef" and self._dialect.siblings_apply:
                self._report.add(DYNAMIC_REFERENCE.at(child.key_location, "'$dynamicRef' is not supported"))
        nullable = node.get("nullable")
        return self._nullable(copy, nullable) if nullable is not None and nullable.value is True else copy

    def _copy_keyword(self, copy: dict[str, object], keyword: str, child: Node) -> None:
        value = child.value
        if keyword in NAMED_SCHEMAS and isinstance(value, dict):
            copy[keyword] = {
                name: list(schema.value) if isinstance(schema.value, list) else self._copy(schema)
                for name, schema in child.items()
                if keyword != "patternProperties" or self._is_readable(name, schema)
            }
        elif keyword in SCHEMAS and isinstance(value, list):
            copy[keyword] = [self._copy(schema) for schema in child.elements()]
        elif keyword in SCHEMA:
            copy[keyword] = self._copy(child)
        elif keyword != "pattern" or not isinstance(value, str) or self._is_readable(value, child):
            copy[keyword] = value

    def _is_readable(self, pattern: str, node: Node) -> bool:
        if readable(pattern):
            return True
        if not fault(pattern):  # else a rule says that it is none at all
            message = f"the pattern {pattern!r} is not a regular expression that Python reads"
            self._report.add(PATTERN_NOT_READABLE.at(node.location, message))
        return False

    def _nullable(self, copy: dict[str, object], nullable: Node) -> dict[str, object]:
        if self._dialect is not Dialect.OPENAPI_30:
            self._report.add(
                NULLABLE_KEYWORD.at(
                    nullable.key_location,
                    "'nullable' is not a keyword of this dialect; read as 'null is allowed'",
                    hint="write the type as a list that contains 'null'",
                )
            )
        return {"anyOf": [copy, {"type": "null"}]} if copy else copy
