"""What the linter can write where a document does not keep the guide."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sockspec.diagnostics import Diagnostic
from sockspec.rules.edits import Edit, inserted, replaced
from sockspec.rules.subject import Subject

_URL = re.compile(r"[Ww][Ss]://(?P<host>[^/:?#]+|\[[^\]]*\])(?P<port>:[^/?#]*)?")
_OTHER_PORT = re.compile(r":(?!443$)[^:\]]*$")


def encrypted(subject: Subject, finding: Diagnostic) -> Iterator[Edit]:
    """`wss` in the place of `ws`, where no port is named on which nobody may listen for it."""
    entry = subject.node_at(finding.location)
    server = subject.documents.follow(entry) if entry is not None else None
    if server is None or _OTHER_PORT.search(server.text("host")):
        return
    url = server.get("url")
    if url is not None and isinstance(url.value, str):
        found = _URL.match(url.value)
        if found is not None and found["port"] in (None, ":443"):
            yield from replaced(url.document, url.pointer, f"wss{url.value[2:]}")
        elif found is not None:
            return
    protocol = server.get("protocol")
    if protocol is not None and protocol.value == "ws":
        yield from replaced(protocol.document, protocol.pointer, "wss")


def to_be_described(subject: Subject, finding: Diagnostic) -> Iterator[Edit]:
    """A description of the API that asks for one."""
    info = subject.root.get("info")
    if info is not None and info.get("description") is None:
        text = "TODO: what the API is for, and how a conversation goes"
        yield from inserted(info.document, info.pointer, "description", text, after="version")
