"""Findings that were there before: a file that lists them, so that only new ones count.

An entry is told by the rule, the file, the pointer and a hash of what is written there, and by no line: it stays the
same when lines move, and when what stands around it changes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sockspec.diagnostics import Diagnostic, Report
from sockspec.lint.wrong import WrongUsage
from sockspec.rules.suppressions import STALE_BASELINE
from sockspec.spec.source import Document, Json, Unreadable, load
from sockspec.spec.text import quoted

VERSION = 1
_KEYS = {"file", "rule", "pointer", "value", "count"}


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """What is told of a finding."""

    file: str
    """Its path, relative to the folder of the baseline, with slashes."""
    rule: str
    pointer: str
    value: str
    """A hash of the text, number or word that is written there; of mappings and lists only that they are such."""


def hashed(value: Json) -> str:
    """The hash of a value."""
    match value:
        case dict():
            return "mapping"
        case list():
            return "list"
        case _:
            return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a file lists."""

    path: Path
    folder: Path
    """Its folder, absolute and without links."""
    entries: Mapping[Entry, tuple[int, str]]
    """How many findings there were of each entry, and the pointer of the entry in the file."""
    document: Document | None
    """The file; None where it is to be written for the first time."""

    def entry(self, finding: Diagnostic, document: Document) -> Entry:
        """What is told of a finding in a document."""
        pointer = finding.location.pointer
        return Entry(self._relative(document.path), finding.code.id, pointer, hashed(document.at(pointer)))

    def count(self, entry: Entry) -> int:
        """How many findings there were of an entry."""
        return self.entries.get(entry, (0, ""))[0]

    def stale(self, found: Counter[Entry], asked: Mapping[Path, Iterable[str]]) -> list[Diagnostic]:
        """The entries of which less was found, of the rules that were asked in the files that were looked at."""
        files = {self._relative(path): set(rules) for path, rules in asked.items()}
        said: list[Diagnostic] = []
        for entry, (count, pointer) in self.entries.items():
            if entry.rule in files.get(entry.file, ()) and found[entry] < count and self.document is not None:
                where = f"{quoted(entry.file)} at {quoted(entry.pointer)}" if entry.pointer else quoted(entry.file)
                how = f"found {found[entry]} of {count} times" if found[entry] else "no longer found"
                message = f"{quoted(entry.rule)} is {how} in {where}"
                hint = "write the baseline anew with --update-baseline"
                said.append(STALE_BASELINE.at(self.document.locate(pointer), message, hint=hint))
        return said

    def updated(self, found: Mapping[Entry, int], asked: Mapping[Path, Iterable[str]]) -> str:
        """The text of a baseline of what was found. What was not looked for is kept, as long as its file exists."""
        files = {self._relative(path): set(rules) for path, rules in asked.items()}
        kept = {
            entry: count
            for entry, (count, _) in self.entries.items()
            if entry.rule not in files.get(entry.file, ()) and (self.folder / entry.file).is_file()
        }
        listed = [
            {"file": e.file, "rule": e.rule, "pointer": e.pointer, "value": e.value, "count": count}
            for e, count in sorted({**kept, **found}.items())
        ]
        return json.dumps({"version": VERSION, "findings": listed}, indent=1, ensure_ascii=False) + "\n"

    def _relative(self, path: Path) -> str:
        return Path(os.path.relpath(path, self.folder)).as_posix()


def read(path: Path, *, name: str | None = None, updating: bool = False) -> Baseline:
    """The baseline of a file, which users know by a name. Where it is to be written anew, it need not be there.

    Raises WrongUsage where it cannot be read, or is none.
    """
    folder = path.parent.resolve()
    if updating and not path.exists():
        return Baseline(path, folder, {}, None)
    if not path.exists():
        raise WrongUsage(f"there is no baseline {str(path)!r}; --update-baseline writes it")
    try:
        document = load(path, name=name, report=Report())
    except Unreadable as unreadable:
        raise WrongUsage(f"the baseline cannot be read: {unreadable}") from None
    return Baseline(path, folder, _entries(document), document)


def _entries(document: Document) -> dict[Entry, tuple[int, str]]:
    value = document.value if isinstance(document.value, dict) else {}
    listed = value.get("findings")
    if value.get("version") != VERSION or not isinstance(listed, list):
        raise WrongUsage(f"{document.name!r} is no baseline of version {VERSION}; write it anew with --update-baseline")
    found: dict[Entry, tuple[int, str]] = {}
    for index, entry in enumerate(listed):
        match entry:
            case {
                "file": str(file),
                "rule": str(rule),
                "pointer": str(pointer),
                "value": str(digest),
                "count": int(count),
            }:
                found[Entry(file, rule, pointer, digest)] = (count, f"/findings/{index}")
            case _:
                place = document.locate(f"/findings/{index}")
                raise WrongUsage(f"{place}: an entry of a baseline has {', '.join(sorted(_KEYS))}")
    return found
