"""Where reports go: what `--format` says, what a build server wants, and the writing itself."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from sockspec import output
from sockspec.reports.formats import FORMATS


@dataclass(frozen=True, slots=True)
class Output:
    """A report in one format."""

    format: str
    path: Path | None = None
    """The file; None for standard output."""


class OutputOption(click.ParamType[Output]):
    """What `--format` takes."""

    name = "format"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Output:
        if isinstance(value, Output):
            return value
        name, colon, file = str(value).partition(":")
        if name not in FORMATS:
            import difflib

            near = difflib.get_close_matches(name, FORMATS, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(map(repr, FORMATS))}."
            self.fail(f"there is no format {name!r}{hint}", param, ctx)
        if colon and not file:
            self.fail(f"a file was expected behind {value!r}", param, ctx)
        if file and file != "-" and os.path.isdir(file):
            self.fail(f"{file!r} is a folder", param, ctx)
        return Output(name, Path(file) if file and file != "-" else None)


def agreeing(ctx: click.Context, param: click.Parameter, value: tuple[Output, ...]) -> tuple[Output, ...]:
    """The outputs, where each goes to a place of its own. Raises UsageError."""
    seen: dict[str | None, str] = {}
    for each in value:
        place = os.path.realpath(each.path) if each.path is not None else None
        if place in seen:
            where = "standard output" if each.path is None else repr(str(each.path))
            message = f"{seen[place]!r} and {each.format!r} both go to {where}; write '--format {each.format}:FILE'."
            raise click.BadParameter(message, ctx, param)
        seen[place] = each.format
    return value


def detected(environment: Mapping[str, str]) -> tuple[Output, ...]:
    """What is printed where no format is asked for: text, and what the build server shows beside the lines."""
    if environment.get("GITHUB_ACTIONS") == "true":
        return Output("text"), Output("github")
    return (Output("text"),)


def is_coloured(choice: bool | None, environment: Mapping[str, str]) -> bool:
    """Whether standard output takes colours: what the user said, then what the environment says, then a terminal."""
    if choice is not None:
        return choice
    if environment.get("NO_COLOR"):
        return False
    if "FORCE_COLOR" in environment:
        return environment["FORCE_COLOR"] not in ("", "0", "false")
    return sys.stdout.isatty() and environment.get("TERM") != "dumb"


def documentation() -> str:
    """The URL of the documentation that the installed distribution names; empty where it names none."""
    from importlib import metadata

    try:
        named = metadata.metadata("sockspec").get_all("Project-URL") or ()
    except metadata.PackageNotFoundError:
        return ""
    for link in named:
        label, _, url = str(link).partition(", ")
        if label == "Documentation":
            return url
    return ""


def root(environment: Mapping[str, str]) -> Path:
    """The folder that a build server shows paths from; the current one where there is no server, or it is elsewhere."""
    here = Path.cwd()
    for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        folder = environment.get(name)
        if folder and here.is_relative_to(os.path.realpath(folder)):
            return Path(os.path.realpath(folder))
    return here


def tell(text: str, *, colour: bool = False) -> None:
    """Print on standard output; what its encoding does not have is printed as an escape. Raises OSError.

    Where the reader has gone, as `head` does, nothing is printed and that is no fault.
    """
    encoding = sys.stdout.encoding or "utf-8"
    try:
        click.echo(text.encode(encoding, "backslashreplace").decode(encoding), nl=False, color=colour)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write(path: Path, text: str) -> None:
    """Write a file, and the folders that it is in. What is no file, such as a pipe, is written to. Raises OSError."""
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        return
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target.parent)) from None
    output.write_file(target, text)


def append(path: Path, text: str) -> None:
    """Write at the end of a file. Raises OSError."""
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(text)
