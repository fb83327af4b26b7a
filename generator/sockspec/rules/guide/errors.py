"""What the guide says of errors: a message of its shape, with problem types, the one for too many connections among them."""

from __future__ import annotations

from collections.abc import Iterator

from sockspec import ir
from sockspec.analysis import walk
from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.rules.guide.payloads import ERROR, Object, Payloads, member
from sockspec.rules.rule import ALL, Group, Rule
from sockspec.rules.saying import each_or_most, listed
from sockspec.rules.subject import Subject
from sockspec.spec.text import quoted

ERROR_MESSAGE = Code(
    "guide-error-message",
    Severity.ERROR,
    "The server must define standard error messages to send in case of errors: on the channel it sends no message whose "
    "`type` is the constant `error`.",
    tolerable=True,
)
ERROR_SHAPE = Code(
    "guide-error-shape",
    Severity.WARNING,
    "The error message does not have the guide's shape: beside `type` and `timestamp` an object `error`, with the `type` "
    "of the problem and a `message` for people, all of them required.",
)
PROBLEM_TYPES = Code(
    "guide-problem-types",
    Severity.WARNING,
    "The codes of errors are a part of the API: the document should list the values of `error.type`, such as "
    "`/problems/unauthorized`, by an `enum`, `const` or `examples` of it, or by examples of the message.",
)
MAXIMUM_CONNECTIONS = Code(
    "guide-maximum-connections",
    Severity.WARNING,
    "When the limit of connections is reached, the server should tell so by the problem "
    "`/problems/reach-maximum-connections`. The document does not have it among the types of its error message, nor as "
    "the `problem` of a close code.",
)

_REACHED = "/problems/reach-maximum-connections"
_BELOW = "/problems/"


