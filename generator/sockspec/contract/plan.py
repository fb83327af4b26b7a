"""What will be sent on a channel: valid and invalid payloads of each message, and what is known of the answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Final

from sockspec import ir
from sockspec.contract.settings import NoConnection, Settings
from sockspec.contract.wire import Received
from sockspec.python import names
from sockspec.runtime import Codec, PayloadError, Schemas
from sockspec.runtime.error_messages import read_error
from sockspec.runtime.jsontext import plain
from sockspec.samples import Broken, Judge, NoSample, broken, valid

MALFORMED: Final = '{"sockspec":'
UNKNOWN: Final = '{"type": "sockspec-no-such-type"}'
BINARY: Final = b"\x00sockspec"


@dataclass(frozen=True, slots=True)
class Case:
    """A message of an operation, with payloads."""

    message: ir.Message
    frames: tuple[str | bytes, ...]
    payloads: tuple[Any, ...]
    """The JSON values of the frames; none where the message is not JSON."""
    broken: tuple[Broken, ...]
    replies: tuple[type, ...]
    """The classes of the replies; none where there is no reply."""
    why_none: str = ""
    """Why there is no valid payload."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a channel is tested with."""

    channel: ir.Channel
    incoming: Codec[Any]
    """What clients may send."""
    outgoing: Codec[Any]
    error: type | None
    """The document's own error message."""
    cases: tuple[Case, ...]
    correlations: Mapping[type, tuple[str, ...]]
    """For each class of the server, the wire names that lead to its correlation id."""
    limits: Mapping[str, int | float]
    schemas: Schemas

    @property
    def size(self) -> int:
        """About how many results there will be."""
        return 14 + sum(len(case.frames) * (2 if case.replies else 1) + len(case.broken) for case in self.cases)

    def judge(self, frame: str | bytes) -> Received:
        """What a frame of the server is."""
        try:
            message = self.outgoing.decode(frame)
        except PayloadError:
            return Received(frame, read_error(frame))
        is_error = self.error is not None and isinstance(message, self.error)
        return Received(frame, read_error(frame, known=is_error), message)

    def is_one_of(self, received: Received, classes: tuple[type, ...]) -> bool:
        """Whether a frame is a message of one of some classes: also where it could be one of another as well."""
        if isinstance(received.message, classes):
            return True
        if received.message is None or not isinstance(received.frame, str):
            return False
        schemas = [e.schema for e in self.outgoing.entries if e.message in classes and e.content == "json"]
        value = plain(received.frame)
        return any(not self.schemas.faults(schema, value) for schema in schemas)

    def takes(self, frame: str | bytes) -> bool:
        """Whether clients may send a frame."""
        try:
            self.incoming.decode(frame)
        except PayloadError:
            return False
        return True


def plans(api: ir.Api, package: ModuleType, settings: Settings) -> list[Plan]:
    """A plan for each channel that is to be tested."""
    chosen = [c for c in api.channels if not settings.channel or settings.channel in (c.name, c.address)]
    if settings.channel and not chosen:
        listed = ", ".join(channel.name for channel in api.channels)
        raise NoConnection(f"there is no channel {settings.channel!r}; there are: {listed or 'none'}")
    unknown = [name for name in settings.first if all(name != message.name for message in api.messages)]
    if unknown:
        raise NoConnection(f"there is no message {unknown[0]!r}")
    judge = Judge(api.schemas)
    given = names.give(api)
    return [_plan(api, channel, package, given, judge, settings) for channel in chosen]


def _plan(
    api: ir.Api, channel: ir.Channel, package: ModuleType, given: names.Names, judge: Judge, settings: Settings
) -> Plan:
    incoming, outgoing = (
        getattr(package.codecs, given.codecs[channel.name, side])
        for side in (ir.Direction.CLIENT_TO_SERVER, ir.Direction.SERVER_TO_CLIENT)
    )
    classes = {name: getattr(package.messages, given.messages[name]) for name in given.messages}
    replies: dict[str, tuple[type, ...]] = {}
    for operation in api.operations:
        if operation.channel == channel.name and operation.direction is ir.Direction.CLIENT_TO_SERVER:
            answers = operation.reply.messages if operation.reply is not None else ()
            for name in operation.messages:
                replies.setdefault(name, tuple(classes[answer] for answer in answers))
    error: type | None = getattr(getattr(package.server, given.server), "error_message", None)
    limits = dict((*api.limits, *channel.limits))
    blank = Plan(channel, incoming, outgoing, error, (), {}, limits, package.codecs.SCHEMAS)
    cases = [_case(api.message(name), expected, blank, judge, settings) for name, expected in replies.items()]
    ids = {entry.message: entry.correlation for entry in outgoing.entries}
    return replace(blank, cases=tuple(cases), correlations=ids)


def _case(message: ir.Message, replies: tuple[type, ...], plan: Plan, judge: Judge, settings: Settings) -> Case:
    content = message.payload.content
    if content is not ir.Content.JSON:
        frame: str | bytes = "sample" if content is ir.Content.TEXT else BINARY
        return Case(message, (frame,), (), (), replies)
    reference = message.payload.schema
    try:
        found = valid(
            judge, reference, seed=settings.seed, count=settings.samples, examples=[e.payload for e in message.examples]
        )
    except NoSample as none:
        return Case(message, (), (), (), replies, str(none))
    sendable = [payload for payload in found if plan.takes(_frame(payload))]
    if not sendable:
        return Case(message, (), (), (), replies, "the codec does not take what the schema allows")
    wrong = broken(
        judge, reference, sendable[0], other=lambda payload: plan.takes(_frame(payload)), most=settings.broken
    )
    return Case(message, tuple(map(_frame, sendable)), tuple(sendable), tuple(wrong), replies)


def _frame(payload: Any) -> str:
    return json.dumps(payload, ensure_ascii=False)
