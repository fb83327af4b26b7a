"""AsyncAPI documents as WebSocket APIs: servers, channels, operations, messages, traits, security, whose view it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sockspec import ir
from sockspec.diagnostics import Location, Report
from sockspec.spec import asyncapi
from sockspec.spec.resolve import Documents
from sockspec.spec.source import load, load_text

CLIENT, SERVER = ir.Direction.CLIENT_TO_SERVER, ir.Direction.SERVER_TO_CLIENT
STRING = ir.Scalar(ir.Kind.STRING)
NOWHERE = Location("")


def read(document: str, *, version: str = "3.0.0", perspective: str | None = None) -> tuple[ir.Api, list[str]]:
    """The API of a document, and the codes of its diagnostics."""
    report = Report()
    written = f'asyncapi: {version}\ninfo: {{title: Chat, version: "1"}}\n{document}'
    documents = Documents(load_text(written, path=Path("/nowhere/d.yaml"), name="d.yaml", report=report), report)
    api = asyncapi.read(documents, report, perspective=perspective)
    return api, [found.code.id for found in report.sorted()]


def version_2(document: str, *, perspective: str | None = None) -> tuple[ir.Api, list[str]]:
    """The same of an AsyncAPI 2.6 document."""
    return read(document, version="2.6.0", perspective=perspective)


def chat(extra: str = "", *, channel: str = "address: /chat", actions: str = "hi: receive, bye: send") -> str:
    """A document with one channel, two messages, and an operation named after each."""
    named = [pair.split(": ") for pair in actions.split(", ")]
    operations = "".join(
        f"  {name}: {{action: {action}, channel: {{$ref: '#/channels/chat'}}, "
        f"messages: [{{$ref: '#/channels/chat/messages/{name}'}}]}}\n"
        for name, action in named
    )
    messages = ", ".join(f"{name}: {{payload: {{type: string}}}}" for name, _ in named)
    return f"channels:\n  chat: {{{channel}, messages: {{{messages}}}}}\noperations:\n{operations}{extra}"


def message(members: str, *, version: str = "3.0.0", components: str = "") -> tuple[ir.Message, list[str]]:
    """A message with these members, which the server sends."""
    if version.startswith("3"):
        body = (
            f"channels: {{chat: {{address: /chat, messages: {{hi: {{{members}}}}}}}}}\n"
            f"operations: {{hi: {{action: send, channel: {{$ref: '#/channels/chat'}}}}}}\n{components}"
        )
    else:
        body = f"channels: {{/chat: {{subscribe: {{operationId: hi, message: {{{members}}}}}}}}}\n{components}"
    api, codes = read(body, version=version, perspective="server")
    return api.messages[0], codes


def directions(api: ir.Api) -> dict[str, ir.Direction]:
    return {operation.name: operation.direction for operation in api.operations}


def said(codes: list[str], *silent: str) -> list[str]:
    """The codes but for those of what every small document leaves unsaid."""
    return [code for code in codes if code not in ("perspective-assumed", "no-server", *silent)]


# --- whose view it is -------------------------------------------------------------------------------------------------


def test_a_document_speaks_for_the_server_unless_it_says_otherwise() -> None:
    api, codes = read(chat())
    assert directions(api) == {"hi": CLIENT, "bye": SERVER}
    assert api.perspective == "server"
    assert "perspective-assumed" in codes


@pytest.mark.parametrize("place", ["x-perspective: client\n", None])
def test_the_perspective_comes_from_the_option_or_the_document(place: str | None) -> None:
    api, codes = read(chat(place or ""), perspective=None if place else "client")
    assert directions(api) == {"hi": SERVER, "bye": CLIENT}
    assert api.perspective == "client"
    assert "perspective-assumed" not in codes


def test_the_option_wins_over_the_document() -> None:
    api, _ = read(chat("x-perspective: client\n"), perspective="server")
    assert directions(api) == {"hi": CLIENT, "bye": SERVER}


def test_publish_of_version_2_is_what_clients_send_to_a_server() -> None:
    document = "channels: {/chat: {publish: {operationId: p}, subscribe: {operationId: s}}}\n"
    both = "channels: {/chat: {publish: {operationId: p, message: {}}, subscribe: {operationId: s, message: {}}}}\n"
    assert directions(version_2(both)[0]) == {"p": CLIENT, "s": SERVER}
    assert directions(version_2(both, perspective="client")[0]) == {"p": SERVER, "s": CLIENT}
    assert version_2(document)[0].messages == ()


def test_names_that_contradict_their_actions_are_reported_once() -> None:
    _, codes = read(chat(actions="sendHi: receive, onBye: send, handleIt: send"))
    assert codes.count("perspective-suspicious") == 1


def test_names_that_agree_with_their_actions_are_not_reported() -> None:
    _, codes = read(chat(actions="onHi: receive, sendBye: send, online: send"))
    assert "perspective-suspicious" not in codes


def test_a_perspective_that_was_said_is_not_suspicious() -> None:
    _, codes = read(chat(actions="sendHi: receive, onBye: send"), perspective="server")
    assert "perspective-suspicious" not in codes


# --- servers ----------------------------------------------------------------------------------------------------------


def urls(servers: str, **options: str) -> tuple[list[str], list[str]]:
    api, codes = read(f"servers: {{{servers}}}\n" + chat(), **options)
    return [server.url for server in api.servers], said(codes)


def test_a_server_of_version_3_is_protocol_host_and_pathname() -> None:
    assert urls("a: {host: 'x.example:1', protocol: wss, pathname: /v1}") == (["wss://x.example:1/v1"], [])
    assert urls("a: {host: x.example, protocol: ws, pathname: v1/}") == (["ws://x.example/v1"], [])
    assert urls("a: {host: x.example, protocol: ws}") == (["ws://x.example"], [])


@pytest.mark.parametrize("url", ["wss://x.example/v1", "x.example/v1", "wss://x.example/v1/"])
def test_a_server_of_version_2_is_a_url_with_or_without_a_scheme(url: str) -> None:
    api, _ = version_2(f"servers: {{a: {{url: '{url}', protocol: wss}}}}\nchannels: {{/c: {{}}}}\n")
    assert [server.url for server in api.servers] == ["wss://x.example/v1"]


def test_a_scheme_inside_a_host_is_taken_off() -> None:
    assert urls("a: {host: 'ws://localhost:8080', protocol: ws}") == (["ws://localhost:8080"], ["scheme-in-host"])


def test_servers_of_other_protocols_are_left_out() -> None:
    found = urls("a: {host: x.example, protocol: kafka}, b: {host: x.example, protocol: wss}")
    assert found == (["wss://x.example"], [])


def test_http_servers_are_websocket_servers_where_channels_have_bindings() -> None:
    bound = chat(channel="address: /chat, bindings: {ws: {}}")
    api, codes = read("servers: {a: {host: x.example, protocol: https}}\n" + bound)
    assert [server.url for server in api.servers] == ["wss://x.example"]
    assert said(codes) == ["http-as-websocket"]


def test_no_websocket_server_is_an_error_that_names_the_protocols() -> None:
    found, codes = urls("a: {host: x.example, protocol: kafka}")
    assert found == []
    assert "no-websocket-server" in codes


def test_variables_of_a_server_keep_their_values_and_defaults() -> None:
    server = "{host: '{region}.example', protocol: wss, variables: {region: {enum: [eu, us], default: eu}}}"
    api, _ = read(f"servers: {{a: {server}}}\n" + chat())
    (variable,) = api.servers[0].variables
    assert (variable.wire_name, variable.values, variable.default) == ("region", ("eu", "us"), "eu")
    assert variable.type == ir.Constant(("eu", "us"))


def test_websocket_servers_are_preferred_to_http_servers() -> None:
    bound = chat(channel="address: /chat, bindings: {$ref: '#/components/channelBindings/b'}")
    servers = "servers: {a: {host: a.example, protocol: https}, b: {host: b.example, protocol: wss}}\n"
    api, codes = read(servers + bound + "components: {channelBindings: {b: {ws: {}}}}\n")
    assert [server.url for server in api.servers] == ["wss://b.example"]
    assert said(codes) == []


def test_a_query_of_a_host_is_a_query_parameter_of_the_channels() -> None:
    api, codes = read("servers: {a: {host: 'x.example/v2/live?token={T}&v=2', protocol: wss}}\n" + chat())
    assert [server.url for server in api.servers] == ["wss://x.example/v2/live"]
    assert [(one.wire_name, one.default) for one in api.channels[0].query] == [("token", None), ("v", "2")]
    assert said(codes) == ["scheme-in-host"]


def test_a_url_of_version_2_may_end_in_an_empty_query() -> None:
    api, codes = version_2("servers: {a: {url: 'wss://x.example/v1?', protocol: wss}}\nchannels: {/c: {}}\n")
    assert [server.url for server in api.servers] == ["wss://x.example/v1"]
    assert said(codes) == []


def test_a_document_without_servers_is_fine() -> None:
    assert "no-server" in read(chat())[1]


# --- security ---------------------------------------------------------------------------------------------------------

SCHEMES = """
components:
  securitySchemes:
    token: {type: http, scheme: Bearer, bearerFormat: JWT}
    key: {type: httpApiKey, in: query, name: api_key}
    login: {type: oauth2, flows: {password: {tokenUrl: 'https://x.example', SCOPES: {read: may read}}}}
