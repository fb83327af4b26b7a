"""Heartbeats that are messages of the document, on both sides, and in both directions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from websockets.asyncio.server import ServerConnection, serve

from market import MarketServer, StreamClient, StreamConnection, messages
from sockspec.runtime import ClientOptions, Heartbeat, State
from sockspec.runtime.testing import Host
from tests.runtime.chatting import QUICK, scenario


class Market(MarketServer):
    async def request(self, connection: StreamConnection, message: messages.Subscribe | messages.Unsubscribe) -> None:
        raise NotImplementedError


class QuickClient(StreamClient):
    heartbeat = Heartbeat(messages.Ping, messages.Heartbeat, interval=0.01, timeout=0.1)


@scenario
async def test_pings_of_a_client_are_sent_and_answered_by_the_runtimes_alone() -> None:
    frames: list[str] = []

    async with Host(Market()) as host, host.connected(QuickClient(options=QUICK)) as client:
        client.on_state(lambda state: frames.append(state.value))
        await asyncio.sleep(0.2)
        assert client.state is State.OPEN
        await client.close()
        assert [message async for message in client] == []
    assert frames == ["closed"]


@scenario
async def test_a_server_that_answers_no_ping_is_left() -> None:
    got: list[dict[str, object]] = []

    async def silent(websocket: ServerConnection) -> None:
        async for frame in websocket:
            got.append(json.loads(frame))

    async with serve(silent, "127.0.0.1", 0) as listener:
        url = f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        states: list[State] = []
        lost = asyncio.Event()

        def note(state: State) -> None:
            states.append(state)
            if state is State.WAITING:
                lost.set()

        client = QuickClient(url=url, options=ClientOptions(backoff_base=30, backoff_cap=30))
        client.on_state(note)
        async with client:
            await lost.wait()
        assert states[:3] == [State.CONNECTING, State.OPEN, State.WAITING]
        assert [message["op"] for message in got] == ["ping"]


@pytest.mark.parametrize("numbers", [(1,), (1, 2, 3)])
@scenario
async def test_an_answer_repeats_what_both_messages_have(numbers: Sequence[int]) -> None:
    beat = Heartbeat(messages.Ping, messages.Heartbeat, interval=60)
    answers = [beat.answer(messages.Ping(nonce=number)) for number in numbers]
    assert [answer.nonce for answer in answers] == list(numbers)
    assert all(isinstance(answer, messages.Heartbeat) and answer.timestamp.tzinfo is not None for answer in answers)
    assert replace(beat, timeout=1.0).beat() == messages.Ping()
