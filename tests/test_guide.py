"""The page about the design guide says what is so, and our documents keep the guide."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from sockspec.pipeline import examined
from sockspec.rules.rule import Group
from sockspec.rules.table import findings, of, rules

from .guide import EXAMPLE, SENTENCES, guide_page, unmentioned

ROOT = Path(__file__).parents[1]
TESTS = sorted({name for sentence in SENTENCES for name in sentence.tests.split()})
NAMES = sorted({name for sentence in SENTENCES for name in sentence.runtime.split()})


def broken(path: Path) -> set[str]:
    """The rules of the guide that a document breaks, whoever finds that."""
    subject, report = examined(path, name=path.name)
    assert subject is not None
    said = [*report.sorted(), *findings(of(Group.GUIDE), subject)]
    return {found.code.id for found in said if found.code.id in {rule.id for rule in of(Group.GUIDE)}}


def test_every_sentence_that_demands_something_is_on_the_page(shared: Path) -> None:
    guide = (shared / "guide" / "websocket-api-design-guide.txt").read_text(encoding="utf-8")
    lines = [line.removeprefix("- ") for line in guide.splitlines()]
    sentences = [sentence for line in lines for sentence in re.split(r"(?<=[.:]) (?=[A-Z])", line)]
    demanding = [sentence for sentence in sentences if re.search(r"\b(MUST|SHOULD)\b", sentence)]
    assert len(demanding) > 15
    page = guide_page()
    assert [sentence for sentence in demanding if sentence not in page] == []


def test_every_quotation_is_word_for_word(shared: Path) -> None:
    guide = (shared / "guide" / "websocket-api-design-guide.txt").read_text(encoding="utf-8")
    assert [sentence.text for sentence in SENTENCES if sentence.text not in guide] == []


def test_every_rule_on_the_page_exists_and_every_rule_of_the_guide_is_on_the_page() -> None:
    named = {rule for sentence in SENTENCES for rule in sentence.rules.split()} | EXAMPLE.keys()
    assert sorted(named - rules().keys()) == []
    assert unmentioned() == []


def test_every_demand_has_a_rule_or_something_that_carries_it_out() -> None:
    demanding = [one for one in SENTENCES if "MUST" in one.text or "SHOULD" in one.text]
    assert [one.text for one in demanding if not one.tests or not (one.rules or one.runtime or one.remark)] == []


@pytest.mark.parametrize("name", TESTS)
def test_every_test_on_the_page_exists(name: str) -> None:
    path, _, function = name.partition("::")
    text = (ROOT / "tests" / path).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {re.escape(function)}\(", text, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_carries_a_sentence_out_can_be_imported(name: str) -> None:
    module, _, path = name.partition(":")
    value: object = importlib.import_module(f"sockspec.{module}")
    for part in path.split("."):
        value = getattr(value, part)


def test_every_page_that_is_linked_exists() -> None:
    pages = {page for sentence in SENTENCES for page in sentence.docs.split()}
    assert sorted(page for page in pages if not (ROOT / "docs" / page).is_file()) == []


def test_the_chat_keeps_every_rule_of_the_guide() -> None:
    assert broken(ROOT / "specs" / "chat.asyncapi.yaml") == set()


def test_the_example_of_the_guide_leaves_out_what_is_listed() -> None:
    assert broken(ROOT / "specs" / "chat.openapi.yaml") == EXAMPLE.keys()


_BARE = {
    "AsyncAPI 2": """
asyncapi: 2.6.0
info: {title: Chat, version: 1.0.0}
servers: {production: {url: 'ws://chat.example.com', protocol: ws}}
channels:
  /room:
    publish: {message: {name: Say, payload: {type: object, required: [text], properties: {text: {type: string}}}}}
""",
    "AsyncAPI 3": """
asyncapi: 3.0.0
info: {title: Chat, version: 1.0.0}
servers: {production: {host: chat.example.com, protocol: ws}}
channels:
  room:
    address: /room
    messages:
      Say: {payload: {type: object, required: [text], properties: {text: {type: string}}}}
operations:
  say: {action: receive, channel: {$ref: '#/channels/room'}}
""",
    "OpenAPI": """
openapi: 3.1.0
info: {title: Chat, version: 1.0.0}
servers: [{url: 'ws://chat.example.com'}]
paths:
  /room:
    get:
      x-websocket: {clientMessages: [Say]}
components:
  schemas:
    Say: {type: object, required: [text], properties: {text: {type: string}}}
""",
}
"""One API that keeps next to nothing of the guide, in the words of each specification."""

_OF_ONE = {"AsyncAPI 2": {"guide-operation-description"}, "AsyncAPI 3": {"guide-operation-description"}}
_OF_ONE["OpenAPI"] = {"guide-switching-protocols"}
"""What only that specification has words for."""


@pytest.mark.parametrize("specification", _BARE)
def test_the_rules_say_the_same_of_an_api_whatever_it_is_written_in(specification: str, tmp_path: Path) -> None:
    path = tmp_path / "document.yaml"
    path.write_text(_BARE[specification], encoding="utf-8")
    assert broken(path) - _OF_ONE[specification] == {
        *("guide-type-field", "guide-timestamp", "guide-data-field", "guide-error-message"),
        *("guide-wss", "guide-url-version", "guide-keep-alive", "guide-connection-limit", "guide-authentication"),
        *("guide-api-description", "guide-channel-description", "guide-message-description"),
        *("guide-property-description", "guide-message-example"),
    }


_OPENAPI = """
openapi: 3.1.0
info:
  title: Chat
  version: 1.0.0
  description: Real-time chat. The server pings every 20 seconds, and closes connections that do not answer within 10.
x-limits: {maxConnectionsPerPrincipal: 3}
servers: [{url: 'wss://chat.example.com/v1'}]
paths:
  /room:
    get:
      summary: Opens the connection to the room.
      security: [{accessToken: ['chat:write']}]
      responses: {'101': {description: Switching Protocols}}
      x-websocket: {clientMessages: [Say], serverMessages: [Error]}
components:
  securitySchemes:
    accessToken: {type: http, scheme: bearer, bearerFormat: JWT}
  schemas:
    Say:
      type: object
      description: Says something to everybody in the room.
      required: [type, timestamp, data]
      properties:
        type: {const: say}
        timestamp: {$ref: '#/components/schemas/Timestamp'}
        data:
          type: object
          description: What is said.
          required: [text]
          properties: {text: {type: string, description: 'The text, without markup.'}}
      examples: [{type: say, timestamp: '2025-03-01T09:30:00Z', data: {text: Hello}}]
    Error:
      type: object
      description: Says that something could not be accepted.
      required: [type, timestamp, error]
      properties:
        type: {const: error}
        timestamp: {$ref: '#/components/schemas/Timestamp'}
        error:
          type: object
          description: What went wrong.
          required: [type, message]
          properties:
            type:
              description: The kind of problem.
              enum: [/problems/unauthorized, /problems/reach-maximum-connections]
            message: {type: string, description: 'What went wrong, for people.'}
      examples:
        - type: error
          timestamp: '2025-03-01T09:30:00Z'
          error: {type: /problems/unauthorized, message: Unauthorized access}
    Timestamp: {type: string, format: date-time, description: When the message was sent.}
"""


def test_an_openapi_document_can_keep_every_rule_of_the_guide(tmp_path: Path) -> None:
    path = tmp_path / "document.yaml"
    path.write_text(_OPENAPI, encoding="utf-8")
    assert broken(path) == set()
