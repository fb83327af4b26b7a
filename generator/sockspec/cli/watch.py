"""`sockspec watch`: packages that follow their documents."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import click

from sockspec import output
from sockspec.cli.common import show
from sockspec.cli.packages import Listing, Packages, add, listing
from sockspec.cli.project import Job
from sockspec.diagnostics import Severity
from sockspec.pipeline import examined
from sockspec.watching import stamp, stamps, wait

_SECONDS = 0.3
"""Between two looks at the files."""
_MOST_NAMED = 8
"""How many files a line names; of more it says the number."""


@click.command("watch")
@listing
def command(wanted: Listing) -> None:
    """Write the Python package of SPEC into the folder that -o names, and again whenever the document changes.

    Watched are SPEC, the files that it refers to and the templates; without SPEC pyproject.toml, and all that is listed
    there (see `sockspec generate --help`). While anything is wrong, it is reported and the last package stays. A line is
    printed for each round. Ctrl-C ends it.
    """
    jobs = wanted.jobs()
    for job in jobs:
        if not job.spec.is_file():
            raise click.UsageError(f"there is no file {str(job.spec)!r} to watch.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        _watch(wanted, jobs)


def _watch(wanted: Listing, jobs: list[Job]) -> None:
    why = "at the start"
    files = _named(wanted, jobs)
    while True:
        # What changes while a package is made is newer than this, and makes the next round.
        before = stamps(files)
        start = time.perf_counter()
        files, outcome = _round(wanted)
        before = {file: before[file] if file in before else stamp(file) for file in files}
        click.echo(f"{why}: {outcome}, in {time.perf_counter() - start:.2f} s, watching {_count(before, 'file')}")
        changed = wait(before, lambda: time.sleep(_SECONDS))
        why = f"{_list(changed)} changed"


def _round(wanted: Listing) -> tuple[list[Path], str]:
    """Make and write all packages once: the files that they depend on, and what came of it."""
    files = _named(wanted, [])
    try:
        jobs = wanted.jobs()
        files = _named(wanted, jobs)
        packages: Packages = {}
        errors = 0
        for job in jobs:
            subject, report = examined(job.spec, name=str(job.spec), choices=job.choices, wholly=False)
            found = report.sorted()
            show(found)
            if subject is not None:
                files += subject.documents.files
            if subject is not None and subject.api is not None:
                add(packages, job, subject.api)
            else:
                errors += sum(one.severity is Severity.ERROR for one in found)
        if errors:
            return files, f"{_count(range(errors), 'error')}, nothing written"
        return files, _told([output.write(made, target) for target, made in packages.items()])
    except click.ClickException as error:
        error.show()
    except OSError as error:
        click.echo(f"Error: {error.filename}: {error.strerror or error}", err=True)
    return files, "an error, not written"


def _named(wanted: Listing, jobs: Iterable[Job]) -> list[Path]:
    """The files that the jobs name themselves."""
    found = [wanted.project] if wanted.project is not None else []
    for job in jobs:
        found += [job.spec, *_below(job.templates)]
    return [Path(os.path.abspath(file)) for file in found]


def _below(folder: Path | None) -> Iterator[Path]:
    """A folder, which changes when files come and go, and all that is below it."""
    if folder is not None:
        yield folder
        yield from sorted(folder.rglob("*"))


def _told(results: list[output.Written]) -> str:
    written = [path for result in results for path in result.written]
    removed = [path for result in results for path in result.removed]
    unchanged = sum(result.unchanged for result in results)
    parts = [f"wrote {_list(written)}"] if written else []
    parts += [f"removed {_list(removed)}"] if removed else []
    parts += [f"{_count(range(unchanged), 'file')} unchanged"] if unchanged else []
    return ", ".join(parts)


def _list(files: list[Path]) -> str:
    """The names of files as they are seen from here, a file that has several names once; of many only their number."""
    names = dict.fromkeys(os.path.relpath(os.path.realpath(file)) for file in files)
    return ", ".join(names) if len(names) <= _MOST_NAMED else _count(names, "file")


def _count(things: Iterable[object], name: str) -> str:
    number = sum(1 for _ in things)
    return f"{number} {name}{'s' if number != 1 else ''}"
