"""The regular expressions of schemas: documents come from others, so none is matched before a look at what that takes."""

from __future__ import annotations

import importlib
import re
import warnings
from functools import cache
from typing import Any, Final

SAFE_LENGTH: Final = 20
"""Characters up to which a risky expression is tried; its matching takes time that doubles with each one."""

REPEATS: Final = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
"""The repetitions, as `re` calls them."""

_MANY: Final = 8

_MOST_WORK: Final = 10**8
"""Steps that matching may take: where `n` things repeat one after the other, as many as the text's length to the `n`th."""


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


_FOREIGN: Final = re.compile(
    r"\\[pP]\{[^}]*\}|\\u\{[0-9A-Fa-f]+\}|\\k<\w+>|\\c[A-Za-z]|\\.|\(\?<(?![=!])\w+>|\[\^?\]", re.DOTALL
)
"""Escapes, and what ECMA-262 writes otherwise than Python."""


@cache
def fault(pattern: str) -> str:
    """Why a text is no regular expression of ECMA-262, as far as Python can tell; empty where it may be one."""
    names: list[str] = []

    def translated(match: re.Match[str]) -> str:
        written = match[0]
        if written.startswith("(?<"):
            names.append(written)
            return "("
        if written.startswith("[") or (written[1] in "pPkcu" and len(written) > 2):
            return "\\w" if written[:2] != "[]" else "x"
        return written if not written[1].isalpha() or written[1] in "bBdDfnrsStvwWxuaA0" else written[1]

    try:
        parsed(_FOREIGN.sub(translated, pattern))
    except ValueError as error:
        why = str(error.__cause__)
        # Of these two Python asks for more than ECMA-262.
        return "" if "look-behind" in why or "group reference" in why else why.partition(" at position")[0]
    return ""


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


@cache
def _repeats(pattern: str) -> int:
    """How many parts of an expression repeat as often as the text lets them."""
    waiting, found = [parsed(pattern)], 0
    while waiting:
        for op, argument in waiting.pop():
            if str(op) in REPEATS:
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
        if name in REPEATS:
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
