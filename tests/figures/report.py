"""The figures as a page."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tests.figures.documents import name
from tests.figures.making import Document, Made
from tests.figures.opening import Opened


@dataclass(frozen=True, slots=True)
class Row:
    """One document: the two pages, and how they opened. None where there is no page."""

    document: Document
    ours: Opened | None
    made: Made
    """The page of the template."""
    theirs: Opened | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was measured, and on what."""

    date: str
    template: str
    generator: str
    chromium: str
    machine: str
    rows: tuple[Row, ...]
    example: Row
    """The document that the features were tried on."""
    our_features: Mapping[str, str]
    their_features: Mapping[str, str]


_HEAD = """# Pages of real documents

`python -m tests.figures` makes a page of every document of the corpus that speaks of WebSockets, opens it in Chromium, and
does the same with AsyncAPI's own [html-template](https://github.com/asyncapi/html-template) (`singleFile=true`), which renders
documents by its React component. Run on {date} with html-template {template}, generator {generator}, {chromium} without a
network; {machine}.

- **Make** is the time from the document to the page. The template's are made by one Node program after it has compiled the
  template, so that neither Node's start nor compiling counts; nothing is left out of ours.
- **Shown** is when a frame with the API's title had been drawn, from the moment the page was asked for: the median of three.
- **Elements** are those of the page when it was shown.
- Medians are over the pages that each has made.
- **Errors** are those in the browser's console, and those of scripts. Neither page asked for anything from the network
  unless **requests** says so.

## In short

"""
_FEATURES = """
## What the pages can do

Tried on `specs/chat.asyncapi.yaml` in the browser, by `tests/figures/features.py`. Each row is a fact about these two pages
only.

| | sockspec | html-template |
| --- | --- | --- |
"""
_FILES = """
What html-template is not asked for here: it also writes PDF; its sibling markdown-template writes Markdown. Ours has no PDF
but what the browser prints. From one document, `sockspec docs` also writes:

"""
_TABLE = """
## Document by document

The columns behind "theirs" are the template's.

| Document | Messages | Size, kB | Make, s | Shown, ms | Elements | Errors | theirs: kB | s | ms | elements | requests | errors |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""


def page(figures: Figures) -> str:
    """The text of docs/pages.md."""
    head = _HEAD.format(
        date=figures.date,
        template=figures.template,
        generator=figures.generator,
        chromium=figures.chromium,
        machine=figures.machine,
    )
    trials = figures.our_features
    features = "".join(f"| {what} | {told} | {figures.their_features[what]} |\n" for what, told in trials.items())
    return "".join(
        (
            head,
            _summary(figures),
            _FEATURES,
            features,
            _FILES,
            _files(figures.example),
            _TABLE,
            *map(_row, figures.rows),
        )
    )


def _summary(figures: Figures) -> str:
    rows = figures.rows
    ours = [row for row in rows if row.ours is not None]
    theirs = [row for row in rows if row.theirs is not None]
    lines = [
        "| | sockspec | html-template |\n| --- | --- | --- |\n",
        f"| Pages made, of {len(rows)} documents | {len(ours)} | {len(theirs)} |\n",
        _line("Size, kB", ours, theirs, lambda row: row.document.ours.size / 1000, lambda row: row.made.size / 1000),
        _line("Make, s", ours, theirs, lambda row: row.document.ours.seconds, lambda row: row.made.seconds, digits=2),
        _line("Shown, ms", ours, theirs, _shown, _shown_by_them),
        f"| Errors in the browser | {_errors(row.ours for row in ours)} | {_errors(row.theirs for row in theirs)} |\n",
        f"| Requests | {_requests(row.ours for row in ours)} | {_requests(row.theirs for row in theirs)} |\n",
    ]
    return "".join(lines)


def _shown(row: Row) -> float:
    return row.ours.milliseconds if row.ours is not None else 0


def _shown_by_them(row: Row) -> float:
    return row.theirs.milliseconds if row.theirs is not None else 0


def _line(
    what: str,
    ours: list[Row],
    theirs: list[Row],
    of_ours: Callable[[Row], float],
    of_theirs: Callable[[Row], float],
    digits: int = 0,
) -> str:
    cells = [_spread(list(map(of_ours, ours)), digits), _spread(list(map(of_theirs, theirs)), digits)]
    return f"| {what}: median, and the most | {cells[0]} | {cells[1]} |\n"


def _spread(values: list[float], digits: int) -> str:
    return f"{statistics.median(values):,.{digits}f}, {max(values):,.{digits}f}"


def _errors(opened: Iterable[Opened | None]) -> int:
    return sum(one.errors for one in opened if one is not None)


def _requests(opened: Iterable[Opened | None]) -> int:
    return sum(one.requests for one in opened if one is not None)


def _files(example: Row) -> str:
    told = {"index.html": example.document.ours.size, **example.document.others}
    return "".join(f"- `{name}`: {size / 1000:.1f} kB\n" for name, size in told.items())


def _row(row: Row) -> str:
    document = row.document
    ours = [f"none: {document.ours.why_not}", *[""] * 4]
    if row.ours is not None:
        ours = [
            f"{document.ours.size / 1000:,.0f}",
            f"{document.ours.seconds:.2f}",
            f"{row.ours.milliseconds:,.0f}",
            f"{row.ours.elements:,}",
            str(row.ours.errors),
        ]
    theirs = [f"none: {row.made.why_not}", *[""] * 5]
    if row.theirs is not None:
        theirs = [
            f"{row.made.size / 1000:,.0f}",
            f"{row.made.seconds:.2f}",
            f"{row.theirs.milliseconds:,.0f}",
            f"{row.theirs.elements:,}",
            str(row.theirs.requests),
            str(row.theirs.errors),
        ]
    cells = [
        f"`{name(document.path)}`",
        str(len(document.messages)),
        *(cell.replace("|", "/") for cell in [*ours, *theirs]),
    ]
    return f"| {' | '.join(cells)} |\n"
