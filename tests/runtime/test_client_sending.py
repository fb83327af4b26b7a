"""What becomes of what a client sends: with a connection, without one, and when it breaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from websockets.asyncio.server import Server as Listener
from websockets.asyncio.server import ServerConnection, serve

from sockspec.runtime import ClientOptions, ConnectionLost, NotConnected, QueueFull, SendTimeout, State, Unsent
from tests.runtime.chatting import QUICK, Post, RoomClient, scenario


class Peer:
    """A server that notes what it gets, and can go and come back on the same port."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.connections = 0
        self.port = 0
        self._happened = asyncio.Event()
        self._listener: Listener | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def come(self) -> None:
        self._listener = await serve(self._converse, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def go(self) -> None:
        assert self._listener is not None
        self._listener.close(code=1012)
        await self._listener.wait_closed()

    async def until(self, *texts: str) -> None:
        while self.got != list(texts):
            self._happened.clear()
            await self._happened.wait()

    async def _converse(self, websocket: ServerConnection) -> None:
        self.connections += 1
        async for frame in websocket:
            self.got.append(json.loads(frame)["text"])
            self._happened.set()


@asynccontextmanager
async def peer() -> AsyncGenerator[Peer]:
    found = Peer()
    await found.come()
    try:
        yield found
    finally:
        await found.go()


async def until(client: RoomClient, state: State) -> None:
    while client.state is not state:
        await asyncio.sleep(0.001)


async def gone(there: Peer, client: RoomClient) -> None:
    """The server goes, and the client has noticed."""
    await there.go()
    while client.state is State.OPEN:
        await asyncio.sleep(0.001)


QUEUE = replace(QUICK, offline="queue")


@scenario
async def test_a_sender_that_waits_is_held_up_until_there_is_a_connection_again() -> None:
    async with peer() as there, RoomClient(room="r", url=there.url, options=QUICK) as client:
        await gone(there, client)
        sending = asyncio.create_task(client.send_post(text="a"))
        await asyncio.sleep(0)
        assert not sending.done()
        await there.come()
        await sending
        await there.until("a")


@scenario
async def test_a_sender_that_is_not_to_wait_is_told_at_once() -> None:
    async with peer() as there:
        async with RoomClient(room="r", url=there.url, options=replace(QUICK, offline="raise")) as client:
            await client.send_post(text="a")
            await there.until("a")
            await gone(there, client)
            with pytest.raises(NotConnected) as told:
                await client.send_post(text="b")
            assert not told.value.doubtful
            with pytest.raises(NotConnected):
                await client.get_history()
            await there.come()
            await until(client, State.OPEN)
            await client.send_post(text="c")
            await there.until("a", "c")


@scenario
async def test_what_is_queued_is_sent_in_order_and_once_when_the_server_is_back() -> None:
    texts = [str(number) for number in range(100)]
    async with peer() as there, RoomClient(room="r", url=there.url, options=QUEUE) as client:
        await client.send_post(text="first")
        await there.until("first")
        await gone(there, client)
        for text in texts:
            await client.send_post(text=text)
        assert [unsent.message for unsent in client.unsent] == [Post(text=text) for text in texts]
        await there.come()
        await there.until("first", *texts)
        assert client.unsent == ()


@scenario
async def test_a_full_queue_takes_no_more_and_forgets_nothing() -> None:
    async with peer() as there, RoomClient(room="r", url=there.url, options=replace(QUEUE, max_queued=2)) as client:
        await gone(there, client)
        await client.send_post(text="a")
        await client.send_post(text="b")
        with pytest.raises(QueueFull):
            await client.send_post(text="c")
        await there.come()
        await there.until("a", "b")


@scenario
async def test_what_was_queued_and_not_sent_is_handed_back_in_the_end() -> None:
    async with peer() as there:
        async with RoomClient(room="r", url=there.url, options=QUEUE) as client:
            await gone(there, client)
            await client.send_post(text="a")
            await client.send_post(text="b")
        assert client.unsent == (Unsent(Post(text="a")), Unsent(Post(text="b")))
        with pytest.raises(ConnectionLost):
            await client.send_post(text="c")
        await there.come()
    assert there.got == []


@scenario
async def test_what_is_queued_is_sent_before_a_client_closes() -> None:
    async with peer() as there:
        async with RoomClient(room="r", url=there.url, options=QUEUE) as client:
            for number in range(50):
                await client.send_post(text=str(number))
        assert client.unsent == ()
        await there.until(*map(str, range(50)))


@scenario
async def test_a_request_keeps_its_place_in_the_queue() -> None:
    async with (
        peer() as there,
        RoomClient(room="r", url=there.url, options=replace(QUEUE, send_timeout=0.05)) as client,
    ):
        await gone(there, client)
        await client.send_post(text="a")
        with pytest.raises(SendTimeout) as told:
            await client.get_history()
        assert not told.value.doubtful
        assert [unsent.message for unsent in client.unsent] == [Post(text="a")]
        await there.come()
        await there.until("a")


# --- hooks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offline", ["wait", "queue"])
@scenario
async def test_what_prepares_a_connection_is_sent_before_what_waited_for_it(offline: str) -> None:
    options = QUEUE if offline == "queue" else QUICK
    async with peer() as there:
        client = RoomClient(room="r", url=there.url, options=options)

        async def subscribe() -> None:
            await client.send_post(text="subscribe")
            await asyncio.sleep(0.01)
            await client.send_post(text="subscribed")

        client.on_connect(subscribe)
        async with client:
            await client.send_post(text="a")
            await there.until("subscribe", "subscribed", "a")
            await gone(there, client)
            sending = asyncio.create_task(client.send_post(text="b"))
            await there.come()
            await sending
            await there.until("subscribe", "subscribed", "a", "subscribe", "subscribed", "b")


@scenario
async def test_a_connection_that_cannot_be_prepared_is_given_up_and_tried_again() -> None:
    async with peer() as there:
        client = RoomClient(room="r", url=there.url, options=QUICK)
        failures = [RuntimeError("not yet"), RuntimeError("not yet")]

        async def subscribe() -> None:
            if failures:
                raise failures.pop()

        remove = client.on_connect(subscribe)
        async with client:
            await client.send_post(text="a")
            await there.until("a")
        assert there.connections == 3
        remove()


@scenario
async def test_a_message_under_way_when_the_connection_stalls_is_doubtful_and_not_sent_twice() -> None:
    stop = asyncio.Event()

    async def deaf(websocket: ServerConnection) -> None:
        websocket.transport.pause_reading()
        await stop.wait()
        websocket.transport.abort()

    options = ClientOptions(send_timeout=0.2, check_sent=False, backoff_base=0.01)
    async with serve(deaf, "127.0.0.1", 0) as listener:
        url = f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        async with RoomClient(room="r", url=url, options=options) as client:
            try:
                with pytest.raises(SendTimeout) as told:
                    await _send_for_ever(client)
                assert told.value.doubtful
            finally:
                stop.set()


async def _send_for_ever(client: RoomClient) -> None:
    while True:
        await client.send_post(text="x" * 500_000)
