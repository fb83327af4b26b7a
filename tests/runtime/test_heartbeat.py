"""Heartbeats that are messages of the document, on both sides, and in both directions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from market import MarketServer, StreamClient, StreamConnection, messages
from sockspec import ir
from sockspec.live import imported
from sockspec.pipeline import examine, generate
from sockspec.runtime import ClientOptions, ConnectionClosed, Heartbeat, State
from sockspec.runtime.backoff import Ending
from sockspec.runtime.testing import Host
from sockspec.runtime.transport import ClientTransport
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


@scenario
async def test_a_server_answers_the_pings_of_any_client() -> None:
    async with Host(Market()) as host:
        end = await host.dial("ws://localhost/market/v2/stream", headers={}, subprotocols=(), options=QUICK)
        assert not isinstance(end, Ending)
        await end.send('{"op":"ping","nonce":7}')
        answer = json.loads(await end.receive())
        assert (answer["type"], answer["nonce"], sorted(answer)) == ("heartbeat", 7, ["nonce", "timestamp", "type"])
        await end.close()


async def _hear(end: ClientTransport, told: list[str]) -> None:
    """Note the types of what comes, until the end."""
    while True:
        told.append(json.loads(await end.receive())["type"])


DOCUMENTS = Path(__file__).parents[1] / "documents"


@pytest.mark.parametrize("document", ["heartbeat.asyncapi.yaml", "heartbeat.openapi.yaml"])
def test_a_server_sends_pings_that_clients_answer_and_leaves_those_that_do_not(document: str) -> None:
    api, diagnostics = examine(DOCUMENTS / document)
    assert api is not None, diagnostics
    assert [channel.heartbeat.sender for channel in api.channels if channel.heartbeat] == [
        ir.Direction.SERVER_TO_CLIENT
    ]
    with imported(generate(api, document)) as package:

        @scenario
        async def run() -> None:
            async with Host(package.BeatingServer()) as host:
                client = package.StreamClient(options=QUICK)
                async with host.connected(client):
                    silent = await host.dial(client.url, headers={}, subprotocols=(), options=QUICK)
                    assert not isinstance(silent, Ending)
                    told: list[str] = []
                    with pytest.raises(ConnectionClosed) as closed:
                        await _hear(silent, told)
                    assert (closed.value.code, told) == (3008, ["ping", "error"])
                    # The client has answered by then, and its application has heard of nothing.
                    assert client.state is State.OPEN
                    await client.close()
                    assert [message async for message in client] == []

        run()
