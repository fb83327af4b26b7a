"""OpenAPI documents as WebSocket APIs: endpoints, the ways to describe messages, servers, parameters, security."""

from __future__ import annotations

from pathlib import Path

import pytest

from sockspec import ir
from sockspec.diagnostics import Report, text
from sockspec.spec import openapi
from sockspec.spec.resolve import Documents
from sockspec.spec.source import load, load_text

CLIENT, SERVER = ir.Direction.CLIENT_TO_SERVER, ir.Direction.SERVER_TO_CLIENT

SCHEMAS = """
components:
  schemas:
    Hi: {type: object, required: [type], properties: {type: {const: hi}, id: {type: string}}}
    Bye: {type: object, required: [type], properties: {type: {const: bye}}}
    Failed: {type: object, properties: {type: {enum: [error]}}}
    FromClient: {oneOf: [{$ref: '#/components/schemas/Hi'}], discriminator: {propertyName: type}}
    FromServer: {anyOf: [{$ref: '#/components/schemas/Bye'}, {$ref: '#/components/schemas/Failed'}]}
"""


def read(document: str, perspective: str | None = None) -> tuple[ir.Api, list[str]]:
    """The API of a document, and its diagnostics in short."""
    report = Report()
    written = f'openapi: 3.1.0\ninfo: {{title: Chat, version: "1"}}\n{document}'
    documents = Documents(load_text(written, path=Path("/nowhere/d.yaml"), name="d.yaml", report=report), report)
    api = openapi.read(documents, report, perspective=perspective)
    return api, [f"{found.code.id}: {found.message}" for found in report.sorted()]


def endpoint(extension: str, *, more: str = SCHEMAS) -> str:
    """A document with one endpoint that has these keys."""
    keys = "".join(f"      {line}\n" for line in extension.strip("\n").splitlines())
    return f"paths:\n  /ws:\n    get:\n      responses: {{'101': {{description: s}}}}\n{keys}{more}"


def sent(api: ir.Api, direction: ir.Direction) -> list[str]:
    """The names of what one side sends on the first channel."""
    return [message.name for message in api.messages_of(api.channels[0], direction)]


def codes(diagnostics: list[str]) -> list[str]:
    return [diagnostic.partition(":")[0] for diagnostic in diagnostics]


# --- the example of the guide -----------------------------------------------------------------------------------------


def test_the_document_of_the_guide_gives_one_endpoint_and_two_messages(shared: Path) -> None:
    report = Report()
    document = load(shared / "guide" / "chat.openapi.yaml", name="chat.openapi.yaml", report=report)
    api = openapi.read(Documents(document, report), report)
    assert (api.title, api.version) == ("Chat WebSocket API", "1.0.0")
    assert [(server.name, server.url) for server in api.servers] == [("default", "wss://chat.example.com/ws")]
    assert [(channel.name, channel.address) for channel in api.channels] == [("chat", "/chat")]
    assert api.channels[0].summary == "Establish WebSocket connection"
    assert sent(api, CLIENT) == ["Message"]
    assert sent(api, SERVER) == ["Message", "ErrorMessage"]
    assert [message.is_error for message in api.messages] == [False, True]
    assert [operation.name for operation in api.operations] == [
        "Message",
        "Message from server",
        "ErrorMessage from server",
    ]
    assert text(report.sorted()) == (
        "chat.openapi.yaml:9:3: info messages-assumed nothing says which messages '/chat' carries; assumed from the "
        "component schemas: either side may send 'Message', and the server sends 'ErrorMessage' for errors\n"
        "    hint: say it with 'x-websocket: {clientMessages: …, serverMessages: …}' on the operation\n"
        "chat.openapi.yaml:10:5: warning handshake-must-be-get a WebSocket handshake cannot be 'post'; it is generated "
        "as GET\n"
        "    hint: move the operation to 'get'\n"
    )


