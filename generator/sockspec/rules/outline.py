"""The parts of an AsyncAPI document under the same words for both major versions, each with where it stands.

Other than `ir.Api` this is what is written: parts that no WebSocket client reaches are here, too, and so are those of
documents that have errors elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sockspec.spec.asyncapi.traits import Members, merged
from sockspec.spec.kinds import Kinds
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.version import Kind, Specification


@dataclass(frozen=True, slots=True)
class Part:
    """An object that has a key: a server, a channel, a message …"""

    key: str
    entry: Node
    """Where it is listed: the object, or a reference to it."""
    node: Node
    """The object itself."""


@dataclass(frozen=True, slots=True)
class Channel(Part):
    """A channel. Its address is the key in AsyncAPI 2; None where there is none, or it is no text."""

    address: str | None
    is_root: bool
    """Whether it is one of `channels` at the root, and not of `components`."""


@dataclass(frozen=True, slots=True)
class Operation(Part):
    """An operation, with its traits merged in. The key is `publish` or `subscribe` in AsyncAPI 2."""

    members: Members
    channel: Channel | None
    """The channel that it is of; None where it names none of the document's."""
    is_root: bool
    """Whether it is written at the root, or in a channel that is, and not in `components`."""


@dataclass(frozen=True, slots=True)
class Message(Part):
    """A message, with its traits merged in."""

    members: Members


class Outline:
    """The parts of a document, found when first asked for; each object once, wherever it is listed first."""

    def __init__(self, documents: Documents, kind: Kind, kinds: Kinds) -> None:
        self._documents = documents
        self._kinds = kinds
        self._root = documents.root
        self._is_3 = kind.specification is Specification.ASYNCAPI_3

    def listed(self, name: str) -> Iterator[Part]:
        """What stands under a word at the root of the document: `servers`, `channels` …"""
        yield from self.parts(self._root.get(name))

    def components(self, name: str) -> Iterator[Part]:
        """What `components` has under a word."""
        components = self._root.get("components")
        yield from self.parts(components.get(name) if components is not None else None)

    def parts(self, listed: Node | None) -> Iterator[Part]:
        """The members of a mapping that are mappings, or references to some of the right kind."""
        for key, entry in listed.items() if listed is not None else ():
            node = self._kinds.end(entry)
            if node is not None and isinstance(node.value, dict):
                yield Part(key, entry, node)

    def each(self, name: str) -> Iterator[Part]:
        """What is listed under a word at the root or in `components`, each object once."""
        seen: set[tuple[Path, str]] = set()
        for part in (*self.listed(name), *self.components(name)):
            if part.node.identity not in seen:
                seen.add(part.node.identity)
                yield part

    @cached_property
    def servers(self) -> tuple[Part, ...]:
        """All servers."""
        return tuple(self.each("servers"))

    @cached_property
    def channels(self) -> tuple[Channel, ...]:
        """All channels. One that is listed twice at the root is there twice, since each has an address in AsyncAPI 2."""
        listed = [self._channel(part, is_root=True) for part in self.listed("channels")]
        known = {channel.node.identity for channel in listed}
        others = (part for part in self.components("channels") if part.node.identity not in known)
        return (*listed, *(self._channel(part, is_root=False) for part in others))

    @cached_property
    def channels_by_identity(self) -> Mapping[tuple[Path, str], Channel]:
        """The channels by what `Node.identity` says of their objects."""
        return {channel.node.identity: channel for channel in reversed(self.channels)}

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """All operations: those at the root, or of the channels in AsyncAPI 2, and those of `components`."""
        return tuple(self._operations_3() if self._is_3 else self._operations_2())

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """All messages: of channels and operations, of replies, and of `components`."""
        found: dict[tuple[Path, str], Message] = {}
        for part in self._message_parts():
            if part.node.identity not in found and isinstance(part.node.value, dict):
                members = merged(self._documents, part.entry, object_wins=self._is_3)
                found[part.node.identity] = Message(part.key, part.entry, part.node, members)
        return tuple(found.values())

    @cached_property
    def messages_by_identity(self) -> Mapping[tuple[Path, str], Message]:
        """The messages by what `Node.identity` says of their objects."""
        return {message.node.identity: message for message in self.messages}

    def carried(self, operation: Operation) -> tuple[Message, ...]:
        """The messages of an operation: those that it lists, or all of its channel where it lists none."""
        listed = operation.members.get("messages")
        if not self._is_3:
            ends: list[Node | None] = [part.node for part in self.variants(operation)]
        elif listed is not None:
            ends = [self._kinds.end(entry) for entry in listed.elements()]
        else:
            channel = operation.channel
            ends = [part.node for part in self.parts(channel.node.get("messages"))] if channel is not None else []
        identities = dict.fromkeys(end.identity for end in ends if end is not None)
        known = self.messages_by_identity
        return tuple(known[identity] for identity in identities if identity in known)

    @cached_property
    def message_traits(self) -> tuple[Node, ...]:
        """All traits of messages, each once: those in messages, and those of `components`."""
        listed = [message.node.get("traits") for message in self.messages]
        entries = [entry for one in listed if one is not None for entry in one.elements()]
        ends = [self._kinds.end(entry) for entry in entries]
        ends += [part.node for part in self.components("messageTraits")]
        return tuple({end.identity: end for end in ends if end is not None}.values())

    # --- how they are found -----------------------------------------------------------------------------------------

    def _channel(self, part: Part, *, is_root: bool) -> Channel:
        written = part.node.get("address")
        address = written.value if written is not None and isinstance(written.value, str) else None
        is_key = not self._is_3 and is_root
        return Channel(part.key, part.entry, part.node, part.key if is_key else address, is_root)

    def _operations_2(self) -> Iterator[Operation]:
        for channel in self.channels_by_identity.values():
            for verb in ("publish", "subscribe"):
                entry = channel.node.get(verb)
                if entry is not None and isinstance(entry.value, dict):
                    members = merged(self._documents, entry, object_wins=False)
                    yield Operation(verb, entry, self._documents.follow(entry), members, channel, channel.is_root)

    def _operations_3(self) -> Iterator[Operation]:
        for part in self.each("operations"):
            members = merged(self._documents, part.entry, object_wins=True)
            is_root = not part.node.pointer.startswith("/components/")
            yield Operation(part.key, part.entry, part.node, members, self.channel_of(members.get("channel")), is_root)

    def channel_of(self, named: Node | None) -> Channel | None:
        """The channel that a reference leads to; None where it is none of the document's."""
        end = self._kinds.end(named) if named is not None else None
        return self.channels_by_identity.get(end.identity) if end is not None else None

    def _message_parts(self) -> Iterator[Part]:
        for channel in self.channels:
            yield from self.parts(channel.node.get("messages"))
        for operation in self.operations:
            if not self._is_3:
                yield from self.variants(operation)
        yield from self.components("messages")

    def variants(self, operation: Operation) -> Iterator[Part]:
        """The message of an operation, or those of its `oneOf` (AsyncAPI 2)."""
        waiting = [operation.members.get("message")]
        seen: set[tuple[Path, str]] = set()
        while waiting:
            entry = waiting.pop()
            node = self._kinds.end(entry) if entry is not None else None
            if entry is None or node is None or node.identity in seen:
                continue
            seen.add(node.identity)
            branches = node.get("oneOf")
            if branches is None:
                yield Part(node.text("name") or operation.key, entry, node)
            else:
                waiting.extend(reversed([*branches.elements()]))
