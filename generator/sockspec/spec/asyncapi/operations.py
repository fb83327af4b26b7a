"""Operations: who sends which messages on which endpoint, in either major version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity
from sockspec.spec.asyncapi.channels import Channels, Found
from sockspec.spec.asyncapi.messages import Messages
from sockspec.spec.asyncapi.perspective import Perspective
from sockspec.spec.asyncapi.security import Security
from sockspec.spec.asyncapi.traits import Members, is_true, merged, text
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.source import unescape
from sockspec.spec.text import quoted

NO_OPERATIONS = Code(
    "no-operations",
    Severity.WARNING,
    "The document has channels and messages but no `operations`, so it does not say who sends what. Each side may send "
    "every message of a channel. Add operations with `action: send` and `action: receive`.",
)
REPLY_ELSEWHERE = Code(
    "reply-on-another-channel",
    Severity.WARNING,
    "The reply of an operation comes on a channel that is another endpoint. What one connection asks cannot be "
    "answered on another, so the operation has no reply in the package. Let the reply name the channel of the "
    "request, or one without an address.",
)
UNUSED_MESSAGE = Code(
    "channel-message-not-used",
    Severity.INFO,
    "A channel lists messages that none of its operations names, so that nothing says who sends them. They are left "
    "out of the package.",
)
UNUSED_CHANNEL = Code(
    "channel-without-operations",
    Severity.WARNING,
    "No operation uses the channel, although others have operations, so that the package can connect to it and no "
    "more. Add an operation, or remove the channel.",
)

_SCHEMA_WORDS = frozenset(("type", "properties", "allOf", "anyOf", "enum", "const", "items"))
_FEW = 10


class Operations:
    """Reads the operations of a document."""

    def __init__(
        self,
        documents: Documents,
        channels: Channels,
        messages: Messages,
        security: Security,
        perspective: Perspective,
        report: Report,
    ) -> None:
        self._documents = documents
        self._channels = channels
        self._messages = messages
        self._security = security
        self._perspective = perspective
        self._report = report
        self._found: dict[str, ir.Operation] = {}
        self._numbers: dict[str, int] = {}
        self._of_channel: dict[tuple[Path, str], dict[tuple[Path, str], tuple[str, Node]]] = {}
        self._objects = {one.node.identity: one for one in channels.found}
        self._used: dict[tuple[Path, str], set[str]] = {}
        """Messages that operations name, by the channel object."""
        self._answered: dict[tuple[Path, str], set[str]] = {}
        """Messages that are replies, by the channel object on which they come."""
        self._by_payload: dict[tuple[Path, str], Node] | None = None

    def connected(self) -> tuple[ir.Channel, ...]:
        """The endpoints that clients connect to; a channel without an address that only replies come on is none."""
        only_replies = self._answered.keys() - self._used.keys()
        known = [self._objects[identity] for identity in only_replies if identity in self._objects]
        return self._channels.connected({one.node.identity for one in known if one.address is None})

    def version_2(self) -> tuple[ir.Operation, ...]:
        """The `publish` and `subscribe` of each channel."""
        for channel in self._channels.found:
            for verb, node in channel.node.items():
                if verb in ("publish", "subscribe") and isinstance(node.value, dict):
                    self._read_2(channel, verb, node)
        return tuple(self._found.values())

    def version_3(self) -> tuple[ir.Operation, ...]:
        """The `operations` of the document."""
        listed = self._documents.root.get("operations")
        operations = list(listed.items()) if listed is not None else []
        for name, node in operations:
            self._read_3(name, node)
        if operations:
            self._report_unused()
        elif self._channels.found:
            self._assume_3()
        return tuple(self._found.values())

    # --- AsyncAPI 2 -------------------------------------------------------------------------------------------------

    def _read_2(self, channel: Found, verb: str, node: Node) -> None:
        endpoint = self._channels.endpoint(channel.entry)
        members = merged(self._documents, node, object_wins=False)
        identifier = text(members, "operationId")
        name = identifier or f"{verb} {_words(channel.name)}".strip()
        if endpoint is None:
            return
        variants = self._variants(members.get("message"))
        keys = [f"{name} message {n}" if len(variants) > 1 else f"{name} message" for n in range(1, len(variants) + 1)]
        direction = self._perspective.direction(verb, identifier, node)
        reply = self._response(members.get("x-response"), name, channel.name)
        messages: list[str] = []
        alone: list[tuple[str, Members, ir.Reply]] = []
        for variant, key in zip(variants, keys, strict=True):
            message = self._messages.read(variant, key=key, channel=channel.name)
            own = merged(self._documents, variant, object_wins=False)
            answer = self._response(own.get("x-response"), message, channel.name) if reply is None else None
            if answer is not None and len(variants) > 1:
                alone.append((message, {**own, **{k: v for k, v in members.items() if k == "security"}}, answer))
            else:
                messages.append(message)
                reply = reply or answer
        if messages or not alone:
            self._add(self._claim(name), direction, endpoint, messages, node, members, reply)
        # A message with a response of its own is an operation of its own: its handler has to answer, others have not.
        for message, about, answer in alone:
            self._add(self._claim(message), direction, endpoint, [message], node, about, answer)

    def _variants(self, written: Node | None) -> list[Node]:
        """A message, or the messages of a `oneOf`; those within one another are opened."""
        found: list[Node] = []
        waiting, seen = [written] if written is not None else [], set[tuple[Path, str]]()
        while waiting:
            entry = waiting.pop()
            node = self._documents.follow(entry)
            if node.identity in seen or not isinstance(node.value, dict) or self._documents.is_broken(entry):
                continue
            seen.add(node.identity)
            branches = node.get("oneOf")
            if branches is None or "payload" in node.value:
                found.append(entry)
            else:
                waiting.extend(reversed([*branches.elements()]))
        return found

    def _response(self, written: Node | None, name: str, channel: str) -> ir.Reply | None:
        """The extension `x-response`: a message, a `oneOf` of messages, or the schema that a message carries."""
        if written is None:
            return None
        answers = [self._carrier(one) for one in self._variants(written)]
        messages = [self._messages.read(one, key=f"{name} response", channel=channel) for one in answers]
        return ir.Reply(tuple(dict.fromkeys(messages)), written.key_location) if messages else None

    def _carrier(self, entry: Node) -> Node:
        """The message that is meant where a schema stands in its place."""
        node = self._documents.follow(entry)
        if not isinstance(node.value, dict) or "payload" in node.value or _SCHEMA_WORDS.isdisjoint(node.value):
            return entry
        if self._by_payload is None:
            self._by_payload = {}
            components = self._documents.root.get("components")
            listed = components.get("messages") if components is not None else None
            for _, message in listed.items() if listed is not None else ():
                payload = self._documents.follow(message).get("payload")
                if payload is not None:
                    reference = Node({"$ref": f"#{message.pointer}"}, message.document, f"{message.pointer}/$ref")
                    self._by_payload.setdefault(self._documents.follow(payload).identity, reference)
        known = self._by_payload.get(node.identity)
        return known or Node({"payload": {"$ref": f"#{node.pointer}"}}, node.document, f"{entry.pointer}/payload")

    # --- AsyncAPI 3 -------------------------------------------------------------------------------------------------

    def _read_3(self, name: str, node: Node) -> None:
        members = merged(self._documents, node, object_wins=True)
        action = text(members, "action")
        channel = self._channel(members.get("channel"))
        if action not in ("send", "receive"):
            return
        endpoint = self._channels.endpoint(channel) if channel is not None else None
        if channel is None or endpoint is None:
            return
        messages = self._named(members.get("messages"), channel)
        self._used.setdefault(channel.identity, set()).update(messages)
        reply = self._reply(members.get("reply"), channel, endpoint, messages)
        direction = self._perspective.direction(action, name, node)
        self._add(self._claim(name), direction, endpoint, messages, node, members, reply)

    def _channel(self, node: Node | None) -> Node | None:
        channel = self._documents.follow(node) if node is not None else None
        return channel if channel is not None and isinstance(channel.value, dict) else None

    def _named(self, listed: Node | None, channel: Node) -> list[str]:
        """The messages that an operation lists; all of its channel where it has no list."""
        name = unescape(channel.pointer.rpartition("/")[2])
        if channel.identity in self._objects:
            name = self._objects[channel.identity].name
        own = self._messages_of(channel)
        if listed is None:
            return [self._messages.read(node, key=key, channel=name) for key, node in own.values()]
        found: list[str] = []
        for node in listed.elements():
            message = self._documents.follow(node)
            if not isinstance(message.value, dict) or self._documents.is_broken(node):
                continue
            key, entry = own.get(message.identity, (unescape(message.pointer.rpartition("/")[2]), node))
            found.append(self._messages.read(entry, key=key, channel=name))
        return found

    def _messages_of(self, channel: Node) -> dict[tuple[Path, str], tuple[str, Node]]:
        """The messages of a channel, with their keys, by what they lead to."""
        known = self._of_channel.get(channel.identity)
        if known is None:
            known = self._of_channel[channel.identity] = {}
            listed = channel.get("messages")
            for key, node in listed.items() if listed is not None else ():
                known.setdefault(self._documents.follow(node).identity, (key, node))
        return known

    def _reply(self, node: Node | None, channel: Node, endpoint: str, asked: list[str]) -> ir.Reply | None:
        """What answers an operation: on the channel of the request where the reply names none."""
        if node is None:
            return None
        reply = self._documents.follow(node)
        other = self._channel(reply.get("channel")) or channel
        listed = reply.get("messages")
        messages = dict.fromkeys(self._named(listed, other))
        if listed is None and other.identity == channel.identity:
            # Nothing answers a request by asking the same.
            messages = {name: None for name in messages if name not in asked}
        self._answered.setdefault(other.identity, set()).update(messages)
        address = other.get("address")
        is_open = address is None or address.value is None
        if self._channels.endpoint(other) != endpoint and not is_open:
            name = unescape(other.pointer.rpartition("/")[2])
            message = f"the reply comes on the channel {quoted(name)}, which is another endpoint"
            self._report.add(REPLY_ELSEWHERE.at((reply.get("channel") or reply).location, message))
            return None
        return ir.Reply(tuple(messages), node.key_location) if messages else None

    def _report_unused(self) -> None:
        """Report the channels and the messages of channels that no operation uses."""
        for channel in self._channels.found:
            used = self._used.get(channel.node.identity)
            replies = self._answered.get(channel.node.identity, set())
            if used is None and not replies:
                message = f"no operation uses the channel {quoted(channel.key)}"
                self._report.add(UNUSED_CHANNEL.at(channel.entry.key_location, message))
            listed = channel.node.get("messages")
            if used is None or listed is None:
                continue
            known = {key: self._messages.known(entry) for key, entry in listed.items()}
            unused = [quoted(key) for key, name in known.items() if name not in used and name not in replies]
            if unused:
                more = f" and {len(unused) - _FEW} more" if len(unused) > _FEW else ""
                message = f"no operation of the channel {quoted(channel.key)} names {', '.join(unused[:_FEW])}{more}"
                self._report.add(UNUSED_MESSAGE.at(listed.key_location, message))

    def _assume_3(self) -> None:
        listed = self._documents.root.get("channels") or self._documents.root
        self._report.add(
            NO_OPERATIONS.at(
                listed.key_location,
                "the document has no operations; each side may send every message",
                hint="add 'operations' that say who sends what",
            )
        )
        for channel in self._channels.found:
            endpoint = self._channels.endpoint(channel.entry)
            for name in self._named(None, channel.node) if endpoint is not None else ():
                for direction in ir.Direction:
                    wanted = name if direction is ir.Direction.CLIENT_TO_SERVER else f"{name} from server"
                    self._add(self._claim(wanted), direction, endpoint or "", [name], channel.entry, {}, None)

    # --- both -------------------------------------------------------------------------------------------------------

    def _add(
        self,
        name: str,
        direction: ir.Direction,
        endpoint: str,
        messages: list[str],
        node: Node,
        members: Members,
        reply: ir.Reply | None,
    ) -> None:
        self._found[name] = ir.Operation(
            name,
            direction,
            endpoint,
            tuple(dict.fromkeys(messages)),
            node.key_location,
            reply,
            text(members, "title"),
            text(members, "summary"),
            text(members, "description"),
            is_true(members, "deprecated", "x-deprecated"),
            self._security.of(members.get("security")),
            text(members, "x-python-name"),
            is_true(members, "x-concurrent"),
        )

    def _claim(self, name: str) -> str:
        claimed = name
        while claimed in self._found:
            self._numbers[name] = self._numbers.get(name, 1) + 1
            claimed = f"{name} {self._numbers[name]}"
        return claimed


def _words(key: str) -> str:
    """A channel's key without what only punctuates it."""
    return " ".join(_runs(key))


def _runs(key: str) -> Iterator[str]:
    word = ""
    for character in key:
        if character.isalnum() or character == "_":
            word += character
        elif word:
            yield word
            word = ""
    if word:
        yield word