"""


def test_requirements_of_version_2_are_alternatives_of_names_with_scopes() -> None:
    servers = "servers: {a: {url: x.example, protocol: wss, security: [{token: [], login: [read]}, {key: []}]}}\n"
    api, _ = version_2(servers + "channels: {/c: {}}\n" + SCHEMES.replace("SCOPES", "scopes"))
    both = (ir.Requirement("token"), ir.Requirement("login", ("read",)))
    assert api.servers[0].security == (both, (ir.Requirement("key"),))


def test_security_of_version_3_is_a_list_of_schemes() -> None:
    scheme = "{$ref: '#/components/securitySchemes/token'}"
    servers = f"servers: {{a: {{host: x.example, protocol: wss, security: [{scheme}, {{type: X509}}]}}}}\n"
    api, _ = read(servers + chat(SCHEMES.replace("SCOPES", "availableScopes")))
    assert api.servers[0].security == ((ir.Requirement("token"),), (ir.Requirement("X509"),))


def test_scopes_that_a_scheme_of_version_3_lists_are_what_is_asked_for() -> None:
    servers = "servers: {a: {host: x.example, protocol: wss, security: [{type: oauth2, flows: {}, scopes: [read]}]}}\n"
    api, _ = read(servers + chat())
    assert api.servers[0].security == ((ir.Requirement("oauth2", ("read",)),),)


def test_schemes_are_described_in_the_terms_of_the_field() -> None:
    requirements = "[{token: []}, {key: []}, {login: [read]}]"
    servers = f"servers: {{a: {{url: x.example, protocol: wss, security: {requirements}}}}}\n"
    api, _ = version_2(servers + "channels: {/c: {}}\n" + SCHEMES.replace("SCOPES", "scopes"))
    token, key, login = (replace(scheme, location=NOWHERE) for scheme in api.security_schemes)
    assert token == ir.SecurityScheme("token", "http", NOWHERE, scheme="bearer", bearer_format="JWT")
    assert key == ir.SecurityScheme("key", "apiKey", NOWHERE, parameter_name="api_key", parameter_in="query")
    assert login == ir.SecurityScheme("login", "oauth2", NOWHERE, scopes=(("read", "may read"),))


@pytest.mark.parametrize(
    "kind",
    """userPassword X509 symmetricEncryption asymmetricEncryption http oauth2 openIdConnect plain scramSha256 scramSha512
    gssapi""".split(),
)
def test_schemes_of_every_kind_are_read(kind: str) -> None:
    servers = f"servers: {{a: {{host: x.example, protocol: wss, security: [{{type: {kind}}}]}}}}\n"
    assert [scheme.type for scheme in read(servers + chat())[0].security_schemes] == [kind]


def test_an_operation_keeps_its_own_security() -> None:
    operation = "{operationId: p, security: [{token: []}], message: {}}"
    api, _ = version_2(f"channels: {{/c: {{publish: {operation}}}}}\n" + SCHEMES.replace("SCOPES", "scopes"))
    assert api.operations[0].security == ((ir.Requirement("token"),),)


# --- channels ---------------------------------------------------------------------------------------------------------


def channel(members: str, extra: str = "") -> tuple[ir.Channel, list[str]]:
    api, codes = read(chat(extra, channel=members))
    return api.channels[0], said(codes)


def test_an_address_that_is_null_or_absent_is_known_at_run_time() -> None:
    assert channel("address: null")[0].address is None
    assert channel("title: t")[0].address is None


def test_parameters_of_version_3_are_strings() -> None:
    declared = "{room: {enum: [a, b], default: a, description: d, examples: [b]}}"
    found, codes = channel(f"address: '/chat/{{room}}', parameters: {declared}")
    room = ir.Parameter("room", ir.Constant(("a", "b")), NOWHERE, True, "d", "a", ("a", "b"), ("b",))
    assert [replace(one, location=NOWHERE) for one in found.parameters] == [room]
    assert codes == []


def test_parameters_of_version_2_keep_their_types() -> None:
    api, _ = version_2("channels: {'/c/{n}': {parameters: {n: {description: d, schema: {type: integer}}}}}\n")
    (parameter,) = api.channels[0].parameters
    assert parameter == ir.Parameter("n", ir.Scalar(ir.Kind.INTEGER), parameter.location, description="d")


def test_parameters_that_nothing_describes_are_strings() -> None:
    found, codes = channel("address: '/chat/{room}'")
    assert [(one.wire_name, one.type, one.required) for one in found.parameters] == [("room", STRING, True)]
    assert codes == []


def test_parameters_that_the_address_does_not_have_are_left_out() -> None:
    found, codes = channel("address: /chat, parameters: {room: {}}")
    assert (found.parameters, codes) == ((), [])


QUERY = "{type: object, required: [a], properties: {a: {type: integer, description: d}, b: {type: boolean}}}"


def test_the_binding_gives_query_parameters_and_headers() -> None:
    found, codes = channel(
        f"address: /chat, bindings: {{ws: {{query: {QUERY}, headers: {{$ref: '#/components/schemas/H'}}}}}}",
        "components: {schemas: {H: {type: object, properties: {X-Tag: {type: string}}}}}\n",
    )
    a = ir.Parameter("a", ir.Scalar(ir.Kind.INTEGER), NOWHERE, True, "d")
    b = ir.Parameter("b", ir.Scalar(ir.Kind.BOOLEAN), NOWHERE, False)
    assert [replace(one, location=NOWHERE) for one in found.query] == [a, b]
    assert [replace(one, location=NOWHERE) for one in found.headers] == [ir.Parameter("X-Tag", STRING, NOWHERE, False)]
    assert codes == []


@pytest.mark.parametrize(
    "place", ["x-ws: EXTENSION", "x-websocket: EXTENSION", "bindings: {ws: {x-ws: EXTENSION}}"], ids=str
)
def test_the_extension_gives_subprotocols_and_close_codes(place: str) -> None:
    extension = "{subprotocols: [chat.v1], closeCodes: {4401: unauthorized, 4402: {description: pay}}}"
    found, codes = channel("address: /chat, " + place.replace("EXTENSION", extension))
    assert found.subprotocols == ("chat.v1",)
    assert found.close_codes == (ir.CloseCode(4401, "unauthorized"), ir.CloseCode(4402, "pay"))
    assert codes == []


def test_channels_on_other_servers_are_left_out() -> None:
    servers = "servers: {k: {host: k.example, protocol: kafka}, w: {host: w.example, protocol: wss}}\n"
    channels = "channels: {a: {address: /a, servers: [{$ref: '#/servers/k'}]}, b: {address: /b}}\noperations: {}\n"
    api, codes = read(servers + channels)
    assert [one.name for one in api.channels] == ["b"]
    assert "channel-without-websocket" in codes


def test_a_channel_names_the_servers_that_it_is_on() -> None:
    servers = "servers: {v: {url: v.example, protocol: ws}, w: {url: w.example, protocol: ws}}\n"
    api, _ = version_2(servers + "channels: {/a: {servers: [w]}, /b: {}}\n")
    assert [one.servers for one in api.channels] == [("w",), ()]


def test_channels_with_bare_names_are_subscriptions_in_one_connection() -> None:
    api, codes = version_2(
        "channels:\n"
        "  trades: {subscribe: {operationId: t, message: {name: trade}}}\n"
        "  'book.{symbol}': {parameters: {symbol: {}}, subscribe: {operationId: b, message: {name: book}}}\n"
    )
    assert [(one.address, one.parameters) for one in api.channels] == [("", ())]
    assert {operation.channel for operation in api.operations} == {api.channels[0].name}
    assert said(codes, "payload-missing") == ["channels-are-subscriptions"]


def test_a_bare_name_among_paths_is_a_path() -> None:
    api, codes = version_2("channels: {/a: {}, trades: {}}\n")
    assert [one.address for one in api.channels] == ["/a", "/trades"]
    assert said(codes) == ["bare-address"]


def test_an_extension_says_what_a_channel_is() -> None:
    api, codes = version_2("channels: {trades: {x-channel: endpoint}, book: {x-channel: endpoint}}\n")
    assert [one.address for one in api.channels] == ["/trades", "/book"]
    assert said(codes) == ["bare-address", "bare-address"]


def test_a_whole_url_as_an_address_is_read_as_its_path() -> None:
    found, codes = channel(
        "address: 'ws://x.example/ws/{room}?lang={lang}', parameters: {room: {}, lang: {default: en}}"
    )
    assert found.address == "/ws/{room}"
    assert [one.wire_name for one in found.parameters] == ["room"]
    assert [(one.wire_name, one.default) for one in found.query] == [("lang", "en")]
    assert codes == []


def test_an_address_that_repeats_the_path_of_the_server_is_taken_once() -> None:
    servers = "servers: {a: {host: x.example, pathname: /v1/chat, protocol: wss}}\n"
    api, codes = read(servers + chat(channel="address: /v1/chat"))
    assert (api.servers[0].url, api.channels[0].address) == ("wss://x.example/v1/chat", "")
    assert said(codes) == ["path-repeated"]


def test_channels_with_one_address_are_one_endpoint() -> None:
    api, codes = read(
        "channels:\n"
        "  up: {address: /v1/live, messages: {a: {payload: {type: string}}}}\n"
        "  down: {address: /v1/live, messages: {b: {payload: {type: integer}}}}\n"
        "operations:\n"
        "  up: {action: receive, channel: {$ref: '#/channels/up'}}\n"
        "  down: {action: send, channel: {$ref: '#/channels/down'}}\n"
    )
    assert [(one.name, one.address) for one in api.channels] == [("live", "/v1/live")]
    assert [operation.channel for operation in api.operations] == ["live", "live"]
    assert said(codes) == ["channels-share-address"]


def test_a_subscription_that_says_so_joins_the_only_connection() -> None:
    api, _ = version_2(
        "channels:\n"
        "  /ws: {title: Live, publish: {operationId: p, message: {name: a}}}\n"
        "  trades: {x-channel: subscription, subscribe: {operationId: s, message: {name: b}}}\n"
    )
    assert [(one.name, one.address, one.title) for one in api.channels] == [("ws", "/ws", "Live")]
    assert [operation.channel for operation in api.operations] == ["ws", "ws"]


def test_a_single_bare_name_is_the_url_of_the_server() -> None:
    found, codes = channel("address: live")
    assert (found.name, found.address) == ("chat", "")
    assert codes == ["channels-are-subscriptions"]


def test_a_relative_path_is_a_path() -> None:
    assert channel("address: ws/chat")[0].address == "/ws/chat"


def test_a_channel_that_only_replies_come_on_is_no_endpoint() -> None:
    api, codes = read(
        "channels:\n"
        "  ask: {address: /ws, messages: {q: {payload: {type: string}}}}\n"
        "  answer: {address: null, messages: {r: {payload: {type: integer}}}}\n"
        "operations:\n"
        "  o: {action: receive, channel: {$ref: '#/channels/ask'}, reply: {channel: {$ref: '#/channels/answer'}}}\n"
    )
    assert [one.name for one in api.channels] == ["ask"]
    assert said(codes) == []


@pytest.mark.parametrize("code", ["'\u00b2'", "99", "5000", "open"])
def test_close_codes_that_are_none_are_left_out_and_reported(code: str) -> None:
    found, codes = channel(f"address: /chat, x-ws: {{closeCodes: {{{code}: why}}}}")
    assert (found.close_codes, codes) == ((), ["unusable-close-code"])


def test_query_parameters_may_come_from_several_schemas_that_all_hold() -> None:
    schema = "{allOf: [{$ref: '#/components/schemas/Q'}], properties: {b: {type: string}}, required: [a]}"
    found, _ = channel(
        f"address: /chat, bindings: {{ws: {{query: {schema}}}}}",
        "components: {schemas: {Q: {properties: {a: {type: string}}}}}\n",
    )
    assert [(one.wire_name, one.required) for one in found.query] == [("a", True), ("b", False)]


# --- operations -------------------------------------------------------------------------------------------------------

TWO = "channels: {chat: {address: /chat, messages: {a: {payload: {type: string}}, b: {payload: {type: integer}}}}}\n"


def operations(members: str) -> tuple[ir.Api, list[str]]:
    channel_of = "channel: {$ref: '#/channels/chat'}"
    api, codes = read(TWO + f"operations: {{o: {{action: send, {channel_of}, {members}}}}}\n")
    return api, said(codes)


def test_an_operation_without_a_list_has_all_messages_of_its_channel() -> None:
    assert operations("title: t")[0].operations[0].messages == ("a", "b")


def test_an_operation_with_an_empty_list_has_no_message() -> None:
    assert operations("messages: []")[0].operations[0].messages == ()


def test_an_operation_with_a_list_has_the_messages_that_it_names() -> None:
    assert operations("messages: [{$ref: '#/channels/chat/messages/b'}]")[0].operations[0].messages == ("b",)


def test_a_message_that_is_not_the_channels_is_taken() -> None:
    messages = "messages: [{$ref: '#/components/messages/M'}]"
    api, _ = read(
        f"channels: {{c: {{address: /c}}}}\noperations: {{o: {{action: send, channel: {{$ref: '#/channels/c'}}, {messages}}}}}\n"
        "components: {messages: {M: {payload: {type: string}}}}\n"
    )
    assert api.operations[0].messages == ("M",)


def test_a_channel_given_as_text_leaves_the_operation_out() -> None:
    api, _ = read(TWO + "operations: {o: {action: send, channel: chat}}\n")
    assert api.operations == ()


def test_a_document_without_operations_lets_both_sides_send_everything() -> None:
    api, codes = read(TWO)
    for side in ir.Direction:
        assert [one.name for one in api.messages_of(api.channels[0], side)] == ["a", "b"]
    assert said(codes) == ["no-operations"]


def test_a_reply_comes_on_the_channel_of_the_request() -> None:
    reply = "reply: {messages: [{$ref: '#/channels/chat/messages/b'}]}"
    api, codes = operations(f"messages: [{{$ref: '#/channels/chat/messages/a'}}], {reply}")
    operation = api.operations[0]
    assert operation.reply is not None
    assert (operation.messages, operation.reply.messages) == (("a",), ("b",))
    assert [one.name for one in api.messages] == ["a", "b"]
    assert codes == []


def test_a_reply_on_a_channel_without_address_answers_on_the_same_connection() -> None:
    api, _ = read(
        "channels:\n"
        "  ask: {address: /ws, messages: {q: {payload: {type: string}}}}\n"
        "  answer: {address: null, messages: {r: {payload: {type: integer}}}}\n"
        "operations:\n"
        "  o: {action: receive, channel: {$ref: '#/channels/ask'}, reply: {channel: {$ref: '#/channels/answer'}}}\n"
    )
    assert api.operations[0].reply is not None
    assert api.operations[0].reply.messages == ("r",)


def test_a_message_of_version_2_may_be_one_of_several() -> None:
    api, _ = version_2("channels: {/c: {publish: {message: {oneOf: [{name: a}, {name: b}]}}}}\n")
    assert api.operations[0].messages == ("a", "b")


def test_the_extension_x_response_is_a_reply() -> None:
    api, _ = version_2(
        "channels: {/c: {publish: {operationId: p, message: {name: ask}, x-response: {$ref: '#/components/messages/M'}}}}\n"
        "components: {messages: {M: {payload: {type: string}}}}\n"
    )
    assert api.operations[0].reply is not None
    assert (api.operations[0].messages, api.operations[0].reply.messages) == (("ask",), ("M",))


def test_an_operation_without_a_name_has_one_that_does_not_change() -> None:
    document = "channels: {/chat: {publish: {message: {}}, subscribe: {message: {}}}}\n"
    names = [operation.name for operation in version_2(document)[0].operations]
    assert names == ["publish chat", "subscribe chat"]
    assert [operation.name for operation in version_2(document)[0].operations] == names


def test_a_reply_on_another_endpoint_is_reported_and_left_out() -> None:
    api, codes = read(
        "channels:\n"
        "  ask: {address: /ask, messages: {q: {payload: {type: string}}}}\n"
        "  answer: {address: /answer, messages: {r: {payload: {type: integer}}}}\n"
        "operations:\n"
        "  o: {action: receive, channel: {$ref: '#/channels/ask'}, reply: {channel: {$ref: '#/channels/answer'}}}\n"
    )
    assert api.operations[0].reply is None
    assert said(codes) == ["reply-on-another-channel"]


def test_a_reply_without_a_list_is_any_other_message_of_the_channel() -> None:
    api, _ = operations("messages: [{$ref: '#/channels/chat/messages/a'}], reply: {}")
    assert api.operations[0].reply is not None
    assert api.operations[0].reply.messages == ("b",)


def test_messages_with_responses_of_their_own_are_operations_of_their_own() -> None:
    api, _ = version_2(
        "channels: {/c: {publish: {operationId: p, message: {oneOf: [\n"
        "  {name: ping, x-response: {$ref: '#/components/schemas/pong'}}, {name: note}]}}}}\n"
        "components:\n"
        "  messages: {pong: {payload: {$ref: '#/components/schemas/pong'}}}\n"
        "  schemas: {pong: {type: object}}\n"
    )
    found = [(one.name, one.messages, one.reply and one.reply.messages) for one in api.operations]
    assert found == [("p", ("note",), None), ("ping", ("ping",), ("pong",))]


def test_an_operation_on_a_channel_that_is_not_listed_is_left_out() -> None:
    api, _ = read(
        TWO + "operations: {o: {action: send, channel: {$ref: '#/components/channels/c'}}}\n"
        "components: {channels: {c: {address: /c}}}\n"
    )
    assert api.operations == ()


def test_messages_and_channels_that_no_operation_names_are_reported() -> None:
    api, codes = operations("messages: [{$ref: '#/channels/chat/messages/b'}]")
    assert [one.name for one in api.messages] == ["b"]
    assert codes == ["channel-message-not-used"]


def test_a_component_named_past_its_channel_is_the_channels_message_all_the_same() -> None:
    reference = "{$ref: '#/components/messages/M'}"
    api, codes = read(
        f"channels: {{c: {{address: /c, messages: {{m: {reference}}}}}}}\n"
        f"operations: {{o: {{action: send, channel: {{$ref: '#/channels/c'}}, messages: [{reference}]}}}}\n"
        "components: {messages: {M: {payload: {type: string}}}}\n"
    )
    assert api.operations[0].messages == ("M",)
    assert said(codes) == []


def test_unions_of_messages_within_one_another_are_opened() -> None:
    api, _ = version_2("channels: {/c: {publish: {message: {oneOf: [{name: a}, {oneOf: [{name: b}, {name: c}]}]}}}}\n")
    assert api.operations[0].messages == ("a", "b", "c")


# --- messages ---------------------------------------------------------------------------------------------------------


def names(document: str, *, version: str = "2.6.0") -> list[str]:
    return [one.name for one in read(document, version=version)[0].messages]


def test_a_message_of_version_2_is_called_by_its_id_its_name_or_its_key() -> None:
    document = (
        "channels: {/c: {publish: {operationId: p, message: {oneOf: [M]}}}}\n"
        "components: {messages: {key: {MEMBERS}}}\n".replace("M]", "{$ref: '#/components/messages/key'}]")
    )
    assert names(document.replace("MEMBERS", "messageId: id, name: name")) == ["id"]
    assert names(document.replace("MEMBERS", "name: name")) == ["name"]
    assert names(document.replace("MEMBERS", "title: t")) == ["key"]


def test_a_message_of_version_3_is_called_by_its_key_in_the_channel() -> None:
    assert message("name: other")[0].name == "hi"


def test_a_component_in_several_channels_is_one_message() -> None:
    reference = "{$ref: '#/components/messages/M'}"
    api, _ = read(
        f"channels: {{a: {{address: /a, messages: {{x: {reference}}}}}, b: {{address: /b, messages: {{y: {reference}}}}}}}\n"
        "operations:\n"
        "  a: {action: send, channel: {$ref: '#/channels/a'}}\n"
        "  b: {action: send, channel: {$ref: '#/channels/b'}}\n"
        "components: {messages: {M: {payload: {type: string}}}}\n"
    )
    assert [one.name for one in api.messages] == ["M"]
    assert [operation.messages for operation in api.operations] == [("M",), ("M",)]


def test_different_messages_with_one_key_have_names_of_their_own() -> None:
    api, _ = read(
        "channels:\n"
        "  a: {address: /a, messages: {m: {payload: {type: string}}}}\n"
        "  b: {address: /b, messages: {m: {payload: {type: integer}}}}\n"
        "operations:\n"
        "  a: {action: send, channel: {$ref: '#/channels/a'}}\n"
        "  b: {action: send, channel: {$ref: '#/channels/b'}}\n"
    )
    assert [one.name for one in api.messages] == ["m", "b m"]


def test_examples_keep_their_names() -> None:
    found, _ = message("payload: {}, examples: [{name: n, summary: s, payload: {a: 1}}]")
    assert [replace(one, location=NOWHERE) for one in found.examples] == [ir.Example({"a": 1}, NOWHERE, "n", "s")]


def test_the_content_type_is_the_messages_or_the_documents() -> None:
    assert message("payload: {type: string}, contentType: text/plain")[0].payload.content is ir.Content.TEXT
    document = "defaultContentType: text/plain\n"
    assert message("payload: {type: string}", components=document)[0].payload.content is ir.Content.TEXT
    assert message("payload: {type: string}")[0].payload.content is ir.Content.JSON


def test_headers_are_left_out_and_counted_once() -> None:
    _, codes = read(
        "channels: {chat: {address: /chat, messages: {a: {headers: {}, payload: {}}, b: {headers: {}, payload: {}}}}}\n"
        "operations: {o: {action: send, channel: {$ref: '#/channels/chat'}}}\n"
    )
    assert said(codes) == ["message-headers-ignored"]


def test_what_the_document_says_of_a_message_is_kept() -> None:
    found, _ = message("payload: {}, title: t, summary: s, description: d, x-deprecated: true, x-python-name: Hi")
    assert (found.title, found.summary, found.description) == ("t", "s", "d")
    assert (found.deprecated, found.name_hint) == (True, "Hi")


PAYLOAD = "payload: {type: object, properties: {a: {type: object, properties: {b/c: {type: string}}}}}"


def test_a_correlation_id_is_a_place_in_the_payload() -> None:
    found, codes = message(f"{PAYLOAD}, correlationId: {{location: '$message.payload#/a/b~1c'}}")
    assert (found.correlation, said(codes)) == (("a", "b/c"), [])


def test_a_correlation_id_in_the_headers_is_reported() -> None:
    found, codes = message(f"{PAYLOAD}, correlationId: {{location: '$message.header#/id'}}")
    assert (found.correlation, said(codes)) == ((), ["correlation-location"])


@pytest.mark.parametrize("location", ["$message.payload", "payload#/a", "$message.payload#a"])
def test_a_correlation_id_that_is_no_place_in_the_payload_is_left_out(location: str) -> None:
    found, codes = message(f"{PAYLOAD}, correlationId: {{location: '{location}'}}")
    assert (found.correlation, said(codes)) == ((), [])


def test_a_payload_of_another_format_is_not_typed() -> None:
    found, codes = message("payload: {schemaFormat: application/raml+yaml;version=1.0, schema: {}}")
    assert (found.payload.type, said(codes)) == (ir.Anything(), ["schema-format-not-read"])


def test_a_payload_with_a_known_format_is_read() -> None:
    found, codes = message("payload: {schemaFormat: application/schema+json;version=draft-07, schema: {type: string}}")
    assert (found.payload.type, said(codes)) == (STRING, [])


def test_the_same_words_under_two_channels_are_one_message() -> None:
    body = "{payload: {type: string}}"
    api, _ = read(
        f"channels: {{a: {{address: /a, messages: {{m: {body}}}}}, b: {{address: /b, messages: {{m: {body}}}}}}}\n"
        "operations:\n"
        "  a: {action: send, channel: {$ref: '#/channels/a'}}\n"
        "  b: {action: send, channel: {$ref: '#/channels/b'}}\n"
    )
    assert [operation.messages for operation in api.operations] == [("m",), ("m",)]


@pytest.mark.parametrize(
    ("closed", "places"),
    [
        ("", ("text", "ref")),
        (", additionalProperties: false", ("text",)),
        (", additionalProperties: {type: string}", ("text",)),
    ],
)
def test_a_correlation_id_that_the_schema_only_lets_in_is_an_optional_member(
    closed: str, places: tuple[str, ...]
) -> None:
    payload = f"payload: {{type: object, properties: {{text: {{type: string}}}}{closed}}}"
    found, _ = message(f"{payload}, correlationId: {{location: '$message.payload#/ref'}}")
    assert isinstance(found.payload.type, ir.Record)
    assert tuple(field.wire_name for field in found.payload.type.fields) == places
    assert found.correlation == (("ref",) if "ref" in places else ())


def test_a_correlation_id_that_the_payload_does_not_have_is_left_out() -> None:
    found, codes = message(f"{PAYLOAD}, correlationId: {{location: '$message.payload#/a/z'}}")
    assert (found.correlation, said(codes)) == ((), [])


def test_a_payload_with_a_format_may_be_a_component() -> None:
    found, codes = message(
        "payload: {$ref: '#/components/schemas/S'}",
        components="components: {schemas: {S: {schemaFormat: application/schema+json, schema: {type: string}}}}\n",
    )
    assert (found.payload.type, said(codes)) == (STRING, [])


def test_a_payload_in_a_binary_format_is_bytes() -> None:
    found, codes = message("payload: {schemaFormat: application/vnd.google.protobuf;version=3, schema: 'message A {}'}")
    assert (found.payload.content, said(codes)) == (ir.Content.BINARY, ["schema-format-not-read"])


def test_a_content_type_that_nobody_here_writes_is_json_with_a_warning() -> None:
    assert said(message("payload: {type: object}, contentType: application/cbor")[1]) == ["content-read-as-json"]
    assert said(message("payload: {type: object}, contentType: application/vnd.x+json; charset=utf-8")[1]) == []


def test_examples_of_version_2_0_may_be_payloads() -> None:
    found, _ = message("payload: {}, examples: [{a: 1}, {payload: {a: 2}}]", version="2.0.0")
    assert [example.payload for example in found.examples] == [{"a": 1}, {"a": 2}]


def test_five_thousand_messages_are_read_and_named() -> None:
    listed = "\n".join(
        f"      m{n}: {{payload: {{type: object, properties: {{n: {{const: {n}}}}}}}}}" for n in range(5000)
    )
    api, _ = read(
        f"channels:\n  c:\n    address: /c\n    messages:\n{listed}\n"
        "operations: {o: {action: send, channel: {$ref: '#/channels/c'}}}\n"
    )
    assert len(api.operations[0].messages) == 5000
    assert len({one.name for one in api.messages}) == 5000


ERRORS = "channels: {c: {address: /c, messages: {m: {payload: PAYLOAD}}}}\n"


@pytest.mark.parametrize("constant", ["const: error", "enum: [error]"])
def test_the_error_message_is_what_the_server_sends_with_the_type_error(constant: str) -> None:
    payload = f"{{type: object, properties: {{type: {{{constant}}}}}}}"
    operation = "operations: {o: {action: ACTION, channel: {$ref: '#/channels/c'}}}\n"
    sent = read(ERRORS.replace("PAYLOAD", payload) + operation.replace("ACTION", "send"))[0]
    received = read(ERRORS.replace("PAYLOAD", payload) + operation.replace("ACTION", "receive"))[0]
    assert (sent.messages[0].is_error, received.messages[0].is_error) == (True, False)


# --- traits -----------------------------------------------------------------------------------------------------------

TRAITS = "title: own, tags: [{name: own}], traits: [{title: first, summary: first}, {summary: second, payload: {}}]"


def test_the_object_wins_over_its_traits_in_version_3() -> None:
    found, _ = message(f"payload: {{type: string}}, {TRAITS}")
    assert (found.title, found.summary, found.payload.type) == ("own", "second", STRING)


def test_the_last_trait_wins_over_the_object_in_version_2() -> None:
    found, _ = message(f"payload: {{type: string}}, {TRAITS}", version="2.6.0")
    assert (found.title, found.summary, found.payload.type) == ("first", "second", STRING)


def test_traits_are_merged_deeply_and_followed() -> None:
    found, _ = message(
        f"{PAYLOAD}, correlationId: {{description: d}}, traits: [{{$ref: '#/components/messageTraits/T'}}]",
        components="components: {messageTraits: {T: {correlationId: {location: '$message.payload#/a'}}}}\n",
    )
    assert found.correlation == ("a",)


def test_operations_have_traits_too() -> None:
    own = "description: own, traits: [{title: t, description: of the trait}]"
    assert [(o.title, o.description) for o in operations(own)[0].operations] == [("t", "own")]
    api, _ = version_2(f"channels: {{/c: {{publish: {{message: {{}}, {own}}}}}}}\n")
    assert [(o.title, o.description) for o in api.operations] == [("t", "of the trait")]


# --- both majors ------------------------------------------------------------------------------------------------------

SCHEMAS = """
  securitySchemes: {token: {type: http, scheme: bearer}}
  schemas:
    Text: {type: string, maxLength: 100}
  messages:
    say:
      title: Say
      payload:
        {type: object, required: [id], properties: {id: {type: string}, text: {$ref: '#/components/schemas/Text'}}}
      correlationId: {location: '$message.payload#/id'}
    said:
      summary: Somebody spoke
      payload: {type: object, properties: {type: {const: said}}}
      examples: [{payload: {type: said}}]
    error: {payload: {type: object, properties: {type: {const: error}}}}
