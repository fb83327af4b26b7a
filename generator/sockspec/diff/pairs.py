"""The servers, channels and messages of two versions, each beside its counterpart."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sockspec import ir
from sockspec.analysis import constants, dispatch, walk
from sockspec.analysis.constants import Path, TagValue
from sockspec.diff.matching import Matched, match

_VARIABLE = re.compile(r"\{[^{}]*\}")
Key = tuple[str, ir.Direction]


def template(text: str) -> str:
    """A URL or an address without the names of its variables."""
    return _VARIABLE.sub("{}", text)


def variables(text: str) -> list[str]:
    """The names of the variables of a URL or an address, in order."""
    return [found[1:-1] for found in _VARIABLE.findall(text)]


def path_of(url: str) -> str:
    """The path of a server's URL: what stands before the address of a channel."""
    _, slash, path = url.partition("://")[2].partition("/")
    return slash + path


def host_of(url: str) -> str:
    """Host and port of a server's URL, as a template."""
    return template(url.partition("://")[2].partition("/")[0]).lower()


@dataclass(frozen=True)
class Version:
    """One of the two: an API, and what is looked up in it."""

    api: ir.Api
    servers: Mapping[str, ir.Server] = field(init=False)
    messages: Mapping[str, ir.Message] = field(init=False)
    definitions: Mapping[str, ir.Definition] = field(init=False)
    schemes: Mapping[str, ir.SecurityScheme] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "servers", {server.name: server for server in self.api.servers})
        object.__setattr__(self, "messages", {message.name: message for message in self.api.messages})
        object.__setattr__(self, "definitions", walk.by_name(self.api))
        object.__setattr__(self, "schemes", {scheme.name: scheme for scheme in self.api.security_schemes})

    @cached_property
    def dispatches(self) -> Mapping[Key, dispatch.Dispatch]:
        """How messages are told apart, by channel and direction."""
        return dispatch.all_of(self.api)

    @cached_property
    def operations(self) -> Mapping[str, tuple[ir.Operation, ...]]:
        """The operations of each channel."""
        found: dict[str, list[ir.Operation]] = {}
        for operation in self.api.operations:
            found.setdefault(operation.channel, []).append(operation)
        return {name: tuple(operations) for name, operations in found.items()}

    def servers_of(self, channel: ir.Channel) -> tuple[ir.Server, ...]:
        """The servers that have a channel: all of them where it names none."""
        return tuple(self.servers[name] for name in channel.servers or self.servers if name in self.servers)

    def paths(self, channel: ir.Channel) -> frozenset[str]:
        """The whole paths under which a channel is found; none where its address is known at run time only."""
        if channel.address is None:
            return frozenset()
        before = {path_of(server.url) for server in self.servers_of(channel)} or {""}
        return frozenset(template(start + channel.address) for start in before)

    def tags(self, message: ir.Message, path: Path) -> tuple[TagValue, ...]:
        """The values that a payload may have at a path, where that is one of a few; else none."""
        if not path:
            return ()
        found = constants.of(message.payload.type, self.definitions, nested=len(path) > 1).get(path)
        return found.values if found is not None and found.required else ()


@dataclass(frozen=True)
class Pairs:
    """Two versions of an API, and what of one is what of the other."""

    old: Version
    new: Version

    @cached_property
    def servers(self) -> Matched[ir.Server]:
        """Servers: by what clients connect to, else by name, else by host."""
        return match(
            self.old.api.servers,
            self.new.api.servers,
            lambda server: (server.name, template(server.url)),
            lambda server: template(server.url),
            lambda server: server.name,
            lambda server: host_of(server.url),
        )

    @cached_property
    def channels(self) -> Matched[ir.Channel]:
        """Channels: by name and address, else by the whole path, the address or the name alone."""
        sides = {id(channel): version for version in (self.old, self.new) for channel in version.api.channels}

        def address(channel: ir.Channel) -> Hashable | None:
            return None if channel.address is None else template(channel.address)

        return match(
            self.old.api.channels,
            self.new.api.channels,
            lambda channel: (channel.name, address(channel)),
            lambda channel: sides[id(channel)].paths(channel) or None,
            address,
            lambda channel: channel.name,
        )

    def messages(self, old: ir.Channel, new: ir.Channel, side: ir.Direction) -> Matched[ir.Message]:
        """What one side may send on a channel: by name and tag, by tag, by name, else by the shape of payloads."""
        before, after = self.old.dispatches.get((old.name, side)), self.new.dispatches.get((new.name, side))
        choices = [list(found.choices) if found is not None else [] for found in (before, after)]
        path = before.path if before is not None else ()
        # What the new messages have at the place that the old ones are told apart by; else what they are told apart by.
        tags = {id(choice): (choice.values, choice.seconds) for choice in choices[0]}
        for choice in choices[1]:
            values = self.new.tags(choice.message, path)
            tags[id(choice)] = (values or choice.values, choice.seconds)
        versions = {
            id(one): version for found, version in zip(choices, (self.old, self.new), strict=True) for one in found
        }

        def tag(choice: dispatch.Choice) -> Hashable | None:
            values, seconds = tags[id(choice)]
            return (frozenset(values), frozenset(seconds)) if values else None

        def shape(choice: dispatch.Choice) -> Hashable | None:
            return None if tags[id(choice)][0] else _shape(choice.message, versions[id(choice)])

        matched = match(
            choices[0],
            choices[1],
            lambda choice: (choice.message.name, tag(choice)),
            tag,
            lambda choice: choice.message.name,
            shape,
        )
        return Matched(
            tuple((one.message, other.message) for one, other in matched.pairs),
            tuple(choice.message for choice in matched.removed),
            tuple(choice.message for choice in matched.added),
        )


def _shape(message: ir.Message, version: Version) -> Hashable:
    """What a payload looks like from afar: how it travels, what it is, and its properties."""
    record = walk.resolve(message.payload.type, version.definitions)
    fields = record.fields if isinstance(record, ir.Record) else ()
    properties = frozenset((one.wire_name, one.required) for one in fields)
    return message.payload.content, dispatch.json_type(message, version.definitions), properties
