"""The example is what it claims to be: a chat that works, on the package as it is checked in."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import pytest

from chat import RoomClient, messages
from sockspec.runtime import ConnectionLost, ProblemError

ROOT = Path(__file__).parents[1]
PATIENCE = 20.0


def load(path: Path) -> ModuleType:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


server = load(ROOT / "examples" / "chat" / "server.py")


class Person:
    """A client in the room, with what it was told."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.room = RoomClient(room="lobby", url=f"{url}/v1", token=name)
        self.told: asyncio.Queue[messages.RoomFromServer] = asyncio.Queue()
        self.room.on(messages.MessagePosted, self.told.put_nowait)
        self.room.on(messages.PresenceChanged, self.told.put_nowait)

    async def join(self) -> None:
        await self.room.send_join(data=messages.JoinData(nickname=self.name))

    async def say(self, text: str) -> None:
        await self.room.send_message(data=messages.SendMessageData(text=text))

    async def hears_text(self) -> tuple[str, str]:
        message = await self.told.get()
        assert isinstance(message, messages.MessagePosted)
        return message.data.author, message.data.text

    async def sees(self) -> tuple[str, messages.Presence]:
        message = await self.told.get()
        assert isinstance(message, messages.PresenceChanged)
        return message.data.nickname, message.data.presence


@asynccontextmanager
async def chatting(*names: str) -> AsyncGenerator[tuple[Person, ...]]:
    """People connected to a server of their own."""
    async with asyncio.timeout(PATIENCE), server.Chat().serve(port=0) as running:
        people = tuple(Person(running.url, name) for name in names)
        for person in people:
            await person.room.connect()
        try:
            yield people
        finally:
            for person in people:
                await person.room.close()


def test_everybody_in_the_room_hears_what_is_said_in_order() -> None:
    async def scenario() -> None:
        async with chatting("ann", "bob") as (ann, bob):
            await ann.join()
            assert await ann.sees() == ("ann", messages.Presence.ONLINE)
            await bob.join()
            assert await ann.sees() == await bob.sees() == ("bob", messages.Presence.ONLINE)
            for number in range(20):
                await ann.say(f"line {number}")
            for person in (ann, bob):
                assert [await person.hears_text() for _ in range(20)] == [("ann", f"line {n}") for n in range(20)]

    asyncio.run(scenario())


def test_leaving_is_told_to_those_who_stay() -> None:
    async def scenario() -> None:
        async with chatting("ann", "bob") as (ann, bob):
            for person in (ann, bob):
                await person.join()
            assert [await ann.sees(), await ann.sees()] == [(name, messages.Presence.ONLINE) for name in ("ann", "bob")]
            await bob.room.send_leave()
            assert await ann.sees() == ("bob", messages.Presence.OFFLINE)

    asyncio.run(scenario())


def test_the_history_is_given_page_by_page() -> None:
    async def scenario() -> None:
        async with chatting("ann") as (ann,):
            await ann.join()
            for number in range(5):
                await ann.say(f"line {number}")
            late = await ann.room.get_history(data=messages.GetHistoryData(limit=2))
            assert ([m.text for m in late.data.messages], late.data.has_more) == (["line 3", "line 4"], True)
            before = late.data.messages[0].posted_at
            early = await ann.room.get_history(data=messages.GetHistoryData(limit=10, before=before))
            assert [m.text for m in early.data.messages] == ["line 0", "line 1", "line 2"]
            assert not early.data.has_more

    asyncio.run(scenario())


def test_who_has_not_joined_is_refused_and_stays_connected() -> None:
    async def scenario() -> None:
        async with chatting("ann") as (ann,):
            with pytest.raises(ProblemError) as caught:
                await ann.room.get_history(data=messages.GetHistoryData())
            assert caught.value.problem.type == "/problems/forbidden"
            await ann.join()
            assert (await ann.room.get_history(data=messages.GetHistoryData())).data.messages == []

    asyncio.run(scenario())


def test_who_has_no_token_is_turned_away() -> None:
    async def scenario() -> None:
        async with asyncio.timeout(PATIENCE), server.Chat().serve(port=0) as running:
            nobody = RoomClient(room="lobby", url=f"{running.url}/v1")
            with pytest.raises(ConnectionLost) as caught:
                await nobody.connect()
            assert caught.value.status == 401

    asyncio.run(scenario())


async def _typed(url: str, text: str) -> tuple[int | None, str, str]:
    """Exit code and output of the terminal's client when this is typed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        ROOT / "examples" / "chat" / "client.py",
        *("--nickname", "ann", "--url", f"{url}/v1"),
        env={**os.environ, "PYTHONPATH": str(ROOT / "generated")},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate(text.encode())
    return process.returncode, output.decode(), errors.decode()


def test_the_terminal_says_what_it_could_not_send_and_goes_on() -> None:
    async def scenario() -> None:
        async with asyncio.timeout(PATIENCE), chatting("bob") as (bob,):
            await bob.join()
            code, output, errors = await _typed(bob.room.url.partition("/v1")[0], f"{'x' * 10_000}\nhello\n")
            assert (code, errors) == (0, "")
            assert "! not sent: expected at most" in output
            while not isinstance(said := await bob.told.get(), messages.MessagePosted):
                pass
            assert (said.data.author, said.data.text) == ("ann", "hello")

    asyncio.run(scenario())


@pytest.mark.slow
def test_the_terminal_ends_with_a_sentence_where_there_is_no_server() -> None:
    code, _, errors = asyncio.run(_typed("ws://127.0.0.1:1", ""))
    assert code == 1
    assert errors.startswith("no connection to ws://127.0.0.1:1/v1: ")
    assert "Traceback" not in errors


@pytest.mark.slow
def test_the_demonstration_plays_to_its_end(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "demo.py"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for line in (
        "bob      <- ['Hello, Bob!', 'Hello, Ann. How typed you are today.'], more: False",
        "ann      is not let send it: /data/text expected one that is not empty",
        "ann         closed with 1012, will come back",
        "bob         closed with 1012, will come back",
        "server   exit code 0",
        "docs/index.html",
    ):
        assert line in done.stdout


@pytest.mark.slow
def test_nobody_misses_a_message_in_the_demonstration_of_a_fleet(tmp_path: Path, redis_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo_fleet"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), "REDIS_URL": redis_url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    everything = ", ".join(f"{when} {number}" for when in ("before", "meanwhile", "after") for number in (1, 2, 3))
    for name in ("ann", "bob", "cid"):
        assert f"{name:8} {everything}\n" in done.stdout
