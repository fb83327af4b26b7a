"""Faults of names that all specifications have: of operations that share one, and of schemes that have none."""

from __future__ import annotations

from collections.abc import Collection

from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.spec.text import quoted
from sockspec.spec.walk import nearest

UNKNOWN_SECURITY_SCHEME = Code(
    "unknown-security-scheme",
    Severity.ERROR,
    "A security requirement names a scheme that `components.securitySchemes` does not have. It is not ignored, since "
    "that could open what was meant to be closed.",
)
DUPLICATE_OPERATION_ID = Code(
    "duplicate-operation-id",
    Severity.ERROR,
    "Two operations have the same `operationId`, traits counted. It has to differ from all others, case included, since "
    "it becomes a name; a package numbers the second.",
    tolerable=True,
)


def unknown_security_scheme(name: str, known: Collection[str], place: Location) -> Diagnostic:
    """That there is no such scheme among the known ones."""
    message = f"there is no security scheme {quoted(name)} in 'components.securitySchemes'"
    near = nearest(name, known)
    hint = f"did you mean {quoted(near)}?" if near is not None else ""
    return UNKNOWN_SECURITY_SCHEME.at(place, message, hint=hint)
