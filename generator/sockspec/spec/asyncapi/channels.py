"""Channels: the endpoints that clients connect to, and subscriptions that share one endpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity
from sockspec.schema import SchemaReader
from sockspec.spec.asyncapi.servers import Servers, string_parameter
from sockspec.spec.resolve import Documents, Node

CHANNELS_ARE_SUBSCRIPTIONS = Code(
    "channels-are-subscriptions",
    Severity.INFO,
    "The addresses of the channels are bare names and no paths, so they are taken for subscriptions inside one socket: "
    "the package has one connection, to the server's URL, with the messages of all of them. Begin an address with `/`, "
    "or set `x-channel: endpoint`, where each channel is a path to connect to.",
)
BARE_ADDRESS = Code(
    "bare-address",
    Severity.INFO,
    "The address of a channel does not begin with `/`. It is taken for a path below the server's URL; set "
    "`x-channel: subscription` where it is the name of something inside a connection.",
)
UNDECLARED_PARAMETER = Code(
    "undeclared-parameter",
    Severity.WARNING,
    "The address of a channel has a parameter that `parameters` does not describe. It is taken for a string.",
)
UNUSED_PARAMETER = Code(
    "unused-parameter",
    Severity.WARNING,
    "A channel describes a parameter that its address does not have.",
)
HANDSHAKE_IS_GET = Code(
    "handshake-is-get",
    Severity.WARNING,
    "The handshake of a WebSocket is a GET request (RFC 6455, section 4.1), whatever the binding says.",
)
OTHER_PROTOCOL = Code(
    "channel-without-websocket",
    Severity.INFO,
    "A channel is only on servers that do not speak WebSocket, so it is left out of the package.",
)

_PARAMETER = re.compile(r"\{([^{}]*)\}")
SOCKET = "socket"
"""The name of the one channel that stands for all subscriptions."""


@dataclass(frozen=True, slots=True)
class Found:
    """A channel of the document: its key, the object it leads to, and its address."""

    key: str
    node: Node
    address: str | None
    servers: tuple[str, ...]
    binding: Node | None
    """Its binding to WebSocket."""

    @property
    def name(self) -> str:
        """What to call it; where the key is the address, the last part of that which says something."""
        if self.key != self.address:
            return self.key
        fixed = [_PARAMETER.sub("", part).strip(".-_:") for part in self.key.split("/")]
        telling = [part for part in fixed if any(c.isalnum() for c in part) and not re.fullmatch(r"v[\d.]+", part)]
        return telling[-1] if telling else " ".join(re.findall(r"[^/{}]+", self.key)) or "root"


def has_binding(documents: Documents) -> bool:
    """Whether a channel of the document is bound to WebSocket, or the document's own `id` is the URL of one."""
    if documents.root.text("id").lower().startswith(("ws://", "wss://")):
        return True
    channels = documents.root.get("channels")
    for _, node in channels.items() if channels is not None else ():
        bindings = documents.follow(node).get("bindings")
        if bindings is not None and documents.follow(bindings).get("ws") is not None:
            return True
    return False


