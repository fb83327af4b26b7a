"""What a project's `pyproject.toml` says to generate."""

from __future__ import annotations

import keyword
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import click

from sockspec.choices import Choices, messages_named
from sockspec.cli.common import ALTERNATIVES

_KEYS = {"spec", "output", "package", "perspective", "templates", "messages", "channels", "models-from"}


@dataclass(frozen=True, slots=True)
class Job:
    """One package to generate."""

    spec: Path
    output: Path
    package: str | None = None
    choices: Choices = field(default_factory=Choices)
    templates: Path | None = None
    models_from: str | None = None
    """The name of a package whose classes are used where they are the same."""

    def __post_init__(self) -> None:
        if self.package is not None and not (self.package.isidentifier() and not keyword.iskeyword(self.package)):
            raise click.UsageError(f"the package name {self.package!r} is not an identifier of Python.")


def project_jobs(path: Path) -> list[Job]:
    """The packages that `[[tool.sockspec.package]]` lists; paths are relative to the file. Raises UsageError."""
    try:
        with path.open("rb") as file:
            settings = tomllib.load(file)
    except FileNotFoundError:
        raise click.UsageError("give SPEC, or call from a folder whose pyproject.toml has [tool.sockspec].") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{path} is not TOML: {error}") from None
    listed: object = settings
    for key in ("tool", "sockspec", "package"):
        listed = listed.get(key) if isinstance(listed, dict) else None
    if not isinstance(listed, list) or not listed:
        raise click.UsageError(f"{path} lists no documents: it has no [[tool.sockspec.package]].")
    return [_job(entry, path.parent) for entry in listed]


def _job(entry: object, base: Path) -> Job:
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise click.UsageError("each [[tool.sockspec.package]] is a table of texts.")
    unknown = sorted(set(entry) - _KEYS)
    if unknown:
        raise click.UsageError(
            f"[[tool.sockspec.package]] has the unknown key {unknown[0]!r}; known: {', '.join(sorted(_KEYS))}."
        )
    if "spec" not in entry or "output" not in entry:
        raise click.UsageError("each [[tool.sockspec.package]] names its 'spec' and its 'output'.")
    templates = base / entry["templates"] if "templates" in entry else None
    if templates is not None and not templates.is_dir():
        raise click.UsageError(f"there is no folder {str(templates)!r}, which 'templates' names.")
    return Job(
        base / entry["spec"],
        base / entry["output"],
        entry.get("package"),
        _choices(entry),
        templates,
        entry.get("models-from"),
    )


def _choices(entry: dict[str, str]) -> Choices:
    for key, values in ALTERNATIVES.items():
        if key in entry and entry[key] not in values:
            either = " or ".join(map(repr, values))
            raise click.UsageError(f"{key!r} of [[tool.sockspec.package]] is {either}, not {entry[key]!r}.")
    try:
        messages = messages_named(entry["messages"]) if "messages" in entry else None
    except ValueError as error:
        raise click.UsageError(f"'messages' of [[tool.sockspec.package]]: {error}.") from None
    return Choices(entry.get("perspective"), messages, entry.get("channels"))
