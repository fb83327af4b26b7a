"""What is said of a document as a whole while it is read, before anybody asks what it describes."""

from __future__ import annotations

from sockspec.diagnostics import Code
from sockspec.rules.rule import ALL, ASYNCAPI, Group, Rule
from sockspec.spec import resolve, version, wording
from sockspec.spec.read_yaml import MERGE_KEY


def _rule(code: Code, since: tuple[str, ...], bad: str, good: str) -> Rule:
    return Rule(code, Group.GENERATION, since, bad, good)


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
