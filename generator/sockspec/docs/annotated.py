"""The schemas of an API with what they say for people: descriptions, defaults, and what is out of use.

`Api.schemas` has only what judges payloads. What only describes is in the types, and goes back to where it belongs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sockspec import ir
from sockspec.analysis import walk

_Place = tuple[dict[str, Any], "ir.Type | ir.Record"]
_BRANCHES = ("oneOf", "anyOf")


def annotated(api: ir.Api) -> dict[str, Any]:
    """A copy of `Api.schemas` in which properties and definitions have `description`, `default` and `deprecated`."""
    document: dict[str, Any] = _copy(api.schemas)
    definitions = walk.by_name(api)
    waiting: list[_Place] = []
    for message in api.messages:
        schema = _named(document, message.payload.schema)
        if schema is not None:
            waiting.append((schema, message.payload.type))
    seen: set[tuple[int, int]] = set()
    while waiting:
        schema, of = waiting.pop()
        if (id(schema), id(of)) in seen:
            continue
        seen.add((id(schema), id(of)))
        waiting.extend(_inside(document, definitions, schema, of))
    return document


def _inside(
    document: dict[str, Any], definitions: Mapping[str, ir.Definition], schema: dict[str, Any], of: ir.Type | ir.Record
) -> Iterator[_Place]:
    """The places within a schema, each with its type, after the schema itself has been described."""
    target = _named(document, schema.get("$ref"))
    if isinstance(of, ir.Ref):
        definition = definitions.get(of.name)
        if definition is None:
            return
        _describe(schema if target is None else target, definition.description, definition.title)
        of = walk.body(definition)
    if target is not None:
        yield target, of
        return
    for branch in _schemas(schema.get("allOf")):
        yield branch, of
    match of:
        case ir.Record(fields=fields):
            yield from _properties(schema, fields)
        case ir.Array(item=item) if isinstance(schema.get("items"), dict):
            yield schema["items"], item
        case ir.Map(value=value) if isinstance(schema.get("additionalProperties"), dict):
            yield schema["additionalProperties"], value
        case ir.Nullable(of=inner):
            yield from ((branch, inner) for word in _BRANCHES for branch in _schemas(schema.get(word)))
            if isinstance(inner, ir.Record | ir.Array | ir.Map | ir.Ref):
                yield schema, inner
        case ir.Union(members=members):
            branches = _schemas(schema.get("oneOf")) or _schemas(schema.get("anyOf"))
            if len(branches) == len(members):
                yield from zip(branches, members, strict=True)
        case _:
            return


def _properties(schema: dict[str, Any], fields: tuple[ir.Field, ...]) -> Iterator[_Place]:
    properties = schema.get("properties")
    for field in fields:
        found = properties.get(field.wire_name) if isinstance(properties, dict) else None
        if not isinstance(found, dict):
            continue
        _describe(found, field.description)
        if field.has_default:
            found.setdefault("default", field.default)
        if field.deprecated:
            found["deprecated"] = True
        yield found, field.type


def _describe(schema: dict[str, Any], description: str, title: str = "") -> None:
    if title:
        schema.setdefault("title", title)
    if description:
        schema.setdefault("description", description)


def _schemas(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _named(document: dict[str, Any], pointer: object) -> dict[str, Any] | None:
    """The schema at a pointer such as `#/definitions/Join`; None where it is none that could be described."""
    if not isinstance(pointer, str):
        return None
    found = document.get("definitions", {}).get(pointer.removeprefix("#/definitions/"))
    return found if isinstance(found, dict) else None


def _copy(value: Any) -> Any:
    """A copy that nobody shares, of whatever depth."""
    top: list[Any] = [value]
    waiting: list[Any] = [top]
    while waiting:
        container = waiting.pop()
        for key, inner in list(container.items() if isinstance(container, dict) else enumerate(container)):
            if isinstance(inner, Mapping | list | tuple):
                container[key] = dict(inner) if isinstance(inner, Mapping) else list(inner)
                waiting.append(container[key])
    return top[0]
