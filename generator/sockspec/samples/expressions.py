"""Texts made from regular expressions, by a walk over the expression as Python's `re` has parsed it.

The libraries for this neither bound what a hostile expression such as `a{1000000}` makes of them nor aim at a length.
"""

from __future__ import annotations

import importlib
import random
import re
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, Final

LONGEST: Final = 20_000
"""Characters that a text has at most."""

SAFE_LENGTH: Final = 20
"""Characters up to which a risky expression is tried; its matching takes time that doubles with each one."""

_PREFERRED: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/ @#+,!?\u00e9\u4e2d\u20ac\n"
_CATEGORIES: Final[dict[str, Callable[[str], bool]]] = {
    "CATEGORY_DIGIT": str.isdigit,
    "CATEGORY_NOT_DIGIT": lambda c: not c.isdigit(),
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_NOT_SPACE": lambda c: not c.isspace(),
    "CATEGORY_WORD": lambda c: c.isalnum() or c == "_",
    "CATEGORY_NOT_WORD": lambda c: not (c.isalnum() or c == "_"),
}
_REPEATS: Final = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_MANY: Final = 8


_MOST_WORK: Final = 10**8
"""Steps that matching may take: where `n` things repeat one after the other, as many as the text's length to the `n`th."""


class TooLong(Exception):
    """The expression asks for more than a text may have."""


@cache
def parsed(pattern: str) -> Any:
    """The expression as `re` reads it; ValueError where it cannot be read."""
    # A private module since 3.11, and the only way to a parsed expression; its public name warns of its end.
    parser: Any = importlib.import_module("re._parser")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of constructs that will mean something else in time
            return parser.parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {pattern!r}") from error


@cache
def is_risky(pattern: str) -> bool:
    """Whether matching may take exponential time: something repeated that has choices within."""
    try:
        return _risky(parsed(pattern), repeated=False)
    except ValueError:
        return True


def matches(pattern: str, text: str) -> bool:
    """Whether the expression is found in the text; ValueError where finding out could take too long."""
    if len(text) > SAFE_LENGTH and (is_risky(pattern) or len(text) ** _repeats(pattern) > _MOST_WORK):
        raise ValueError("the expression is too costly for a text of this length")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return re.search(pattern, text) is not None


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
            case _ if op in _REPEATS:
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


@cache
def _repeats(pattern: str) -> int:
    """How many parts of an expression repeat as often as the text lets them."""
    waiting, found = [parsed(pattern)], 0
    while waiting:
        for op, argument in waiting.pop():
            if str(op) in _REPEATS:
                found += argument[0] != argument[1] and int(argument[1]) > _MANY
                waiting.append(argument[2])
            elif str(op) in ("SUBPATTERN", "ASSERT", "ASSERT_NOT"):
                waiting.append(argument[-1])
            elif str(op) == "ATOMIC_GROUP":
                waiting.append(argument)
            elif str(op) == "BRANCH":
                waiting.extend(argument[1])
    return found


def _risky(tree: Any, *, repeated: bool) -> bool:
    for op, argument in tree:
        name = str(op)
        if name in _REPEATS:
            many = int(argument[1]) > _MANY
            if (repeated and int(argument[1]) != int(argument[0])) or _risky(argument[2], repeated=repeated or many):
                return True
        elif name == "BRANCH":
            if repeated or any(_risky(branch, repeated=repeated) for branch in argument[1]):
                return True
        elif name in ("SUBPATTERN", "ASSERT", "ASSERT_NOT", "ATOMIC_GROUP"):
            inner = argument if name == "ATOMIC_GROUP" else argument[-1]
            if _risky(inner, repeated=repeated):
                return True
        elif name == "GROUPREF":
            return True
    return False
