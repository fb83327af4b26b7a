"""How the values of a text are written: where they end, and in what quotes or braces they stand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import yaml

from sockspec.spec.text import Text

_JSON_SCALAR = re.compile(r'"(?:[^"\\]++|\\.)*+"|[^\s,:\[\]{}"]++')
_LINE_END = re.compile(r"\r\n?|\n")
_FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, number or word."""

    start: int
    end: int
    """The character behind its last one."""
    style: str
    """The quote, or the sign of a block (`|`, `>`); empty where there is none."""

    @property
    def is_block(self) -> bool:
        """Whether it is the lines below a sign."""
        return self.style in ("|", ">")


class Written:
    """How a text is written. It has to be one that could be read."""

    def __init__(self, text: Text) -> None:
        self.characters = text.characters
        self.is_json = _is_json(text.characters)
        self._scalars: dict[int, Scalar] = {}
        self._flows: dict[int, int] = {}
        """Where mappings in braces and lists in brackets begin and end."""
        if not self.is_json:
            self._read()

    @cached_property
    def line_end(self) -> str:
        """What ends the lines."""
        found = _LINE_END.search(self.characters)
        return found[0] if found is not None else "\n"

    def scalar(self, start: int) -> Scalar | None:
        """The scalar that begins at a character; None where none does, or where it bears an anchor or a tag.

        A block of mappings begins with the scalar that is its first key.
        """
        if self.is_json:
            found = _JSON_SCALAR.match(self.characters, start)
            return Scalar(start, found.end(), '"' if found[0][0] == '"' else "") if found is not None else None
        return self._scalars.get(start) if self.characters[start : start + 1] not in ("&", "!", "*") else None

    def flow_end(self, start: int) -> int | None:
        """The character behind what stands in braces or brackets that begin at one; None where none do."""
        if self.is_json:
            return json.JSONDecoder().raw_decode(self.characters, start)[1]
        return self._flows.get(start)

    def is_flow(self, start: int) -> bool:
        """Whether a mapping that begins at a character stands in braces."""
        return self.is_json or start in self._flows

    def opaque(self) -> list[tuple[int, int]]:
        """Where the texts of YAML begin and end in which a '#' is a character as any other, in their order."""
        return [
            (self._below(scalar.start) if scalar.is_block else scalar.start, scalar.end)
            for scalar in self._scalars.values()
            if scalar.style
        ]

    def _below(self, start: int) -> int:
        """Where the line ends that has the sign of a block, behind which a comment may stand."""
        found = _LINE_END.search(self.characters, start)
        return found.end() if found is not None else len(self.characters)

    def _read(self) -> None:
        events: Iterator[Any] = yaml.parse(self.characters, Loader=_FASTEST)
        opened: list[int | None] = []
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                scalar = Scalar(_index(event.start_mark), _index(event.end_mark), event.style or "")
                self._scalars[scalar.start] = scalar
            elif isinstance(event, yaml.CollectionStartEvent):
                opened.append(_index(event.start_mark) if event.flow_style else None)
            elif isinstance(event, yaml.CollectionEndEvent):
                start = opened.pop()
                if start is not None:
                    self._flows[start] = _index(event.end_mark)


_seen: WeakKeyDictionary[Text, Written] = WeakKeyDictionary()


def written(text: Text) -> Written:
    """How a text is written; looked at once."""
    if text not in _seen:
        _seen[text] = Written(text)
    return _seen[text]


def _index(mark: Any) -> int:
    index: int = mark.index
    return index


def _is_json(characters: str) -> bool:
    """Whether a text is JSON as a whole, which is read by other rules than YAML."""
    if characters.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(characters)
    except (ValueError, RecursionError):
        return False
    return True
