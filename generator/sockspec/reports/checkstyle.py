"""Checkstyle's XML, which most services that collect findings read."""

from __future__ import annotations

from xml.etree import ElementTree

from sockspec.reports import xmltext
from sockspec.reports.run import Run


def report(run: Run) -> str:
    """The run as errors of files."""
    root = ElementTree.Element("checkstyle", version="4.3")
    files = {name: ElementTree.SubElement(root, "file", name=xmltext.value(name)) for name in run.files}
    for finding in run.findings:
        name = finding.location.path
        if name not in files:
            files[name] = ElementTree.SubElement(root, "file", name=xmltext.value(name))
        hint = f" (hint: {finding.hint})" if finding.hint else ""
        ElementTree.SubElement(
            files[name],
            "error",
            line=str(finding.location.line),
            column=str(finding.location.column),
            severity=finding.severity.value,
            message=xmltext.value(finding.message + hint),
            source=xmltext.value(f"sockspec.{finding.code.id}"),
        )
    return xmltext.document(root)
