"""Changes of a document's text that keep all else as it is written: comments, order, quotes and line ends."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sockspec.spec.read_yaml import core
from sockspec.spec.source import Document, escape
from sockspec.spec.text import Json
from sockspec.spec.written import Written, written

_PLAIN = re.compile(r"[A-Za-z/](?:[A-Za-z0-9_./~-]|:(?=[A-Za-z0-9_./~-])| (?=[A-Za-z0-9_./~-]))*")
"""What needs no quotes, wherever it stands; other texts may do without them, too."""
_WORDS_1_1 = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
"""What other readers of YAML take for something else than text."""
_ESCAPED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""What stands in quotes of YAML only as an escape."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Some characters of a document to be replaced, and which values change by that."""

    document: Document = field(repr=False)
    start: int
    end: int
    """The character behind the last one that is replaced; where it is the start, the text is inserted."""
    text: str
    pointers: tuple[str, ...]
    """What changes, or comes, or goes; all else means the same afterwards, or the edit is not made."""


def replaced(document: Document, pointer: str, value: str) -> list[Edit]:
    """Write another text in the place of a scalar, in the quotes that it has where that can be.

    Nothing where what stands there is no scalar on one line, or shares its place with others (an alias, an anchor).
    """
    if isinstance(document.at(pointer), (dict, list)):
        return []
    return _rewritten(document, document.offsets(pointer)[1], value, pointer)


def quoted(document: Document, pointer: str) -> list[Edit]:
    """Put a number or a word between quotes, so that it is the text that was written."""
    form = written(document.text)
    start = document.offsets(pointer)[1]
    scalar = form.scalar(start)
    if scalar is None or scalar.style or isinstance(document.at(pointer), (dict, list)):
        return []
    as_written = form.characters[start : scalar.end]
    quote = '"' if form.is_json else "'"
    return [Edit(document, start, scalar.end, f"{quote}{as_written}{quote}", (pointer,))]


def renamed(document: Document, pointer: str, key: str) -> list[Edit]:
    """Give an entry of a mapping another key; nothing where there is one of that key already."""
    around = pointer.rpartition("/")[0]
    mapping = document.at(around)
    if not isinstance(mapping, dict) or key in mapping:
        return []
    return _rewritten(document, document.offsets(pointer)[0], key, pointer, f"{around}/{escape(key)}")


def _rewritten(document: Document, start: int, value: str, *pointers: str) -> list[Edit]:
    form = written(document.text)
    scalar = form.scalar(start)
    if scalar is None or scalar.is_block or "\n" in form.characters[start : scalar.end]:
        return []
    return [Edit(document, start, scalar.end, _scalar(value, form, scalar.style), pointers)]


def inserted(document: Document, pointer: str, key: str, value: Json, *, after: str = "") -> list[Edit]:
    """Write another entry into the mapping at a pointer: behind a key, but as the first where that has a block as its value.

    The value is a text, or a mapping of texts. Nothing where the mapping has the key, or cannot be written to.
    """
    mapping = document.at(pointer)
    if not isinstance(mapping, dict) or key in mapping:
        return []
    form = written(document.text)
    start = document.offsets(pointer)[1]
    changes = f"{pointer}/{escape(key)}"
    if form.is_flow(start) or not mapping:
        return _into_flow(document, form, start, mapping, (key, value), after, changes)
    return _into_block(document, form, mapping, (key, value), after, pointer, changes)


def _into_flow(
    document: Document,
    form: Written,
    start: int,
    mapping: Mapping[str, Json],
    entry: tuple[str, Json],
    after: str,
    changes: str,
) -> list[Edit]:
    if form.characters[start : start + 1] != "{":
        return []
    text = _flow_entry(entry, form)
    if not mapping:
        return [Edit(document, start + 1, start + 1, text, (changes,))]
    pointer = changes.rpartition("/")[0]
    if after in mapping:
        key = document.offsets(f"{pointer}/{escape(after)}")[0]
        end = _end(document, form, f"{pointer}/{escape(after)}")
        if end is not None:
            before = form.characters[form.characters.rfind("\n", 0, key) + 1 : key]
            is_alone = not before.strip() and "\n" in form.characters[start:key]
            space = form.line_end + before if is_alone else " "
            return [Edit(document, end, end, f",{space}{text}", (changes,))]
    first = document.offsets(f"{pointer}/{escape(next(iter(mapping)))}")[0]
    space = form.characters[start + 1 : first]
    if space.strip():
        return []
    return [Edit(document, first, first, f"{text},{space or ' '}", (changes,))]


def _into_block(
    document: Document,
    form: Written,
    mapping: Mapping[str, Json],
    entry: tuple[str, Json],
    after: str,
    pointer: str,
    changes: str,
) -> list[Edit]:
    first = document.offsets(f"{pointer}/{escape(next(iter(mapping)))}")[0]
    line = form.characters.rfind("\n", 0, first) + 1
    if form.characters[line:first].strip(" -"):
        return []
    indent = " " * (first - line)
    text = _block_entry(entry, form, indent)
    if after in mapping:
        end = _end(document, form, f"{pointer}/{escape(after)}")
        if end is not None:
            end = form.characters.find("\n", end)
            if end < 0:
                at_end = len(form.characters)
                return [Edit(document, at_end, at_end, f"{form.line_end}{indent}{text}", (changes,))]
            return [Edit(document, end + 1, end + 1, f"{indent}{text}{form.line_end}", (changes,))]
    return [Edit(document, first, first, f"{text}{form.line_end}{indent}", (changes,))]


def _end(document: Document, form: Written, pointer: str) -> int | None:
    """The character behind a value that is no block; else None."""
    start = document.offsets(pointer)[1]
    if isinstance(document.at(pointer), (dict, list)):
        return form.flow_end(start)
    scalar = form.scalar(start)
    return scalar.end if scalar is not None and not scalar.is_block else None


# --- how it is written ----------------------------------------------------------------------------------------------


def _block_entry(entry: tuple[str, Json], form: Written, indent: str) -> str:
    key, value = entry
    name = _scalar(key, form, "")
    if not isinstance(value, dict) or not value:
        return f"{name}: {_flow_value(value, form)}"
    lines = [f"{name}:"]
    lines += [f"{indent}  {_block_entry(inner, form, indent + '  ')}" for inner in value.items()]
    return form.line_end.join(lines)


def _flow_entry(entry: tuple[str, Json], form: Written) -> str:
    key, value = entry
    return f"{_scalar(key, form, '')}: {_flow_value(value, form)}"


def _flow_value(value: Json, form: Written) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(_flow_entry(entry, form) for entry in value.items()) + "}"
    return _scalar(str(value), form, "")


def _scalar(value: str, form: Written, style: str) -> str:
    """A text as a scalar, quoted where it has to be, else as what stood there."""
    if form.is_json or style == '"' or _ESCAPED.search(value):
        return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
    is_plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS_1_1 and isinstance(core(value), str)
    if style != "'" and is_plain:
        return value
    return "'" + value.replace("'", "''") + "'"
