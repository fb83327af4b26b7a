"""Servers: the WebSocket URLs under which the channels are found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sockspec import ir
from sockspec.diagnostics import Code, Report, Severity
from sockspec.spec.asyncapi.address import PARAMETER, Url, split
from sockspec.spec.asyncapi.parameters import fixed_or_named, string_parameter
from sockspec.spec.asyncapi.security import Security
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.text import quoted

NO_WEBSOCKET_SERVER = Code(
    "no-websocket-server",
    Severity.ERROR,
    "None of the servers speaks WebSocket, and no channel has a `ws` binding, so there is nothing to make a package "
    "of. Set the `protocol` of a server to `wss` or `ws`.",
)
NO_SERVER = Code(
    "no-server",
    Severity.INFO,
    "The document has no `servers`, so clients have to be told the URL.",
)
SCHEME_IN_HOST = Code(
    "scheme-in-host",
    Severity.WARNING,
    "The `host` of a server is a name and a port. The protocol belongs into `protocol`, a path into `pathname`, and "
    "query parameters into the `ws` bindings of channels. It is read as it is meant.",
)
SCHEME_CONTRADICTS = Code(
    "protocol-contradicts-url",
    Severity.WARNING,
    "The URL of a server begins with `ws` and its `protocol` is `wss`, or the other way round: one of them is encrypted. "
    "The URL counts.",
)
HOST_MISSING = Code(
    "host-missing",
    Severity.WARNING,
    "The URL of a server names no host, so no connection can be made to it. The server is left out.",
)
HTTP_AS_WEBSOCKET = Code(
    "http-as-websocket",
    Severity.INFO,
    "A server has the protocol `http` or `https`, and its channels have `ws` bindings or the `id` of the document is a "
    "WebSocket URL: a WebSocket begins with an HTTP request, so `ws` or `wss` is meant.",
)
_WEBSOCKET = {"ws": "ws", "wss": "wss"}
_HTTP = {"http": "ws", "https": "wss"}


class Servers:
    """The servers of a document that speak WebSocket."""

    def __init__(self, documents: Documents, security: Security, report: Report, *, bound: bool) -> None:
        """`bound` says whether a channel has a `ws` binding, which makes HTTP servers WebSocket servers."""
        self._documents = documents
        self._security = security
        self._report = report
        self._by_identity: dict[tuple[Path, str], str] = {}
        self.all: dict[str, ir.Server] = {}
        self.queries: dict[str, tuple[ir.Parameter, ...]] = {}
        """Query parameters that the URL of a server has, by its name."""
        listed = documents.root.get("servers")
        found = [(name, node, documents.follow(node)) for name, node in (listed.items() if listed is not None else ())]
        self._exist = bool(found)
        spoken = {name: self._scheme(server, _WEBSOCKET) for name, _, server in found}
        if bound and not any(spoken.values()):
            spoken = {name: self._scheme(server, _HTTP) for name, _, server in found}
        self.failed = bool(found) and not bound and not any(spoken.values())
        """Whether nothing can be made, since all servers speak something else."""
        for name, node, server in found:
            self._by_identity.setdefault(server.identity, name)
            scheme = spoken[name]
            if scheme is not None:
                self._add(name, node, server, scheme)
        if listed is None or not found:
            message = "the document has no servers; clients have to be told the URL"
            report.add(NO_SERVER.at(documents.root.location, message))
        elif self.failed:
            protocols = ", ".join(dict.fromkeys(server.text("protocol") for _, _, server in found))
            message = f"no server speaks WebSocket; the protocols are: {protocols}"
            hint = "expected a server with the protocol 'wss' or 'ws'"
            report.add(NO_WEBSOCKET_SERVER.at(listed.key_location, message, hint=hint))

    def names(self, listed: Node | None) -> tuple[str, ...] | None:
        """The servers that a channel lists; none listed means all. None when no WebSocket server is left."""
        if listed is None or not listed.value:
            return None if self._exist and not self.all and not self.failed else ()
        found: list[str] = []
        for item in listed.elements():
            if isinstance(item.value, str):
                found.append(item.value)
            else:
                found.append(self._by_identity.get(self._documents.follow(item).identity, ""))
        kept = tuple(dict.fromkeys(name for name in found if name in self.all))
        return kept if kept or self.failed or not self._exist else None

    def of(self, names: tuple[str, ...]) -> list[ir.Server]:
        """The servers of these names; all of them where there are no names."""
        return [self.all[name] for name in names or self.all]

    def _scheme(self, server: Node, schemes: dict[str, str]) -> str | None:
        """What to write before the host of a server; None where it speaks something else."""
        written = split(server.text("url") or server.text("host")).scheme
        return schemes.get(written) or schemes.get(server.text("protocol").lower())

    def _add(self, name: str, node: Node, server: Node, scheme: str) -> None:
        place = server.get("url") or server.get("host") or server
        url = split(str(place.value) if isinstance(place.value, str) else "")
        pathname = split(server.text("pathname"), has_host=False)
        path = "/".join(["", *(part for part in (url.path.strip("/"), pathname.path.strip("/")) if part)])
        if not url.host:
            message = f"the server {quoted(name)} names no host"
            self._report.add(HOST_MISSING.at(place.location, message, hint="write 'host.example.com'"))
            return
        protocol = server.text("protocol").lower()
        if protocol in _HTTP and url.scheme not in _WEBSOCKET:
            message = f"the server {quoted(name)} has {quoted(protocol)}, read as {quoted(scheme)}"
            self._report.add(HTTP_AS_WEBSOCKET.at(node.key_location, message))
        is_host = server.get("url") is None
        self._check(place, url, is_host=is_host)
        said = server.get("protocol")
        if said is not None and not is_host and {protocol, url.scheme} == {"ws", "wss"}:
            message = (
                f"the protocol is {quoted(protocol)}, and the URL {quoted(str(place.value))} has {quoted(url.scheme)}"
            )
            self._report.add(SCHEME_CONTRADICTS.at(said.location, message))
        address = f"{scheme}://{url.host}{path}".rstrip("/")
        query = (*url.query, *pathname.query)
        variables = {one.wire_name: one for one in self._variables(server, address, [value for _, value in query])}
        used = PARAMETER.findall(address)
        self.queries[name] = tuple(fixed_or_named(key, value, variables, place.location) for key, value in query)
        self.all[name] = ir.Server(
            name,
            address,
            node.key_location,
            tuple(variables[key] for key in dict.fromkeys(used)),
            self._security.of(server.get("security")),
            server.text("title"),
            server.text("description") or server.text("summary"),
        )

    def _check(self, place: Node, url: Url, *, is_host: bool) -> None:
        """Report what does not belong into a host."""
        parts = {"scheme": url.scheme, "path": url.path.strip("/"), "query": url.query, "fragment": url.fragment}
        wrong = [what for what, part in parts.items() if part and is_host]
        if wrong:
            message = f"the host {quoted(str(place.value))} has a {' and a '.join(wrong)}"
            self._report.add(SCHEME_IN_HOST.at(place.location, message, hint=f"write {quoted(url.host)}"))

    def _variables(self, server: Node, address: str, values: list[str]) -> Iterator[ir.Parameter]:
        """The variables that the URL has, in its order."""
        listed = server.get("variables")
        declared = dict(listed.items()) if listed is not None else {}
        for name in dict.fromkeys(PARAMETER.findall(" ".join([address, *values]))):
            node = declared.get(name)
            if node is not None:
                yield string_parameter(name, self._documents.follow(node), node)
                continue
            place = server.get("url") or server.get("host") or server
            yield ir.Parameter(name, ir.Scalar(ir.Kind.STRING), place.location)
