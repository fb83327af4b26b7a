"""Changes of a document's text that keep all else as it is written: comments, order, quotes and line ends."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import yaml

from sockspec.spec.read_yaml import core
from sockspec.spec.source import Document, escape
from sockspec.spec.text import Json, Text

_FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_JSON_SCALAR = re.compile(r'"(?:[^"\\]++|\\.)*+"|[^\s,:\[\]{}"]++')
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./~-]*(?: [A-Za-z0-9_./~-]+)*")
"""What needs no quotes, wherever it stands; other texts may do without them, too."""
_WORDS_1_1 = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
"""What other readers of YAML take for something else than text."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Edit:
    """Some characters of a document to be replaced, and which value changes by that."""

    document: Document = field(repr=False)
    start: int
    end: int
    """The character behind the last one that is replaced; where it is the start, the text is inserted."""
    text: str
    pointer: str
    """What changes; all else means the same afterwards, or the edit is not made."""


@dataclass(frozen=True, slots=True)
class _Scalar:
    end: int
    style: str
    """The quote, or the sign of a block; empty where there is none."""


class _Written:
    """How the values of a text are written."""

    def __init__(self, text: Text) -> None:
        self.characters = text.characters
        self.is_json = _is_json(text.characters)
        self.scalars: dict[int, _Scalar] = {}
        self.flows: dict[int, int] = {}
        """Where the mappings in braces begin, and where they end."""
        if not self.is_json:
            self._read()

    @property
    def line_end(self) -> str:
        """What ends the lines."""
        at = self.characters.find("\n")
        return "\r\n" if at > 0 and self.characters[at - 1] == "\r" else "\n"

    def scalar(self, start: int) -> _Scalar | None:
        """The scalar that begins at a character; None where none does, or where it bears an anchor or a tag."""
        if self.is_json:
            found = _JSON_SCALAR.match(self.characters, start)
            return _Scalar(found.end(), '"' if found[0][0] == '"' else "") if found is not None else None
        return self.scalars.get(start) if self.characters[start : start + 1] not in ("&", "!", "*") else None

    def is_flow(self, start: int) -> bool:
        """Whether a mapping that begins at a character stands in braces."""
        return self.is_json or start in self.flows

    def _read(self) -> None:
        open_flows: list[int | None] = []
        for event in yaml.parse(self.characters, Loader=_FASTEST):
            if isinstance(event, yaml.ScalarEvent):
                style = event.style or ""
                self.scalars[event.start_mark.index] = _Scalar(event.end_mark.index, style)
            elif isinstance(event, yaml.MappingStartEvent):
                open_flows.append(event.start_mark.index if event.flow_style else None)
            elif isinstance(event, yaml.MappingEndEvent):
                start = open_flows.pop()
                if start is not None:
                    self.flows[start] = event.end_mark.index


_seen: WeakKeyDictionary[Text, _Written] = WeakKeyDictionary()


def _written(document: Document) -> _Written:
    if document.text not in _seen:
        _seen[document.text] = _Written(document.text)
    return _seen[document.text]


def _is_json(characters: str) -> bool:
    """Whether a text is JSON as a whole, which is read by other rules than YAML."""
    if characters.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(characters)
    except (ValueError, RecursionError):
        return False
    return True


def replaced(document: Document, pointer: str, value: str) -> list[Edit]:
    """Write another text in the place of a scalar, in the quotes that it has where that can be.

    Nothing where what stands there is no scalar on one line, or shares its place with others (an alias, an anchor).
    """
    written = _written(document)
    start = document.offsets(pointer)[1]
    scalar = written.scalar(start)
    if scalar is None or scalar.style in ("|", ">") or "\n" in written.characters[start : scalar.end]:
        return []
    return [Edit(document, start, scalar.end, _scalar(value, written, scalar.style), pointer)]


