"""The client of `docs/resume-client.js`, run by Node, over real servers: everything once and in order, or the truth."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from chat import RoomConnection, messages
from sockspec.runtime import Options, now
from sockspec.runtime.backplane.line import History
from sockspec.runtime.backplane.memory import MemoryBackplane
from sockspec.runtime.fleet.control import RESUME_SUBPROTOCOL
from tests.npm import Node
from tests.runtime.chatting import scenario
from tests.runtime.fleet.nodes import PATIENCE, Hall, posted

HERE: Final = Path(__file__).parent
CLIENT: Final = HERE.parents[2] / "docs" / "resume-client.js"
JOIN: Final = msgspec.json.encode(messages.Join(data=messages.JoinData(nickname="ann"), timestamp=now())).decode()


class Page:
    """A program that uses the client, and what happens there."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def anything(self) -> tuple[str, Any]:
        """What happens next."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            said, value = json.loads(await self._process.stdout.readline())
        return said, value

    async def next(self, what: str) -> Any:
        """The next thing, which has to be of this kind."""
        said, value = await self.anything()
        assert said == what, (said, value)
        return value

    async def text(self) -> str:
        """What is said in the next message."""
        data: dict[str, Any] = (await self.next("message"))["data"]
        return str(data.get("text") or data.get("presence"))

    async def send(self, line: str) -> None:
        """Have it send something, or `close`."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        await self._process.stdin.drain()


