"""Nodes in processes of their own, on one engine, and the turn in which clients are spread over them."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.runtime.fleet.remains import remains
from tests.runtime.fleet.serve_node import DESK, Report

ROOT: Final = Path(__file__).parents[3]
PATIENCE: Final = 20.0
"""Seconds for anything that has to happen."""
_LOOK: Final = 0.02
"""Between two looks at what other processes bring about."""


async def until(condition: Callable[[], object], why: str, seconds: float = PATIENCE) -> None:
    """Wait until something holds that other processes bring about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it did not come to it that {why}"
        await asyncio.sleep(_LOOK)


class Lost(Exception):
    """The connection to a node ended before it answered."""


class Said(msgspec.Struct):
    """A message of a server, as far as it matters here."""

    type: str
    room: str = ""
    text: str = ""


_decode: Final = msgspec.json.Decoder(Said).decode


class Desk:
    """A connection to one node, at which messages are handed in, one after the other."""

    def __init__(self, websocket: ClientConnection) -> None:
        self._websocket = websocket

    async def ask(self, room: str, text: str = "") -> Said:
        """What a node says to a message for a room, or to a command. Raises Lost."""
        try:
            await self._websocket.send(msgspec.json.encode({"type": "post", "text": f"{room} {text}"}).decode())
            while True:
                said = _decode(await self._websocket.recv())
                if (said.type == "posted" and said.text == text) or said.room == "report":
                    return said
        except ConnectionClosed:
            raise Lost from None

    async def report(self) -> Report:
        """What there is in the node's process."""
        return msgspec.json.decode((await self.ask("/report")).text, type=Report)


class Node:
    """A process that serves, on its own or by workers."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.port = 0
        self.log = log
        self.is_ending = False
        """Whether it was told to end, or was killed: no client is sent there any more."""
        self.baseline: Report | None = None
        """What there was before anybody came; None where that is not known."""

    async def begun(self, count: int) -> None:
        """Wait until it listens, or so many workers do."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            for _ in range(count):
                line = await self.process.stdout.readline()
                assert line, self.tail()
                self.port = int(line)

    @asynccontextmanager
    async def desk(self, name: str = "inspector") -> AsyncGenerator[Desk]:
        """A desk of this node. Raises Lost when there is none."""
        url = f"ws://127.0.0.1:{self.port}/v1/rooms/{DESK}"
        token = {"Authorization": f"Bearer {name}"}
        try:
            websocket = await connect(url, additional_headers=token, proxy=None, compression=None)
        except (OSError, InvalidHandshake, EOFError):
            raise Lost from None
        async with websocket:
            yield Desk(websocket)

    def kill(self) -> None:
        """End it without notice."""
        self.is_ending = True
        self.process.kill()

    def pause(self, is_paused: bool) -> None:
        """Let it hold still, or go on."""
        self.process.send_signal(signal.SIGSTOP if is_paused else signal.SIGCONT)

    async def retire(self) -> None:
        """Have it end in an orderly way, and see that it does."""
        self.is_ending = True
        assert self.process.stdout is not None
        self.process.terminate()
        async with asyncio.timeout(PATIENCE):
            rest = await self.process.stdout.read()
            assert (rest.decode().split()[-1:], await self.process.wait()) == (["returned"], 0), self.tail()

    def tail(self) -> str:
        """The end of what it logged."""
        return self.log.read_text(errors="replace")[-4000:]

    async def take_baseline(self) -> None:
        """Note what there is in it, once it has done everything once, and nothing is under way."""
        async with self.desk() as desk:
            assert (await desk.ask("warm", "up")).room == "acknowledged"
            before = None
            while before != (found := await desk.report()):
                before = found
                await asyncio.sleep(_LOOK)
            self.baseline = found

    async def settled(self) -> None:
        """Wait until there is no more in it than before anybody came. Nothing is known of workers."""
        if self.baseline is None:
            return
        end = time.monotonic() + PATIENCE
        async with self.desk() as desk:
            while (found := await desk.report()).exceeds(self.baseline):
                assert time.monotonic() < end, f"something is left: {found} was {self.baseline}\n{self.tail()}"
                await asyncio.sleep(_LOOK)


class Fleet:
    """Nodes on one engine."""

    def __init__(self, engine: str, folder: Path, rng: random.Random, options: dict[str, object]) -> None:
        self.engine = engine
        """The URL of the engine."""
        self.rng = rng
        self.nodes: list[Node] = []
        self._started: list[Node] = []
        self._folder = folder
        self._options = options
        self._turn = 0
        self._is_over = False
        self._number = itertools.count()
        self._tasks: set[asyncio.Task[None]] = set()

    async def add(self, url: str | None = None, **options: object) -> Node:
        """Start another node, which may reach the engine in another way."""
        said = {"lease": 1.5, "check_interval": 1, "presence_grace": 0.5, "publish_timeout": 2, "loop": "asyncio"}
        said |= {"retry_after": 0.2, "drain_pause": 0.02, "session_timeout": 60} | self._options | options
        log = self._folder / f"node-{next(self._number)}"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.runtime.fleet.serve_node", url or self.engine),
                *(f"{name}={msgspec.json.encode(value).decode()}" for name, value in said.items()),
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                start_new_session=True,
            )
        node = Node(process, log)
        self._started.append(node)
        workers = int(str(said.get("workers", 1)))
        await node.begun(workers)
        if workers == 1:
            await node.take_baseline()
        self.nodes.append(node)
        return node

    def next(self) -> Node | None:
        """The node whose turn it is; None when there is none."""
        living = [node for node in self.nodes if not node.is_ending]
        self._turn += 1
        return living[self._turn % len(living)] if living else None

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something for as long as clients come and go."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._is_over:
            task.cancel()
        return task

    async def close(self) -> None:
        """End all nodes that live; see that they have nothing left, and leave nothing."""
        await self.idle()
        living = [node for node in self.nodes if not node.is_ending]
        for node in living:
            await node.settled()
        end = time.monotonic() + PATIENCE
        while left := await remains(self.engine):
            assert time.monotonic() < end, f"something is left in the engine: {left}"
            await asyncio.sleep(_LOOK)
        await asyncio.gather(*(node.retire() for node in living))
        for node in self.nodes:
            assert "Traceback" not in node.log.read_text(errors="replace"), node.log.read_text(errors="replace")
            assert not _lives(node.process.pid), "a process is left"

    async def idle(self) -> None:
        """End what was begun by `start`, for good."""
        self._is_over = True
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def kill(self) -> None:
        """End whatever is left."""
        await self.idle()
        for node in self._started:
            with suppress(ProcessLookupError):
                os.killpg(node.process.pid, signal.SIGKILL)
            await node.process.communicate()


def _lives(group: int) -> bool:
    """Whether there are processes of a group, be it ones that nobody has waited for."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@asynccontextmanager
async def fleet(
    engine: str, folder: Path, rng: random.Random, nodes: int = 2, **options: object
) -> AsyncGenerator[Fleet]:
    """A fleet while the block lasts. It has to be left as it was begun: with nothing in the nodes, nor in the engine."""
    found = Fleet(engine, folder, rng, options)
    try:
        await asyncio.gather(*(found.add() for _ in range(nodes)))
        yield found
        await found.close()
    except BaseException:
        for number, node in enumerate(found.nodes):
            print(f"--- node {number}, process {node.process.pid}\n{node.tail()}")
        raise
    finally:
        await found.kill()
