"""The client without `async`: the same typed methods, and a thread that ends with the block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from chat import SyncRoomClient, messages
from examples.chat.server import Chat
from sockspec.runtime import ClientOptions, ConnectionLost, PayloadError, ProblemError, State, now
from tests.runtime.chatting import QUICK


@contextmanager
def served() -> Generator[str]:
    """The server in a thread of its own; gives its URL."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    urls: list[str] = []
    started = threading.Event()

    async def serve() -> None:
        async with Chat().serve(port=0) as running:
            urls.append(f"ws://127.0.0.1:{running.port}/v1")
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    started.wait(10)
    try:
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def room(url: str, options: ClientOptions = QUICK) -> SyncRoomClient:
    return SyncRoomClient(room="lobby", url=url, token="ann", options=options)


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_a_script_talks_asks_and_listens() -> None:
    with served() as url:
        before = threads()
        with room(url) as ann:
            states = [ann.state]
            ann.send_join(data=messages.JoinData(nickname="ann"))
            ann.send_message(messages.SendMessage(timestamp=now(), data=messages.SendMessageData(text="a")))
            ann.send_message(data=messages.SendMessageData(text="b"))
            said = [message.data.text for _, message in zip(range(2), posted(ann), strict=False)]
            assert said == ["a", "b"]
            page = ann.get_history(data=messages.GetHistoryData(limit=10))
            assert [one.text for one in page.data.messages] == ["a", "b"]
            with pytest.raises(PayloadError):
                ann.send_message(data=messages.SendMessageData(text=""))
            with pytest.raises(TimeoutError):
                ann.receive(timeout=0.01)
        states.append(ann.state)
        assert states == [State.OPEN, State.CLOSED]
        assert threads() == before
        with pytest.raises(RuntimeError, match="not connected"):
            ann.send_leave()


def posted(room: SyncRoomClient) -> Generator[messages.MessagePosted]:
    for message in room:
        if isinstance(message, messages.MessagePosted):
            yield message


def test_callbacks_run_in_threads_and_can_make_requests() -> None:
    with served() as url, room(url) as ann:
        found: list[int] = []
        done = threading.Event()

        def note(message: messages.MessagePosted) -> None:
            found.append(len(ann.get_history(data=messages.GetHistoryData(limit=10)).data.messages))
            done.set()

        ann.on(messages.MessagePosted, note)
        ann.send_join(data=messages.JoinData(nickname="ann"))
        ann.send_message(data=messages.SendMessageData(text="a"))
        assert done.wait(10)
        ann.off(messages.MessagePosted, note)
        heard = threading.Event()

        def say_it_again() -> None:  # until somebody waits for it
            while not heard.wait(0.1):
                ann.send_message(data=messages.SendMessageData(text="b"))

        saying = threading.Thread(target=say_it_again)
        saying.start()
        said = ann.wait_for(messages.MessagePosted, lambda message: message.data.text == "b", timeout=10)
        heard.set()
        saying.join(10)
        assert (said.data.text, found) == ("b", [1])


def test_several_threads_can_share_a_client() -> None:
    with served() as url, room(url) as ann:
        ann.send_join(data=messages.JoinData(nickname="ann"))
        counts: list[int] = []

        def ask() -> None:
            for _ in range(3):
                counts.append(len(ann.get_history(data=messages.GetHistoryData(limit=1)).data.messages))

        askers = [threading.Thread(target=ask) for _ in range(5)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        assert counts == [0] * 15


def test_what_cannot_be_connected_leaves_no_thread_behind() -> None:
    before = threads()
    with pytest.raises(ConnectionLost):
        room("ws://127.0.0.1:1", replace(QUICK, connect_timeout=0.1)).connect()
    assert threads() == before


def test_a_hook_prepares_each_connection() -> None:
    with served() as url:
        ann = room(url)
        ann.on_connect(lambda: ann.send_join(data=messages.JoinData(nickname="ann")))
        with ann:
            ann.send_message(data=messages.SendMessageData(text="a"))
            assert next(posted(ann)).data.text == "a"


def test_a_problem_of_the_server_is_raised() -> None:
    with served() as url, room(url) as ann:
        with pytest.raises(ProblemError, match="join the room first"):
            ann.get_history(data=messages.GetHistoryData(limit=1))
