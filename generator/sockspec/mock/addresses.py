"""Handshakes that an endpoint accepts: its path, query and headers with values for the parameters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sockspec import ir
from sockspec.mock.endpoints import Endpoint
from sockspec.runtime import address
from sockspec.runtime.routing import expand
from sockspec.samples import Judge, NoSample, valid

_FORMATS = {
    ir.Kind.DATE_TIME: ("date-time", "2025-03-01T10:05:12Z"),
    ir.Kind.DATE: ("date", "2025-03-01"),
    ir.Kind.TIME: ("time", "10:05:12Z"),
    ir.Kind.UUID: ("uuid", "0b8f8a3e-3d1a-4a1e-9b52-6f2d6c1f7f10"),
    ir.Kind.BYTES: ("", "c29ja3NwZWM="),
    ir.Kind.DECIMAL: ("", "1.5"),
}
"""Kinds that are strings in a certain form: the format of JSON Schema, and a value."""
_DEEPEST = 8
"""How deep types are looked into."""


@dataclass(frozen=True, slots=True)
class Address:
    """What a client says to connect."""

    target: str
    """Path and query, percent-encoded."""
    headers: Mapping[str, str]


def example(api: ir.Api, endpoint: Endpoint, *, seed: int = 0) -> Address:
    """A handshake with all required parameters, and without credentials. Raises NoSample for one without a value."""
    channel = endpoint.channel
    path = endpoint.route.path
    variables = [v for server in api.servers for v in server.variables if "{" + v.wire_name + "}" in path]
    named = {one.wire_name: one for one in (*variables, *channel.parameters)}
    values = {name: _text(api, one, seed) for name, one in named.items()}
    query = {one.wire_name: _value(api, one, seed) for one in channel.query if _is_needed(one)}
    headers = {one.wire_name: _value(api, one, seed) for one in channel.headers if _is_needed(one)}
    whole = address.endpoint("ws://localhost", expand(path, values), {}, query)
    return Address(whole.removeprefix("ws://localhost") or "/", address.header_lines(headers))


def _is_needed(parameter: ir.Parameter) -> bool:
    return parameter.required and parameter.default is None


def _text(api: ir.Api, parameter: ir.Parameter, seed: int) -> str:
    return ",".join(address.texts(_value(api, parameter, seed)))


def _value(api: ir.Api, parameter: ir.Parameter, seed: int) -> Any:
    """A value of a parameter: one that the document shows, its own name where that fits, or what its type allows."""
    shown = [*parameter.examples, *([parameter.default] if parameter.default is not None else []), *parameter.values]
    candidates = [each for text in (*shown, parameter.wire_name) for each in _readings(text)]
    judge = Judge({"definitions": {"value": _schema(api, parameter.type)}})
    for value in valid(judge, "#/definitions/value", seed=seed, count=10, examples=candidates):
        texts = address.texts(value)
        if any(texts) and texts not in ((".",), ("..",)):
            return value
    raise NoSample(f"no value was found for the parameter {parameter.wire_name!r}")


def _readings(text: str) -> Iterator[Any]:
    """What a text may mean: itself, or the value that it is as JSON."""
    yield text
    try:
        yield json.loads(text)
    except ValueError:
        return


def _schema(api: ir.Api, type: ir.Type, depth: int = 0) -> Any:
    """The JSON Schema that says what a type does, as far as parameters need it."""
    if depth > _DEEPEST:
        return True
    match type:
        case ir.Scalar(kind, limits):
            return _scalar(kind, limits)
        case ir.Constant(values):
            return {"enum": list(values)}
        case ir.Array(item, least, most):
            # An empty list says nothing in a handshake.
            schema = {"type": "array", "items": _schema(api, item, depth + 1), "minItems": max(1, least or 0)}
            return schema if most is None else {**schema, "maxItems": most}
        case ir.Nullable(of):
            return _schema(api, of, depth + 1)
        case ir.Union(members):
            return {"anyOf": [_schema(api, member, depth + 1) for member in members]}
        case ir.Ref(name):
            return _definition(api, name, depth)
        case ir.Tuple(items):
            schemas = [_schema(api, item, depth + 1) for item in items]
            return {"type": "array", "items": schemas, "minItems": len(schemas)}
        case ir.Map():
            return {"type": "object"}
        case ir.Anything():
            return {"type": "string", "minLength": 1}


def _definition(api: ir.Api, name: str, depth: int) -> Any:
    match next(one for one in api.definitions if one.name == name):
        case ir.Enumeration(values=values):
            return {"enum": list(values)}
        case ir.Alias(type=type):
            return _schema(api, type, depth + 1)
        case ir.Record(fields=fields):
            return {
                "type": "object",
                "required": [one.wire_name for one in fields if one.required],
                "properties": {one.wire_name: _schema(api, one.type, depth + 1) for one in fields},
                "additionalProperties": False,
            }


def _scalar(kind: ir.Kind, limits: ir.Limits) -> Any:
    if kind in _FORMATS:
        format, shown = _FORMATS[kind]
        return {"type": "string", "format": format, "enum": [shown]} if format else {"enum": [shown]}
    said = {
        "minimum": limits.minimum,
        "maximum": limits.maximum,
        "exclusiveMinimum": limits.exclusive_minimum,
        "exclusiveMaximum": limits.exclusive_maximum,
        "multipleOf": limits.multiple_of,
        "minLength": limits.min_length,
        "maxLength": limits.max_length,
        "pattern": limits.pattern,
    }
    least = {"minLength": 1} if kind is ir.Kind.STRING and not limits.min_length else {}
    return {"type": kind.value, **{name: value for name, value in said.items() if value is not None}, **least}