"""

IN_2 = f"""
servers:
  main:
    url: wss://{{region}}.example.com/v1
    protocol: wss
    variables: {{region: {{default: eu}}}}
    security: [{{token: []}}]
channels:
  /chat/{{room}}:
    description: A room
    parameters: {{room: {{description: Which, schema: {{type: string, enum: [a, b]}}}}}}
    bindings: {{ws: {{query: {{type: object, properties: {{since: {{type: integer}}}}}}}}}}
    publish: {{operationId: say, summary: Say something, message: {{$ref: '#/components/messages/say'}}}}
    subscribe:
      operationId: hear
      message: {{oneOf: [{{$ref: '#/components/messages/said'}}, {{$ref: '#/components/messages/error'}}]}}
components:{SCHEMAS}"""

IN_3 = f"""
servers:
  main:
    host: '{{region}}.example.com'
    pathname: /v1
    protocol: wss
    variables: {{region: {{default: eu}}}}
    security: [{{$ref: '#/components/securitySchemes/token'}}]
channels:
  chat:
    address: /chat/{{room}}
    description: A room
    parameters: {{room: {{description: Which, enum: [a, b]}}}}
    bindings: {{ws: {{query: {{type: object, properties: {{since: {{type: integer}}}}}}}}}}
    messages:
      say: {{$ref: '#/components/messages/say'}}
      said: {{$ref: '#/components/messages/said'}}
      error: {{$ref: '#/components/messages/error'}}
