"""How things are shown on a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TextIO

from sockspec.console.vocabulary import Understood, explained
from sockspec.console.wire import Passed
from sockspec.docs.writing import as_json, one_line
from sockspec.runtime.problems import Problem

_WIDTH: Final = 80
_CODES: Final = {"name": "1", "sent": "36", "received": "32", "bad": "31", "quiet": "2"}


@dataclass(frozen=True, slots=True)
class Look:
    """Words as lines, in colour or without."""

    colour: bool = False

    def paint(self, text: str, style: str) -> str:
        """The text in a style: name, sent, received, bad or quiet."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.colour else text

    def passed(self, event: Passed, what: Understood) -> str:
        """A frame with its time, its direction and its name, and what is wrong with it."""
        sent = event.sender == "client"
        arrow = self.paint("→", "sent") if sent else self.paint("←", "received")
        name = self.paint(what.name, "name") if what.name is not None else self.paint("no message of the API", "bad")
        head = f"{self.paint(clock(event.at), 'quiet')} {arrow} {name}"
        lines = [_payload(head, what.payload)]
        if what.told is not None:
            lines += self.bad(f"the server tells a problem, {shown(what.told.type)}", what.told)
        if what.invalid is not None:
            lines += self.bad("invalid", what.invalid)
        return "\n".join(lines)

    def bad(self, what: str, problem: Problem) -> list[str]:
        """A problem in lines, marked as such."""
        first, *faults = explained(problem)
        return [self.paint(f"  ✗ {what}: {shown(first)}", "bad"), *(f"    {shown(fault)}" for fault in faults)]


def is_coloured(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether colours belong on a stream: on terminals, unless NO_COLOR (https://no-color.org) is set."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def shown(text: str) -> str:
    """Text that others wrote, without what would move a terminal's cursor."""
    return one_line(text)


def clock(at: datetime) -> str:
    """The time of day on this machine."""
    return at.astimezone().strftime("%H:%M:%S.%f")[:-3]


def _payload(head: str, payload: object) -> str:
    short = as_json(payload)
    if len(short) <= _WIDTH:
        return f"{head} {short}"
    if not isinstance(payload, dict | list):
        return f"{head}\n  {short}"
    return f"{head}\n" + "\n".join(f"  {line}" for line in as_json(payload, 2).splitlines())


def as_line(event: Passed, what: Understood) -> str:
    """A received message as a line of JSON, for pipes."""
    at = event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line: dict[str, object] = {"time": at, "message": what.name, "payload": what.payload}
    if isinstance(event.frame, bytes):
        line["encoding"] = "base64"
    if what.invalid is not None:
        faults = [{"pointer": f.pointer, "keyword": f.keyword, "message": f.message} for f in what.invalid.errors]
        line["problem"] = {"type": what.invalid.type, "message": what.invalid.message, "errors": faults}
    return json.dumps(line)
