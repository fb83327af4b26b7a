"""The console of the page, talking to real servers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect
from websockets.asyncio.server import ServerConnection, serve

import chat
from sockspec.mock import Hosted
from tests.browser.consoles import CHAT, ROOT, Console, chat_server, page_text
from tests.browser.watching import Opener

LOST = ("WebSocket connection to",)
"""What the browser itself logs when a connection is refused."""


async def test_the_whole_conversation_of_the_chat(page_of: Opener, axe: str) -> None:
    async with chat_server() as server:
        url = server.url
        watched = await page_of(page_text(CHAT), servers=(urlsplit(url).netloc,))
        console = Console(watched.page)
        await console.connect(f"{url}/v1", token="ann")
        await console.is_in("open")
        await console.choose("Join")
        await console.fill("/data/nickname", "ann")
        await console.send()
        await console.heard("PresenceChanged")
        await console.choose("SendMessage")
        await console.fill("/data/text", "Hello, Bob!")
        await console.send()
        await console.heard("MessagePosted")
        await console.choose("GetHistory")
        await console.send()
        await console.heard("History")
        assert await watched.judged(axe, ".console") == []
        await watched.page.locator(".entry.is-received summary").last.click()
        assert "Hello, Bob!" in await watched.page.locator(".entry.is-received pre").inner_text()
        await watched.page.click("text=go to the request")
        await expect(watched.page.locator(".entry.is-sent summary").last).to_be_focused()
        await console.choose("Leave")
        await console.send()
        await console.is_in("closed")
        await console.noted("the connection has ended: 1000")
        assert await watched.page.locator(".entry.is-bad").count() == 0
        assert watched.sockets == [f"{url}/v1/rooms/lobby"]


async def test_an_invalid_message_is_refused_before_it_is_sent(page_of: Opener, axe: str) -> None:
    async with chat_server() as server:
        url = server.url
        watched = await page_of(page_text(CHAT), servers=(urlsplit(url).netloc,))
        console = Console(watched.page)
        await console.connect(f"{url}/v1", token="ann")
        await console.is_in("open")
        await console.choose("GetHistory")
        await watched.page.click("text=+ limit")
        await console.fill("/data/limit", "500")
        await console.send()
        assert await console.faults() == ["is more than 100"]
        assert await watched.page.locator("[data-pointer='/data/limit']").get_attribute("aria-invalid") == "true"
        assert await watched.page.locator(".entry.is-sent").count() == 0
        assert await watched.judged(axe, ".console") == []
        await watched.page.click("#console-send-anyway")
        await console.heard("Error")
        await expect(watched.page.locator(".entry.is-sent.is-bad .is-pair")).to_have_text("answered")
        await console.fill("/data/limit", "50")
        assert await console.faults() == []


async def test_what_is_no_json_or_breaks_its_schema_is_told_while_it_is_written(page_of: Opener) -> None:
    watched = await page_of(page_text(CHAT))
    console = Console(watched.page)
    await watched.page.click("#console-as-json")
    await watched.page.fill("#console-text", "{")
    await expect(watched.page.locator("#console-faults li")).to_contain_text("is not JSON")
    await watched.page.fill("#console-text", '{"type": "join", "timestamp": "noon", "data": {"nick": 1}}')
    assert await console.faults() == [
        "/timestamp is no date-time",
        '/data "nickname" is missing',
        "/data/nick is not known here",
    ]
    await watched.page.fill(
        "#console-text", '{"type": "join", "timestamp": "2025-03-01T09:30:00Z", "data": {"nickname": "é"}}'
    )
    assert await console.faults() == []
    await watched.page.click("#console-as-form")
    assert await watched.page.locator("[data-pointer='/data/nickname']").input_value() == "é"


async def test_examples_fill_the_form(page_of: Opener) -> None:
    watched = await page_of(page_text(CHAT))
    await Console(watched.page).choose("SendMessage")
    await watched.page.select_option("#console-example", "example: An answer to an earlier message.")
    assert await watched.page.locator("[data-pointer='/data/text']").input_value() == "Good morning, Ada."
    await watched.page.click("[aria-label='remove replyTo']")
    await expect(watched.page.locator("text=+ replyTo")).to_be_visible()


async def test_a_message_is_begun_from_its_description(page_of: Opener) -> None:
    watched = await page_of(page_text(CHAT))
    await watched.page.click("#message-get-history [data-try]")
    await expect(watched.page.locator("#console-message")).to_have_value("GetHistory")
    await expect(watched.page.locator("#console")).to_be_in_viewport()
    assert await watched.page.locator("[data-pointer='/id']").input_value() == "GetHistory-1"


@pytest.mark.parametrize("name", ["types.asyncapi.yaml", "market.asyncapi.yaml", "hostile_names.asyncapi.yaml"])
async def test_every_message_has_a_form_that_gives_back_what_it_is_given(name: str, page_of: Opener, axe: str) -> None:
    watched = await page_of(page_text(ROOT / "specs" / name))
    page = watched.page
    messages = await page.locator("#console-message option").evaluate_all("found => found.map(one => one.value)")
    assert messages
    for message in messages:
        await Console(page).choose(message)
        await page.click("#console-as-json")
        written = await page.input_value("#console-text")
        await page.click("#console-as-form")
        await page.click("#console-as-json")
        assert await page.input_value("#console-text") == written
        await page.click("#console-as-form")
    assert await watched.judged(axe, ".console") == []


PLANTED = [
    '{"type": "presenceChanged", "timestamp": "2025-03-01T09:30:30Z", "data": {"nickname": "", "presence": "asleep"}}',
    '{"type": "presenceGone", "timestamp": "2025-03-01T09:30:30Z"}',
    "nonsense",
    '{"type": "presenceChanged", "timestamp": "2025-03-01T09:30:30Z", "data": {"nickname": "<b>", "presence": "away"}}',
]


async def plant(connection: ServerConnection) -> None:
    """A server that sends what its document does not allow."""
    for frame in PLANTED:
        await connection.send(frame)
    await connection.send(b"\x00\xff")
    await connection.wait_closed()


async def test_what_the_server_sends_wrongly_is_marked(page_of: Opener, axe: str) -> None:
    async with serve(plant, "127.0.0.1", 0) as server:
        host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        watched = await page_of(page_text(CHAT), servers=(host,))
        console = Console(watched.page)
        await console.connect(f"ws://{host}")
        await console.heard("PresenceChanged", bad=True)
        await console.heard("PresenceChanged")
        await console.heard("no message of this endpoint", 3, bad=True)
        await watched.page.locator(".entry.is-bad summary").first.click()
        assert await watched.page.locator(".entry.is-bad .faults li").all_inner_texts() == [
            "/data/nickname is empty",
            '/data/presence is "asleep", and not one of "online", "away", "offline"',
        ]
        await watched.page.check("#console-log-faults")
        await expect(watched.page.locator(".entry")).to_have_count(4)
        await watched.page.uncheck("#console-log-faults")
        await watched.page.fill("#console-log-text", "<B>")
        await expect(watched.page.locator(".entry")).to_have_count(1)
        assert await watched.judged(axe, ".console") == []


async def test_a_restart_of_the_server_is_seen_and_survived(page_of: Opener) -> None:
    async with chat_server() as server:
        url = server.url
        host = urlsplit(url).netloc
        watched = await page_of(page_text(CHAT), servers=(host,), tolerated=LOST)
        console = Console(watched.page)
        await console.connect(f"{url}/v1", token="ann")
        await console.is_in("open")
    await console.noted("the connection has ended: 1012")
    await console.noted("connects again in")
    async with chat_server(int(host.rpartition(":")[2])):
        await console.is_in("open")
        assert len(watched.sockets) >= 2
        await watched.page.click("#console-disconnect")
        await console.is_in("closed")


async def test_a_server_that_is_not_there_is_told_at_once(page_of: Opener) -> None:
    watched = await page_of(page_text(CHAT), servers=("127.0.0.1:9",), tolerated=LOST)
    console = Console(watched.page)
    await console.connect("http://127.0.0.1:9")
    await expect(watched.page.locator("#console-target-fault")).to_have_text(
        "the server's URL has to begin with ws:// or wss://"
    )
    await console.connect("ws://127.0.0.1:9")
    await console.noted("no connection")
    await console.is_in("closed")


async def test_the_log_is_exported_and_can_be_paused_and_cleared(page_of: Opener, tmp_path: Path) -> None:
    async with serve(plant, "127.0.0.1", 0) as server:
        host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        watched = await page_of(page_text(CHAT), servers=(host,))
        console = Console(watched.page)
        await console.connect(f"ws://{host}")
        await console.heard("no message of this endpoint", 3, bad=True)
        async with watched.page.expect_download() as downloading:
            await watched.page.click("#console-export")
        download = await downloading.value
        await download.save_as(tmp_path / "log")
        lines = [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]
        assert download.suggested_filename == "room.ndjson"
        assert [line["direction"] for line in lines] == ["note", "note", *["received"] * 5]
        assert lines[5]["payload"]["data"]["nickname"] == "<b>"
        assert (lines[4]["text"], lines[6]["base64"]) == ("nonsense", "AP8=")
        await watched.page.click("#console-pause")
        await watched.page.click("#console-clear")
        await expect(watched.page.locator(".entry")).to_have_count(0)
        await watched.page.click("#console-disconnect")
        await console.is_in("closed")
        await expect(watched.page.locator(".entry")).to_have_count(0)
        await watched.page.click("#console-pause")
        await console.noted("the connection has ended")


async def test_the_mock_says_nothing_that_its_document_does_not_allow(
    page_of: Opener, mock_server: Callable[..., Hosted]
) -> None:
    url = mock_server(CHAT, package=chat, push=True).url
    watched = await page_of(page_text(CHAT), servers=(urlsplit(url).netloc,))
    console = Console(watched.page)
    await console.connect(url, token="ann")
    await console.heard("MessagePosted")
    await console.choose("GetHistory")
    await console.send()
    await console.heard("History")
    assert await watched.page.locator(".entry.is-bad").count() == 0
