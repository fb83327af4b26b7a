"""Runtime expressions that say where in a message something is (AsyncAPI, Runtime Expression)."""

from __future__ import annotations

import re

from sockspec.spec.source import unescape

_EXPRESSION = re.compile(r"\$message\.(header|payload)(?:#((?:/(?:[^/~]|~[01])*)*))?", re.DOTALL)


def is_expression(written: str) -> bool:
    """Whether a text is a runtime expression, to its end."""
    return _EXPRESSION.fullmatch(written) is not None


def payload_path(written: str) -> tuple[str, ...] | None:
    """The keys that lead to a place in the payload; None where the expression means no such place."""
    match = _EXPRESSION.fullmatch(written)
    if match is None or match[1] == "header" or not match[2]:
        return None
    return tuple(unescape(token) for token in match[2].split("/")[1:])
