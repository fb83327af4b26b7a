"""`sockspec validate` and `sockspec lint` as processes of their own, beside the official parser and Spectral on the same files.

Documents have 10,000 and 100,000 lines: many channels, each with its operations, messages, schemas and examples. What
counts is processor time, start-up included. Other validators are run where they can be had from npm.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.comparing import NPM
from tests.npm import Node, install

_LONGEST = 120
"""Seconds of processor time after which a validator is stopped."""

_ASYNCAPI = """asyncapi: 3.0.0
info:
  title: Many rooms
  version: 1.0.0
  description: Questions and answers in many rooms.
defaultContentType: application/json
servers:
  production:
    host: example.com
    protocol: wss
    description: The public service.
    security:
      - $ref: '#/components/securitySchemes/login'
"""
_CHANNEL = """  room{n}:
    address: /rooms/{n}/{{desk}}
    description: Room number {n}.
    servers:
      - $ref: '#/servers/production'
    parameters:
      desk:
        description: A desk in the room.
    messages:
      ask:
        $ref: '#/components/messages/Ask{n}'
      answer:
        $ref: '#/components/messages/Answer{n}'
"""
_OPERATIONS = """  ask{n}:
    action: receive
    summary: A client asks in room {n}.
    channel:
      $ref: '#/channels/room{n}'
    messages:
      - $ref: '#/channels/room{n}/messages/ask'
  answer{n}:
    action: send
    summary: The server answers in room {n}.
    channel:
      $ref: '#/channels/room{n}'
    messages:
      - $ref: '#/channels/room{n}/messages/answer'
"""
_MESSAGES = """    Ask{n}:
      name: ask{n}
      title: Ask {n}
      summary: A question in room {n}.
      payload:
        $ref: '#/components/schemas/Ask{n}'
      examples:
        - name: order
          summary: An order.
          payload:
            type: ask{n}
            timestamp: '2025-03-01T09:31:07Z'
            data:
              id: order-{n}
              side: buy
              price: 17.5
              tags: [a, b]
    Answer{n}:
      name: answer{n}
      title: Answer {n}
      summary: An answer in room {n}.
      payload:
        $ref: '#/components/schemas/Answer{n}'
"""
_SCHEMAS = """    Ask{n}:
      description: A question in room {n}.
      type: object
      required: [type, timestamp, data]
      properties:
        type:
          const: ask{n}
        timestamp:
          type: string
          format: date-time
        data:
          $ref: '#/components/schemas/Order{n}'
    Answer{n}:
      description: An answer in room {n}.
      type: object
      required: [type, timestamp, accepted]
      properties:
        type:
          const: answer{n}
        timestamp:
          type: string
          format: date-time
        accepted:
          type: boolean
          default: true
        order:
          $ref: '#/components/schemas/Order{n}'
    Order{n}:
      description: An order in room {n}.
      type: object
      required: [id, side]
      properties:
        id:
          type: string
          minLength: 1
          maxLength: 64
          pattern: '^[a-z0-9-]+$'
        side:
          type: string
          enum: [buy, sell]
        price:
          type: number
          minimum: 0
        count:
          type: integer
          minimum: 0
          default: 1
        tags:
          type: array
          items:
            type: string
          maxItems: 16
"""
_LOGIN = """  securitySchemes:
    login:
      type: http
      scheme: bearer
      description: A token of the login service.
"""
_OPENAPI = """openapi: 3.1.0
info:
  title: Many rooms
  version: 1.0.0
  description: Questions and answers in many rooms.
servers:
  - url: wss://example.com
    description: The public service.
security:
  - login: []
paths:
"""
_PATH = """  /rooms/{n}/{{desk}}:
    get:
      operationId: openRoom{n}
      summary: Opens room {n}.
      description: Room number {n}.
      parameters:
        - name: desk
          in: path
          required: true
          description: A desk in the room.
          schema:
            type: string
      responses:
        '101':
          description: The connection speaks WebSocket from here on.
        '404':
          description: There is no such room.
      x-websocket-messages:
        clientMessages:
          $ref: '#/components/schemas/Ask{n}'
        serverMessages:
          $ref: '#/components/schemas/Answer{n}'
"""


def asyncapi(lines: int) -> str:
    """An AsyncAPI document of about so many lines."""
    parts = (_CHANNEL, _OPERATIONS, _MESSAGES, _SCHEMAS)
    numbers = range(1, lines // sum(part.count("\n") for part in parts) + 1)
    channels, operations, messages, schemas = ("".join(part.format(n=n) for n in numbers) for part in parts)
    return (
        f"{_ASYNCAPI}channels:\n{channels}operations:\n{operations}"
        f"components:\n  messages:\n{messages}  schemas:\n{schemas}{_LOGIN}"
    )


def openapi(lines: int) -> str:
    """An OpenAPI document of about so many lines."""
    numbers = range(1, lines // (_PATH.count("\n") + _SCHEMAS.count("\n")) + 1)
    paths, schemas = ("".join(part.format(n=n) for n in numbers) for part in (_PATH, _SCHEMAS))
    return f"{_OPENAPI}{paths}components:\n  schemas:\n{schemas}{_LOGIN}"


def run() -> Iterator[str]:
    """Processor seconds, start-up included."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        commands = _commands(folder)
        yield f"{'':28}" + "".join(f"{name:>20}" for name in commands)
        for name, text in _texts():
            path = folder / name
            path.write_text(text, encoding="utf-8")
            figures = [
                "" if name.startswith("o") and tool == "AsyncAPI parser" else _seconds([*command, str(path)], folder)
                for tool, command in commands.items()
            ]
            title = f"{path.suffix[1:].upper()}, {text.count(chr(10)):,} lines"
            title = f"{'OpenAPI' if name.startswith('o') else 'AsyncAPI'} {title}"
            yield f"{title:28}" + "".join(f"{figure:>20}" for figure in figures)


def _texts() -> Iterator[tuple[str, str]]:
    for lines in (10_000, 100_000):
        text = asyncapi(lines)
        yield f"a{lines}.yaml", text
        value = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        yield f"a{lines}.json", json.dumps(value, indent=2)
    yield "o10000.yaml", openapi(10_000)


def _commands(folder: Path) -> dict[str, list[str]]:
    """What is run, by name."""
    ours = [sys.executable, "-m", "sockspec"]
    commands = {"sockspec validate": [*ours, "validate"], "sockspec lint": [*ours, "lint", "--no-config"]}
    modules = install(NPM, folder / "npm")
    if isinstance(modules, Path):
        for file in ("parse.mjs", "spectral.yaml"):
            (folder / "npm" / file).write_bytes((NPM / file).read_bytes())
        node = str(Node.installed().binary)
        spectral = str(modules / "@stoplight" / "spectral-cli" / "dist" / "index.js")
        commands["AsyncAPI parser"] = [node, str(folder / "npm" / "parse.mjs")]
        commands["Spectral"] = [node, spectral, "lint", "--ruleset", str(folder / "npm" / "spectral.yaml")]
    return commands


def _seconds(command: list[str], folder: Path) -> str:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command,
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        preexec_fn=_limit,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if spent > _LONGEST - 1:
        return f"over {_LONGEST} s"
    # 0 and 1 are verdicts; whatever else comes is the end of a program that failed.
    return f"{spent:.2f} s" + ("" if done.returncode in (0, 1) else f" (failed: {done.returncode})")


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_LONGEST, _LONGEST))


if __name__ == "__main__":
    for line in run():
        print(line)
