"""Servers of OpenAPI, as the WebSocket servers that they stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity
from sockspec.spec.openapi.endpoints import Endpoint, applying
from sockspec.spec.openapi.parameters import as_text
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.text import quoted

SERVER_READ_AS_WEBSOCKET = Code(
    "server-read-as-websocket",
    Severity.INFO,
    "The server of a WebSocket endpoint has an `http` or `https` url, as is usual beside ordinary paths. The endpoint "
    "is at the same place under `ws` or `wss` (RFC 6455, section 3).",
)
SERVER_WITHOUT_HOST = Code(
    "server-without-host",
    Severity.INFO,
    "The url of a server is relative, that is to the place that the document was served from, which is not known here. "
    "Its path is kept; clients have to be told the host.",
)
SERVER_NOT_UNDERSTOOD = Code(
    "server-not-understood",
    Severity.WARNING,
    "The url of a server is not `ws`, `wss`, `http` or `https` with a host, so that no WebSocket connection can be "
    "made to it. It is left out.",
)

_URL = re.compile(r"(wss?|https?)://([^/?#\s]+)([^?#\s]*)", re.IGNORECASE)
_LEADING_VARIABLE = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an endpoint is served: by which servers, and below which path of an unknown host."""

    servers: tuple[str, ...]
    prefix: str = ""


class Servers:
    """The servers of a document, each with a name of its own."""

    def __init__(self, documents: Documents, report: Report) -> None:
        self._documents = documents
        self._report = report
        self._found: dict[tuple[object, ...], ir.Server] = {}
        self._names: set[str] = set()

    def of(self, endpoint: Endpoint) -> Placed:
        """The servers that an endpoint has: the `ws(s)` ones where there are such, else the `http(s)` ones."""
        listed = applying((*endpoint.sources, self._documents.root))
        if listed is None:
            return Placed(())
        nodes = [node for node in listed.elements() if isinstance(node.value, dict)]
        urls = [self._url(node) for node in nodes]
        has_websocket = any(url.lower().startswith("ws") for url in urls)
        prefix = ""
        names: list[str] = []
        for node, url in zip(nodes, urls, strict=True):
            if has_websocket and not url.lower().startswith("ws"):
                continue
            if url.startswith("/") and not url.startswith("//"):
                prefix = prefix or url.partition("?")[0].rstrip("/")
                message = f"the server {quoted(url)} names no host; clients have to be told"
                self._report.add(SERVER_WITHOUT_HOST.at(node.location, message))
            elif (server := self._server(node, url)) is not None:
                names.append(self._name(server))
        return Placed(tuple(dict.fromkeys(names)), "" if names else prefix)

    def all(self) -> tuple[ir.Server, ...]:
        """The servers that endpoints have, in the order in which they were met."""
        return tuple(self._found.values())

    def _url(self, node: Node) -> str:
        """The url of a server. A variable in the place of the scheme or of the whole is given its default."""
        url = node.text("url").strip() or "/"
        leading = _LEADING_VARIABLE.match(url)
        variable = (node.get("variables") or node).get(leading[1]) if leading is not None else None
        default = variable.text("default") if variable is not None else ""
        if leading is not None and (default.lower() in ("ws", "wss", "http", "https") or "://" in default):
            return default + url[leading.end() :]
        return url

    def _server(self, node: Node, url: str) -> ir.Server | None:
        parts = _URL.fullmatch(url.partition("?")[0].partition("#")[0])
        if parts is None:
            message = f"{quoted(url)} is not the url of a WebSocket server; 'wss://host/path' was expected"
            self._report.add(SERVER_NOT_UNDERSTOOD.at((node.get("url") or node).location, message))
            return None
        scheme = parts[1].lower()
        websocket = {"http": "ws", "https": "wss"}.get(scheme, scheme)
        address = f"{websocket}://{parts[2]}{parts[3].rstrip('/')}"
        if websocket != scheme:
            message = f"{quoted(url)} is read as {quoted(address)}, since the endpoint is WebSocket"
            self._report.add(SERVER_READ_AS_WEBSOCKET.at((node.get("url") or node).location, message))
        return ir.Server(
            "", address, node.location, self._variables(node, address), (), node.text("name"), node.text("description")
        )

    def _variables(self, node: Node, address: str) -> tuple[ir.Parameter, ...]:
        declared = dict((node.get("variables") or Node({}, node.document, node.pointer)).items())
        return tuple(
            self._variable(name, declared.get(name), node) for name in dict.fromkeys(_LEADING_VARIABLE.findall(address))
        )

    def _variable(self, name: str, node: Node | None, server: Node) -> ir.Parameter:
        if node is None:
            return ir.Parameter(name, ir.Scalar(ir.Kind.STRING), server.location)
        enum, default = node.get("enum"), node.get("default")
        values = tuple(as_text(one.value) for one in enum.elements()) if enum is not None else ()
        return ir.Parameter(
            name,
            ir.Constant(values) if values else ir.Scalar(ir.Kind.STRING),
            node.key_location,
            description=node.text("description"),
            default=as_text(default.value) if default is not None else None,
            values=values,
        )

    def _name(self, server: ir.Server) -> str:
        """The name of a server: its own (OpenAPI 3.2), else `default`, and numbers after that."""
        variables = tuple((one.wire_name, one.default, one.values) for one in server.variables)
        key = (server.url, server.title, variables)
        if key not in self._found:
            name = server.title or ("server" if self._found else "default")
            number = len(self._found) + 1
            while name in self._names or name == "server":
                name = f"{server.title or 'server'}{number}"
                number += 1
            self._names.add(name)
            self._found[key] = replace(server, name=name)
        return self._found[key].name
