"""The structure of AsyncAPI documents: a JSON Schema (draft-07) for each version, from the tables in `metaschemas/`.

`metaschemas/README.md` explains the notation. Composing costs a few milliseconds, so nothing is kept on disk.
"""

from __future__ import annotations

import functools
import pkgutil
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import yaml

Shape = Any  # a table's value: a name, a list, a mapping, true or false
Schema = dict[str, Any]

VERSIONS = ("2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "3.0", "3.1")
"""The versions of AsyncAPI, oldest first. A patch version is checked like its minor version."""

_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_PLACES = ("server", "channel", "operation", "message")
_EXTENSION = r"^x-[\w.-]+$"
_COMPONENT_KEY = r"^[\w.-]+$"
_KEY = re.compile(r"(?P<name>.+?) \((?P<ranges>[\d.,+ -]+)\)")

# Keywords of JSON Schema whose value is a shape, a list of shapes, or a mapping to shapes.
_ONE = frozenset({"if", "then", "else", "not", "additionalProperties", "propertyNames"})
_MANY = frozenset({"allOf", "anyOf", "oneOf"})
_NAMED = frozenset({"properties", "patternProperties"})


@functools.cache
def metaschema(version: str) -> Schema:
    """The JSON Schema of the AsyncAPI documents of a version such as `"2.6"`."""
    shapes = _shapes(version)
    compiled = {name: _Composer(shapes).schema(shape) for name, shape in shapes.items()}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": compiled,
        "$ref": "#/definitions/document",
    }


@functools.cache
def schema_objects() -> Mapping[str, Schema]:
    """The shapes of Schema Objects by name (`schema`, `openapiSchema` ...): each says nothing of schemas within it."""
    shapes = _prune(_table("shared"), VERSIONS[-1]) | _prune(_table("schemas"), VERSIONS[-1])
    used = {name: shape for name, shape in shapes.items() if not name.startswith("avro")}
    return {name: _Composer(shapes).schema(shape) for name, shape in used.items()}


def _shapes(version: str) -> dict[str, Shape]:
    """All shapes of a version by name."""
    shapes: dict[str, Shape] = {
        "version": {"type": "string", "const": f"{version}.0"},
        "ownFormat": {"enum": list(_own_formats(version))},
    }
    for file in ("shared", "schemas", f"asyncapi-{version[0]}"):
        shapes |= _prune(_table(file), version)
    if version >= "3.0":
        bindings = _prune(_table("bindings"), version)
        shapes |= bindings["shapes"]
        shapes |= {f"{place}Bindings": _bindings(bindings["protocols"], place) for place in _PLACES}
    return shapes


def _own_formats(version: str) -> Iterator[str]:
    for known in VERSIONS:
        if known <= version:
            yield from (f"application/vnd.aai.asyncapi{syntax};version={known}.0" for syntax in ("", "+json", "+yaml"))


