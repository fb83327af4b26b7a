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

NO_OPERATIONS = Code(
    "no-operations",
    Severity.WARNING,
    "The document has channels and messages but no `operations`, so it does not say who sends what. Each side may send "
    "every message of a channel. Add operations with `action: send` and `action: receive`.",
)
MESSAGE_NOT_OF_CHANNEL = Code(
    "message-not-of-channel",
    Severity.WARNING,
    "An operation names a message that its channel does not list. The specification wants a reference to a message of the "
    "channel, `#/channels/NAME/messages/NAME`; the message is taken all the same.",
)


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
        self._of_channel: dict[tuple[Path, str], dict[tuple[Path, str], tuple[str, Node]]] = {}

    def version_2(self) -> tuple[ir.Operation, ...]:
        """The `publish` and `subscribe` of each channel."""
        for channel in self._channels.found:
            for verb in ("publish", "subscribe"):
                node = channel.node.get(verb)
                if node is not None:
                    self._read_2(channel, verb, node)
        return tuple(self._found.values())

    def version_3(self) -> tuple[ir.Operation, ...]:
        """The `operations` of the document."""
        listed = self._documents.root.get("operations")
        operations = list(listed.items()) if listed is not None else []
        for name, node in operations:
            self._read_3(name, node)
        if not operations and self._channels.found:
            self._assume_3()
        return tuple(self._found.values())

    # --- AsyncAPI 2 -------------------------------------------------------------------------------------------------

    def _read_2(self, channel: Found, verb: str, node: Node) -> None:
        endpoint = self._channels.endpoint(channel.node)
        members = merged(self._documents, node, object_wins=False)
        identifier = text(members, "operationId")
        name = self._claim(identifier or f"{verb} {_words(channel.name)}".strip())
        listed = members.get("message")
        if endpoint is None or listed is None:
            return
        variants = self._variants(listed)
        fallbacks = (
            [f"{name} message"] if len(variants) == 1 else [f"{name} message {n}" for n in range(1, len(variants) + 1)]
        )
        messages = [self._messages.read(one, fallback) for one, fallback in zip(variants, fallbacks, strict=True)]
        responses = [members.get("x-response"), *(self._documents.follow(one).get("x-response") for one in variants)]
        replies = [
            self._messages.read(answer, f"{name} response")
            for response in responses
            if response is not None and isinstance(response.value, dict)
            for answer in self._variants(response)
        ]
        reply = ir.Reply(tuple(dict.fromkeys(replies)), node.key_location) if replies else None
        direction = self._perspective.direction(verb, identifier, node)
        self._add(name, direction, endpoint, messages, node, members, reply)

    def _variants(self, node: Node) -> list[Node]:
        alternatives = self._documents.follow(node).get("oneOf")
        return list(alternatives.elements()) if alternatives is not None else [node]

    # --- AsyncAPI 3 -------------------------------------------------------------------------------------------------

    def _read_3(self, name: str, node: Node) -> None:
        members = merged(self._documents, node, object_wins=True)
        channel = self._channel(members.get("channel"))
        if channel is None:
            return
        endpoint = self._channels.endpoint(channel)
        action = text(members, "action")
        if endpoint is None or action not in ("send", "receive"):
            return
        messages = self._named(members.get("messages"), channel)
        reply = self._reply(members.get("reply"), channel)
        direction = self._perspective.direction(action, name, node)
        self._add(self._claim(name), direction, endpoint, messages, node, members, reply)

    def _channel(self, node: Node | None) -> Node | None:
        channel = self._documents.follow(node) if node is not None else None
        return channel if channel is not None and isinstance(channel.value, dict) else None

    def _named(self, listed: Node | None, channel: Node) -> list[str]:
        """The messages that an operation lists; all of its channel where it has no list."""
        own = self._messages_of(channel)
        fallback = channel.pointer.rpartition("/")[2]
        if listed is None:
            return [self._messages.read(node, f"{fallback} {key}") for key, node in own.values()]
        for node in listed.elements():
            if self._documents.follow(node).identity not in own and not self._documents.is_broken(node):
                message = f"the message {node.reference or '(inline)'!r} is not one of the channel's"
                self._report.add(MESSAGE_NOT_OF_CHANNEL.at(node.location, message))
        return [self._messages.read(node, f"{fallback} message") for node in listed.elements()]

    def _messages_of(self, channel: Node) -> dict[tuple[Path, str], tuple[str, Node]]:
        """The messages of a channel, with their keys, by what they lead to."""
        known = self._of_channel.get(channel.identity)
        if known is None:
            listed = channel.get("messages")
            entries = listed.items() if listed is not None else ()
            known = {self._documents.follow(node).identity: (key, node) for key, node in entries}
            self._of_channel[channel.identity] = known
        return known

    def _reply(self, node: Node | None, channel: Node) -> ir.Reply | None:
        if node is None:
            return None
        reply = self._documents.follow(node)
        other = self._channel(reply.get("channel"))
        messages = self._named(reply.get("messages"), other or channel)
        return ir.Reply(tuple(dict.fromkeys(messages)), node.key_location) if messages else None

    def _assume_3(self) -> None:
        first = self._channels.found[0]
        self._report.add(
            NO_OPERATIONS.at(
                first.node.key_location,
                "the document has no operations; each side may send every message",
                hint="add 'operations' that say who sends what",
            )
        )
        for channel in self._channels.found:
            endpoint = self._channels.endpoint(channel.node)
            for name in self._named(None, channel.node) if endpoint is not None else ():
                for direction in ir.Direction:
                    operation = self._claim(
                        name if direction is ir.Direction.CLIENT_TO_SERVER else f"{name} from server"
                    )
                    self._add(operation, direction, endpoint or "", [name], channel.node, {}, None)

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
        )

    def _claim(self, name: str) -> str:
        claimed, number = name, 2
        while claimed in self._found:
            claimed, number = f"{name} {number}", number + 1
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