def test_a_schema_that_stands_inside_of_messages_is_not_assumed_to_be_one() -> None:
    more = """
components:
  schemas:
    Message: {type: object, properties: {type: {type: string}, parts: {items: {$ref: '#/components/schemas/Part'}}}}
    Part: {type: object, properties: {type: {const: image}}}
    ErrorMessage: {type: object, properties: {type: {const: error}, error: {$ref: '#/components/schemas/Problem'}}}
    Problem: {type: object, properties: {type: {type: string}, message: {type: string}}}
"""
    api, _ = read(endpoint("", more=more))
    assert [message.name for message in api.messages] == ["Message", "ErrorMessage"]


def test_a_message_that_the_error_message_extends_is_still_a_message() -> None:
    more = """
components:
  schemas:
    Message: {type: object, properties: {type: {type: string}}}
    ErrorMessage:
      allOf: [{$ref: '#/components/schemas/Message'}]
      properties: {type: {const: error}}
"""
    api, _ = read(endpoint("", more=more))
    assert sent(api, CLIENT) == ["Message"]
    assert [message.name for message in api.messages if message.is_error] == ["ErrorMessage"]


def test_schemas_of_ordinary_operations_are_not_assumed_to_be_messages() -> None:
    api, diagnostics = read("""
paths:
  /ws: {get: {responses: {'101': {description: s}}}}
  /users:
    get:
      responses:
        '200': {description: s, content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}
components:
  schemas:
    User: {type: object, properties: {type: {type: string}, friend: {$ref: '#/components/schemas/Pet'}}}
    Pet: {type: object, properties: {type: {type: string}}}
    Message: {type: object, properties: {type: {type: string}}}
""")
    assert [message.name for message in api.messages] == ["Message"]
    assert codes(diagnostics) == ["http-left-out", "messages-assumed"]


def test_nothing_is_assumed_where_another_endpoint_describes_its_messages() -> None:
    api, diagnostics = read(
        "paths:\n  /silent: {get: {x-websocket: true}}\n  /ws: {get: {x-websocket: {clientMessages: [Hi]}}}" + SCHEMAS
    )
    assert [(operation.channel, operation.messages) for operation in api.operations] == [("ws", ("Hi",))]
    assert diagnostics == ["no-websocket-messages: no WebSocket messages described for '/silent'"]


# --- endpoints --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "item",
    [
        "{get: {responses: {'101': {description: s}}}}",
        "{get: {x-websocket: true}}",
        "{get: {x-websockets: {}}}",
        "{get: {x-ws: {subprotocols: [a]}}}",
        "{get: {x-dropshot-websocket: {}}}",
        "{get: {x-protocol: websocket}}",
        "{get: {parameters: [{name: Upgrade, in: header, schema: {const: websocket}}]}}",
        "{get: {servers: [{url: 'wss://example.com'}]}}",
        "{get: {}, servers: [{url: 'ws://example.com'}]}",
        "{x-websocket: true, get: {}}",
        "{x-ws: {}}",
        "{$ref: '#/components/pathItems/Socket'}",
    ],
)
def test_a_path_is_an_endpoint_by_any_mark(item: str) -> None:
    api, _ = read(f"paths: {{/ws: {item}}}\ncomponents: {{pathItems: {{Socket: {{get: {{x-websocket: true}}}}}}}}")
    assert [channel.address for channel in api.channels] == ["/ws"]


@pytest.mark.parametrize(
    "document",
    [
        "components: {}",
        "paths: {}",
        "paths: {/a: {get: {responses: {'200': {description: s}}}}}",
        "paths: {/a: {get: {x-websocket: false}}}",
        "paths: {/a: {get: {}}}\nservers: [{url: 'wss://a'}, {url: 'https://a'}]",
        "paths: {/a: {get: {x-wsdl: true}}}",
        "webhooks: {a: {post: {x-websocket: true}}}",
    ],
)
def test_a_document_without_endpoints_is_an_error(document: str) -> None:
    api, diagnostics = read(document)
    assert api.channels == ()
    assert codes(diagnostics) == ["no-websocket-endpoint"]


