"""Faults that the official parser of AsyncAPI leaves in documents, hides behind others, or multiplies: each is said once."""

from __future__ import annotations

from pathlib import Path

import pytest

from sockspec.pipeline import validated

V3 = """\
asyncapi: 3.0.0
info: {title: Chat, version: 1.0.0}
servers:
  production: {host: example.com, protocol: wss}
"""
V2 = """\
asyncapi: 2.6.0
info: {title: Chat, version: 1.0.0}
servers:
  production: {url: 'wss://example.com', protocol: wss}
"""
LINES = 4
"""How many lines stand above each of the documents below."""

ROOM = """\
channels:
  room:
    address: /room
    messages:
      said:
        payload: {type: object, properties: {id: {type: string}}}
"""


def said(folder: Path, text: str, *, above: str = V3) -> list[str]:
    """What `sockspec validate` says: the line, counted below what stands above each document, and the code."""
    path = folder / "document.yaml"
    path.write_text(above + text, encoding="utf-8")
    return [f"{found.location.line - LINES} {found.code.id}" for found in validated(path, name="document.yaml")]


HOLES = {
    "a parameter without parameters": (
        "channels:\n  room:\n    address: /rooms/{room}\n",
        ["3 undeclared-parameter"],
    ),
    "an address with a query and a fragment": (
        "channels:\n  c:\n    address: /c?x=1#y\n",
        ["3 query-in-address"],
    ),
    "a parameter of a component": (
        "components:\n  channels:\n    room:\n      address: /rooms/{room}\n",
        ["4 undeclared-parameter"],
    ),
    "a parameter that no address has": (
        "channels:\n  room:\n    address: /room\n    parameters:\n      room: {}\n",
        ["5 unused-parameter"],
    ),
    "a slip in the name of a parameter is one fault": (
        "channels:\n  room:\n    address: /rooms/{room}\n    parameters:\n      rom: {}\n",
        ["3 undeclared-parameter"],
    ),
    "a correlation id that points nowhere": (
        (
            "channels:\n  room:\n    address: /room\n    messages:\n      said:\n        payload: {type: string}\n"
            "        correlationId: {location: '$message.payload#/id'}\n"
        ),
        ["7 location-nowhere"],
    ),
    "a correlation id that points to nothing that is declared": (
        ROOM + "        correlationId: {location: '$message.payload#/ident'}\n",
        ["7 location-undeclared"],
    ),
    "a correlation id that points to a header of another name": (
        ROOM + "        headers: {type: object, additionalProperties: false, properties: {id: {}}}\n"
        "        correlationId: {location: '$message.header#/ident'}\n",
        ["8 location-nowhere"],
    ),
    "a correlation id without a pointer": (
        ROOM + "        correlationId: {location: '$message.payload#id'}\n",
        ["7 location-nowhere"],
    ),
    "the location of a parameter that no message has": (
        (
            "channels:\n  room:\n    address: /rooms/{room}\n    parameters:\n"
            "      room: {location: '$message.payload#/room'}\n    messages:\n      said:\n        payload: {type: string}\n"
        ),
        ["5 location-nowhere"],
    ),
    "the address of a reply that no request has": (
        ROOM + "operations:\n  say:\n    action: receive\n    channel: {$ref: '#/channels/room'}\n    reply:\n"
        "      address: {location: '$message.payload#/id/of/it'}\n      channel: {$ref: '#/channels/room'}\n",
        ["12 reply-address-not-free", "12 location-nowhere"],
    ),
    "a channel that is written in an operation": (
        "operations:\n  say:\n    action: receive\n    channel: {address: /room}\n",
        ["4 missing-property"],
    ),
    "a channel of the components": (
        (
            "operations:\n  say:\n    action: receive\n    channel: {$ref: '#/components/channels/room'}\n"
            "components:\n  channels:\n    room: {address: /room}\n"
        ),
        ["4 operation-channel-unknown"],
    ),
    "headers of no object": (
        ROOM + "        headers: {type: string}\n",
        ["7 headers-not-object"],
    ),
    "headers of a trait, by reference": (
        ROOM + "        traits: [{$ref: '#/components/messageTraits/traced'}]\ncomponents:\n  messageTraits:\n"
        "    traced: {headers: {$ref: '#/components/schemas/Trace'}}\n  schemas:\n    Trace: {type: array}\n",
        ["10 headers-not-object"],
    ),
    "a reply outside of the channel of the reply": (
        ROOM + "  other: {address: null, messages: {done: {payload: {type: boolean}}}}\n"
        "operations:\n  say:\n    action: receive\n    channel: {$ref: '#/channels/room'}\n    reply:\n"
        "      channel: {$ref: '#/channels/other'}\n      messages:\n        - {$ref: '#/channels/room/messages/said'}\n",
        ["15 message-not-of-channel"],
    ),
    "a message by its component": (
        (
            "channels:\n  room: {address: /room, messages: {said: {$ref: '#/components/messages/Said'}}}\n"
            "operations:\n  say:\n    action: receive\n    channel: {$ref: '#/channels/room'}\n"
            "    messages: [{$ref: '#/components/messages/Said'}]\n"
            "components:\n  messages:\n    Said: {payload: {type: string}}\n"
        ),
        ["7 message-not-of-channel"],
    ),
    "a scope that no flow has": (
        (
            "components:\n  securitySchemes:\n    login:\n      type: oauth2\n      scopes: [write]\n      flows:\n"
            "        password: {tokenUrl: https://example.com, availableScopes: {read: reading}}\n"
        ),
        ["5 unknown-scope"],
    ),
    "a server of the components": (
        (
            "channels:\n  room:\n    address: /room\n    servers: [{$ref: '#/components/servers/other'}]\n"
            "components:\n  servers:\n    other: {host: example.org, protocol: wss}\n"
        ),
        ["4 unknown-channel-server"],
    ),
    "a message where a schema belongs": (
        ROOM + "      left:\n        payload: {$ref: '#/channels/room/messages/said'}\n",
        ["8 reference-to-wrong-kind"],
    ),
    "a message deep in a schema": (
        ROOM + "      left:\n        payload: {type: array, items: {$ref: '#/channels/room/messages/said'}}\n",
        ["8 reference-to-wrong-kind"],
    ),
    "a server where a channel belongs": (
        "operations:\n  say:\n    action: receive\n    channel: {$ref: '#/servers/production'}\n",
        ["4 reference-to-wrong-kind"],
    ),
    "a schema where a message of an operation belongs": (
        ROOM + "operations:\n  say:\n    action: receive\n    channel: {$ref: '#/channels/room'}\n"
        "    messages: [{$ref: '#/components/schemas/Said'}]\ncomponents:\n  schemas:\n    Said: {type: string}\n",
        ["11 reference-to-wrong-kind"],
    ),
    "a text where a message belongs": (
        "channels:\n  room:\n    address: /room\n    messages: {said: {$ref: '#/info/title'}}\n",
        ["4 reference-to-wrong-kind"],
    ),
    "two addresses that differ in the names of parameters": (
        "channels:\n  a: {address: '/a/{x}', parameters: {x: {}}}\n  b: {address: '/a/{y}', parameters: {y: {}}}\n",
        ["3 ambiguous-address"],
    ),
    "a default that the enum of a parameter does not have": (
        "channels:\n  a:\n    address: '/a/{x}'\n    parameters:\n      x: {enum: [one, two], default: three}\n",
        ["5 value-not-listed"],
    ),
    "a content type that is none": (
        ROOM + "        contentType: json\n",
        ["7 not-a-media-type"],
    ),
    "a key twice": (
        "channels:\n  a: {address: /a}\n  a: {address: /b}\n",
        ["3 duplicate-key"],
    ),
    "a tag twice": (
        "channels:\n  a:\n    address: /a\n    tags:\n      - {name: chat}\n      - {name: chat, description: Talk.}\n",
        ["6 duplicate-tag"],
    ),
}


