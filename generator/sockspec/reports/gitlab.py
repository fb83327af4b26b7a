"""The code quality report of GitLab: the issues of Code Climate as a JSON list."""

from __future__ import annotations

from typing import Any

from sockspec.diagnostics import Diagnostic, Severity
from sockspec.reports import paths
from sockspec.reports.fingerprints import fingerprints
from sockspec.reports.jsontext import dumped
from sockspec.reports.places import Places
from sockspec.reports.printable import printable
from sockspec.reports.run import Run

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}
_CATEGORIES = {Severity.ERROR: "Bug Risk", Severity.WARNING: "Bug Risk", Severity.INFO: "Style"}


def report(run: Run) -> str:
    """The run as a list of issues."""
    places = Places(run.source)
    found = zip(run.findings, fingerprints(run.findings, lambda name: paths.relative(run, name)), strict=True)
    return dumped([_issue(run, finding, fingerprint, places) for finding, fingerprint in found])


def _issue(run: Run, finding: Diagnostic, fingerprint: str, places: Places) -> dict[str, Any]:
    location = finding.location
    end_line, _ = places.end(location) or (location.line, location.column)
    hint = f" (hint: {finding.hint})" if finding.hint else ""
    issue: dict[str, Any] = {
        "type": "issue",
        "check_name": finding.code.id,
        "description": printable(finding.message + hint),
        "categories": [_CATEGORIES[finding.severity]],
        "severity": _SEVERITIES[finding.severity],
        "fingerprint": fingerprint,
        "location": {
            "path": paths.relative(run, location.path),
            "lines": {"begin": max(1, location.line), "end": max(1, end_line)},
        },
    }
    if finding.code.meaning:
        issue["content"] = {"body": finding.code.meaning}
    return issue