def test_with_servers_that_are_all_websocket_every_path_is_an_endpoint() -> None:
    api, _ = read("servers: [{url: 'wss://a.b/'}]\npaths: {/one: {get: {}}, /two: {get: {}}}")
    assert [(channel.name, channel.servers) for channel in api.channels] == [
        ("one", ("default",)),
        ("two", ("default",)),
    ]


def test_a_handshake_under_another_method_is_read_as_get_with_a_warning() -> None:
    _, diagnostics = read("paths: {/a: {post: {responses: {'101': {description: s}}}}}")
    assert diagnostics[0] == "no-websocket-messages: no WebSocket messages described for '/a'"
    assert diagnostics[1] == "handshake-must-be-get: a WebSocket handshake cannot be 'post'; it is generated as GET"


def test_of_two_handshakes_on_a_path_get_is_taken() -> None:
    api, diagnostics = read(
        "paths: {/a: {post: {operationId: p, x-websocket: true}, get: {operationId: g, x-websocket: true}}}"
    )
    assert [channel.name for channel in api.channels] == ["g"]
    assert "a WebSocket handshake cannot be 'post'; 'get' of the same path is generated" in diagnostics[1]


def test_ordinary_operations_and_webhooks_are_left_out_and_counted() -> None:
    _, diagnostics = read(
        "paths:\n  /ws: {get: {x-websocket: {clientMessages: [Hi]}}}\n"
        "  /a: {get: {}, put: {}, post: {}, delete: {}}\nwebhooks: {w: {post: {}}}" + SCHEMAS
    )
    assert diagnostics == [
        "http-left-out: 'get /a', 'put /a', 'post /a' and 1 more are ordinary HTTP and left out",
        "http-left-out: webhooks are HTTP requests to a client's own server, and are left out",
    ]


def test_channels_are_named_by_operation_or_path_each_once() -> None:
    api, _ = read("""
paths:
  /chat/{room}: {get: {operationId: talk, x-websocket: true}}
  /v1/feed/{id}: {get: {x-websocket: true}}
  /v2/feed/{id}: {get: {x-websocket: true}}
  /v2/feed: {get: {x-websocket: true}}
  /: {get: {x-websocket: true}}
  /{a}: {get: {x-websocket: true}}
""")
    assert [channel.name for channel in api.channels] == ["talk", "feed", "v2 feed", "v2 feed 2", "root", "a"]


# --- messages ---------------------------------------------------------------------------------------------------------

REF_HI, REF_BYE = "{$ref: '#/components/schemas/Hi'}", "{$ref: '#/components/schemas/Bye'}"
TALKS = (["Hi"], ["Bye", "Failed"])


@pytest.mark.parametrize(
    "extension",
    [
        f"x-websocket: {{clientMessages: {REF_HI}, serverMessages: [{REF_BYE}, Failed]}}",
        "x-websocket: {clientMessages: {$ref: '#/components/schemas/FromClient'}, serverMessages: FromServer}",
        "x-websocket-messages: {clientToServer: Hi, serverToClient: {$ref: '#/components/schemas/FromServer'}}",
        "x-websocket-messages: {client-to-server: [{name: Hi, payload: Hi}], server-to-client: [Bye, Failed]}",
        f"x-websocket-messages: {{client: [Hi], server: {{anyOf: [{REF_BYE}, Failed]}}}}".replace(
            "Failed]}", "{$ref: '#/components/schemas/Failed'}]}"
        ),
        "x-ws: {messages: {fromClient: [Hi], fromServer: [Bye, Failed]}}",
        "x-websocket: {messages: [{direction: c2s, schema: Hi}, {direction: s2c, schema: FromServer}]}",
        """
x-websocket:
  messages:
    Hi: {direction: 'client -> server', schema: {$ref: '#/components/schemas/Hi'}}
    Bye: {direction: 'server → client', schema: {$ref: '#/components/schemas/Bye'}}
    Failed: {direction: server-to-client, schema: {$ref: '#/components/schemas/Failed'}}
""",
        """
requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/FromClient'}}}}
x-dropshot-websocket: {}
responses:
  '101': {description: s}
  default: {description: s, content: {application/json: {schema: {$ref: '#/components/schemas/FromServer'}}}}
""",
    ],
)
def test_plain_words_and_bodies_are_read_silently(extension: str) -> None:
    document = endpoint(extension)
    if "x-dropshot" in extension:
        document = document.replace("      responses: {'101': {description: s}}\n", "", 1)
    api, diagnostics = read(document)
    assert (sent(api, CLIENT), sent(api, SERVER)) == TALKS
    assert diagnostics == []
    assert api.perspective == ""
    assert [message.payload.definition for message in api.messages] == ["Hi", "Bye", "Failed"]


