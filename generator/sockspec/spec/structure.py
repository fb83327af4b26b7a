"""Checks a document against a meta-schema of ours, and says of each fault what and where it is.

It knows the keywords of JSON Schema draft-07 that the tables in `metaschemas/` come to, and a test holds it to the
verdict of `jsonschema`. It exists because `jsonschema` needs 0.1 s to be imported and 0.4 s for a document of 500
messages; this needs less than 0.1 s in all.

It does not recurse with the document: what is still to be checked stands in a list.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sockspec.spec.metaschema import Schema, schema_objects
from sockspec.spec.text import Json

Path = tuple[str | int, ...]

_CLASSES: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}
_FOR_PEOPLE = frozenset({"hint", "says", "moved", "tolerated", "to"})
"""Keywords without a part in the verdict."""
_SIMPLE = frozenset({"type", "required"})

_FORMATS = {
    "uri": re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]*"),
    "email": re.compile(r"[^\s@]+@[^\s@]+"),
}
"""Formats that are looked at (RFC 3986, RFC 5321; roughly). A fault of format has no part in the verdict either."""

_WITHIN: Mapping[str, Schema] = {
    **{name: {"type": ["object", "boolean"]} for name in ("schema", "jsonSchema", "schema2020")},
    "openapiSchema": {"type": "object"},
}
"""Schema Objects within others, where they are judged one by one."""

MAX_FAULTS = 200
"""How many faults are looked for; those of a document made to have millions would take hours to word."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A value that breaks a keyword of the meta-schema."""

    path: Path
    """Keys and indexes from the root to the value."""
    keyword: str
    value: Json
    schema: Schema
    """The schema that has the keyword."""
    name: str = ""
    """The property that is missing or that nobody knows."""
    hint: str = ""


# A value that a schema has yet to judge: schema, value, path, hint. The path is a chain of pairs (path of the
# container, key) that begins with (), the root. Plain tuples, as there are tens of thousands of them.
_Task = tuple[Any, Json, Any, str]


def faults(metaschema: Schema, document: Json, *, shape: str = "") -> list[Fault]:
    """The faults of a document. It is valid exactly if there are none but those of `format`.

    With the name of a shape, the faults of a part that should be of that.
    """
    checker = _Checker(metaschema["definitions"], MAX_FAULTS + 1, formats=True)
    checker.run({"$ref": f"#/definitions/{shape}" if shape else metaschema["$ref"]}, document)
    return checker.found


def faults_of_schema(shape: str, value: Json) -> list[Fault]:
    """The faults of one Schema Object by its shape (`schema2020` ...); those of the schemas within it are left out."""
    checker = _Checker(_within(), MAX_FAULTS + 1, formats=False)
    checker.run(schema_objects()[shape], value)
    return checker.found


@functools.cache
def _within() -> dict[str, Schema]:
    return {**schema_objects(), **_WITHIN}


def is_type(value: Json, expected: str | list[str]) -> bool:
    """Whether a value is of a JSON type, or of one of several. `1.0` is an integer, as JSON Schema has it."""
    if isinstance(expected, list):
        return any(is_type(value, each) for each in expected)
    if expected == "integer" and isinstance(value, float):
        return value.is_integer()
    return type(value) in _CLASSES[expected]


