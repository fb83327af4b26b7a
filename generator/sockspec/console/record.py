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
    """Seconds since there was a connection."""
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
    reader = _Reader()
    with path.open("rb") as file:
        number = 0
        for number, line in enumerate(file, 1):
            try:
                reader.take(_object(line), is_first=number == 1)
            except ValueError as error:
                raise ValueError(f"{path}:{number}: {error}") from None
    if number == 0:
        raise ValueError(f"{path}: expected a record of sockspec connect, not an empty file")
    return Record(tuple(reader.entries), reader.lasted, reader.close)


class _Reader:
    """What was read so far. Times count from the first connection, whose handshake took as long as it took."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.lasted = 0.0
        self.close: int | None = None
        self._opened: float | None = None

    def take(self, value: dict[str, object], *, is_first: bool) -> None:
        """Take the next line. Raises ValueError."""
        if is_first:
            if value.get("sockspec-record") != VERSION:
                begin = json.dumps({"sockspec-record": VERSION})[:-1]
                raise ValueError(f"expected a record of sockspec connect, which begins with {begin}")
            return
        at = _seconds(value)
        self._opened = at if self._opened is None else self._opened
        self.lasted = max(0.0, at - self._opened)
        match value:
            case {"from": _}:
                self.entries.append(_entry(value, self.lasted))
            case {"close": int(code)}:
                self.close = code
            case {"open": True}:
                self.close = None
            case _:
                raise ValueError("expected 'from', 'open' or 'close'")


def _object(line: bytes) -> dict[str, object]:
    try:
        value = parse(line.decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from None
    except NotJson as error:
        raise ValueError(str(error)) from None
    if not isinstance(value, dict):
        raise ValueError("expected an object")
    return cast("dict[str, object]", value)


def _seconds(value: dict[str, object]) -> float:
    at = value.get("at")
    if isinstance(at, bool) or not isinstance(at, int | float) or at < 0:
        raise ValueError("expected seconds in 'at'")
    return float(at)


def _entry(value: dict[str, object], at: float) -> Entry:
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
    return Entry(at, side, message, frame)