@pytest.mark.parametrize(
    ("extension", "view"),
    [
        ("x-websocket-messages: {send: [Hi], receive: [Bye, Failed]}", "client"),
        ("x-websocket: {messages: {send: [Hi], receive: FromServer}}", "client"),
        ("x-websocket: {messageTypes: {incoming: [Hi], outgoing: [Bye, Failed]}}", "server"),
        ("x-websocket-message-schemas: {inbound: Hi, outbound: FromServer}", "server"),
        ("x-websocket-incoming: Hi\nx-websocket-outgoing: FromServer", "server"),
        ("x-websocket-message-schema-in: Hi\nx-websocket-message-schema-out: FromServer", "server"),
        (
            """
publish: {content: {application/json: {schema: {$ref: '#/components/schemas/Hi'}}}}
subscribe: {content: {application/json: {schema: {$ref: '#/components/schemas/FromServer'}}}}
""",
            "client",
        ),
    ],
)
def test_words_that_depend_on_the_view_are_read_as_usual_with_a_warning(extension: str, view: str) -> None:
    api, diagnostics = read(endpoint(extension))
    assert (sent(api, CLIENT), sent(api, SERVER)) == TALKS
    assert codes(diagnostics) == ["direction-assumed", "direction-assumed"]
    assert f"is read from the {view}'s point of view: the client sends these messages" in diagnostics[0]
    assert f"is read from the {view}'s point of view: the server sends these messages" in diagnostics[1]
    assert api.perspective == view


@pytest.mark.parametrize(
    ("extension", "perspective"),
    [
        ("x-websocket-messages: {send: [Bye, Failed], receive: [Hi]}", "server"),
        ("x-websocket-messages: {send: [Hi], receive: [Bye, Failed]}", "client"),
        ("x-websocket: {incoming: [Bye, Failed], outgoing: [Hi]}", "client"),
        ("x-websocket: {incoming: [Hi], outgoing: [Bye, Failed]}", "server"),
    ],
)
def test_the_perspective_decides_such_words_silently(extension: str, perspective: str) -> None:
    api, diagnostics = read(endpoint(extension), perspective)
    assert (sent(api, CLIENT), sent(api, SERVER)) == TALKS
    assert diagnostics == []
    assert api.perspective == perspective


def test_the_document_itself_can_say_whose_view_it_takes() -> None:
    api, diagnostics = read(
        "x-perspective: server\n" + endpoint("x-websocket-messages: {send: FromServer, receive: Hi}")
    )
    assert (sent(api, CLIENT), sent(api, SERVER)) == TALKS
    assert diagnostics == []


def test_messages_without_a_direction_may_be_sent_by_either_side_with_a_warning() -> None:
    api, diagnostics = read(endpoint("x-websocket: {messageTypes: {Hi: {description: d, schema: Hi}}}"))
    assert (sent(api, CLIENT), sent(api, SERVER)) == (["Hi"], ["Hi"])
    assert diagnostics == [
        "direction-assumed: nothing says who sends the message 'Hi': assumed that either side may",
    ]


def test_messages_at_the_root_are_those_of_endpoints_that_have_none() -> None:
    extension = "x-websocket-messages: {client: [Hi], server: [Bye, Failed]}\n"
    api, diagnostics = read(extension + endpoint(""))
    assert (sent(api, CLIENT), sent(api, SERVER)) == TALKS
    assert diagnostics == []