@pytest.mark.parametrize("hole", HOLES)
def test_a_hole_is_found_at_its_line(tmp_path: Path, hole: str) -> None:
    text, expected = HOLES[hole]
    assert said(tmp_path, text) == expected


def test_the_variables_of_servers_are_held_to_their_urls(tmp_path: Path) -> None:
    server = "{host: '{a}.example.com', protocol: wss, variables: {b: {default: x}}}"
    above = V3.replace("{host: example.com, protocol: wss}", server)
    assert said(tmp_path, "", above=above) == ["0 undeclared-server-variable", "0 unused-server-variable"]


VERSION_2 = {
    "a server that is not there": (
        "channels:\n  /a:\n    servers: [staging]\n",
        ["3 unknown-channel-server"],
    ),
    "an operationId from a trait": (
        "channels:\n  /a:\n    publish: {operationId: say}\n    subscribe:\n      traits: [{operationId: say}]\n",
        ["4 duplicate-operation-id"],
    ),
    "a messageId from a trait": (
        (
            "channels:\n  /a:\n    publish:\n      message: {messageId: said, payload: {type: string}}\n    subscribe:\n"
            "      message:\n        payload: {type: string}\n        traits: [{messageId: said}]\n"
        ),
        ["6 duplicate-message-id"],
    ),
    "a message where a schema belongs": (
        (
            "channels:\n  /a:\n    publish:\n      message: {payload: {$ref: '#/components/messages/Said'}}\n"
            "components:\n  messages:\n    Said: {payload: {type: string}}\n"
        ),
        ["4 reference-to-wrong-kind"],
    ),
    "a schema where a message belongs": (
        (
            "channels:\n  /a:\n    publish:\n      message:\n        oneOf:\n          - $ref: '#/components/schemas/Said'\n"
            "components:\n  schemas:\n    Said: {type: string}\n"
        ),
        ["6 reference-to-wrong-kind"],
    ),
    "a binding of another form": (
        "channels:\n  /a:\n    bindings:\n      ws: {method: PUT, query: {type: object}}\n",
        ["4 malformed-ws-binding", "4 malformed-ws-binding"],
    ),
    "one component under two addresses": (
        (
            "channels:\n  '/a/{x}': {$ref: '#/components/channels/a'}\n  '/b/{y}': {$ref: '#/components/channels/a'}\n"
            "components:\n  channels:\n    a: {parameters: {x: {schema: {type: string}}}}\n"
        ),
        ["3 undeclared-parameter"],
    ),
    "a parameter of a component that none of its addresses has": (
        (
            "channels:\n  /a: {$ref: '#/components/channels/a'}\n  /b: {$ref: '#/components/channels/a'}\n"
            "components:\n  channels:\n    a: {parameters: {x: {schema: {type: string}}}}\n"
        ),
        ["6 unused-parameter"],
    ),
}


