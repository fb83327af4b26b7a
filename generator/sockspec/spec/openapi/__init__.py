"""An OpenAPI document that describes a WebSocket API, read into `ir.Api`.

OpenAPI 3.0 to 3.2 say how a connection is made and secured, and what schemas are; they have no words for the messages
of a connection. `convention` is what stands in for them, and `assumed` what is taken for granted where a document does
without.
"""

from __future__ import annotations

import re
from dataclasses import replace

from sockspec import ir
from sockspec.choices import Named
from sockspec.diagnostics import Code, Report, Severity
from sockspec.schema import Dialect, SchemaReader
from sockspec.spec import heartbeats, limits
from sockspec.spec.openapi import assumed, convention, endpoints, named, parameters
from sockspec.spec.openapi.convention import Convention
from sockspec.spec.openapi.described import Reading
from sockspec.spec.openapi.endpoints import Endpoint
from sockspec.spec.openapi.messages import Messages
from sockspec.spec.openapi.parameters import Parameters
from sockspec.spec.openapi.security import Schemes
from sockspec.spec.openapi.servers import Servers
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.text import quoted

__all__ = ["read"]

DIALECT_NOT_READ = Code(
    "dialect-not-read",
    Severity.WARNING,
    "`jsonSchemaDialect` names a dialect of JSON Schema other than that of OpenAPI 3.1 or draft 2020-12. The schemas "
    "are read as draft 2020-12.",
)

_DIALECTS = re.compile(
    r"https://(spec\.openapis\.org/oas/3\.\d+/(dialect|schema)/.*|json-schema\.org/draft/2020-12/schema#?)"
)


def read(
    documents: Documents, report: Report, *, perspective: str | None = None, messages: Named | None = None
) -> ir.Api:
    """The API that an OpenAPI document describes; without channels, and with an error, where it has no endpoint.

    `perspective` (`server` or `client`) says whose view words such as `send` and `receive` take. `messages` names the
    component schemas that are the messages, where the document itself does not say.
    """
    root = documents.root
    info = root.get("info") or Node({}, root.document, "")
    perspective = perspective or _perspective(root, info)
    _check_dialect(root, report)
    reading = Reading(documents, report, perspective)
    if messages is not None:
        found: tuple[Endpoint, ...] = (named.endpoint(documents, messages),)
        said = [named.convention(documents, messages, found[0], reading, report)]
    else:
        found = endpoints.find(documents, report)
        said = [convention.read(endpoint, reading, report) for endpoint in found]
        said = _completed(documents, found, said, reading, report)
    is_30 = root.text("openapi").startswith("3.0.")
    reader = SchemaReader(documents, report, Dialect.OPENAPI_30 if is_30 else Dialect.OPENAPI_31)
    taken = Messages(reading, reader, report)
    servers, schemes = Servers(documents, report), Schemes(documents, report)
    names = _names(found)
    channels: list[ir.Channel] = []
    for endpoint, own, name in zip(found, said, names, strict=True):
        handshake = parameters.read(endpoint, own.parameters, documents, reader, report)
        channel = _channel(endpoint, own, name, handshake, servers, schemes, root)
        declared = [
            pair for source in reversed(endpoint.sources) for pair in limits.read(source, report, of_endpoint=True)
        ]
        beats = [beat for source in endpoint.sources if (beat := heartbeats.read(source, report)) is not None]
        limited = replace(channel, limits=tuple(dict(declared).items()), heartbeat=beats[0] if beats else None)
        channels.append(limited)
        taken.take(name, own.messages)
    return ir.Api(
        info.text("title"),
        info.text("version"),
        documents.root.location,
        info.text("summary"),
        info.text("description"),
        reading.view,
        servers.all(),
        schemes.used(),
        heartbeats.spread(tuple(channels), root, report),
        taken.operations(),
        taken.all(),
        reader.definitions(),
        reader.schemas(),
        reader.schema_place,
        limits=limits.read(root, report),
    )


def _perspective(root: Node, info: Node) -> str | None:
    written = root.text("x-perspective") or info.text("x-perspective")
    return written if written in ("server", "client") else None


def _check_dialect(root: Node, report: Report) -> None:
    dialect = root.get("jsonSchemaDialect")
    if dialect is not None and isinstance(dialect.value, str) and not _DIALECTS.fullmatch(dialect.value):
        message = f"schemas of the dialect {quoted(dialect.value)} are read as draft 2020-12"
        report.add(DIALECT_NOT_READ.at(dialect.location, message))


def _completed(
    documents: Documents, found: tuple[Endpoint, ...], said: list[Convention], reading: Reading, report: Report
) -> list[Convention]:
    """What is said of the endpoints, with messages for those of which nothing is said, where any can be had."""
    silent = [endpoint for endpoint, own in zip(found, said, strict=True) if not own.messages]
    if not silent:
        return said
    others = convention.shared(documents, reading)
    if not others and len(silent) == len(found):
        others = assumed.messages(documents, found, report)
    if not others:
        for endpoint in silent:
            assumed.none(documents, endpoint, report)
    return [own if own.messages else replace(own, messages=others) for own in said]


def _channel(
    endpoint: Endpoint,
    own: Convention,
    name: str,
    handshake: Parameters,
    servers: Servers,
    schemes: Schemes,
    root: Node,
) -> ir.Channel:
    placed = servers.of(endpoint)
    security = own.security
    if endpoint.operation is not None:
        security = endpoint.operation.get("security") or security
    return ir.Channel(
        name,
        placed.prefix + endpoint.path,
        endpoint.location,
        summary=endpoint.text("summary"),
        description=endpoint.text("description"),
        servers=placed.servers,
        parameters=handshake.path,
        query=handshake.query,
        headers=handshake.headers,
        subprotocols=own.subprotocols or handshake.subprotocols,
        close_codes=own.close_codes,
        security=schemes.requirements(security or root.get("security")),
    )


def _names(found: tuple[Endpoint, ...]) -> list[str]:
    """A name for each endpoint: its operation's id, else the last fixed part of its path, else more of the path."""
    names: dict[str, None] = {}
    for endpoint in found:
        literal = [part for part in endpoint.path.split("/") if part and "{" not in part]
        every = re.findall(r"[^/{}]+", endpoint.path)
        own = endpoint.operation.text("operationId").strip() if endpoint.operation is not None else ""
        wanted = [own, *literal[-1:], " ".join(literal), " ".join(every) or "root"]
        name = next((one for one in wanted if one and one not in names), "")
        number = 1
        while not name or name in names:
            number += 1
            name = f"{own or ' '.join(every) or 'root'} {number}"
        names[name] = None
    return [*names]
