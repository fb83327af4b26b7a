"""How a document describes the messages of an endpoint, in all the ways that were met.

The canonical form is the extension `x-websocket` on the `get` operation:

    x-websocket:
      subprotocols: [chat.v1]
      clientMessages: {hello: {$ref: '#/components/schemas/ClientHello'}}
      serverMessages:
        event: {$ref: '#/components/schemas/ServerEvent'}
        answer: {summary: Answers a question, correlationId: '#/id', payload: {…}, examples: […]}
      closeCodes: {4401: {description: unauthorized, problem: /problems/unauthorized}, 4404: no such room}

A message is a schema, a reference, the name of a component schema, or a message object. Message objects have `name`,
`title`, `summary`, `description`, `deprecated`, `contentType`, `payload` (or `schema`, or `content` by media type),
`examples`, `x-python-name`, and two members of our own: `correlationId`, a JSON pointer into the payload (`#/id`) to
the value that a reply repeats, and `reply`, the name or names of the messages that answer this one.

Aliases: `x-websockets` and `x-ws`; the parts as extensions of their own (`x-websocket-subprotocol`,
`x-websocket-incoming` …); `messages`, `messageTypes`, `messageSchemas`, `events` around messages that say themselves
who sends them, by a key around them or by `direction`; the same on the path item, at the root by path, and at the root
for all endpoints; the request body and the responses of `x-dropshot-websocket`; `publish` and `subscribe` on the
operation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sockspec import ir
from sockspec.diagnostics import Code, Location, Report, Severity
from sockspec.spec.close_codes import with_problem
from sockspec.spec.openapi import endpoints, words
from sockspec.spec.openapi.described import Described, Reading, media
from sockspec.spec.openapi.endpoints import Endpoint
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest

BAD_CLOSE_CODE = Code(
    "bad-close-code",
    Severity.WARNING,
    "Close codes are numbers from 1000 to 4999 (RFC 6455, section 7.4.2); 4000 to 4999 are for applications. The entry "
    "is left out.",
)

MISSPELT_MEMBER = Code(
    "misspelt-member",
    Severity.WARNING,
    "A key of `x-websocket` looks much like one that says something, and is none. It is left out, with all that stands "
    "below it.",
)

_MEMBERS = ("clientMessages", "serverMessages", "messages", "subprotocols", "closeCodes", "parameters", "security")
_CLIENT, _SERVER = (ir.Direction.CLIENT_TO_SERVER,), (ir.Direction.SERVER_TO_CLIENT,)
_CONTAINERS: dict[str, tuple[ir.Direction, ...]] = {
    "messages": words.BOTH,
    "messagetypes": words.BOTH,
    "messageschemas": words.BOTH,
    "events": words.BOTH,
    "messageschema": _SERVER,
    "message": _SERVER,
}
"""Keys around messages that say themselves who sends them, and who does where they do not."""


@dataclass(frozen=True, slots=True)
class Convention:
    """What a document says of an endpoint beyond what OpenAPI has words for."""

    messages: tuple[Described, ...] = ()
    subprotocols: tuple[str, ...] = ()
    close_codes: tuple[ir.CloseCode, ...] = ()
    parameters: tuple[Node, ...] = ()
    security: Node | None = None


def read(endpoint: Endpoint, reading: Reading, report: Report) -> Convention:
    """What the extensions of an endpoint say, or else its request body and responses."""
    entries = [*_entries(endpoint.extensions)]
    _report_misspelt(endpoint.extensions, report)
    messages = [*_messages(entries, reading)]
    taken: dict[str, int] = {}
    if not messages and endpoint.operation is not None:
        messages = [*_bodies(endpoint.operation, reading)]
    return Convention(
        _sorted(messages),
        tuple(
            dict.fromkeys(name for key, node in entries if _is(key, "subprotocol", "protocol") for name in _texts(node))
        ),
        tuple(
            {
                code.code: code
                for key, node in entries
                if _is(key, "closecode")
                for code in _codes(node, taken, report)
            }.values()
        ),
        tuple(one for key, node in entries if key == "parameters" for one in node.elements()),
        next((node for key, node in entries if key == "security" and isinstance(node.value, list)), None),
    )


def _report_misspelt(extensions: Iterable[tuple[str, Node]], report: Report) -> None:
    for name, extension in extensions:
        for key, node in extension.items() if not name else ():
            if _is_read(re.sub(r"[-_]", "", key).lower()):
                continue
            near = nearest(key, _MEMBERS, likeness=0.8)
            if near is not None:
                message = f"{quoted(key)} is no part of {quoted('x-websocket')} that is known, and is left out"
                report.add(MISSPELT_MEMBER.at(node.key_location, message, hint=f"did you mean {quoted(near)}?"))


def _is_read(key: str) -> bool:
    """Whether an entry says something."""
    is_part = _is(key, "subprotocol", "protocol", "closecode") or key in ("parameters", "security")
    return is_part or key in _CONTAINERS or words.read(key, None) is not None


def shared(documents: Documents, reading: Reading) -> tuple[Described, ...]:
    """Messages that stand at the root or under the components, for all endpoints that describe none themselves."""
    root = documents.root
    components = root.get("components")
    places = [root] if components is None else [root, components]
    extensions = [
        (name, node)
        for place in places
        for name, node in endpoints.extensions(place)
        if not any(key.startswith("/") for key, _ in node.items())
    ]
    return _sorted(_messages(_entries(extensions), reading))


def _sorted(messages: Iterable[Described]) -> tuple[Described, ...]:
    """What the client sends first; else in the order of the document."""
    return tuple(sorted(messages, key=lambda one: _CLIENT[0] not in one.directions))


def _entries(extensions: Iterable[tuple[str, Node]]) -> Iterator[tuple[str, Node]]:
    """The parts of the extensions, whether they are keys of `x-websocket` or extensions of their own."""
    for name, node in extensions:
        if name:
            yield re.sub(r"[-_]", "", name), node
        else:
            yield from ((re.sub(r"[-_]", "", key).lower(), value) for key, value in node.items())


def _messages(entries: Iterable[tuple[str, Node]], reading: Reading) -> Iterator[Described]:
    for key, node in entries:
        if key in _CONTAINERS:
            yield from reading.container(node, _CONTAINERS[key])
        elif (directions := reading.direction(key, node.key_location)) is not None:
            yield from reading.messages(node, directions)


def _bodies(operation: Node, reading: Reading) -> Iterator[Described]:
    """Messages as bodies: requests are what the client sends, the `101` or `default` response what the server sends."""
    for key in ("publish", "subscribe"):
        node = operation.get(key)
        directions = reading.direction(key, node.key_location) if node is not None else None
        if node is not None and directions is not None:
            yield from reading.messages(node, directions)
    documents = reading.documents
    body = operation.get("requestBody")
    if body is not None:
        yield from _content(documents.follow(body), _CLIENT)
    is_dropshot = operation.get("x-dropshot-websocket") is not None
    responses = operation.get("responses")
    for status, response in responses.items() if responses is not None else ():
        # Beside a request body, which no handshake has, the default response is not an error of HTTP either.
        if status == "101" or (status == "default" and (is_dropshot or body is not None)):
            yield from _content(documents.follow(response), _SERVER)


def _content(body: Node, directions: tuple[ir.Direction, ...]) -> Iterator[Described]:
    for content_type, schema in media(body.get("content")):
        if schema is not None:
            yield Described(directions, schema, schema.key_location, content_type=content_type)


def _is(key: str, *words_for_it: str) -> bool:
    return key.removesuffix("s") in words_for_it


def _texts(node: Node) -> Iterator[str]:
    """A text, or the texts of a list, or the names of a list of objects."""
    if isinstance(node.value, str) and node.value:
        yield node.value
    for element in node.elements():
        text = element.value if isinstance(element.value, str) else element.text("name")
        if text:
            yield text


def _codes(node: Node, taken: dict[str, int], report: Report) -> Iterator[ir.CloseCode]:
    """Close codes: a map from code to meaning, or a list of objects with a `code`."""
    for key, value in node.items():
        yield from _code(key, value, value.key_location, taken, report)
    for element in node.elements():
        code = element.get("code")
        yield from _code(code.value if code is not None else element.value, element, element.location, taken, report)


def _code(
    written: object, about: Node, location: Location, taken: dict[str, int], report: Report
) -> Iterator[ir.CloseCode]:
    text = str(written)
    code = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else 0
    if not 1000 <= code <= 4999:
        message = f"{quoted(text)} is not a close code; a number from 1000 to 4999 was expected"
        report.add(BAD_CLOSE_CODE.at(location, message))
        return
    texts = (about.text(key) for key in ("meaning", "description", "reason", "summary", "name"))
    meaning = about.value if isinstance(about.value, str) else next((text for text in texts if text), "")
    yield with_problem(ir.CloseCode(code, meaning), about, taken, report)
