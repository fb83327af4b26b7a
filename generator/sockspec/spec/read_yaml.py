"""YAML text (1.2, core schema) to values, from the events of the YAML parser.

The events come flat, so that nothing here or in libyaml recurses with the nesting of the text (its composer does, and
takes the interpreter down with it), and values and places are built in one pass.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from sockspec.diagnostics import Code, Report, Severity
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

MAX_EXPANSION = 1_000_000
"""How many values all aliases of a document may stand for together."""

INVALID_YAML = Code(
    "invalid-yaml",
    Severity.ERROR,
    "The file is not YAML. Often a colon or a quote stands within unquoted text, or a line is indented by a tab or by "
    "one space too many. The place is where the reader gave up; the cause may stand some lines above.",
)
UNKNOWN_TAG = Code(
    "unknown-tag",
    Severity.ERROR,
    "The value has a YAML tag that means nothing in a description of an API. Only the tags of JSON's own types are "
    "read (`!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!map`, `!!seq`); nothing is ever run. Remove the tag.",
)
SEVERAL_DOCUMENTS = Code(
    "several-documents",
    Severity.ERROR,
    "The file holds more than one YAML document. Only one can be meant; move the others to files of their own.",
)
BAD_ALIAS = Code(
    "bad-alias",
    Severity.ERROR,
    "A YAML alias (`*name`) names no anchor above it, stands within its own anchor, or all aliases together stand for "
    f"more than {MAX_EXPANSION} values. Use `$ref` for definitions that refer to themselves.",
)
BAD_KEY = Code(
    "bad-key",
    Severity.ERROR,
    "The key of a mapping is itself a mapping or a list. Keys are text in JSON and so in every description of an API.",
)
MERGE_KEY = Code(
    "merge-key",
    Severity.INFO,
    "`<<` merges another mapping into this one. It is YAML 1.1 and not part of 1.2; other tools may take it for a "
    "plain key. It is merged here where its value is an alias, or a list of aliases; write a `$ref` instead.",
)

_CORE = "tag:yaml.org,2002:"
_TAGS = frozenset(_CORE + name for name in ("str", "int", "float", "bool", "null", "map", "seq"))
_WORDS: dict[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER = re.compile(
    r"(?P<integer>[-+]?[0-9]+)|0o(?P<octal>[0-7]+)|0x(?P<hex>[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<special>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
_CONVERT: dict[str, Callable[[str], int | float]] = {
    "integer": int,
    "octal": lambda digits: int(digits, 8),
    "hex": lambda digits: int(digits, 16),
    "float": float,
    "special": lambda word: float(word.replace(".", "")),
}
_FIRST_OF_NUMBER = frozenset("0123456789+-.")

_NESTED = f"more than {MAX_DEPTH} mappings and lists stand within one another"
# libyaml where it is installed; the same events come ten times slower without.
_FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def core(written: str) -> Json:
    """The value of a plain scalar by the core schema (YAML 1.2.2, section 10.3.2)."""
    if written in _WORDS:
        return _WORDS[written]
    found = _NUMBER.fullmatch(written) if written[0] in _FIRST_OF_NUMBER else None
    if found is None:
        return written
    if len(written) > MAX_DIGITS:
        return math.inf
    kind = str(found.lastgroup)
    return _CONVERT[kind](found[kind])


@dataclass(slots=True)
class _Anchor:
    value: Json
    written: str | None = None
    """Text of a scalar, for an alias that is a key."""
    size: int = 1
    """How many values it stands for, aliases followed."""
    depth: int = 0
    """How many levels of mappings and lists it has, aliases followed."""
    is_open: bool = False


@dataclass(slots=True)
class _Open:
    """A container whose end has not come yet."""

    mapping: dict[str, Json] | None
    items: list[Json]
    offset: int
    key: str | None = None
    """The key whose value comes next."""
    key_offset: int = 0
    merging: bool = False
    """The key is a plain `<<`."""
    offsets: list[int] = field(default_factory=list[int])
    repeated: list[tuple[str, int, int]] = field(default_factory=list[tuple[str, int, int]])
    merged: list[tuple[dict[str, Json], int]] = field(default_factory=list[tuple[dict[str, Json], int]])
    aliases: int = 0
    """How many of the entries are aliases of mappings."""
    anchor: _Anchor | None = None
    size_before: int = 0
    depth: int = 1

    @property
    def value(self) -> Json:
        """The container."""
        return self.items if self.mapping is None else self.mapping


class _Builder:
    """Builds the value of a text from its events."""

    def __init__(self, text: Text, report: Report, loader: Any) -> None:
        self._text = text
        self._report = report
        self._loader = loader
        self._marks = Marks()
        self._anchors: dict[str, _Anchor] = {}
        self._open: list[_Open] = []
        self._root: Json = None
        self._documents = 0
        self._size = 0
        self._expanded = 0

    def build(self) -> tuple[Json, Marks]:
        """Value and places."""
        loader = self._loader(self._text.characters)
        try:
            next_event = loader.get_event
            handlers: dict[type, Callable[[Any], None]] = {
                yaml.ScalarEvent: self._scalar,
                yaml.MappingStartEvent: self._start,
                yaml.SequenceStartEvent: self._start,
                yaml.MappingEndEvent: self._end,
                yaml.SequenceEndEvent: self._end,
                yaml.AliasEvent: self._alias,
                yaml.DocumentStartEvent: self._document,
            }
            while not isinstance(event := next_event(), yaml.StreamEndEvent):
                handler = handlers.get(event.__class__)
                if handler is not None:
                    handler(event)
        except yaml.YAMLError as error:
            raise self._too_deep(error) or self._syntax(error) from None
        finally:
            loader.dispose()
        return self._root, self._marks

    # --- events -----------------------------------------------------------------------------------------------------

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            raise self._unreadable(SEVERAL_DOCUMENTS, event, "a second document begins here; one was expected")

    def _scalar(self, event: Any) -> None:
        written: str = event.value
        offset: int = event.start_mark.index
        self._size += 1
        top = self._open[-1] if self._open else None
        if event.style == '"' and not written.isascii():
            self._check_pairs(written, event)
        if top is not None and top.mapping is not None and top.key is None:
            if event.tag is not None:
                self._check_tag(event)
            if event.anchor is not None:
                self._anchors[event.anchor] = _Anchor(written, written)
            top.key = written
            top.key_offset = offset
            top.merging = written == "<<" and event.implicit[0]
            return
        value: Json = written
        if event.tag is not None:
            self._check_tag(event)
            if event.tag.startswith(_CORE) and event.tag != _CORE + "str":
                value = core(written)
        elif event.implicit[0]:
            value = core(written)
        if isinstance(value, float) and not math.isfinite(value):
            self._report.add(BAD_NUMBER.at(self._text.place(offset), f"JSON has no number {quoted(written)}"))
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(value, written)
        self._put(value, offset)

    def _start(self, event: Any) -> None:
        offset: int = event.start_mark.index
        top = self._open[-1] if self._open else None
        if top is not None and top.mapping is not None and top.key is None:
            raise self._unreadable(BAD_KEY, event, "a mapping or a list stands where a key was expected")
        if len(self._open) == MAX_DEPTH:
            raise self._unreadable(TOO_DEEP, event, _NESTED)
        if event.tag is not None:
            self._check_tag(event)
        opened = _Open({} if event.__class__ is yaml.MappingStartEvent else None, [], offset, size_before=self._size)
        self._size += 1
        if event.anchor is not None:
            opened.anchor = self._anchors[event.anchor] = _Anchor(opened.value, is_open=True)
        self._open.append(opened)

    def _end(self, _event: Any) -> None:
        closed = self._open.pop()
        value = closed.value
        if closed.repeated:
            self._settle_repeated(closed)
        if closed.merged:
            self._merge(closed)
        self._marks.note(closed.items if closed.mapping is None else closed.mapping, closed.offsets)
        if closed.anchor is not None:
            closed.anchor.is_open = False
            closed.anchor.size = self._size - closed.size_before
            closed.anchor.depth = closed.depth
        if self._open:
            top = self._open[-1]
            top.depth = max(top.depth, closed.depth + 1)
            if top.merging and closed.items and closed.aliases == len(closed.items):
                top.merged += [(source, top.key_offset) for source in closed.items if isinstance(source, dict)]
                top.key, top.merging = None, False
                return
        self._put(value, closed.offset)

    def _alias(self, event: Any) -> None:
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            raise self._unreadable(BAD_ALIAS, event, f"no anchor named {quoted('&' + event.anchor)} stands above")
        if anchor.is_open:
            raise self._unreadable(BAD_ALIAS, event, f"{quoted('*' + event.anchor)} stands within its own anchor")
        self._size += anchor.size
        self._expanded += anchor.size
        if self._expanded > MAX_EXPANSION:
            raise self._unreadable(BAD_ALIAS, event, f"the aliases stand for more than {MAX_EXPANSION} values together")
        if len(self._open) + anchor.depth > MAX_DEPTH:
            raise self._unreadable(
                TOO_DEEP, event, f"more than {MAX_DEPTH} mappings and lists stand within one another, aliases followed"
            )
        top = self._open[-1]
        offset: int = event.start_mark.index
        if top.mapping is not None and top.key is None:
            if anchor.written is None:
                raise self._unreadable(BAD_KEY, event, "a mapping or a list stands where a key was expected")
            top.key, top.key_offset, top.merging = anchor.written, offset, False
            return
        top.depth = max(top.depth, anchor.depth + 1)
        if isinstance(anchor.value, dict):
            if top.merging:
                top.merged.append((anchor.value, top.key_offset))
                top.key, top.merging = None, False
                return
            top.aliases += 1
        self._put(anchor.value, offset)

    # --- values -----------------------------------------------------------------------------------------------------

    def _put(self, value: Json, offset: int) -> None:
        """The value is complete: give it to the container around it."""
        if not self._open:
            self._root = value
            self._marks.root = offset
            return
        top = self._open[-1]
        if top.mapping is None:
            top.items.append(value)
            top.offsets.append(offset)
            return
        key = top.key or ""
        if key in top.mapping:
            top.repeated.append((key, top.key_offset, offset))
        else:
            top.offsets += top.key_offset, offset
        top.mapping[key] = value
        top.key, top.merging = None, False

    def _settle_repeated(self, closed: _Open) -> None:
        """Report keys that came again, and note the places of those that count, which are the last."""
        indexes = {key: 2 * index for index, key in enumerate(closed.mapping or ())}
        for key, key_offset, offset in closed.repeated:
            index = indexes[key]
            first = self._text.place(closed.offsets[index])
            place = self._text.place(key_offset)
            self._report.add(DUPLICATE_KEY.at(place, f"the key {quoted(key)} is repeated", related=(first,)))
            closed.offsets[index : index + 2] = key_offset, offset

    def _merge(self, closed: _Open) -> None:
        """Add what `<<` names, where the mapping does not say it itself (YAML 1.1 merge keys)."""
        mapping = closed.mapping if closed.mapping is not None else {}
        for source, key_offset in closed.merged:
            self._report.add(MERGE_KEY.at(self._text.place(key_offset), "'<<' merges another mapping into this one"))
            for key, value in source.items():
                if key not in mapping:
                    mapping[key] = value
                    closed.offsets += self._marks.of_key(source, key)

    # --- faults -----------------------------------------------------------------------------------------------------

    def _check_tag(self, event: Any) -> None:
        tag: str = event.tag
        if tag == "!" or tag in _TAGS:
            return
        shown = "!!" + tag.removeprefix(_CORE) if tag.startswith(_CORE) else tag
        place = self._text.place(event.start_mark.index)
        self._report.add(UNKNOWN_TAG.at(place, f"the tag {quoted(shown)} means nothing here", hint="remove the tag"))

    def _check_pairs(self, written: str, event: Any) -> None:
        """The parser in Python takes escapes of halves of surrogate pairs, libyaml does not."""
        if any("\ud800" <= character <= "\udfff" for character in written):
            raise self._unreadable(BAD_ENCODING, event, "the text holds a half of a surrogate pair")

    def _unreadable(self, code: Code, event: Any, message: str) -> Unreadable:
        return Unreadable(code.at(self._text.place(event.start_mark.index), message))

    def _too_deep(self, error: yaml.YAMLError) -> Unreadable | None:
        """Where the nesting is too deep, which newer versions of libyaml find themselves, and far behind; else None."""
        if "nesting depth" not in str(getattr(error, "problem", "")):
            return None
        depth = 0
        for event in yaml.parse(self._text.characters, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > MAX_DEPTH:
                return self._unreadable(TOO_DEEP, event, _NESTED)
        return None

    def _syntax(self, error: yaml.YAMLError) -> Unreadable:
        if not isinstance(error, yaml.MarkedYAMLError):
            offset = error.position if isinstance(error, yaml.reader.ReaderError) else 0
            return Unreadable(INVALID_YAML.at(self._text.place(offset), "this is not YAML: a character is not allowed"))
        mark = error.problem_mark or error.context_mark
        offset = min(mark.index, len(self._text.characters)) if mark else 0
        message = " ".join(filter(None, ("this is not YAML:", error.problem, error.context)))
        related = [self._text.place(error.context_mark.index)] if error.context_mark else []
        place = self._text.place(offset)
        message, hint = _explained(message, self._text.characters[offset : offset + 1])
        return Unreadable(INVALID_YAML.at(place, message, hint=hint, related=[r for r in related if r != place]))


def _explained(message: str, character: str) -> tuple[str, str]:
    """The parser's words in plainer ones where the cause can be told, and what to do."""
    if "cannot start any token" in message and character == "\t":
        return "this is not YAML: a tab stands where only spaces may", "indent with spaces"
    if "cannot start any token" in message:
        return f"this is not YAML: {quoted(character)} cannot begin a value", "put the text in quotes"
    if "mapping values are not allowed" in message:
        return "this is not YAML: a ':' within a value", "put the text in quotes, or begin the key on a line of its own"
    return message, ""


def read(text: Text, report: Report, *, loader: Any = _FASTEST) -> tuple[Json, Marks]:
    """The value of a YAML text, and where its parts stand. Raises Unreadable where there is none.

    Repeated keys, unknown tags, numbers that JSON lacks, and merges are reported. A text without a value gives None.
    """
    return _Builder(text, report, loader).build()
