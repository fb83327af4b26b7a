"""What reading an AsyncAPI document finds that a package cannot do, or that was assumed to make it."""

from __future__ import annotations

from sockspec.diagnostics import Code
from sockspec.rules.rule import ALL, ASYNCAPI, ASYNCAPI_2, ASYNCAPI_3, Group, Rule
from sockspec.spec.asyncapi import channels, handshake, messages, operations, perspective, servers
from sockspec.spec.close_codes import CLOSE_CODE_PROBLEM


def _rule(code: Code, since: tuple[str, ...], bad: str, good: str, *aliases: str) -> Rule:
    return Rule(code, Group.GENERATION, since, bad, good, aliases=aliases)


_MESSAGES = (
    _rule(
        messages.HEADERS_IGNORED,
        ASYNCAPI,
        "ask:\n  headers: {type: object, properties: {trace: {type: string}}}\n",
        "ask:\n  payload: {type: object, properties: {trace: {type: string}}}\n",
    ),
    _rule(
        messages.BAD_CORRELATION,
        ASYNCAPI,
        "correlationId: {location: $message.header#/id}\n",
        "correlationId: {location: $message.payload#/id}\n",
    ),
    _rule(
        messages.OTHER_SCHEMA_FORMAT,
        ASYNCAPI,
        """\
payload:
  schemaFormat: application/vnd.apache.avro;version=1.9.0
  schema: {type: record, name: Row, fields: []}
""",
        "payload:\n  type: object\n",
    ),
    _rule(
        messages.CONTENT_READ_AS_JSON,
        ASYNCAPI,
        "contentType: application/cbor\n",
        "contentType: application/json\n",
    ),
    _rule(
        messages.PAYLOAD_MISSING,
        ASYNCAPI,
        "messages:\n  leave: {summary: Leaves the room.}\n",
        "messages:\n  leave: {summary: Leaves the room., payload: {type: object}}\n",
    ),
)

_HANDSHAKE = (
    _rule(
        handshake.UNUSABLE_CLOSE_CODE,
        ASYNCAPI,
        "x-websocket:\n  closeCodes: {99: Never.}\n",
        "x-websocket:\n  closeCodes: {4099: Never.}\n",
    ),
    _rule(
        CLOSE_CODE_PROBLEM,
        ALL,
        """\
x-websocket:
  closeCodes:
    4001: {description: Signed out., problem: /problems/unauthorized}
    4002: {description: Locked., problem: /problems/unauthorized}
""",
        """\
x-websocket:
  closeCodes:
    4001: {description: Signed out., problem: /problems/unauthorized}
    4002: {description: Locked., problem: /problems/locked}
""",
    ),
)

_PERSPECTIVE = (
    _rule(
        perspective.PERSPECTIVE_ASSUMED,
        ASYNCAPI,
        "operations:\n  join: {action: receive, channel: {$ref: '#/channels/room'}}\n",
        """\
x-perspective: server
operations:
  join: {action: receive, channel: {$ref: '#/channels/room'}}
""",
    ),
    _rule(
        perspective.PERSPECTIVE_SUSPICIOUS,
        ASYNCAPI,
        """\
operations:
  onJoined: {action: send, channel: {$ref: '#/channels/room'}}
  sendJoin: {action: receive, channel: {$ref: '#/channels/room'}}
""",
        """\
x-perspective: server
operations:
  joined: {action: send, channel: {$ref: '#/channels/room'}}
  join: {action: receive, channel: {$ref: '#/channels/room'}}
""",
    ),
    _rule(
        perspective.UNKNOWN_PERSPECTIVE,
        ASYNCAPI,
        "x-perspective: both\n",
        "x-perspective: client\n",
    ),
)