@pytest.mark.parametrize("hole", VERSION_2)
def test_a_hole_of_version_2_is_found_at_its_line(tmp_path: Path, hole: str) -> None:
    text, expected = VERSION_2[hole]
    assert said(tmp_path, text, above=V2) == expected


# --- nothing hides anything else --------------------------------------------------------------------------------------

MASKED = """\
channels:
  room:
    address: /rooms/{room}
    description: DESCRIPTION
    bindings: {ws: {method: METHOD}}
operations:
  say:
    action: recieve
    channel: {$ref: '#/channels/room'}
    messages: [{$ref: '#/components/messages/Said'}]
components:
  messages:
    Said: {payload: {type: string}}
"""
BESIDE = ["3 undeclared-parameter", "8 not-allowed-value", "10 message-not-of-channel"]
"""What is wrong with it whatever the description and the method are: two faults of meaning and one of structure."""


@pytest.mark.parametrize(
    ("description", "method", "more"),
    [
        ("a room", "GET", []),
        ("5", "GET", ["4 wrong-type"]),
        ("a room", "PUT", ["5 not-allowed-value"]),
        ("5", "PUT", ["4 wrong-type", "5 not-allowed-value"]),
    ],
)
def test_a_fault_hides_no_other(tmp_path: Path, description: str, method: str, more: list[str]) -> None:
    text = MASKED.replace("DESCRIPTION", description).replace("METHOD", method)
    assert sorted(said(tmp_path, text)) == sorted([*BESIDE, *more])


