"""The documents that a command is called with: files, patterns of file names, and standard input."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from sockspec.reports.run import Source

_WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Spec:
    """A document that a command is called with."""

    path: Path
    name: str
    """What users call it; what is said of it bears this name."""
    content: bytes | None = field(default=None, repr=False)
    """What was read from standard input; None where the file is to be read."""


def documents(*, required: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The argument SPEC..., which the command gets as `specs`: a tuple of Spec, sorted, each file once.

    Patterns are expanded here, for shells that do not, and for those that know no `**`. What cannot be read, and a
    pattern that no file matches, is wrong usage.
    """
    return click.argument("specs", nargs=-1, required=required, metavar="SPEC...", callback=_specs)


def sources(specs: tuple[Spec, ...]) -> Source:
    """The texts of files by name: those of the documents, and of the files that they refer to."""
    paths = {spec.name: spec.path for spec in specs}
    texts: dict[str, str | None] = {}

    def text(name: str) -> str | None:
        if name not in texts:
            try:
                texts[name] = paths.get(name, Path(name)).read_bytes().decode("utf-8-sig", "replace")
            except (OSError, ValueError):
                texts[name] = None
        return texts[name]

    return text


def _specs(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[Spec, ...]:
    found: dict[str, str] = {}
    for name in sorted({each for given in value for each in _expanded(given)}):
        found.setdefault(os.path.realpath(name), name)
    return tuple(Spec(Path(name), name) for name in found.values())


def _expanded(given: str) -> Iterator[str]:
    """The files that an argument means."""
    if os.path.exists(given) or not _WILD & set(given):
        yield _readable(given)
        return
    matches = [match for match in glob.iglob(given, recursive=True) if os.path.isfile(match)]
    if not matches:
        raise click.UsageError(f"no file matches {given!r}.")
    yield from matches


def _readable(name: str) -> str:
    try:
        if os.path.exists(name) and not os.path.isfile(name):
            raise click.UsageError(f"{name!r} is not a file.")
        with open(name, "rb"):
            return name
    except (OSError, ValueError) as error:
        why = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
        raise click.UsageError(f"{name!r} cannot be read: {why}.") from None
