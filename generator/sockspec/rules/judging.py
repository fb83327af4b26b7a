"""What is wrong with values that a document gives as valid by its own schemas: defaults, examples, listed values."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sockspec.diagnostics import Report
from sockspec.rules.schemas import Schema, Schemas
from sockspec.rules.verdict import Verdicts
from sockspec.spec.payload_wording import Refusal, refusals
from sockspec.spec.source import Json
from sockspec.spec.text import MAX_DEPTH

if TYPE_CHECKING:
    from sockspec.samples.judge import Judge

_MOST_VALUES: Final = 2_000
"""How many values there may be in one that `jsonschema` is asked about: its messages, which are made for every
alternative, have the whole in them."""
_SECONDS: Final = 5.0
"""Processor time for which it is asked about one document; hundreds of wrong examples take less."""
_FRAMES: Final = 4 * MAX_DEPTH + 1_000


@dataclass(frozen=True, slots=True)
class _Asked:
    """One schema as `jsonschema` is asked about it."""

    judge: Judge
    pointer: str
    is_whole: bool
    """Whether it has all that the schema says."""


class Judging:
    """Judges the values of one document."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._verdicts = Verdicts(schemas)
        self._asked: dict[int, _Asked] = {}
        self._seconds = _SECONDS

    def faults(self, schema: Schema, value: Json, whole: str, *, without: str = "") -> list[Refusal]:
        """What is wrong with a value by a schema; nothing where it is valid, and where that would take too long.

        `whole` is what sentences call the value. `without` is a keyword of the schema itself that does not count.
        """
        verdict = self._verdicts.of(schema, value, without)
        if verdict or self._verdicts.is_exhausted:
            return []
        before = time.process_time()
        told = self._told(schema, value, whole, without, is_refused=verdict is False)
        self._seconds -= time.process_time() - before
        return told or ([] if verdict is None else [Refusal((), "", f"{whole} is not valid by its schema")])

    def accepts(self, schema: Schema, value: Json, *, without: str = "") -> bool:
        """Whether a value may be valid by a schema: no only where that is known without a closer look."""
        return self._verdicts.of(schema, value, without) is not False

    def _told(self, schema: Schema, value: Json, whole: str, without: str, *, is_refused: bool) -> list[Refusal]:
        if self._seconds < 0 or _is_large(value):
            return []
        asked = self._asked.get(id(schema.node.value))
        if asked is None:
            asked = self._asked[id(schema.node.value)] = self._ask(schema)
        if not is_refused and not asked.is_whole:
            return []
        by: Mapping[str, Any] | bool = {"$ref": asked.pointer}
        if without:
            by = _lacking(asked.judge.resolve(asked.pointer), without)
        return refusals(asked.judge.errors(by, value) or (), value, whole)

    def _ask(self, schema: Schema) -> _Asked:
        # Takes a tenth of a second to import, which documents without faults can spare.
        from sockspec.samples.judge import Judge
        from sockspec.schema.bundle import DYNAMIC_REFERENCE, PATTERN_NOT_READABLE, Bundle

        left_out = Report()
        bundle = Bundle(self._schemas.documents, schema.dialect, left_out)
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, _FRAMES))  # it recurses with the schema, whose depth is bounded
        try:
            pointer = bundle.add(schema.node, "schema")
        finally:
            sys.setrecursionlimit(limit)
        is_whole = all(d.code not in (DYNAMIC_REFERENCE, PATTERN_NOT_READABLE) for d in left_out.sorted())
        return _Asked(Judge(bundle.document()), pointer, is_whole)


def _lacking(schema: Mapping[str, Any] | bool, keyword: str) -> Mapping[str, Any] | bool:
    return schema if isinstance(schema, bool) else {word: one for word, one in schema.items() if word != keyword}


def _is_large(value: Json) -> bool:
    """Whether there are more values in one than `jsonschema` is asked about."""
    waiting, count = [value], 0
    while waiting and count <= _MOST_VALUES:
        one = waiting.pop()
        count += 1
        if isinstance(one, str):
            count += len(one) // 100
        elif isinstance(one, (dict, list)):
            waiting.extend(one.values() if isinstance(one, dict) else one)
    return count > _MOST_VALUES
