"""Messages: each once, however many operations and channels it belongs to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity
from sockspec.schema import SchemaReader
from sockspec.spec.asyncapi import correlation, shapes
from sockspec.spec.asyncapi.traits import Members, is_true, merged, text
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.source import unescape
from sockspec.spec.text import quoted

HEADERS_IGNORED = Code(
    "message-headers-ignored",
    Severity.WARNING,
    "Messages have `headers`, but the frames of a WebSocket carry a payload alone. The headers are left out; put what "
    "they say into the payload.",
)
BAD_CORRELATION = Code(
    "correlation-location",
    Severity.WARNING,
    "The `location` of a correlation id is in the headers, which the frames of a WebSocket do not have, so replies cannot "
    "be matched to requests by it. Put it into the payload (`$message.payload#/...`).",
)
OTHER_SCHEMA_FORMAT = Code(
    "schema-format-not-read",
    Severity.WARNING,
    "The payload is described in a schema format other than AsyncAPI's and JSON Schema's, so it is not typed: any "
    "value is taken.",
)
CONTENT_READ_AS_JSON = Code(
    "content-read-as-json",
    Severity.WARNING,
    "The content type of a message is neither JSON nor text nor plain bytes. Nothing here knows how to write it, so "
    "JSON is read and written. Use `application/octet-stream` to handle the bytes yourself.",
)
PAYLOAD_MISSING = Code(
    "payload-missing",
    Severity.INFO,
    "A message has no payload, so that any payload is taken for it.",
)

_JSON = re.compile(r"application/([\w.-]+\+)?json|text/json|[\w.-]+/[\w.-]+\+json", re.IGNORECASE)
_OTHER_CONTENT = re.compile(r"text/.+|(audio|video|image)/.+|application/(octet-stream|binary)", re.IGNORECASE)
_READ_FORMAT = re.compile(
    r"application/((vnd\.aai\.asyncapi|schema|vnd\.oai\.openapi)(\+\w+)?|json)\s*(;.*)?", re.IGNORECASE | re.DOTALL
)
_BINARY_FORMAT = re.compile(r"application/(vnd\.apache\.avro|(vnd\.google\.|x-)?protobuf).*", re.IGNORECASE | re.DOTALL)
_LONGEST_NAME = 100


def is_read(schema_format: str) -> bool:
    """Whether schemas of a format are read here: those of JSON Schema, by any of its names."""
    return _READ_FORMAT.fullmatch(schema_format.strip()) is not None


class Messages:
    """Reads messages, and gives each a name that no other has."""

    def __init__(self, documents: Documents, reader: SchemaReader, report: Report, *, object_wins: bool) -> None:
        self._documents = documents
        self._reader = reader
        self._report = report
        self._object_wins = object_wins
        self._by_identity: dict[tuple[Path, str], str] = {}
        self._by_text: dict[tuple[Path, str, str], str] = {}
        self._numbers: dict[str, int] = {}
        self._found: dict[str, ir.Message] = {}
        self._correlations: dict[str, Node] = {}
        self._headers: list[Node] = []
        self._default_content = documents.root.text("defaultContentType")
        self._has_free_examples = documents.root.text("asyncapi").startswith("2.0")

    def read(self, node: Node, *, key: str, channel: str) -> str:
        """The name of the message that a node leads to; messages that are the same are read once.

        It is called by the component that it is, or by what it says itself, else by `key`. Where another message has
        that name already, the channel's name stands before it.
        """
        message = self._documents.follow(node)
        known = self._by_identity.get(message.identity)
        if known is not None:
            return known
        members = merged(self._documents, message, object_wins=self._object_wins)
        component = self._component(node)
        said = () if self._object_wins else (text(members, "messageId"), text(members, "name"))
        wanted = [name for name in (*said, component, key) if _is_usable(name)] or ["message"]
        # The same words once more, as they are written under each channel where nobody made a component of them.
        words = None if component else (message.document.path, wanted[0], json.dumps(message.value))
        name = self._by_text.get(words) if words is not None else None
        if name is None:
            name = self._claim(wanted, channel)
            self._found[name] = self._message(name, message, members)
        if words is not None:
            self._by_text.setdefault(words, name)
        self._by_identity[message.identity] = name
        return name

    def known(self, node: Node) -> str | None:
        """The name of a message that was read; None where it was not."""
        return self._by_identity.get(self._documents.follow(node).identity)

    def all(self, sent_by_server: set[str]) -> tuple[ir.Message, ...]:
        """All messages that were read. The first that a server sends with the constant type `error` is its error."""
        if self._headers:
            count = len(self._headers)
            what = f"the headers of {count} message{'s' if count > 1 else ''} are left out"
            self._report.add(HEADERS_IGNORED.at(self._headers[0].key_location, what))
        definitions = {definition.name: definition for definition in self._reader.definitions()}
        for name, place in self._correlations.items():
            self._check_correlation(name, place, definitions)
        for name, message in self._found.items():
            if name in sent_by_server and shapes.constant(message.payload.type, "type", definitions) == "error":
                self._found[name] = replace(message, is_error=True)
                break
        return tuple(self._found.values())

    def _check_correlation(self, name: str, place: Node, definitions: Mapping[str, ir.Definition]) -> None:
        message = self._found[name]
        if not shapes.leads(message.payload.type, message.correlation, definitions):
            # A rule says that the place is not described.
            self._found[name] = _carrying(message, place, definitions) or replace(message, correlation=())

    def _component(self, node: Node) -> str:
        """The key of the component message that a reference leads to, by whatever way; empty where it leads to none."""
        if self._documents.follow(node).identity == node.identity or self._documents.is_broken(node):
            return ""
        here: Node | None = node
        while here is not None and here.reference is not None:
            here = self._documents.target(here)
            tokens = here.pointer.split("/") if here is not None else []
            if tokens[1:3] == ["components", "messages"] and len(tokens) == 4:
                return unescape(tokens[3])
        return ""

    def _claim(self, wanted: list[str], channel: str) -> str:
        candidates = [*wanted, f"{channel} {wanted[0]}".strip()]
        for name in candidates:
            if name not in self._found:
                return name
        stem = candidates[-1]
        number = self._numbers.get(stem, 2)
        while f"{stem} {number}" in self._found:
            number += 1
        self._numbers[stem] = number + 1
        return f"{stem} {number}"

    def _message(self, name: str, node: Node, members: Members) -> ir.Message:
        if "headers" in members:
            self._headers.append(members["headers"])
        path = self._correlation(name, members.get("correlationId"))
        return ir.Message(
            name,
            self._payload(name, node, members),
            node.key_location,
            text(members, "title"),
            text(members, "summary"),
            text(members, "description"),
            is_true(members, "deprecated", "x-deprecated"),
            path,
            tuple(self._examples(members.get("examples"))),
            name_hint=text(members, "x-python-name"),
        )

    def _payload(self, name: str, node: Node, members: Members) -> ir.Payload:
        payload, schema_format = members.get("payload"), members.get("schemaFormat")
        content_type = text(members, "contentType") or self._default_content
        if payload is None:
            self._report.add(PAYLOAD_MISSING.at(node.key_location, f"the message {quoted(name)} has no payload"))
        else:
            target = self._documents.follow(payload)
            if target.get("schema") is not None and target.get("schemaFormat") is not None:
                payload, schema_format = target.get("schema"), target.get("schemaFormat")
        written_in = schema_format.value if schema_format is not None else None
        if schema_format is not None and isinstance(written_in, str) and not is_read(written_in):
            message = f"the schema format {quoted(written_in)} is not read"
            self._report.add(OTHER_SCHEMA_FORMAT.at(schema_format.location, message))
            payload = None
            if _BINARY_FORMAT.fullmatch(written_in.strip()) and not _JSON.match(content_type):
                return self._reader.payload(None, message=name, content_type="application/octet-stream")
        media_type = content_type.partition(";")[0].strip()
        if media_type and not _JSON.fullmatch(media_type) and not _OTHER_CONTENT.fullmatch(media_type):
            place = members.get("contentType") or self._documents.root.get("defaultContentType") or node
            message = f"messages of {quoted(media_type)} are read and written as JSON"
            self._report.add(CONTENT_READ_AS_JSON.at(place.location, message))
        return self._reader.payload(payload, message=name, content_type=content_type)

    def _correlation(self, name: str, node: Node | None) -> tuple[str, ...]:
        if node is None:
            return ()
        target = self._documents.follow(node)
        location = target.get("location") or target
        expression = location.value if isinstance(location.value, str) else ""
        if expression.startswith("$message.header") and correlation.is_expression(expression):
            message = f"{quoted(expression)} is in the headers, which the frames of a WebSocket do not have"
            self._report.add(BAD_CORRELATION.at(location.location, message, hint="put it into the payload"))
            return ()
        path = correlation.payload_path(expression)
        if path is None:
            return ()
        self._correlations[name] = location
        return path

    def _examples(self, listed: Node | None) -> Iterator[ir.Example]:
        """Examples. In AsyncAPI 2.0 they are free maps: payloads, where they have no `payload` or `headers`."""
        for node in listed.elements() if listed is not None else ():
            payload = node.get("payload")
            is_free = self._has_free_examples and isinstance(node.value, dict) and node.get("headers") is None
            if payload is None and is_free:
                yield ir.Example(node.value, node.location)
            elif payload is not None:
                yield ir.Example(payload.value, payload.location, node.text("name"), node.text("summary"))


def _is_usable(name: str) -> bool:
    return 0 < len(name) <= _LONGEST_NAME and any(character.isalnum() for character in name)


def _carrying(message: ir.Message, place: Node, definitions: Mapping[str, ir.Definition]) -> ir.Message | None:
    """The message with a member for a correlation id that its schema only lets in; None where it does not."""
    record = message.payload.type
    if len(message.correlation) != 1 or not isinstance(record, ir.Record) or record.closed or record.extra is not None:
        return None
    if message.payload.definition == message.name and message.name in definitions:
        return None  # one class for both, and the definition has no such member
    identifier = ir.Union((ir.Scalar(ir.Kind.STRING), ir.Scalar(ir.Kind.INTEGER)))
    member = ir.Field(message.correlation[0], identifier, False, place.location, "The id that a reply repeats.")
    return replace(message, payload=replace(message.payload, type=replace(record, fields=(*record.fields, member))))
