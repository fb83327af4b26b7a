"""What the commands that make packages share: which ones, by options or by a project, and their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from importlib.util import find_spec
from pathlib import Path

import click

from sockspec import ir
from sockspec.choices import Choices
from sockspec.cli.common import SPEC, choosing
from sockspec.cli.project import Job, project_jobs
from sockspec.pipeline import generate
from sockspec.python import Models
from sockspec.python.naming import package_name
from sockspec.render import BadTemplate

PROJECT = Path("pyproject.toml")
"""What says which packages there are where no document is named."""

Packages = dict[Path, Mapping[str, str]]
"""The files of packages by their paths below the folder of the package, which is the key."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Which packages are to be made."""

    jobs: Callable[[], list[Job]]
    """The packages, as the project lists them now. Raises UsageError."""
    project: Path | None
    """What lists them; None where the options say it."""


_OPTIONS = (
    click.argument("spec", type=SPEC, required=False),
    click.option(
        "-o", "--output", "folder", type=click.Path(path_type=Path, file_okay=False), help="Folder for the package."
    ),
    click.option("--package", metavar="NAME", help="Name of the package. [default: from the document's file name]"),
    choosing,
    click.option(
        "--templates",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="Folder whose templates replace ours of the same name.",
    ),
    click.option(
        "--models-from",
        metavar="PACKAGE",
        help="A generated package, by its name for `import`: classes that are the same are imported from it.",
    ),
)


def listing(command: Callable[..., None]) -> Callable[..., None]:
    """The argument and the options that say which packages to make; the command gets them together, as `wanted`."""

    @wraps(command)
    def call(
        *arguments: object,
        spec: Path | None,
        folder: Path | None,
        package: str | None,
        choices: Choices,
        templates: Path | None,
        models_from: str | None,
        **others: object,
    ) -> None:
        def jobs() -> list[Job]:
            if spec is None:
                if folder is not None or package is not None:
                    raise click.UsageError(
                        "-o and --package go with SPEC; without it pyproject.toml says what to generate."
                    )
                return project_jobs(PROJECT)
            if folder is None:
                raise click.UsageError("say with -o into which folder the package goes.")
            return [Job(spec, folder, package, choices, templates, models_from)]

        command(*arguments, wanted=Listing(jobs, PROJECT if spec is None else None), **others)

    wrapped: Callable[..., None] = call
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def add(packages: Packages, job: Job, api: ir.Api) -> None:
    """Make the package of a job, beside those that were made before it. Raises ClickException."""
    target = job.output / (job.package or package_name(job.spec.name, api.title))
    if target in packages:
        raise click.UsageError(f"two documents make the same package, {target}; name one of them otherwise.")
    packages[target] = _files(api, job, target, _models(job, packages))


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
        files = generate(api, job.spec.name, package=target.name, templates=job.templates, models=models)
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
