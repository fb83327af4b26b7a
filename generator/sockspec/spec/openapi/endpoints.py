"""Which paths of an OpenAPI document are WebSocket endpoints.

OpenAPI has no word for them. A path is one where an operation has a `101` response, an extension for WebSocket
(`x-websocket`, `x-ws`, `x-dropshot-websocket`, `x-protocol: websocket`) or an `Upgrade` header, where the path item has
such an extension, and where all servers that apply are `ws(s)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sockspec.diagnostics import Code, Location, Report, Severity
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.text import quoted

NO_ENDPOINT = Code(
    "no-websocket-endpoint",
    Severity.ERROR,
    "No path of the OpenAPI document is a WebSocket endpoint, so there is nothing to generate. A path is one if its "
    "`get` operation has a `101` response or the extension `x-websocket`, or if its server is `ws://` or `wss://`.",
)
HANDSHAKE_MUST_BE_GET = Code(
    "handshake-must-be-get",
    Severity.WARNING,
    "A WebSocket handshake is a GET request (RFC 6455, section 4.1), and the document puts it under another method. It "
    "is read as `get`; other tools will not find it.",
)
NOT_WEBSOCKET = Code(
    "http-left-out",
    Severity.INFO,
    "The document also describes ordinary HTTP operations or webhooks. They are left out of what is generated.",
)

_SHOWN = 3
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_EXTENSION = re.compile(r"x-(?:web-?socket(?:s(?=-|$))?|ws(?=-|$))-?(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path to which WebSocket connections are made."""

    path: str
    location: Location
    items: tuple[Node, ...]
    """The path item, and what it refers to; the nearer wins."""
    method: str = ""
    operation: Node | None = None
    """The operation that is the handshake; None where only the path item speaks of WebSocket."""
    extensions: tuple[tuple[str, Node], ...] = ()
    """What stands in its extensions, by the rest of their names: `messages` for `x-websocket-messages`."""

    @property
    def sources(self) -> tuple[Node, ...]:
        """Where keywords of the endpoint stand; the nearer come first and win."""
        return self.items if self.operation is None else (self.operation, *self.items)

    def text(self, keyword: str) -> str:
        """The text of a keyword of the operation or the path item."""
        return next((text for source in self.sources if (text := source.text(keyword))), "")


def extensions(node: Node) -> Iterator[tuple[str, Node]]:
    """The extensions for WebSocket of a value, by the rest of their names."""
    for key, value in node.items():
        named = _EXTENSION.fullmatch(key)
        if named is not None:
            yield named[1].lower(), value


def find(documents: Documents, report: Report) -> tuple[Endpoint, ...]:
    """The endpoints of a document, in its order. That there is none is an error."""
    root = documents.root
    paths = root.get("paths") or Node({}, root.document, root.pointer)
    by_path = {
        path: (name, node) for name, value in extensions(root) for path, node in value.items() if path.startswith("/")
    }
    found: list[Endpoint] = []
    left_out: list[str] = []
    for path, item in paths.items():
        if not path.startswith("/"):
            continue
        endpoint, http = _endpoint(documents, report, path, item, by_path.pop(path, None))
        found += [endpoint] if endpoint is not None else []
        left_out += [f"{method} {path}" for method in http]
    found += [Endpoint(path, said[1].key_location, (), extensions=(said,)) for path, said in by_path.items()]
    webhooks = root.get("webhooks")
    if not found:
        _report_none(report, root.get("paths") or webhooks or root, bool(left_out))
        return ()
    if left_out:
        _report_left_out(report, paths, left_out)
    if webhooks is not None and isinstance(webhooks.value, dict) and webhooks.value:
        message = "webhooks are HTTP requests to a client's own server, and are left out"
        report.add(NOT_WEBSOCKET.at(webhooks.key_location, message))
    return tuple(found)


