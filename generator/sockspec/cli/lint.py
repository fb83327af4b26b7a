"""`sockspec lint`: documents held to rules, as a project wants it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from sockspec.choices import Choices
from sockspec.cli.common import choosing
from sockspec.cli.reporting import Reporting, reporting
from sockspec.cli.specs import Spec, documents, sources
from sockspec.diagnostics import Diagnostic
from sockspec.lint import baseline, config, fixing, listing
from sockspec.lint.known import Known, known
from sockspec.lint.linter import Linted, Linter, lint
from sockspec.lint.policy import Policy
from sockspec.lint.settings import PRESETS, Settings
from sockspec.lint.wrong import WrongUsage
from sockspec.reports import Run

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("lint")
@documents(required=False)
@choosing
@click.option("--preset", type=click.Choice(list(PRESETS)), help="Which groups of rules are asked. [default: recommended]")
@click.option("--ruleset", "rulesets", multiple=True, metavar="NAME", help="A set of rules to ask as well, as errors.")
@click.option("--no-guide", is_flag=True, help="Leave out the guide for WebSocket APIs.")
@click.option("--rule", "rules", multiple=True, metavar="ID=LEVEL", help="The level of a rule: off, info, warn or error.")
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
            _Command(specs, choices, reporting, policies, given).run()
    except WrongUsage as wrong:
        raise click.UsageError(f"{wrong}.") from None


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

    def _selected(self, name: str) -> Iterable[Any]:
        return self._known.sets[name] if name in self._known.sets else self._known.named(name)


def _split(values: Iterable[str]) -> list[str]:
    """The names of an option that may be repeated, and take several at once."""
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


class _Command:
    """One call of the command."""

    def __init__(
        self,
        specs: tuple[Spec, ...],
        choices: Choices,
        reporting: Reporting,
        policies: _Policies,
        given: Mapping[str, Any],
    ) -> None:
        self._choices = choices
        self._reporting = reporting
        self._given = given
        self._notes: list[str] = []
        paired = [(spec, policies.of(spec.path.resolve().parent)) for spec in specs]
        self._pairs = [(spec, policy) for spec, policy in paired if not policy.is_excluded(spec.path.resolve())]
        self._baselines = {policy: self._baseline(policy) for _, policy in self._pairs}
        if len(self._pairs) < len(paired):
            self._notes.append(f"{len(paired) - len(self._pairs)} of {len(paired)} documents are excluded")

    def run(self) -> None:
        """Lint, mend or write what is asked for, and end the program."""
        if self._given["diff"]:
            self._show_diff()
        if self._given["fix"]:
            self._fix()
        linters = {policy: Linter(policy, found) for policy, found in self._baselines.items()}
        found: list[Diagnostic] = []
        for spec, policy in self._reporting.watched(self._pairs, "linting"):
            found += linters[policy].told(self._linted(spec, policy))
        if self._given["update_baseline"]:
            found = self._update(linters)
        for linter in linters.values():
            found += linter.left() if not self._given["update_baseline"] else ()
        old = sum(linter.old for linter in linters.values())
        if old:
            self._notes.append(f"{old} findings are in the baseline")
        specs = tuple(spec for spec, _ in self._pairs)
        names = tuple(spec.name for spec in specs)
        self._reporting.report(Run("lint", names, tuple(dict.fromkeys(found)), sources(specs), tuple(self._notes)))
