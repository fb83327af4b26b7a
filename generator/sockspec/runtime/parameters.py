"""The parameters of a handshake as a typed value: read from path, query and headers, or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, get_type_hints

import msgspec
from msgspec import inspect

from sockspec.runtime.handshake import Values
from sockspec.runtime.problems import INVALID_PARAMETERS, Problem, Refused
from sockspec.runtime.unions import decode_hook

_LISTS: Final = (inspect.ListType, inspect.TupleType, inspect.VarTupleType)
_OBJECTS: Final = (inspect.StructType, inspect.DictType)


@dataclass(frozen=True, slots=True)
class FromPath:
    """Marks a parameter that stands in the path, under its name there."""

    name: str
    place: str = "the path parameter"


@dataclass(frozen=True, slots=True)
class FromQuery:
    """Marks a parameter of the query. A list has a value for each time that its name occurs."""

    name: str
    place: str = "the query parameter"


@dataclass(frozen=True, slots=True)
class FromHeader:
    """Marks a header. A list is separated by commas (RFC 9110, section 5.6.1)."""

    name: str
    place: str = "the header"


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one parameter."""

    member: str
    source: FromPath | FromQuery | FromHeader
    required: bool
    read: Callable[[tuple[str, ...]], object]

    def texts(self, path: Mapping[str, str], query: Values, headers: Values) -> tuple[str, ...]:
        match self.source:
            case FromPath(name):
                return (path[name],) if name in path else ()
            case FromQuery(name):
                return query.all(name)
            case FromHeader(name):
                return headers.all(name)


def read_parameters(
    model: type[msgspec.Struct] | None, path: Mapping[str, str], query: Values, headers: Values
) -> msgspec.Struct | None:
    """The parameters as the class that declares them. Raises Refused, which says what is wrong and quotes no value."""
    if model is None:
        return None
    members: dict[str, object] = {}
    for reader in _readers(model):
        texts = reader.texts(path, query, headers)
        if not texts:
            if reader.required:
                raise _refused(reader, "is missing")
            continue
        try:
            members[reader.member] = reader.read(texts)
        except msgspec.ValidationError as error:
            raise _refused(reader, _reason(str(error))) from None
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise _refused(reader, "is not the JSON text that was expected") from None
    return model(**members)


def _refused(reader: _Reader, why: str) -> Refused:
    return Refused(Problem.of(INVALID_PARAMETERS, f"{reader.source.place} {reader.source.name!r} {why}"))


def _reason(text: str) -> str:
    """What msgspec says, unless that quotes the value, which can be a secret."""
    if text.startswith("Invalid enum value"):
        return "has none of the values that are allowed"
    return f"is not valid: {text.partition(' - at ')[0]}"


@cache
def _readers(model: type[msgspec.Struct]) -> tuple[_Reader, ...]:
    hints = get_type_hints(model, include_extras=True)
    required = {field.name for field in msgspec.structs.fields(model) if field.required}
    return tuple(
        _Reader(member, source, member in required, _read(hint, source))
        for member, hint in hints.items()
        for source in getattr(hint, "__metadata__", ())
        if isinstance(source, FromPath | FromQuery | FromHeader)
    )


def _read(of: Any, source: FromPath | FromQuery | FromHeader) -> Callable[[tuple[str, ...]], object]:
    """How the texts of a parameter become its value."""
    info = inspect.type_info(of)
    kinds = info.types if isinstance(info, inspect.UnionType) else (info,)
    if any(isinstance(kind, _OBJECTS) for kind in kinds):
        decoder = msgspec.json.Decoder(of, dec_hook=decode_hook)
        return lambda texts: decoder.decode(texts[0])

    def convert(value: object) -> object:
        return msgspec.convert(value, of, strict=False, dec_hook=decode_hook)

    if not any(isinstance(kind, _LISTS) for kind in kinds):
        return lambda texts: convert(texts[0])
    if isinstance(source, FromQuery):
        return lambda texts: convert(list(texts))
    return lambda texts: convert([item.strip() for text in texts for item in text.split(",")])
