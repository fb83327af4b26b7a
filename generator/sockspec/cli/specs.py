"""The documents that a command is called with: files, patterns of file names, and standard input."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from sockspec.reports.run import Source
from sockspec.spec.source import NO_TEXTS

_WILD = frozenset("*?[")
_STDIN = "-"
_STDIN_NAME = "sockspec.stdin-filename"
_BEGINNING = re.compile(rb"(?:asyncapi|openapi|swagger)[\"']?\s*:")
_FEW = 5


@dataclass(frozen=True, slots=True)
class Spec:
    """A document that a command is called with."""

    path: Path
    """What its references start from."""
    name: str
    """What users call it; what is said of it bears this name."""
    content: bytes | None = field(default=None, repr=False)
    """What was read from standard input; None where the file is to be read."""

    @property
    def texts(self) -> Mapping[Path, bytes]:
        """What stands in the place of files."""
        return NO_TEXTS if self.content is None else {self.path.resolve(): self.content}


def documents(*, required: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The argument SPEC..., which the command gets as `specs`: a tuple of Spec, sorted by name, each file once.

    Patterns are expanded here, for shells that do not, and for those that know no `**`; of what they match, files that
    describe no API are left out, as documents consist of such. `-` is standard input, and
    `--stdin-filename` says what it stands for. What cannot be read, and a pattern that no file matches, is wrong usage.
    """

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        argument = click.argument("specs", nargs=-1, required=required, metavar="SPEC...", callback=_specs)
        option = click.option(
            "--stdin-filename",
            metavar="FILE",
            expose_value=False,
            is_eager=True,
            callback=_note_stdin,
            help="The file that the text on standard input, which SPEC '-' reads, is of: its name and its folder.",
        )
        return argument(option(command))

    return decorated


def sources(specs: tuple[Spec, ...]) -> Source:
    """The texts of files by name: those of the documents, and of the files that they refer to."""
    known = {spec.name: spec for spec in specs}

    def text(name: str) -> str | None:
        spec = known.get(name)
        try:
            content = spec.content if spec is not None else None
            content = content if content is not None else (spec.path if spec is not None else Path(name)).read_bytes()
        except (OSError, ValueError):
            return None
        return content.decode("utf-8-sig", "replace")

    return text


def _note_stdin(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    ctx.meta[_STDIN_NAME] = value


def _specs(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[Spec, ...]:
    found: dict[str, Spec] = {}
    names = {each for given in value if given != _STDIN for each in _expanded(given)}
    for name in sorted(names):
        found.setdefault(os.path.realpath(name), Spec(Path(name), name))
    if _STDIN in value:
        stands_for: str | None = ctx.meta[_STDIN_NAME]
        content = sys.stdin.buffer.read()
        spec = Spec(Path(stands_for or "stdin"), stands_for or "<stdin>", content)
        # What an editor has not saved yet stands in for the file.
        found[os.path.realpath(spec.path)] = spec
    return tuple(sorted(found.values(), key=lambda spec: spec.name))


def _expanded(given: str) -> Iterator[str]:
    """The files that an argument means."""
    if os.path.exists(given) or not _WILD & set(given):
        yield _readable(given)
        return
    matches = sorted(match for match in glob.iglob(given, recursive=True) if os.path.isfile(match))
    if not matches:
        raise click.UsageError(f"no file matches {given!r}.")
    others = [match for match in matches if not _describes_an_api(_readable(match))]
    if len(others) == len(matches):
        raise click.UsageError(f"no file that matches {given!r} describes an API.")
    if others:
        shown = ", ".join(map(repr, others[:_FEW])) + (f" and {len(others) - _FEW} more" if len(others) > _FEW else "")
        click.echo(f"left out, since they describe no API but may be parts of one: {shown}", err=True)
    yield from (match for match in matches if match not in others)


def _describes_an_api(name: str) -> bool:
    """Whether a file has, anywhere, the word that a document begins with. Of one in another encoding nobody knows."""
    content = Path(name).read_bytes()
    return b"\0" in content or _BEGINNING.search(content) is not None


def _readable(name: str) -> str:
    try:
        if os.path.exists(name) and not os.path.isfile(name):
            raise click.UsageError(f"{name!r} is not a file.")
        with open(name, "rb"):
            return name
    except (OSError, ValueError) as error:
        why = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
        raise click.UsageError(f"{name!r} cannot be read: {why}.") from None
