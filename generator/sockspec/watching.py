"""Files that are looked at again and again, until one of them is other than it was.

Files are asked for their times and nothing is subscribed to: events do not cross network mounts and the borders of
containers, and those of a file end when an editor replaces it by another. Here there are few files, and asking costs
microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

Stamp = tuple[int, int, int] | None
"""When a file was changed, its size, and which file it is; None where there is none."""

_PATIENCE = 10
"""For how many looks a file may be missing before that counts: editors take it away before they put the new one there."""


def stamp(file: Path) -> Stamp:
    """What tells a file from what it was before."""
    try:
        found = file.stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def stamps(files: Iterable[Path]) -> dict[Path, Stamp]:
    """The stamps of files."""
    return {file: stamp(file) for file in files}


def wait(before: Mapping[Path, Stamp], pause: Callable[[], object]) -> list[Path]:
    """Wait until files are other than before and are left alone, and tell which.

    `pause` is called before each look. A change counts when the next look finds no other, and the loss of a file only
    when it is lost for good.
    """
    last, looks = dict(before), 0
    while True:
        pause()
        now = stamps(before)
        looks = looks + 1 if now == last else 0
        last = now
        changed = [file for file in before if now[file] != before[file]]
        lost = any(now[file] is None for file in changed)
        if changed and looks >= (_PATIENCE if lost else 1):
            return changed