operations:
  say:
    action: receive
    channel: {{$ref: '#/channels/chat'}}
    summary: Say something
    messages: [{{$ref: '#/channels/chat/messages/say'}}]
  hear:
    action: send
    channel: {{$ref: '#/channels/chat'}}
    messages: [{{$ref: '#/channels/chat/messages/said'}}, {{$ref: '#/channels/chat/messages/error'}}]
components:{SCHEMAS}"""


def placeless(value: object) -> object:
    """A value of the API without the places of anything in it."""
    if isinstance(value, Location):
        return None
    if isinstance(value, tuple):
        return tuple(placeless(item) for item in value)
    fields = getattr(type(value), "__dataclass_fields__", None)
    return value if fields is None else (type(value).__name__, *(placeless(getattr(value, name)) for name in fields))


def test_a_service_is_the_same_in_both_majors() -> None:
    two, three = version_2(IN_2)[0], read(IN_3)[0]
    assert placeless(two.servers) == placeless(three.servers)
    assert placeless(two.channels) == placeless(three.channels)
    assert placeless(two.operations) == placeless(three.operations)
    assert placeless(two.messages) == placeless(three.messages)
    assert placeless(two.definitions) == placeless(three.definitions)
    assert placeless(two.security_schemes) == placeless(three.security_schemes)
    assert two.schemas == three.schemas


# --- real documents ---------------------------------------------------------------------------------------------------


def official(shared: Path, name: str) -> tuple[ir.Api, list[str]]:
    report = Report()
    document = load(shared / "corpus" / "asyncapi-official" / name, name="d.yml", report=report)
    api = asyncapi.read(Documents(document, report), report)
    return api, [found.code.id for found in report.sorted()]


@pytest.mark.parametrize(
    "name", ["examples-v3.0.0/websocket-gemini-asyncapi.yml", "examples-v2.6.0/websocket-gemini.yml"]
)
def test_the_official_gemini_example_is_one_stream_from_the_server(shared: Path, name: str) -> None:
    api, _ = official(shared, name)
    assert [server.url for server in api.servers] == ["wss://api.gemini.com"]
    (only,) = api.channels
    assert only.address == "/v1/marketdata/{symbol}"
    assert [parameter.wire_name for parameter in only.parameters] == ["symbol"]
    assert only.parameters[0].values[:2] == ("btcusd", "ethbtc")
    assert [one.wire_name for one in only.query] == ["heartbeat", "top_of_book", "bids", "offers", "trades", "auctions"]
    assert [one.name for one in api.messages_of(only, SERVER)] == ["marketData"]
    assert api.messages_of(only, CLIENT) == ()


@pytest.mark.parametrize("name", ["examples-v3.0.0/slack-rtm-asyncapi.yml", "examples-v2.6.0/slack-rtm.yml"])
def test_the_official_slack_example_has_its_messages_on_one_connection(shared: Path, name: str) -> None:
    api, codes = official(shared, name)
    assert [server.url for server in api.servers] == ["wss://slack.com/api/rtm.connect"]
    assert [one.name for one in api.messages_of(api.channels[0], CLIENT)] == ["outgoingMessage"]
    assert len(api.messages_of(api.channels[0], SERVER)) == 46
    assert "no-websocket-server" not in codes


def test_the_official_kraken_example_has_replies(shared: Path) -> None:
    api, _ = official(shared, "examples-v3.0.0/kraken-websocket-request-reply-message-filter-in-reply-asyncapi.yml")
    replies = {one.name: one.reply.messages for one in api.operations if one.reply is not None}
    assert replies == {
        "receivePing": ("pong",),
        "receiveSubscribeRequest": ("subscriptionStatus", "dummyCurrencyInfo"),
        "receiveUnsubscribeRequest": ("subscriptionStatus",),
    }
    assert api.message("ping").correlation == ("reqid",)
