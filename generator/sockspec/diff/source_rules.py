"""The rules for the names of generated packages: what travels stays, and programs have to be changed."""

from __future__ import annotations

from sockspec.diagnostics import Severity
from sockspec.diff.rule import Category, table

_WHY = (
    "Clients that are out there notice nothing. Programs that use the generated package have to be changed when it is "
    "generated anew; type checkers find the places."
)

SOURCE = table(
    Category.SOURCE,
    (
        (
            "class-renamed",
            Severity.WARNING,
            "A class or an alias of the generated package has another name, and means the same.",
            _WHY,
            "Keep the old name in the document, or give it with `x-python-name`.",
        ),
        (
            "class-removed",
            Severity.WARNING,
            (
                "A class of the generated package is not there any more, though no message is missing: its schema has another "
                "name, or stands where it has none."
            ),
            _WHY,
            "Keep the schema under its old name.",
        ),
        (
            "method-renamed",
            Severity.WARNING,
            "A method of a server, a client or a connection has another name, and does the same.",
            _WHY,
            "Keep the old name of the operation or message, or give it with `x-python-name`.",
        ),
        (
            "method-removed",
            Severity.WARNING,
            (
                "A method is not there any more, though its messages are: they belong to another operation, or are sent in "
                "another way."
            ),
            _WHY,
            "Keep the operation.",
        ),
        (
            "attribute-renamed",
            Severity.WARNING,
            "A member of a class or an argument has another name, and means the same.",
            _WHY,
            "Keep the old name, or give it with `x-python-name`.",
        ),
    ),
)
