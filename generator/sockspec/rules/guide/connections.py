"""What the guide says of connecting: the handshake, encryption, keep-alive, versions in URLs, and limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from sockspec import ir
from sockspec.diagnostics import Code, Diagnostic, Location, Report, Severity
from sockspec.rules.guide.mending import encrypted
from sockspec.rules.rule import ALL, OPENAPI, Group, Rule
from sockspec.rules.saying import each_or_most
from sockspec.rules.subject import Subject
from sockspec.spec.openapi import endpoints
from sockspec.spec.text import quoted

SWITCHING_PROTOCOLS = Code(
    "guide-switching-protocols",
    Severity.WARNING,
    "The server must respond to the handshake with appropriate headers: it answers with the status 101 (RFC 6455, "
    "section 4.2.2). The guide's OpenAPI example documents that response, and it is what tells other tools that the path "
    "is a WebSocket endpoint.",
)
ENCRYPTION = Code(
    "guide-wss",
    Severity.ERROR,
    "Secure WebSocket (`wss://`) must be used to encrypt what travels between client and server. Only a server on the "
    "machine itself, for development, may do without.",
    tolerable=True,
)
KEEP_ALIVE = Code(
    "guide-keep-alive",
    Severity.WARNING,
    "The server should keep connections alive by ping and pong frames, and close those that are idle or dead. Nothing in "
    "the document says after how long: no `x-heartbeat`, no `idleTimeout` in `x-limits`, and no description that speaks "
    "of it.",
)
URL_VERSION = Code(
    "guide-url-version",
    Severity.WARNING,
    "WebSocket APIs primarily have their version in the URL: in the path of a server or in the address of a channel, "
    "such as `/v1`. Without one, clients of today break on the day of the first incompatible change.",
)
CONNECTION_LIMIT = Code(
    "guide-connection-limit",
    Severity.INFO,
    "A WebSocket API can primarily limit the number of sockets. The document does not say how many there may be; the "
    "extension `x-limits` does, and generated servers enforce it.",
)

_LOCAL = re.compile(r"\w+://(localhost|[^/:]+\.localhost|127(\.\d+){3}|0\.0\.0\.0|\[::1?\])(:[^/]*)?(/.*)?")
_VERSION = re.compile(r"[/.]v\d|/\d+\.\d|/\d{4}-\d\d|\{[^{}]*version[^{}]*\}", re.IGNORECASE)
_IN_QUERY = re.compile(r"(api[-_]?)?v(ersion)?", re.IGNORECASE)
_ALIVE = re.compile(r"\b(ping|pong|keep-?alive|heart-?beat)", re.IGNORECASE)
_COUNTING = tuple(name for name in ir.COUNTING_LIMITS if name.startswith("max"))


def is_local(url: str) -> bool:
    """Whether a URL is one of the machine itself."""
    return _LOCAL.fullmatch(url.lower()) is not None


def _no_101(subject: Subject) -> Iterator[Diagnostic]:
    if subject.api is None:
        return
    for endpoint in endpoints.find(subject.documents, Report()):
        responses = endpoint.operation.get("responses") if endpoint.operation is not None else None
        if responses is None or responses.get("101") is None:
            text = f"{quoted(endpoint.path)} does not document the response '101'"
            yield SWITCHING_PROTOCOLS.at(endpoint.location, text, hint="add '101: {description: Switching Protocols}'")


def _not_encrypted(subject: Subject) -> Iterator[Diagnostic]:
    for server in subject.api.servers if subject.api is not None else ():
        if server.url.lower().startswith("ws:") and not is_local(server.url):
            text = f"{quoted(server.url)} is not encrypted; 'wss' was expected"
            yield ENCRYPTION.at(server.location, text)


def _not_kept_alive(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None or not api.channels:
        return
    limits = dict(api.limits) | {name: value for channel in api.channels for name, value in channel.limits}
    if "idleTimeout" in limits or any(channel.heartbeat is not None for channel in api.channels):
        return
    parts: list[_Told] = [*api.servers, *api.channels, *api.operations, *api.messages]
    texts = [api.description, api.summary, *(text for part in parts for text in _texts(part))]
    if not any(_ALIVE.search(text) for text in texts):
        hint = "say in the description when the server pings and when it gives up, or declare 'x-heartbeat'"
        yield KEEP_ALIVE.at(_top(subject), "nothing says how connections are kept alive", hint=hint)


_Told = ir.Server | ir.Channel | ir.Operation | ir.Message


def _texts(part: _Told) -> Iterator[str]:
    yield from (part.name, part.title, part.description)
    if not isinstance(part, ir.Server):
        yield part.summary
    if isinstance(part, ir.Channel):
        yield from (code.meaning for code in part.close_codes)


def _no_version(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None or not api.servers:
        return
    urls = {server.name: server.url for server in api.servers}
    versioned = {name for name, url in urls.items() if _VERSION.search(url.partition("://")[2])}
    broken: list[tuple[Location, str]] = []
    for channel in api.channels:
        if _VERSION.search(channel.address or "") or any(_IN_QUERY.fullmatch(one.wire_name) for one in channel.query):
            continue
        bare = [name for name in channel.servers or urls if name not in versioned]
        if bare:
            url = f"{urls[bare[0]]}{channel.address or ''}"
            broken.append((channel.location, f"the URL {quoted(url)} has no version"))
    hint = "give the server a path such as '/v1'"
    yield from each_or_most(URL_VERSION, broken, len(api.channels), "channels lack a version in their URLs", hint=hint)


def _no_limit(subject: Subject) -> Iterator[Diagnostic]:
    api = subject.api
    if api is None or not api.channels:
        return
    said = {name for name, _ in api.limits} | {name for channel in api.channels for name, _ in channel.limits}
    if said.isdisjoint(_COUNTING):
        hint = "add 'x-limits: {maxConnections: …}' at the root, or at a channel"
        yield CONNECTION_LIMIT.at(_top(subject), "nothing says how many connections there may be", hint=hint)


def _top(subject: Subject) -> Location:
    """Where to say what is true of the whole document."""
    info = subject.root.get("info")
    return info.key_location if info is not None else subject.root.location


RULES = (
    Rule(
        # Reading warns, and takes the handshake for GET. Whoever holds documents to the guide wants no less than that.
        replace(endpoints.HANDSHAKE_MUST_BE_GET, severity=Severity.ERROR, tolerable=True),
        Group.GUIDE,
        OPENAPI,
        bad="""\
