"""Where references lead: to what belongs in their place, and is as the specification wants it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.rules.places import AS_WRITTEN, OPENAPI, held, placed
from sockspec.rules.rule import ALL, ASYNCAPI, Group, Rule
from sockspec.rules.subject import Subject
from sockspec.spec import structure, wording
from sockspec.spec.kinds import SCHEMA, WORDS, Expected
from sockspec.spec.metaschema import metaschema
from sockspec.spec.node import Node
from sockspec.spec.source import unescape
from sockspec.spec.text import quoted

WRONG_KIND = Code(
    "reference-to-wrong-kind",
    Severity.ERROR,
    "A reference leads to an object of another kind than belongs in its place: to a schema where a message was "
    "expected, for example. What is read there means nothing, or something else.",
    tolerable=True,
)
MALFORMED_PART = Code(
    "malformed-part",
    Severity.ERROR,
    "What a reference leads to, in another file or in an extension, has not the structure that the specification asks "
    "for in the place of the reference.",
    tolerable=True,
)
BESIDE_REFERENCE = Code(
    "beside-reference",
    Severity.WARNING,
    "Something stands beside a `$ref`. What a Reference Object has beside that is ignored (AsyncAPI, Reference "
    "Object), so that it says nothing to anyone. Schemas are not looked at: what stands beside their references is often "
    "read.",
)

_GROUPS = {
    "server": "servers",
    "serverVariable": "serverVariables",
    "channel": "channels",
    "parameter": "parameters",
    "message": "messages",
    SCHEMA: "schemas",
    "securityScheme": "securitySchemes",
    "correlationId": "correlationIds",
    "operationTrait": "operationTraits",
    "messageTrait": "messageTraits",
    "reply": "replies",
    "replyAddress": "replyAddresses",
}
"""Where `components` has objects of a kind."""


_COMPONENT = re.compile(r"/components/([^/]+)/[^/]+")

_OPENAPI_WORDS = {
    "schemas": "a schema",
    "responses": "a response",
    "parameters": "a parameter",
    "requestBodies": "a request body",
    "headers": "a header",
    "callbacks": "a callback",
    "pathItems": "a path item",
    "mediaTypes": "a media type",
    "examples": "an example",
    "links": "a link",
    "securitySchemes": "a security scheme",
}
"""What the components of OpenAPI documents are, by where they stand."""

_OPENAPI_KINDS = {folder: form.strip("{}") for folder, form in OPENAPI["components"].items()}


def _wrong_kind(subject: Subject) -> Iterator[Diagnostic]:
    if not subject.is_asyncapi:
        yield from _wrong_components(subject)
    for one, target, kind in subject.kinds.misleading:
        written = one.node.get("$ref") or one.node
        found = WORDS.get(kind) or _looks(target)
        message = f"the reference {quoted(one.node.reference or '')} leads to {found}; {WORDS[one.kind]} was expected"
        yield WRONG_KIND.at(written.location, message, hint=_namesake(subject, one), related=[target.location])


def _wrong_components(subject: Subject) -> Iterator[Diagnostic]:
    """References of an OpenAPI document to components of another kind. What is not among components is any kind."""
    expected = {kind: _OPENAPI_WORDS[folder] for folder, kind in reversed(_OPENAPI_KINDS.items())}
    for kind, node in _references(subject):
        target = subject.documents.target(node)
        match = _COMPONENT.fullmatch(target.pointer) if target is not None else None
        if target is None or match is None or _OPENAPI_KINDS.get(match[1], match[1]) == kind:
            continue
        written = node.get("$ref") or node
        found = _OPENAPI_WORDS.get(match[1], "something else")
        message = f"the reference {quoted(node.reference or '')} leads to {found}; {expected[kind]} was expected"
        yield WRONG_KIND.at(written.location, message, related=[target.location])


def _references(subject: Subject) -> Iterator[tuple[str, Node]]:
    """The references of an OpenAPI document, each with the kind of object that belongs in its place."""
    for kind, node in placed(subject.documents, OPENAPI):
        for held_kind, child in held(OPENAPI.get(kind, {}), node):
            if child.reference is not None and held_kind in _OPENAPI_KINDS.values() and held_kind not in AS_WRITTEN:
                yield held_kind, child
    for schema in subject.schemas:
        if schema.node.reference is not None:
            yield "schema", schema.node


def _looks(node: Node) -> str:
    """What a value of no known kind is, in a few words."""
    match node.value:
        case dict():
            return "something else"
        case list():
            return "a list"
        case _:
            return wording.shown(node.value)


def _namesake(subject: Subject, one: Expected) -> str:
    """Advice to take the component of the right kind that has the name which was written."""
    name = unescape((one.node.reference or "").rpartition("/")[2])
    components = subject.root.get("components")
    listed = components.get(_GROUPS.get(one.kind, "")) if components is not None else None
    found = listed.get(name) if listed is not None else None
    return f"did you mean {quoted('#' + found.pointer)}?" if found is not None else ""


def _malformed(subject: Subject) -> Iterator[Diagnostic]:
    shapes = metaschema(subject.kind.version)
    for one in subject.kinds.elsewhere:
        if one.kind == SCHEMA:
            continue
        tokens = tuple(unescape(token) for token in one.node.pointer.split("/")[1:])
        faults = structure.faults(shapes, one.node.value, shape=one.kind)
        within = [replace(fault, path=(*tokens, *fault.path)) for fault in faults]
        for found in wording.diagnostics(within, one.node.document):
            if found.severity is Severity.ERROR:
                yield MALFORMED_PART.at(found.location, found.message, hint=found.hint)


def _beside(subject: Subject) -> Iterator[Diagnostic]:
    for one in subject.kinds.expected:
        if one.kind == SCHEMA or not isinstance(one.node.value, dict):
            continue
        others = [key for key in one.node.value if key != "$ref" and not key.startswith("x-")]
        if others:
            place = one.node.get(others[0]) or one.node
            message = (
                f"{wording.listed(others, 'and')} beside the reference {quoted(one.node.reference or '')} is ignored"
            )
            yield BESIDE_REFERENCE.at(place.key_location, message)


RULES = (
    Rule(
        WRONG_KIND,
        Group.CORRECTNESS,
        ALL,
        bad="""\
channels:
  room:
    messages:
      said: {$ref: '#/components/schemas/Said'}
""",
        good="""\
channels:
  room:
    messages:
      said:
        payload: {$ref: '#/components/schemas/Said'}
""",
        check=_wrong_kind,
    ),
    Rule(
        MALFORMED_PART,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
# messages.yaml, where a channel has {$ref: 'messages.yaml#/said'}
said:
  paylod: {type: object}
  name: said
""",
        good="""\
said:
  payload: {type: object}
  name: said
""",
        check=_malformed,
    ),
    Rule(
        BESIDE_REFERENCE,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
messages:
  said:
    $ref: '#/components/messages/Said'
    summary: Somebody said something.
""",
        good="""\
messages:
  said:
    $ref: '#/components/messages/Said'
""",
        check=_beside,
    ),
)
