"""`sockspec decode`: payloads judged by the package that a document makes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, BinaryIO

import click

from sockspec import ir
from sockspec.choices import Choices
from sockspec.cli.common import SPEC, channel_of, choosing, read
from sockspec.live import imported
from sockspec.pipeline import modules
from sockspec.python import codec_name
from sockspec.runtime import Codec, PayloadError, Problem
from sockspec.runtime.problems import MALFORMED_MESSAGE


@click.command("decode")
@click.argument("spec", type=SPEC)
@click.argument("file", type=click.File("rb"), default="-")
@click.option(
    "--from", "sender", type=click.Choice(["client", "server"]), default="client", show_default=True, help="Who sends."
)
@click.option("--channel", metavar="NAME", help="The channel, where the document has several.")
@choosing
def command(spec: Path, file: BinaryIO, sender: str, channel: str | None, choices: Choices) -> None:
    """Judge the payloads in FILE (default: standard input), one JSON text on each line.

    For each, in order, prints one line of JSON: {"valid": true, "message": ..., "lane": ...} or
    {"valid": false, "problem": {...}} with JSON Pointers to what is wrong. Fails when one of them is not valid.

    The lane says who gave the verdict: "typed" (the typed decoder alone), "checked" (the validator, after decoding), or
    "judge" (the validator, which took what the typed decoder refused).
    """
    api = read(spec, choices, quiet=True)
    chosen = channel_of(api, channel)
    direction = ir.Direction.CLIENT_TO_SERVER if sender == "client" else ir.Direction.SERVER_TO_CLIENT
    with imported(modules(api, spec.name)) as package:
        codec: Codec[Any] = getattr(package.codecs, codec_name(api, chosen, direction))
        valid = [_judge(codec, line.rstrip(b"\r\n")) for line in file if line.strip()]
    sys.exit(0 if all(valid) else 1)


def _judge(codec: Codec[Any], line: bytes) -> bool:
    try:
        verdict = codec.examine(_text(line))
    except PayloadError as error:
        click.echo(json.dumps({"valid": False, "problem": _plain(error.problem)}))
        return False
    click.echo(json.dumps({"valid": True, "message": type(verdict.message).__name__, "lane": verdict.lane}))
    return True


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise PayloadError(Problem.of(MALFORMED_MESSAGE, f"not UTF-8 at byte {error.start}")) from None


def _plain(problem: Problem) -> dict[str, object]:
    errors = [{"pointer": f.pointer, "keyword": f.keyword, "message": f.message} for f in problem.errors]
    return {"type": problem.type, "message": problem.message, "errors": errors}
