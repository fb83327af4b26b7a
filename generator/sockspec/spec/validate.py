"""Whether a document has the structure that its specification asks for.

AsyncAPI documents are held to our own meta-schemas (`metaschemas/`), OpenAPI documents to the JSON Schemas of OpenAPI.
Checked is the document as it is written: what its references lead to is judged where it stands.
"""

from __future__ import annotations

from sockspec.diagnostics import Code, Report, Severity
from sockspec.spec import structure, wording
from sockspec.spec.metaschema import metaschema
from sockspec.spec.resolve import Documents
from sockspec.spec.source import Document, Json
from sockspec.spec.version import Kind, Specification, kind

__all__ = ["Kind", "Specification", "kind", "validate"]

TOO_MANY_FAULTS = Code(
    "too-many-faults",
    Severity.ERROR,
    f"The structure of the document has more than {structure.MAX_FAULTS} faults. Some are reported, and the rest of "
    "the document is not checked. Often they have one cause, such as the wrong version at its top.",
)


def validate(documents: Documents, report: Report, *, part: Json = None) -> None:
    """Report every place where the root document is not what its specification asks for.

    `part` is the document without what need not be checked, where not all of it need be (OpenAPI only).
    """
    document = documents.root.document
    found = kind(document, report)
    if found is None:
        return
    if found.specification is Specification.OPENAPI_3:
        # It imports `jsonschema`, which AsyncAPI can spare.
        from sockspec.spec import validate_openapi

        validate_openapi.validate(documents, found.version, report, part=part)
    else:
        _validate_asyncapi(document, found.version, report)


def _validate_asyncapi(document: Document, version: str, report: Report) -> None:
    value = document.value
    # A patch version has the structure of its minor version.
    checked = {**value, "asyncapi": f"{version}.0"} if isinstance(value, dict) else value
    faults = structure.faults(metaschema(version), checked)
    for diagnostic in wording.diagnostics(faults, document):
        report.add(diagnostic)
    if len(faults) > structure.MAX_FAULTS:
        message = f"the document has more than {structure.MAX_FAULTS} faults of structure; the rest is not checked"
        report.add(TOO_MANY_FAULTS.at(document.locate(""), message))
