"""One message: how its payload is decoded, judged and encoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType, inspect

from sockspec.runtime.delivery import deliver
from sockspec.runtime.extra import holds_extra, spread
from sockspec.runtime.filled import now
from sockspec.runtime.judge import Schemas
from sockspec.runtime.problems import Fault
from sockspec.runtime.transport import Frame
from sockspec.runtime.unions import decode_hook

M_co = TypeVar("M_co", covariant=True)

LaneName = Literal["typed", "checked", "judge"]
REFUSALS: Final = (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError)
"""What a typed decoder raises for a text that it does not take."""

_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Entry:
    """A message as a codec knows it."""

    message: type[Struct]
    schema: str
    """Pointer into the package's schemas; empty where any payload is valid."""
    lane: Literal["typed", "checked"]
    """`typed` when a payload that decodes into the class is valid by that alone."""
    tags: tuple[str | int | tuple[str | int, str | int], ...] = ()
    """The values of the codec's tag that mean this message; pairs of values where it takes two tags."""
    marks: tuple[str | int, ...] = ()
    """The same for a message that is an array: the values of the item at the codec's position."""
    tag_required: bool = True
    """Whether a payload without the tag cannot be this message."""
    content: Literal["json", "text", "binary"] = "json"
    bare: bool = False
    """Whether the payload is the class's one member alone, and not an object of all its members."""
    correlation: tuple[str, ...] = ()
    """Wire names that lead to the value which a reply repeats."""


@dataclass(frozen=True, slots=True)
class Verdict(Generic[M_co]):
    """A payload that was accepted, and which lane did so: `judge` where the validator overruled the typed decoder."""

    message: M_co
    lane: LaneName


class _Never:
    """A value that no payload can have."""


@cache
def _nothing(tag_field: str, integer: bool) -> type[Struct]:
    """A class that nothing decodes into: msgspec insists on the tag of a class only where it stands in a union."""
    tag = -(2**62) - 1 if integer else "\x00nothing"
    return msgspec.defstruct("Nothing", [("never", _Never)], tag_field=tag_field, tag=tag)


def insisting(messages: tuple[type[Struct], ...]) -> Any:
    """The union of tagged classes as a decoder's target, which refuses an object without the tag."""
    config = messages[0].__struct_config__
    target: Any = _nothing(config.tag_field or "type", isinstance(config.tag, int))
    for message in messages:
        target = target | message
    return target


def typed_decoder(target: Any) -> Callable[[str | bytes], Any]:
    """Decodes texts into a type; raises one of `REFUSALS` for what does not fit."""
    return msgspec.json.Decoder(target, dec_hook=decode_hook).decode


def is_shallow(message: type[Struct]) -> bool:
    """Whether the types of a message bound how deep it is nested: none is recursive, none may be anything."""
    return _is_bounded(inspect.type_info(message), {})


def _is_bounded(of: inspect.Type, known: dict[type, bool]) -> bool:
    """`known` has what was found of each class; while a class is looked at, that it is not bounded."""
    match of:
        case inspect.AnyType() | inspect.CustomType():
            return False
        case inspect.StructType():
            if of.cls not in known:
                known[of.cls] = False
                known[of.cls] = all(_is_bounded(field.type, known) for field in of.fields)
            return known[of.cls]
        case inspect.ListType():
            return _is_bounded(of.item_type, known)
        case inspect.DictType():
            return _is_bounded(of.value_type, known)
        case inspect.TupleType():
            return all(_is_bounded(one, known) for one in of.item_types)
        case inspect.UnionType():
            return all(_is_bounded(one, known) for one in of.types)
        case _:
            return True


class Lane:
    """One message of a codec with what decodes, judges and encodes it; made when the first payload needs it."""

    def __init__(self, entry: Entry, schemas: Schemas) -> None:
        self.entry = entry
        self._schemas = schemas

    def decode(self, text: str, value: object) -> Verdict[Any] | tuple[Fault, ...]:
        """The verdict on a text, which is also given as a plain value, or the faults that it has."""
        entry = self.entry
        if entry.lane == "typed":
            try:
                return Verdict(self.typed(text), "typed")
            except REFUSALS:
                pass
        faults = self._schemas.faults(entry.schema, value)
        if faults:
            return faults
        return Verdict(self.make(value), "judge" if entry.lane == "typed" else "checked")

    def make(self, value: object) -> Any:
        """The message of a plain value, as far as that fits."""
        payload = deliver(value, self._payload, with_extra=self._has_extra)
        return self.entry.message(payload) if self.entry.bare else payload

    def judge(self, value: object) -> tuple[Fault, ...]:
        """The faults of a plain value, without making a message of it."""
        return self._schemas.faults(self.entry.schema, value)

    @cached_property
    def encode(self) -> Callable[[Any], bytes]:
        """Makes the text of a message in UTF-8, its timestamp set to the present time where it was left out."""
        return self._complete if self._stamp or self.entry.bare or self._has_extra else _encode

    def _complete(self, message: Any) -> bytes:
        stamp = self._stamp
        if stamp and getattr(message, stamp) is UNSET:
            message = msgspec.structs.replace(message, **{stamp: now()})
        payload = self.payload_of(message) if self.entry.bare else message
        return _encode(spread(payload) if self._has_extra else payload)

    def bare_frame(self, message: Any) -> Frame:
        """The frame of a message that is no JSON: its one member is what it carries."""
        payload = self.payload_of(message)
        return Frame(bytes(payload), is_text=False) if self.entry.content == "binary" else Frame(str(payload).encode())

    def payload_of(self, message: Any) -> Any:
        """The one member of a message whose payload is that member alone."""
        return getattr(message, self.entry.message.__struct_fields__[0])

    @cached_property
    def required(self) -> frozenset[str]:
        """The properties that a payload cannot be without."""
        if self.entry.bare:
            return frozenset()
        return frozenset(f.encode_name for f in msgspec.structs.fields(self.entry.message) if f.required)

    @cached_property
    def correlation(self) -> tuple[str, ...]:
        """The attributes that lead to the value which a reply repeats."""
        names: list[str] = []
        of: Any = self.entry.message
        for wire_name in self.entry.correlation:
            field = next((f for f in msgspec.structs.fields(of) if f.encode_name == wire_name), None)
            if field is None:
                return ()
            names.append(field.name)
            of = field.type
        return tuple(names)

    @cached_property
    def _payload(self) -> Any:
        """What the payload is decoded into."""
        return msgspec.structs.fields(self.entry.message)[0].type if self.entry.bare else self.entry.message

    @cached_property
    def _has_extra(self) -> bool:
        return holds_extra(self._payload)

    @cached_property
    def typed(self) -> Callable[[str | bytes], Any]:
        """Decodes a text as this message; raises one of `REFUSALS` for any other."""
        message = self.entry.message
        if self.entry.bare:
            decode = typed_decoder(self._payload)
            return lambda text: message(decode(text))
        target = message if message.__struct_config__.tag is None else insisting((message,))
        return typed_decoder(target)

    @cached_property
    def _stamp(self) -> str:
        """The optional `timestamp` of the envelope, which sending fills in; empty where there is none."""
        if not self.entry.bare:
            for field in msgspec.structs.fields(self.entry.message):
                if field.encode_name == "timestamp" and field.default is UNSET and _is_time(field.type):
                    return field.name
        return ""


def _is_time(of: Any) -> bool:
    """Whether a field is a point in time that may be left out."""
    inner = getattr(of, "__args__", ())
    return UnsetType in inner and "datetime.datetime" in str(of)
