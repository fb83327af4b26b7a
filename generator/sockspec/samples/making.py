"""Payloads that obey every keyword of their schema."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import Any, Final

from sockspec.samples.building import Builder, Style
from sockspec.samples.expressions import TooLong
from sockspec.samples.flattening import DeadEnd, Spent
from sockspec.samples.judge import Judge

_TRIES: Final = 40
"""Candidates of one style before it is given up."""
_STEPS: Final = 20_000
"""Steps that all candidates of one message may take together."""
_STEPS_EACH: Final = 4_000
_ANYTHING: Final[tuple[Any, ...]] = ({}, "text", 1, [], True, None)


class NoSample(Exception):
    """No valid payload was found within bounds; the message says why in words for users."""


def valid(judge: Judge, reference: str, *, seed: int = 0, count: int = 3, examples: Iterable[object] = ()) -> list[Any]:
    """Different payloads that are valid by the schema at a reference such as `#/definitions/Join`.

    At most `count` of them, at least one; the same for the same seed. First come the examples that are valid, then a
    payload with as little as possible, then one with all optional members, then some at random. The judge has accepted
    each. An empty reference stands for a schema that accepts anything. NoSample where none is found.
    """
    if not reference:
        return _distinct([*examples, *_ANYTHING], count)
    schema = {"$ref": reference}
    judge.begin()
    found = [json.loads(json.dumps(e)) for e in examples if _is_json(e) and judge.accepts(schema, _plain(e))]
    found = _distinct(found, count)
    search = _Search(judge, schema, random.Random(f"{seed} {reference}"))
    styles = [Style.MINIMAL, Style.FULL, *[Style.RANDOM] * (2 * count)]
    for style in styles:
        if len(found) >= count:
            break
        made = search.next(style)
        if made is not None:
            found = _distinct([*found, made[0]], count)
        elif not found and style is Style.RANDOM:
            break
    if not found:
        raise NoSample(search.why)
    return found


class _Search:
    """Looks for payloads of one schema within a bounded number of steps."""

    def __init__(self, judge: Judge, schema: dict[str, Any], rng: random.Random) -> None:
        self._judge = judge
        self._schema = schema
        self._rng = rng
        self._left = _STEPS
        self.why = "no value was found that the judge accepts"

    def next(self, style: Style) -> tuple[Any] | None:
        """A valid payload, or None."""
        for attempt in range(_TRIES):
            steps = min(self._left, _STEPS_EACH)
            if steps <= 0:
                break
            builder = Builder(self._judge, self._rng, style, attempt=attempt, steps=steps)
            try:
                value = builder.build((self._schema,))
            except DeadEnd as dead:
                self.why = str(dead)
                continue
            except TooLong as long:
                self.why = str(long)
                continue
            except (Spent, RecursionError):
                self.why = "too many steps would be needed"
                continue
            finally:
                self._left -= builder.taken + 20
            if self._judge.accepts(self._schema, value):
                return (value,)
            self.why = "no value was found that the judge accepts"
        return None


def _distinct(values: list[Any], count: int) -> list[Any]:
    kept: dict[str, Any] = {}
    for value in values:
        if _is_json(value):
            kept.setdefault(json.dumps(value, sort_keys=True), value)
    return list(kept.values())[:count]


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False, sort_keys=True).encode()
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _plain(value: object) -> Any:
    return json.loads(json.dumps(value))