def test_the_root_can_describe_endpoints_by_path() -> None:
    extension = "x-websocket: {/ws: {clientMessages: [Hi], serverMessages: [Bye, Failed]}}\n"
    api, diagnostics = read(extension + "paths: {}" + SCHEMAS)
    assert [channel.address for channel in api.channels] == ["/ws"]
    assert (sent(api, CLIENT), sent(api, SERVER)) == TALKS
    assert diagnostics == []


def test_the_extension_may_stand_on_the_path_item_with_parameters_and_security() -> None:
    api, _ = read("""
paths:
  /ws:
    x-websocket:
      parameters: [{name: room, in: query, required: true, schema: {type: string}}]
      security: [{token: []}]
      clientMessages: [Hi]
components:
  securitySchemes: {token: {type: http, scheme: Bearer}}
  schemas: {Hi: {type: object}}
""")
    channel = api.channels[0]
    assert [(parameter.wire_name, parameter.required) for parameter in channel.query] == [("room", True)]
    assert channel.security == ((ir.Requirement("token"),),)
    assert [(scheme.name, scheme.scheme) for scheme in api.security_schemes] == [("token", "bearer")]


def test_members_of_a_union_are_named_by_reference_title_constant_or_only_property() -> None:
    api, _ = read(
        endpoint("""
x-websocket:
  serverMessages:
    oneOf:
      - $ref: '#/components/schemas/Hi'
      - {title: Told, type: object}
      - {type: object, properties: {type: {enum: [tagged]}}}
      - {type: object, required: [delta], properties: {delta: {type: string}}}
      - {description: again, allOf: [{$ref: '#/components/schemas/Bye'}]}
      - {type: string}
""")
    )
    assert sent(api, SERVER) == ["Hi", "Told", "tagged", "delta", "Bye", "ws server message"]
    assert [message.payload.definition for message in api.messages] == ["Hi", "", "", "", "Bye", ""]
    assert api.message("Bye").description == "again"


def test_a_union_that_says_more_than_its_members_stays_one_message() -> None:
    api, _ = read(
        endpoint(
            "x-websocket: {clientMessages: [Both]}",
            more="""
components:
  schemas:
    Both: {required: [id], oneOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/B'}]}
    A: {type: object}
    B: {type: object}
""",
        )
    )
    assert sent(api, CLIENT) == ["Both"]


def test_a_union_that_the_author_names_stays_one_message() -> None:
    api, _ = read(endpoint("x-websocket: {serverMessages: {event: FromServer}}"))
    assert sent(api, SERVER) == ["event"]


def test_a_union_within_itself_ends() -> None:
    api, _ = read(
        endpoint(
            "x-websocket: {clientMessages: [Loop]}",
            more="""
components:
  schemas:
    Loop: {oneOf: [{$ref: '#/components/schemas/Loop'}, {$ref: '#/components/schemas/A'}]}
    A: {type: object, properties: {a: {}}}
""",
        )
    )
    assert sent(api, CLIENT) == ["A"]


def test_message_objects_say_more_than_a_schema() -> None:
    api, diagnostics = read(
        endpoint("""
x-websocket:
  clientMessages:
    ask:
      title: Ask
      summary: A question
      description: Asks.
      deprecated: true
      x-python-name: Question
      payload: {$ref: '#/components/schemas/Hi'}
      examples: [{name: one, summary: s, payload: {type: hi}}, {type: hi, id: '2'}]
      correlationId: '#/id'
      reply: [answer, Failed]
    sound: {contentType: application/octet-stream, payload: {type: string, format: binary}}
    bare: null
  serverMessages:
    answer: {content: {application/json: {schema: {$ref: '#/components/schemas/Bye'}}}}
    Failed: Failed
""")
    )
    assert diagnostics == []
    ask = api.message("ask")
    assert (ask.title, ask.summary, ask.description) == ("Ask", "A question", "Asks.")
    assert (ask.deprecated, ask.name_hint, ask.correlation) == (True, "Question", ("id",))
    assert [(example.name, example.summary, example.payload) for example in ask.examples] == [
        ("one", "s", {"type": "hi"}),
        ("", "", {"type": "hi", "id": "2"}),
    ]
    assert api.message("sound").payload.content is ir.Content.BINARY
    assert api.message("bare").payload == ir.Payload(ir.Anything())
    reply = next(operation.reply for operation in api.operations if operation.name == "ask")
    assert reply is not None
    assert reply.messages == ("answer", "Failed")
    assert api.message("Failed").is_error


