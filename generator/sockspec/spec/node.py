"""A value of a document, together with where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sockspec.diagnostics import Location
from sockspec.spec.source import Document, Json, escape


@dataclass(frozen=True, slots=True)
class Node:
    """A value in a document. Nothing here follows a reference; `Documents.follow` does."""

    value: Json
    document: Document
    pointer: str
    """JSON pointer (RFC 6901) from the root of the document."""

    @property
    def location(self) -> Location:
        """The place of the value."""
        return self.document.locate(self.pointer)

    @property
    def key_location(self) -> Location:
        """The place of the value's key in the mapping around it; of the value itself where there is none."""
        return self.document.locate(self.pointer, key=True)

    @property
    def identity(self) -> tuple[Path, str]:
        """Equal for two nodes exactly if they are the same place of the same file."""
        return self.document.path, self.pointer

    @property
    def reference(self) -> str | None:
        """What the value refers to if it is a Reference Object: a mapping whose `$ref` is text."""
        if isinstance(self.value, dict):
            target = self.value.get("$ref")
            if isinstance(target, str):
                return target
        return None

    def get(self, key: str) -> Node | None:
        """The value of a key; None where there is no such key, or the node is not a mapping."""
        if isinstance(self.value, dict) and key in self.value:
            return Node(self.value[key], self.document, f"{self.pointer}/{escape(key)}")
        return None

    def items(self, *, only: type | tuple[type, ...] = object) -> Iterator[tuple[str, Node]]:
        """Keys and values of a mapping, in the order of the document; nothing of anything else.

        `only` leaves out values that are of other classes.
        """
        if isinstance(self.value, dict):
            for key, value in self.value.items():
                if isinstance(value, only):
                    yield key, Node(value, self.document, f"{self.pointer}/{escape(key)}")

    def elements(self, *, only: type | tuple[type, ...] = object) -> Iterator[Node]:
        """The items of a list; nothing of anything else. `only` leaves out those of other classes."""
        if isinstance(self.value, list):
            for index, value in enumerate(self.value):
                if isinstance(value, only):
                    yield Node(value, self.document, f"{self.pointer}/{index}")

    def text(self, key: str, default: str = "") -> str:
        """The value of a key where it is text, else the default."""
        if isinstance(self.value, dict):
            value = self.value.get(key)
            if isinstance(value, str):
                return value
        return default
