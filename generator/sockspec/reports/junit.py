"""JUnit's XML, which continuous integration shows as tests: a suite for each document, a case for each finding."""

from __future__ import annotations

from xml.etree import ElementTree

from sockspec.diagnostics import Diagnostic
from sockspec.reports import xmltext
from sockspec.reports.run import Run


def report(run: Run) -> str:
    """The run as test suites.

    A finding that makes the run fail is a failure; others pass, and say what they are in their output. A file without
    findings is a suite of one case that passes.
    """
    by_file: dict[str, list[Diagnostic]] = {name: [] for name in run.files}
    for finding in run.findings:
        by_file.setdefault(finding.location.path, []).append(finding)
    failures = sum(map(run.fails, run.findings))
    tests = sum(max(1, len(findings)) for findings in by_file.values())
    root = ElementTree.Element(
        "testsuites", name=f"sockspec {run.command}", tests=str(tests), failures=str(failures), errors="0"
    )
    for name, findings in by_file.items():
        _suite(root, run, name, findings)
    return xmltext.document(root)


def _suite(root: ElementTree.Element, run: Run, name: str, findings: list[Diagnostic]) -> None:
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=xmltext.value(name),
        tests=str(max(1, len(findings))),
        failures=str(sum(map(run.fails, findings))),
        errors="0",
        skipped="0",
    )
    if not findings:
        ElementTree.SubElement(suite, "testcase", classname=xmltext.value(name), name=run.command)
    for finding in findings:
        line, column = finding.location.line, finding.location.column
        place = f" at {line}:{column}" if line else ""
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=xmltext.value(name),
            name=xmltext.value(f"{finding.code.id}{place}"),
            file=xmltext.value(finding.location.path),
            line=str(line),
        )
        if run.fails(finding):
            said = ElementTree.SubElement(
                case, "failure", type=xmltext.value(finding.code.id), message=xmltext.value(finding.message)
            )
        else:
            said = ElementTree.SubElement(case, "system-out")
        said.text = xmltext.lines(
            str(finding),
            *([f"hint: {finding.hint}"] if finding.hint else []),
            *(f"see: {place}{f': {place.note}' if place.note else ''}" for place in finding.related),
        )
