"""`sockspec init`: a project to begin with."""

from __future__ import annotations

import os
from pathlib import Path

import click

from sockspec import output
from sockspec.choices import Choices
from sockspec.cli.common import SPEC, choosing, read
from sockspec.pipeline import generate, scaffold
from sockspec.python.naming import package_name


@click.command("init")
@click.argument("spec", type=SPEC)
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the project.",
)
@click.option(
    "--package", metavar="NAME", help="Name of the generated package. [default: from the document's file name]"
)
@choosing
def command(spec: Path, folder: Path, package: str | None, choices: Choices) -> None:
    """Write a server project for SPEC, once: what is there already is never overwritten.

    The project has the generated package, a server whose handlers are to be filled in, settings from the environment, a
    test, and a Dockerfile.
    """
    api = read(spec, choices)
    name = package or package_name(spec.name, api.title)
    files = scaffold(api, Path(os.path.relpath(spec, folder)).as_posix(), name)
    existing = [path for path in (*files, name) if (folder / path).exists()]
    if existing:
        raise click.ClickException(f"nothing is written, since {folder} has {', '.join(existing)} already.")
    try:
        output.write({f"{name}/{path}": text for path, text in generate(api, spec.name, package=name).items()}, folder)
        output.write(files, folder)
    except OSError as error:
        raise click.ClickException(f"{error.filename or folder}: {error.strerror or error}") from None
    click.echo(f"{folder}: {len(files)} files, and the package {name}", err=True)
    click.echo(f"fill in {folder / 'server.py'}, and run it with: cd {folder} && python server.py", err=True)
