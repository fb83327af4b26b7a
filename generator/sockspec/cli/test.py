"""`sockspec test`: a live server held to its document."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from sockspec import ir
from sockspec.choices import Choices
from sockspec.cli.common import SPEC, choosing, read
from sockspec.contract import RULES, NoConnection, Outcome, Plan, Result, Settings, check, prepare, reports
from sockspec.live import imported
from sockspec.pipeline import modules

_RULE = click.Choice(list(RULES))


class _Pair(click.ParamType[tuple[str, str]]):
    """A name and a value with a sign between them."""

    def __init__(self, sign: str) -> None:
        self.name = f"name{sign}value"
        self._sign = sign

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        name, sign, rest = str(value).partition(self._sign)
        if not sign or not name.strip():
            # Not quoted: what was written may be a secret.
            self.fail(f"expected a name, {self._sign!r} and a value", param, ctx)
        return name.strip(), rest.strip() if self._sign == ":" else rest


def _list_rules(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        for rule in RULES.values():
            click.echo(f"{rule.id}: {rule.checks}")
        ctx.exit()


@click.command("test")
@click.argument("spec", type=SPEC)
@click.option("--url", required=True, metavar="URL", help="Where the server is; addresses of channels are added.")
@click.option("--channel", default="", metavar="NAME", help="The only channel to test.")
@click.option(
    "--token", default="", metavar="TOKEN", envvar="SOCKSPEC_TOKEN", help="Credentials. [env: SOCKSPEC_TOKEN]"
)
@click.option("--header", type=_Pair(":"), multiple=True, metavar="NAME:VALUE", help="A header of each handshake.")
@click.option(
    "--param", type=_Pair("="), multiple=True, metavar="NAME=VALUE", help="A path, query or header parameter."
)
@click.option("--variable", type=_Pair("="), multiple=True, metavar="NAME=VALUE", help="A {variable} in the URL.")
@click.option("--subprotocol", multiple=True, metavar="NAME", help="What is offered. [default: what the document has]")
@click.option("--first", multiple=True, metavar="MESSAGE", help="A message that is sent first on each connection.")
@click.option("--seed", type=int, help="Makes the same samples again. [default: a new one, which is printed]")
@click.option("--samples", type=click.IntRange(1, 1000), default=3, show_default=True, help="Valid payloads a message.")
@click.option(
    "--broken", type=click.IntRange(0, 1000), default=25, show_default=True, help="Most invalid ones a message."
)
@click.option("--timeout", type=click.FloatRange(0.01, 600), default=5.0, show_default=True, help="Seconds to wait.")
@click.option(
    "--rate", type=click.FloatRange(0), default=10.0, show_default=True, help="Messages a second; 0: no limit."
)
@click.option("--only", type=_RULE, multiple=True, metavar="RULE", help="Try only this rule.")
@click.option("--skip", type=_RULE, multiple=True, metavar="RULE", help="Leave this rule out.")
@click.option("--format", "form", type=click.Choice(list(reports.FORMATS)), default="text", show_default=True)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Where the report goes."
)
@click.option(
    "--list-rules", is_flag=True, is_eager=True, expose_value=False, callback=_list_rules, help="Print the rules."
)
@choosing
def command(spec: Path, choices: Choices, form: str, output: Path | None, **given: Any) -> None:
    """Test a live server: whether it does what its document says.

    It is spoken to as a client would: with messages made from the schemas, valid ones and such as break one keyword.
    Do not point it at a server whose data matters.

    Exits with 0 when no rule failed, 1 when one did, 2 for wrong usage or without a connection.
    """
    settings = _settings(given)
    api = read(spec, choices, quiet=True)
    if not api.channels:
        click.echo("the document has no channels: there is nothing to test", err=True)
    try:
        results = _run(api, spec.name, settings)
    except NoConnection as none:
        click.echo(f"error: {none}", err=True)
        sys.exit(2)
    report = reports.FORMATS[form](results, settings)
    if output is not None:
        try:
            output.write_text(report, encoding="utf-8")
        except OSError as error:
            raise click.UsageError(f"cannot write {str(output)!r}: {error.strerror}.") from None
        click.echo(reports.text(results, settings).splitlines()[-1])
    elif form == "text":
        click.echo(reports.text(results, settings, colour=sys.stdout.isatty()), nl=False)
    else:
        click.echo(report, nl=False)
    sys.exit(1 if any(result.outcome is Outcome.FAILED for result in results) else 0)


def _settings(given: Mapping[str, Any]) -> Settings:
    rules = set(given["only"] or RULES) - set(given["skip"])
    if not rules:
        raise click.UsageError("no rule is left to try.")
    return Settings(
        url=given["url"],
        token=given["token"],
        headers=dict(given["header"]),
        parameters=dict(given["param"]),
        variables=dict(given["variable"]),
        subprotocols=given["subprotocol"],
        channel=given["channel"],
        first=given["first"],
        seed=secrets.randbelow(1_000_000) if given["seed"] is None else given["seed"],
        samples=given["samples"],
        broken=given["broken"],
        timeout=given["timeout"],
        rate=given["rate"],
        rules=frozenset(rules),
    )


def _run(api: ir.Api, source: str, settings: Settings) -> list[Result]:
    with imported(modules(api, source)) as package:
        planned = prepare(api, package, settings)
        return asyncio.run(_watched(api, planned, settings))


async def _watched(api: ir.Api, planned: list[Plan], settings: Settings) -> list[Result]:
    """The results, with a bar on standard error where somebody watches."""
    results: list[Result] = []
    length = sum(plan.size for plan in planned)
    with click.progressbar(length=length, label="testing", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        async for result in check(api, planned, settings):
            results.append(result)
            bar.update(1)
    return results
