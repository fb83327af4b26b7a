"""From frames to typed messages and back: the messages of one direction, and how they are told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Final, Generic, NoReturn, TypeVar, cast

import msgspec
from msgspec import UNSET, Struct

from sockspec.runtime import problems
from sockspec.runtime.jsontext import NotJson, nested_deeper, parse
from sockspec.runtime.judge import Schemas
from sockspec.runtime.lanes import REFUSALS, Entry, Lane, Verdict, insisting, is_shallow, typed_decoder
from sockspec.runtime.problems import Fault, PayloadError, Problem

M = TypeVar("M")

DEPTH: Final = 64
"""How deep objects and arrays of a payload may be nested. What the typed decoder skips unread does not count."""

_MOST_NAMES: Final = 20
"""How many known tags a problem lists."""


class Codec(Generic[M]):
    """The messages that one side may send on a channel."""

    def __init__(self, schemas: Schemas, *entries: Entry, tag: str = "", depth: int = DEPTH) -> None:
        """`tag` is the property that tells the messages apart; `depth` bounds how deep a payload may be nested."""
        self._tag = tag
        self._depth = depth
        self._lanes: dict[type, Lane] = {entry.message: Lane(entry, schemas) for entry in entries}
        self.entries: tuple[Entry, ...] = entries
        """The messages with what the codec knows of each."""
        self.messages: tuple[type[Struct], ...] = tuple(entry.message for entry in entries)
        """The classes of the messages."""
        self.accepts_binary: bool = any(entry.content == "binary" for entry in entries)
        """Whether one of the messages travels in a binary frame."""

    # --- receiving --------------------------------------------------------------------------------------------------

    def decode(self, frame: str | bytes) -> M:
        """The message in a frame: text is given as str, a binary frame as bytes. Raises PayloadError."""
        if type(frame) is str and (self._is_shallow or frame.count("{") + frame.count("[") <= self._depth):
            try:
                return self._tagged(frame)
            except REFUSALS:
                pass
        return self.examine(frame).message

    def decode_text(self, text: bytes) -> M:
        """The message in the bytes of a text frame (RFC 6455, section 5.6). Raises PayloadError."""
        try:
            return self.decode(text.decode())
        except UnicodeDecodeError as error:
            raise _malformed(f"not UTF-8 at byte {error.start}") from None

    def examine(self, frame: str | bytes) -> Verdict[M]:
        """The message in a frame, and the lane that accepted it. Raises PayloadError."""
        if isinstance(frame, bytes):
            return self._bare("binary", frame)
        try:
            value = self._parse(frame)
        except PayloadError:
            if any(lane.entry.content == "text" for lane in self._lanes.values()):
                return self._bare("text", frame)
            raise
        refused: list[tuple[Lane, tuple[Fault, ...]]] = []
        for lane in self._candidates(value):
            verdict = lane.decode(frame, value)
            if isinstance(verdict, Verdict):
                return verdict
            refused.append((lane, verdict))
        raise PayloadError(self._problem(value, refused))

    def correlation_in(self, frame: str | bytes) -> object | None:
        """The correlation id in a frame that is no valid message, to tell its sender which request failed."""
        try:
            value = self._parse(frame) if isinstance(frame, str) else None
        except PayloadError:
            return None
        for lane in self._candidates(value):
            found = value
            for member in lane.entry.correlation:
                found = found.get(member) if isinstance(found, dict) else None
            if lane.entry.correlation and isinstance(found, str | int):
                return found
        return None

    def _parse(self, text: str) -> object:
        if nested_deeper(text, self._depth):
            raise _malformed(f"nested more than {self._depth} levels deep")
        try:
            return parse(text)
        except NotJson as error:
            raise _malformed(str(error)) from None

    def _bare(self, content: str, frame: str | bytes) -> Verdict[M]:
        for lane in self._lanes.values():
            if lane.entry.content == content:
                return Verdict(cast(M, lane.entry.message(frame)), "typed")
        raise PayloadError(Problem.of(problems.BINARY_NOT_SUPPORTED))

    def _candidates(self, value: object) -> Iterator[Lane]:
        """The messages that a payload may be, the likeliest first."""
        tag = value.get(self._tag, UNSET) if isinstance(value, dict) and self._tag else UNSET
        if isinstance(tag, str | int | float) and not isinstance(tag, bool):
            yield from self._by_tag.get(tag, ())
        for lane in self._untagged:
            if not lane.entry.tags or tag is UNSET:
                yield lane

    def _problem(self, value: object, refused: list[tuple[Lane, tuple[Fault, ...]]]) -> Problem:
        if refused:
            lane, faults = min(refused, key=lambda one: len(one[1]))
            return _invalid(lane, faults)
        if not isinstance(value, dict):
            fault = Fault("", "type", "expected object")
            return Problem.of(problems.VALIDATION_ERROR, "the payload is not an object", errors=(fault,))
        known = ", ".join(repr(tag) for tag in list(self._by_tag)[:_MOST_NAMES])
        found = "names no message that is known here" if self._tag in value else "is missing"
        return Problem.of(problems.UNKNOWN_TYPE, f"the property {self._tag!r} {found}; expected {known}")

    @cached_property
    def _tagged(self) -> Callable[[str], M]:
        """Decodes the messages that the typed lane judges and that msgspec can tell apart, all in one pass."""
        classes: dict[object, type[Struct]] = {}
        for lane in self._lanes.values():
            entry = lane.entry
            config = entry.message.__struct_config__
            if entry.lane == "typed" and config.tag_field == self._tag and len(self._by_tag.get(config.tag, ())) == 1:
                classes[config.tag] = entry.message
        if classes:
            decode: Callable[[str], M] = typed_decoder(insisting(tuple(classes.values())))
            return decode
        return _single(self._lanes)

    @cached_property
    def _is_shallow(self) -> bool:
        """Whether no message can hold anything that is nested deeply; what the decoder skips does no harm."""
        return all(is_shallow(lane.entry.message) for lane in self._lanes.values())

    @cached_property
    def _by_tag(self) -> dict[object, tuple[Lane, ...]]:
        found: dict[object, tuple[Lane, ...]] = {}
        for lane in self._lanes.values():
            for value in lane.entry.tags:
                found[value] = (*found.get(value, ()), lane)
        return found

    @cached_property
    def _untagged(self) -> tuple[Lane, ...]:
        """The JSON messages that a payload without the tag may be."""
        lanes = (lane for lane in self._lanes.values() if lane.entry.content == "json")
        return tuple(lane for lane in lanes if not lane.entry.tags or not lane.entry.tag_required)

    # --- sending ----------------------------------------------------------------------------------------------------

    def encode(self, message: M, *, check: bool = True) -> str | bytes:
        """The frame of a message: str for a text frame, bytes for a binary one.

        An unset `timestamp` is set to the present time. Unless `check` is off, the payload is judged before it is given
        out. Raises PayloadError for what its own schema refuses, and TypeError for a message of another codec.
        """
        lane, struct = self._lane(message)
        if lane.entry.content == "binary":
            return bytes(lane.payload_of(struct))
        if lane.entry.content == "text":
            return str(lane.payload_of(struct))
        text = lane.encode(struct)
        if check:
            faults = lane.judge(text, lambda: self._parse(text))
            if faults:
                raise PayloadError(_invalid(lane, faults))
        return text

    def correlation_of(self, message: M) -> object | None:
        """The value that a reply to the message repeats; None where there is none."""
        lane, found = self._lane(message)
        for name in lane.correlation:
            found = getattr(found, name, UNSET)
        return None if not lane.correlation or cast(object, found) is UNSET else found

    def correlate(self, message: M, value: object) -> M:
        """The message with that correlation value."""
        lane, struct = self._lane(message)
        return cast(M, _with(struct, lane.correlation, value))

    def _lane(self, message: M) -> tuple[Lane, Any]:
        lane = self._lanes.get(type(message))
        if lane is None:
            raise TypeError(f"{type(message).__name__} is not a message of this channel and direction")
        return lane, message


def _single(lanes: dict[type, Lane]) -> Callable[[str], Any]:
    """The decoder of the only message, where there is only one; a payload that it takes needs no dispatch."""
    only = next(iter(lanes.values())) if len(lanes) == 1 else None
    if only is not None and only.entry.lane == "typed" and only.entry.content == "json":
        return only.typed
    return _refuse


def _refuse(text: str) -> NoReturn:
    raise msgspec.ValidationError


def _with(struct: Any, path: tuple[str, ...], value: object) -> Any:
    if not path:
        return struct
    inner = value if len(path) == 1 else _with(getattr(struct, path[0]), path[1:], value)
    return msgspec.structs.replace(struct, **{path[0]: inner})


def _invalid(lane: Lane, faults: tuple[Fault, ...]) -> Problem:
    name = lane.entry.message.__name__
    return Problem.of(problems.VALIDATION_ERROR, f"the payload is not a valid {name} message", errors=faults)


def _malformed(why: str) -> PayloadError:
    return PayloadError(Problem.of(problems.MALFORMED_MESSAGE, why))
