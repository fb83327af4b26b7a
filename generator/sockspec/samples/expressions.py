"""Texts made from regular expressions, by a walk over the expression as Python's `re` has parsed it.

The libraries for this neither bound what a hostile expression such as `a{1000000}` makes of them nor aim at a length.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

from sockspec.schema.expressions import REPEATS, SAFE_LENGTH, is_risky, matches, parsed

__all__ = ["LONGEST", "SAFE_LENGTH", "TooLong", "is_risky", "matches", "text"]

LONGEST: Final = 20_000
"""Characters that a text has at most."""

_PREFERRED: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/ @#+,!?\u00e9\u4e2d\u20ac\n"
_CATEGORIES: Final[dict[str, Callable[[str], bool]]] = {
    "CATEGORY_DIGIT": str.isdigit,
    "CATEGORY_NOT_DIGIT": lambda c: not c.isdigit(),
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_NOT_SPACE": lambda c: not c.isspace(),
    "CATEGORY_WORD": lambda c: c.isalnum() or c == "_",
    "CATEGORY_NOT_WORD": lambda c: not (c.isalnum() or c == "_"),
}


class TooLong(Exception):
    """The expression asks for more than a text may have."""


def text(pattern: str, rng: random.Random, *, more: int, least: int = 0) -> str:
    """A text for the expression, which may still have to be tried: look-around is only guessed at.

    `more` is how many times beyond the least each repetition may repeat, and `least` the length that one of them
    tries to reach. TooLong where no text of a sensible length is to be had, ValueError where it cannot be read.
    """
    walk = _Walk(rng, more, least)
    walk.items(parsed(pattern))
    return "".join(walk.out)


class _Walk:
    """A text that is being made."""

    def __init__(self, rng: random.Random, more: int, least: int) -> None:
        self._rng = rng
        self._more = more
        self._least = least
        self._length = 0
        self._groups: dict[int, str] = {}
        self.out: list[str] = []

    def items(self, tree: Any) -> None:
        for op, argument in tree:
            self._item(str(op), argument)

    def _put(self, given: str) -> None:
        self._length += len(given)
        if self._length > LONGEST:
            raise TooLong("the expression asks for a very long text")
        self.out.append(given)

    def _item(self, op: str, argument: Any) -> None:
        match op:
            case "LITERAL":
                self._put(chr(argument))
            case "NOT_LITERAL" | "ANY" | "IN":
                self._put(self._one(op, argument))
            case "BRANCH":
                self.items(self._rng.choice(argument[1]) if self._more else argument[1][0])
            case "SUBPATTERN":
                self._group(argument)
            case "ATOMIC_GROUP":
                self.items(argument)
            case "GROUPREF":
                self._put(self._groups.get(argument, ""))
            case "GROUPREF_EXISTS":
                chosen = argument[1] if argument[0] in self._groups else argument[2]
                self.items(chosen or ())
            case "ASSERT" if argument[0] > 0 and self._rng.random() < 0.7:
                # Of `(?=.*\d).{8}` the part that looks ahead is often a part of what follows.
                self.items(argument[1])
            case _ if op in REPEATS:
                self._repeat(argument)
            case _:
                pass

    def _group(self, argument: Any) -> None:
        before = len(self.out)
        self.items(argument[-1])
        if argument[0] is not None:
            self._groups[argument[0]] = "".join(self.out[before:])

    def _repeat(self, argument: Any) -> None:
        low, high, tree = int(argument[0]), int(argument[1]), argument[2]
        if low > LONGEST:
            raise TooLong("the expression asks for a very long text")
        times = min(high, low + (self._rng.randint(0, self._more) if self._more else 0))
        for _ in range(times):
            self.items(tree)
        while times < high and self._length < self._least:
            before = self._length
            self.items(tree)
            times += 1
            if self._length == before:
                break

    def _one(self, op: str, argument: Any) -> str:
        match op:
            case "ANY":
                fits = list(_PREFERRED[:-1])
            case "NOT_LITERAL":
                fits = [c for c in _PREFERRED if ord(c) != argument]
            case _:
                fits = _characters(argument)
        if not fits:
            raise ValueError("no character fits")
        return self._rng.choice(fits[:26]) if self._more else fits[0]


def _characters(members: Any) -> list[str]:
    """Characters of a set, readable ones first."""
    negated = bool(members) and str(members[0][0]) == "NEGATE"
    rest = members[1:] if negated else members
    fits = [c for c in _PREFERRED if any(_is_member(c, str(op), argument) for op, argument in rest) is not negated]
    if fits or negated:
        return fits
    return [chr(argument if str(op) == "LITERAL" else argument[0]) for op, argument in rest if str(op) != "CATEGORY"]


def _is_member(character: str, op: str, argument: Any) -> bool:
    match op:
        case "LITERAL":
            return ord(character) == int(argument)
        case "RANGE":
            return bool(argument[0] <= ord(character) <= argument[1])
        case _:
            return _CATEGORIES[str(argument)](character)
