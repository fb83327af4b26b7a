"""SARIF 2.1.0, the format of OASIS that code hosts and editors read."""

from __future__ import annotations

import re
from typing import Any

from sockspec import __version__
from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.reports import paths
from sockspec.reports.fingerprints import fingerprints
from sockspec.reports.jsontext import dumped
from sockspec.reports.places import Places
from sockspec.reports.printable import printable
from sockspec.reports.run import Run

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_BASE = "SRCROOT"
_FINGERPRINT = "sockspec/v1"

_LINK = re.compile(r"\[(?=[^\[\]]*\]\()")
"""What begins a link in a message (SARIF 2.1.0, section 3.11.6)."""
_PLACEHOLDER = re.compile(r"\{([0-9]+)\}")
"""What stands for an argument of a message (section 3.11.5)."""


def report(run: Run) -> str:
    """The run as a SARIF log."""
    places = Places(run.source)
    codes = {finding.code.id: finding.code for finding in run.findings}
    indices = {code: index for index, code in enumerate(codes)}
    root = {"uri": paths.folder_uri(run.root)} if run.root else {}
    found = zip(run.findings, fingerprints(run.findings, lambda name: paths.relative(run, name)), strict=True)
    told: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "sockspec",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(code, run) for code in codes.values()],
            }
        },
        "automationDetails": {"id": f"sockspec/{run.command}/"},
        "invocations": [{"executionSuccessful": True, "exitCode": int(run.failed)}],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_BASE: {**root, "description": {"text": "The folder that paths are relative to."}}},
        "artifacts": [{"location": _artifact(run, name), "roles": ["analysisTarget"]} for name in run.files],
        "results": [
            {
                **_result(run, finding, places),
                "ruleIndex": indices[finding.code.id],
                "partialFingerprints": {_FINGERPRINT: fingerprint},
            }
            for finding, fingerprint in found
        ],
    }
    if run.notes or run.extra:
        told["properties"] = {"notes": list(run.notes), "extra": dict(run.extra)}
    return dumped({"$schema": _SCHEMA, "version": "2.1.0", "runs": [told]})


def _rule(code: Code, run: Run) -> dict[str, Any]:
    first, _, _ = code.meaning.strip().partition(". ")
    rule = {
        "id": code.id,
        "shortDescription": {"text": f"{first.removesuffix('.') or code.id}."},
        "fullDescription": {"text": code.meaning or code.id},
        "help": {"text": code.meaning or code.id, "markdown": code.meaning or code.id},
        "defaultConfiguration": {"level": _LEVELS[code.severity]},
        "properties": {"tags": [tag for tag in (run.command, code.category) if tag]},
    }
    page = run.page(code)
    return {**rule, "helpUri": page} if page else rule


def _result(run: Run, finding: Diagnostic, places: Places) -> dict[str, Any]:
    hint = f" (hint: {finding.hint})" if finding.hint else ""
    result: dict[str, Any] = {
        "ruleId": finding.code.id,
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding.message + hint)},
        "locations": [_location(run, finding.location, places)],
    }
    if finding.related:
        result["relatedLocations"] = [
            {
                "id": number,
                **_location(run, place, places),
                "message": {"text": _message(place.note or "what it has to do with")},
            }
            for number, place in enumerate(finding.related, 1)
        ]
    return result


def _location(run: Run, location: Location, places: Places) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(run, location.path)}
    if location.line:
        physical["region"] = _region(location, places)
        line = places.line(location)
        if line is not None:
            physical["contextRegion"] = {"startLine": location.line, "snippet": {"text": line}}
    if not location.pointer:
        return {"physicalLocation": physical}
    return {"physicalLocation": physical, "logicalLocations": [{"fullyQualifiedName": location.pointer}]}


def _region(location: Location, places: Places) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": location.line, "startColumn": max(1, location.column)}
    end = places.end(location)
    if end is not None:
        region |= {"endLine": end[0], "endColumn": end[1]}
        word = places.word(location)
        if word and end[0] == location.line:
            region["snippet"] = {"text": word}
    return region


def _artifact(run: Run, name: str) -> dict[str, Any]:
    uri = paths.uri(paths.relative(run, name))
    return {"uri": uri} if uri.startswith("file:") else {"uri": uri, "uriBaseId": _BASE}


def _message(text: str) -> str:
    """A message in which nothing is a link, a placeholder or a control character."""
    return _PLACEHOLDER.sub(r"{{\1}}", _LINK.sub(r"\\[", printable(text)))
