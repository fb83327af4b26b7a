"""Where references stand in a document, and which key was meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator

from sockspec.spec.node import Node

_NAMED = frozenset(
    [
        *("properties", "patternProperties", "definitions", "$defs", "dependentSchemas", "schemas"),
        *("messages", "channels", "operations", "servers", "parameters", "variables", "securitySchemes"),
        *("serverVariables", "correlationIds", "replies", "replyAddresses", "externalDocs", "tags"),
        *("operationTraits", "messageTraits", "responses", "requestBodies", "links", "callbacks"),
        *("pathItems", "paths", "encoding", "content", "webhooks", "examples"),
    ]
)
"""Keys of mappings whose own keys are names that the author chose, not words of a specification."""

_PROPERTIES = frozenset(("properties", "patternProperties"))
"""Those where even `$ref` is a name."""

_DATA = frozenset(("example", "default", "const", "enum"))
"""Keys whose values are data, in which `$ref` means nothing."""

_MOST_KEYS = 2000
_LONGEST_KEY = 100
"""Among how many keys a near one is looked for, and of what length: the search takes its time."""

_EXAMPLES = "examples"
_CONTAINERS = (dict, list)

Seen = set[int]
"""Identities of the containers that a walk has been to (YAML aliases make one container stand in several places)."""


def references(part: Node, seen: Seen) -> Iterator[Node]:
    """The Reference Objects in a part of a document that has not been seen, in the document's order."""
    for node, named in mappings(part, seen):
        if node.reference is not None and named not in _PROPERTIES:
            yield node


def mappings(part: Node, seen: Seen) -> Iterator[tuple[Node, str]]:
    """The mappings in a part of a document that has not been seen, in the document's order.

    With each comes the word that it stands under if its own keys are names, else an empty text. Data is left out:
    `example`, `examples`, `default`, `const` and `enum`, except that OpenAPI's named examples may be references.
    """
    waiting = [(part, "")]
    while waiting:
        node, named = waiting.pop()
        if not isinstance(node.value, (dict, list)) or id(node.value) in seen:
            continue
        seen.add(id(node.value))
        if isinstance(node.value, list):
            children = [(item, "") for item in node.elements(only=_CONTAINERS)]
        elif named == _EXAMPLES:
            children = [(example, "") for _, example in node.items(only=dict) if example.reference is not None]
        else:
            yield node, named
            children = [
                (child, "" if named or key not in _NAMED else key)
                for key, child in node.items(only=_CONTAINERS)
                if named or _holds(key, child)
            ]
        children.reverse()
        waiting += children


def _holds(key: str, child: Node) -> bool:
    """Whether there may be references below a word of a specification."""
    return key not in _DATA and not (key == _EXAMPLES and isinstance(child.value, list))


def nearest(written: str, names: Collection[str], *, likeness: float = 0.6) -> str | None:
    """The name that was probably meant; None where none looks like it, on a scale from 0 to 1."""
    if len(names) > _MOST_KEYS or len(written) > _LONGEST_KEY:
        return None
    by_case = {key.casefold(): key for key in sorted(names)}
    if written.casefold() in by_case:
        return by_case[written.casefold()]
    candidates = (key for key in sorted(names) if len(key) <= _LONGEST_KEY)
    return next(iter(difflib.get_close_matches(written, candidates, n=1, cutoff=likeness)), None)