def inserted(document: Document, pointer: str, key: str, value: Json, *, after: str = "") -> list[Edit]:
    """Write another entry into the mapping at a pointer: behind a key where its value is short, else as the first.

    The value is a text, or a mapping of texts. Nothing where the mapping has the key, or cannot be written to.
    """
    mapping = document.at(pointer)
    if not isinstance(mapping, dict) or key in mapping:
        return []
    written = _written(document)
    start = document.offsets(pointer)[1]
    changes = f"{pointer}/{escape(key)}"
    if written.is_flow(start) or not mapping:
        return _into_flow(document, written, start, mapping, (key, value), after, changes)
    return _into_block(document, written, mapping, (key, value), after, pointer, changes)


def _into_flow(
    document: Document,
    written: _Written,
    start: int,
    mapping: Mapping[str, Json],
    entry: tuple[str, Json],
    after: str,
    changes: str,
) -> list[Edit]:
    if written.characters[start : start + 1] != "{":
        return []
    text = _flow_entry(entry, written)
    if not mapping:
        return [Edit(document, start + 1, start + 1, text, changes)]
    pointer = changes.rpartition("/")[0]
    if after in mapping:
        at = document.offsets(f"{pointer}/{escape(after)}")
        scalar = written.scalar(at[1])
        if scalar is not None:
            before = written.characters[written.characters.rfind("\n", 0, at[0]) + 1 : at[0]]
            is_alone = not before.strip() and "\n" in written.characters[start : at[0]]
            space = written.line_end + before if is_alone else " "
            return [Edit(document, scalar.end, scalar.end, f",{space}{text}", changes)]
    first = document.offsets(f"{pointer}/{escape(next(iter(mapping)))}")[0]
    space = written.characters[start + 1 : first]
    if space.strip():
        return []
    return [Edit(document, first, first, f"{text},{space or ' '}", changes)]


def _into_block(
    document: Document,
    written: _Written,
    mapping: Mapping[str, Json],
    entry: tuple[str, Json],
    after: str,
    pointer: str,
    changes: str,
) -> list[Edit]:
    first = document.offsets(f"{pointer}/{escape(next(iter(mapping)))}")[0]
    line = written.characters.rfind("\n", 0, first) + 1
    if written.characters[line:first].strip(" -"):
        return []
    indent = " " * (first - line)
    text = _block_entry(entry, written, indent)
    if after in mapping:
        key, at = document.offsets(f"{pointer}/{escape(after)}")
        scalar = written.scalar(at)
        if scalar is not None and scalar.style not in ("|", ">"):
            end = written.characters.find("\n", scalar.end)
            if end < 0:
                at_end = len(written.characters)
                return [Edit(document, at_end, at_end, f"{written.line_end}{indent}{text}", changes)]
            return [Edit(document, end + 1, end + 1, f"{indent}{text}{written.line_end}", changes)]
    return [Edit(document, first, first, f"{text}{written.line_end}{indent}", changes)]


# --- how it is written ----------------------------------------------------------------------------------------------


def _block_entry(entry: tuple[str, Json], written: _Written, indent: str) -> str:
    key, value = entry
    name = _scalar(key, written, "")
    if not isinstance(value, dict) or not value:
        return f"{name}: {_flow_value(value, written)}"
    lines = [f"{name}:"]
    lines += [f"{indent}  {_block_entry(inner, written, indent + '  ')}" for inner in value.items()]
    return written.line_end.join(lines)


def _flow_entry(entry: tuple[str, Json], written: _Written) -> str:
    key, value = entry
    return f"{_scalar(key, written, '')}: {_flow_value(value, written)}"


def _flow_value(value: Json, written: _Written) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(_flow_entry(entry, written) for entry in value.items()) + "}"
    return _scalar(str(value), written, "")


def _scalar(value: str, written: _Written, style: str) -> str:
    """A text as a scalar, quoted where it has to be, else as what stood there."""
    if written.is_json or style == '"' or _UNPRINTABLE.search(value):
        return json.dumps(value, ensure_ascii=False)
    is_plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS_1_1 and isinstance(core(value), str)
    if style != "'" and is_plain:
        return value
    return "'" + value.replace("'", "''") + "'"
