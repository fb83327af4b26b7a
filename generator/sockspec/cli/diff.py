"""`sockspec diff`: what changed between two versions of an API, and whom it breaks."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import click

from sockspec.choices import Choices, Named
from sockspec.cli.common import ALTERNATIVES, Messages, choosing
from sockspec.cli.documents import Document, document, fetched, or_usage, read_version
from sockspec.cli.reporting import Reporting, reporting
from sockspec.diagnostics import Diagnostic, Severity
from sockspec.diff import Category, Change, compare, ignoring, rated, revisions, settings
from sockspec.diff.versions import Advice
from sockspec.reports import Run

_LEVELS = {"breaking": Severity.ERROR, "risky": Severity.WARNING, "all": Severity.INFO}
_WORST_FIRST = list(Severity)


@click.command("diff")
@click.argument("old")
@click.argument("new", required=False)
@choosing
@click.option(
    "--old-perspective", type=click.Choice(ALTERNATIVES["perspective"]), help="Like --perspective, for OLD alone."
)
@click.option("--old-messages", type=Messages(), metavar="...", help="Like --messages, for OLD alone.")
@click.option("--old-channels", type=click.Choice(ALTERNATIVES["channels"]), help="Like --channels, for OLD alone.")
@click.option(
    "--level",
    type=click.Choice(list(_LEVELS)),
    default="risky",
    show_default=True,
    help="What is shown: what breaks clients, also what may, or also what they do not notice.",
)
@click.option(
    "--category",
    "categories",
    type=click.Choice([category.value for category in Category]),
    multiple=True,
    help="Only changes of this category; may be given several times. [default: all]",
)
@click.option(
    "--ignore",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A list of changes that are accepted: lines of 'rule place  # reason'. [default: what pyproject.toml names]",
)
@click.option("--explain", is_flag=True, help="Say of each change why it matters, what to do instead, and its place.")
@reporting
def command(
    old: str,
    new: str | None,
    choices: Choices,
    old_perspective: str | None,
    old_messages: Named | None,
    old_channels: str | None,
    level: str,
    categories: tuple[str, ...],
    ignore: Path | None,
    explain: bool,
    reporting: Reporting,
) -> None:
    """Find what changed from OLD to NEW, and what of it breaks clients that were made from OLD.

    OLD and NEW are documents of any specification, each a file or REV:path, which is read from git, such as
    main:specs/chat.yaml. With one argument, the file is compared with its last committed version.

    Exits with 0 when nothing breaks, 1 when something does (see --fail-on), 2 when the two cannot be compared.
    """
    given = Choices(
        old_perspective or choices.perspective, old_messages or choices.messages, old_channels or choices.channels
    )
    project = or_usage(lambda: settings.read(Path("pyproject.toml")), settings.InvalidSettings)
    ignores = _ignores(ignore or project.ignore)
    with _documents(old, new) as (before, after):
        one, other = read_version(before, given), read_version(after, choices)
        changes, advice = rated(one, other, project.take(compare(one, other)))
        kept, unused = ignoring.apply(project.take(changes), ignores)
        chosen = [change for change in kept if not categories or change.rule.category in categories]
        shown = _shown(chosen, _LEVELS[level], reporting.threshold)
        findings = [_explained(change) if explain else change.finding for change in shown]
        notes = _notes(len(changes) - len(kept), len(chosen) - len(shown), advice)
        files, text = (before.name, after.name), cache(lambda name: after.text(name) or before.text(name))
        extra = _extra(shown, advice)
        reporting.report(Run("diff", files, (*findings, *unused), text, notes=tuple(notes), extra=extra))


def _shown(changes: list[Change], level: Severity, threshold: Severity | None) -> list[Change]:
    """The changes of a level and those above it; what makes the command fail is shown, too."""
    least = max(map(_WORST_FIRST.index, filter(None, (level, threshold))))
    return [change for change in changes if _WORST_FIRST.index(change.rule.severity) <= least]


@contextmanager
def _documents(old: str, new: str | None) -> Generator[tuple[Document, Document]]:
    """The two documents, as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="sockspec-") as folder:
        if new is None:
            revision = or_usage(lambda: revisions.named(old), revisions.NoRevision)
            if revision is not None:
                raise click.UsageError(
                    "with one argument, name a file: it is compared with its last committed version."
                )
            after = Document(Path(old), old)
            committed = or_usage(lambda: revisions.committed(Path(old)), revisions.NoRevision)
            yield fetched(committed, Path(folder, "old")), after
        else:
            yield document(old, Path(folder, "old")), document(new, Path(folder, "new"))


def _ignores(path: Path | None) -> tuple[ignoring.Ignore, ...]:
    if path is None:
        return ()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        why = (error.strerror or str(error)).lower() if isinstance(error, OSError) else "it is not UTF-8"
        raise click.UsageError(f"the ignore list {str(path)!r} cannot be read: {why}.") from None
    return or_usage(lambda: ignoring.read(text, path.as_posix()), ignoring.InvalidIgnores)


def _explained(change: Change) -> Diagnostic:
    """The finding with all that its rule says."""
    rule = change.rule
    said = [change.finding.hint, rule.why, rule.instead, f"In an ignore list: {rule.id} {change.written_place}  # why"]
    return replace(change.finding, hint=" ".join(text for text in said if text))


def _notes(ignored: int, hidden: int, advice: Advice) -> Iterable[str]:
    if ignored:
        yield f"{ignored} change{'s are' if ignored != 1 else ' is'} ignored"
    if hidden:
        yield f"{hidden} change{'s are' if hidden != 1 else ' is'} not shown (--level all shows everything)"
    yield advice.note


def _extra(shown: Iterable[Change], advice: Advice) -> dict[str, object]:
    changes = [
        {"rule": change.rule.id, "category": change.rule.category.value, "place": change.written_place}
        for change in shown
    ]
    version = {"step": advice.step.name.lower(), "suggested": advice.suggested, "satisfied": advice.satisfied}
    return {"changes": changes, "version": version}
