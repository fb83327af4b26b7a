"""Publishing from outside a server: who gets it, what is refused, and what happens without an engine."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from chat import ChatPublisher, SyncChatPublisher, messages
from sockspec.runtime import (
    BackplaneError,
    History,
    MemoryBackplane,
    Observer,
    Options,
    PayloadError,
    RedisBackplane,
    Unavailable,
    now,
)
from sockspec.runtime.backplane.line import Backplane, Entry, Position
from sockspec.runtime.fleet.publication import group_stream, unpack
from sockspec.runtime.fleet.recovery import Recovery
from tests.runtime.backplane.engines import Redis
from tests.runtime.chatting import scenario
from tests.runtime.fleet.nodes import PATIENCE, Person, fleet, posted

LOBBY = group_stream("/v1/rooms/{room}", "lobby")
SHARED = pytest.mark.parametrize("backplane", ["redis", "nats"], indirect=True)
IMPATIENT = Options(publish_timeout=0.2)


class Listener:
    """A line of its own, which only looks."""

    def receive(self, stream: str, epoch: str, entry: Entry, /) -> None: ...

    def interrupted(self) -> None: ...

    def restored(self) -> None: ...


def published(backplane: Backplane, stream: str = LOBBY) -> list[str]:
    """The texts in the history of a stream, and the types of messages that have none."""

    async def read() -> list[str]:
        line = await backplane.open("reader", Listener())
        try:
            top = (await line.positions([stream]))[stream]
            found = await line.read(stream, Position(top.epoch, 0), 1000)
        finally:
            await line.close()
        kept = [unpack(entry.data) for entry in found.entries]
        payloads = [json.loads(publication.data) for publication in kept if publication is not None]
        return [payload["data"].get("text", payload["type"]) for payload in payloads]

    return asyncio.run(read())


async def hear(text: str, *persons: Person) -> None:
    """Wait until all of them have heard it."""

    async def one(person: Person) -> None:
        await person.until(lambda: text in person.heard)

    for person in persons:
        await one(person)


# --- who gets it ------------------------------------------------------------------------------------------------------


def test_a_group_a_principal_and_everybody_are_reached_on_all_nodes(backplane: Backplane) -> None:
    @scenario
    async def test() -> None:
        async with (
            fleet(backplane) as nodes,
            nodes.person("ann") as ann,
            nodes.person("ann", at=1, room="attic") as ann_too,
            nodes.person("bob", at=1) as bob,
            ChatPublisher(backplane) as publisher,
        ):
            for person in (ann, ann_too, bob):
                await person.enter()
            await publisher.room.group("lobby").broadcast(posted("to the lobby"))
            await hear("to the lobby", ann, bob)
            await publisher.room.principal("ann").broadcast(posted("to ann"))
            await hear("to ann", ann, ann_too)
            await publisher.room.everybody().broadcast(posted("to all"))
            await hear("to all", ann, ann_too, bob)
            assert [ann.heard, ann_too.heard, bob.heard] == [
                ["to the lobby", "to ann", "to all"],
                ["to ann", "to all"],
                ["to the lobby", "to all"],
            ]

    test()


@scenario
async def test_who_was_away_gets_it_on_coming_back() -> None:
    backplane = MemoryBackplane()
    async with fleet(backplane) as nodes, nodes.person("ann") as ann, ChatPublisher(backplane) as publisher:
        await ann.enter()
        ann.cut(to=1)
        for text in ("one", "two"):
            await publisher.room.group("lobby").broadcast(posted(text))
        await ann.until(lambda: ann.recoveries)
        assert (ann.heard, ann.recoveries) == (["one", "two"], [Recovery(resumed=True, recovered=True)])


@SHARED
def test_a_publisher_is_no_node(backplane: Backplane) -> None:
    async def test() -> frozenset[str]:
        line = await backplane.open("node", Listener())
        async with ChatPublisher(backplane) as publisher:
            await publisher.room.group("lobby").broadcast(posted("something"))
            nodes = (await line.renew(5.0)).nodes
        await line.close()
        return nodes

    assert asyncio.run(test()) == {"node"}


@scenario
async def test_its_history_decides_how_much_is_kept() -> None:
    backplane = MemoryBackplane()
    async with ChatPublisher(backplane, options=Options(history=History(size=2))) as publisher:
        for number in range(3):
            await publisher.room.group("lobby").broadcast(posted(str(number)))
    assert await asyncio.to_thread(published, backplane) == ["1", "2"]


# --- what is refused --------------------------------------------------------------------------------------------------


def leave() -> messages.Leave:
    return messages.Leave(timestamp=now())


def nobody_came() -> messages.PresenceChanged:
    """A message whose nickname is shorter than the document allows."""
    data = messages.PresenceData(nickname="", presence=messages.Presence.ONLINE)
    return messages.PresenceChanged(data=data, timestamp=now())


@scenario
async def test_what_the_document_does_not_allow_is_not_published() -> None:
    backplane = MemoryBackplane()
    async with ChatPublisher(backplane) as publisher:
        room = publisher.room.group("lobby")
        with pytest.raises(PayloadError):
            await room.broadcast(nobody_came())
        with pytest.raises(TypeError, match="Leave"):
            await room.broadcast(leave())  # type: ignore[arg-type]  # what the type checker refuses, at run time
        await room.broadcast(posted("allowed"))
    async with ChatPublisher(backplane, options=Options(check_sent=False)) as publisher:
        await publisher.room.group("lobby").broadcast(nobody_came())
    assert await asyncio.to_thread(published, backplane) == ["allowed", "presenceChanged"]


@scenario
async def test_a_publisher_is_used_in_its_block() -> None:
    publisher = ChatPublisher(MemoryBackplane())
    with pytest.raises(RuntimeError, match="not open"):
        await publisher.room.everybody().broadcast(posted("early"))
    for _ in range(2):  # one after the other it can be opened again
        async with publisher:
            with pytest.raises(RuntimeError, match="open already"):
                await publisher.__aenter__()
            await publisher.room.everybody().broadcast(posted("in time"))


# --- without an engine ------------------------------------------------------------------------------------------------


def test_an_engine_that_is_away_is_told_of_and_used_once_it_is_there(start_redis: Callable[..., Redis]) -> None:
    engine = start_redis()
    engine.kill()
    backplane = RedisBackplane(engine.url, timeout=0.5)

    @scenario
    async def test() -> None:
        async with ChatPublisher(backplane, options=IMPATIENT) as publisher:
            room = publisher.room.group("lobby")
            with pytest.raises(Unavailable) as caught:
                await room.broadcast(posted("while it is away"))
            assert not caught.value.doubtful
            await asyncio.to_thread(engine.start)
            async with asyncio.timeout(PATIENCE):
                while True:
                    try:
                        await room.broadcast(posted("afterwards"))
                    except Unavailable:
                        continue
                    break
            engine.pause()
            try:
                with pytest.raises(Unavailable) as caught:
                    await room.broadcast(posted("while it holds still"))
            finally:
                engine.resume()
            assert caught.value.doubtful

    test()
    assert published(backplane)[0] == "afterwards"


def test_calls_that_wait_do_not_wait_for_ever(start_redis: Callable[..., Redis]) -> None:
    engine = start_redis()
    with SyncChatPublisher(RedisBackplane(engine.url, timeout=0.5), options=IMPATIENT) as publisher:
        engine.kill()
        with pytest.raises(Unavailable) as caught:
            publisher.room.everybody().broadcast(posted("while it is away"))
        assert not caught.value.doubtful


# --- in calls that wait -----------------------------------------------------------------------------------------------


@SHARED
def test_threads_share_a_publisher_and_each_keeps_its_order(backplane: Backplane) -> None:
    threads = 4
    before = threading.active_count()
    with SyncChatPublisher(backplane) as publisher:

        def say(thread: int) -> None:
            for number in range(10):
                publisher.room.group("lobby").broadcast(posted(f"{thread} {number}"))

        running = [threading.Thread(target=say, args=(thread,)) for thread in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    texts = published(backplane)
    assert len(texts) == threads * 10
    for name in range(threads):
        assert [text for text in texts if text.startswith(f"{name} ")] == [f"{name} {n}" for n in range(10)]


def test_it_connects_again_when_it_is_used_after_its_end(redis_url: str) -> None:
    backplane = RedisBackplane(redis_url, prefix=uuid.uuid4().hex)
    publisher = SyncChatPublisher(backplane)
    publisher.close()  # nothing to do yet
    for text in ("one", "two"):
        with publisher:
            publisher.room.group("lobby").broadcast(posted(text))
    with pytest.raises(PayloadError), publisher:
        publisher.room.group("lobby").broadcast(nobody_came())
    with pytest.raises(TypeError, match="Leave"), publisher:
        publisher.room.group("lobby").broadcast(leave())  # type: ignore[arg-type]  # as above
    assert published(backplane) == ["one", "two"]


class Everywhere(MemoryBackplane):
    """Says that it is shared, as nobody listens in this test."""

    is_shared = True


class Stuck(Everywhere):
    """Takes nothing, and does not know whether it did."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()

    def publish(self, name: str, data: bytes, id: str, history: History) -> Position:
        self.reached.set()
        raise BackplaneError("it is stuck", doubtful=True)


