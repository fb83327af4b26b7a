"""What a channel says of the handshake: its binding to WebSocket, and the extension for what bindings lack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity
from sockspec.schema import SchemaReader
from sockspec.spec.asyncapi.parameters import typed_parameter
from sockspec.spec.close_codes import with_problem
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.text import quoted

UNUSABLE_CLOSE_CODE = Code(
    "unusable-close-code",
    Severity.WARNING,
    "The keys of `closeCodes` are numbers from 1000 to 4999 (RFC 6455, section 7.4.2); those of an application are "
    "4000 to 4999. The entry is left out.",
)

_EXTENSIONS = ("x-ws", "x-websocket", "x-websockets")


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a client has to send to open a connection, and how it may be closed."""

    query: tuple[ir.Parameter, ...] = ()
    headers: tuple[ir.Parameter, ...] = ()
    subprotocols: tuple[str, ...] = ()
    close_codes: tuple[ir.CloseCode, ...] = ()


def binding(documents: Documents, channel: Node) -> Node | None:
    """The binding of a channel to WebSocket."""
    bindings = channel.get("bindings")
    written = documents.follow(bindings).get("ws") if bindings is not None else None
    return documents.follow(written) if written is not None else None


def has_binding(documents: Documents) -> bool:
    """Whether a channel is bound to WebSocket, or the document's own identifier is the URL of one."""
    if documents.root.text("id").lower().startswith(("ws://", "wss://")):
        return True
    channels = documents.root.get("channels")
    entries = channels.items() if channels is not None else ()
    return any(binding(documents, documents.follow(entry)) is not None for _, entry in entries)


def read(documents: Documents, channel: Node, reader: SchemaReader, report: Report) -> Handshake:
    """The handshake of a channel."""
    bound = binding(documents, channel)
    holders = [channel] if bound is None else [channel, bound]
    extensions = [found for holder in holders for key in _EXTENSIONS if (found := holder.get(key)) is not None]
    spoken = [documents.follow(extension) for extension in extensions]
    taken: dict[str, int] = {}
    codes = {code.code: code for one in spoken for code in _close_codes(one.get("closeCodes"), taken, report)}
    return Handshake(
        tuple(_members(documents, bound.get("query"), reader)) if bound is not None else (),
        tuple(_members(documents, bound.get("headers"), reader)) if bound is not None else (),
        tuple(dict.fromkeys(text for one in spoken for text in _texts(one.get("subprotocols")))),
        tuple(codes.values()),
    )


def _members(documents: Documents, schema: Node | None, reader: SchemaReader) -> Iterator[ir.Parameter]:
    """The properties of an object schema, each as a parameter; those of its `allOf` branches come first."""
    parts: list[Node] = []
    waiting, seen = [schema] if schema is not None else [], set[tuple[Path, str]]()
    while waiting:
        part = documents.follow(waiting.pop())
        if part.identity not in seen:
            seen.add(part.identity)
            parts.insert(0, part)
            branches = part.get("allOf")
            waiting.extend(branches.elements() if branches is not None else ())
    found = {name: node for part in parts for name, node in (part.get("properties") or _nothing(part)).items()}
    listed = [part.get("required") or _nothing(part) for part in parts]
    needed = {item.value for one in listed for item in one.elements() if isinstance(item.value, str)}
    for name, node in found.items():
        inner = node.get("schema")
        # Some write the Parameter Object of OpenAPI here; as a schema it would say nothing.
        schema = inner if inner is not None and node.get("type") is None and node.reference is None else node
        yield typed_parameter(name, schema, node, documents, reader, required=name in needed)


def _close_codes(node: Node | None, taken: dict[str, int], report: Report) -> Iterator[ir.CloseCode]:
    """Close codes: a map from code to meaning, or a list of objects with a `code`."""
    if node is None:
        return
    entries = [*node.items()]
    listed = [(one, said) for one in node.elements() if (said := one.get("code")) is not None]
    entries += [(str(said.value), one) for one, said in listed]
    for written, one in entries:
        code = int(written) if written.isascii() and written.isdigit() and len(written) == 4 else 0
        if not 1000 <= code <= 4999:
            message = f"{quoted(written)} is no close code; a number from 1000 to 4999 was expected"
            report.add(UNUSABLE_CLOSE_CODE.at(one.key_location, message))
            continue
        meaning = one.value if isinstance(one.value, str) else one.text("description") or one.text("meaning")
        yield with_problem(ir.CloseCode(code, meaning), one, taken, report)


def _texts(node: Node | None) -> Iterator[str]:
    if node is not None and isinstance(node.value, str):
        yield node.value
    for item in node.elements() if node is not None else ():
        if isinstance(item.value, str) and item.value:
            yield item.value


def _nothing(node: Node) -> Node:
    return Node({}, node.document, node.pointer)