@asynccontextmanager
async def page(*urls: str) -> AsyncGenerator[Page]:
    """A program that connects to these, one after the other."""
    token = "sockspec.bearer." + base64.urlsafe_b64encode(b"ann").decode().rstrip("=")
    pipe = asyncio.subprocess.PIPE
    command = (str(Node.installed().binary), str(HERE / "resuming.mjs"), str(CLIENT), token, *urls)
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    try:
        yield Page(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def halls(**options: Any) -> AsyncGenerator[tuple[tuple[Hall, str], tuple[Hall, str]]]:
    """Two nodes of a fleet, and where their lobbies are."""
    chosen = Options(backplane=MemoryBackplane(), **options)
    one, other = Hall(), Hall()
    async with one.serve(port=0, options=chosen) as first, other.serve(port=0, options=chosen) as second:
        yield (one, f"{first.url}/v1/rooms/lobby"), (other, f"{second.url}/v1/rooms/lobby")


async def say(hall: Hall, *texts: str) -> None:
    for text in texts:
        await hall.group(RoomConnection, "lobby").broadcast(posted(text))


def cut(hall: Hall) -> None:
    """Break off all connections to the lobby."""
    for connection in hall.group(RoomConnection, "lobby"):
        connection.abort()


@scenario
async def test_who_is_cut_off_comes_back_to_another_node_and_gets_everything_once_and_in_order() -> None:
    async with halls() as ((one, first), (other, second)), page(first, second) as ann:
        assert await ann.next("open") is False
        await ann.send(JOIN)
        assert await ann.text() == "online"
        await say(one, "one")
        assert await ann.text() == "one"
        cut(one)
        await say(other, "two", "three")
        assert await ann.next("open") is True
        assert [await ann.text(), await ann.text()] == ["two", "three"]
        assert await ann.next("recovery") == {"resumed": True, "recovered": True}
        await say(one, "four")
        assert await ann.text() == "four"
        await ann.send("close")
        assert await ann.next("closed") == 1000


@scenario
async def test_what_is_no_longer_kept_is_said_to_be_lost() -> None:
    async with halls(history=History(size=2)) as ((one, first), (other, second)), page(first, second) as ann:
        assert await ann.next("open") is False
        await ann.send(JOIN)
        assert await ann.text() == "online"
        await say(other, *map(str, range(300)))
        assert [await ann.text() for _ in range(300)] == [str(number) for number in range(300)]
        cut(one)
        for number in range(300):
            await say(other, f"{number} missed")
        assert await ann.next("open") is True
        what, found = "message", None
        while what == "message":  # the last ones are still there
            what, found = await ann.anything()
        assert (what, found) == ("recovery", {"resumed": True, "recovered": False})
        await say(other, "after")
        assert await ann.text() == "after"


Talk = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def spoken(*talks: Talk, subprotocol: str = RESUME_SUBPROTOCOL) -> AsyncGenerator[str]:
    """A server that says what a test has it say, on one connection after the other."""
    left = list(talks)

    async def serve_one(connection: ServerConnection) -> None:
        await left.pop(0)(connection)

    async with serve(serve_one, "127.0.0.1", 0, subprotocols=[Subprotocol(subprotocol)]) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


async def tell(connection: ServerConnection, *messages: dict[str, Any]) -> None:
    for message in messages:
        await connection.send(json.dumps(message, separators=(",", ":")))


def at(offset: int, **more: Any) -> dict[str, Any]:
    return {"type": "sockspec.position", "group": "g", "offset": offset, **more}


def message(text: str) -> dict[str, Any]:
    return {"type": "said", "data": {"text": text}}


@scenario
async def test_the_client_keeps_to_the_rules_whatever_the_server_sends() -> None:
    asked: list[Any] = []

    async def first(connection: ServerConnection) -> None:
        asked.append(json.loads(await connection.recv()))
        await tell(connection, {"type": "sockspec.session", "session": "s", "resumed": False})
        await tell(connection, {"type": "sockspec.recovered", "recovered": True})
        await tell(connection, message("a reply"))  # of no group
        await tell(connection, {"type": "sockspec.joined", "group": "g", "epoch": "e", "offset": 4, "lost": False})
        await tell(connection, at(5), message("five"), at(5), message("five again"), at(4), message("four again"))
        await tell(connection, at(6, skip=True), {"type": "sockspec.of-a-newer-server", "group": "g"})
        await connection.send('{"type":"sockspec.position", and nothing that can be read')
        await tell(connection, at(9, after=6), message("nine"), at(12, after=11), message("twelve"))
        await connection.close(1012)

    async def second(connection: ServerConnection) -> None:
        asked.append(json.loads(await connection.recv()))
        await tell(connection, {"type": "sockspec.session", "session": "s", "resumed": True})
        await tell(connection, at(12), message("twelve again"), at(13), message("thirteen"))
        await tell(connection, {"type": "sockspec.recovered", "recovered": True})
        await tell(connection, {"type": "sockspec.left", "group": "g"}, at(14), message("fourteen"))
        await connection.close(1012)

    async def broken_off(connection: ServerConnection) -> None:
        asked.append(json.loads(await connection.recv()))
        await tell(connection, {"type": "sockspec.session", "session": "s", "resumed": True})
        await tell(connection, {"type": "sockspec.joined", "group": "h", "epoch": "e", "offset": 1, "lost": True})
        await connection.close(1012)

    async def whole(connection: ServerConnection) -> None:
        asked.append(json.loads(await connection.recv()))
        await tell(connection, {"type": "sockspec.session", "session": "s", "resumed": True})
        await tell(connection, {"type": "sockspec.recovered", "recovered": True})
        await tell(connection, {"type": "sockspec.joined", "group": "h", "epoch": "f", "offset": 0, "lost": True})
        await connection.close(1012)

    async def last(connection: ServerConnection) -> None:
        asked.append(json.loads(await connection.recv()))
        await tell(connection, {"type": "sockspec.session", "session": "t", "resumed": False})
        await tell(connection, {"type": "sockspec.recovered", "recovered": False})
        await connection.close(1008)

    async with spoken(first, second, broken_off, whole, last) as url, page(url) as ann:
        assert await ann.next("open") is False
        assert [await ann.text() for _ in range(4)] == ["a reply", "five", "nine", "twelve"]
        assert await ann.next("recovery") == {"resumed": True, "recovered": False}  # ten or eleven is missing
        assert await ann.next("open") is True
        assert await ann.text() == "thirteen"
        assert await ann.next("recovery") == {"resumed": True, "recovered": True}
        assert await ann.text() == "fourteen"  # of a group that is not known: without a position
        assert await ann.next("open") is True
        assert await ann.next("open") is True
        assert await ann.next("recovery") == {"resumed": True, "recovered": False}  # what was said on the one before
        assert await ann.next("recovery") == {"resumed": True, "recovered": False}  # and once more, at any time
        assert await ann.next("open") is False
        assert await ann.next("recovery") == {"resumed": False, "recovered": False}
        assert await ann.next("closed") == 1008
    known = {"group": "g", "epoch": "e", "offset": 12}
    other = {"group": "h", "epoch": "e", "offset": 1}
    assert asked == [
        {"type": "sockspec.resume", "session": "", "positions": []},
        {"type": "sockspec.resume", "session": "s", "positions": [known]},
        {"type": "sockspec.resume", "session": "s", "positions": []},
        {"type": "sockspec.resume", "session": "s", "positions": [other]},
        {"type": "sockspec.resume", "session": "s", "positions": [{**other, "epoch": "f", "offset": 0}]},
    ]


@scenario
async def test_a_server_that_does_not_resume_is_a_plain_one() -> None:
    async def plainly(connection: ServerConnection) -> None:
        await tell(connection, message("hello"), at(1))
        await connection.close(1000)

    async with spoken(plainly, subprotocol="sockspec.bearer.YW5u") as url, page(url) as ann:
        assert await ann.next("open") is False
        assert await ann.text() == "hello"
        assert (await ann.next("message"))["type"] == "sockspec.position"  # whatever that means there
        assert await ann.next("closed") == 1000
