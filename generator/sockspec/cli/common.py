"""What the commands share: options, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from sockspec import ir
from sockspec.diagnostics import Diagnostic, Severity, text
from sockspec.pipeline import examine
from sockspec.spec.openapi.named import Named, parse

SPEC = click.Path(path_type=Path, dir_okay=False)

perspective_option = click.option(
    "--perspective",
    type=click.Choice(["server", "client"]),
    help="Whose view the document takes in the words send, receive, publish and subscribe. "
    "[default: what the document says, else server]",
)


class _Messages(click.ParamType[Named]):
    """What `--messages` names."""

    name = "messages"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Named:
        if isinstance(value, Named):
            return value
        try:
            return parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


messages_option = click.option(
    "--messages",
    type=_Messages(),
    metavar="client=SCHEMA,server=SCHEMA[,path=/PATH]",
    help="The component schemas of an OpenAPI document that are its messages, or unions of them, and the path of the "
    "endpoint; for documents that do not say.",
)


def show(diagnostics: Iterable[Diagnostic], *, quiet: bool = False) -> None:
    """Print diagnostics on standard error; quiet leaves out what is only for information."""
    click.echo(text(d for d in diagnostics if not (quiet and d.severity is Severity.INFO)), err=True, nl=False)


def read(spec: Path, perspective: str | None, messages: Named | None, *, quiet: bool = False) -> ir.Api:
    """The API of a document; ends the program with exit code 1 when the document has errors.

    Of a document whose messages are named, only what they lead to is checked.
    """
    api, diagnostics = examine(spec, name=str(spec), perspective=perspective, messages=messages, wholly=False)
    show(diagnostics, quiet=quiet)
    if api is None:
        sys.exit(1)
    return api
