"""`sockspec lint`: documents held to rules, as a project wants it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import click

from sockspec.choices import Choices
from sockspec.cli.common import choosing, sentence
from sockspec.cli.reporting import Reporting, reporting, watched
from sockspec.cli.specs import Spec, documents, sources
from sockspec.diagnostics import Diagnostic
from sockspec.lint import baseline, config, fixing, listing
from sockspec.lint.baseline import Baseline
from sockspec.lint.known import Known, known
from sockspec.lint.linter import Linted, Linter, lint
from sockspec.lint.policy import Policy
from sockspec.lint.settings import PRESETS, Settings
from sockspec.lint.wrong import WrongUsage
from sockspec.output import unified, write_file
from sockspec.reports import Run
from sockspec.rules.rule import Rule

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("lint")
@documents(required=False)
@choosing
@click.option(
    "--preset", type=click.Choice(list(PRESETS)), help="Which groups of rules are asked. [default: recommended]"
)
@click.option("--ruleset", "rulesets", multiple=True, metavar="NAME", help="A set of rules to ask as well, as errors.")
@click.option("--no-guide", is_flag=True, help="Leave out the guide for WebSocket APIs.")
@click.option(
    "--rule", "rules", multiple=True, metavar="ID=LEVEL", help="The level of a rule: off, info, warn or error."
)
@click.option("--select", "selected", multiple=True, metavar="ID,...", help="Ask only these rules.")
@click.option("--ignore", "ignored", multiple=True, metavar="ID,...", help="Switch these rules off.")
@click.option(
    "--config",
    "config_file",
    type=_FILE,
    help="A TOML file. [default: the nearest pyproject.toml with [tool.sockspec.lint], from the document upwards]",
)
@click.option("--no-config", is_flag=True, help="Read no configuration.")
@click.option("--baseline", "baseline_file", type=_FILE, help="A file that lists findings which do not count.")
@click.option("--update-baseline", is_flag=True, help="Write into the baseline what is found now.")
@click.option("--fix", is_flag=True, help="Mend what can safely be mended, in the files.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix: mend also what has to be guessed. Read the difference.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and write nothing.")
@click.option("--list-rules", is_flag=True, help="List all rules with their levels, and end.")
@click.option("--explain", "explained", metavar="ID", help="Explain a rule, and end.")
@reporting
def command(specs: tuple[Spec, ...], choices: Choices, reporting: Reporting, **given: Any) -> None:
    """Hold documents to rules: what is wrong with them, what will trouble their users, and what the guide asks for.

    Which rules count, and how much, is said in [tool.sockspec.lint] of pyproject.toml; docs/lint.md has it all.

    Exits with 0 when nothing was found that matters, 1 when something was, 2 for wrong usage. With --diff the exit code
    is 1 when there is something to mend.
    """
    try:
        every = known()
        policies = _Policies(every, given)
        if given["list_rules"]:
            click.echo(listing.table(policies.of(Path())), nl=False)
        elif given["explained"] is not None:
            click.echo(listing.page(every.named(given["explained"]), policies.of(Path())), nl=False)
        elif not specs:
            raise click.UsageError("name the documents to lint.")
        else:
            _run(specs, choices, reporting, policies, given)
    except WrongUsage as wrong:
        raise click.UsageError(sentence(wrong)) from None


def _run(
    specs: tuple[Spec, ...], choices: Choices, reporting: Reporting, policies: _Policies, given: Mapping[str, Any]
) -> NoReturn:
    """Lint, mend or write what is asked for, and end the program."""
    updating: bool = given["update_baseline"]
    jobs = _jobs(specs, policies, updating=updating)
    notes: list[str] = []
    if len(jobs) < len(specs):
        notes.append(f"{_many(len(specs) - len(jobs), 'document')} excluded")
    if given["fix"] or given["diff"]:
        if any(spec.content is not None for spec in specs):
            raise WrongUsage("what is read from standard input cannot be mended")
        texts, mended = _mended(jobs, choices, unsafe=given["unsafe_fixes"])
        if given["diff"]:
            click.echo(_difference(texts), nl=False)
            sys.exit(1 if texts else 0)
        for path, content in texts.items():
            _write(path, content)
        notes.append(f"{_many(mended, 'finding')} mended in {_many(len(texts), 'file')}")
    found, told = _lint(jobs, choices, updating=updating)
    read = tuple(job.spec for job in jobs)
    names = tuple(spec.name for spec in read)
    reporting.report(Run("lint", names, tuple(found), sources(read), (*notes, *told)))


class _Policies:
    """What is configured for each document: one policy for each file of configuration."""

    def __init__(self, every: Known, given: Mapping[str, Any]) -> None:
        self._known = every
        self._given = given
        self._found: dict[Path | None, Policy] = {}
        self._files: dict[Path, Path | None] = {}
        if given["config_file"] is not None and given["no_config"]:
            raise WrongUsage("--config and --no-config exclude each other")

    def of(self, folder: Path) -> Policy:
        """The policy of the documents in a folder."""
        file = self._file(folder)
        if file not in self._found:
            settings = Settings() if file is None else config.read(file, self._known)
            self._found[file] = Policy(self._changed(settings), self._known)
        return self._found[file]

    def _file(self, folder: Path) -> Path | None:
        if self._given["no_config"] or self._given["config_file"] is not None:
            found: Path | None = self._given["config_file"]
            return found
        if folder not in self._files:
            self._files[folder] = config.find(folder)
        return self._files[folder]

    def _changed(self, settings: Settings) -> Settings:
        """The settings with what the options say instead."""
        given = self._given
        pairs = [(name, "off") for name in _split(given["ignored"])]
        for pair in given["rules"]:
            name, sign, word = pair.partition("=")
            if not sign:
                raise WrongUsage(f"--rule takes 'ID=LEVEL', not {pair!r}")
            pairs.append((name.strip(), word.strip()))
        selected = [rule.id for name in _split(given["selected"]) for rule in self._selected(name)]
        return replace(
            settings,
            preset=given["preset"] or settings.preset,
            rulesets=(*settings.rulesets, *given["rulesets"]),
            guide=settings.guide and not given["no_guide"],
            forced=config.levels(pairs, self._known),
            selected=frozenset(selected) if given["selected"] else None,
            baseline=given["baseline_file"] or settings.baseline,
        )

    def _selected(self, name: str) -> tuple[Rule, ...]:
        return self._known.sets[name] if name in self._known.sets else self._known.named(name)


def _split(values: Iterable[str]) -> list[str]:
    """The names of an option that may be repeated, and take several at once."""
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


@dataclass(frozen=True, slots=True)
class _Job:
    """A document, and what is configured for it."""

    spec: Spec
    policy: Policy
    baseline: Baseline | None


def _jobs(specs: Iterable[Spec], policies: _Policies, *, updating: bool) -> list[_Job]:
    """The documents that are not excluded."""
    found: list[_Job] = []
    baselines: dict[Path, Baseline] = {}
    for spec in specs:
        policy = policies.of(spec.path.resolve().parent)
        path = policy.settings.baseline
        if policy.is_excluded(spec.path.resolve()):
            continue
        if updating and path is None:
            raise WrongUsage("--update-baseline needs a file: --baseline FILE, or 'baseline' in the configuration")
        if path is not None and path not in baselines:
            baselines[path] = baseline.read(path, name=_shown(path), updating=updating)
        found.append(_Job(spec, policy, baselines[path] if path is not None else None))
    return found


def _lint(jobs: list[_Job], choices: Choices, *, updating: bool) -> tuple[list[Diagnostic], list[str]]:
    """What there is to say of the documents, and of how it was come by."""
    linters: dict[int, Linter] = {}
    found: list[Diagnostic] = []
    for job in watched(jobs, "linting"):
        linter = linters.setdefault(id(job.policy), Linter(job.policy, job.baseline))
        found += linter.told(_linted(job, choices, job.spec.texts))
    notes: list[str] = []
    for linter in linters.values():
        if updating:
            notes.append(_update(linter))
            found = [each for each in found if not linter.is_listed(each)]
        else:
            found += linter.left()
    old = sum(linter.old for linter in linters.values())
    if old and not updating:
        notes.append(f"{_many(old, 'finding')} in the baseline")
    return sorted(dict.fromkeys(found), key=lambda each: (each.location, each.code.id, each.message)), notes


def _linted(job: _Job, choices: Choices, texts: Mapping[Path, bytes]) -> Linted:
    return lint(job.spec.path, job.policy, name=job.spec.name, choices=choices, texts=texts)


def _update(linter: Linter) -> str:
    """Write a baseline anew, and say so."""
    path, content = linter.updated()
    _write(path, content)
    return f"{_shown(path)}: {_many(linter.size, 'finding')}"


def _mended(jobs: list[_Job], choices: Choices, *, unsafe: bool) -> tuple[dict[Path, bytes], int]:
    """The contents of files with what can be mended, and how many findings that are."""
    texts: dict[Path, bytes] = {}
    mended = 0
    for job in watched(jobs, "mending"):

        def look(tried: Mapping[Path, bytes], job: _Job = job) -> tuple[Linted, tuple[Diagnostic, ...]]:
            linted = _linted(job, choices, tried)
            return linted, Linter(job.policy, job.baseline).told(linted)

        fixed = fixing.fixed(look, job.policy.known, texts, unsafe=unsafe)
        texts.update(fixed.texts)
        mended += fixed.mended
    return texts, mended


def _difference(texts: Mapping[Path, bytes]) -> str:
    parts: list[str] = []
    for path, content in texts.items():
        before = fixing.content(path, {})
        parts += unified(_shown(path), before.decode("utf-8-sig"), content.decode("utf-8-sig"))
    return "".join(parts)


def _write(path: Path, content: str | bytes) -> None:
    try:
        write_file(path, content)
    except OSError as error:
        raise WrongUsage(f"cannot write {str(path)!r}: {(error.strerror or str(error)).lower()}") from None


def _shown(path: Path) -> str:
    """A path as users would write it where they are."""
    try:
        return os.path.relpath(path)
    except ValueError:  # on another drive
        return str(path)


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
