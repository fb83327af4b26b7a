"""What channels say of the handshake of a WebSocket: their `ws` bindings."""

from __future__ import annotations

from collections.abc import Iterator

from sockspec.diagnostics import Code, Diagnostic, Severity
from sockspec.rules.rule import ASYNCAPI, Group, Rule
from sockspec.rules.subject import Subject
from sockspec.spec.kinds import Identity
from sockspec.spec.node import Node
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest
from sockspec.spec.wording import shown

HANDSHAKE_IS_GET = Code(
    "handshake-is-get",
    Severity.WARNING,
    "The handshake of a WebSocket is a GET request (RFC 6455, section 4.1), whatever the binding says.",
)
WS_BINDING = Code(
    "malformed-ws-binding",
    Severity.ERROR,
    "A `ws` binding of a channel has a `method`, which is GET or POST, and the schemas `query` and `headers`, which are of "
    "the type `object` and have `properties` (WebSockets Bindings, Channel Binding Object), and nothing else.",
    tolerable=True,
)

_KNOWN = ("method", "query", "headers", "bindingVersion")


def _bindings(subject: Subject) -> Iterator[Node]:
    """The `ws` bindings of all channels, each once."""
    found: dict[Identity, Node] = {}
    written = [channel.node.get("bindings") for channel in subject.outline.channels]
    written += [part.node for part in subject.outline.components("channelBindings")]
    for node in written:
        end = subject.kinds.end(node) if node is not None else None
        bound = end.get("ws") if end is not None else None
        bound = subject.kinds.end(bound) if bound is not None else None
        if bound is not None:
            found.setdefault(bound.identity, bound)
    yield from found.values()


def _is_get(subject: Subject) -> Iterator[Diagnostic]:
    for bound in _bindings(subject):
        method = bound.get("method")
        if method is not None and method.value == "POST":
            message = "the method 'POST' cannot be; a WebSocket is opened by 'GET'"
            yield HANDSHAKE_IS_GET.at(method.location, message)


def _malformed(subject: Subject) -> Iterator[Diagnostic]:
    for bound in _bindings(subject):
        if not isinstance(bound.value, dict):
            yield WS_BINDING.at(bound.location, f"the binding is {shown(bound.value)}; a mapping was expected")
        for key, node in bound.items():
            if key == "method" and node.value not in ("GET", "POST"):
                yield WS_BINDING.at(node.location, f"the method is {shown(node.value)}; 'GET' was expected")
            elif key in ("query", "headers"):
                yield from _not_object(subject, key, node)
            elif key not in _KNOWN and not key.startswith("x-"):
                near = nearest(key, [name for name in _KNOWN if bound.get(name) is None])
                hint = f"did you mean {quoted(near)}?" if near is not None else ""
                yield WS_BINDING.at(node.key_location, f"unexpected property {quoted(key)} in the binding", hint=hint)


def _not_object(subject: Subject, key: str, node: Node) -> Iterator[Diagnostic]:
    """That a schema of parameters is none of an object. What its `allOf` says of properties is enough."""
    end = subject.kinds.end(node)
    if end is None:
        return
    if not isinstance(end.value, dict):
        yield WS_BINDING.at(node.location, f"{quoted(key)} is {shown(end.value)}; a schema was expected")
        return
    kind = end.get("type")
    if kind is not None and kind.value != "object":
        message = f"the schema of {quoted(key)} is of the type {shown(kind.value)}; 'object' was expected"
        yield WS_BINDING.at((node.get("$ref") or kind).location, message)
    elif end.get("properties") is None and end.get("allOf") is None:
        yield WS_BINDING.at(node.key_location, f"the schema of {quoted(key)} has no 'properties'")


RULES = (
    Rule(
        HANDSHAKE_IS_GET,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
bindings:
  ws: {method: POST}
""",
        good="""\
bindings:
  ws: {method: GET}
""",
        check=_is_get,
    ),
    Rule(
        WS_BINDING,
        Group.CORRECTNESS,
        ASYNCAPI,
        bad="""\
bindings:
  ws:
    query: {type: string}
""",
        good="""\
bindings:
  ws:
    query:
      type: object
      properties:
        since: {type: integer}
""",
        check=_malformed,
    ),
)
