"""Messages: each once, however many operations and channels it belongs to."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity
from sockspec.schema import SchemaReader
from sockspec.spec.asyncapi.traits import Members, is_true, merged, text
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.source import unescape

HEADERS_IGNORED = Code(
    "message-headers-ignored",
    Severity.WARNING,
    "Messages have `headers`, but the frames of a WebSocket carry a payload alone. The headers are left out; put what "
    "they say into the payload.",
)
BAD_CORRELATION = Code(
    "correlation-location",
    Severity.WARNING,
    "The `location` of a correlation id is no place in the payload (`$message.payload#/...`), so replies cannot be "
    "matched to requests by it.",
)
OTHER_SCHEMA_FORMAT = Code(
    "schema-format-not-read",
    Severity.WARNING,
    "The payload is described in a schema format other than AsyncAPI's and JSON Schema's, so it is not typed: any value "
    "is taken.",
)
PAYLOAD_MISSING = Code(
    "payload-missing",
    Severity.INFO,
    "A message has no payload, so that any payload is taken for it.",
)

_LOCATION = re.compile(r"\$message\.(payload|header)(?:#(/.*)?)?")
_READ_FORMAT = re.compile(
    r"application/(vnd\.aai\.asyncapi(\+\w+)?|schema(\+json|\+yaml)?|vnd\.oai\.openapi(\+\w+)?|json)\s*(;.*)?",
    re.IGNORECASE,
)


class Messages:
    """Reads messages, and gives each a name that no other has."""

    def __init__(self, documents: Documents, reader: SchemaReader, report: Report, *, object_wins: bool) -> None:
        self._documents = documents
        self._reader = reader
        self._report = report
        self._object_wins = object_wins
        self._by_identity: dict[tuple[Path, str], str] = {}
        self._found: dict[str, ir.Message] = {}
        self._headers: list[Node] = []
        self._default_content = documents.root.text("defaultContentType")

    def read(self, node: Node, *fallbacks: str) -> str:
        """The name of the message that a node leads to.

        It is called by the component that it is, else by what it says itself, else by the first fallback that is free.
        """
        message = self._documents.follow(node)
        known = self._by_identity.get(message.identity)
        if known is not None:
            return known
        members = merged(self._documents, message, object_wins=self._object_wins)
        name = self._claim(self._wanted(message, members), *fallbacks)
        self._by_identity[message.identity] = name
        self._found[name] = self._message(name, message, members)
        return name

    def all(self, sent_by_server: set[str]) -> tuple[ir.Message, ...]:
        """All messages that were read. The first that a server sends with the constant type `error` is its error."""
        if self._headers:
            count = len(self._headers)
            what = f"the headers of {count} message{'s' if count > 1 else ''} are left out"
            self._report.add(HEADERS_IGNORED.at(self._headers[0].key_location, what))
        definitions = {definition.name: definition for definition in self._reader.definitions()}
        for name, message in self._found.items():
            if name in sent_by_server and _is_error(message, definitions):
                self._found[name] = replace(message, is_error=True)
                break
        return tuple(self._found.values())

    def _wanted(self, message: Node, members: Members) -> list[str]:
        tokens = message.pointer.split("/")
        component = unescape(tokens[-1]) if tokens[1:3] == ["components", "messages"] and len(tokens) == 4 else ""
        if not component and tokens[1:2] == ["channels"] and tokens[-2] == "messages":
            component = unescape(tokens[-1])
        own = [text(members, "messageId"), component if self._object_wins else text(members, "name"), component]
        return [name for name in own if name]

    def _claim(self, wanted: list[str], *fallbacks: str) -> str:
        candidates = [*wanted, *fallbacks] or ["Message"]
        for name in candidates:
            if name not in self._found:
                return name
        number = 2
        while f"{candidates[0]}{number}" in self._found:
            number += 1
        return f"{candidates[0]}{number}"

    def _message(self, name: str, node: Node, members: Members) -> ir.Message:
        if "headers" in members:
            self._headers.append(members["headers"])
        payload = self._payload(name, node, members)
        return ir.Message(
            name,
            payload,
            node.key_location,
            text(members, "title"),
            text(members, "summary"),
            text(members, "description"),
            is_true(members, "deprecated", "x-deprecated"),
            self._correlation(members.get("correlationId")),
            tuple(self._examples(members.get("examples"))),
            name_hint=text(members, "x-python-name"),
        )

    def _payload(self, name: str, node: Node, members: Members) -> ir.Payload:
        payload = members.get("payload")
        written_in = text(members, "schemaFormat")
        if payload is None:
            self._report.add(PAYLOAD_MISSING.at(node.key_location, f"the message {name!r} has no payload"))
        elif isinstance(payload.value, dict) and {"schema", "schemaFormat"} <= payload.value.keys():
            written_in = payload.text("schemaFormat")
            payload = payload.get("schema")
        if written_in and not _READ_FORMAT.fullmatch(written_in.strip()):
            place = members.get("schemaFormat") or payload or node
            self._report.add(OTHER_SCHEMA_FORMAT.at(place.location, f"the schema format {written_in!r} is not read"))
            payload = None
        content_type = text(members, "contentType") or self._default_content
        return self._reader.payload(payload, message=name, content_type=content_type)

    def _correlation(self, node: Node | None) -> tuple[str, ...]:
        if node is None:
            return ()
        target = self._documents.follow(node)
        location = target.get("location")
        written = location.value if location is not None and isinstance(location.value, str) else ""
        match = _LOCATION.fullmatch(written)
        if match is None or match[1] == "header" or not match[2]:
            place = location or target
            self._report.add(BAD_CORRELATION.at(place.location, f"the location {written!r} is no place in the payload"))
            return ()
        return tuple(unescape(token) for token in match[2][1:].split("/"))

    def _examples(self, listed: Node | None) -> list[ir.Example]:
        found: list[ir.Example] = []
        for node in listed.elements() if listed is not None else ():
            payload = node.get("payload")
            if payload is not None:
                found.append(ir.Example(payload.value, payload.location, node.text("name"), node.text("summary")))
        return found


def _is_error(message: ir.Message, definitions: dict[str, ir.Definition]) -> bool:
    """Whether the payload is an object whose `type` is the constant `error`."""
    of: ir.Type | ir.Record | ir.Definition | None = message.payload.type
    seen: set[str] = set()
    while isinstance(of, ir.Ref) and of.name not in seen:
        seen.add(of.name)
        of = definitions.get(of.name)
        of = of.type if isinstance(of, ir.Alias) else of
    fields = of.fields if isinstance(of, ir.Record) else ()
    return any(field.wire_name == "type" and field.type == ir.Constant(("error",)) for field in fields)
