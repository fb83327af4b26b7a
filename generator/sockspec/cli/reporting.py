"""What `validate`, `lint` and `diff` share: the options of their reports, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, NoReturn, TypeVar

import click

from sockspec.diagnostics import Severity
from sockspec.reports import text
from sockspec.reports.run import Run

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reporting:
    """What the options say of a command's report."""

    threshold: Severity | None
    max_warnings: int | None
    quiet: bool

    def watched(self, items: Iterable[T], label: str) -> Iterator[T]:
        """The items, one after the other, with a bar on standard error where it takes long and somebody watches."""
        yield from items

    def report(self, run: Run) -> NoReturn:
        """Print or write what a run has to say as the options want it, and end the program.

        Sets the run's threshold and its most warnings. Exits with 0 or 1, or with 2 where a file cannot be written.
        """
        run = replace(run, threshold=self.threshold, max_warnings=self.max_warnings)
        click.echo(text.report(run), nl=False)
        sys.exit(1 if run.failed else 0)


def reporting(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a report; the command gets them as `reporting`. What it does not catch ends with exit code 2."""

    @wraps(command)
    def call(*arguments: Any, fail_on: str, max_warnings: int | None, quiet: bool, **others: Any) -> None:
        threshold = None if fail_on == "never" else Severity(fail_on)
        command(*arguments, reporting=Reporting(threshold, max_warnings, quiet), **others)

    for option in reversed(_OPTIONS):
        call = option(call)
    return call


_OPTIONS = (
    click.option(
        "--fail-on",
        type=click.Choice([*(severity.value for severity in Severity), "never"]),
        default="error",
        show_default=True,
        help="The least severity that makes the exit code 1.",
    ),
    click.option(
        "--max-warnings",
        type=click.IntRange(0),
        metavar="N",
        help="Exit with 1 when there are more warnings than this.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Leave out of the text what is only for information."),
)
