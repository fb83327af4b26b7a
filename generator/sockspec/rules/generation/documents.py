"""What is said of a document as a whole while it is read, before anybody asks what it describes."""

from __future__ import annotations

from urllib.parse import quote, unquote

from sockspec.diagnostics import Code, Diagnostic
from sockspec.rules.edits import Edit, replaced
from sockspec.rules.rule import ALL, ASYNCAPI, Fixer, Group, Rule
from sockspec.rules.subject import Subject
from sockspec.spec import resolve, version, wording
from sockspec.spec.node import Node
from sockspec.spec.read_yaml import MERGE_KEY

_IN_FRAGMENTS = "/~!$&'()*+,;=:@-._?"
"""What stands for itself in the fragment of a URI (RFC 3986)."""


def _rule(code: Code, since: tuple[str, ...], bad: str, good: str, fix: str = "", fixer: Fixer | None = None) -> Rule:
    return Rule(code, Group.GENERATION, since, bad, good, fix=fix, fixer=fixer)


def _escaped(subject: Subject, finding: Diagnostic) -> list[Edit]:
    """A reference with a raw '/' in a key, written by the rules."""
    written = subject.node_at(finding.location)
    if written is None or not isinstance(written.value, str):
        return []
    around = written.pointer.removesuffix("/$ref")
    target = subject.documents.target(Node(written.document.at(around), written.document, around))
    file = written.value.partition("#")[0]
    named = (written.document.path.parent / unquote(file)).resolve() if file else written.document.path
    # On the way there may have been another reference, into another file.
    if target is None or named != target.document.path:
        return []
    return replaced(written.document, written.pointer, f"{file}#{quote(target.pointer, safe=_IN_FRAGMENTS)}")


RULES = (
    _rule(
        version.NEWER_VERSION,
        ALL,
        "asyncapi: 3.7.0\n",
        "asyncapi: 3.0.0\n",
    ),
    _rule(
        MERGE_KEY,
        ALL,
        """\
schemas:
  Said: &said {type: object}
  Shouted:
    <<: *said
""",
        """\
schemas:
  Said: {type: object}
  Shouted: {$ref: '#/components/schemas/Said'}
""",
    ),
    _rule(
        resolve.UNESCAPED_REFERENCE,
        ALL,
        "$ref: '#/components/schemas/chat/v1/Said'\n",
        "$ref: '#/components/schemas/chat~1v1~1Said'\n",
        fix="writes the key with `~1` and `%25`.",
        fixer=_escaped,
    ),
    _rule(
        wording.OFFICIALLY_REFUSED,
        ASYNCAPI,
        "bindings: {ws: {query: {$ref: '#/components/schemas/Query'}}}\n",
        "bindings: {ws: {query: {type: object, properties: {token: {type: string}}}}}\n",
    ),
    _rule(
        wording.INVALID_FORMAT,
        ALL,
        "license: {name: MIT, url: licence.txt}\n",
        "license: {name: MIT, url: 'https://opensource.org/license/mit'}\n",
    ),
)
