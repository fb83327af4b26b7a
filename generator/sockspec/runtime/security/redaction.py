"""Keeping credentials out of logs."""

from __future__ import annotations

import logging
from collections.abc import Collection
from urllib.parse import unquote_plus

_HIDDEN = "***"


def redacted(query: bytes, names: Collection[str]) -> bytes:
    """A query string without the values of the given parameters."""
    if not query or not names:
        return query
    parts = query.decode("latin-1").split("&")
    return "&".join(_redacted_part(part, names) for part in parts).encode("latin-1")


def _redacted_part(part: str, names: Collection[str]) -> str:
    name, equals, _ = part.partition("=")
    return f"{name}={_HIDDEN}" if equals and unquote_plus(name) in names else part


class RedactingFilter(logging.Filter):
    """Takes the values of query parameters out of log records of ASGI servers, which log whole request targets."""

    def __init__(self, names: Collection[str]) -> None:
        super().__init__()
        self._names = frozenset(names)

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the record through, changed where it has to be."""
        if isinstance(record.args, tuple):
            record.args = tuple(self._clean(argument) for argument in record.args)
        return True

    def _clean(self, argument: object) -> object:
        if not isinstance(argument, str) or "?" not in argument:
            return argument
        path, _, query = argument.partition("?")
        return f"{path}?{redacted(query.encode('latin-1', 'replace'), self._names).decode('latin-1')}"
