"""The defaults that a document gives, as far as their properties can have them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from sockspec import ir
from sockspec.analysis import walk


def fitting(api: ir.Api) -> ir.Api:
    """The API without the defaults that do not fit, of which the rule `invalid-default` speaks."""
    definitions = walk.by_name(api)

    def record(of: ir.Record) -> ir.Record:
        fields = tuple(_field(field, definitions) for field in of.fields)
        same = all(new is old for new, old in zip(fields, of.fields, strict=True))
        return of if same else replace(of, fields=fields)

    messages = tuple(
        replace(message, payload=replace(message.payload, type=record(message.payload.type)))
        if isinstance(message.payload.type, ir.Record)
        else message
        for message in api.messages
    )
    given = tuple(record(one) if isinstance(one, ir.Record) else one for one in api.definitions)
    channels = tuple(
        replace(
            channel,
            parameters=_parameters(channel.parameters, definitions),
            query=_parameters(channel.query, definitions),
            headers=_parameters(channel.headers, definitions),
        )
        for channel in api.channels
    )
    return replace(api, messages=messages, definitions=given, channels=channels)


def of_parameter(parameter: ir.Parameter, definitions: Mapping[str, ir.Definition]) -> object:
    """The default of a parameter of the handshake as a value of its type; None where it has none that fits."""
    if parameter.default is None:
        return None
    values = candidates(parameter.default)
    return next((value for value in values if _fits(value, parameter.type, definitions)), None)


def candidates(written: str) -> list[object]:
    """What the text of a parameter can mean: itself, or the JSON value that it is."""
    found: list[object] = [written]
    with suppress(ValueError, RecursionError):
        found.append(json.loads(written))
    return found


def _parameters(
    parameters: tuple[ir.Parameter, ...], definitions: Mapping[str, ir.Definition]
) -> tuple[ir.Parameter, ...]:
    return tuple(
        one if of_parameter(one, definitions) is not None or one.default is None else replace(one, default=None)
        for one in parameters
    )


def _field(field: ir.Field, definitions: Mapping[str, ir.Definition]) -> ir.Field:
    if not field.has_default or _fits(field.default, field.type, definitions):
        return field
    return replace(field, default=None, has_default=False)


def _fits(value: object, of: ir.Type, definitions: Mapping[str, ir.Definition]) -> bool:
    match walk.resolve(of, definitions):
        case ir.Scalar(kind=kind):
            return _is_of(value, kind)
        case ir.Constant(values=values):
            return any(type(value) is type(one) and value == one for one in values)
        case ir.Nullable(of=inner):
            return value is None or _fits(value, inner, definitions)
        case ir.Union(members=members):
            return any(_fits(value, member, definitions) for member in members)
        case ir.Array() | ir.Tuple():
            return isinstance(value, list)
        case ir.Map() | ir.Record():
            return isinstance(value, dict)
        case _:
            return True


def _is_of(value: object, kind: ir.Kind) -> bool:
    match kind:
        case ir.Kind.NULL:
            return value is None
        case ir.Kind.BOOLEAN:
            return isinstance(value, bool)
        case ir.Kind.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool)
        case ir.Kind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            return isinstance(value, str) and is_written_as(value, kind)


def is_written_as(text: str, kind: ir.Kind) -> bool:
    """Whether a text is one of the kind, for the kinds whose values have a class of their own."""
    readers: dict[ir.Kind, Callable[[str], object]] = {
        ir.Kind.DATE_TIME: lambda written: dt.datetime.fromisoformat(written).tzinfo,
        ir.Kind.DATE: dt.date.fromisoformat,
        ir.Kind.TIME: dt.time.fromisoformat,
        ir.Kind.UUID: UUID,
    }
    reader = readers.get(kind)
    try:
        return reader is None or reader(text) is not None
    except ValueError:
        return False
