"""Values as JSON that every terminal, log and reader takes."""

from __future__ import annotations

import json
import re

from sockspec.reports.printable import encodable

_BEYOND = re.compile("[^\x00-\x7e]")


def dumped(value: object) -> str:
    """The value as JSON of printable ASCII and line ends: other characters are escapes, which mean the same.

    Halves of surrogate pairs, which some readers refuse, become signs of replacement.
    """
    text = encodable(json.dumps(value, indent=2, ensure_ascii=False))
    return _BEYOND.sub(_escape, text) + "\n"


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
