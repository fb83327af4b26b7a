"""Whether the heartbeats of an API can be sent and answered without the application."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sockspec import ir
from sockspec.analysis.walk import by_name, resolve
from sockspec.diagnostics import Code, Diagnostic, Report, Severity

UNFIT_HEARTBEAT = Code(
    "heartbeat-unfit",
    Severity.ERROR,
    "A heartbeat names a message that the channel does not carry, or in the wrong direction, or one that cannot be made "
    "without the application: what a `ping` requires beside its constant members may be a `timestamp` and a correlation "
    "id; what a `pong` requires may be a `timestamp` and members that the `ping` requires as well.",
)


def fitting(api: ir.Api, report: Report) -> ir.Api:
    """The API with the heartbeats that fit; the others are reported."""
    channels = tuple(_fitting(api, channel, report) for channel in api.channels)
    return replace(api, channels=channels)


def handed_over(api: ir.Api) -> ir.Api:
    """The API as the application sees it: its operations without the messages that are the runtime's business alone."""
    beats = {c.name: {c.heartbeat.ping, c.heartbeat.pong} for c in api.channels if c.heartbeat is not None}
    if not beats:
        return api
    left = (
        replace(o, messages=tuple(name for name in o.messages if name not in beats.get(o.channel, ())))
        for o in api.operations
    )
    return replace(api, operations=tuple(operation for operation in left if operation.messages))


def _fitting(api: ir.Api, channel: ir.Channel, report: Report) -> ir.Channel:
    if channel.heartbeat is None:
        return channel
    faults = list(_faults(api, channel, channel.heartbeat))
    for fault in faults:
        report.add(fault)
    fitted = None if faults else replace(channel.heartbeat, sender=_sender(api, channel, channel.heartbeat))
    return replace(channel, heartbeat=fitted)


def _sender(api: ir.Api, channel: ir.Channel, beat: ir.Heartbeat) -> ir.Direction:
    from_client = {message.name for message in api.messages_of(channel, ir.Direction.CLIENT_TO_SERVER)}
    return ir.Direction.CLIENT_TO_SERVER if beat.ping in from_client else ir.Direction.SERVER_TO_CLIENT


def _faults(api: ir.Api, channel: ir.Channel, beat: ir.Heartbeat) -> Iterator[Diagnostic]:
    sides = {side: {m.name: m for m in api.messages_of(channel, side)} for side in ir.Direction}
    carried = {**sides[ir.Direction.SERVER_TO_CLIENT], **sides[ir.Direction.CLIENT_TO_SERVER]}
    missing = [name for name in (beat.ping, beat.pong) if name not in carried]
    for name in missing:
        hint = f"it carries {', '.join(map(repr, carried))}" if carried else ""
        yield UNFIT_HEARTBEAT.at(beat.location, f"{channel.name!r} carries no message {name!r}", hint=hint)
    if missing:
        return
    asks = _sender(api, channel, beat)
    answers = next(side for side in ir.Direction if side is not asks)
    if beat.pong not in sides[answers]:
        yield UNFIT_HEARTBEAT.at(beat.location, f"{beat.pong!r} is not sent by whoever receives {beat.ping!r}")
        return
    ping, pong = carried[beat.ping], carried[beat.pong]
    made = {"timestamp", *ping.correlation[:1]}
    yield from _unmade(api, ping, made, beat)
    yield from _unmade(api, pong, {"timestamp", *_required(api, ping)}, beat)


def _unmade(api: ir.Api, message: ir.Message, made: set[str], beat: ir.Heartbeat) -> Iterator[Diagnostic]:
    for name in _required(api, message):
        if name not in made:
            yield UNFIT_HEARTBEAT.at(
                beat.location, f"{message.name!r} requires {name!r}, which only the application knows"
            )


def _required(api: ir.Api, message: ir.Message) -> list[str]:
    """The required members that are no constants."""
    record = message.payload.type
    if not isinstance(record, ir.Record):
        return ["a payload"]
    definitions = by_name(api)
    return [
        field.wire_name
        for field in record.fields
        if field.required and not isinstance(resolve(field.type, definitions), ir.Constant)
    ]
