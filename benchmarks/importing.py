"""Importing the chat package in a process of its own, beside what it needs anyway."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator


def run() -> Iterator[str]:
    """Milliseconds of processor time above those of an empty interpreter; the best of several runs."""
    empty = _best("pass")
    for statement in ("import asyncio", "import msgspec", "import chat.messages", "import chat", "import jsonschema"):
        yield f"  {statement:24} {(_best(statement) - empty) * 1000:6.0f} ms"


def _best(statement: str) -> float:
    return min(_once(statement) for _ in range(9))


def _once(statement: str) -> float:
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", statement], os.environ)
    _, _, usage = os.wait4(pid, 0)
    return usage.ru_utime + usage.ru_stime
