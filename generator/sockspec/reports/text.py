"""For people: a line for each finding that terminals make clickable, and a count."""

from __future__ import annotations

from sockspec import diagnostics
from sockspec.diagnostics import Severity
from sockspec.reports.run import Run


def report(run: Run, *, colour: bool = False, limit: int | None = None) -> str:
    """The run as text. `limit` is how many findings of one code are shown."""
    return diagnostics.text(run.findings) + "".join(f"{line}\n" for line in (*run.notes, summary(run)))


def summary(run: Run) -> str:
    """How many findings there are in how many files."""
    counts = run.counts
    told = [_many(counts[severity], severity.value) for severity in Severity if counts[severity]]
    return f"{', '.join(told) or 'nothing found'} in {_many(len(run.files), 'file')}"


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 or word == 'info' else 's'}"
