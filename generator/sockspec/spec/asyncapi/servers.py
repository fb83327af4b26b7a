"""Servers: the WebSocket URLs under which the channels are found."""

from __future__ import annotations

import re
from pathlib import Path

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity
from sockspec.spec.asyncapi.security import Security
from sockspec.spec.resolve import Documents, Node

NO_WEBSOCKET_SERVER = Code(
    "no-websocket-server",
    Severity.ERROR,
    "None of the servers speaks WebSocket, and no channel has a `ws` binding, so there is nothing to make a package of. "
    "Set the `protocol` of a server to `wss` or `ws`.",
)
SCHEME_IN_HOST = Code(
    "scheme-in-host",
    Severity.WARNING,
    "The `host` of a server is a name and a port. The protocol belongs into `protocol`, and a path into `pathname`.",
)
HTTP_AS_WEBSOCKET = Code(
    "http-as-websocket",
    Severity.INFO,
    "A server has the protocol `http` or `https` and its channels have `ws` bindings: a WebSocket begins with an HTTP "
    "request, so `ws` or `wss` is meant.",
)

_WEBSOCKET = {"ws": "ws", "wss": "wss"}
_HTTP = {"http": "ws", "https": "wss"}
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")


class Servers:
    """The servers of a document that speak WebSocket."""

    def __init__(self, documents: Documents, security: Security, report: Report, *, bound: bool) -> None:
        """`bound` says whether a channel has a `ws` binding, which makes HTTP servers WebSocket servers."""
        self._documents = documents
        self._security = security
        self._report = report
        self._schemes = _WEBSOCKET | (_HTTP if bound else {})
        self._by_identity: dict[tuple[Path, str], str] = {}
        self.all: dict[str, ir.Server] = {}
        self.others: list[str] = []
        """Names of the servers that speak something else."""
        listed = documents.root.get("servers")
        protocols: dict[str, None] = {}
        for name, node in listed.items() if listed is not None else ():
            server = documents.follow(node)
            self._by_identity[server.identity] = name
            protocol = server.text("protocol").lower()
            scheme = self._schemes.get(protocol)
            protocols[protocol] = None
            if scheme is None:
                self.others.append(name)
                continue
            if protocol in _HTTP:
                report.add(
                    HTTP_AS_WEBSOCKET.at(node.key_location, f"the server {name!r} has {protocol!r}, read as {scheme!r}")
                )
            self.all[name] = self._server(name, node, server, scheme)
        if not self.all and listed is not None and protocols and not bound:
            spoken = ", ".join(protocols)
            report.add(
                NO_WEBSOCKET_SERVER.at(
                    listed.key_location,
                    f"no server speaks WebSocket; the protocols are: {spoken}",
                    hint="expected a server with the protocol 'wss' or 'ws'",
                )
            )

    def names(self, listed: Node | None) -> tuple[str, ...] | None:
        """The servers that a channel's `servers` lists; none listed means all. None when no WebSocket server is left."""
        if listed is None or not listed.value:
            return ()
        found: list[str] = []
        for item in listed.elements():
            if isinstance(item.value, str):
                found.append(item.value)
            else:
                found.append(self._by_identity.get(self._documents.follow(item).identity, ""))
        kept = tuple(name for name in found if name in self.all)
        return kept if kept or not self.all else None

    def _server(self, name: str, node: Node, server: Node, scheme: str) -> ir.Server:
        url = server.text("url") or server.text("host") + _path(server.text("pathname"))
        written = _SCHEME.match(url)
        if written is not None:
            url = url[written.end() :]
            if server.get("host") is not None:
                place = server.get("host") or server
                self._report.add(SCHEME_IN_HOST.at(place.location, f"the host {place.value!r} has a scheme"))
        variables = server.get("variables")
        return ir.Server(
            name,
            f"{scheme}://{url.rstrip('/')}",
            node.key_location,
            tuple(self._variable(key, one) for key, one in variables.items()) if variables is not None else (),
            self._security.of(server.get("security")),
            server.text("title"),
            server.text("description") or server.text("summary"),
        )

    def _variable(self, name: str, node: Node) -> ir.Parameter:
        return string_parameter(name, self._documents.follow(node), node)


def string_parameter(name: str, definition: Node, place: Node) -> ir.Parameter:
    """A server variable, or a channel's parameter as AsyncAPI 3 has it: always a string."""
    values = scalars(definition.get("enum"))
    default = definition.get("default")
    return ir.Parameter(
        name,
        ir.Constant(values) if values else ir.Scalar(ir.Kind.STRING),
        place.key_location,
        description=definition.text("description"),
        default=written(default.value) if default is not None else None,
        values=values,
        examples=scalars(definition.get("examples")),
    )


def scalars(node: Node | None) -> tuple[str, ...]:
    """The values of a list, as text."""
    return tuple(written(item.value) for item in node.elements()) if node is not None else ()


def written(value: object) -> str:
    """A scalar as it is written in a URL."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _path(path: str) -> str:
    return path if not path or path.startswith("/") else f"/{path}"