def test_a_message_with_two_media_types_is_two_messages() -> None:
    content = "{application/json: {schema: {type: object}}, audio/opus: {schema: {type: string, format: binary}}}"
    api, _ = read(endpoint(f"x-websocket: {{serverMessages: {{sound: {{content: {content}}}}}}}"))
    assert [(message.name, message.payload.content) for message in api.messages] == [
        ("sound", ir.Content.JSON),
        ("sound opus", ir.Content.BINARY),
    ]


def test_the_items_of_a_stream_are_messages() -> None:
    api, _ = read(
        "paths: {/ws: {get: {responses: {'101': {description: s, content: "
        "{application/jsonl: {itemSchema: {$ref: '#/components/schemas/FromServer'}}}}}}}}" + SCHEMAS
    )
    assert [(m.name, m.payload.content) for m in api.messages] == [
        ("Bye", ir.Content.JSON),
        ("Failed", ir.Content.JSON),
    ]


def test_a_message_of_two_endpoints_is_one_message_with_operations_of_each() -> None:
    api, diagnostics = read(
        "paths:\n  /a: {get: {x-websocket: {clientMessages: [Hi]}}}\n  /b: {get: {x-websocket: {clientMessages: [Hi]}}}"
        + SCHEMAS
    )
    assert [message.name for message in api.messages] == ["Hi"]
    assert [(operation.name, operation.channel) for operation in api.operations] == [("Hi", "a"), ("b Hi", "b")]
    assert diagnostics == []


def test_messages_of_one_name_and_different_payloads_are_told_apart() -> None:
    api, diagnostics = read("""
paths:
  /a:
    get:
      x-websocket:
        clientMessages: {chat: {type: object, properties: {text: {}}}}
        serverMessages: {chat: {type: object, properties: {text: {}, from: {}}}}
  /b:
    get:
      x-websocket:
        clientMessages: {chat: {type: object, description: the same, properties: {text: {}}}}
        serverMessages: {chat: {type: object, properties: {other: {}}}}
""")
    assert [message.name for message in api.messages] == ["chat", "server chat", "b chat"]
    assert [operation.messages for operation in api.operations] == [("chat",), ("server chat",), ("chat",), ("b chat",)]
    assert codes(diagnostics) == ["message-renamed", "message-renamed"]


def test_subprotocols_and_close_codes_are_read_in_every_form() -> None:
    api, diagnostics = read(
        endpoint("""
x-websocket:
  subprotocols: [a, {name: b}]
  closeCodes: {"4001": Go away, 4002: {description: Later}, 77: never}
x-websocket-subprotocol: c
x-websocket-close-codes: [{code: 4003, reason: Full}]
x-websocket-messages: {client: [Hi]}
""")
    )
    assert api.channels[0].subprotocols == ("a", "b", "c")
    assert [(code.code, code.meaning) for code in api.channels[0].close_codes] == [
        (4001, "Go away"),
        (4002, "Later"),
        (4003, "Full"),
    ]
    assert codes(diagnostics) == ["bad-close-code"]


# --- servers ----------------------------------------------------------------------------------------------------------

SOCKET = "paths: {/ws: {get: {x-websocket: true}}}"


