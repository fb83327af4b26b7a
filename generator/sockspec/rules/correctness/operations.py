"""Operations: the channel that each is on, its messages, and its reply."""

from __future__ import annotations

from collections.abc import Iterator

from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.rules.outline import Operation, Part
from sockspec.rules.rule import ASYNCAPI_2, ASYNCAPI_3, Group, Rule
from sockspec.rules.subject import Subject
from sockspec.spec.kinds import Identity
from sockspec.spec.names import DUPLICATE_OPERATION_ID
from sockspec.spec.node import Node
from sockspec.spec.source import escape
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest

UNKNOWN_CHANNEL = Code(
    "operation-channel-unknown",
    Severity.ERROR,
    "The `channel` of an operation at the root of the document, or of its reply, is no reference into the `channels` at "
    "the root: the specification wants `#/channels/NAME`, and none to components or elsewhere (Operation Object). Where "
    "the document does not list the channel at all, packages lack the operation.",
    tolerable=True,
)
MESSAGE_NOT_OF_CHANNEL = Code(
    "message-not-of-channel",
    Severity.ERROR,
    "An operation or a reply names a message that its channel does not have, or in another way than by a reference into "
    "the channel. The specification wants `#/channels/NAME/messages/NAME` and nothing else (Operation Object); the "
    "message is taken all the same, but other tools refuse it.",
    tolerable=True,
)
REPLY_ADDRESS = Code(
    "reply-address-not-free",
    Severity.ERROR,
    "A reply has an `address` that is told at runtime, and a channel with an address of its own. Only one can hold: the "
    "channel's `address` has to be null or left out (Operation Reply Object).",
    tolerable=True,
)


def _channels(subject: Subject) -> Iterator[tuple[Operation, Node, bool]]:
    """The references to channels, of operations and of replies; with each, whether it has to lead to the root."""
    for operation in subject.outline.operations:
        named = operation.members.get("channel")
        if named is not None:
            yield operation, named, operation.is_root
        reply = _reply(subject, operation)
        named = reply.get("channel") if reply is not None else None
        if reply is not None and named is not None:
            yield operation, named, operation.is_root and not reply.pointer.startswith("/components/")


def _reply(subject: Subject, operation: Operation) -> Node | None:
    written = operation.members.get("reply")
    return subject.kinds.end(written) if written is not None else None


def _unknown_channel(subject: Subject) -> Iterator[Diagnostic]:
    listed = [*subject.outline.listed("channels")]
    places = {part.entry.identity for part in listed}
    keys = {part.node.identity: part.key for part in reversed(listed)}
    for _, named, must_be_root in _channels(subject):
        target, end = subject.documents.target(named), subject.kinds.end(named)
        is_reference = named.reference is not None and target is not None and end is not None
        if not is_reference or not must_be_root or target is None or end is None or target.identity in places:
            continue
        shown = quoted(named.reference or "")
        key = keys.get(end.identity)
        if key is None:
            message = f"the reference {shown} leads to no channel at the root of the document"
            near = nearest(target.pointer.rpartition("/")[2], [part.key for part in listed])
            hint = f"did you mean {quoted('#/channels/' + escape(near))}?" if near else "list it in 'channels'"
        else:
            message = f"the reference {shown} leads to the channel {quoted(key)}, but not by its place at the root"
            hint = f"write {quoted('#/channels/' + escape(key))}"
        yield UNKNOWN_CHANNEL.at(named.location, message, hint=hint)


def _lists(subject: Subject) -> Iterator[tuple[Node, Node]]:
    """Lists of messages, each with the channel that they have to be of."""
    for operation in subject.outline.operations:
        named = operation.members.get("channel")
        channel = subject.kinds.end(named) if named is not None else None
        listed = operation.members.get("messages")
        if channel is not None and listed is not None:
            yield listed, channel
        reply = _reply(subject, operation)
        if reply is not None:
            named = reply.get("channel")
            channel = subject.kinds.end(named) if named is not None else channel
            listed = reply.get("messages")
            if channel is not None and listed is not None:
                yield listed, channel


def _message_not_of_channel(subject: Subject) -> Iterator[Diagnostic]:
    known: dict[Identity, list[Part]] = {}
    for listed, channel in _lists(subject):
        parts = known.get(channel.identity)
        if parts is None:
            parts = known[channel.identity] = [*subject.outline.parts(channel.get("messages"))]
        places = {part.entry.identity for part in parts}
        keys = {part.node.identity: part.key for part in reversed(parts)}
        for entry in listed.elements():
            target, end = subject.documents.target(entry), subject.kinds.end(entry)
            if entry.reference is None or target is None or end is None or target.identity in places:
                continue
            yield _stranger(subject, entry, end, channel, keys)


