"""Documents of which there are several versions: files, and files of revisions."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import click

from sockspec import ir
from sockspec.choices import Choices
from sockspec.cli.common import sentence, show
from sockspec.diff import revisions
from sockspec.pipeline import MESSAGES_NOT_READ, examine

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Document:
    """A version of a document: where it is now, and what users call it."""

    path: Path
    name: str

    def text(self, name: str) -> str | None:
        """The text of the document, or of a file that it refers to, by the name that users know; None for others."""
        relative = os.path.relpath(name, Path(self.name).parent)
        if relative.startswith(os.pardir):
            return None
        try:
            return (self.path.parent / relative).read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):
            return None


def document(argument: str, folder: Path) -> Document:
    """What an argument names: a file, or one of a revision, which is written into a folder. Raises UsageError."""
    revision = or_usage(lambda: revisions.named(argument), revisions.NoRevision)
    return Document(Path(argument), argument) if revision is None else fetched(revision, folder)


def fetched(revision: revisions.Revision, folder: Path) -> Document:
    """A file of a revision, with those that it refers to, written into a folder. Raises UsageError."""
    folder.mkdir()
    return Document(or_usage(lambda: revisions.fetch(revision, folder), revisions.NoRevision), revision.name)


def read_version(document: Document, choices: Choices) -> ir.Api:
    """The API of a document; where it has errors there is nothing to compare, which is another matter than a difference."""
    api, found = examine(document.path, name=document.name, choices=choices, wholly=False)
    if any(one.code is MESSAGES_NOT_READ for one in found):
        # The names are those of the other document, which is an OpenAPI document where this one is not.
        api, found = examine(document.path, name=document.name, choices=replace(choices, messages=None), wholly=False)
    if api is None:
        show(found)
        click.echo(f"{document.name} has errors, so the two cannot be compared", err=True)
        sys.exit(2)
    return api


def or_usage(work: Callable[[], T], error: type[Exception]) -> T:
    """What comes of some work, whose errors are wrong usage."""
    try:
        return work()
    except error as why:
        raise click.UsageError(sentence(why)) from None
