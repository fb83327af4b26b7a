"""Names that are written in another way than the rest: no way is the right one, but one of them should do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from sockspec import ir
from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.rules.rule import ALL, ASYNCAPI, Group, Rule
from sockspec.rules.saying import each_or_most
from sockspec.rules.subject import Subject
from sockspec.spec.text import quoted

_WHY = "Most are written in one way, and a few in another, so that readers have to remember which."

PROPERTY_CASING = Code(
    "property-casing", Severity.INFO, f"The name of a property is written otherwise than those of most others. {_WHY}"
)
MESSAGE_CASING = Code(
    "message-casing", Severity.INFO, f"The name of a message is written otherwise than those of most others. {_WHY}"
)
OPERATION_CASING = Code(
    "operation-casing",
    Severity.INFO,
    f"The name of an operation is written otherwise than those of most others. {_WHY}",
)
CHANNEL_CASING = Code(
    "channel-casing",
    Severity.INFO,
    f"A part of the address of a channel is written otherwise than those of most others. {_WHY}",
)

_STYLES = {
    "camelCase": re.compile(r"[a-z][a-z0-9]*([A-Z][a-z0-9]*)+"),
    "PascalCase": re.compile(r"([A-Z]+[a-z0-9]+){2,}"),
    "snake_case": re.compile(r"[a-z0-9]+(_[a-z0-9]+)+"),
    "kebab-case": re.compile(r"[a-z0-9]+(-[a-z0-9]+)+"),
    "CONSTANT_CASE": re.compile(r"[A-Z0-9]+(_[A-Z0-9]+)+"),
}
"""What names of several words look like; one word says nothing of how two would be written."""
_ENOUGH = 5
_SHARE = 0.8
_LONGEST = 100

_Named = tuple[str, Location]


def _style(name: str) -> str | None:
    if len(name) > _LONGEST:
        return None
    return next((style for style, pattern in _STYLES.items() if pattern.fullmatch(name)), None)


def _odd(code: Code, what: str, names: Iterable[_Named]) -> Iterator[Diagnostic]:
    """The names of several words that are not written as at least four of five are."""
    every = {name: (place, style) for name, place in names if (style := _style(name)) is not None}
    counts = Counter(style for _, style in every.values())
    if not counts or len(every) < _ENOUGH:
        return
    usual, count = counts.most_common(1)[0]
    if count < _SHARE * len(every):
        return
    rest = [(name, place, style) for name, (place, style) in every.items() if style != usual]
    broken = [
        (place, f"{quoted(name)} is {style}; {count:,} of {len(every):,} {what} are {usual}")
        for name, place, style in rest
    ]
    yield from each_or_most(code, broken, len(every), f"{what} are not {usual}, as the others are")


def _properties(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is not None:
        of = [*api.definitions, *(message.payload.type for message in api.messages)]
        names = ((f.wire_name, f.location) for record in of if isinstance(record, ir.Record) for f in record.fields)
        yield from _odd(PROPERTY_CASING, "names of properties that have several words", _first(names))


def _messages(subject: Subject) -> Iterator[Diagnostic]:
    if subject.api is not None:
        yield from _odd(
            MESSAGE_CASING,
            "names of messages that have several words",
            ((m.name, m.location) for m in subject.api.messages),
        )


def _operations(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is not None and subject.is_asyncapi:
        yield from _odd(
            OPERATION_CASING,
            "names of operations that have several words",
            ((o.name, o.location) for o in api.operations),
        )


def _channels(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is not None:
        parts = ((part, c.location) for c in api.channels for part in (c.address or "").split("/") if "{" not in part)
        yield from _odd(CHANNEL_CASING, "parts of addresses that have several words", _first(parts))


def _first(names: Iterable[_Named]) -> Iterator[_Named]:
    """Each name once, where it stands first."""
    seen: set[str] = set()
    for name, place in names:
        if name not in seen:
            seen.add(name)
            yield name, place


RULES = (
    Rule(
        PROPERTY_CASING,
        Group.QUALITY,
        ALL,
        bad="properties: {userId: {}, roomId: {}, sentAt: {}, replyTo: {}, is_read: {}}\n",
        good="properties: {userId: {}, roomId: {}, sentAt: {}, replyTo: {}, isRead: {}}\n",
        check=_properties,
    ),
    Rule(
        MESSAGE_CASING,
        Group.QUALITY,
        ALL,
        bad="messages: {RoomJoined: {}, RoomLeft: {}, MessagePosted: {}, MessageRead: {}, presence-changed: {}}\n",
        good="messages: {RoomJoined: {}, RoomLeft: {}, MessagePosted: {}, MessageRead: {}, PresenceChanged: {}}\n",
        check=_messages,
    ),
    Rule(
        OPERATION_CASING,
        Group.QUALITY,
        ASYNCAPI,
        bad="operations: {joinRoom: {}, leaveRoom: {}, postMessage: {}, readMessage: {}, change_mood: {}}\n",
        good="operations: {joinRoom: {}, leaveRoom: {}, postMessage: {}, readMessage: {}, changeMood: {}}\n",
        check=_operations,
    ),
    Rule(
        CHANNEL_CASING,
        Group.QUALITY,
        ALL,
        bad="""\
channels:
  a: {address: /order-books}
  b: {address: /last-trades}
  c: {address: /my-orders}
  d: {address: /my-trades}
  e: {address: /bestPrices}
""",
        good="""\
channels:
  a: {address: /order-books}
  b: {address: /last-trades}
  c: {address: /my-orders}
  d: {address: /my-trades}
  e: {address: /best-prices}
""",
        check=_channels,
    ),
)
