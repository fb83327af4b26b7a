"""What the guide says of the format of messages: JSON, `type`, `timestamp`, and `data` as in its example."""

from __future__ import annotations

from collections.abc import Iterator

from sockspec import ir
from sockspec.analysis import ambiguity, walk
from sockspec.diagnostics import Code, Diagnostic, Location, Report, Severity
from sockspec.rules.guide.payloads import ERROR, TIMESTAMP, TYPE, Payloads, member
from sockspec.rules.rule import ALL, Group, Rule
from sockspec.rules.saying import each_or_most, listed
from sockspec.rules.subject import Subject
from sockspec.spec.text import quoted

ENVELOPE_JSON = Code(
    "guide-envelope-json",
    Severity.ERROR,
    "All messages must use a unified format, such as JSON. The payload of a message is bytes, text that is not JSON, or "
    "a JSON value that need not be an object, so it has no members such as `type` that all messages have.",
    tolerable=True,
)
TYPE_FIELD = Code(
    "guide-type-field",
    Severity.WARNING,
    "Messages should have a member `type` to distinguish between different types of messages. One that may be left out "
    "distinguishes nothing.",
)
TYPE_CONSTANT = Code(
    "guide-type-constant",
    Severity.WARNING,
    "The `type` of a message should be a constant of its own (`const`, or an `enum` of one value). Where any text is "
    "allowed, the document does not say how to tell the message from others.",
)
TYPE_DISTINCT = Code(
    "guide-type-distinct",
    Severity.WARNING,
    "Two messages that the same side sends on one channel have the same `type`, so that it does not distinguish "
    "between them.",
)
TIMESTAMP_FIELD = Code(
    "guide-timestamp",
    Severity.WARNING,
    "Messages should have a `timestamp`, for ordering and debugging. One that may be left out cannot be relied on.",
)
TIMESTAMP_FORMAT = Code(
    "guide-timestamp-format",
    Severity.WARNING,
    "The `timestamp` of a message should be a text of the format `date-time` (RFC 3339), as in the guide's examples. "
    "Numbers leave open whether they count seconds or milliseconds.",
)
DATA_FIELD = Code(
    "guide-data-field",
    Severity.INFO,
    "In the guide's example what a message carries is in `data`, apart from the members that all messages have. Members "
    "beside it can collide with those that the envelope gets later.",
)

_ENVELOPE = frozenset((TYPE, TIMESTAMP, ERROR, "data", "id"))


def _not_json(subject: Subject) -> Iterator[Diagnostic]:
    if subject.api is None:
        return
    payloads = Payloads(subject.api)
    for message in subject.api.messages:
        if payloads.objects(message):
            continue
        match message.payload.content:
            case ir.Content.BINARY:
                what = "is bytes; a JSON object was expected"
            case ir.Content.TEXT:
                what = "is text; a JSON object was expected"
            case ir.Content.JSON if message.payload.type == ir.Anything():
                continue  # nothing is said of it, and so nothing that would not be JSON
            case ir.Content.JSON:
                what = "is a JSON value that need not be an object"
        yield ENVELOPE_JSON.at(message.location, f"the payload of {quoted(message.name)} {what}")


def _without(subject: Subject, name: str) -> Iterator[tuple[Location, str]]:
    """The messages that have no member of that name, or only an optional one."""
    assert subject.api is not None
    for message, objects in Payloads(subject.api).enveloped():
        fields = [member(one, name) for one in objects]
        optional = [field for field in fields if field is not None and not field.required]
        if None in fields:
            yield message.location, f"the message {quoted(message.name)} has no {quoted(name)}"
        elif optional:
            yield optional[0].location, f"the {quoted(name)} of {quoted(message.name)} may be left out"


def _no_type(subject: Subject) -> Iterator[Diagnostic]:
    if subject.api is None:
        return
    broken, count = [*_without(subject, TYPE)], len(subject.api.messages)
    hint = "add 'type' to 'properties', with a 'const' of its own, and to 'required'"
    yield from each_or_most(TYPE_FIELD, broken, count, "messages lack a 'type', or need not have it", hint=hint)


def _type_not_constant(subject: Subject) -> Iterator[Diagnostic]:
    if subject.api is None:
        return
    payloads = Payloads(subject.api)
    told: set[Location] = set()
    for message, objects in payloads.enveloped():
        for field in (member(one, TYPE) for one in objects):
            if field is None or field.location in told or len(payloads.values(field.type)) == 1:
                continue
            told.add(field.location)
            values = payloads.values(field.type)
            may = f"is one of {listed(map(str, values))}" if values else "may be anything"
            text = f"the 'type' of {quoted(message.name)} {may}; a constant was expected"
            yield TYPE_CONSTANT.at(field.location, text, hint=f"write 'const: {message.name}', for example")


def _type_not_distinct(subject: Subject) -> Iterator[Diagnostic]:
    if subject.api is None:
        return
    payloads = Payloads(subject.api)
    pairs: dict[tuple[str, str], tuple[ir.Message, ir.Message, str]] = {}
    for messages in payloads.sent.values():
        first: dict[str, ir.Message] = {}
        for message in messages:
            for value in payloads.types(message):
                other = first.setdefault(value, message)
                if other is not message:
                    pairs.setdefault((other.name, message.name), (other, message, value))
    if not pairs:
        return
    alike = Report()
    ambiguity.check(subject.api, alike)
    told = {d.location for d in alike.sorted() if d.code is ambiguity.NOT_DISTINGUISHABLE}
    for earlier, later, value in pairs.values():
        if later.location not in told:  # that nothing else tells them apart either is said already
            text = f"{quoted(later.name)} has the 'type' {quoted(value)}, as {quoted(earlier.name)} has"
            yield TYPE_DISTINCT.at(later.location, text, related=(earlier.location,))