def test_what_only_follows_from_a_fault_of_structure_is_not_said(tmp_path: Path) -> None:
    text = "channels:\n  room:\n    address: '/rooms/{room}'\n    parameters: [room]\n"
    assert said(tmp_path, text) == ["4 wrong-type"]


# --- one fault is said once -------------------------------------------------------------------------------------------

DANGLING = """\
channels:
  room: {$ref: '#/components/channels/rom'}
  other:
    address: /other/{x}
    servers: [{$ref: '#/servers/productoin'}]
operations:
  say:
    action: receive
    channel: {$ref: '#/channels/room'}
    messages: [{$ref: '#/components/messages/Said'}]
    reply:
      channel: {$ref: '#/channels/room'}
      messages: [{$ref: '#/components/messages/Said'}]
components:
  messages:
    Said: {payload: {type: string}, correlationId: {$ref: '#/components/correlationIds/none'}}
"""


def test_a_broken_reference_is_said_once_and_hides_nothing(tmp_path: Path) -> None:
    assert said(tmp_path, DANGLING) == [
        "2 dangling-reference",
        "4 undeclared-parameter",
        "5 dangling-reference",
        "16 dangling-reference",
    ]


def test_a_reference_to_the_wrong_kind_is_said_once(tmp_path: Path) -> None:
    text = (
        "channels:\n  room: {$ref: '#/components/schemas/Room'}\noperations:\n  say:\n    action: receive\n"
        "    channel: {$ref: '#/channels/room'}\n    messages: [{$ref: '#/components/messages/Said'}]\n"
        "components:\n  schemas: {Room: {type: string}}\n  messages: {Said: {payload: {type: string}}}\n"
    )
    assert said(tmp_path, text) == ["2 reference-to-wrong-kind"]


# --- other files ------------------------------------------------------------------------------------------------------


def test_what_stands_in_other_files_is_held_to_its_place(tmp_path: Path) -> None:
    (tmp_path / "parts.yaml").write_text(
        "said:\n  paylod: {type: string}\nschema: {type: string}\n"
        "components:\n  messages:\n    Left: {payload: {$ref: '#/said'}, headers: {type: string}}\n",
        encoding="utf-8",
    )
    text = (
        "channels:\n  room:\n    address: /room\n    messages:\n      said: {$ref: 'parts.yaml#/said'}\n"
        "      told: {$ref: 'parts.yaml#/schema'}\n      left: {$ref: 'parts.yaml#/components/messages/Left'}\n"
    )
    path = tmp_path / "document.yaml"
    path.write_text(V3 + text, encoding="utf-8")
    found = [f"{one.location.path}:{one.location.line} {one.code.id}" for one in validated(path, name="document.yaml")]
    assert found == [
        "document.yaml:10 reference-to-wrong-kind",
        "parts.yaml:2 malformed-part",
        "parts.yaml:6 reference-to-wrong-kind",
        "parts.yaml:6 headers-not-object",
    ]


def test_extensions_are_not_looked_at(tmp_path: Path) -> None:
    text = (
        ROOM.replace("    address:", "    x-server: {$ref: '#/servers/production'}\n    address:")
        + "x-shared:\n  message: {paylod: {$ref: '#/servers/production'}}\n"
    )
    assert said(tmp_path, text) == []
