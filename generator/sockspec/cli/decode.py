"""`sockspec decode`: payloads judged by the package that a document makes."""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import click

from sockspec import ir, output
from sockspec.choices import Choices
from sockspec.cli.common import SPEC, choosing, read
from sockspec.pipeline import generate
from sockspec.python import codec_name
from sockspec.runtime import Codec, PayloadError, Problem
from sockspec.runtime.problems import MALFORMED_MESSAGE

_PACKAGE = "_sockspec_decoded"


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
    chosen = _channel(api, channel)
    direction = ir.Direction.CLIENT_TO_SERVER if sender == "client" else ir.Direction.SERVER_TO_CLIENT
    with _codecs(generate(api, spec.name)) as codecs:
        codec: Codec[Any] = getattr(codecs, codec_name(api, chosen, direction))
        valid = [_judge(codec, line.rstrip(b"\r\n")) for line in file if line.strip()]
    sys.exit(0 if all(valid) else 1)


@contextmanager
def _codecs(files: Mapping[str, str]) -> Generator[ModuleType]:
    """The codecs of a package that exists only within the block, and of which nothing stays behind."""
    with tempfile.TemporaryDirectory() as folder:
        output.write(files, Path(folder) / _PACKAGE)
        sys.path.insert(0, folder)
        try:
            yield _without_bytecode(f"{_PACKAGE}.codecs")
        finally:
            sys.path.remove(folder)
            for name in [name for name in sys.modules if name.partition(".")[0] == _PACKAGE]:
                del sys.modules[name]
            for path in [path for path in sys.path_importer_cache if path.startswith(folder)]:
                del sys.path_importer_cache[path]


def _without_bytecode(name: str) -> ModuleType:
    """The module, imported without the file of bytecode that PYTHONPYCACHEPREFIX would put elsewhere."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        return importlib.import_module(name)
    finally:
        sys.dont_write_bytecode = before


def _channel(api: ir.Api, name: str | None) -> ir.Channel:
    names = [channel.name for channel in api.channels]
    if name is None and len(names) != 1:
        raise click.UsageError(
            f"say with --channel which of the channels is meant: {', '.join(names) or 'there is none'}."
        )
    for channel in api.channels:
        if name is None or name in (channel.name, channel.address):
            return channel
    raise click.UsageError(f"there is no channel {name!r}; there are: {', '.join(names)}.")


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
