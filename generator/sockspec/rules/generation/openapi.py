"""What reading an OpenAPI document finds that a package cannot do, or that was assumed to make it."""

from __future__ import annotations

from sockspec.diagnostics import Code
from sockspec.rules.rule import OPENAPI, Group, Rule
from sockspec.rules.schema_structure import UNKNOWN_DIALECT
from sockspec.spec import openapi
from sockspec.spec.openapi import assumed, convention, described, endpoints, messages, parameters, servers, words


def _rule(code: Code, bad: str, good: str) -> Rule:
    return Rule(code, Group.GENERATION, OPENAPI, bad, good)


_MESSAGES = (
    _rule(
        assumed.MESSAGES_ASSUMED,
        """\
paths:
  /chat:
    get:
      responses: {'101': {description: Switching Protocols}}
components:
  schemas:
    Say: {type: object, properties: {type: {const: say}}}
""",
        """\
paths:
  /chat:
    get:
      responses: {'101': {description: Switching Protocols}}
      x-websocket: {clientMessages: [Say]}
components:
  schemas:
    Say: {type: object, properties: {type: {const: say}}}
""",
    ),
    _rule(
        assumed.NO_MESSAGES,
        "get:\n  x-websocket: {}\n",
        "get:\n  x-websocket: {clientMessages: [Say]}\n",
    ),
    _rule(
        messages.MESSAGE_RENAMED,
        """\
x-websocket:
  clientMessages: {chat: {$ref: '#/components/schemas/Say'}}
  serverMessages: {chat: {$ref: '#/components/schemas/Said'}}
""",
        """\
x-websocket:
  clientMessages: {say: {$ref: '#/components/schemas/Say'}}
  serverMessages: {said: {$ref: '#/components/schemas/Said'}}
""",
    ),
    _rule(
        messages.CORRELATION_NOT_FOUND,
        "ask: {payload: {type: object, properties: {id: {type: string}}}, correlationId: '#/data/id'}\n",
        "ask: {payload: {type: object, properties: {id: {type: string}}}, correlationId: '#/id'}\n",
    ),
    _rule(
        described.MESSAGE_NOT_UNDERSTOOD,
        "clientMessages: {say: 5}\n",
        "clientMessages: {say: {$ref: '#/components/schemas/Say'}}\n",
    ),
    _rule(
        words.DIRECTION_ASSUMED,
        "x-websocket: {incoming: [Say], outgoing: [Said]}\n",
        "x-websocket: {clientMessages: [Say], serverMessages: [Said]}\n",
    ),
    _rule(
        openapi.DIALECT_NOT_READ,
        "openapi: 3.1.0\njsonSchemaDialect: http://json-schema.org/draft-07/schema#\n",
        "openapi: 3.1.0\njsonSchemaDialect: https://json-schema.org/draft/2020-12/schema\n",
    ),
    _rule(
        UNKNOWN_DIALECT,
        "Say: {$schema: 'https://example.com/dialect', type: object}\n",
        "Say: {$schema: 'https://json-schema.org/draft/2020-12/schema', type: object}\n",
    ),
)

_HANDSHAKE = (
    _rule(
        parameters.PATH_PARAMETER_UNDECLARED,
        "paths:\n  /rooms/{room}:\n    x-websocket: {clientMessages: [Say]}\n",
        """\
paths:
  /rooms/{room}:
    parameters:
      - {name: room, in: path, required: true, schema: {type: string}}
    x-websocket: {clientMessages: [Say]}
""",
    ),
    _rule(
        parameters.PATH_PARAMETER_UNUSED,
        """\
paths:
  /rooms:
    x-websocket:
      parameters:
        - {name: room, in: path, required: true, schema: {type: string}}
""",
        """\
paths:
  /rooms/{room}:
    x-websocket:
      parameters:
        - {name: room, in: path, required: true, schema: {type: string}}
""",
    ),
    _rule(
        parameters.PARAMETER_LEFT_OUT,
        "parameters:\n  - {name: session, in: cookie, schema: {type: string}}\n",
        "parameters:\n  - {name: session, in: query, schema: {type: string}}\n",
    ),
    _rule(
        parameters.PARAMETER_STYLE,
        """\
parameters:
  - {name: venues, in: query, style: pipeDelimited, schema: {type: array, items: {type: string}}}
""",
        """\
parameters:
  - {name: venues, in: query, schema: {type: array, items: {type: string}}}
""",
    ),
    _rule(
        convention.MISSPELT_MEMBER,
        "x-websocket:\n  clientMesages: {say: {$ref: '#/components/schemas/Say'}}\n",
        "x-websocket:\n  clientMessages: {say: {$ref: '#/components/schemas/Say'}}\n",
    ),
    _rule(
        convention.BAD_CLOSE_CODE,
        "x-websocket:\n  closeCodes: {'40010': Too long.}\n",
        "x-websocket:\n  closeCodes: {'4010': Too long.}\n",
    ),
    _rule(
        endpoints.NOT_WEBSOCKET,
        """\
paths:
  /rooms:
    get: {responses: {'200': {description: All rooms}}}
  /chat:
    get: {responses: {'101': {description: Switching Protocols}}}
""",
        """\
paths:
  /chat:
    get: {responses: {'101': {description: Switching Protocols}}}
""",
    ),
)

_SERVERS = (
    _rule(
        servers.SERVER_READ_AS_WEBSOCKET,
        "servers:\n  - url: https://chat.example.com\n",
        "servers:\n  - url: wss://chat.example.com\n",
    ),
    _rule(
        servers.SERVER_WITHOUT_HOST,
        "servers:\n  - url: /v1\n",
        "servers:\n  - url: wss://chat.example.com/v1\n",
    ),
    _rule(
        servers.SERVER_NOT_UNDERSTOOD,
        "servers:\n  - url: mqtt://broker.example.com\n",
        "servers:\n  - url: wss://chat.example.com\n",
    ),
)

RULES = (*_MESSAGES, *_HANDSHAKE, *_SERVERS)
