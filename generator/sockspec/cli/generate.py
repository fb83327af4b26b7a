"""`sockspec generate`: a document's package, or all that a project lists."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import click

from sockspec import ir, output
from sockspec.choices import Choices
from sockspec.cli.common import SPEC, choosing, read
from sockspec.cli.project import Job, package_name, project_jobs
from sockspec.pipeline import generate
from sockspec.python import Models
from sockspec.render import BadTemplate


@click.command("generate")
@click.argument("spec", type=SPEC, required=False)
@click.option(
    "-o", "--output", "folder", type=click.Path(path_type=Path, file_okay=False), help="Folder for the package."
)
@click.option("--package", metavar="NAME", help="Name of the package. [default: from the document's file name]")
@choosing
@click.option(
    "--templates",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder whose templates replace ours of the same name.",
)
@click.option(
    "--models-from",
    metavar="PACKAGE",
    help="A generated package, by its name for `import`: classes that are the same are imported from it.",
)
@click.option("--check", is_flag=True, help="Write nothing; print a diff and fail when the package is not current.")
def command(
    spec: Path | None,
    folder: Path | None,
    package: str | None,
    choices: Choices,
    templates: Path | None,
    models_from: str | None,
    check: bool,
) -> None:
    """Write the Python package of SPEC into the folder that -o names.

    The package is a folder of its own below it: `sockspec generate chat.yaml -o generated` writes `generated/chat/`.

    Without SPEC, generates every document that [tool.sockspec] in pyproject.toml lists:

    \b
        [[tool.sockspec.package]]
        spec = "specs/chat.yaml"
        output = "generated"
        package = "chat"

    Nothing is written when anything is wrong.
    """
    if spec is None:
        if folder is not None or package is not None:
            raise click.UsageError("-o and --package go with SPEC; without it pyproject.toml says what to generate.")
        jobs = project_jobs(Path("pyproject.toml"))
    elif folder is None:
        raise click.UsageError("say with -o into which folder the package goes.")
    else:
        jobs = [Job(spec, folder, package, choices, templates, models_from)]
    packages = _generate(jobs)
    stale = [difference for folder, files in packages if (difference := output.difference(files, folder))]
    if check:
        click.echo("".join(stale), nl=False)
        sys.exit(1 if stale else 0)
    for target, files in packages:
        try:
            output.write(files, target)
        except OSError as error:
            raise click.ClickException(f"{error.filename or target}: {error.strerror or error}") from None
        click.echo(f"{target}: {len(files)} files", err=True)


def _generate(jobs: list[Job]) -> list[tuple[Path, Mapping[str, str]]]:
    """All packages, in memory; ends the program before anything is written when one of them cannot be made."""
    packages: dict[Path, Mapping[str, str]] = {}
    visible = len(jobs) > 1 and sys.stderr.isatty()
    with click.progressbar(jobs, label="generating", file=sys.stderr, hidden=not visible) as bar:
        for job in bar:
            api = read(job.spec, job.choices)
            target = job.output / (job.package or package_name(job.spec, api.title))
            if target in packages:
                raise click.UsageError(f"two documents make the same package, {target}; name one of them otherwise.")
            packages[target] = _files(api, job, target, _models(job, packages))
    return list(packages.items())


def _models(job: Job, made: Mapping[Path, Mapping[str, str]]) -> Models | None:
    """The messages of the package that the job names: made a moment ago, beside the output, or installed."""
    if job.models_from is None:
        return None
    beside = job.output.joinpath(*job.models_from.split("."))
    if beside in made:
        return Models(job.models_from, made[beside]["messages.py"])
    try:
        found = find_spec(job.models_from) if not beside.is_dir() else None
        folders = [beside, *map(Path, found.submodule_search_locations or () if found is not None else ())]
        module = next(path for folder in folders if (path := folder / "messages.py").is_file())
        code = module.read_text(encoding="utf-8")
        compile(code, str(module), "exec", dont_inherit=True)
    except (StopIteration, ImportError, ValueError, OSError, SyntaxError):
        raise click.UsageError(f"there is no generated package {job.models_from!r} to take classes from.") from None
    return Models(job.models_from, code)


def _files(api: ir.Api, job: Job, target: Path, models: Models | None) -> Mapping[str, str]:
    """The files of a package. Every module is compiled before anything is written."""
    try:
        files = generate(api, job.spec.name, templates=job.templates, models=models)
        for path, text in files.items():
            if path.endswith(".py"):
                compile(text, str(target / path), "exec", dont_inherit=True)
    except BadTemplate as error:
        raise click.ClickException(str(error)) from None
    except SyntaxError as error:
        line = (error.text or "").strip()
        maker = "the templates make" if job.templates is not None else "sockspec (this is a fault of its own) makes"
        raise click.ClickException(f"what {maker} of {target} is not Python: {error.msg}: {line}") from None
    except RecursionError:
        raise click.ClickException(f"{target}: an expression is too long for Python, perhaps a union") from None
    return files