def _no_error_message(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None:
        return
    payloads = Payloads(api)
    broken: list[tuple[Location, str]] = []
    count = 0
    for channel in api.channels:
        sent = payloads.sent.get((channel.name, ir.Direction.SERVER_TO_CLIENT), ())
        if not sent and not payloads.sent.get((channel.name, ir.Direction.CLIENT_TO_SERVER)):
            continue
        count += 1
        if not any(payloads.is_error(message) for message in sent):
            where = channel.address or channel.name
            broken.append((channel.location, f"the server sends no message of the 'type' 'error' on {quoted(where)}"))
    lack = "channels lack a message of the 'type' 'error' that the server sends"
    yield from each_or_most(ERROR_MESSAGE, broken, count, lack, hint="add the error message that the guide shows")


def _errors(api: ir.Api) -> Iterator[tuple[Payloads, ir.Message, Object]]:
    """The objects of the error messages."""
    payloads = Payloads(api)
    for message, objects in payloads.enveloped():
        if payloads.is_error(message):
            yield from ((payloads, message, one) for one in objects if _is_error(payloads, one) or len(objects) == 1)


def _is_error(payloads: Payloads, one: Object) -> bool:
    field = member(one, "type")
    return field is not None and ERROR in payloads.values(field.type)


def _misshapen(subject: Subject) -> Iterator[Diagnostic]:
    for payloads, message, one in _errors(subject.api) if subject.api is not None else ():
        field = member(one, ERROR)
        if field is None:
            text = f"the error message {quoted(message.name)} has no 'error'"
            yield ERROR_SHAPE.at(message.location, text, hint="put the 'type' and 'message' of the problem there")
            continue
        inner = walk.resolve(field.type, payloads.definitions)
        missing = ["type", "message"]
        if isinstance(inner, ir.Record):
            needed = {each.wire_name for each in inner.fields if each.required}
            missing = [name for name in missing if name not in needed]
        if missing or not field.required:
            lacking = [f"need not have {listed(missing)}"] if missing else []
            said = " and ".join([*lacking, *([] if field.required else ["may be left out"])])
            yield ERROR_SHAPE.at(field.location, f"the 'error' of {quoted(message.name)} {said}")


def _problems(payloads: Payloads, message: ir.Message, one: Object, subject: Subject) -> tuple[list[str], Location]:
    """The types of problems that an error message documents, and where that could be done."""
    outer = member(one, ERROR)
    inner = walk.resolve(outer.type, payloads.definitions) if outer is not None else None
    field = member(inner, "type") if isinstance(inner, ir.Record) else None
    found: list[object] = []
    if field is not None:
        found.extend(payloads.values(field.type))
        found.extend(_shown(subject, field.location))
    for example in message.examples:
        shown = example.payload.get(ERROR) if isinstance(example.payload, dict) else None
        found.append(shown.get("type") if isinstance(shown, dict) else None)
    return [each for each in found if isinstance(each, str)], field.location if field else message.location


def _shown(subject: Subject, place: Location) -> Iterator[object]:
    """The examples that a schema has."""
    node = subject.node_at(place)
    schema = subject.documents.follow(node) if node is not None else None
    if schema is not None:
        listed_examples = schema.get("examples")
        yield from (one.value for one in (listed_examples.elements() if listed_examples is not None else ()))
        yield from (one.value for one in (schema.get("example"),) if one is not None)


def _no_problem_types(subject: Subject) -> Iterator[Diagnostic]:
    for payloads, message, one in _errors(subject.api) if subject.api is not None else ():
        types, place = _problems(payloads, message, one, subject)
        if not types and place == message.location:
            continue  # there is no 'error.type' that could have some, which is said already
        others = [name for name in types if not name.startswith(_BELOW)]
        if not types:
            text = f"nothing says which types of problems {quoted(message.name)} tells"
            yield PROBLEM_TYPES.at(place, text, hint="list them by 'enum' or 'examples': '/problems/unauthorized'")
        elif others:
            text = f"{listed(dict.fromkeys(others))} is no type of a problem; '/problems/…' was expected"
            yield PROBLEM_TYPES.at(place, text)


def _no_maximum(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None:
        return
    if any(code.problem == _REACHED for channel in api.channels for code in channel.close_codes):
        return
    errors = [*_errors(api)]
    said = [_problems(payloads, message, one, subject) for payloads, message, one in errors]
    if said and not any(_REACHED in types for types, _ in said):
        hint = f"add {quoted(_REACHED)} to its types, or an example of the message"
        text = f"{quoted(errors[0][1].name)} is not documented to tell that too many are connected"
        yield MAXIMUM_CONNECTIONS.at(said[0][1], text, hint=hint)


_GOOD = """\
payload:
  type: object
  required: [type, error, timestamp]
  properties:
    type: {const: error}
    error:
      type: object
      required: [type, message]
      properties:
        type:
          type: string
          examples: [/problems/unauthorized, /problems/reach-maximum-connections]
        message: {type: string}
    timestamp: {type: string, format: date-time}
"""

RULES = (
    Rule(
        ERROR_MESSAGE,
        Group.GUIDE,
        ALL,
        bad="""\
operations:
  tell:
    action: send
    channel: {$ref: '#/channels/room'}
    messages:
      - $ref: '#/channels/room/messages/posted'
""",
        good="""\
operations:
  tell:
    action: send
    channel: {$ref: '#/channels/room'}
    messages:
      - $ref: '#/channels/room/messages/posted'
      - $ref: '#/channels/room/messages/error'
""",
        check=_no_error_message,
    ),
    Rule(
        ERROR_SHAPE,
        Group.GUIDE,
        ALL,
        bad="""\
payload:
  type: object
  required: [type, message]
  properties:
    type: {const: error}
    message: {type: string}
""",
        good=_GOOD,
        check=_misshapen,
    ),
    Rule(
        PROBLEM_TYPES,
        Group.GUIDE,
        ALL,
        bad="error:\n  properties:\n    type: {type: string}\n",
        good="error:\n  properties:\n    type: {type: string, enum: [/problems/unauthorized, /problems/not-joined]}\n",
        check=_no_problem_types,
    ),
    Rule(
        MAXIMUM_CONNECTIONS,
        Group.GUIDE,
        ALL,
        bad="error:\n  properties:\n    type: {type: string, enum: [/problems/unauthorized]}\n",
        good="""\
error:
  properties:
    type: {type: string, enum: [/problems/unauthorized, /problems/reach-maximum-connections]}
""",
        check=_no_maximum,
    ),
)
