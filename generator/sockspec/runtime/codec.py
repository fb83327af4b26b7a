"""From frames to typed messages and back: the messages of one direction, and how they are told apart."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, Generic, TypeVar, cast

import msgspec
from msgspec import UNSET, Struct

from sockspec.runtime import problems
from sockspec.runtime.discriminator import Discriminator, Path
from sockspec.runtime.jsontext import NotJson, nested_deeper, parse
from sockspec.runtime.judge import Schemas
from sockspec.runtime.lanes import REFUSALS, Entry, Lane, Verdict, is_shallow
from sockspec.runtime.problems import Fault, PayloadError, Problem
from sockspec.runtime.transport import Frame

M = TypeVar("M")

DEPTH: Final = 64
"""How deep objects and arrays of a payload may be nested. What the typed decoder skips unread does not count."""


class Codec(Generic[M]):
    """The messages that one side may send on a channel."""

    def __init__(
        self,
        schemas: Schemas,
        *entries: Entry,
        tag: str | Path = "",
        second_tag: str | Path = "",
        position: int | None = None,
        depth: int = DEPTH,
    ) -> None:
        """What tells the messages apart, and how deep a payload may be nested.

        `tag` is a property, or the names that lead to a nested one; where it takes a pair, `second_tag` is the other.
        `position` is the item that tells arrays apart, counted from 0.
        """
        self._depth = depth
        self._lanes: dict[type, Lane] = {entry.message: Lane(entry, schemas) for entry in entries}
        self._discriminator = Discriminator(self._lanes.values(), tag, second_tag, position)
        self.entries: tuple[Entry, ...] = entries
        """The messages with what the codec knows of each."""
        self.messages: tuple[type[Struct], ...] = tuple(entry.message for entry in entries)
        """The classes of the messages."""
        self._accepts_text = any(entry.content == "text" for entry in entries)
        self.accepts_binary: bool = any(entry.content == "binary" for entry in entries)
        """Whether one of the messages travels in a binary frame."""

    def limited(self, depth: int) -> Codec[M]:
        """The same codec with another limit of depth."""
        if depth == self._depth:
            return self
        other = copy.copy(self)
        other._depth = depth
        return other

    # --- receiving --------------------------------------------------------------------------------------------------

    def decode(self, frame: str | bytes) -> M:
        """The message in a frame: text is given as str, a binary frame as bytes. Raises PayloadError."""
        if type(frame) is str and (self._is_shallow or frame.count("{") + frame.count("[") <= self._depth):
            try:
                message: M = self._typed(frame)
            except REFUSALS:
                pass
            else:
                return message
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
            if self._accepts_text:
                return self._bare("text", frame)
            raise
        refused: list[tuple[Lane, tuple[Fault, ...]]] = []
        for lane in self._discriminator.candidates(value):
            verdict = lane.decode(frame, value)
            if isinstance(verdict, Verdict):
                return verdict
            refused.append((lane, verdict))
        if not refused and self._accepts_text:
            return self._bare("text", frame)  # a text that happens to be JSON
        raise PayloadError(self._problem(value, refused))

    def take(self, frame: str | bytes) -> M:
        """The message in a frame without the validator's verdict, as far as it fits its class.

        What does not fit stays a plain value, and what is missing is `UNSET`. Raises PayloadError for what is not JSON, and
        where no message comes into question.
        """
        if isinstance(frame, bytes):
            return self._bare("binary", frame).message
        try:
            return cast(M, self._typed(frame))
        except REFUSALS:
            pass
        value = self._parse(frame)
        for lane in self._discriminator.candidates(value):
            made = lane.make(value)
            if isinstance(made, lane.entry.message):
                return cast(M, made)
        raise PayloadError(self._problem(value, []))

    def correlation_in(self, frame: str | bytes) -> object | None:
        """The correlation id in a frame that is no valid message, to tell its sender which request failed."""
        try:
            value = self._parse(frame) if isinstance(frame, str) else None
        except PayloadError:
            return None
        for lane in self._discriminator.candidates(value):
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

    def _problem(self, value: object, refused: list[tuple[Lane, tuple[Fault, ...]]]) -> Problem:
        if refused:
            lane, faults = min(refused, key=lambda one: len(one[1]))
            return _invalid(lane, faults)
        if not isinstance(value, dict):
            fault = Fault("", "type", "expected object")
            return Problem.of(problems.VALIDATION_ERROR, "the payload is not an object", errors=(fault,))
        return Problem.of(problems.UNKNOWN_TYPE, self._discriminator.refusal(value))

    @cached_property
    def _typed(self) -> Callable[[str], Any]:
        return self._discriminator.typed

    @cached_property
    def _is_shallow(self) -> bool:
        """Whether no message can hold anything that is nested deeply; what the decoder skips does no harm."""
        return all(is_shallow(lane.entry.message) for lane in self._lanes.values())

    # --- sending ----------------------------------------------------------------------------------------------------

    def encode(self, message: M, *, check: bool = True) -> str | bytes:
        """The frame of a message: str for a text frame, bytes for a binary one.

        An unset `timestamp` is set to the present time. Unless `check` is off, the payload is judged before it is given
        out. Raises PayloadError for what its own schema refuses, and TypeError for a message of another codec.
        """
        return self.frame(message, check=check).payload

    def frame(self, message: M, *, check: bool = True) -> Frame:
        """The same as it goes on the wire."""
        lane = self._lanes.get(type(message)) or self._lane(message)
        if lane.entry.content != "json":
            return lane.bare_frame(message)
        text = lane.encode(message)
        if not check:
            return Frame(text)
        if lane.entry.lane == "typed":
            try:
                lane.typed(text)
            except REFUSALS:
                pass
            else:
                return Frame(text)
        faults = lane.judge(self._parse(text.decode()))
        if faults:
            raise PayloadError(_invalid(lane, faults))
        return Frame(text)

    def correlation_of(self, message: M) -> object | None:
        """The value that a reply to the message repeats; None where there is none."""
        lane = self._lane(message)
        found: Any = message
        for name in lane.correlation:
            found = getattr(found, name, UNSET)
        return None if not lane.correlation or cast(object, found) is UNSET else found

    def correlate(self, message: M, value: object) -> M:
        """The message with that correlation value."""
        lane = self._lane(message)
        return cast(M, _with(message, lane.correlation, value))

    def _lane(self, message: M) -> Lane:
        lane = self._lanes.get(type(message))
        if lane is None:
            raise TypeError(f"{type(message).__name__} is not a message of this channel and direction")
        return lane


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