def test_what_is_under_way_at_the_end_is_told_of() -> None:
    backplane = Stuck()
    publisher = SyncChatPublisher(backplane, options=Options(publish_timeout=600))
    caught: list[bool] = []

    def say() -> None:
        with pytest.raises(Unavailable) as raised:
            publisher.room.everybody().broadcast(posted("something"))
        caught.append(raised.value.doubtful)

    saying = threading.Thread(target=say)
    saying.start()
    assert backplane.reached.wait(PATIENCE)
    publisher.close()
    saying.join(PATIENCE)
    assert caught == [True]


REQUEST = ContextVar("REQUEST", default="none")


class Watching(Observer):
    """Notes for which request something is published."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def publishing(self, backplane: str, stream: str) -> AbstractContextManager[Mapping[str, str]]:
        self.seen.append(REQUEST.get())
        return nullcontext({"request": REQUEST.get()})


def test_observers_know_for_what_something_is_published() -> None:
    watching = Watching()
    REQUEST.set("this one")
    with SyncChatPublisher(Everywhere(), options=Options(observers=(watching,))) as publisher:
        for _ in range(2):
            publisher.room.everybody().broadcast(posted("something"))
    assert watching.seen == ["this one", "this one"]


def test_a_publisher_that_nobody_has_any_more_ends_its_thread() -> None:
    before = threading.active_count()
    publisher = SyncChatPublisher(Everywhere())
    publisher.room.everybody().broadcast(posted("something"))
    assert threading.active_count() == before + 1
    del publisher
    assert threading.active_count() == before


def test_memory_is_refused_where_another_thread_would_publish() -> None:
    with pytest.raises(ValueError, match="within one event loop"):
        SyncChatPublisher(MemoryBackplane())


FORKED = """
import os, sys, uuid
from chat import SyncChatPublisher, messages
from sockspec.runtime import RedisBackplane, now

publisher = SyncChatPublisher(RedisBackplane(sys.argv[1], prefix=sys.argv[2]))


def say(text):
    data = messages.ChatMessage(id=uuid.uuid4(), room="lobby", author="ann", text=text, posted_at=now())
    publisher.room.group("lobby").broadcast(messages.MessagePosted(data=data, timestamp=now()))


say("before")
child = os.fork()
if child == 0:
    say("in the child")
    sys.exit(7)
_, status = os.waitpid(child, 0)
say("after")
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_process_that_was_forked_off_connects_anew_and_both_end_quietly(redis_url: str) -> None:
    prefix = uuid.uuid4().hex
    root = Path(__file__).parents[2]
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": f"{root / 'generator'}{os.pathsep}{root / 'generated'}"}
    done = subprocess.run(
        [sys.executable, "-c", FORKED, redis_url, prefix],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, "", "")
    assert published(RedisBackplane(redis_url, prefix=prefix)) == ["before", "in the child", "after"]
