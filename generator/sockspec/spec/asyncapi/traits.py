"""Operation and message objects with their traits merged in (JSON Merge Patch, RFC 7396).

The majors differ in who wins: in AsyncAPI 2 the last trait, in AsyncAPI 3 the object itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sockspec.spec.resolve import Documents, Node
from sockspec.spec.source import Json

Members = Mapping[str, Node]
"""The members of an object, each where it was written."""

_NOT_FROM_TRAITS = frozenset({"action", "channel", "messages", "message", "payload", "traits"})


def merged(documents: Documents, node: Node, *, object_wins: bool) -> Members:
    """The members of the object that a node leads to, those of its traits among them."""
    own = documents.follow(node)
    members = dict(own.items())
    listed = own.get("traits")
    if listed is None:
        return members
    traits = [dict(documents.follow(trait).items()) for trait in listed.elements()]
    layers: Iterable[dict[str, Node]] = [*traits, members] if object_wins else [members, *traits]
    result: dict[str, Node] = {}
    for layer in layers:
        for key, value in layer.items():
            if layer is not members and key in _NOT_FROM_TRAITS:
                continue
            if value.value is None:
                result.pop(key, None)
            elif key in result:
                result[key] = _patched(result[key], value)
            else:
                result[key] = value
    return result


def _patched(target: Node, patch: Node) -> Node:
    """The patch applied; it stands where the patch does."""
    if not isinstance(target.value, dict) or not isinstance(patch.value, dict):
        return patch
    return Node(_patch(target.value, patch.value), patch.document, patch.pointer)


def _patch(target: Mapping[str, Json], patch: Mapping[str, Json]) -> dict[str, Json]:
    result = dict(target)
    for key, value in patch.items():
        before = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(before, dict) and isinstance(value, dict):
            result[key] = _patch(before, value)
        else:
            result[key] = value
    return result


def text(members: Members, key: str) -> str:
    """A member that is text, else nothing."""
    node = members.get(key)
    return node.value if node is not None and isinstance(node.value, str) else ""


def is_true(members: Members, *keys: str) -> bool:
    """Whether one of the members is true."""
    return any(key in members and members[key].value is True for key in keys)
