"""The member of a class that holds the properties which the class does not name."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, inspect

from sockspec.runtime.unions import alternatives_of, stand_in_types

EXTRA: Final = "**"
"""The wire name that marks the member. On the wire its items stand beside the other members."""


def holds_extra(target: Any) -> bool:
    """Whether a class with such a member is anywhere in a type."""
    waiting, seen = [inspect.type_info(target)], set[Any]()
    while waiting:
        of = waiting.pop()
        match of:
            case inspect.StructType() if of.cls not in seen:
                seen.add(of.cls)
                if any(field.encode_name == EXTRA for field in of.fields):
                    return True
                waiting += [field.type for field in of.fields]
            case inspect.ListType():
                waiting.append(of.item_type)
            case inspect.DictType():
                waiting.append(of.value_type)
            case inspect.TupleType():
                waiting += of.item_types
            case inspect.UnionType():
                waiting += of.types
            case inspect.CustomType() if of.cls not in seen:
                seen.add(of.cls)
                waiting += map(inspect.type_info, (*alternatives_of(of.cls), *stand_in_types(of.cls)))
            case _:
                pass
    return False


def spread(value: Any) -> Any:
    """A message as plain values, with the items of such members beside the other members.

    Raises ValueError for an item that has the name of another member.
    """
    if isinstance(value, Struct):
        return _spread_struct(value)
    if isinstance(value, dict):
        return {key: spread(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [spread(one) for one in value]
    return value


def _spread_struct(struct: Struct) -> dict[str, Any]:
    config = struct.__struct_config__
    found: dict[str, Any] = {} if config.tag is None else {config.tag_field or "type": config.tag}
    others: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if field.encode_name == EXTRA:
            others = value
        elif value is not UNSET and not (config.omit_defaults and _is_default(value, field)):
            found[field.encode_name] = spread(value)
    named = {field.encode_name for field in msgspec.structs.fields(struct)} | found.keys()
    for name, value in others.items():
        if name in named:
            raise ValueError(
                f"{type(struct).__name__} has a member for {name!r}; it cannot be an extra property as well"
            )
        found[name] = spread(value)
    return found


def _is_default(value: object, field: msgspec.structs.FieldInfo) -> bool:
    if field.default_factory is not msgspec.NODEFAULT:
        return bool(value == field.default_factory())
    return field.default is not msgspec.NODEFAULT and type(value) is type(field.default) and value == field.default
