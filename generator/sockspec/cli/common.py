"""What the commands share: options, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from sockspec import ir
from sockspec.diagnostics import Diagnostic, Severity, text
from sockspec.pipeline import examine

SPEC = click.Path(path_type=Path, dir_okay=False)

perspective_option = click.option(
    "--perspective",
    type=click.Choice(["server", "client"]),
    help="Whose view the document takes in the words send, receive, publish and subscribe. "
    "[default: what the document says, else server]",
)


def show(diagnostics: Iterable[Diagnostic], *, quiet: bool = False) -> None:
    """Print diagnostics on standard error; quiet leaves out what is only for information."""
    click.echo(text(d for d in diagnostics if not (quiet and d.severity is Severity.INFO)), err=True, nl=False)


def read(spec: Path, perspective: str | None, *, quiet: bool = False) -> ir.Api:
    """The API of a document; ends the program with exit code 1 when the document has errors."""
    api, diagnostics = examine(spec, name=str(spec), perspective=perspective)
    show(diagnostics, quiet=quiet)
    if api is None:
        sys.exit(1)
    return api
