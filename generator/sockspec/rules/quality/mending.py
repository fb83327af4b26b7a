"""What the linter can write where readers of a document would miss something."""

from __future__ import annotations

from collections.abc import Iterable

from sockspec.diagnostics import Diagnostic
from sockspec.rules.edits import Edit, inserted
from sockspec.rules.subject import Subject

_URL = "https://example.com/TODO"


def default_content_type(subject: Subject, finding: Diagnostic) -> Iterable[Edit]:
    """That messages are JSON, which was assumed; nothing where a schema of one says that it may be something else."""
    for message in subject.outline.messages:
        payload = message.members.get("payload")
        if "schemaFormat" in message.members or (payload is not None and payload.get("schemaFormat") is not None):
            return ()
    return inserted(subject.root.document, "", "defaultContentType", "application/json", after="asyncapi")


def contact(subject: Subject, finding: Diagnostic) -> Iterable[Edit]:
    """A contact, to be filled in."""
    return _into_info(subject, "contact", {"name": "TODO: who answers for the API", "url": _URL})


def licence(subject: Subject, finding: Diagnostic) -> Iterable[Edit]:
    """A license, to be filled in."""
    return _into_info(subject, "license", {"name": "TODO: the license of the API", "url": _URL})


def _into_info(subject: Subject, key: str, stub: dict[str, str]) -> Iterable[Edit]:
    info = subject.root.get("info")
    if info is None or info.get(key) is not None:
        return ()
    return inserted(info.document, info.pointer, key, dict(stub), after="version")
