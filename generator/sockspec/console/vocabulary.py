"""The messages of a channel: what lines mean that are to be sent, and what frames mean that were received."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from msgspec import UNSET

from sockspec import ir
from sockspec.analysis import walk
from sockspec.docs.writing import one_line
from sockspec.python import names
from sockspec.runtime.codec import Codec
from sockspec.runtime.error_messages import read_error
from sockspec.runtime.filled import identified, now
from sockspec.runtime.jsontext import NotJson, parse, plain
from sockspec.runtime.problems import MALFORMED_MESSAGE, PayloadError, Problem
from sockspec.spec.walk import nearest

_NAMED: Final = re.compile(r"([^\s{\[\"]+)\s*(.*)", re.DOTALL)
_WORD: Final = re.compile(r"[^\W\d][\w.-]*\s*(?:$|[{\[\"])")
_LONGEST: Final = 100


class Mistyped(ValueError):
    """A line that names no message of the channel, or another one than its payload; says what was expected."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A message as users know it."""

    name: str
    """The name of its class, as `sockspec decode` prints it."""
    message: ir.Message

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        about = self.message.summary or self.message.title or self.message.description
        line = one_line(about.strip().split("\n\n", 1)[0])
        return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


@dataclass(frozen=True, slots=True)
class Composed:
    """A valid message that is ready to be sent."""

    name: str
    frame: str | bytes


@dataclass(frozen=True, slots=True)
class Understood:
    """What a frame means that passed."""

    name: str | None
    """The name of the message; None for what is no message of the channel."""
    payload: object
    """The JSON value; the text of what is not JSON; base64 of binary frames."""
    invalid: Problem | None = None
    """What is wrong with it."""
    told: Problem | None = None
    """The problem that the server tells by it."""


class Vocabulary:
    """The messages of one channel, both ways."""

    def __init__(self, api: ir.Api, channel: ir.Channel, *, incoming: Codec[Any], outgoing: Codec[Any]) -> None:
        self.api = api
        self.incoming = incoming
        self.outgoing = outgoing
        self.definitions = walk.by_name(api)
        classes = names.give(api).messages

        def of(side: ir.Direction) -> dict[str, Kind]:
            return {classes[m.name]: Kind(classes[m.name], m) for m in api.messages_of(channel, side)}

        self.sendable = of(ir.Direction.CLIENT_TO_SERVER)
        """What may be sent, by name."""
        self.receivable = of(ir.Direction.SERVER_TO_CLIENT)

    def find(self, name: str, among: dict[str, Kind] | None = None) -> Kind:
        """The message of a name, as the class or the document has it. Raises Mistyped."""
        kinds = {**self.receivable, **self.sendable} if among is None else among
        found = _lookup(kinds, name)
        if found is not None:
            return found
        near = nearest(name, kinds)
        hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(kinds) or 'none'}"
        raise Mistyped(f"there is no message {name!r} here; {hint}")

    # --- sending ----------------------------------------------------------------------------------------------------

    def compose(self, line: str) -> Composed:
        """The message of a line: `MessageName {json}`, or JSON alone. Raises Mistyped and PayloadError.

        With a name, what a generated client fills in is filled in: what tells the message apart, `timestamp` and the
        correlation id. A text message is written as it is after its name, and a binary one in base64.
        """
        line = line.strip()
        try:
            line.encode()
        except UnicodeEncodeError as error:
            raise _malformed(f"not UTF-8 at character {error.start}") from None
        named = _NAMED.fullmatch(line)
        kind = _lookup(self.sendable, named[1]) if named is not None else None
        if named is None or kind is None:
            return self._bare(line)
        frame = self._frame(kind, named[2])
        name = type(self.outgoing.examine(frame).message).__name__
        if name != kind.name:
            raise Mistyped(f"the payload is a {name} message, not a {kind.name}")
        return Composed(name, frame)

    def _bare(self, line: str) -> Composed:
        try:
            return Composed(type(self.outgoing.examine(line).message).__name__, line)
        except PayloadError as error:
            word = _WORD.match(line)
            if error.problem.type == MALFORMED_MESSAGE and word is not None:
                self.find(word[0].rstrip('{["').strip(), self.sendable)
            raise

    def _frame(self, kind: Kind, written: str) -> str | bytes:
        match kind.message.payload.content:
            case ir.Content.TEXT:
                return written
            case ir.Content.BINARY:
                try:
                    return base64.b64decode(written, validate=True)
                except binascii.Error:
                    raise Mistyped(f"{kind.name} is binary: expected base64 after its name") from None
            case ir.Content.JSON:
                return self._filled(kind.message, written or "{}")

    def _filled(self, message: ir.Message, written: str) -> str:
        try:
            value = parse(written)
        except NotJson as error:
            raise _malformed(str(error)) from None
        record = walk.resolve(message.payload.type, self.definitions)
        if not isinstance(value, dict) or not isinstance(record, ir.Record):
            return written
        absent = [field for field in record.fields if field.wire_name not in value]
        added = {f.wire_name: new for f in absent if (new := self._filling(message, f)) is not None}
        return json.dumps({**added, **value}, ensure_ascii=False) if added else written

    def _filling(self, message: ir.Message, field: ir.Field) -> object:
        """What stands in a property that was left out; None for nothing."""
        match walk.resolve(field.type, self.definitions):
            case ir.Constant((value,)) if field.required:
                return value
            case ir.Scalar(kind=ir.Kind.DATE_TIME) if field.wire_name == "timestamp":
                return now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
            case ir.Scalar(kind=ir.Kind.STRING) if message.correlation == (field.wire_name,):
                return identified(UNSET)
            case _:
                return None

    # --- receiving --------------------------------------------------------------------------------------------------

    def sent(self, frame: str | bytes) -> Understood:
        """What a frame means that was sent."""
        return self._understood(self.outgoing, frame)

    def received(self, frame: str | bytes) -> Understood:
        """What a frame means that the server sent, and which problem it tells."""
        understood = self._understood(self.incoming, frame)
        kind = self.receivable.get(understood.name or "")
        told = read_error(frame, known=kind is not None and kind.message.is_error)
        if told is None:
            return understood
        # A problem in the design guide's shape is no invalid message of documents that have none of their own.
        invalid = understood.invalid if kind is not None else None
        return Understood(understood.name, understood.payload, invalid, told)

    def _understood(self, codec: Codec[Any], frame: str | bytes) -> Understood:
        payload = base64.b64encode(frame).decode() if isinstance(frame, bytes) else plain(frame)
        try:
            return Understood(type(codec.examine(frame).message).__name__, payload)
        except PayloadError as error:
            invalid = error.problem
        try:
            return Understood(type(codec.take(frame)).__name__, payload, invalid)
        except PayloadError:
            return Understood(None, payload, invalid)


def _malformed(why: str) -> PayloadError:
    return PayloadError(Problem.of(MALFORMED_MESSAGE, why))


def _lookup(kinds: dict[str, Kind], name: str) -> Kind | None:
    """The message of a name, whose case matters only where it has to."""
    if name in kinds:
        return kinds[name]
    alike = (k for k in kinds.values() if name.casefold() in (k.name.casefold(), k.message.name.casefold()))
    return next(alike, None)


def explained(problem: Problem) -> list[str]:
    """A problem in lines: what it is, then each fault with its pointer."""
    faults = [f"{fault.pointer or 'the whole payload'}: {fault.message}" for fault in problem.errors]
    return [problem.message, *faults]
