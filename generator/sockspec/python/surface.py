"""The names that programs use of a package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sockspec import ir
from sockspec.analysis import heartbeats
from sockspec.python import parameters
from sockspec.python.close_codes import members_of
from sockspec.python.messages import enumeration_members, record_members
from sockspec.python.names import SIDES, sent_by_client, sent_by_server
from sockspec.python.prepared import Prepared, prepare

Key = tuple[str, ...]
"""What has a name: `class` or `method` or `attribute`, what kind of thing, and the names of the document."""


def surface(api: ir.Api) -> Mapping[Key, str]:
    """What programs use of the package, with the class where it is a member of one: `RoomClient.join`."""
    prepared = prepare(api)
    handed_over = heartbeats.handed_over(prepared.api)
    operations: dict[tuple[str, ir.Direction], list[ir.Operation]] = {}
    for operation in handed_over.operations:
        operations.setdefault((operation.channel, operation.direction), []).append(operation)
    found = dict(_classes(prepared))
    found.update(_members(prepared))
    for channel in prepared.api.channels:
        sent = {side: operations.get((channel.name, side), []) for side in ir.Direction}
        found.update(_methods(prepared, channel, sent))
    found.update(
        {
            ("method", "verifier", name): f"{prepared.names.server}.{method}"
            for name, method in prepared.names.verifiers.items()
        }
    )
    return found


def _classes(prepared: Prepared) -> Iterator[tuple[Key, str]]:
    given = prepared.names
    yield ("class", "server"), given.server
    yield ("class", "publisher"), given.publisher
    yield ("class", "sync publisher"), given.sync_publisher
    for kind, names in (
        ("message", given.messages),
        ("definition", given.definitions),
        ("connection", given.connections),
        ("client", given.clients),
        ("sync client", given.sync_clients),
        ("close codes", given.close_codes),
    ):
        for name, python in names.items():
            yield ("class", kind, name), python
    for channel, side in prepared.dispatches:
        yield ("class", "union", channel, SIDES[side]), given.unions[channel, side]


def _members(prepared: Prepared) -> Iterator[tuple[Key, str]]:
    given, tags = prepared.names, prepared.types.tags
    for message in prepared.api.messages:
        if isinstance(message.payload.type, ir.Record):
            owner = given.messages[message.name]
            for field, name in record_members(message.payload.type, tags.get(f"message:{message.name}")):
                yield ("attribute", "message", message.name, field.wire_name), f"{owner}.{name}"
    for definition in prepared.api.definitions:
        owner = given.definitions[definition.name]
        if isinstance(definition, ir.Record):
            for field, name in record_members(definition, tags.get(definition.name)):
                yield ("attribute", "definition", definition.name, field.wire_name), f"{owner}.{name}"
        elif isinstance(definition, ir.Enumeration):
            for value, name in zip(definition.values, enumeration_members(definition), strict=True):
                yield ("attribute", "definition", definition.name, value), f"{owner}.{name}"


def _methods(
    prepared: Prepared, channel: ir.Channel, sent: Mapping[ir.Direction, list[ir.Operation]]
) -> Iterator[tuple[Key, str]]:
    given, name = prepared.names, channel.name
    from_client, from_server = sent[ir.Direction.CLIENT_TO_SERVER], sent[ir.Direction.SERVER_TO_CLIENT]
    for operation in from_client:
        yield ("method", "handler", name, operation.name), f"{given.server}.{given.handlers[operation.name]}"
    for when, method in zip(("opened", "closed"), given.hooks[name], strict=True):
        yield ("method", when, name), f"{given.server}.{method}"
    for method, message, _ in sent_by_client(from_client, given):
        yield ("method", "client", name, message), f"{given.clients[name]}.{method}"
    for message, method in sent_by_server(from_server, given).items():
        yield ("method", "connection", name, message), f"{given.connections[name]}.{method}"
    if (name, ir.Direction.SERVER_TO_CLIENT) in prepared.dispatches:
        yield ("attribute", "publisher", name), f"{given.publisher}.{given.published[name]}"
    for one in parameters.placed(prepared.api, channel):
        where = {"FromQuery": "query", "FromHeader": "headers"}.get(one.source, "path")
        key = ("attribute", "parameter", name, where, one.parameter.wire_name)
        yield key, f"{given.clients[name]}({one.name})"
    if name in given.close_codes:
        for code, member in zip(channel.close_codes, members_of(channel), strict=True):
            yield ("attribute", "close code", name, str(code.code)), f"{given.close_codes[name]}.{member}"
