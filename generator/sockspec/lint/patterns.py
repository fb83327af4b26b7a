"""Patterns of paths and of JSON pointers: `*` is any text between slashes, `?` one character, `**` any levels."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_LEVELS = re.compile(r"(/?)\*\*(/?)|(\*)|(\?)")


def _translated(pattern: str) -> str:
    """The pattern as a regular expression. Each star is a run of what it may match, taken whole where that will do."""
    parts: list[str] = []
    at = 0
    for found in _LEVELS.finditer(pattern):
        parts.append(re.escape(pattern[at : found.start()]))
        at = found.end()
        if found[3]:
            parts.append("[^/]*")
        elif found[4]:
            parts.append("[^/]")
        elif found[1] and found[2]:
            parts.append("/(?:[^/]+/)*")
        elif found[1]:
            parts.append("/.+")
        elif found[2]:
            parts.append("(?:[^/]+/)*")
        else:
            parts.append(".*")
    return "".join((*parts, re.escape(pattern[at:])))


@dataclass(frozen=True)
class Files:
    """Some files, by patterns that are relative to a folder. A pattern without a slash is of names in any folder."""

    folder: Path
    patterns: tuple[str, ...]

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        each = (pattern.removeprefix("./").removesuffix("/") for pattern in self.patterns)
        rooted = (_translated(pattern if "/" in pattern else f"**/{pattern}") for pattern in each)
        return re.compile("|".join(f"(?:{pattern})(?:/.*)?" for pattern in rooted))

    def __contains__(self, path: Path) -> bool:
        """Whether an absolute path is one of them, or in a folder that is."""
        relative = Path(os.path.relpath(path, self.folder)).as_posix()
        return bool(self.patterns) and self._compiled.fullmatch(relative) is not None


def pointers(patterns: Iterable[str]) -> re.Pattern[str]:
    """What fully matches the pointers of some values, and of all that is within these."""
    rooted = (f"/{pattern.removeprefix('/').removesuffix('/')}" for pattern in patterns)
    return re.compile("|".join(f"(?:{_translated(pattern)})(?:/.*)?" for pattern in rooted), re.DOTALL)
