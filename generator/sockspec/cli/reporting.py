"""What `validate`, `lint` and `diff` share: the options of their reports, and how they end.

Exit codes: 0 when nothing was found that matters, 1 when something was, 2 for wrong usage, for what cannot be read or
written, and for faults of ours.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from sockspec.cli import outputs
from sockspec.cli.outputs import Output
from sockspec.diagnostics import Severity
from sockspec.reports import text
from sockspec.reports.formats import FORMATS
from sockspec.reports.printable import printable
from sockspec.reports.run import Run

T = TypeVar("T")

_PATIENCE = 1.0
"""Seconds before a bar is shown."""
_LINKING = ("json", "sarif")
"""The formats that link to what explains a code."""
_MOST_SUMMARY = 900_000
"""Bytes of a job's summary: GitHub refuses more than a mebibyte."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """What the options say of a command's report."""

    outputs: tuple[Output, ...]
    """What was asked for; empty where nothing was, and the environment decides."""
    threshold: Severity | None = Severity.ERROR
    max_warnings: int | None = None
    quiet: bool = False
    colour: bool | None = None
    limit: int | None = text.LIMIT

    def report(self, run: Run) -> NoReturn:
        """Print or write what a run has to say, and end the program.

        Sets the run's threshold and its most warnings, which the options say. Exits with 0 or 1, or with 2 where
        something cannot be written.
        """
        chosen = self.outputs or outputs.detected(os.environ)
        root = outputs.root(os.environ)
        within = Path.cwd().relative_to(root)
        run = replace(
            run,
            threshold=self.threshold,
            max_warnings=self.max_warnings,
            root=str(root),
            within="" if within == Path() else str(within),
            documentation=outputs.documentation() if any(each.format in _LINKING for each in chosen) else "",
        )
        written = [self._write(run, each) for each in chosen]
        if not self.outputs:
            written.append(self._serve(run))
        sys.exit(2 if not all(written) else 1 if run.failed else 0)

    def _write(self, run: Run, output: Output) -> bool:
        """Print or write one report; says on standard error where that cannot be."""
        target = output.path
        if target is not None and any(_is_same(target, name) for name in run.files):
            raise click.UsageError(f"'--format {output.format}:{target}' would overwrite a document.")
        printed = self._printed(run, output)
        try:
            if target is None:
                outputs.tell(printed, colour=True)
            else:
                outputs.write(target, printed)
        except OSError as error:
            return _refused(str(target or "standard output"), error)
        return True

    def _printed(self, run: Run, output: Output) -> str:
        if output.format == "github" and not self.outputs:
            # Unasked, lines of a pull request bear only what somebody should do something about.
            run = replace(run, findings=tuple(each for each in run.findings if each.severity is not Severity.INFO))
        if output.format != "text":
            return FORMATS[output.format](run)
        colour = outputs.is_coloured(self.colour, os.environ) if output.path is None else bool(self.colour)
        return text.report(run, colour=colour, limit=self.limit, quiet=self.quiet)

    def _serve(self, run: Run) -> bool:
        """What a build server gets beside what is printed; nothing that would have to be looked for."""
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if os.environ.get("GITHUB_ACTIONS") == "true" and summary:
            from sockspec.reports import markdown

            try:
                outputs.append(Path(summary), markdown.report(run, most_bytes=_MOST_SUMMARY))
            except OSError as error:
                return _refused(summary, error)
        if os.environ.get("GITLAB_CI") == "true" and run.findings:
            hint = "'--format text --format gitlab:gl-code-quality-report.json' shows these in merge requests"
            click.echo(f"hint: {hint}", err=True)
        return True


def reporting(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a report; the command gets them together, as `reporting`.

    What the command raises and does not catch is told, with exit code 2.
    """

    @wraps(command)
    def call(
        *arguments: Any,
        formats: tuple[Output, ...],
        fail_on: str,
        max_warnings: int | None,
        quiet: bool,
        colour: bool | None,
        limit: int,
        **others: Any,
    ) -> None:
        threshold = None if fail_on == "never" else Severity(fail_on)
        chosen = Reporting(formats, threshold, max_warnings, quiet, colour, limit or None)
        try:
            command(*arguments, reporting=chosen, **others)
        except click.ClickException as error:
            error.show()
            sys.exit(2)
        except (click.exceptions.Exit, click.Abort):
            raise
        except Exception:
            import traceback

            click.echo("sockspec failed; this is a fault of its own, and not of the document:", err=True)
            click.echo("\n".join(map(printable, traceback.format_exc().split("\n"))), err=True, nl=False)
            sys.exit(2)

    for option in reversed(_OPTIONS):
        call = option(call)
    return call


def watched(items: Sequence[T], label: str, *, clock: Callable[[], float] = time.monotonic) -> Iterator[T]:
    """The items, one after the other, with a bar on standard error where it takes long and somebody watches."""
    begun = clock()
    with click.progressbar(items, label=label, file=sys.stderr, hidden=True) as bar:
        for item in bar:
            yield item
            bar.hidden = not sys.stderr.isatty() or clock() - begun < _PATIENCE


def _is_same(path: Path, name: str) -> bool:
    try:
        return os.path.samefile(path, name)
    except (OSError, ValueError):
        return False


def _refused(target: str, error: OSError) -> bool:
    why = (error.strerror or str(error)).lower()
    click.echo(f"error: cannot write {target!r}: {why}", err=True)
    return False


_OPTIONS = (
    click.option(
        "--format",
        "formats",
        type=outputs.OutputOption(),
        multiple=True,
        callback=outputs.agreeing,
        metavar="FORMAT[:FILE]",
        help=f"What the report looks like, and where it goes; may be repeated. Formats: {', '.join(FORMATS)}. "
        "[default: text; in GitHub Actions also annotations and a summary]",
    ),
    click.option(
        "--fail-on",
        type=click.Choice([*(severity.value for severity in Severity), "never"]),
        default=Severity.ERROR.value,
        show_default=True,
        help="The least severity that makes the exit code 1.",
    ),
    click.option(
        "--max-warnings", type=click.IntRange(0), metavar="N", help="Exit with 1 when there are more warnings than N."
    ),
    click.option(
        "--limit",
        type=click.IntRange(0),
        default=text.LIMIT,
        show_default=True,
        metavar="N",
        help="How many findings of one rule the text shows; 0: all.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Leave out of the text what is only for information."),
    click.option(
        "--color/--no-color",
        "colour",
        default=None,
        help="Whether the text is coloured. [default: at a terminal; NO_COLOR and FORCE_COLOR count]",
    ),
)
