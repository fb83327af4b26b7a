"""Schemas that are surely valid, so that nobody need hold them to a meta-schema.

Judging one schema by the meta-schema of OpenAPI takes milliseconds; this looks at it in microseconds. It knows the usual
keywords with their usual values and says no to all others: no means that somebody else has to judge. A test holds every
yes to the verdict of the meta-schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sockspec.spec.text import Json

_SCHEMA = frozenset(
    [
        *("items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else"),
        *("unevaluatedItems", "unevaluatedProperties"),
    ]
)
_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"properties", "dependentSchemas", "$defs"})
_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_ANYTHING = frozenset({"const", "default", "example"})


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_flag(value: Json) -> bool:
    return isinstance(value, bool)


def _is_count(value: Json) -> bool:
    return type(value) is int and value >= 0


def _is_number(value: Json) -> bool:
    return type(value) in (int, float)


def _is_list(value: Json) -> bool:
    return isinstance(value, list)


def _is_type(value: Json) -> bool:
    if isinstance(value, list):
        names = {name for name in value if isinstance(name, str)}
        return 0 < len(value) == len(names) and names <= _TYPES
    return isinstance(value, str) and value in _TYPES


def _are_names(value: Json) -> bool:
    return isinstance(value, list) and len({name for name in value if isinstance(name, str)}) == len(value)


def _is_pattern(value: Json) -> bool:
    if not isinstance(value, str):
        return False
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


_VALUES: dict[str, Callable[[Json], bool]] = {
    **dict.fromkeys(("$ref", "$comment", "title", "description", "format"), _is_text),
    **dict.fromkeys(("contentEncoding", "contentMediaType"), _is_text),
    **dict.fromkeys(("deprecated", "readOnly", "writeOnly", "uniqueItems"), _is_flag),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _is_count),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(("enum", "examples"), _is_list),
    "type": _is_type,
    "required": _are_names,
    "pattern": _is_pattern,
}
"""Keywords that hold no schemas, and what their values usually are."""


def is_plain(schema: Json) -> bool:
    """Whether a schema, and all within it, is surely one of the dialects of OpenAPI 3.1 and 3.2."""
    waiting, seen = [schema], set[int]()
    while waiting:
        value = waiting.pop()
        if isinstance(value, bool) or id(value) in seen:
            continue
        if not isinstance(value, dict):
            return False
        seen.add(id(value))
        for keyword, within in value.items():
            if keyword in _SCHEMA:
                waiting.append(within)
            elif keyword in _NAMED and isinstance(within, dict):
                waiting += within.values()
            elif keyword in _SCHEMAS and isinstance(within, list) and within:
                waiting += within
            elif keyword in _VALUES:
                if not _VALUES[keyword](within):
                    return False
            elif keyword not in _ANYTHING and not keyword.startswith("x-"):
                return False
    return True
