"""An AsyncAPI document, 2.0 to 3.1, read into `ir.Api`."""

from __future__ import annotations

from sockspec import ir
from sockspec.diagnostics import Report
from sockspec.schema import Dialect, SchemaReader
from sockspec.spec import heartbeats, limits
from sockspec.spec.asyncapi.channels import Channels
from sockspec.spec.asyncapi.handshake import has_binding
from sockspec.spec.asyncapi.messages import Messages
from sockspec.spec.asyncapi.operations import Operations
from sockspec.spec.asyncapi.perspective import Perspective
from sockspec.spec.asyncapi.security import Security
from sockspec.spec.asyncapi.servers import Servers
from sockspec.spec.resolve import Documents, Node

__all__ = ["read"]


def read(
    documents: Documents, report: Report, *, perspective: str | None = None, channels: str | None = None
) -> ir.Api:
    """The API that an AsyncAPI document describes.

    `perspective` is whose view it takes: `server` or `client`. `channels` is what channels are that do not say it:
    `endpoints`, or `subscriptions` inside one connection.
    """
    root = documents.root
    is_3 = root.text("asyncapi").startswith("3")
    view = Perspective(root, perspective, report)
    reader = SchemaReader(documents, report, Dialect.ASYNCAPI)
    security = Security(documents, report)
    servers = Servers(documents, security, report, bound=has_binding(documents))
    found = Channels(documents, reader, servers, report, key_is_address=not is_3, meant=channels)
    messages = Messages(documents, reader, report, object_wins=is_3)
    reading = Operations(documents, found, messages, security, view, report)
    operations = reading.version_3() if is_3 else reading.version_2()
    view.report()
    info = root.get("info") or Node({}, root.document, "")
    return ir.Api(
        info.text("title"),
        info.text("version"),
        root.location,
        description=info.text("description"),
        perspective=view.view,
        servers=tuple(servers.all.values()),
        security_schemes=security.schemes(),
        channels=heartbeats.spread(reading.connected(), root, report),
        operations=operations,
        messages=messages.all(_sent_by_server(operations)),
        definitions=reader.definitions(),
        schemas=reader.schemas(),
        schema_place=reader.schema_place,
        limits=limits.read(root, report),
    )


def _sent_by_server(operations: tuple[ir.Operation, ...]) -> set[str]:
    sent: set[str] = set()
    for operation in operations:
        if operation.direction is ir.Direction.SERVER_TO_CLIENT:
            sent.update(operation.messages)
        elif operation.reply is not None:
            sent.update(operation.reply.messages)
    return sent
