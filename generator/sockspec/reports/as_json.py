"""For programs: everything that is known of each finding. `docs/report.schema.json` describes it."""

from __future__ import annotations

from typing import Any

from sockspec import __version__
from sockspec.diagnostics import Diagnostic, Location, Severity
from sockspec.reports.fingerprints import fingerprints
from sockspec.reports.jsontext import dumped
from sockspec.reports.places import Places
from sockspec.reports.run import Run

VERSION = 1
"""The version of the form. Members may be added to it; what is there keeps its name and its meaning."""


def report(run: Run) -> str:
    """The run as a JSON object."""
    places = Places(run.source)
    found = zip(run.findings, fingerprints(run.findings), strict=True)
    return dumped(
        {
            "version": VERSION,
            "tool": {"name": "sockspec", "version": __version__},
            "command": run.command,
            "files": list(run.files),
            "summary": {
                "errors": run.counts[Severity.ERROR],
                "warnings": run.counts[Severity.WARNING],
                "infos": run.counts[Severity.INFO],
                "fail_on": "never" if run.threshold is None else run.threshold.value,
                "max_warnings": run.max_warnings,
                "failed": run.failed,
            },
            "findings": [_finding(run, finding, fingerprint, places) for finding, fingerprint in found],
            "notes": list(run.notes),
            "extra": dict(run.extra),
        }
    )


def _finding(run: Run, finding: Diagnostic, fingerprint: str, places: Places) -> dict[str, Any]:
    return {
        "code": finding.code.id,
        "severity": finding.severity.value,
        "category": finding.code.category,
        "message": finding.message,
        "hint": finding.hint,
        "url": run.page(finding.code),
        "location": _location(finding.location, places),
        "related": [{**_location(place, places), "note": place.note} for place in finding.related],
        "fingerprint": fingerprint,
    }


def _location(location: Location, places: Places) -> dict[str, Any]:
    end_line, end_column = places.end(location) or (location.line, location.column)
    return {
        "path": location.path,
        "line": location.line,
        "column": location.column,
        "end_line": end_line,
        "end_column": end_column,
        "pointer": location.pointer,
    }
