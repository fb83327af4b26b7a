"""Keeping credentials out of what is shown and recorded, also where a server sends them back."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sockspec import ir
from sockspec.runtime.address import header_line

HIDDEN: Final = "[token]"
_SHORTEST: Final = 8
"""What is shorter would be found in innocent words; nobody should use such a token."""
_LOGGERS: Final = ("sockspec.client", "websockets.client")
_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie"})


class Secrets:
    """The credentials of one run."""

    def __init__(self) -> None:
        self._known: dict[str, None] = {}

    def add(self, value: str) -> str:
        """Hide this value from now on, and each of its words. Returns the value."""
        self._known.update(dict.fromkeys(part for part in (value, *value.split()) if len(part) >= _SHORTEST))
        return value

    def add_declared(self, api: ir.Api, values: Mapping[str, object]) -> None:
        """Hide the values of the parameters and headers that carry credentials, by their names."""
        keys = {scheme.parameter_name.lower() for scheme in api.security_schemes if scheme.parameter_name}
        for name, value in values.items():
            if name.lower() in _HEADERS | keys:
                self.add(str(value))

    def hide(self, text: str) -> str:
        """The text with a mark in place of each credential."""
        for value in sorted(self._known, key=len, reverse=True):
            text = text.replace(value, HIDDEN)
        return text


class _Hiding(logging.Filter):
    """Takes credentials out of log records."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__()
        self._secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._secrets.hide(record.getMessage()), ()
        record.exc_info = record.exc_text = None  # a traceback can quote anything
        return True


@contextmanager
def unlogged(secrets: Secrets) -> Generator[None]:
    """Keeps credentials out of what the client logs within the block, and all of that off the terminal.

    What is worth knowing is shown in another way; a log without a handler would end up on standard error.
    """
    hiding, nowhere = _Hiding(secrets), logging.NullHandler()
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(hiding)
        logger.addHandler(nowhere)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(hiding)
            logger.removeHandler(nowhere)


def token_of(path: Path, secrets: Secrets) -> str:
    """The token in a file. Raises OSError, and ValueError for what cannot be one; it does not quote it."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError(f"{path} has no token: it is not UTF-8") from None
    if not text:
        raise ValueError(f"{path} has no token: it is empty")
    return header_line("Authorization", secrets.add(text))
