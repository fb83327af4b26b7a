"""Markdown for summaries of jobs and comments: a table in which nothing that a document says is markup."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sockspec.diagnostics import Diagnostic, Severity
from sockspec.reports.printable import encodable, printable
from sockspec.reports.run import Run
from sockspec.reports.text import summary

_SIGNS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.INFO: "ℹ️"}
_MARKUP = re.compile(r"[!#$&()*:<>@\[\\\]^_`{|}~]")
_LINKED = re.compile(r"(?<=@)|(?=://)|(?<=www)(?=\.)", re.IGNORECASE)


def report(run: Run, *, most_bytes: int | None = None) -> str:
    """The run as a heading and a table. `most_bytes` is how long it may be; what has no place is counted."""
    head = [f"### sockspec {run.command}: {summary(run)}", ""]
    notes = [f"{_escaped(note)}\n" for note in run.notes]
    table = ["| | Place | Rule | Finding |", "| --- | --- | --- | --- |"] if run.findings else []
    rows: list[str] = []
    left = None if most_bytes is None else most_bytes - sum(_size(line) for line in (*head, *notes, *table)) - 100
    for row in _rows(run.findings):
        if left is not None:
            left -= _size(row)
            if left < 0:
                break
        rows.append(row)
    more = len(run.findings) - len(rows)
    rest = ["", f"{more} more findings have no place here."] if more else []
    return "\n".join([*head, *notes, *table, *rows, *rest]) + "\n"


def _rows(findings: tuple[Diagnostic, ...]) -> Iterator[str]:
    for finding in findings:
        hint = f"<br>hint: {_escaped(finding.hint)}" if finding.hint else ""
        cells = (
            f"{_SIGNS[finding.severity]} {finding.severity.value}",
            f"<code>{_escaped(str(finding.location))}</code>",
            f"<code>{_escaped(finding.code.id)}</code>",
            f"{_escaped(finding.message)}{hint}",
        )
        yield f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    """Text that stays text: signs of markup are character references, and what is linked without them is broken up.

    References cannot stand for markup (CommonMark, section 2.5); a blank without width keeps addresses and the names of
    users from being found in the text afterwards.
    """
    parted = _LINKED.sub("\u200b", encodable(printable(text)))
    return _MARKUP.sub(lambda match: f"&#{ord(match[0])};", parted)


def _size(line: str) -> int:
    return len(line.encode(errors="replace")) + 1
