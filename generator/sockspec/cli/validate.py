"""`sockspec validate`: what is wrong with documents."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sockspec.choices import Choices
from sockspec.cli.common import SPEC, choosing, show
from sockspec.diagnostics import Severity
from sockspec.pipeline import examine


@click.command("validate")
@click.argument("specs", type=SPEC, nargs=-1, required=True, metavar="SPEC...")
@choosing
@click.option("-q", "--quiet", is_flag=True, help="Leave out what is only for information.")
def command(specs: tuple[Path, ...], choices: Choices, quiet: bool) -> None:
    """Check documents: their structure, their references, and that a package can be made of them.

    Prints a line for each finding, `path:line:column: severity code message`, and fails when one is an error.
    """
    failed = 0
    visible = len(specs) > 1 and sys.stderr.isatty()
    with click.progressbar(specs, label="validating", file=sys.stderr, hidden=not visible) as bar:
        for spec in bar:
            _, diagnostics = examine(spec, name=str(spec), choices=choices)
            show(diagnostics, quiet=quiet)
            errors = sum(d.severity is Severity.ERROR for d in diagnostics)
            failed += errors > 0
            verdict = f"{errors} error{'s' if errors != 1 else ''}" if errors else "valid"
            click.echo(f"{spec}: {verdict}")
    sys.exit(1 if failed else 0)
