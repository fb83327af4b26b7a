"""The edits that make one schema of another, each at the property where it was made.

Two schemas are walked side by side, and each pair of places once. What an edit does is judged here by the edit alone;
`comparison` holds it against what is proven of the whole.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from sockspec.diff.schemas import alternatives, members, places
from sockspec.diff.schemas.outline import Place, Side
from sockspec.diff.schemas.proving import Prover
from sockspec.diff.schemas.step import Edit, Step
from sockspec.diff.schemas.table import Table

_MOST_PLACES: Final = 20_000
"""Pairs of places that are walked for one pair of schemas."""


def walk(table: Table, sides: tuple[Side, Side], prover: Prover, old: Place, new: Place) -> list[Edit]:
    """All edits between two places and all within them."""
    edits: list[Edit] = []
    seen: set[object] = set()
    waiting = deque([Step(table, sides, prover, (old, new), (), False)])
    while waiting:
        step = waiting.popleft()
        if step.pair[0] == step.pair[1] or step.key in seen or len(seen) >= _MOST_PLACES:
            continue
        seen.add(step.key)
        if not alternatives.compare(step):
            places.compare(step)
            members.compare(step)
        edits += step.edits
        waiting += step.within
    return edits
