"""What can stand at the end of a line that is being typed: names of messages, of members, and values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from sockspec import ir
from sockspec.analysis import walk
from sockspec.console.vocabulary import Kind, Mistyped, Vocabulary
from sockspec.docs.writing import one_line

_ITEM: Final = "[]"
_DEEPEST: Final = 32


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something that may be typed next."""

    text: str
    replaces: int
    """How many characters before the cursor it replaces."""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the end of an unfinished JSON text is."""

    path: tuple[str, ...]
    """The keys that lead to the object there; `[]` for an item of an array."""
    typed: str
    """What of a key or value is there already, with its quotation mark."""
    is_key: bool
    key: str = ""
    """Whose value is expected, where it is no key."""
    used: frozenset[str] = frozenset()
    """The keys that the object has already."""


@dataclass(slots=True)
class _Open:
    """An object or an array that is not closed yet."""

    is_object: bool
    key: str = ""
    used: set[str] = field(default_factory=set[str])
    expects: Literal["key", "colon", "value", "comma"] = "key"


def place(text: str) -> Place | None:
    """Where the end of the text is; None where nothing can be suggested."""
    stack: list[_Open] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character == '"':
            end = _end_of_string(text, at)
            if end is None:
                break
            _take_string(stack, text[at:end])
            at = end
            continue
        _take(stack, character)
        at += 1
    if not stack:
        return None
    rest, inner = text[at:].lstrip(), stack[-1]
    path = tuple(one.key if one.is_object else _ITEM for one in stack[:-1])
    if inner.is_object and inner.expects == "key" and rest[:1] in ("", '"'):
        return Place(path, rest, True, used=frozenset(inner.used))
    if inner.expects == "value":
        return Place(path, rest, False, inner.key if inner.is_object else _ITEM)
    return None


def _end_of_string(text: str, start: int) -> int | None:
    at = start + 1
    while at < len(text):
        if text[at] == '"':
            return at + 1
        at += 2 if text[at] == "\\" else 1
    return None


def _take_string(stack: list[_Open], written: str) -> None:
    if not stack:
        return
    inner = stack[-1]
    if inner.is_object and inner.expects == "key":
        inner.key = written[1:-1]
        inner.used.add(inner.key)
        inner.expects = "colon"
    else:
        inner.expects = "comma"


def _take(stack: list[_Open], character: str) -> None:
    """Go on by one character outside strings."""
    inner = stack[-1] if stack else None
    match character:
        case "{" | "[":
            stack.append(_Open(character == "{", expects="key" if character == "{" else "value"))
        case "}" | "]" if inner is not None:
            stack.pop()
            if stack:
                stack[-1].expects = "comma"
        case ":" if inner is not None and inner.expects == "colon":
            inner.expects = "value"
        case "," if inner is not None:
            inner.expects = "key" if inner.is_object else "value"
        case _ if character.isspace() or inner is None:
            pass
        case _ if inner.expects == "value":
            inner.expects = "comma"
        case _:
            pass


def suggestions(vocabulary: Vocabulary, commands: dict[str, str], line: str) -> Iterator[Suggestion]:
    """What may follow a line: the `commands` with their descriptions, messages, members and values."""
    name, space, _ = line.partition(" ")
    name = name.partition("{")[0]
    if line.startswith("/") and not space:
        yield from (Suggestion(one, len(line), about) for one, about in commands.items() if one.startswith(line))
    elif line.startswith("/show "):
        kinds = {**vocabulary.sendable, **vocabulary.receivable}
        yield from _names(kinds, line.removeprefix("/show ").strip())
    elif not space and "{" not in line:
        yield from _names(vocabulary.sendable, line)
    elif not line.startswith(("{", "[", "/")):
        try:
            kind = vocabulary.find(name, vocabulary.sendable)
        except Mistyped:
            return
        where = place(line[len(name) :])
        if where is not None:
            yield from _at(vocabulary, kind, where)


def _names(kinds: dict[str, Kind], typed: str) -> Iterator[Suggestion]:
    for name, kind in kinds.items():
        if name.casefold().startswith(typed.casefold()):
            yield Suggestion(name, len(typed), kind.summary)


def _at(vocabulary: Vocabulary, kind: Kind, where: Place) -> Iterator[Suggestion]:
    records = list(_records(vocabulary, kind.message.payload.type, where.path))
    for one in {f.wire_name: f for record in records for f in record.fields}.values():
        if where.is_key and one.wire_name not in where.used:
            text = json.dumps(one.wire_name, ensure_ascii=False)
            if text.startswith(where.typed):
                about = one_line(one.description)
                yield Suggestion(f"{text}: ", len(where.typed), about if not one.required else f"required. {about}")
        elif not where.is_key and one.wire_name == where.key:
            for value in _values(vocabulary, one.type):
                if value.startswith(where.typed):
                    yield Suggestion(value, len(where.typed))


def _records(
    vocabulary: Vocabulary, of: ir.Type | ir.Record, path: tuple[str, ...], depth: int = 0
) -> Iterator[ir.Record]:
    """The records that an object at the end of the path may be."""
    inside: list[tuple[ir.Type, tuple[str, ...]]] = []
    match walk.resolve(of, vocabulary.definitions):
        case ir.Record() as record:
            if not path:
                yield record
            inside = [(one.type, path[1:]) for one in record.fields if path and one.wire_name == path[0]]
        case ir.Nullable(inner):
            inside = [(inner, path)]
        case ir.Array(inner) if path and path[0] == _ITEM:
            inside = [(inner, path[1:])]
        case ir.Map(inner) if path:
            inside = [(inner, path[1:])]
        case ir.Union(members):
            inside = [(member, path) for member in members]
        case _:
            pass
    for inner, rest in inside if depth < _DEEPEST else ():
        yield from _records(vocabulary, inner, rest, depth + 1)


def _values(vocabulary: Vocabulary, of: ir.Type) -> Iterator[str]:
    """The values that a type lists, as JSON."""
    match walk.resolve(of, vocabulary.definitions):
        case ir.Constant(values):
            yield from (json.dumps(value, ensure_ascii=False) for value in values)
        case ir.Nullable(inner) if not isinstance(inner, ir.Nullable):
            yield from _values(vocabulary, inner)
        case ir.Scalar(kind=ir.Kind.BOOLEAN):
            yield from ("true", "false")
        case _:
            pass
