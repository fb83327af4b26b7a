"""Our client, made from the document that a chanx server gives of itself, talks with that server."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sys
import uuid
from collections.abc import Generator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.request import urlopen

import pytest

from sockspec import live, pipeline
from sockspec.diagnostics import Severity
from sockspec.runtime import ClientOptions, PayloadError, UnknownMessage
from tests.interop.programs import PATIENCE, running

SERVER = "tests.interop.chanx_server:app"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """What the server says of itself; the server is there as long."""
    command = [sys.executable, "-m", "uvicorn", "--port", "0", "--app-dir", str(Path(__file__).parents[2]), SERVER]
    with running(command, r"running on http://(127\.0\.0\.1:\d+)") as [address]:
        path = tmp_path_factory.mktemp("chanx") / "room.json"
        with urlopen(f"http://{address[1]}/asyncapi.json") as response:
            path.write_bytes(response.read())
        yield path


@pytest.fixture(scope="module")
def package(document: Path) -> Generator[ModuleType]:
    """The package of the document as it stands."""
    api, _ = pipeline.examine(document)
    assert api is not None
    with live.imported(pipeline.generate(api, document.name)) as imported:
        yield imported


def test_the_document_is_read_as_it_stands(document: Path) -> None:
    api, diagnostics = pipeline.examine(document)
    assert api is not None
    assert json.loads(document.read_bytes())["asyncapi"] == "3.0.0"
    said = {d.code.id for d in diagnostics if d.severity is not Severity.INFO}
    assert said == {"location-undeclared"}  # its correlation ids are properties that its schemas only let in


def test_requests_have_their_typed_replies(package: ModuleType) -> None:
    messages = package.messages
    earlier = uuid.UUID("3f0c8a52-6a0e-4d0b-9a56-2f4e7c1b8d90")

    async def scenario() -> tuple[Any, Any, Any]:
        async with asyncio.timeout(PATIENCE), package.client.RoomClient(room="lobby") as room:
            pong = await room.ping()
            heard = await room.say(payload=messages.Said(text="Grüße 👋", reply_to=earlier))
            sad = await room.say(payload=messages.Said(text="oh no", mood="sad"))
            return pong, heard, sad

    pong, heard, sad = asyncio.run(scenario())
    assert type(pong) is messages.PongMessage
    assert heard.payload == messages.Heard(
        text="Grüße 👋",
        mood="glad",
        reply_to=earlier,
        id=uuid.UUID("b7d1f0c4-9e35-4c8e-8f43-5d2a60e7c911"),
        at=dt.datetime(2026, 11, 25, 12, 30, tzinfo=dt.UTC),
        words=2,
    )
    assert (sad.payload.mood, sad.payload.reply_to) == ("sad", None)


def test_replies_carry_the_ids_of_their_requests(package: ModuleType) -> None:
    texts = [f"request {number}" for number in range(20)]

    async def scenario() -> list[Any]:
        async with asyncio.timeout(PATIENCE), package.client.RoomClient(room="lobby") as room:
            # The reply to this is its first echo; the two others must not be taken for the reply to the next.
            shouts = [room.shout(payload="a", ref="s-1"), room.shout(payload="b", ref="s-2")]
            said = (room.say(payload=package.messages.Said(text=text), ref=f"r-{text}") for text in texts)
            return await asyncio.gather(*shouts, *said)

    first, second, *heard = asyncio.run(scenario())
    assert [(echo.payload, echo.ref) for echo in (first, second)] == [("A", "s-1"), ("B", "s-2")]
    assert [(one.payload.text, one.ref) for one in heard] == [(text, f"r-{text}") for text in texts]


def test_events_arrive_typed_and_in_order(package: ModuleType) -> None:
    messages = package.messages

    async def scenario() -> list[Any]:
        async with asyncio.timeout(PATIENCE), package.client.RoomClient(room="lobby") as room:
            await room.send(messages.Shout(payload="a"))
            await room.send(messages.Shout(payload="b"))
            return [await anext(room) for _ in range(6)]

    assert [(type(event), event.payload) for event in asyncio.run(scenario())] == [
        (messages.Echo, text) for text in "AAABBB"
    ]


def test_what_is_invalid_is_refused_here_and_else_by_the_server(package: ModuleType) -> None:
    messages = package.messages
    invalid = messages.Say(payload=messages.Said(text=""))

    async def scenario() -> UnknownMessage:
        told: asyncio.Queue[UnknownMessage] = asyncio.Queue()
        options = ClientOptions(check_sent=False)
        async with asyncio.timeout(PATIENCE), package.client.RoomClient(room="lobby") as careful:
            with pytest.raises(PayloadError) as refused:
                await careful.send(invalid)
            assert [fault.pointer for fault in refused.value.problem.errors] == ["/payload/text"]
        async with asyncio.timeout(PATIENCE), package.client.RoomClient(room="lobby", options=options) as careless:
            careless.on_unknown(told.put_nowait)
            await careless.send(invalid)
            return await told.get()

    # chanx sends errors that its document does not have.
    error = asyncio.run(scenario()).value
    assert isinstance(error, dict)
    assert error["action"] == "error"
    assert [(one["type"], one["loc"]) for one in error["payload"]] == [("string_too_short", ["say", "payload", "text"])]
