"""`sockspec docs`: the documentation of an API from its document."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from sockspec import docs, ir, output
from sockspec.choices import Choices
from sockspec.cli.common import choosing, show
from sockspec.cli.documents import document, or_usage, read_version
from sockspec.cli.specs import Spec, documents
from sockspec.diagnostics import Severity
from sockspec.diff import compare, settings
from sockspec.docs.changes import EFFECTS
from sockspec.pipeline import documentation, examine
from sockspec.python.naming import package_name
from sockspec.render import BadTemplate

_SWEPT = ("schemas",)
"""Where stale files of ours are looked for: the folder itself may be one of a site, with pages of other APIs."""
_EFFECTS = dict(zip((Severity.ERROR, Severity.WARNING, Severity.INFO), EFFECTS, strict=True))


class Formats(click.ParamType[tuple[str, ...]]):
    """What `--format` takes: names with commas between them."""

    name = "formats"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        names = [name.strip() for name in str(value).split(",")]
        for name in names:
            if name not in docs.FORMATS:
                self.fail(f"there is no format {name!r}; there are {', '.join(map(repr, docs.FORMATS))}.", param, ctx)
        return tuple(name for name in docs.FORMATS if name in names)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be made of each document."""

    folder: Path
    choices: Choices
    formats: tuple[str, ...]
    package: str
    templates: Path | None
    old: str | None


Made = dict[Path, Mapping[str, str]]
"""Files by their paths below the folder of one API, which is the key."""


@click.command("docs")
@documents()
@click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the files; with several documents, for a folder of each.",
)
@choosing
@click.option(
    "--format",
    "formats",
    type=Formats(),
    default=tuple(docs.FORMATS),
    metavar=",".join(docs.FORMATS),
    help="What is written. [default: all]",
)
@click.option(
    "--old",
    metavar="OLD",
    help="An earlier version of the document, a file or REV:path as `sockspec diff` takes it: the pages say what changed.",
)
@click.option(
    "--package",
    default="",
    metavar="NAME",
    help="The generated package that samples of code import. [default: what `sockspec generate` calls it]",
)
@click.option(
    "--templates",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder whose templates replace ours of the same name.",
)
@click.option("--check", is_flag=True, help="Write nothing; print a diff and fail when the files are not current.")
@click.option("--open", "is_opened", is_flag=True, help="Open the page in the browser.")
def command(
    specs: tuple[Spec, ...],
    folder: Path,
    choices: Choices,
    formats: tuple[str, ...],
    old: str | None,
    package: str,
    templates: Path | None,
    check: bool,
    is_opened: bool,
) -> None:
    """Write the documentation of the API that SPEC describes into the folder that -o names.

    \b
        index.html       one page with search and a console; it needs nothing from the network
        index.md         the same as Markdown, for MkDocs, Sphinx with MyST, and repositories
        llms.txt         an index for language models, and llms-full.txt with all that a client needs
        schemas/*.json   a JSON Schema for each message

    SPEC is a file, a pattern such as 'specs/*.yaml', or '-' for standard input. With several documents, each has a folder
    of its own below DIRECTORY. Nothing is written when anything is wrong, and nothing over files that are not ours.
    """
    if len(specs) > 1 and (old is not None or package):
        raise click.UsageError("--old and --package go with one document.")
    if is_opened and "html" not in formats:
        raise click.UsageError("--open needs the format 'html'.")
    made = _made(specs, _Wanted(folder, choices, formats, package, templates, old))
    if check:
        stale = [output.difference(files, target, swept=_SWEPT) for target, files in made.items()]
        click.echo("".join(stale), nl=False)
        sys.exit(1 if any(stale) else 0)
    foreign = [path for target, files in made.items() for path in output.foreign(files, target)]
    if foreign:
        raise click.ClickException(f"nothing is written, since {foreign[0]} is there and was not written by sockspec.")
    for target, files in made.items():
        try:
            output.write(files, target, swept=_SWEPT)
        except OSError as error:
            raise click.ClickException(f"{error.filename or target}: {error.strerror or error}") from None
        _tell(target, files, in_full=len(made) == 1)
    if is_opened:
        click.launch(str(next(iter(made)) / "index.html"))


def _made(specs: tuple[Spec, ...], wanted: _Wanted) -> Made:
    """All files, in memory; ends the program before anything is written when one document is wrong."""
    made: Made = {}
    failed = False
    visible = len(specs) > 1 and sys.stderr.isatty()
    with click.progressbar(specs, label="documenting", file=sys.stderr, hidden=not visible) as bar:
        for spec in bar:
            api, found = examine(spec.path, name=spec.name, choices=wanted.choices, wholly=False, texts=spec.texts)
            show(found, quiet=len(specs) > 1)
            if api is None:
                failed = True
                continue
            target = wanted.folder / package_name(spec.path.name, api.title) if len(specs) > 1 else wanted.folder
            if target in made:
                raise click.UsageError(f"two documents would have the folder {str(target)!r}; write them one by one.")
            made[target] = _files(spec, api, wanted)
    if failed:
        sys.exit(1)
    return made


def _files(spec: Spec, api: ir.Api, wanted: _Wanted) -> Mapping[str, str]:
    changes = _changes(wanted.old, api, wanted.choices) if wanted.old is not None else None
    origin = docs.Origin(spec.path.name, wanted.package, changes)
    try:
        return documentation(api, origin, formats=wanted.formats, templates=wanted.templates)
    except BadTemplate as error:
        raise click.ClickException(str(error)) from None


def _changes(old: str, api: ir.Api, choices: Choices) -> docs.Changes:
    """What changed since an earlier version, as much as the project's settings of `sockspec diff` make of it."""
    project = or_usage(lambda: settings.read(Path("pyproject.toml")), settings.InvalidSettings)
    with tempfile.TemporaryDirectory(prefix="sockspec-") as folder:
        version = document(old, Path(folder, "old"))
        before = read_version(version, choices)
        found = project.take(compare(before, api))
    since = before.version if before.version != api.version else f"{before.version} ({version.name})"
    changes = (docs.Change(_EFFECTS[one.rule.severity], one.finding.message, one.place) for one in found)
    return docs.Changes(since, tuple(changes))


def _tell(target: Path, files: Mapping[str, str], *, in_full: bool) -> None:
    """Print what was written, and its size."""
    sizes = {path: len(text.encode()) for path, text in files.items()}
    if not in_full:
        click.echo(f"{target}: {len(files)} files, {_size(sum(sizes.values()))}", err=True)
        return
    schemas = {path: size for path, size in sizes.items() if "/" in path}
    lines = {target / path: _size(size) for path, size in sizes.items() if path not in schemas}
    if schemas:
        lines[target / "schemas"] = f"{_size(sum(schemas.values()))} in {len(schemas)} files"
    for path, said in lines.items():
        click.echo(f"{path}: {said}", err=True)


def _size(size: int) -> str:
    return f"{size / 1000:.1f} kB"
