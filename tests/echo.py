"""A server that sends back what it gets, text and binary, for the Autobahn|Testsuite: `python -m tests.echo HOST`.

HOST is one of the ways of serving that `tests.runtime.hosts` knows. Prints its URL when it listens.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import msgspec

from sockspec.runtime import Codec, Connection, Entry, Handler, Limits, Options, Route, Schemas, Server
from tests.runtime import hosts


class Text(msgspec.Struct):
    """A text message."""

    payload: str


class Binary(msgspec.Struct):
    """A binary message."""

    payload: bytes


BOTH: Codec[Text | Binary] = Codec(
    Schemas(lambda: '{"$schema": "http://json-schema.org/draft-07/schema#"}'),
    Entry(Text, "", "typed", content="text", bare=True),
    Entry(Binary, "", "typed", content="binary", bare=True),
)


class EchoConnection(Connection[Text | Binary]):
    """A connection whose frames come back."""


class Echo(Server):
    """Sends back what it gets."""

    routes = (
        Route(
            path="/",
            connection=EchoConnection,
            incoming=BOTH,
            outgoing=BOTH,
            handlers={Text: Handler("echo"), Binary: Handler("echo")},
        ),
    )

    async def echo(self, connection: Connection[Text | Binary], message: Any) -> None:
        """Send a message back."""
        await connection.send(message)


LIMITS = Limits(
    max_message=32 * 1024 * 1024,
    max_outbound=64 * 1024 * 1024,
    max_outbound_messages=100_000,
    messages_per_second=None,
    connections_per_second=None,
)


async def main(way: str) -> None:
    """Serve until the process is ended."""
    hosts.chosen.set(way)
    async with hosts.host(Echo(), Options(limits=LIMITS)) as running:
        print(running.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
