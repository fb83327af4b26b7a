"""Commands to the runner of GitHub Actions, which shows them beside the lines of a pull request."""

from __future__ import annotations

from sockspec.diagnostics import Diagnostic, Severity
from sockspec.reports import paths
from sockspec.reports.places import Places
from sockspec.reports.printable import printable
from sockspec.reports.run import Run

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def report(run: Run) -> str:
    """A command for each finding. Its message begins with the place, for those who read the log."""
    places = Places(run.source)
    return "".join(_command(run, finding, places) + "\n" for finding in run.findings)


def _command(run: Run, finding: Diagnostic, places: Places) -> str:
    location = finding.location
    properties: dict[str, str] = {"title": f"sockspec {finding.code.id}", "file": paths.relative(run, location.path)}
    if location.line:
        end_line, end_column = places.end(location) or (location.line, location.column)
        properties |= {"line": str(location.line), "endLine": str(end_line)}
        if end_line == location.line:
            # GitHub refuses columns of what goes over several lines.
            properties |= {"col": str(location.column), "endColumn": str(max(end_column, location.column))}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    lines = [f"{location}: {finding.message}", *([f"hint: {finding.hint}"] if finding.hint else [])]
    message = "\n".join(map(printable, lines))
    return f"::{_COMMANDS[finding.severity]} {told}::{_data(message)}"


def _data(text: str) -> str:
    """A message of a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property of a command."""
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")