@pytest.mark.parametrize(
    ("server", "url", "code"),
    [
        ("{url: 'wss://a.b/c/'}", "wss://a.b/c", ""),
        ("{url: 'https://a.b'}", "wss://a.b", "server-read-as-websocket"),
        ("{url: 'HTTP://a.b:8080/c'}", "ws://a.b:8080/c", "server-read-as-websocket"),
        ("{url: '{scheme}://a.b', variables: {scheme: {enum: [ws, wss], default: wss}}}", "wss://a.b", ""),
        ("{url: '{base}/v1', variables: {base: {default: 'wss://a.b'}}}", "wss://a.b/v1", ""),
    ],
)
def test_a_server_is_read_as_a_websocket_server(server: str, url: str, code: str) -> None:
    api, diagnostics = read(f"servers: [{server}]\n{SOCKET}")
    assert [one.url for one in api.servers] == [url]
    assert codes(diagnostics)[:1] == [code or "no-websocket-messages"]


def test_servers_without_a_websocket_scheme_are_left_out_beside_those_with_one() -> None:
    api, _ = read(f"servers: [{{url: 'https://a'}}, {{url: 'wss://b'}}, {{url: /}}]\n{SOCKET}")
    assert [server.url for server in api.servers] == ["wss://b"]


@pytest.mark.parametrize(
    ("url", "address", "code"),
    [
        ("/", "/ws", "server-without-host"),
        ("/v1/", "/v1/ws", "server-without-host"),
        ("mqtt://a", "/ws", "server-not-understood"),
    ],
)
def test_a_server_that_cannot_be_connected_to_is_no_server(url: str, address: str, code: str) -> None:
    api, diagnostics = read(f"servers: [{{url: '{url}'}}]\n{SOCKET}")
    assert api.servers == ()
    assert api.channels[0].address == address
    assert codes(diagnostics)[0] == code


def test_servers_of_operations_and_paths_have_names_of_their_own() -> None:
    api, _ = read("""
servers: [{url: 'wss://a', name: main}]
paths:
  /a: {get: {x-websocket: true}}
  /b: {get: {x-websocket: true, servers: [{url: 'wss://b'}]}}
  /c: {get: {x-websocket: true}, servers: [{url: 'wss://b'}, {url: 'wss://c'}]}
""")
    assert [(server.name, server.url) for server in api.servers] == [
        ("main", "wss://a"),
        ("server2", "wss://b"),
        ("server3", "wss://c"),
    ]
    assert [channel.servers for channel in api.channels] == [("main",), ("server2",), ("server2", "server3")]


def test_server_variables_have_their_values_and_default() -> None:
    api, _ = read(
        "servers: [{url: 'wss://{region}.a/{x}', variables: {region: {enum: [eu, us], default: eu, description: d}}}]\n"
        + SOCKET
    )
    region, other = api.servers[0].variables
    assert (region.wire_name, region.values, region.default, region.description) == ("region", ("eu", "us"), "eu", "d")
    assert (other.wire_name, other.values, other.default) == ("x", (), None)


# --- parameters and security ------------------------------------------------------------------------------------------


def test_parameters_of_the_operation_win_over_those_of_the_path() -> None:
    api, diagnostics = read("""
paths:
  /rooms/{room}/{seat}:
    parameters:
      - {name: room, in: path, required: true, schema: {type: string}}
      - {name: page, in: query, description: of the path, schema: {type: string}}
      - {name: gone, in: path, required: true, schema: {type: string}}
    get:
      x-websocket: {clientMessages: {a: {type: object}}}
      parameters:
        - {name: page, in: query, description: own, schema: {type: integer, default: 1, enum: [1, 2]}, example: 2}
        - $ref: '#/components/parameters/Trace'
        - {name: Sec-WebSocket-Protocol, in: header, schema: {enum: [v1, v2]}}
        - {name: Upgrade, in: header, schema: {type: string}}
        - {name: session, in: cookie, schema: {type: string}}
components:
  parameters:
    Trace: {name: X-Trace, in: header, required: true, content: {text/plain: {schema: {type: string, format: uuid}}}}
""")
    channel = api.channels[0]
    assert [parameter.wire_name for parameter in channel.parameters] == ["room", "seat"]
    assert [
        (parameter.wire_name, parameter.description, parameter.required, parameter.default, parameter.values)
        for parameter in channel.query
    ] == [("page", "own", False, "1", ("1", "2"))]
    assert channel.query[0].examples == ("2",)
    assert [(header.wire_name, header.type, header.required) for header in channel.headers] == [
        ("X-Trace", ir.Scalar(ir.Kind.UUID), True)
    ]
    assert channel.subprotocols == ("v1", "v2")
    assert sorted(codes(diagnostics)) == ["parameter-left-out", "path-parameter-undeclared", "path-parameter-unused"]


