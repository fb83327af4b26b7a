"""Messages that the user names, for documents that describe them among their component schemas and nowhere else.

`client=RealtimeClientEvent,server=RealtimeServerEvent` says what either side sends. OpenAI's document is of this kind:
the events of its Realtime API are component schemas, and no path of it speaks of WebSocket.
"""

from __future__ import annotations

from collections.abc import Iterator

from sockspec.choices import Named
from sockspec.diagnostics import Code, Location, Report, Severity
from sockspec.spec.openapi import schemas, words
from sockspec.spec.openapi.convention import Convention
from sockspec.spec.openapi.described import Described, Reading
from sockspec.spec.openapi.endpoints import Endpoint, find
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.source import Json
from sockspec.spec.walk import references

MESSAGES_NAMED = Code(
    "messages-named",
    Severity.INFO,
    "The messages were named by the option `--messages` (or `messages` in pyproject.toml). The package has one "
    "endpoint: the one whose path was named as well, else the only WebSocket endpoint of the document, else `/` below "
    "the url of the server.",
)


def endpoint(documents: Documents, named: Named) -> Endpoint:
    """The endpoint that carries the messages: one of the document's, or one that stands for what it does not say."""
    found = find(documents, Report())
    if named.path:
        chosen = next((one for one in found if one.path == named.path), None)
    else:
        chosen = found[0] if len(found) == 1 else None
    return chosen or Endpoint(named.path or "/", _place(documents), ())


def convention(documents: Documents, named: Named, where: Endpoint, reading: Reading, report: Report) -> Convention:
    """The messages as if the endpoint had described them. A name that no schema has is reported."""
    described: list[Described] = []
    for direction, name in named.messages:
        schema = schemas.component(documents, name)
        if schema is None:
            reading.unknown(name, _place(documents), schemas.component_names(documents))
        else:
            described.append(Described((direction,), schemas.reference_to(schema, schema), schema.key_location))
    if not report.failed:
        sides = (f"the {words.SENDERS[direction]} sends {name!r}" for direction, name in named.messages)
        report.add(MESSAGES_NAMED.at(where.location, f"on {where.path!r} {', '.join(sides)}"))
    return Convention(tuple(described))


def reached(documents: Documents, named: Named) -> dict[str, Json]:
    """The document without the paths and the components that the messages and their endpoint do not lead to."""
    root = documents.root.value if isinstance(documents.root.value, dict) else {}
    where = endpoint(documents, named)
    starts = [*where.items, *(one for _, name in named.messages if (one := schemas.component(documents, name)))]
    kept = {one.pointer for one in starts}
    kept.update(_targets(documents, starts))
    kept.update(node.pointer for node in _children(documents.root, "components", "securitySchemes"))
    components = documents.root.get("components")
    pruned = {
        kind: {name: node.value for name, node in section.items() if node.pointer in kept}
        for kind, section in (components.items() if components is not None else ())
        if isinstance(section.value, dict)
    }
    path = where.items[0].value if where.items else None
    return {
        **{key: value for key, value in root.items() if key not in ("paths", "webhooks", "components")},
        "paths": {where.path: path} if where.items else {},
        "components": {kind: section for kind, section in pruned.items() if section},
    }


def _targets(documents: Documents, starts: list[Node]) -> Iterator[str]:
    """Where references lead from these values, however far: the pointers of the components around the targets."""
    waiting, seen = [*starts], set[int]()
    while waiting:
        for reference in references(waiting.pop(), seen):
            target = documents.target(reference)
            if target is not None:
                waiting.append(target)
                yield "/".join(target.pointer.split("/")[:4])


def _children(node: Node, *keys: str) -> list[Node]:
    here: Node | None = node
    for key in keys:
        here = here.get(key) if here is not None else None
    return [child for _, child in here.items()] if here is not None else []


def _place(documents: Documents) -> Location:
    components = documents.root.get("components")
    listed = components.get("schemas") if components is not None else None
    return (listed or components or documents.root).key_location
