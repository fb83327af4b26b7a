"""Values that the validator accepts and the typed decoder does not, such as 1.0 for an integer, into typed messages."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import UNSET, inspect

from sockspec.runtime.extra import EXTRA
from sockspec.runtime.unions import alternatives_of, as_alternative, decode_hook, types_at


def deliver(value: object, target: Any, *, with_extra: bool = False) -> Any:
    """The plain JSON value as the target type, as far as it fits; what does not fit stays plain.

    `with_extra` is for types that keep properties which they do not name.
    """
    if with_extra:
        return _build(value, inspect.type_info(target))
    try:
        return msgspec.convert(value, target, dec_hook=decode_hook)
    except (msgspec.ValidationError, OverflowError):
        return _build(value, inspect.type_info(target))


def _build(value: object, info: inspect.Type) -> object:
    match info:
        case inspect.StructType() if isinstance(value, dict):
            return _struct(value, info)
        case inspect.IntType() if isinstance(value, float) and value.is_integer():
            return int(value)
        case inspect.LiteralType() | inspect.EnumType() if isinstance(value, float) and value.is_integer():
            return int(value)
        case inspect.ListType() if isinstance(value, list):
            return [_build(item, info.item_type) for item in value]
        case inspect.TupleType() if isinstance(value, list) and len(value) == len(info.item_types):
            return tuple(_build(item, of) for item, of in zip(value, info.item_types, strict=True))
        case inspect.DictType() if isinstance(value, dict):
            return {key: _build(item, info.value_type) for key, item in value.items()}
        case inspect.UnionType():
            return _member(value, info)
        case inspect.CustomType():
            return _stood_in(value, info.cls)
        case _:
            target = _TEXTS.get(type(info))
            return value if target is None or not isinstance(value, str) else _or_plain(value, target)


def _struct(value: dict[str, Any], info: inspect.StructType) -> object:
    members: dict[str, object] = {}
    for field in info.fields:
        if field.encode_name == EXTRA and isinstance(field.type, inspect.DictType):
            named = {other.encode_name for other in info.fields} | {info.tag_field}
            others = {name: one for name, one in value.items() if name not in named}
            members[field.name] = _build(others, field.type)
        elif field.encode_name in value:
            members[field.name] = _build(value[field.encode_name], field.type)
        elif field.required:
            members[field.name] = UNSET
    return info.cls(**members)


def _member(value: object, info: inspect.UnionType) -> object:
    """The member of a union that the value is made for: by its tag, else the first that changes it."""
    for member in info.types:
        if isinstance(member, inspect.StructType) and isinstance(value, dict):
            if member.tag is None or value.get(member.tag_field) == member.tag:
                return _struct(value, member)
        else:
            built = _build(value, member)
            if built is not value:
                return built
    return value


def _stood_in(value: object, target: Any) -> object:
    types = types_at(target, value)
    if types is not None and isinstance(value, list):
        return tuple(_build(one, inspect.type_info(of)) for one, of in zip(value, types, strict=True))
    for alternative in alternatives_of(target):
        try:
            as_alternative(value, alternative)
        except msgspec.ValidationError:
            continue
        return _build(value, inspect.type_info(alternative))
    built = (_build(value, inspect.type_info(alternative)) for alternative in alternatives_of(target))
    return next((one for one in built if one is not value), value)


def _or_plain(value: object, target: Any) -> object:
    try:
        return msgspec.convert(value, target, dec_hook=decode_hook)
    except msgspec.ValidationError:
        return value


_TEXTS: dict[type[inspect.Type], Any] = {
    inspect.DateTimeType: dt.datetime,
    inspect.DateType: dt.date,
    inspect.TimeType: dt.time,
    inspect.UUIDType: uuid.UUID,
    inspect.DecimalType: Decimal,
    inspect.BytesType: bytes,
}
