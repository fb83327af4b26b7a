"""The rules for what people read, and for versions."""

from __future__ import annotations

from sockspec.diagnostics import Severity
from sockspec.diff.rule import Category, table

DOC = table(
    Category.DOC,
    (
        (
            "deprecated",
            Severity.INFO,
            "A message, an operation or a property is deprecated that was not.",
            "Nothing changes yet. Who uses it is told that it will.",
            "",
        ),
        (
            "deprecation-withdrawn",
            Severity.INFO,
            "A message, an operation or a property is not deprecated any more.",
            "Nothing changes.",
            "",
        ),
        (
            "text-changed",
            Severity.INFO,
            "A title, a summary, a description or the meaning of a close code reads differently.",
            "Nothing that a program can tell. A description may say what a schema cannot, so read it.",
            "",
        ),
        (
            "version-not-raised",
            Severity.WARNING,
            (
                "`info.version` of the new document does not tell of what changed: it is the old one, below it, or not raised "
                "by enough (Semantic Versioning: a change that breaks clients raises the first number; what is merely new "
                "the second one)."
            ),
            "Users decide by the version whether they may update.",
            "Write the version that is suggested.",
        ),
    ),
)
