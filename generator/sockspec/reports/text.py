"""For people: a line for each finding that terminals make clickable, the place in its file, and a count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sockspec.diagnostics import Diagnostic, Location, Severity
from sockspec.reports.frames import frame
from sockspec.reports.places import Places
from sockspec.reports.printable import printable
from sockspec.reports.run import Run

LIMIT = 50
"""How many findings of one code are shown, unless told otherwise."""
_MOST_RELATED = 5

_COLOURS = {Severity.ERROR: "31;1", Severity.WARNING: "33;1", Severity.INFO: "36;1"}
_BOLD, _DIM, _GREEN = "1", "2", "32;1"


def report(run: Run, *, colour: bool = False, limit: int | None = LIMIT, quiet: bool = False) -> str:
    """The run as text.

    `limit` is how many findings of one code are shown; None for all. `quiet` leaves out what is only for information
    and makes nothing fail, and the closing line where nothing else was found.
    """
    if quiet:
        run = replace(run, findings=tuple(each for each in run.findings if not _is_idle(run, each)))
    pen = _Pen(colour)
    places = Places(run.source)
    lines: list[str] = []
    seen: Counter[str] = Counter()
    for finding in run.findings:
        seen[finding.code.id] += 1
        if limit is None or seen[finding.code.id] <= limit:
            lines += _of_finding(finding, places, pen)
    for code, count in seen.items():
        if limit is not None and count > limit:
            lines += [f"{printable(code)}: {count - limit} more, which '--limit 0' shows", ""]
    lines += map(printable, run.notes)
    if run.findings or not quiet:
        lines.append(_closing(run, pen))
    if run.too_many_warnings:
        lines.append(f"{run.counts[Severity.WARNING]} warnings are more than the {run.max_warnings} that may be")
    return "".join(f"{_idle_line(line)}\n" for line in lines)


def summary(run: Run) -> str:
    """How many findings there are in how many files."""
    counts = run.counts
    told = [_many(counts[severity], severity.value) for severity in Severity if counts[severity]]
    return f"{', '.join(told) or 'nothing found'} in {_many(len(run.files), 'file')}"


@dataclass(frozen=True, slots=True)
class _Pen:
    """What colours, where colours are shown."""

    on: bool

    def paint(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.on else text


def _of_finding(finding: Diagnostic, places: Places, pen: _Pen) -> Iterator[str]:
    style = _COLOURS[finding.severity]
    place = pen.paint(f"{printable(str(finding.location))}:", _BOLD)
    kind = pen.paint(f"{finding.severity.value} {printable(finding.code.id)}", style)
    yield f"{place} {kind} {printable(finding.message)}"
    shown = list(_of_frame(finding.location, places, pen, style))
    yield from shown
    if finding.hint:
        yield f"    {pen.paint('hint:', _BOLD)} {printable(finding.hint)}"
    if finding.location.pointer:
        yield f"    {pen.paint(f'at:   #{printable(finding.location.pointer)}', _DIM)}"
    for related in finding.related[:_MOST_RELATED]:
        note = f": {printable(related.note)}" if related.note else ""
        yield f"    {pen.paint('see:', _BOLD)}  {printable(str(related))}{note}"
        if (related.path, related.line) != (finding.location.path, finding.location.line):
            yield from _of_frame(related, places, pen, _DIM)
    if len(finding.related) > _MOST_RELATED:
        yield f"    {pen.paint('see:', _BOLD)}  {len(finding.related) - _MOST_RELATED} more places"
    if shown:
        yield ""


def _of_frame(location: Location, places: Places, pen: _Pen, style: str) -> Iterator[str]:
    found = frame(places, location)
    if found is not None:
        line, marks = found
        yield f"{pen.paint(f'{location.line:>6} |', _DIM)} {line}".rstrip()
        yield f"{pen.paint('       |', _DIM)} {pen.paint(marks, style)}"


def _idle_line(line: str) -> str:
    """The line, which to the runner of GitHub Actions is no command: those begin with two colons."""
    return line.replace("::", r":\x3a", 1) if line.lstrip().startswith("::") else line


def _is_idle(run: Run, finding: Diagnostic) -> bool:
    return finding.severity is Severity.INFO and not run.fails(finding)


def _closing(run: Run, pen: _Pen) -> str:
    worst = next((severity for severity in Severity if run.counts[severity]), None)
    return pen.paint(summary(run), _GREEN if worst is None else _COLOURS[worst])


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 or word == Severity.INFO.value else 's'}"
