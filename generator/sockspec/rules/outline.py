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


@dataclass(frozen=True, slots=True)
class Operation(Part):
    """An operation, with its traits merged in. The key is `publish` or `subscribe` in AsyncAPI 2."""

    members: Members
    channel: Channel | None
    """The channel that it is of; None where it names none of the document's."""


@dataclass(frozen=True, slots=True)
class Message(Part):
    """A message, with its traits merged in."""

    members: Members


class Outline:
    """The parts of a document, found when first asked for; each object once, wherever it is listed first."""

    def __init__(self, documents: Documents, kind: Kind) -> None:
        self._documents = documents
        self._root = documents.root
        self._is_3 = kind.specification is Specification.ASYNCAPI_3

    def listed(self, name: str) -> Iterator[Part]:
        """What stands under a word at the root of the document: `servers`, `channels` …"""
        yield from self._parts(self._root.get(name))

    def components(self, name: str) -> Iterator[Part]:
        """What `components` has under a word."""
        components = self._root.get("components")
        yield from self._parts(components.get(name) if components is not None else None)

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
        """All channels."""
        return tuple(self._channel(part) for part in self.each("channels"))

    @cached_property
    def channels_by_identity(self) -> Mapping[tuple[Path, str], Channel]:
        """The channels by what `Node.identity` says of their objects."""
        return {channel.node.identity: channel for channel in self.channels}

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

    # --- how they are found -----------------------------------------------------------------------------------------

    def _parts(self, listed: Node | None) -> Iterator[Part]:
        """The members of a mapping that are mappings, or references to some."""
        for key, entry in listed.items() if listed is not None else ():
            node = self._documents.follow(entry)
            if isinstance(node.value, dict) and not self._documents.is_broken(entry):
                yield Part(key, entry, node)

    def _channel(self, part: Part) -> Channel:
        written = part.node.get("address")
        address = written.value if written is not None and isinstance(written.value, str) else None
        is_key = not self._is_3 and not part.entry.pointer.startswith("/components/")
        return Channel(part.key, part.entry, part.node, part.key if is_key else address)

    def _operations_2(self) -> Iterator[Operation]:
        for channel in self.channels:
            for verb in ("publish", "subscribe"):
                entry = channel.node.get(verb)
                if entry is not None and isinstance(entry.value, dict):
                    members = merged(self._documents, entry, object_wins=False)
                    yield Operation(verb, entry, self._documents.follow(entry), members, channel)

    def _operations_3(self) -> Iterator[Operation]:
        for part in self.each("operations"):
            members = merged(self._documents, part.entry, object_wins=True)
            named = members.get("channel")
            identity = self._documents.follow(named).identity if named is not None else None
            channel = self.channels_by_identity.get(identity) if identity is not None else None
            yield Operation(part.key, part.entry, part.node, members, channel)

    def _message_parts(self) -> Iterator[Part]:
        for channel in self.channels:
            yield from self._parts(channel.node.get("messages"))
        for operation in self.operations:
            if not self._is_3:
                yield from self._variants(operation)
        yield from self.components("messages")

    def _variants(self, operation: Operation) -> Iterator[Part]:
        """The message of an operation, or those of its `oneOf` (AsyncAPI 2)."""
        waiting = [operation.members.get("message")]
        seen: set[tuple[Path, str]] = set()
        while waiting:
            entry = waiting.pop()
            node = self._documents.follow(entry) if entry is not None else None
            if entry is None or node is None or node.identity in seen or self._documents.is_broken(entry):
                continue
            seen.add(node.identity)
            branches = node.get("oneOf")
            if branches is None:
                yield Part(node.text("name") or operation.key, entry, node)
            else:
                waiting.extend(reversed([*branches.elements()]))