@functools.cache
def _table(name: str) -> dict[str, Shape]:
    # `importlib.resources` would load `tempfile` and what goes with it.
    text = pkgutil.get_data("sockspec.spec", f"metaschemas/{name}.yaml")
    assert text is not None
    return cast("dict[str, Shape]", yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def _prune(shape: Shape, version: str) -> Shape:
    """The shape without what other versions have: `servers (2.2+)` is `servers` from 2.2 on."""
    if isinstance(shape, list):
        return [_prune(each, version) for each in shape]
    if not isinstance(shape, dict):
        return shape
    kept: dict[str, Shape] = {}
    for key, value in shape.items():
        match = _KEY.fullmatch(key)
        if match is None or len(version.split(".")) != len(_bounds(match["ranges"])[0][0]):
            kept[key] = _prune(value, version)
        elif any(low <= _numbers(version) <= high for low, high in _bounds(match["ranges"])):
            kept[match["name"]] = _prune(value, version)
    return kept


def _bounds(ranges: str) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The first and last versions of ranges such as `2.0, 2.2-2.5` or `2.6+`."""
    bounds: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    for each in ranges.split(","):
        low, _, high = each.strip().partition("-")
        bounds.append((_numbers(low.rstrip("+")), (999,) if low.endswith("+") else _numbers(high or low)))
    return bounds


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _bindings(protocols: Mapping[str, Shape], place: str) -> Shape:
    """The object with a property for each protocol that may stand in a place (`server`, `channel` …)."""
    fields = {
        protocol: _binding(rules["versions"], rules[place]) if place in rules else True
        for protocol, rules in protocols.items()
        if place in rules.get("only", _PLACES)
    }
    return {"fields": fields}


def _binding(versions: list[str], shape: Shape) -> Shape:
    """What one protocol adds to one place: the shape of the version that the document names, or of the newest."""
    forms = {version: _prune(shape, version) for version in versions}
    for form in forms.values():
        form["fields"] = {**form["fields"], "bindingVersion": {"type": "string", "enum": versions}}
    newest = forms.pop(versions[0])
    chosen = newest
    for version, form in forms.items():
        named = {"required": ["bindingVersion"], "properties": {"bindingVersion": {"const": version}}}
        chosen = {"if": named, "then": form, "else": chosen}
    return chosen


class _Composer:
    """Turns shapes into JSON Schema. It holds the named shapes, for `extends`."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self._shapes = shapes

    def schema(self, shape: Shape) -> Any:
        """The JSON Schema that a shape abbreviates."""
        match shape:
            case bool():
                return shape
            case str():
                return self._named(shape)
            case [items]:
                return {"type": "array", "items": self.schema(items)}
            case {"by": str(tag), "cases": dict(cases)}:
                return self._cases(tag, cases, shape.get("hint"))
            case dict():
                return self._keywords(shape)
            case _:
                raise TypeError(f"not a shape: {shape!r}")

    def _named(self, name: str) -> Schema:
        name, _, alternative = name.partition(" or ")
        if alternative:
            is_reference = {"type": "object", "required": ["$ref"]}
            return {"if": is_reference, "then": self._named(alternative), "else": self._named(name)}
        return {"type": name} if name in _TYPES else {"$ref": f"#/definitions/{name}"}

    def _keywords(self, shape: dict[str, Shape]) -> Schema:
        schema: Schema = self._object(shape) if "fields" in shape else {}
        for keyword, value in shape.items():
            if keyword in _ONE:
                schema[keyword] = self.schema(value)
            elif keyword in _MANY or (keyword == "items" and isinstance(value, list)):
                schema[keyword] = [self.schema(each) for each in value]
            elif keyword == "items":
                schema[keyword] = self.schema(value)
            elif keyword in _NAMED:
                schema[keyword] = {name: self.schema(each) for name, each in value.items()}
            elif keyword == "map":
                schema |= {"type": "object", "additionalProperties": self.schema(value)}
            elif keyword == "named":
                schema |= {"type": "object", "patternProperties": {_COMPONENT_KEY: self.schema(value)}}
            elif keyword not in ("fields", "extends", "open", "extensions", "untyped"):
                schema[keyword] = value
        return schema

    def _object(self, shape: dict[str, Shape]) -> Schema:
        """An object of known properties."""
        fields = self._fields(shape)
        schema: Schema = {} if shape.get("untyped") else {"type": "object"}
        required = [name.removesuffix("!") for name in fields if name.endswith("!")]
        if required:
            schema["required"] = required
        schema["properties"] = {name.removesuffix("!"): self.schema(field) for name, field in fields.items()}
        if not shape.get("open"):
            extensions = shape.get("extensions", _EXTENSION)
            if extensions:
                schema["patternProperties"] = {extensions: True}
            schema["additionalProperties"] = False
        return schema

    def _fields(self, shape: dict[str, Shape]) -> dict[str, Shape]:
        """The fields of a shape and of the one that it extends; its own count."""
        own: dict[str, Shape] = shape["fields"]
        if "extends" not in shape:
            return own
        names = {name.removesuffix("!") for name in own}
        inherited = self._fields(self._shapes[shape["extends"]])
        return {**{name: field for name, field in inherited.items() if name.removesuffix("!") not in names}, **own}

    def _cases(self, tag: str, cases: dict[str, Shape], hint: str | None) -> Schema:
        """An object whose property `tag` names the case that the rest follows."""
        names: Schema = {"enum": list(cases)} | ({"hint": hint} if hint else {})
        branches = [
            {
                "if": {"required": [tag], "properties": {tag: {"const": name}}},
                "then": self.schema({**case, "fields": {f"{tag}!": True, **case["fields"]}}),
            }
            for name, case in cases.items()
        ]
        return {"type": "object", "required": [tag], "properties": {tag: names}, "allOf": branches}
