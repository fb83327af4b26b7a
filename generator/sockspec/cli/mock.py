"""`sockspec mock`: a server from the document alone."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import click

from sockspec import ir
from sockspec.choices import Choices
from sockspec.cli.common import SPEC, choosing, read, show
from sockspec.diagnostics import Report
from sockspec.live import imported
from sockspec.mock import Manner, Mock, Traffic, addresses, script
from sockspec.pipeline import generate
from sockspec.runtime import InsecureTransport
from sockspec.runtime.serving.standalone import Running
from sockspec.samples import NoSample


@click.command("mock")
@click.argument("spec", type=SPEC)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="The port; 0 takes a free one."
)
@click.option("--script", "scripted", type=SPEC, metavar="FILE", help="Conversations and faults; see docs/mock.md.")
@click.option("--no-push", is_flag=True, help="Send only replies, and what the script says.")
@click.option(
    "--every",
    type=click.FloatRange(0.001, 86_400),
    metavar="SECONDS",
    help="Send the messages that are no replies again and again.",
)
@click.option(
    "--seed", default=0, show_default=True, help="What examples are made from that the document does not have."
)
@click.option("--token", help="The one token, key or password that is good.  [default: any]")
@click.option("--open", "is_open", is_flag=True, help="Ask for no credentials.")
@click.option("--insecure", is_flag=True, help="Listen beyond this machine in clear text.")
@click.option("--json", "as_json", is_flag=True, help="Print the endpoints as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Log nothing but warnings.")
@click.option("-v", "--verbose", is_flag=True, help="Log payloads as well, which may hold secrets.")
@choosing
def command(
    spec: Path,
    host: str,
    port: int,
    scripted: Path | None,
    no_push: bool,
    every: float | None,
    seed: int,
    token: str | None,
    is_open: bool,
    insecure: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    choices: Choices,
) -> None:
    """Serve an API from its document alone, until SIGINT or SIGTERM.

    Every endpoint is there. What clients send is judged, and answered with errors, as a generated server does. Requests
    get a valid reply; a new connection is sent an example of each message that is no reply. Any credentials are good.

    Prints the URL of each endpoint on a line of its own when it listens, and logs what goes to and fro on standard error.
    """
    if token is not None and is_open:
        raise click.UsageError("'--token' and '--open' exclude each other.")
    if token == "":
        raise click.UsageError("'--token' is empty; '--open' asks for no credentials.")
    api = read(spec, choices, quiet=True)
    manner = Manner(pushes=not no_push, every=every, seed=seed, token=token, is_open=is_open)
    with _logging(quiet=quiet), imported(generate(api, spec.name)) as package:
        mock = Mock(api, package, manner, Traffic(with_payloads=verbose and not quiet, keeps=False))
        if scripted is not None:
            _play(mock, scripted)
        _serve(mock, host, port, insecure, lambda running: _tell(api, mock, running.url, as_json=as_json))


def _serve(mock: Mock, host: str, port: int, insecure: bool, ready: Callable[[Running], None]) -> None:
    """Serve until a signal comes; ends the program where that cannot be."""
    try:
        mock.server.run(host, port, options=mock.options(behind_tls_proxy=insecure), ready=ready)
    except InsecureTransport:
        raise click.UsageError(
            f"{host!r} can be reached from other machines, in clear text; say '--insecure' if that is meant."
        ) from None
    except OSError as error:
        # The words of asyncio for an address that is taken are longer than those of the system.
        why = os.strerror(error.errno) if error.errno is not None and error.errno > 0 else error.strerror or str(error)
        click.echo(f"cannot listen on {host} port {port}: {why.lower()}", err=True)
        sys.exit(1)


def _play(mock: Mock, path: Path) -> None:
    report = Report()
    read = script.read(path, mock.endpoints, mock.examples, report)
    show(report.sorted())
    if report.failed:
        sys.exit(1)
    mock.play(read)


def _tell(api: ir.Api, mock: Mock, origin: str, *, as_json: bool) -> None:
    """Say where the endpoints are."""
    for endpoint in mock.endpoints:
        url = origin + endpoint.route.path
        if not as_json:
            click.echo(url)
            continue
        line: dict[str, object] = {"channel": endpoint.channel.name, "url": url}
        try:
            address = addresses.example(api, endpoint)
            line |= {"example": origin + address.target, "headers": dict(address.headers)}
        except (NoSample, ValueError):
            line |= {"example": None, "headers": {}}
        click.echo(json.dumps(line))
    sys.stdout.flush()


@contextmanager
def _logging(*, quiet: bool) -> Generator[None]:
    """Log on standard error while the block lasts."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    levels = {"sockspec.mock": logging.WARNING if quiet else logging.INFO, "sockspec.server": logging.WARNING}
    for name, level in levels.items():
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).setLevel(level)
    try:
        yield
    finally:
        for name in levels:
            logging.getLogger(name).removeHandler(handler)
