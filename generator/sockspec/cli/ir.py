"""`sockspec ir`: the API of a document as JSON."""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Mapping
from pathlib import Path

import click

from sockspec.choices import Choices
from sockspec.cli.common import SPEC, choosing, read
from sockspec.diagnostics import Location


@click.command("ir")
@click.argument("spec", type=SPEC)
@choosing
def command(spec: Path, choices: Choices) -> None:
    """Print the API that SPEC describes, as the generator understands it, as JSON.

    Each value says what kind it is in "is", and where it stands in the document in "location".
    """
    click.echo(json.dumps(plain(read(spec, choices, quiet=True)), indent=2))


def plain(value: object) -> object:
    """The value as JSON has it; what is empty is left out."""
    if isinstance(value, Location):
        return str(value)
    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        members = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.repr}
        kept = {name: plain(member) for name, member in members.items() if member not in ("", (), None, False)}
        return {"is": type(value).__name__, **kept}
    if isinstance(value, Mapping):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    return value
