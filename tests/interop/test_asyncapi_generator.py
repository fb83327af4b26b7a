"""A JavaScript client that AsyncAPI's own generator made of our document talks with our server."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from chat import RoomClient, messages
from examples.chat.server import Chat
from sockspec import pipeline
from sockspec.choices import Choices
from sockspec.runtime import Options, Principal
from sockspec.runtime.security.tickets import Tickets
from tests.interop.programs import PATIENCE

ROOT = Path(__file__).parents[2]
TALK = Path(__file__).parent / "asyncapi_generator" / "talk.js"


async def talk(node: Path, node_modules: Path, url: str) -> list[dict[str, Any]]:
    """What the client got, in order."""
    process = await asyncio.create_subprocess_exec(
        node,
        TALK,
        url,
        "jo",
        env={**os.environ, "NODE_PATH": str(node_modules)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return [json.loads(line) for line in printed.decode().splitlines() if line.startswith("{")]


def test_it_joins_speaks_hears_asks_and_is_told_what_is_wrong(node: Path, node_modules: Path) -> None:
    async def scenario() -> list[dict[str, Any]]:
        tickets = Tickets()
        async with asyncio.timeout(PATIENCE), Chat().serve(port=0, options=Options(tickets=tickets)) as running:
            base = f"ws://127.0.0.1:{running.port}/v1"
            async with RoomClient(room="lobby", url=base, token="ann") as ann:

                async def answer(message: messages.MessagePosted) -> None:
                    if message.data.author == "jo":
                        await ann.send_message(data=messages.SendMessageData(text=f"{message.data.text}, too"))

                ann.on(messages.MessagePosted, answer)
                await ann.send_join(data=messages.JoinData(nickname="ann"))
                ticket = tickets.issue(Principal(id="jo"))
                return await talk(node, node_modules, f"{base}/rooms/lobby?ticket={ticket}")

    came, said, answered, history, error, end = asyncio.run(scenario())
    assert (came["type"], came["data"]) == ("presenceChanged", {"nickname": "jo", "presence": "online"})
    assert [(one["type"], one["data"]["author"], one["data"]["text"]) for one in (said, answered)] == [
        ("messagePosted", "jo", "Grüße 👋"),
        ("messagePosted", "ann", "Grüße 👋, too"),
    ]
    assert (history["type"], history["id"]) == ("history", "h-1")
    assert history["data"] == {"messages": [answered["data"]], "hasMore": True}
    assert (error["id"], error["error"]["type"]) == ("h-2", "/problems/validation-error")
    assert [(one["pointer"], one["keyword"]) for one in error["error"]["errors"]] == [("/data/limit", "maximum")]
    assert end == {"closed": 1000}


def test_it_is_refused_without_a_ticket(node: Path, node_modules: Path) -> None:
    async def scenario() -> list[dict[str, Any]]:
        async with asyncio.timeout(PATIENCE), Chat().serve(port=0) as running:
            return await talk(node, node_modules, f"ws://127.0.0.1:{running.port}/v1/rooms/lobby")

    assert asyncio.run(scenario()) == [{"refused": "Unexpected server response: 401"}]


def test_a_document_in_the_view_of_the_client_makes_the_same_package(tmp_path: Path) -> None:
    ours = (ROOT / "specs" / "chat.asyncapi.yaml").read_text(encoding="utf-8")
    words = {"action: receive\n": "action: send\n", "action: send\n": "action: receive\n"}
    theirs = "".join(
        next((line.replace(old, new) for old, new in words.items() if line.endswith(old)), line)
        for line in ours.splitlines(keepends=True)
    )
    document = tmp_path / "chat.asyncapi.yaml"
    document.write_text(theirs, encoding="utf-8")
    api, _ = pipeline.examine(document, choices=Choices(perspective="client"))
    assert api is not None
    files = pipeline.generate(api, document.name)
    for module in ("messages.py", "client.py", "codecs.py", "server.py"):
        assert files[module] == (ROOT / "generated" / "chat" / module).read_text(encoding="utf-8"), module
