"""What is wrong with a JSON text, and where: a scanner for the texts that the json module cannot explain."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field

from sockspec.diagnostics import Code, Diagnostic, Report, Severity
from sockspec.spec.text import (
    BAD_ENCODING,
    BAD_NUMBER,
    DUPLICATE_KEY,
    MAX_DEPTH,
    MAX_DIGITS,
    TOO_DEEP,
    Json,
    Marks,
    Text,
    Unreadable,
    quoted,
)

INVALID_JSON = Code(
    "invalid-json",
    Severity.ERROR,
    "The file is not JSON (RFC 8259). Comments, trailing commas, single quotes and bare words are not part of it; "
    "save the file as `.yaml` if you want them.",
)

_TOKEN = re.compile(
    r"""[ \t\n\r]*+(?:
      (?P<string>"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")
    | (?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+)
    | (?P<word>true|false|null)
    | (?P<mark>[\[\]{}:,])
    )""",
    re.VERBOSE,
)
_SPACE = re.compile(r"[ \t\n\r]*+")
_WRONG = re.compile(r"[A-Za-z0-9_.+-]++|'[^'\n]*+'?|//?|#|.", re.DOTALL)
_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(slots=True)
class _Open:
    """A container whose end has not come yet, beside the value that was read from it."""

    value: Json
    is_mapping: bool
    offsets: list[int] = field(default_factory=list[int])
    indexes: dict[str, int] = field(default_factory=dict[str, int])
    """Where the offsets of each key stand."""
    key: str = ""

    def child(self) -> Json:
        """The value that was read where the scanner stands. Of a repeated key it is the last one."""
        match self.value:
            case dict():
                return self.value.get(self.key)
            case list() if len(self.offsets) <= len(self.value):
                return self.value[len(self.offsets) - 1]
            case _:
                return None


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int


class _Scanner:
    """Walks the tokens of a JSON text beside its value; what is wrong with the text is raised or reported."""

    def __init__(self, text: Text, value: Json, report: Report) -> None:
        self._text = text
        self._value = value
        self._report = report
        self._marks = Marks()
        self._open: list[_Open] = []
        self._end = 0
        self._halves: list[int] = []

    def scan(self) -> Marks:
        """The places of all values."""
        token = self._next()
        self._marks.root = token.offset
        self._begin(token, self._value)
        while self._open:
            top = self._open[-1]
            token = self._next()
            if token.text == ("}" if top.is_mapping else "]"):
                self._close()
                continue
            if top.offsets:
                token = self._after_comma(token, top)
            if top.is_mapping:
                token = self._entry(token, top)
            else:
                top.offsets.append(token.offset)
            self._begin(token, top.child())
        token = self._next()
        if token.kind != "end":
            raise self._wrong(token, "the end of the file")
        if self._halves:
            raise Unreadable(*(self._half(offset) for offset in self._halves))
        return self._marks

    def _next(self) -> _Token:
        found = _TOKEN.match(self._text.characters, self._end)
        if found is None:
            offset = self._blank_end()
            wrong = _WRONG.match(self._text.characters, offset)
            return _Token("wrong", wrong[0], offset) if wrong else _Token("end", "", offset)
        self._end = found.end()
        kind = str(found.lastgroup)
        return _Token(kind, found[kind], found.start(kind))

    def _blank_end(self) -> int:
        found = _SPACE.match(self._text.characters, self._end)
        return found.end() if found else self._end

    def _begin(self, token: _Token, value: Json) -> None:
        """A value begins with this token."""
        match token.kind:
            case "mark" if token.text in "{[":
                if len(self._open) == MAX_DEPTH:
                    raise Unreadable(
                        TOO_DEEP.at(
                            self._text.place(token.offset),
                            f"more than {MAX_DEPTH} mappings and lists stand within one another",
                        )
                    )
                self._open.append(_Open(value, token.text == "{"))
            case "string":
                self._string(token)
            case "number":
                self._number(token)
            case "word":
                pass
            case _:
                raise self._wrong(token, "a value")

    def _after_comma(self, token: _Token, top: _Open) -> _Token:
        closing = "}" if top.is_mapping else "]"
        if token.text != ",":
            raise self._wrong(token, f"',' or {closing!r}")
        following = self._next()
        if following.text == closing:
            raise self._wrong(token, f"{closing!r}", "JSON allows no trailing comma")
        return following

    def _entry(self, token: _Token, top: _Open) -> _Token:
        """Take a key and its colon; the token after them begins the value."""
        if token.kind != "string":
            raise self._wrong(token, "a key in double quotes")
        key = top.key = self._string(token)
        colon = self._next()
        if colon.text != ":":
            raise self._wrong(colon, f"':' after the key {quoted(key)}")
        value = self._next()
        index = top.indexes.get(key)
        if index is None:
            top.indexes[key] = len(top.offsets)
            top.offsets += token.offset, value.offset
        else:
            first = self._text.place(top.offsets[index])
            place = self._text.place(token.offset)
            self._report.add(DUPLICATE_KEY.at(place, f"the key {quoted(key)} is repeated", related=(first,)))
            top.offsets[index : index + 2] = token.offset, value.offset
        return value

    def _close(self) -> None:
        closed = self._open.pop()
        # An earlier one of two repeated keys has no value of its own; the later one overwrites what is noted here.
        if isinstance(closed.value, dict if closed.is_mapping else list):
            self._marks.note(closed.value, closed.offsets)

    def _string(self, token: _Token) -> str:
        if "\\" not in token.text:
            return token.text[1:-1]
        value = str(json.loads(token.text))
        if _HALF_PAIR.search(token.text) and any("\ud800" <= character <= "\udfff" for character in value):
            self._halves.append(token.offset)
        return value

    def _number(self, token: _Token) -> None:
        is_integer = token.text.lstrip("-").isdigit()
        if len(token.text) > MAX_DIGITS if is_integer else math.isinf(float(token.text)):
            place = self._text.place(token.offset)
            raise Unreadable(BAD_NUMBER.at(place, f"the number {quoted(token.text)} is out of range"))

    def _half(self, offset: int) -> Diagnostic:
        return BAD_ENCODING.at(
            self._text.place(offset),
            "the text holds a half of a surrogate pair",
            hint="characters beyond U+FFFF are written as two escapes, such as '\\ud83d\\ude00'",
        )

    def _wrong(self, token: _Token, expected: str, hint: str = "") -> Unreadable:
        found = quoted(token.text) if token.text else "the end of the file"
        if token.text.startswith(("/", "#")):
            hint = "JSON has no comments"
        elif token.text.startswith("'"):
            hint = "JSON strings stand in double quotes"
        return Unreadable(
            INVALID_JSON.at(self._text.place(token.offset), f"expected {expected}, found {found}", hint=hint)
        )


def scan(text: Text, value: Json, report: Report) -> Marks:
    """Where the values of a JSON text stand, of repeated keys the last one's.

    Repeated keys are reported. Raises Unreadable where the text breaks a rule of JSON (RFC 8259) or a limit of ours.
    """
    return _Scanner(text, value, report).scan()
