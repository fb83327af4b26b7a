"""Values that the validator accepts and the typed decoder does not, such as 1.0 for an integer, into typed messages."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import UNSET, inspect

from sockspec.runtime.unions import decode_hook


def deliver(value: object, target: Any) -> Any:
    """The plain JSON value as the target type, as far as it fits; what does not fit stays plain."""
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
            return _or_plain(value, info.cls)
        case _:
            target = _TEXTS.get(type(info))
            return value if target is None else _or_plain(value, target)


def _struct(value: dict[str, Any], info: inspect.StructType) -> object:
    members: dict[str, object] = {}
    for field in info.fields:
        if field.encode_name in value:
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
