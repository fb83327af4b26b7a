"""Sequence diagrams as SVG that takes its colours from the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from sockspec.docs.writing import Html

_CHARACTER = 7.4
"""How wide a character of an arrow's words is, about."""
_LONGEST = 48
_MARGIN = 46
_STEP = 46
_TOP = 62


@dataclass(frozen=True, slots=True)
class Step:
    """An arrow from one side to the other, with the words above it and a note below."""

    from_client: bool
    words: str
    note: str = ""
    is_other: bool = False
    """Whether it comes in place of the step before it."""


def sequence(id: str, title: str, steps: Sequence[Step]) -> Html:
    """Client and server, and what passes between them. `title` and, in words, the steps are for screen readers."""
    longest = max((len(_cut(text)) for step in steps for text in (step.words, step.note)), default=0)
    width = max(300, round(longest * _CHARACTER) + 2 * _MARGIN + 24)
    height = _TOP + _STEP * len(steps) + 6
    left, right = _MARGIN, width - _MARGIN
    said = "; ".join(_spoken(step) for step in steps)
    arrows = "".join(_arrow(step, left, right, _TOP + _STEP * at) for at, step in enumerate(steps))
    return Html(
        f'<svg class="sequence" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-labelledby="{id}-title {id}-steps"><title id="{id}-title">{escape(title)}</title>'
        f'<desc id="{id}-steps">{escape(said)}</desc>'
        f"{_side('Client', left, height)}{_side('Server', right, height)}{arrows}</svg>"
    )


def _side(name: str, x: int, height: int) -> str:
    return (
        f'<line class="lifeline" x1="{x}" y1="34" x2="{x}" y2="{height}"/>'
        f'<rect class="party" x="{x - 38}" y="6" width="76" height="28" rx="7"/>'
        f'<text class="name" x="{x}" y="25" text-anchor="middle">{name}</text>'
    )


def _arrow(step: Step, left: int, right: int, y: int) -> str:
    start, end, back = (left, right - 3, -8) if step.from_client else (right, left + 3, 8)
    middle = (left + right) // 2
    note = f'<text class="note" x="{middle}" y="{y + 24}" text-anchor="middle">{_words(step.note)}</text>'
    return (
        f'<g class="{"step other" if step.is_other else "step"} from-{"client" if step.from_client else "server"}">'
        f'<text x="{middle}" y="{y}" text-anchor="middle">{_words(step.words)}</text>'
        f'<line x1="{start}" y1="{y + 9}" x2="{end}" y2="{y + 9}"/>'
        f'<path d="M{end + back} {y + 4}L{end} {y + 9}L{end + back} {y + 14}"/>{note if step.note else ""}</g>'
    )


def _spoken(step: Step) -> str:
    sender = "the client" if step.from_client else "the server"
    note = f" ({step.note})" if step.note else ""
    return f"{'or ' if step.is_other else ''}{sender} sends {step.words}{note}"


def _words(text: str) -> str:
    return escape(_cut(text))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
