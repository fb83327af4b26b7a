"""Channels: the endpoints that clients connect to, and subscriptions that share one endpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from sockspec import ir
from sockspec.diagnostics import Code, Location, Report, Severity
from sockspec.schema import SchemaReader
from sockspec.spec import heartbeats, limits
from sockspec.spec.asyncapi import handshake
from sockspec.spec.asyncapi.address import PARAMETER, fixed_part, is_absolute, is_path, split
from sockspec.spec.asyncapi.parameters import fixed_or_named, string_parameter, typed_parameter
from sockspec.spec.asyncapi.servers import Servers
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.text import quoted

CHANNELS_ARE_SUBSCRIPTIONS = Code(
    "channels-are-subscriptions",
    Severity.INFO,
    "The addresses of the channels are bare names and no paths, so they are taken for subscriptions inside one "
    "socket: the package has one connection, to the server's URL, with the messages of all of them. Parameters of "
    "such names are left out, since they are no part of a URL. Begin an address with `/`, or set `x-channel: "
    "endpoint`, where each channel is a path to connect to.",
)
CHANNELS_CHOSEN = Code(
    "channels-chosen",
    Severity.INFO,
    "The option `--channels` (or `channels` in pyproject.toml) says whether channels are endpoints or subscriptions "
    "inside one connection. It holds for those that do not say it with `x-channel`.",
)
BARE_ADDRESS = Code(
    "bare-address",
    Severity.INFO,
    "The address of a channel does not begin with `/`. It is taken for a path below the server's URL; set "
    "`x-channel: subscription` where it is the name of something inside a connection.",
)
PATH_REPEATED = Code(
    "path-repeated",
    Severity.WARNING,
    "The address of a channel is the path that the URL of its servers ends in already. Joined, it would stand there "
    "twice, which hardly anyone means: it is taken once. Leave it out of `pathname` or `url`, or make the address "
    "`/`.",
)
CHANNELS_SHARE_ADDRESS = Code(
    "channels-share-address",
    Severity.INFO,
    "Several channels have the same address on the same servers. A client that connects cannot say which of them it "
    "means, so they are one endpoint, with the messages of all of them.",
)
OTHER_PROTOCOL = Code(
    "channel-without-websocket",
    Severity.INFO,
    "A channel is only on servers that do not speak WebSocket, or has bindings to other protocols alone, so it is "
    "left out of the package.",
)
NO_CHANNEL = Code(
    "no-websocket-channel",
    Severity.WARNING,
    "The document has no channel that clients could connect to by WebSocket, so the package has nothing to connect to.",
)

SOCKET = "socket"
"""The name of an endpoint that stands for several channels, where its path says nothing."""
_FEW = 5


@dataclass(frozen=True, slots=True)
class Found:
    """A channel of the document: its key, the object it leads to, and its address."""

    key: str
    entry: Node
    node: Node
    address: str | None
    servers: tuple[str, ...]

    @property
    def name(self) -> str:
        """What to call it. In AsyncAPI 2 the key is the address: by the last part of it that says something."""
        if self.key != self.address:
            return self.key
        path = split(self.key).path if is_absolute(self.key) else self.key.partition("?")[0]
        words = " ".join(part for part in path.replace("{", "/").replace("}", "/").split("/") if part)
        return fixed_part(path) or words or "root"


class Channels:
    """The channels of a document, and the endpoint that each belongs to."""

    def __init__(
        self,
        documents: Documents,
        reader: SchemaReader,
        servers: Servers,
        report: Report,
        *,
        key_is_address: bool,
        meant: str | None = None,
    ) -> None:
        """`key_is_address` as in AsyncAPI 2; `meant` is what the user says that channels are which do not say it."""
        self._documents = documents
        self._reader = reader
        self._servers = servers
        self._report = report
        self._key_is_address = key_is_address
        self.found = tuple(self._find())
        self.endpoints: list[ir.Channel] = []
        self._endpoint_of: dict[tuple[Path, str], str] = {}
        if not self.found and not servers.failed:
            place = documents.root.get("channels") or documents.root
            report.add(NO_CHANNEL.at(place.key_location, "the document has no channel to connect to by WebSocket"))
        self._group(self._subscriptions(meant))

    def endpoint(self, channel: Node) -> str | None:
        """The name of the endpoint that a channel belongs to; None where it has none."""
        return self._endpoint_of.get(channel.identity)

    def connected(self, unconnected: set[tuple[Path, str]]) -> tuple[ir.Channel, ...]:
        """The endpoints, but for those that stand for these channels alone."""
        kept = {name for identity, name in self._endpoint_of.items() if identity not in unconnected}
        return tuple(channel for channel in self.endpoints if channel.name in kept)

    # --- which channels there are -----------------------------------------------------------------------------------

    def _find(self) -> Iterator[Found]:
        listed = self._documents.root.get("channels")
        for key, entry in listed.items() if listed is not None else ():
            node = self._documents.follow(entry)
            if not isinstance(node.value, dict):
                continue
            servers = self._servers.names(node.get("servers"))
            is_bound = handshake.binding(self._documents, node) is not None
            if not is_bound and (servers is None or self._is_bound_elsewhere(node)):
                message = f"the channel {quoted(key)} is not reached by WebSocket, and left out"
                self._report.add(OTHER_PROTOCOL.at(entry.key_location, message))
                continue
            address = node.get("address")
            written = address.value if address is not None and isinstance(address.value, str) else None
            yield Found(key, entry, node, key if self._key_is_address else written, servers or ())

    def _is_bound_elsewhere(self, channel: Node) -> bool:
        """Whether nothing but bindings to other protocols says how to reach a channel."""
        bindings = channel.get("bindings")
        protocols = [key for key, _ in self._documents.follow(bindings).items()] if bindings is not None else []
        return not self._servers.all and any(not key.startswith("x-") for key in protocols)

    def _subscriptions(self, meant: str | None) -> set[int]:
        """Which channels are subscriptions inside a connection: those that say so, or all where none has a path.

        What the user says holds for all that do not say it themselves. A channel without an address is like those
        around it, and a connection of its own where it is alone.
        """
        said = [one.node.text("x-channel") for one in self.found]
        unsaid = [at for at, word in enumerate(said) if word not in ("endpoint", "subscription")]
        bare = [at for at in unsaid if (address := self.found[at].address) is not None and not is_path(address)]
        paths = [at for at in unsaid if (address := self.found[at].address) is not None and is_path(address)]
        chosen = {at for at, word in enumerate(said) if word == "subscription"}
        if meant is not None:
            if unsaid:
                what = "an endpoint" if meant == "endpoints" else "a subscription inside one socket"
                message = f"as was chosen, each channel without 'x-channel' is {what}"
                self._report.add(CHANNELS_CHOSEN.at(self.found[unsaid[0]].entry.key_location, message))
            return chosen.union(unsaid) if meant == "subscriptions" else chosen
        if bare and not paths:
            chosen.update(unsaid)
            shown = ", ".join(quoted(self.found[at].address or self.found[at].key) for at in bare[:_FEW])
            more = f" and {len(bare) - _FEW} more" if len(bare) > _FEW else ""
            what = "is no path, and so a subscription" if len(bare) == 1 else "are no paths, and so subscriptions"
            message = f"{shown}{more} {what} inside one socket to the server's URL"
            self._report.add(CHANNELS_ARE_SUBSCRIPTIONS.at(self.found[bare[0]].entry.key_location, message))
        return chosen

    # --- endpoints --------------------------------------------------------------------------------------------------

    def _group(self, subscriptions: set[int]) -> None:
        """Make one endpoint of the channels that share an address; subscriptions join the only endpoint there is."""
        channels = [self._channel(one, at in subscriptions) for at, one in enumerate(self.found)]
        places: list[object] = [
            (one.address, one.servers) if one.address is not None else at for at, one in enumerate(channels)
        ]
        endpoints = {place for at, place in enumerate(places) if at not in subscriptions}
        groups: dict[object, list[int]] = {}
        for at, place in enumerate(places):
            joined = next(iter(endpoints)) if at in subscriptions and len(endpoints) == 1 else place
            groups.setdefault(joined, []).append(at)
        names: dict[str, None] = {}
        for members in groups.values():
            of_their_own = [at for at in members if at not in subscriptions]
            first = channels[(of_their_own or members)[0]]
            if len(of_their_own) > 1:
                self._report_shared(first, [self.found[at] for at in of_their_own])
            if len(members) > 1 and len(of_their_own) != 1:
                name = fixed_part(self._path(first)) or SOCKET
                first = replace(first, name=name, title="", summary="", description="")
            name = _free(first.name, names)
            names[name] = None
            self.endpoints.append(replace(_together(first, [channels[at] for at in members]), name=name))
            for one in (self.found[at] for at in members):
                self._endpoint_of.update(dict.fromkeys((one.entry.identity, one.node.identity), name))

    def _path(self, channel: ir.Channel) -> str:
        """The path of a channel, with that of its servers where they have one in common."""
        bases = {_path_of(server) for server in self._servers.of(channel.servers)}
        return f"{bases.pop() if len(bases) == 1 else ''}{channel.address or ''}"

    def _report_shared(self, first: ir.Channel, members: list[Found]) -> None:
        shown = ", ".join(quoted(one.key) for one in members[:_FEW])
        more = f" and {len(members) - _FEW} more" if len(members) > _FEW else ""
        message = f"{shown}{more} have the same address {quoted(first.address or '/')}, and are one endpoint"
        self._report.add(CHANNELS_SHARE_ADDRESS.at(members[0].entry.key_location, message))

    def _channel(self, one: Found, is_subscription: bool) -> ir.Channel:
        """One channel as an endpoint of its own, where it is none at the URL of its servers."""
        said = handshake.read(self._documents, one.node, self._reader, self._report)
        address: str | None = ""
        parameters: tuple[ir.Parameter, ...] = ()
        query: tuple[ir.Parameter, ...] = ()
        if not is_subscription:
            address, parameters, query = self._placed(one)
        queries = [self._servers.queries[server.name] for server in self._servers.of(one.servers)]
        return ir.Channel(
            one.name,
            address,
            one.entry.key_location,
            one.node.text("title"),
            one.node.text("summary"),
            one.node.text("description"),
            one.servers,
            parameters,
            _once((*said.query, *query, *chain.from_iterable(queries))),
            said.headers,
            said.subprotocols,
            said.close_codes,
            limits=limits.read(one.node, self._report, of_endpoint=True),
            heartbeat=heartbeats.read(one.node, self._report),
        )

    def _placed(self, one: Found) -> tuple[str | None, tuple[ir.Parameter, ...], tuple[ir.Parameter, ...]]:
        """The path of an endpoint, its parameters, and those of a query that is written in the address."""
        if one.address is None:
            return None, (), ()
        place = one.node.get("address") or one.entry
        url = split(one.address, has_host=is_absolute(one.address))
        path = url.path if not url.path or url.path.startswith("/") else f"/{url.path}"
        where = place.key_location if self._key_is_address else place.location
        if path != url.path:
            self._report.add(BARE_ADDRESS.at(where, f"the address {quoted(one.address)} is read as {quoted(path)}"))
        listed = one.node.get("parameters")
        declared = dict(listed.items()) if listed is not None else {}
        texts = (path, *(value for _, value in url.query))
        used = dict.fromkeys(name for text in texts for name in PARAMETER.findall(text))
        known = {name: self._parameter(name, declared.get(name), where) for name in used}
        query = tuple(fixed_or_named(name, value, known, where) for name, value in url.query)
        parameters = tuple(known[name] for name in dict.fromkeys(PARAMETER.findall(path)))
        servers = self._servers.of(one.servers)
        if path.strip("/") and servers and all(_path_of(server) == path.rstrip("/") for server in servers):
            message = f"the address {quoted(one.address)} is the path of the server's URL already, and is taken once"
            self._report.add(PATH_REPEATED.at(where, message, hint="write '/' as the address"))
            path = ""
        return "" if path == "/" else path, parameters, query

    def _parameter(self, name: str, node: Node | None, where: Location) -> ir.Parameter:
        if node is None:
            return ir.Parameter(name, ir.Scalar(ir.Kind.STRING), where)
        definition = self._documents.follow(node)
        schema = definition.get("schema") or definition.get("x-schema")
        if schema is None:
            return string_parameter(name, definition, node)
        parameter = typed_parameter(name, schema, node, self._documents, self._reader)
        return replace(parameter, description=definition.text("description") or parameter.description)


def _path_of(server: ir.Server) -> str:
    host_and_path = server.url.partition("://")[2]
    return host_and_path[len(host_and_path.partition("/")[0]) :]


def _together(first: ir.Channel, channels: list[ir.Channel]) -> ir.Channel:
    """One endpoint with the handshakes of several channels."""
    return replace(
        first,
        parameters=_once(parameter for one in channels for parameter in one.parameters),
        query=_once(parameter for one in channels for parameter in one.query),
        headers=_once(parameter for one in channels for parameter in one.headers),
        subprotocols=tuple(dict.fromkeys(name for one in channels for name in one.subprotocols)),
        close_codes=tuple({code.code: code for one in reversed(channels) for code in one.close_codes}.values()),
        limits=tuple({name: (name, most) for one in reversed(channels) for name, most in one.limits}.values()),
    )


def _once(parameters: Iterable[ir.Parameter]) -> tuple[ir.Parameter, ...]:
    """The parameters, the first of each name."""
    found: dict[str, ir.Parameter] = {}
    for parameter in parameters:
        found.setdefault(parameter.wire_name, parameter)
    return tuple(found.values())


def _free(name: str, taken: dict[str, None]) -> str:
    claimed, number = name, 2
    while claimed in taken:
        claimed, number = f"{name} {number}", number + 1
    return claimed
