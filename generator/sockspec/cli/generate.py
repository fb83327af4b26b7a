"""`sockspec generate`: a document's package, or all that a project lists."""

from __future__ import annotations

import sys

import click

from sockspec import output
from sockspec.cli.common import read
from sockspec.cli.packages import Listing, Packages, add, listing
from sockspec.cli.project import Job


@click.command("generate")
@listing
@click.option("--check", is_flag=True, help="Write nothing; print a diff and fail when the package is not current.")
def command(wanted: Listing, check: bool) -> None:
    """Write the Python package of SPEC into the folder that -o names.

    The package is a folder of its own below it: `sockspec generate chat.yaml -o generated` writes `generated/chat/`.

    Without SPEC, generates every document that [tool.sockspec] in pyproject.toml lists:

    \b
        [[tool.sockspec.package]]
        spec = "specs/chat.yaml"
        output = "generated"
        package = "chat"

    Nothing is written when anything is wrong.
    """
    packages = _generate(wanted.jobs())
    stale = [difference for folder, files in packages.items() if (difference := output.difference(files, folder))]
    if check:
        click.echo("".join(stale), nl=False)
        sys.exit(1 if stale else 0)
    for target, files in packages.items():
        try:
            output.write(files, target)
        except OSError as error:
            raise click.ClickException(f"{error.filename or target}: {error.strerror or error}") from None
        click.echo(f"{target}: {len(files)} files", err=True)


def _generate(jobs: list[Job]) -> Packages:
    """All packages, in memory; ends the program before anything is written when one of them cannot be made."""
    packages: Packages = {}
    visible = len(jobs) > 1 and sys.stderr.isatty()
    with click.progressbar(jobs, label="generating", file=sys.stderr, hidden=not visible) as bar:
        for job in bar:
            add(packages, job, read(job.spec, job.choices))
    return packages
