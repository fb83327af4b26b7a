"""Payloads that a page shows: those of the document, and some of ours where it has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sockspec import ir
from sockspec.docs.page import Example
from sockspec.docs.writing import Writing, as_json, fence

if TYPE_CHECKING:
    from sockspec.samples import Judge

_MOST = 3
_LONGEST = 6_000
"""Characters of an example that is shown whole."""
_LONGEST_GENERATED = 1_500
_MOST_FULL = 300
"""Messages for which a payload with all that is optional is looked for."""
_MOST_FAILURES = 5
"""Messages without a sample, after which no more are tried: a document that is made to be hard costs no more."""
Shown = Callable[[ir.Message], tuple[Example, ...]]
"""The examples of a message as a page writes them."""


class Examples:
    """The examples of one API's messages. What is made for one is made once."""

    def __init__(self, api: ir.Api) -> None:
        self._schemas = api.schemas
        self._judge: Judge | None = None
        self._failures = 0
        self._made: dict[str, list[object]] = {}

    def writer(self, writing: Writing) -> Shown:
        """What shows examples in one way of writing."""
        return lambda message: self._of(message, writing)

    def payload(self, message: ir.Message) -> list[object]:
        """A payload of a message, the document's before one of ours; nothing where there is none."""
        return [message.examples[0].payload] if message.examples else self._generated(message)

    def _of(self, message: ir.Message, writing: Writing) -> tuple[Example, ...]:
        if not message.examples:
            return tuple(_example("", payload, writing, is_generated=True) for payload in self._generated(message))
        return tuple(
            _example(": ".join(part for part in (one.name, one.summary) if part), one.payload, writing)
            for one in message.examples[:_MOST]
        )

    def _generated(self, message: ir.Message) -> list[object]:
        if message.name not in self._made:
            self._made[message.name] = self._make(message)
        return self._made[message.name]

    def _make(self, message: ir.Message) -> list[object]:
        """A payload with all that is optional where that is short, else one with as little as can be."""
        reference = message.payload.schema
        if message.payload.content is not ir.Content.JSON or not reference or self._failures >= _MOST_FAILURES:
            return []
        from sockspec.samples import Judge, NoSample, valid

        if self._judge is None:
            self._judge = Judge(self._schemas)
        try:
            found: list[object] = valid(self._judge, reference, count=2 if len(self._made) < _MOST_FULL else 1)
        except NoSample:
            self._failures += 1
            return []
        short = [payload for payload in found if len(as_json(payload, indent=2)) <= _LONGEST_GENERATED]
        return short[-1:]


def _example(title: str, payload: object, writing: Writing, *, is_generated: bool = False) -> Example:
    text = as_json(payload, indent=2)
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n…"
    return Example(writing.text(title), shown, fence(shown), is_generated)
