"""One service, described in AsyncAPI 2.6 and in 3.0, gives one package."""

from __future__ import annotations

from pathlib import Path

from sockspec.pipeline import examine, generate

COMMON = """
components:
  schemas:
    Kind: {type: string, enum: [loud, quiet]}
  messages:
    say:
      name: say
      summary: Says something.
      payload:
        type: object
        required: [type, text]
        properties: {type: {const: say}, text: {type: string}, kind: {$ref: '#/components/schemas/Kind'}}
    leave: {name: leave, payload: {type: object, required: [type], properties: {type: {const: leave}}}}
    said:
      name: said
      payload: {type: object, required: [type], properties: {type: {const: said}, text: {type: string}}}
"""
VERSION_2 = f"""asyncapi: 2.6.0
info: {{title: Rooms, version: 1.0.0}}
servers: {{main: {{url: 'wss://example.org/v1', protocol: wss}}}}
channels:
  /rooms/{{room}}:
    description: A room.
    parameters: {{room: {{description: Its name., schema: {{type: string}}}}}}
    bindings: {{ws: {{query: {{type: object, properties: {{since: {{type: integer}}}}}}}}}}
    publish:
      operationId: talk
      summary: What people do.
      message: {{oneOf: [{{$ref: '#/components/messages/say'}}, {{$ref: '#/components/messages/leave'}}]}}
    subscribe: {{operationId: hear, message: {{$ref: '#/components/messages/said'}}}}
{COMMON}"""
VERSION_3 = f"""asyncapi: 3.0.0
info: {{title: Rooms, version: 1.0.0}}
servers: {{main: {{host: example.org, pathname: /v1, protocol: wss}}}}
channels:
  /rooms/{{room}}:
    address: /rooms/{{room}}
    description: A room.
    parameters: {{room: {{description: Its name.}}}}
    bindings: {{ws: {{query: {{type: object, properties: {{since: {{type: integer}}}}}}}}}}
    messages:
      say: {{$ref: '#/components/messages/say'}}
      leave: {{$ref: '#/components/messages/leave'}}
      said: {{$ref: '#/components/messages/said'}}
operations:
  talk:
    action: receive
    summary: What people do.
    channel: {{$ref: '#/channels/~1rooms~1{{room}}'}}
    messages:
      - {{$ref: '#/channels/~1rooms~1{{room}}/messages/say'}}
      - {{$ref: '#/channels/~1rooms~1{{room}}/messages/leave'}}
  hear:
    action: send
    channel: {{$ref: '#/channels/~1rooms~1{{room}}'}}
    messages: [{{$ref: '#/channels/~1rooms~1{{room}}/messages/said'}}]
{COMMON}"""


def test_the_versions_of_the_specification_make_no_difference(tmp_path: Path) -> None:
    packages = []
    for text in (VERSION_2, VERSION_3):
        spec = tmp_path / "rooms.yaml"
        spec.write_text(text, encoding="utf-8")
        api, diagnostics = examine(spec)
        assert api is not None, diagnostics
        packages.append(generate(api, spec.name))
    assert packages[0] == packages[1]
    assert len(packages[0]) > 5
