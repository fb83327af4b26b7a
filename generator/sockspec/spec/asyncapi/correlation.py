"""Runtime expressions that say where in a message something is (AsyncAPI, Runtime Expression)."""

from __future__ import annotations

import re

from sockspec.spec.source import unescape

_EXPRESSION = re.compile(r"\$message\.(header|payload)(?:#((?:/(?:[^/~]|~[01])*)*))?", re.DOTALL)


def is_expression(written: str) -> bool:
    """Whether a text is a runtime expression, to its end."""
    return _EXPRESSION.fullmatch(written) is not None


def path(written: str) -> tuple[str, tuple[str, ...]] | None:
    """`header` or `payload`, and the keys that lead to a place in it; None where that is no expression."""
    match = _EXPRESSION.fullmatch(written)
    if match is None:
        return None
    return match[1], tuple(unescape(token) for token in (match[2] or "").split("/")[1:])


def payload_path(written: str) -> tuple[str, ...] | None:
    """The keys that lead to a place in the payload; None where the expression means no such place."""
    found = path(written)
    return found[1] if found is not None and found[0] == "payload" and found[1] else None
