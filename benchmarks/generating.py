"""`sockspec generate` on documents of 500 to 5,000 messages, as a process of its own."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_HEAD = """asyncapi: 3.0.0
info: {title: Many messages, version: 1.0.0}
servers:
  production: {host: example.com, protocol: wss}
"""
_MESSAGE = """    m{n}:
      name: m{n}
      summary: Message number {n}.
      payload:
        type: object
        required: [type, timestamp, value]
        properties:
          type: {{const: m{n}}}
          timestamp: {{type: string, format: date-time}}
          value: {{$ref: '#/components/schemas/value{n}'}}
"""
_SCHEMA = """    value{n}:
      type: object
      required: [id, name]
      properties:
        id: {{type: string, format: uuid}}
        name: {{type: string, minLength: 1, maxLength: 64}}
        count: {{type: integer, minimum: 0}}
        tags: {{type: array, items: {{type: string}}, maxItems: 16}}
        side: {{type: string, enum: [buy, sell]}}
"""


def document(messages: int) -> str:
    """A document of that many messages, each with a record of its own."""
    numbers = range(messages)
    names = "".join(f"      m{n}: {{$ref: '#/components/messages/m{n}'}}\n" for n in numbers)
    operations = "".join(
        f"  op{n}:\n    action: {'receive' if n % 2 else 'send'}\n    channel: {{$ref: '#/channels/all'}}\n"
        f"    messages: [{{$ref: '#/channels/all/messages/m{n}'}}]\n"
        for n in numbers
    )
    return (
        f"{_HEAD}channels:\n  all:\n    address: /all\n    messages:\n{names}operations:\n{operations}"
        f"components:\n  messages:\n{''.join(_MESSAGE.format(n=n) for n in numbers)}"
        f"  schemas:\n{''.join(_SCHEMA.format(n=n) for n in numbers)}"
    )


def run() -> Iterator[str]:
    """Processor seconds and peak memory, start-up included."""
    with tempfile.TemporaryDirectory() as folder:
        for messages in (50, 500, 1000, 2500, 5000):
            spec = Path(folder) / f"many{messages}.yaml"
            spec.write_text(document(messages), encoding="utf-8")
            seconds, peak = _generate(spec, Path(folder) / "out")
            each = seconds / messages * 1000
            yield f"  {messages:5} messages  {seconds:6.2f} s of processor time  {each:5.2f} ms each  {peak:5.0f} MiB at most"


def _generate(spec: Path, out: Path) -> tuple[float, float]:
    command = [sys.executable, "-m", "sockspec", "generate", str(spec), "-o", str(out)]
    quiet = os.open(os.devnull, os.O_WRONLY)
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, quiet, 2)])
    _, status, usage = os.wait4(pid, 0)
    os.close(quiet)
    if status != 0:
        raise SystemExit(f"sockspec generate failed on {spec}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
