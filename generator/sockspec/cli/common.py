"""What the commands share: options, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import wraps
from pathlib import Path

import click

from sockspec import ir
from sockspec.choices import Choices, Named, messages_named
from sockspec.diagnostics import Diagnostic, Severity, text
from sockspec.pipeline import examine
from sockspec.reports.printable import printable

SPEC = click.Path(path_type=Path, dir_okay=False)

ALTERNATIVES = {"perspective": ("server", "client"), "channels": ("endpoints", "subscriptions")}
"""The choices that are a word, and their words."""


class Messages(click.ParamType[Named]):
    """What `--messages` names."""

    name = "messages"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Named:
        if isinstance(value, Named):
            return value
        try:
            return messages_named(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


_OPTIONS = (
    click.option(
        "--perspective",
        type=click.Choice(ALTERNATIVES["perspective"]),
        help="Whose view the document takes in the words send, receive, publish and subscribe. "
        "[default: what the document says, else server]",
    ),
    click.option(
        "--messages",
        type=Messages(),
        metavar="client=SCHEMA,server=SCHEMA[,path=/PATH]",
        help="The component schemas of an OpenAPI document that are its messages, or unions of them, and the path of "
        "the endpoint; for documents that do not say.",
    ),
    click.option(
        "--channels",
        type=click.Choice(ALTERNATIVES["channels"]),
        help="Whether the channels of an AsyncAPI document are endpoints, or subscriptions inside one connection. "
        "[default: what 'x-channel' says, else subscriptions where no address begins with '/']",
    ),
)


def choosing(command: Callable[..., None]) -> Callable[..., None]:
    """The options for what a document leaves open; the command gets them together, as `choices`."""

    @wraps(command)
    def call(
        *arguments: object, perspective: str | None, messages: Named | None, channels: str | None, **others: object
    ) -> None:
        command(*arguments, choices=Choices(perspective, messages, channels), **others)

    for option in reversed(_OPTIONS):
        call = option(call)
    return call


def show(diagnostics: Iterable[Diagnostic], *, quiet: bool = False) -> None:
    """Print on standard error what was said while a package was made; quiet leaves out what is only for information.

    Errors in spite of which it is made are warnings then.
    """
    said = (
        replace(d, code=replace(d.code, severity=Severity.WARNING)) if d.code.tolerable else d
        for d in diagnostics
        if not (quiet and d.severity is Severity.INFO)
    )
    click.echo("\n".join(map(printable, text(said).split("\n"))), err=True, nl=False)


def read(spec: Path, choices: Choices, *, quiet: bool = False) -> ir.Api:
    """The API of a document; ends the program with exit code 1 when the document has errors.

    Of a document whose messages are named, only what they lead to is checked.
    """
    api, diagnostics = examine(spec, name=str(spec), choices=choices, wholly=False)
    show(diagnostics, quiet=quiet)
    if api is None:
        sys.exit(1)
    return api


def channel_of(api: ir.Api, name: str | None) -> ir.Channel:
    """The channel of a name or an address; the only one where none is named. Raises UsageError."""
    names = [channel.name for channel in api.channels]
    if name is None and len(names) != 1:
        raise click.UsageError(
            f"say with --channel which of the channels is meant: {', '.join(names) or 'there is none'}."
        )
    for channel in api.channels:
        if name is None or name in (channel.name, channel.address):
            return channel
    raise click.UsageError(f"there is no channel {name!r}; there are: {', '.join(names)}.")


def sentence(why: Exception) -> str:
    """What an error says, with a full stop where it does not ask."""
    text = str(why)
    return text if text.endswith("?") else f"{text}."
