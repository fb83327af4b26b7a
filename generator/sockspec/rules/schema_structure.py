"""Whether each Schema Object is what its dialect asks for, wherever it stands and whichever file it is in.

AsyncAPI documents are held to the structure of their schemas as a whole; here it is those in other files, and those of
formats that the specification's own schema does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.rules.schemas import Schema
from sockspec.rules.subject import Subject
from sockspec.schema.dialect import Dialect
from sockspec.spec import structure, wording
from sockspec.spec.resolve import Node
from sockspec.spec.source import Json, unescape

UNKNOWN_DIALECT = Code(
    "unknown-dialect",
    Severity.WARNING,
    "`$schema` or `jsonSchemaDialect` names a dialect of JSON Schema that is not known here, so the schema is not "
    "checked. Without them, Schema Objects of OpenAPI 3.1 and 3.2 are JSON Schema 2020-12 with a few additions.",
)

_SHAPES = {Dialect.ASYNCAPI: "jsonSchema", Dialect.OPENAPI_30: "openapiSchema", Dialect.OPENAPI_31: "schema2020"}


def faults(subject: Subject, part: Json = None) -> Iterator[Diagnostic]:
    """What is wrong with the Schema Objects that a document has or refers to; of `part` of it, where that is given."""
    within = None if part is None else _containers(part)
    count = 0
    for schema in subject.schemas:
        if _is_judged_elsewhere(subject, schema) or (within is not None and _is_outside(subject, schema, within)):
            continue
        found = structure.faults_of_schema(_SHAPES[schema.dialect], schema.node.value)
        if found:
            count += len(found)
            yield from _worded(found, schema.node)
        if count > structure.MAX_FAULTS:
            return
    for node in () if subject.is_asyncapi else subject.schemas.unknown:
        if within is None or id(node.value) in within:
            said = node.get("$schema") or subject.root.get("jsonSchemaDialect") or node
            message = f"the dialect {wording.shown(said.value)} of JSON Schema is not known"
            yield UNKNOWN_DIALECT.at(said.location, message)


def _is_judged_elsewhere(subject: Subject, schema: Schema) -> bool:
    """Whether the structure of the document as a whole has the schema in it."""
    if schema.node.document is not subject.root.document:
        return False
    return schema.dialect is Dialect.OPENAPI_30 or (subject.is_asyncapi and schema.dialect is Dialect.ASYNCAPI)


def _is_outside(subject: Subject, schema: Schema, within: set[int]) -> bool:
    return schema.node.document is subject.root.document and id(schema.node.value) not in within


def _worded(found: Iterable[structure.Fault], node: Node) -> Iterator[Diagnostic]:
    base = tuple(unescape(token) for token in node.pointer.split("/")[1:])
    placed = [
        structure.Fault((*base, *fault.path), fault.keyword, fault.value, fault.schema, fault.name, fault.hint)
        for fault in found
    ]
    return wording.diagnostics(placed, node.document)


def _containers(part: Json) -> set[int]:
    """The mappings of a value, by identity."""
    found: set[int] = set()
    waiting = [part]
    while waiting:
        one = waiting.pop()
        if isinstance(one, (dict, list)) and id(one) not in found:
            found.add(id(one))
            waiting.extend(one.values() if isinstance(one, dict) else one)
    return found