def test_security_of_the_operation_replaces_that_of_the_document() -> None:
    api, _ = read("""
security: [{key: []}, {login: [read], key: []}]
paths:
  /a: {get: {x-websocket: true}}
  /b: {get: {x-websocket: true, security: []}}
  /c: {get: {x-websocket: true, security: [{}, {key: []}]}}
components:
  securitySchemes:
    unused: {type: mutualTLS}
    key: {type: apiKey, in: query, name: token}
    login: {type: oauth2, flows: {implicit: {scopes: {read: Reads}}, password: {scopes: {read: again, write: Writes}}}}
""")
    key = ir.Requirement("key")
    assert [channel.security for channel in api.channels] == [
        ((key,), (ir.Requirement("login", ("read",)), key)),
        (),
        ((), (key,)),
    ]
    assert [
        (scheme.name, scheme.type, scheme.parameter_in, scheme.parameter_name, scheme.scopes)
        for scheme in api.security_schemes
    ] == [
        ("key", "apiKey", "query", "token", ()),
        ("login", "oauth2", "", "", (("read", "Reads"), ("write", "Writes"))),
    ]


# --- real and broken documents ----------------------------------------------------------------------------------------


def test_the_production_document_of_kittycad_gives_its_unions_message_by_message(shared: Path) -> None:
    report = Report()
    path = shared / "corpus" / "openapi" / "KittyCAD__kittycad.ts" / "spec.json"
    api = openapi.read(Documents(load(path, name="spec.json", report=report), report), report)
    assert [channel.name for channel in api.channels] == [
        "create_executor_term",
        "ml_copilot_ws",
        "ml_reasoning_ws",
        "modeling_commands_ws",
    ]
    commands = api.channels[3]
    assert [message.name for message in api.messages_of(commands, CLIENT)] == [
        "ping",
        "headers",
        "trickle_ice",
        "sdp_offer",
        "modeling_cmd_req",
        "modeling_cmd_batch_req",
        "metrics_response",
        "debug",
    ]
    assert [message.name for message in api.messages_of(commands, SERVER)] == [
        "SuccessWebSocketResponse",
        "FailureWebSocketResponse",
    ]
    assert [parameter.wire_name for parameter in api.channels[2].parameters] == ["id"]


@pytest.mark.parametrize(
    "extension",
    [
        "x-websocket: 5",
        "x-websocket: []",
        "x-websocket: {clientMessages: 5, serverMessages: [null, 7, [], {}], closeCodes: [], subprotocols: {}}",
        "x-websocket: {clientMessages: {}, serverMessages: []}",
        "x-websocket: {messages: true}",
        "x-websocket-messages: [{direction: sideways, payload: []}]",
        "x-websocket: {clientMessages: {a: {payload: 5}, b: {schema: nothing}, c: {content: {a/b: 5}}}}",
        "parameters: {a: b}\nsecurity: {a: b}\nservers: [null, {url: 5}]\nx-websocket: true",
        "x-websocket: {clientMessages: {a: {payload: {type: object}, reply: {x: y}, correlationId: [1], examples: 5}}}",
    ],
)
def test_values_of_the_wrong_kind_are_no_reason_to_fall_over(extension: str) -> None:
    api, _ = read(endpoint(extension))
    assert [channel.address for channel in api.channels] == ["/ws"]
