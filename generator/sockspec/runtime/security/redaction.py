"""Keeping credentials and payloads out of logs."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Final
from urllib.parse import unquote_plus

_HIDDEN: Final = "***"
_HEADER_LINES: Final = ("< %s: %s", "> %s: %s")
"""What the `websockets` library, which uvicorn uses, says of each header in its debug log."""
_FRAME_LINES: Final = ("< %s", "> %s")
"""What it says of each frame, with the beginning of its payload."""
_SCOPE_LINE: Final = "%s [%d] Started scope=%s"
"""What uvicorn says of each request in its log for tracing, with the query."""
_SECRET_HEADERS: Final = frozenset({"authorization", "cookie", "sec-websocket-protocol"})


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
    """Keeps credentials and payloads out of the logs of ASGI servers.

    They log whole request targets and, to debug, headers and frames.
    """

    def __init__(self, names: Collection[str], headers: Collection[str] = ()) -> None:
        """The query parameters that carry credentials, and headers beside those that always do."""
        super().__init__()
        self._names = frozenset(names)
        self._headers = frozenset(_SECRET_HEADERS | {name.lower() for name in headers})

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets the record through, changed where it has to be; not one of a frame, or of a header with credentials."""
        if record.msg in _FRAME_LINES or record.msg == _SCOPE_LINE:
            return False
        if record.msg in _HEADER_LINES and isinstance(record.args, tuple) and len(record.args) == 2:
            return str(record.args[0]).lower() not in self._headers
        if isinstance(record.args, tuple):
            record.args = tuple(self._clean(argument) for argument in record.args)
        return True

    def _clean(self, argument: object) -> object:
        if not isinstance(argument, str) or "?" not in argument:
            return argument
        path, _, query = argument.partition("?")
        return f"{path}?{redacted(query.encode('latin-1', 'replace'), self._names).decode('latin-1')}"