class Channels:
    """The channels of a document, and the endpoint that each belongs to."""

    def __init__(
        self, documents: Documents, reader: SchemaReader, servers: Servers, report: Report, *, typed_parameters: bool
    ) -> None:
        """`typed_parameters` says whether parameters have schemas, as in AsyncAPI 2."""
        self._documents = documents
        self._reader = reader
        self._servers = servers
        self._report = report
        self._typed = typed_parameters
        self.found = tuple(self._find())
        self.endpoints: list[ir.Channel] = []
        self._endpoint_of: dict[tuple[Path, str], str] = {}
        self._taken: dict[str, int] = {}
        bare = [one for one in self.found if one.address and not one.address.startswith("/") and one.binding is None]
        all_bare = bool(bare) and len(bare) == len(self.found)
        subscriptions = [one for one in self.found if self._is_subscription(one, all_bare)]
        if subscriptions:
            self._add_socket(subscriptions)
        inside = {one.key for one in subscriptions}
        for one in self.found:
            if one.key not in inside:
                self._add_endpoint(one)

    def endpoint(self, channel: Node) -> str | None:
        """The name of the endpoint that a channel belongs to; None where it has none."""
        return self._endpoint_of.get(channel.identity)

    def _find(self) -> list[Found]:
        listed = self._documents.root.get("channels")
        found: list[Found] = []
        for key, node in listed.items() if listed is not None else ():
            channel = self._documents.follow(node)
            if not isinstance(channel.value, dict):
                continue
            servers = self._servers.names(channel.get("servers"))
            if servers is None:
                self._report.add(OTHER_PROTOCOL.at(node.key_location, f"the channel {key!r} is on no WebSocket server"))
                continue
            bindings = channel.get("bindings")
            written = self._documents.follow(bindings).get("ws") if bindings is not None else None
            binding = self._documents.follow(written) if written is not None else None
            found.append(Found(key, channel, self._address(key, channel), servers, binding))
        return found

    def _address(self, key: str, channel: Node) -> str | None:
        if self._typed:
            return key
        address = channel.get("address")
        return address.value if address is not None and isinstance(address.value, str) else None

    def _is_subscription(self, one: Found, all_bare: bool) -> bool:
        said = one.node.text("x-channel")
        if said in ("endpoint", "subscription"):
            return said == "subscription"
        if not all_bare:
            return False
        return len(self.found) > 1 or any("/" in s.url.partition("://")[2] for s in self._servers.all.values())

    def _add_socket(self, subscriptions: list[Found]) -> None:
        first = subscriptions[0]
        name = first.name if len(subscriptions) == 1 else SOCKET
        listed = ", ".join(repr(one.address) for one in subscriptions[:5]) + (" …" if len(subscriptions) > 5 else "")
        self._report.add(
            CHANNELS_ARE_SUBSCRIPTIONS.at(
                first.node.key_location, f"{listed}: subscriptions inside one socket to the server's URL"
            )
        )
        described = first.node if len(subscriptions) == 1 else Node({}, first.node.document, first.node.pointer)
        self.endpoints.append(
            ir.Channel(
                name,
                "",
                first.node.key_location,
                described.text("title"),
                described.text("summary"),
                described.text("description"),
            )
        )
        self._endpoint_of.update((one.node.identity, name) for one in subscriptions)

    def _add_endpoint(self, one: Found) -> None:
        name = self._free_name(one.name)
        self._endpoint_of[one.node.identity] = name
        address = one.address
        if address and not address.startswith("/"):
            self._report.add(BARE_ADDRESS.at(one.node.key_location, f"the address {address!r} is taken for a path"))
            address = f"/{address}"
        query, headers = self._handshake(one)
        extension = self._extension(one)
        self.endpoints.append(
            ir.Channel(
                name,
                "" if address == "/" else address,
                one.node.key_location,
                one.node.text("title"),
                one.node.text("summary"),
                one.node.text("description"),
                one.servers,
                tuple(self._parameters(one, address or "")),
                query,
                headers,
                tuple(str(item.value) for item in _elements(extension.get("subprotocols"))),
                tuple(_close_codes(extension.get("closeCodes"))),
            )
        )

    def _free_name(self, wanted: str) -> str:
        name = wanted
        while name in self._taken:
            self._taken[wanted] += 1
            name = f"{wanted} {self._taken[wanted]}"
        self._taken[name] = 1
        return name

    def _parameters(self, one: Found, address: str) -> list[ir.Parameter]:
        described = one.node.get("parameters")
        known = dict(described.items()) if described is not None else {}
        used = list(dict.fromkeys(_PARAMETER.findall(address)))
        for name in used:
            if name not in known:
                message = f"the address {address!r} has the parameter {name!r}, which is not described"
                self._report.add(UNDECLARED_PARAMETER.at(one.node.key_location, message))
        for name, node in known.items():
            if name not in used:
                message = f"the parameter {name!r} is not in the address {one.address!r}"
                self._report.add(UNUSED_PARAMETER.at(node.key_location, message))
        return [self._parameter(name, known.get(name), one.node) for name in used]

    def _parameter(self, name: str, node: Node | None, channel: Node) -> ir.Parameter:
        if node is None:
            return ir.Parameter(name, ir.Scalar(ir.Kind.STRING), channel.key_location)
        definition = self._documents.follow(node)
        schema = definition.get("schema")
        if schema is None:
            return string_parameter(name, definition, node)
        return self._typed_parameter(name, schema, node, definition.text("description"), required=True)

    def _typed_parameter(
        self, name: str, schema: Node, place: Node, description: str, *, required: bool
    ) -> ir.Parameter:
        about = self._documents.follow(schema)
        plain = string_parameter(name, about, place)
        described = description or plain.description
        return replace(plain, type=self._reader.parameter(schema), required=required, description=described)

    def _handshake(self, one: Found) -> tuple[tuple[ir.Parameter, ...], tuple[ir.Parameter, ...]]:
        binding = one.binding
        if binding is None:
            return (), ()
        method = binding.get("method")
        if method is not None and method.value != "GET":
            self._report.add(HANDSHAKE_IS_GET.at(method.location, f"the method {method.value!r} is not GET"))
        return self._members(binding.get("query")), self._members(binding.get("headers"))

    def _members(self, schema: Node | None) -> tuple[ir.Parameter, ...]:
        if schema is None:
            return ()
        schema = self._documents.follow(schema)
        properties, required = schema.get("properties"), schema.get("required")
        needed = required.value if required is not None and isinstance(required.value, list) else []
        return tuple(
            self._typed_parameter(name, node, node, node.text("description"), required=name in needed)
            for name, node in (properties.items() if properties is not None else ())
        )

    def _extension(self, one: Found) -> Mapping[str, Node]:
        found: dict[str, Node] = {}
        for holder in (one.node, one.binding):
            for key in ("x-websocket", "x-ws"):
                extension = holder.get(key) if holder is not None else None
                if extension is not None:
                    found.update(self._documents.follow(extension).items())
        return found


def _elements(node: Node | None) -> list[Node]:
    return list(node.elements()) if node is not None else []


def _close_codes(node: Node | None) -> list[ir.CloseCode]:
    codes: list[ir.CloseCode] = []
    for code, meaning in node.items() if node is not None else ():
        if code.isascii() and code.isdigit() and len(code) == 4 and 1000 <= int(code) <= 4999:
            words = meaning.value if isinstance(meaning.value, str) else meaning.text("description")
            codes.append(ir.CloseCode(int(code), words))
    return codes