_OPERATIONS = (
    _rule(
        operations.NO_OPERATIONS,
        ASYNCAPI_3,
        "channels:\n  room: {address: /room}\n",
        """\
channels:
  room: {address: /room}
operations:
  join: {action: receive, channel: {$ref: '#/channels/room'}}
""",
    ),
    _rule(
        operations.REPLY_ELSEWHERE,
        ASYNCAPI_3,
        """\
ask:
  action: receive
  channel: {$ref: '#/channels/questions'}
  reply: {channel: {$ref: '#/channels/answers'}}
""",
        """\
ask:
  action: receive
  channel: {$ref: '#/channels/questions'}
  reply: {channel: {$ref: '#/channels/questions'}}
""",
    ),
    _rule(
        operations.UNUSED_MESSAGE,
        ASYNCAPI_3,
        """\
channels:
  room:
    messages: {join: {payload: {type: object}}, wave: {payload: {type: object}}}
operations:
  join:
    action: receive
    channel: {$ref: '#/channels/room'}
    messages: [{$ref: '#/channels/room/messages/join'}]
""",
        """\
channels:
  room:
    messages: {join: {payload: {type: object}}, wave: {payload: {type: object}}}
operations:
  join:
    action: receive
    channel: {$ref: '#/channels/room'}
    messages:
      - $ref: '#/channels/room/messages/join'
      - $ref: '#/channels/room/messages/wave'
""",
    ),
    _rule(
        operations.UNUSED_CHANNEL,
        ASYNCAPI_3,
        """\
channels:
  room: {address: /room}
  hall: {address: /hall}
operations:
  join: {action: receive, channel: {$ref: '#/channels/room'}}
""",
        """\
channels:
  room: {address: /room}
operations:
  join: {action: receive, channel: {$ref: '#/channels/room'}}
""",
    ),
)

_CHANNELS = (
    _rule(
        channels.CHANNELS_ARE_SUBSCRIPTIONS,
        ASYNCAPI,
        "channels:\n  book: {address: 'book.{symbol}'}\n",
        "channels:\n  book: {address: 'book.{symbol}', x-channel: subscription}\n",
    ),
    _rule(
        channels.BARE_ADDRESS,
        ASYNCAPI,
        "channels:\n  rooms: {address: rooms}\n  lobby: {address: /lobby}\n",
        "channels:\n  rooms: {address: /rooms}\n  lobby: {address: /lobby}\n",
    ),
    _rule(
        channels.PATH_REPEATED,
        ASYNCAPI,
        """\
servers:
  production: {host: chat.example.com, pathname: /v1/chat, protocol: wss}
channels:
  chat: {address: /v1/chat}
""",
        """\
servers:
  production: {host: chat.example.com, protocol: wss}
channels:
  chat: {address: /v1/chat}
""",
    ),
    _rule(
        channels.CHANNELS_SHARE_ADDRESS,
        ASYNCAPI_3,
        "channels:\n  ask: {address: /room}\n  tell: {address: /room}\n",
        "channels:\n  room: {address: /room}\n",
    ),
    _rule(
        channels.OTHER_PROTOCOL,
        ASYNCAPI,
        """\
servers:
  production: {host: chat.example.com, protocol: wss}
  queue: {host: queue.example.com, protocol: kafka}
channels:
  events: {address: events, servers: [{$ref: '#/servers/queue'}]}
""",
        """\
servers:
  production: {host: chat.example.com, protocol: wss}
channels:
  events: {address: /events, servers: [{$ref: '#/servers/production'}]}
""",
    ),
    _rule(
        channels.NO_CHANNEL,
        ASYNCAPI,
        "channels: {}\n",
        "channels:\n  room: {address: /room}\n",
    ),
)

_SERVERS = (
    _rule(
        servers.NO_SERVER,
        ASYNCAPI,
        "asyncapi: 3.0.0\nchannels: {}\n",
        "asyncapi: 3.0.0\nservers:\n  production: {host: chat.example.com, protocol: wss}\nchannels: {}\n",
        "asyncapi-servers",
    ),
    _rule(
        servers.SCHEME_IN_HOST,
        ASYNCAPI_3,
        "servers:\n  production: {host: 'wss://chat.example.com/v1', protocol: wss}\n",
        "servers:\n  production: {host: chat.example.com, pathname: /v1, protocol: wss}\n",
    ),
    _rule(
        servers.SCHEME_CONTRADICTS,
        ASYNCAPI_2,
        "servers:\n  production: {url: 'wss://chat.example.com', protocol: ws}\n",
        "servers:\n  production: {url: 'wss://chat.example.com', protocol: wss}\n",
    ),
    _rule(
        servers.HOST_MISSING,
        ASYNCAPI,
        "servers:\n  production: {host: '', protocol: wss}\n",
        "servers:\n  production: {host: chat.example.com, protocol: wss}\n",
    ),
    _rule(
        servers.HTTP_AS_WEBSOCKET,
        ASYNCAPI,
        "servers:\n  production: {host: chat.example.com, protocol: https}\n",
        "servers:\n  production: {host: chat.example.com, protocol: wss}\n",
    ),
)

RULES = (*_MESSAGES, *_HANDSHAKE, *_PERSPECTIVE, *_OPERATIONS, *_CHANNELS, *_SERVERS)
