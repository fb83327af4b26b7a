"""The console of the page, talking to real servers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect
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


async def test_a_page_that_a_server_serves_begins_with_that_server(page_of: Opener) -> None:
    async with chat_server() as server:
        host = urlsplit(server.url).netloc
        watched = await page_of(f"http://{host}/docs", servers=(host,))
        await expect(watched.page.get_by_label("Server URL")).to_have_value(f"ws://{host}/v1")
        await watched.page.locator("#console-target").get_by_label("accessToken").fill("ann")
        await watched.page.keyboard.press("Enter")
        await Console(watched.page).is_in("open")


async def test_a_page_in_a_file_is_used_by_the_keyboard_alone(page_of: Opener, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(page_text(CHAT), encoding="utf-8")
    async with chat_server() as server:
        watched = await page_of((tmp_path / "index.html").as_uri(), servers=(urlsplit(server.url).netloc,))
        keyboard, console = watched.page.keyboard, Console(watched.page)
        await watched.page.locator("#console-target").get_by_label("Server URL").focus()
        await keyboard.press("Control+A")
        await keyboard.type(f"{server.url}/v1")
        for text in ("lobby", "ann"):
            await keyboard.press("Tab")
            await keyboard.press("Control+A")
            await keyboard.type(text)
        await keyboard.press("Enter")
        await console.is_in("open")
        await watched.page.locator("[data-pointer='/data/nickname']").focus()
        await keyboard.press("Control+Enter")
        assert await console.faults() == ["is empty"]
        await keyboard.type("ann")
        await keyboard.press("Control+Enter")
        await console.heard("PresenceChanged")


async def text_of(page: Page) -> str:
    """What the form comes to, as JSON."""
    await page.click("#console-as-json")
    text = await page.input_value("#console-text")
    await page.click("#console-as-form")
    return text


async def payload_of(page: Page) -> Any:
    """What the form comes to."""
    return json.loads(await text_of(page))


async def test_forms_add_and_remove_choose_and_leave_out(page_of: Opener, axe: str) -> None:
    watched = await page_of(page_text(ROOT / "specs" / "types.asyncapi.yaml"))
    page, console = watched.page, Console(watched.page)
    await console.choose("untagged")
    await page.get_by_label("kind of scalar").select_option("integer")
    await console.fill("/scalar", "9007199254740993")
    await page.get_by_label("kind of object").select_option("By name")
    written = await text_of(page)
    assert '"scalar": 9007199254740993,' in written
    assert json.loads(written)["object"] == {"name": ""}
    await console.choose("recursion")
    await page.click("text=+ item")
    await expect(page.locator("[data-pointer='/tree/children/0/label']")).to_be_focused()
    await page.keyboard.type("leaf")
    assert (await payload_of(page))["tree"]["children"] == [{"label": "leaf", "children": []}]
    await page.click("[aria-label='remove item 1']")
    assert (await payload_of(page))["tree"]["children"] == []
    await console.choose("maps")
    await page.get_by_label("name of the new entry").first.fill("__proto__")
    await page.keyboard.press("Enter")
    assert (await payload_of(page))["scores"] == {"__proto__": 0}
    assert await watched.judged(axe, ".console") == []
    await console.choose("nullability")
    assert (await payload_of(page))["requiredNull"] == ""
    await page.click("#console-form button:text-is('null')")
    assert (await payload_of(page))["requiredNull"] is None
    await page.click("text=give a value")
    assert (await payload_of(page))["requiredNull"] == ""


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


THERE_AND_BACK = """() => {
    const part = (name) => document.getElementById(`console-${name}`);
    const written = () => (part("as-json").click(), part("text").value);
    return [...part("message").options].map(({ value }) => value).filter((name) => {
        part("message").value = name;
        part("message").dispatchEvent(new Event("change"));
        const before = written();
        part("as-form").click();
        return written() !== before || (part("as-form").click(), part("form").innerText === "");
    });
}"""
"""The messages that change on the way from JSON into a form and back, or that have no form."""


@pytest.mark.parametrize("name", ["types.asyncapi.yaml", "market.asyncapi.yaml", "hostile_names.asyncapi.yaml"])
async def test_every_message_has_a_form_that_gives_back_what_it_is_given(name: str, page_of: Opener) -> None:
    watched = await page_of(page_text(ROOT / "specs" / name))
    changed = await watched.page.evaluate(THERE_AND_BACK)
    assert changed == []


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