def _endpoint(
    documents: Documents, report: Report, path: str, item: Node, by_path: tuple[str, Node] | None
) -> tuple[Endpoint | None, list[str]]:
    """A path as an endpoint, if it is one, and the methods that are ordinary HTTP."""
    end = documents.follow(item)
    items = (item,) if end.identity == item.identity else (item, end)
    operations = dict(_operations(documents, items))
    speaking = [*extensions_of(items), *([by_path] if by_path is not None else [])]
    is_marked = any(_is_said(value) for _, value in speaking)
    marked = [method for method, node in operations.items() if _is_handshake(documents, node, items)]
    if not marked and not is_marked:
        return None, [*operations]
    method = next(iter(marked or operations), "")
    method = "get" if "get" in (marked or operations) else method
    operation = operations.get(method)
    for other in marked or ([method] if method else []):
        if other != "get":
            also = f"; {quoted(method)} of the same path is generated" if other != method else ""
            report.add(
                HANDSHAKE_MUST_BE_GET.at(
                    operations[other].key_location,
                    f"a WebSocket handshake cannot be {quoted(other)}{also or '; it is generated as GET'}",
                    hint="move the operation to 'get'",
                )
            )
    own = tuple(extensions(operation)) if operation is not None else ()
    http = [other for other in operations if other != method and other not in marked]
    return Endpoint(path, item.key_location, items, method, operation, (*own, *speaking)), http


def extensions_of(items: tuple[Node, ...]) -> Iterator[tuple[str, Node]]:
    """The extensions for WebSocket of a path item."""
    for item in items:
        yield from extensions(item)


def _operations(documents: Documents, items: tuple[Node, ...]) -> Iterator[tuple[str, Node]]:
    for method in _METHODS:
        node = next((node for item in items if (node := item.get(method)) is not None), None)
        if node is not None and isinstance(node.value, dict):
            yield method, node
    for item in items:
        additional = item.get("additionalOperations")
        if additional is not None:
            yield from ((method.lower(), node) for method, node in additional.items() if isinstance(node.value, dict))


def _is_said(extension: Node) -> bool:
    return extension.value is not None and extension.value is not False


def _is_handshake(documents: Documents, operation: Node, items: tuple[Node, ...]) -> bool:
    said = [value for name, value in extensions(operation) if not name]
    if any(value.value is False for value in said):
        return False
    responses = operation.get("responses")
    return (
        any(_is_said(value) for _, value in extensions(operation))
        or (responses is not None and responses.get("101") is not None)
        or operation.get("x-dropshot-websocket") is not None
        or operation.text("x-protocol").lower() in ("websocket", "websockets", "ws", "wss")
        or _has_upgrade_header(documents, operation)
        or _all_servers_are_websocket(documents, (operation, *items, documents.root))
    )


def _has_upgrade_header(documents: Documents, operation: Node) -> bool:
    parameters = operation.get("parameters")
    for parameter in parameters.elements() if parameters is not None else ():
        target = documents.follow(parameter)
        if target.text("in") == "header" and target.text("name").lower() == "upgrade":
            return True
    return False


def _all_servers_are_websocket(documents: Documents, sources: tuple[Node, ...]) -> bool:
    servers = applying(sources)
    urls = [server.text("url").lower() for server in servers.elements()] if servers is not None else []
    return any(url.startswith(("ws:", "wss:")) for url in urls) and not any(
        url.startswith(("http:", "https:")) for url in urls
    )


def applying(sources: tuple[Node, ...]) -> Node | None:
    """The list of servers that applies: that of the operation, else of the path item, else of the root."""
    for source in sources:
        servers = source.get("servers")
        if servers is not None and isinstance(servers.value, list) and servers.value:
            return servers
    return None


def _report_none(report: Report, place: Node, has_http: bool) -> None:
    why = "all its paths are ordinary HTTP" if has_http else "it has no paths"
    report.add(
        NO_ENDPOINT.at(
            place.key_location,
            f"the document describes no WebSocket endpoint: {why}",
            hint="give the 'get' operation of a path a '101' response or the extension 'x-websocket', or use a server "
            "whose url begins with 'wss://'; or name the schemas of the messages with '--messages'",
        )
    )


def _report_left_out(report: Report, paths: Node, left_out: list[str]) -> None:
    shown = ", ".join(quoted(one) for one in left_out[:_SHOWN])
    more = f" and {len(left_out) - _SHOWN} more" if len(left_out) > _SHOWN else ""
    verb = "is" if len(left_out) == 1 else "are"
    report.add(NOT_WEBSOCKET.at(paths.key_location, f"{shown}{more} {verb} ordinary HTTP and left out"))
