"""`sockspec validate`: what is wrong with documents."""

from __future__ import annotations

import click

from sockspec.choices import Choices
from sockspec.cli.common import choosing
from sockspec.cli.reporting import Reporting, reporting, watched
from sockspec.cli.specs import Spec, documents, sources
from sockspec.diagnostics import Diagnostic, Report
from sockspec.pipeline import validated
from sockspec.reports import Run


@click.command("validate")
@documents()
@choosing
@reporting
def command(specs: tuple[Spec, ...], choices: Choices, reporting: Reporting) -> None:
    """Check documents: their structure, their references, and that a package can be made of them.

    SPEC is a file, or a pattern such as 'specs/**/*.yaml'. Prints a line for each finding, `path:line:column: severity
    code message`, with the place below it.

    Exits with 0 when nothing was found that matters, 1 when something was, 2 for wrong usage.
    """
    found = Report()
    for spec in watched(specs, "validating"):
        for finding in checked(spec, choices):
            found.add(finding)
    names = tuple(spec.name for spec in specs)
    reporting.report(Run("validate", names, tuple(found.sorted()), sources(specs)))


def checked(spec: Spec, choices: Choices) -> list[Diagnostic]:
    """What there is to say about a document, by place."""
    return validated(spec.path, name=spec.name, choices=choices, texts=spec.texts)
