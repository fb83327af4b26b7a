"""What is assumed of an OpenAPI document that has WebSocket endpoints and says nothing of their messages.

The example of the design guide is such a document: its component schemas are the messages, and nothing links them to
the endpoint. So every object schema with a `type` property is taken for a message that either side may send, and one
whose `type` is the constant `error` for the error message of the server. Left out are schemas that ordinary HTTP
operations use, and those that only stand inside of messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity
from sockspec.spec.openapi import schemas, words
from sockspec.spec.openapi.described import Described
from sockspec.spec.openapi.endpoints import Endpoint
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.text import quoted
from sockspec.spec.walk import references

MESSAGES_ASSUMED = Code(
    "messages-assumed",
    Severity.INFO,
    "The document describes a WebSocket endpoint and does not say which messages it carries. Every object schema of "
    "`components.schemas` that has a `type` property was taken for a message that either side may send, except that a "
    "schema whose `type` is the constant `error` is the server's error message. Use `x-websocket` with "
    "`clientMessages` and `serverMessages` to say it exactly.",
)
NO_MESSAGES = Code(
    "no-websocket-messages",
    Severity.WARNING,
    "The document describes a WebSocket endpoint and no messages for it, so that there is nothing typed to generate "
    "for it. OpenAPI has no words for messages of WebSocket: use the extension `x-websocket` with `clientMessages` and "
    "`serverMessages`, or describe the API in AsyncAPI.",
)

ERROR_TAG = "error"
"""The constant `type` of the standard error message."""

_SHOWN = 20


def messages(documents: Documents, endpoints: Iterable[Endpoint], report: Report) -> tuple[Described, ...]:
    """The component schemas that look like messages; what was assumed is reported at each endpoint."""
    found = _typed_objects(documents, endpoints)
    described = tuple(
        Described(
            (ir.Direction.SERVER_TO_CLIENT,) if is_error(documents, schema) else words.BOTH,
            schemas.reference_to(schema, schema),
            schema.key_location,
        )
        for schema in found.values()
    )
    if not described:
        return ()
    errors = [name for name, schema in found.items() if is_error(documents, schema)]
    others = [name for name in found if name not in errors]
    parts = [f"either side may send {_list(others)}"] if others else []
    parts += [f"the server sends {_list(errors)} for errors"] if errors else []
    for endpoint in endpoints:
        report.add(
            MESSAGES_ASSUMED.at(
                endpoint.location,
                f"nothing says which messages {quoted(endpoint.path)} carries; assumed from the component schemas: "
                + ", and ".join(parts),
                hint="say it with 'x-websocket: {clientMessages: …, serverMessages: …}' on the operation",
            )
        )
    return described


def none(documents: Documents, endpoint: Endpoint, report: Report) -> None:
    """Report that an endpoint has no messages."""
    info = documents.root.get("info") or documents.root
    linked = endpoint.text("x-asyncapi") or documents.root.text("x-asyncapi") or info.text("x-asyncapi")
    hint = "describe them with 'x-websocket: {clientMessages: …, serverMessages: …}', or in AsyncAPI"
    report.add(
        NO_MESSAGES.at(
            endpoint.location,
            f"no WebSocket messages described for {quoted(endpoint.path)}",
            hint=f"generate from {quoted(linked)}, which the document names" if linked else hint,
        )
    )


def is_error(documents: Documents, schema: Node) -> bool:
    """Whether a schema describes the standard error message: its `type` is the constant `error`."""
    return schemas.constant(documents, schema, "type") == ERROR_TAG


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(quoted(name) for name in names[:_SHOWN]) + more


def _typed_objects(documents: Documents, endpoints: Iterable[Endpoint]) -> Mapping[str, Node]:
    components = documents.root.get("components")
    listed = components.get("schemas") if components is not None else None
    candidates = {
        name: schema
        for name, schema in (listed.items() if listed is not None else ())
        if schema.reference is None
        and schemas.is_object(documents, schema)
        and "type" in schemas.properties(documents, schema)
    }
    if not candidates:
        return {}
    of_http = _used_by_http(documents, endpoints)
    candidates = {name: schema for name, schema in candidates.items() if schema.identity not in of_http}
    inside = {identity for schema in candidates.values() for identity in _inside(documents, schema)}
    whole = {name: schema for name, schema in candidates.items() if schema.identity not in inside}
    # A document in which the error message repeats or extends the ordinary one would be left without any.
    return whole if any(not is_error(documents, schema) for schema in whole.values()) else candidates


def _used_by_http(documents: Documents, endpoints: Iterable[Endpoint]) -> set[tuple[object, str]]:
    """The schemas that ordinary operations and webhooks refer to, however far."""
    handshakes = {endpoint.operation.identity for endpoint in endpoints if endpoint.operation is not None}
    waiting: list[Node] = []
    for section in ("paths", "webhooks"):
        for _, item in (documents.root.get(section) or _nothing(documents)).items():
            waiting += [node for _, node in item.items() if node.identity not in handshakes]
    seen: set[int] = set()
    reached: set[tuple[object, str]] = set()
    while waiting:
        for reference in references(waiting.pop(), seen):
            target = documents.target(reference)
            if target is not None and target.identity not in reached:
                reached.add(target.identity)
                waiting.append(target)
    return reached


def _inside(documents: Documents, schema: Node) -> set[tuple[object, str]]:
    """What a schema refers to as a part of itself. That it refers to itself does not make it a part."""
    targets = (documents.target(reference) for reference in references(schema, set()))
    return {target.identity for target in targets if target is not None and target.identity != schema.identity}


def _nothing(documents: Documents) -> Node:
    return Node({}, documents.root.document, "")