paths:
  /chat:
    post:
      responses:
        '101': {description: Switching Protocols}
""",
        good="""\
paths:
  /chat:
    get:
      responses:
        '101': {description: Switching Protocols}
""",
    ),
    Rule(
        SWITCHING_PROTOCOLS,
        Group.GUIDE,
        OPENAPI,
        bad="""\
paths:
  /chat:
    get:
      x-websocket: {}
      responses: {}
""",
        good="""\
paths:
  /chat:
    get:
      responses:
        '101': {description: Switching Protocols}
""",
        check=_no_101,
    ),
    Rule(
        ENCRYPTION,
        Group.GUIDE,
        ALL,
        bad="servers:\n  production: {host: chat.example.com, protocol: ws}\n",
        good="servers:\n  production: {host: chat.example.com, protocol: wss}\n",
        check=_not_encrypted,
        fix="writes `wss`, unless the URL names a port: another one may be the encrypted one.",
        fixer=encrypted,
    ),
    Rule(
        KEEP_ALIVE,
        Group.GUIDE,
        ALL,
        bad="info:\n  title: Chat\n  version: 1.0.0\n",
        good="""\
info:
  title: Chat
  version: 1.0.0
  description: The server pings every 20 seconds, and closes connections that do not answer within 10.
""",
        check=_not_kept_alive,
    ),
    Rule(
        URL_VERSION,
        Group.GUIDE,
        ALL,
        bad="servers:\n  production: {host: chat.example.com, protocol: wss}\n",
        good="servers:\n  production: {host: chat.example.com, pathname: /v1, protocol: wss}\n",
        check=_no_version,
    ),
    Rule(
        CONNECTION_LIMIT,
        Group.GUIDE,
        ALL,
        bad="asyncapi: 3.0.0\n",
        good="asyncapi: 3.0.0\nx-limits: {maxConnectionsPerPrincipal: 3}\n",
        check=_no_limit,
    ),
)
