"""JSON values written as JSON or YAML in any layout, with the place of everything: what reading has to give back."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass, field
from random import Random

from sockspec.spec.source import Json, escape

Layout = Random
"""Decides where lines break and what is indented."""


@dataclass(slots=True)
class Written:
    """A text, the value that it means, and line and column of each value and key by JSON pointer."""

    value: Json
    places: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    keys: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    text: str = ""
    line: int = 1
    column: int = 1

    def add(self, text: str) -> None:
        """Write on."""
        self.text += text
        lines = text.split("\n")
        self.line += len(lines) - 1
        self.column = len(lines[-1]) + (self.column if len(lines) == 1 else 1)

    @property
    def here(self) -> tuple[int, int]:
        """Where the next character comes to stand."""
        return self.line, self.column


def write(value: Json, layout: Layout, *, block: bool) -> Written:
    """A text for a value: JSON, or YAML that begins with a comment and is partly in block style."""
    written = Written(value)
    if block:
        written.add("# written by a test\n")
        _block(written, value, "", layout, indent=0)
        written.add("\n")
    else:
        _flow(written, value, "", layout, indent="")
    return written


def _scalar(value: Json) -> str:
    """JSON, which YAML reads likewise; characters that YAML allows in escapes only are escaped."""
    if not isinstance(value, str):
        return json.dumps(value)
    shown = (json.dumps(c) if _is_special(c) else json.dumps(c, ensure_ascii=False) for c in value)
    return '"' + "".join(c[1:-1] for c in shown) + '"'


def _is_special(character: str) -> bool:
    return ord(character) < 0x10000 and unicodedata.category(character) in ("Cc", "Cf", "Cn", "Zl", "Zp", "Co")


def _flow(written: Written, value: Json, pointer: str, layout: Layout, indent: str) -> None:
    def space() -> None:
        written.add(layout.choice(("", " ", f"\n {indent}")))

    written.places[pointer] = written.here
    if isinstance(value, dict):
        written.add("{")
        for index, (key, child) in enumerate(value.items()):
            if index:
                written.add(",")
            space()
            written.keys[f"{pointer}/{escape(key)}"] = written.here
            written.add(_scalar(key) + layout.choice((":", ": ")))
            _flow(written, child, f"{pointer}/{escape(key)}", layout, indent)
        space()
        written.add("}")
    elif isinstance(value, list):
        written.add("[")
        for index, child in enumerate(value):
            if index:
                written.add(",")
            space()
            _flow(written, child, f"{pointer}/{index}", layout, indent)
        space()
        written.add("]")
    else:
        written.add(_scalar(value))


def _block(written: Written, value: Json, pointer: str, layout: Layout, indent: int) -> None:
    if not value or not isinstance(value, (dict, list)) or layout.random() < 0.2:
        _flow(written, value, pointer, layout, " " * indent)
        return
    written.places[pointer] = written.here
    entries = list(value.items()) if isinstance(value, dict) else [(str(i), child) for i, child in enumerate(value)]
    for index, (key, child) in enumerate(entries):
        if index:
            written.add("\n" + " " * indent)
        inner = f"{pointer}/{escape(key)}"
        if isinstance(value, dict):
            written.keys[inner] = written.here
            written.add(_scalar(key) + ":")
            is_below = isinstance(child, (dict, list)) and bool(child)
            written.add("\n" + " " * (indent + 2) if is_below else " ")
        else:
            written.add("- ")
        _block(written, child, inner, layout, indent + 2)