class _Checker:
    """Carries the definitions of a meta-schema, what has been judged already, and what was found."""

    def __init__(self, definitions: dict[str, Schema], most: int, *, formats: bool) -> None:
        self._definitions = definitions
        self._most = most
        self._formats = formats
        self._waiting: list[_Task] = []
        # A container that stands in several places (a YAML alias) is judged once; an alias bomb stays harmless so.
        self._judged: set[tuple[int, int]] = set()
        self._leaves: dict[int, tuple[type, ...]] = {}
        self.found: list[Fault] = []

    def run(self, schema: Schema | bool, value: Json) -> None:
        """Judge a value and all within it, until enough faults are found."""
        self._waiting = [] if schema is True else [(schema, value, (), "")]
        while self._waiting and len(self.found) < self._most:
            self._judge(*self._waiting.pop())

    def _is_valid(self, schema: Any, value: Json) -> bool:
        if schema is not True and schema.keys() <= _SIMPLE:  # most conditions, and much quicker so
            is_expected = "type" not in schema or is_type(value, schema["type"])
            return is_expected and not (
                isinstance(value, dict) and any(n not in value for n in schema.get("required", ()))
            )
        alone = _Checker(self._definitions, 1, formats=False)
        alone.run(schema, value)
        return not alone.found

    def _judge(self, schema: Any, value: Json, path: Any, hint: str) -> None:
        while "$ref" in schema:
            hint = hint or schema.get("hint", "")
            schema = self._definitions[schema["$ref"].rpartition("/")[2]]
        if isinstance(value, (dict, list)):
            pair = id(schema), id(value)
            if pair in self._judged:
                return
            self._judged.add(pair)
        hint = hint or schema.get("hint", "")
        if "type" in schema and not is_type(value, schema["type"]):
            self._add(path, "type", value, schema, hint=hint)
            return
        match value:
            case dict():
                self._mapping(schema, value, path, hint)
            case list():
                self._list(schema, value, path, hint)
            case _:
                keyword = _wrong(schema, value) or (self._formats and _wrong_format(schema, value))
                if keyword:
                    self._add(path, keyword, value, schema, hint=hint)
        self._combined(schema, value, path, hint)

    def _wait(self, schema: Any, value: Json, path: Any, hint: str = "") -> None:
        """Have a schema judge a value later; at once where it only names a type."""
        if schema is True:
            return
        classes = self._leaves.get(id(schema))
        if classes is None:
            is_leaf = "type" in schema and schema.keys() - _FOR_PEOPLE == {"type"} and isinstance(schema["type"], str)
            classes = self._leaves[id(schema)] = _CLASSES[schema["type"]] if is_leaf else ()
        if type(value) not in classes:
            self._waiting.append((schema, value, path, hint))

    def _add(self, path: Any, keyword: str, value: Json, schema: Schema, *, name: str = "", hint: str = "") -> None:
        if len(self.found) < self._most:
            self.found.append(Fault(_flat(path), keyword, value, schema, name, hint))

    def _mapping(self, schema: Schema, value: dict[str, Json], path: Any, hint: str) -> None:
        for name in schema.get("required", ()):
            if name not in value:
                self._add(path, "required", value, schema, name=name, hint=hint)
        if "propertyNames" in schema:
            for name in value:
                if not self._is_valid(schema["propertyNames"], name):
                    self._add((path, name), "propertyNames", name, schema["propertyNames"])
        known = schema.get("properties", {})
        patterns = schema.get("patternProperties")
        others = schema.get("additionalProperties", True)
        if not known and not patterns and others is True:
            return
        for name, child in value.items():
            is_known = name in known
            if is_known:
                self._wait(known[name], child, (path, name))
            if patterns:
                for pattern, matching in patterns.items():
                    if re.search(pattern, name):
                        is_known = True
                        self._wait(matching, child, (path, name))
            if not is_known and others is False:
                self._add(path, "additionalProperties", value, schema, name=name)
            elif not is_known:
                self._wait(others, child, (path, name))

    def _list(self, schema: Schema, value: list[Json], path: Any, hint: str) -> None:
        if len(value) < schema.get("minItems", 0):
            self._add(path, "minItems", value, schema, hint=hint)
        if schema.get("uniqueItems"):
            repeated = _repeated(value)
            if repeated is not None:
                self._add((path, repeated), "uniqueItems", value[repeated], schema)
        items = schema.get("items", True)
        for index, child in enumerate(value if items is not True else ()):
            if not isinstance(items, list):
                self._wait(items, child, (path, index))
            elif index < len(items):
                self._wait(items[index], child, (path, index))

    def _combined(self, schema: Schema, value: Json, path: Any, hint: str) -> None:
        """The keywords that judge the same value again."""
        if "const" in schema and not _same(value, schema["const"]):
            self._add(path, "const", value, schema, hint=hint)
        if "enum" in schema and not any(_same(value, each) for each in schema["enum"]):
            self._add(path, "enum", value, schema, hint=hint)
        if "not" in schema and self._is_valid(schema["not"], value):
            self._add(path, "not", value, schema, hint=hint)
        if "anyOf" in schema and not any(self._is_valid(each, value) for each in schema["anyOf"]):
            self._add(path, "anyOf", value, schema, hint=hint)
        if "oneOf" in schema and sum(self._is_valid(each, value) for each in schema["oneOf"]) != 1:
            self._add(path, "oneOf", value, schema, hint=hint)
        for branch in schema.get("allOf", ()):
            self._wait(branch, value, path, hint)
        if "if" in schema:
            self._wait(schema.get("then" if self._is_valid(schema["if"], value) else "else", True), value, path, hint)


def _wrong(schema: Schema, value: Json) -> str | None:
    """The keyword that forbids a text or a number."""
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            return "minLength"
        if "maxLength" in schema and len(value) > schema["maxLength"]:
            return "maxLength"
        if "pattern" in schema and re.search(schema["pattern"], value) is None:
            return "pattern"
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        if "minimum" in schema and value < schema["minimum"]:
            return "minimum"
        if "maximum" in schema and value > schema["maximum"]:
            return "maximum"
        if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
            return "exclusiveMinimum"
    return None


def _wrong_format(schema: Schema, value: Json) -> str | None:
    pattern = _FORMATS.get(schema.get("format", ""))
    is_wrong = pattern is not None and isinstance(value, str) and pattern.fullmatch(value) is None
    return "format" if is_wrong else None


def _same(value: Json, expected: Json) -> bool:
    """Equality of scalars as JSON Schema has it: true is not 1, but 1.0 is."""
    return value == expected and isinstance(value, bool) == isinstance(expected, bool)


def _repeated(items: Iterable[Json]) -> int | None:
    """The index of the first item that equals an earlier one."""
    seen: set[tuple[Any, ...]] = set()
    for index, item in enumerate(items):
        key = comparable(item)
        if key in seen:
            return index
        seen.add(key)
    return None


def comparable(value: Json) -> tuple[Any, ...]:
    """Equal for two values exactly if JSON Schema calls them equal. Written without recursion: values may be deep."""
    parts: list[Any] = []
    waiting: list[Any] = [value]
    while waiting:
        match waiting.pop():
            case bool() as truth:
                parts.append(("bool", truth))
            case dict() as mapping:
                parts.append(("mapping", len(mapping)))
                for key in sorted(mapping, reverse=True):
                    waiting += (mapping[key], ("key", key))
            case list() as items:
                parts.append(("list", len(items)))
                waiting.extend(reversed(items))
            case other:
                parts.append(other)
    return tuple(parts)


def _flat(path: Any) -> Path:
    keys: list[str | int] = []
    while path:
        path, key = path
        keys.append(key)
    return tuple(reversed(keys))