def _no_timestamp(subject: Subject) -> Iterator[Diagnostic]:
    if subject.api is None:
        return
    broken, count = [*_without(subject, TIMESTAMP)], len(subject.api.messages)
    hint = "add 'timestamp' to 'properties', with 'format: date-time', and to 'required'"
    yield from each_or_most(
        TIMESTAMP_FIELD, broken, count, "messages lack a 'timestamp', or need not have it", hint=hint
    )


def _timestamp_format(subject: Subject) -> Iterator[Diagnostic]:
    if subject.api is None:
        return
    payloads = Payloads(subject.api)
    broken: dict[Location, str] = {}
    for message, objects in payloads.enveloped():
        for field in (member(one, TIMESTAMP) for one in objects):
            if field is not None and not _is_date_time(payloads, field.type):
                broken.setdefault(field.location, f"the 'timestamp' of {quoted(message.name)} is no 'date-time'")
    count = len(subject.api.messages)
    hint = "write 'type: string' and 'format: date-time'"
    lack = "messages have a 'timestamp' that is no 'date-time'"
    yield from each_or_most(TIMESTAMP_FORMAT, [*broken.items()], count, lack, hint=hint)


def _is_date_time(payloads: Payloads, of: ir.Type) -> bool:
    end = walk.resolve(of, payloads.definitions)
    return isinstance(end, ir.Scalar) and end.kind is ir.Kind.DATE_TIME


def _beside_data(subject: Subject) -> Iterator[Diagnostic]:
    if subject.api is None:
        return
    broken: list[tuple[Location, str]] = []
    for message, objects in Payloads(subject.api).enveloped():
        known = {*_ENVELOPE, *message.correlation[:1]}
        names = dict.fromkeys(field.wire_name for one in objects if isinstance(one, ir.Record) for field in one.fields)
        beside = [name for name in names if name not in known]
        if beside:
            text = f"{quoted(message.name)} has {listed(beside)} beside 'type' and 'timestamp', not in 'data'"
            broken.append((message.location, text))
    count = len(subject.api.messages)
    yield from each_or_most(DATA_FIELD, broken, count, "messages have members of their own that are not in 'data'")


_GOOD = """\
payload:
  type: object
  required: [type, timestamp]
  properties:
    type: {type: string, const: join}
    timestamp: {type: string, format: date-time}
    data: {type: object, additionalProperties: true}
"""

RULES = (
    Rule(
        ENVELOPE_JSON,
        Group.GUIDE,
        ALL,
        bad="contentType: text/csv\npayload: {type: string}\n",
        good=f"contentType: application/json\n{_GOOD}",
        check=_not_json,
    ),
    Rule(
        TYPE_FIELD,
        Group.GUIDE,
        ALL,
        bad="""\
payload:
  type: object
  properties:
    nickname: {type: string}
""",
        good=_GOOD,
        check=_no_type,
    ),
    Rule(
        TYPE_CONSTANT,
        Group.GUIDE,
        ALL,
        bad="""\
payload:
  type: object
  required: [type]
  properties:
    type: {type: string}
""",
        good=_GOOD,
        check=_type_not_constant,
    ),
    Rule(
        TYPE_DISTINCT,
        Group.GUIDE,
        ALL,
        bad="""\
messages:
  Joined:
    payload:
      type: object
      required: [type, nickname]
      properties:
        type: {const: presence}
        nickname: {type: string}
  Counted:
    payload:
      type: object
      required: [type, count]
      properties:
        type: {const: presence}
        count: {type: integer}
""",
        good="""\
messages:
  Joined:
    payload:
      type: object
      required: [type, nickname]
      properties:
        type: {const: joined}
        nickname: {type: string}
  Counted:
    payload:
      type: object
      required: [type, count]
      properties:
        type: {const: counted}
        count: {type: integer}
""",
        check=_type_not_distinct,
    ),
    Rule(
        TIMESTAMP_FIELD,
        Group.GUIDE,
        ALL,
        bad="""\
payload:
  type: object
  required: [type]
  properties:
    type: {type: string, const: join}
""",
        good=_GOOD,
        check=_no_timestamp,
    ),
    Rule(
        TIMESTAMP_FORMAT,
        Group.GUIDE,
        ALL,
        bad="properties:\n  timestamp: {type: integer}\n",
        good="properties:\n  timestamp: {type: string, format: date-time}\n",
        check=_timestamp_format,
    ),
    Rule(
        DATA_FIELD,
        Group.GUIDE,
        ALL,
        bad="""\
properties:
  type: {const: join}
  timestamp: {type: string, format: date-time}
  nickname: {type: string}
""",
        good="""\
properties:
  type: {const: join}
  timestamp: {type: string, format: date-time}
  data:
    type: object
    properties:
      nickname: {type: string}
""",
        check=_beside_data,
    ),
)