def _stranger(subject: Subject, entry: Node, end: Node, channel: Node, keys: dict[Identity, str]) -> Diagnostic:
    """A message that is not named by its place in a channel."""
    shown = quoted(entry.reference or "")
    known = subject.outline.channels_by_identity.get(channel.identity)
    pointer = known.entry.pointer if known is not None else channel.pointer
    name = quoted(known.key) if known is not None else "that stands elsewhere"
    key = keys.get(end.identity)
    if key is not None:
        message = f"the message {shown} is one of the channel {name}, but not named by its place there"
        hint = f"write {quoted(f'#{pointer}/messages/{escape(key)}')}"
        return MESSAGE_NOT_OF_CHANNEL.at(entry.location, message, hint=hint)
    message = f"the message {shown} is none of the channel {name}"
    near = nearest((entry.reference or "").rpartition("/")[2], [*keys.values()])
    hint = f"did you mean {quoted(f'#{pointer}/messages/{escape(near)}')}?" if near is not None else ""
    return MESSAGE_NOT_OF_CHANNEL.at(entry.location, message, hint=hint or f"add it to '#{pointer}/messages'")


def _reply_address(subject: Subject) -> Iterator[Diagnostic]:
    seen: set[Identity] = set()
    for operation in subject.outline.operations:
        reply = _reply(subject, operation)
        address = reply.get("address") if reply is not None else None
        named = reply.get("channel") if reply is not None else None
        channel = subject.outline.channel_of(named)
        if address is None or channel is None or channel.address is None or address.identity in seen:
            continue
        seen.add(address.identity)
        message = (
            f"the reply has an address, and its channel {quoted(channel.key)} the address {quoted(channel.address)}"
        )
        yield REPLY_ADDRESS.at(address.key_location, message, hint="write 'address: null' in the channel")


def _duplicate_id(subject: Subject) -> Iterator[Diagnostic]:
    first: dict[str, Location] = {}
    for identifier, place in _identifiers(subject):
        if not isinstance(identifier.value, str):
            continue
        other = first.setdefault(identifier.value, place)
        if other is not place:
            message = f"the operationId {quoted(identifier.value)} is that of another operation, too"
            yield DUPLICATE_OPERATION_ID.at(place, message, related=[other])


def _identifiers(subject: Subject) -> Iterator[tuple[Node, Location]]:
    """Each `operationId`, and where to say something of it: at the operation where a trait has it."""
    if subject.is_asyncapi:
        for operation in subject.outline.operations:
            if identifier := operation.members.get("operationId"):
                own = operation.node.get("operationId")
                yield identifier, own.location if own is not None else operation.entry.key_location
    else:
        for node in subject.schemas.objects("operation"):
            if identifier := node.get("operationId"):
                yield identifier, identifier.location


RULES = (
    Rule(
        UNKNOWN_CHANNEL,
        Group.CORRECTNESS,
        ASYNCAPI_3,
        bad="""\
operations:
  join:
    action: receive
    channel: {$ref: '#/components/channels/room'}
""",
        good="""\
operations:
  join:
    action: receive
    channel: {$ref: '#/channels/room'}
""",
        check=_unknown_channel,
        aliases=("asyncapi3-required-operation-channel-unambiguity",),
    ),
    Rule(
        MESSAGE_NOT_OF_CHANNEL,
        Group.CORRECTNESS,
        ASYNCAPI_3,
        bad="""\
operations:
  join:
    action: receive
    channel: {$ref: '#/channels/room'}
    messages:
      - $ref: '#/components/messages/Join'
""",
        good="""\
operations:
  join:
    action: receive
    channel: {$ref: '#/channels/room'}
    messages:
      - $ref: '#/channels/room/messages/join'
""",
        check=_message_not_of_channel,
        aliases=("asyncapi3-operation-messages-from-referred-channel",),
    ),
    Rule(
        REPLY_ADDRESS,
        Group.CORRECTNESS,
        ASYNCAPI_3,
        bad="""\
channels:
  answers: {address: /answers}
operations:
  ask:
    action: receive
    channel: {$ref: '#/channels/questions'}
    reply:
      channel: {$ref: '#/channels/answers'}
      address: {location: '$message.payload#/replyTo'}
""",
        good="""\
channels:
  answers: {address: null}
operations:
  ask:
    action: receive
    channel: {$ref: '#/channels/questions'}
    reply:
      channel: {$ref: '#/channels/answers'}
      address: {location: '$message.payload#/replyTo'}
""",
        check=_reply_address,
    ),
    Rule(
        DUPLICATE_OPERATION_ID,
        Group.CORRECTNESS,
        (*ASYNCAPI_2, "OpenAPI 3.1"),
        bad="""\
channels:
  /a:
    publish: {operationId: say}
  /b:
    publish: {operationId: say}
""",
        good="""\
channels:
  /a:
    publish: {operationId: sayToA}
  /b:
    publish: {operationId: sayToB}
""",
        check=_duplicate_id,
        aliases=("asyncapi2-operation-operationId-uniqueness", "operation-operationId-unique"),
    ),
)
