"""Records of conversations: written line by line, and read back."""

from __future__ import annotations

import base64
import binascii
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TextIO, cast

from sockspec.console.secrets import Secrets
from sockspec.console.wire import Closed, Event, Opened, Passed, Side
from sockspec.runtime.filled import now
from sockspec.runtime.jsontext import NotJson, parse

VERSION: Final = 1


class Recorder:
    """Writes a record. Each line is out before the next event, so that a record that breaks off can be read."""

    def __init__(self, path: Path, channel: str, secrets: Secrets) -> None:
        """Begins a file that only its owner can read. Raises OSError."""
        self._secrets = secrets
        self._started = now()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file: TextIO = os.fdopen(descriptor, "w", encoding="utf-8")
        started = self._started.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._write({"sockspec-record": VERSION, "channel": channel, "started": started})

    def note(self, event: Event, name: str | None = None) -> None:
        """Record an event, where it belongs into a record; `name` is that of the message. Raises OSError."""
        match event:
            case Opened(at):
                self._write({"at": self._offset(at), "open": True})
            case Passed(sender, frame, at):
                head: dict[str, object] = {"at": self._offset(at), "from": sender, "message": name}
                if isinstance(frame, bytes):
                    self._write({**head, "payload": base64.b64encode(frame).decode(), "encoding": "base64"})
                else:
                    self._write({**head, "payload": self._secrets.hide(frame)})
            case Closed(ending, at):
                reason = self._secrets.hide(ending.reason)
                self._write({"at": self._offset(at), "close": ending.code, "reason": reason})
            case _:
                pass

    def close(self) -> None:
        """Nothing more will come."""
        self._file.close()

    def _offset(self, at: datetime) -> float:
        return round(max(0.0, (at - self._started).total_seconds()), 6)

    def _write(self, entry: dict[str, object]) -> None:
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()


@dataclass(frozen=True, slots=True)
class Entry:
    """A frame of a record."""

    at: float
    """Seconds since the record began."""
    sender: Side
    message: str | None
    frame: str | bytes


@dataclass(frozen=True, slots=True)
class Record:
    """A conversation of before."""

    entries: tuple[Entry, ...]
    lasted: float = 0.0
    """Seconds up to its last line."""
    close: int | None = None
    """The close code of its last connection; None where the record breaks off before."""


def read(path: Path) -> Record:
    """The record in a file. Raises OSError, and ValueError with the line that is wrong."""
    entries: list[Entry] = []
    lasted, close = 0.0, None
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                value = _object(line)
                if number == 1:
                    _check_version(value)
                    continue
                lasted = max(lasted, _seconds(value))
                match value:
                    case {"from": _}:
                        entries.append(_entry(value))
                    case {"close": int(code)}:
                        close = code
                    case {"open": True}:
                        close = None
                    case _:
                        raise ValueError("expected 'from', 'open' or 'close'")
            except ValueError as error:
                raise ValueError(f"{path}:{number}: {error}") from None
    if lasted == 0.0 and not entries and path.stat().st_size == 0:
        raise ValueError(f"{path}: expected a record of sockspec connect, not an empty file")
    return Record(tuple(entries), lasted, close)


def _object(line: str) -> dict[str, object]:
    try:
        value = parse(line)
    except NotJson as error:
        raise ValueError(str(error)) from None
    if not isinstance(value, dict):
        raise ValueError("expected an object")
    return cast("dict[str, object]", value)


def _check_version(value: dict[str, object]) -> None:
    if value.get("sockspec-record") != VERSION:
        raise ValueError(
            f'expected a record of sockspec connect, which begins with {{"sockspec-record": {VERSION}, ...'
        )


def _seconds(value: dict[str, object]) -> float:
    at = value.get("at")
    if isinstance(at, bool) or not isinstance(at, int | float) or at < 0:
        raise ValueError("expected seconds in 'at'")
    return float(at)


def _entry(value: dict[str, object]) -> Entry:
    match value:
        case {"from": "client" | "server" as sender, "message": str() | None as message, "payload": str(payload)}:
            pass
        case _:
            raise ValueError("expected 'from' (client or server), 'message' and 'payload'")
    frame: str | bytes = payload
    if "encoding" in value:
        try:
            frame = base64.b64decode(payload, validate=True)
        except binascii.Error:
            raise ValueError("expected base64 in 'payload'") from None
    side: Side = "client" if sender == "client" else "server"
    return Entry(_seconds(value), side, message, frame)
