"""`sockspec connect`: the command line as a client of what a document describes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import click

from sockspec import ir
from sockspec.choices import Choices
from sockspec.cli.common import SPEC, channel_of, choosing, read
from sockspec.console.batch import UNREACHABLE, Stop
from sockspec.console.look import Look, is_coloured, shown
from sockspec.console.run import Plan, Run
from sockspec.console.secrets import Secrets, token_of, unlogged
from sockspec.console.target import target
from sockspec.console.vocabulary import Vocabulary
from sockspec.console.wire import Unreachable
from sockspec.live import imported
from sockspec.pipeline import modules
from sockspec.python import codec_name
from sockspec.runtime.address import header_line
from sockspec.runtime.security.credentials import Token

_FILE = click.Path(path_type=Path, dir_okay=False)
_SECONDS = click.FloatRange(min=0)
TOKEN = "SOCKSPEC_TOKEN"


class _Pair(click.ParamType[tuple[str, str]]):
    """A name and a value."""

    def __init__(self, separator: str) -> None:
        self.name = f"NAME{separator}VALUE"
        self._separator = separator

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        name, found, text = str(value).partition(self._separator)
        if not found or not name.strip():
            # Not quoted, since it may be a credential.
            self.fail(f"expected {self.name}", param, ctx)
        return name.strip(), text.strip() if self._separator == ":" else text


@click.command("connect")
@click.argument("spec", type=SPEC)
@click.option(
    "--url", help="URL of the server, to which the address of the channel is added. [default: the document's]"
)
@click.option("--channel", metavar="NAME", help="The channel, where the document has several.")
@click.option("--param", "parameters", type=_Pair("="), multiple=True, help="A parameter of path, query or headers.")
@click.option("--variable", "variables", type=_Pair("="), multiple=True, help="A variable of the server's URL.")
@click.option("--header", "headers", type=_Pair(":"), multiple=True, help="A header of the handshake.")
@click.option("--subprotocol", "subprotocols", metavar="NAME", multiple=True, help="[default: the document's]")
@click.option(
    "--token",
    help=f"A bearer token. Other users of this machine can see it here: better put it into {TOKEN}, or into a file.",
)
@click.option("--token-file", type=_FILE, help="A file that has the token; it is read again for each connection.")
@click.option("--send", metavar="FILE", help="Send the lines of a file, or of standard input where it is '-'.")
@click.option("--count", type=click.IntRange(min=1), help="Stop when so many messages came.")
@click.option("--until", metavar="MESSAGE", help="Stop when such a message came.")
@click.option("--for", "seconds", type=_SECONDS, metavar="SECONDS", help="Stop after so long, whatever came.")
@click.option(
    "--wait",
    type=_SECONDS,
    metavar="SECONDS",
    default=1.0,
    show_default=True,
    help="Else stop when everything is sent, and nothing came for so long.",
)
@click.option("--record", "record_to", type=_FILE, help="Write all that passes into a file.")
@click.option("--replay", "replay_from", type=_FILE, help="Send what a record has, and compare what comes back.")
@click.option(
    "--speed",
    type=_SECONDS,
    default=1.0,
    show_default=True,
    help="How much faster than it was recorded; 0 for all at once.",
)
@choosing
def command(
    spec: Path,
    url: str | None,
    channel: str | None,
    parameters: tuple[tuple[str, str], ...],
    variables: tuple[tuple[str, str], ...],
    headers: tuple[tuple[str, str], ...],
    subprotocols: tuple[str, ...],
    token: str | None,
    token_file: Path | None,
    send: str | None,
    count: int | None,
    until: str | None,
    seconds: float | None,
    wait: float,
    record_to: Path | None,
    replay_from: Path | None,
    speed: float,
    choices: Choices,
) -> None:
    """Connect to a server that SPEC describes, send messages, and show what comes.

    At a terminal, type `MessageName {json}`; names are completed, and what the document does not allow is not sent.
    /help lists what else there is.

    In a pipe, or with --send, each line is `MessageName {json}` or JSON alone. Each message that comes is printed as a
    line of JSON, {"time": ..., "message": ..., "payload": ...}; what goes wrong is said on standard error.

    \b
    Exit codes:
        0  all is well
        1  something sent or received was invalid, the server told a problem, the connection was lost, what was
           waited for did not come, or a replay differs
        2  wrong usage
        3  could not connect
    """
    secrets = Secrets()
    with _usage(secrets):
        stop = Stop(count=count, until=until, seconds=seconds, wait=wait)
        plan = Plan(send=send, replay=replay_from, speed=speed, record=record_to, stop=stop)
        bearer = _token(token, token_file, secrets)
    api = read(spec, choices, quiet=True)
    chosen = channel_of(api, channel)
    with _usage(secrets):
        where = target(
            api,
            chosen,
            url=url,
            parameters=parameters,
            variables=variables,
            headers=headers,
            subprotocols=subprotocols,
            token=bearer,
        )
    for values in (where.headers, where.query):
        secrets.add_declared(api, values)
    with imported(modules(api, spec.name)) as package:
        with _usage(secrets):
            at_terminal = sys.stdin.isatty() and sys.stdout.isatty()
            vocabulary = _vocabulary(api, chosen, package)
            run = Run(plan, vocabulary, where, secrets, channel=chosen.name, is_at_terminal=at_terminal)
        sys.exit(_talk(run, secrets))


@contextmanager
def _usage(secrets: Secrets) -> Generator[None]:
    """What is wrong within the block is wrong usage."""
    try:
        yield
    except OSError as error:
        raise click.UsageError(f"{error.filename or 'the file'}: {error.strerror or error}.") from None
    except ValueError as error:
        raise click.UsageError(secrets.hide(f"{error}.")) from None


def _token(token: str | None, file: Path | None, secrets: Secrets) -> Token | None:
    """The token, or what gives it. Raises ValueError and OSError."""
    if token is not None and file is not None:
        raise ValueError("give --token or --token-file, not both")
    if file is not None:
        token_of(file, secrets)  # what is wrong with it is wrong usage now, and a failed attempt later
        return lambda: token_of(file, secrets)
    text = token if token is not None else os.environ.get(TOKEN)
    return header_line("Authorization", secrets.add(text)) if text else None


def _vocabulary(api: ir.Api, channel: ir.Channel, package: ModuleType) -> Vocabulary:
    return Vocabulary(
        api,
        channel,
        incoming=getattr(package.codecs, codec_name(api, channel, ir.Direction.SERVER_TO_CLIENT)),
        outgoing=getattr(package.codecs, codec_name(api, channel, ir.Direction.CLIENT_TO_SERVER)),
    )


def _talk(run: Run, secrets: Secrets) -> int:
    """Talk; returns the exit code."""

    def say(text: str) -> None:
        # Colours are decided on by the look; under a keyboard, click could not tell.
        click.echo(secrets.hide(text), color=run.is_interactive)

    def complain(text: str) -> None:
        click.echo(secrets.hide(text), err=True)

    try:
        with unlogged(secrets):
            return asyncio.run(run.talk(say=say, complain=complain, look=Look(is_coloured(sys.stdout, os.environ))))
    except Unreachable as error:
        complain(f"could not connect: {shown(str(error))}")
        return UNREACHABLE
    finally:
        run.close()
