"""The page in a browser: search, links, folding, what readers choose, print, and what assistive technology makes of it."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pytest
from playwright.async_api import expect

from sockspec import docs, ir
from sockspec.render import renderer
from tests.browser.consoles import CHAT, ROOT, page_text
from tests.browser.watching import DOCUMENT, Opener
from tests.pages import HERE, chat, field, message

PHONE = {"width": 360, "height": 740}


@cache
def large() -> str:
    """The page of an API of five hundred messages."""
    messages = tuple(message(f"Message{at}", field("type"), field(f"member{at}")) for at in range(500))
    return docs.files(chat(*messages), renderer())["docs/index.html"]


# --- search -----------------------------------------------------------------------------------------------------------


async def test_the_search_finds_a_field_and_lands_there_by_keyboard_alone(page_of: Opener) -> None:
    page = (await page_of(page_text(CHAT))).page
    await page.keyboard.press("/")
    await expect(page.locator("#search-words")).to_be_focused()
    await page.keyboard.type("nickname")
    options = page.locator("#search-found [role=option]")
    await expect(options.nth(0)).to_have_text(re.compile("Type.*Nickname"))
    await expect(options.nth(1)).to_contain_text("Join › data")
    await expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#search-words")).to_have_attribute("aria-activedescendant", "search-option-1")
    await page.keyboard.press("Enter")
    await expect(page.locator("#search")).to_be_hidden()
    assert page.url == f"{DOCUMENT}#message-join-data-nickname"
    await expect(page.locator("#message-join-data-nickname")).to_be_focused()
    await expect(page.locator("#message-join-data-nickname .head").first).to_be_in_viewport()


async def test_the_search_opens_by_control_k_and_its_button_and_escape_leaves_it(page_of: Opener) -> None:
    page = (await page_of(page_text(CHAT))).page
    for is_by_key in (True, False):
        await (page.keyboard.press("Control+k") if is_by_key else page.click("#search-opener"))
        await expect(page.locator("#search-words")).to_be_focused()
        await page.keyboard.type("no such thing")
        await expect(page.locator("#search-told")).to_have_text("Nothing on this page has all these words.")
        await page.keyboard.press("Escape")
        await expect(page.locator("#search")).to_be_hidden()


async def test_everything_is_found(page_of: Opener) -> None:
    page = (await page_of(page_text(CHAT))).page
    for words, kind, anchor in (
        ("slow consumer", "Problem", "problem-slow-consumer"),
        ("room", "Endpoint", "endpoint-room"),
        ("access token", "Authentication", "authentication-access-token"),
        ("presence", "Type", "type-presence"),
        ("what browsers can", "Authentication", "browsers"),
        ("repeats the request's id", "Text", "overview"),
        ("close codes", "Section", "close-codes"),
        ("1013", "Close code", "close-1013"),
        ("retryAfter", "Section", "reconnecting"),
    ):
        await page.keyboard.press("/")
        await page.fill("#search-words", words)
        await expect(page.locator("#search-found li").first.locator(".kind")).to_have_text(kind)
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{DOCUMENT}#{anchor}")


async def test_a_large_page_is_searched_as_well(page_of: Opener) -> None:
    page = (await page_of(large())).page
    await page.keyboard.press("/")
    await page.keyboard.type("member499")
    await expect(page.locator("#search-found li").first).to_contain_text("Message499")
    await page.locator("#search-found li").first.click()
    await expect(page.locator("#message-message499-member499")).to_be_in_viewport()
    await expect(page.locator("#contents [aria-current]")).to_have_text(re.compile("Message49[89]"))


# --- links and folding ------------------------------------------------------------------------------------------------


async def test_a_link_to_what_is_folded_unfolds_it(page_of: Opener) -> None:
    page = (await page_of(page_text(CHAT))).page
    target = page.locator("#message-error-error-errors-pointer")
    await expect(target).to_be_hidden()
    await page.evaluate("location.hash = 'message-error-error-errors-pointer'")
    await expect(target).to_be_in_viewport()


async def test_links_of_the_contents_land_and_the_contents_follow(page_of: Opener) -> None:
    page = (await page_of(page_text(CHAT))).page
    await page.click("#contents >> text=MessagePosted")
    await expect(page.locator("#message-message-posted h3")).to_be_in_viewport()
    await expect(page.locator("#contents [aria-current=location]")).to_have_text("MessagePosted")
    await page.locator("#errors").evaluate("one => one.scrollIntoView()")
    await expect(page.locator("#contents [aria-current=location]")).to_have_text("Errors")


async def test_properties_fold_and_types_unfold_where_they_are_used(page_of: Opener) -> None:
    page = (await page_of(page_text(CHAT))).page
    row = page.locator("#message-history-data")
    await row.locator("summary").first.click()
    await expect(page.locator("#message-history-data-messages")).to_be_hidden()
    await row.locator("summary").first.click()
    show = page.locator("#message-history-data-messages").get_by_role("button", name="Show ChatMessage")
    await show.click()
    await expect(page.locator("#message-history-data-messages .unfolded")).to_contain_text("postedAt")
    hide = page.locator("#message-history-data-messages").get_by_role("button", name="Hide ChatMessage")
    await expect(hide).to_have_attribute("aria-expanded", "true")
    await hide.click()
    await expect(page.locator(".unfolded")).to_have_count(0)


async def test_every_link_of_the_page_leads_somewhere(page_of: Opener) -> None:
    page = (await page_of(page_text(CHAT))).page
    lost = "found => found.map(one => one.hash.slice(1)).filter(id => !document.getElementById(id))"
    assert await page.locator("a[href^='#']").evaluate_all(lost) == []


# --- what readers choose ----------------------------------------------------------------------------------------------


async def test_the_page_speaks_to_either_side_and_remembers_to_which(page_of: Opener) -> None:
    page = (await page_of(page_text(CHAT))).page
    await page.evaluate("document.getElementById('message-join').scrollIntoView()")
    title, note = page.locator("#endpoint-room .side-title").first, page.locator("#message-join .notes")
    await expect(title.locator(".c")).to_have_css("display", "inline")
    await expect(note).to_contain_text("You send it.", use_inner_text=True)
    await page.click("label[for=side-server]")
    await expect(note).to_contain_text("You receive it.", use_inner_text=True)
    await page.reload()
    await expect(title.locator(".c")).to_have_css("display", "none")
    await expect(page.locator("#side-server")).to_be_checked()


async def test_the_theme_follows_the_system_until_somebody_chooses(page_of: Opener) -> None:
    page = (await page_of(page_text(CHAT), color_scheme="dark")).page
    color = "getComputedStyle(document.body).backgroundColor"
    dark = await page.evaluate(color)
    await page.click("#theme")
    await expect(page.locator("#theme")).to_have_text("Theme: light")
    light = await page.evaluate(color)
    assert (dark, light) == ("rgb(18, 21, 27)", "rgb(255, 255, 255)")
    await page.reload()
    assert await page.evaluate(color) == light
    await page.click("#theme")
    assert await page.evaluate(color) == dark


async def test_a_language_is_chosen_for_all_samples_and_their_code_is_copied(page_of: Opener) -> None:
    watched = await page_of(page_text(CHAT), permissions=["clipboard-read", "clipboard-write"])
    page = watched.page
    await page.locator("#endpoint-room-code-1").focus()
    await page.keyboard.press("ArrowRight")
    pane = page.locator("#endpoint-room .pane:visible")
    await expect(pane).to_have_count(1)
    await expect(pane).to_contain_text("with SyncRoomClient(")
    await pane.get_by_role("button", name="Copy").click()
    await expect(pane.get_by_role("button")).to_have_text("Copied")
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied == await pane.locator("code").text_content()
    await page.reload()
    await expect(pane).to_contain_text("with SyncRoomClient(")


async def test_a_url_is_built_for_the_server_that_is_chosen(page_of: Opener) -> None:
    of = chat(message("A"))
    servers = tuple(ir.Server(name, f"wss://{name}.example.com", HERE) for name in ("eu", "us"))
    page = (await page_of(docs.files(replace(of, servers=servers), renderer())["docs/index.html"])).page
    built = page.locator("#endpoint-chat-url output")
    await expect(built).to_have_text("wss://eu.example.com/chat")
    await page.get_by_label("server", exact=True).select_option("wss://us.example.com")
    await expect(built).to_have_text("wss://us.example.com/chat")


async def test_a_url_is_built_of_what_is_filled_in(page_of: Opener) -> None:
    page = (await page_of(page_text(ROOT / "specs" / "market.asyncapi.yaml"))).page
    built = page.locator("#endpoint-stream-url output")
    await expect(built).to_have_text("wss://eu.stream.example.com/market/v2/stream")
    await page.get_by_label("region").first.select_option("us")
    await page.get_by_label("depth (query)").first.fill("5 &")
    await expect(built).to_have_text("wss://us.stream.example.com/market/v2/stream?depth=5%20%26")


# --- readers of all kinds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "scheme"), [("chat", "light"), ("types", "dark"), ("hostile_names", "light")])
async def test_the_page_can_be_read_by_everybody(name: str, scheme: str, page_of: Opener, axe: str) -> None:
    watched = await page_of(
        page_text(ROOT / "specs" / f"{name}.asyncapi.yaml"), color_scheme=scheme, reduced_motion="reduce"
    )
    # What is drawn only when it comes near would be passed over.
    await watched.page.evaluate("document.querySelectorAll('.part').forEach(one => one.classList.remove('part'))")
    assert await watched.judged(axe) == []


async def test_the_search_can_be_used_by_everybody(page_of: Opener, axe: str) -> None:
    watched = await page_of(page_text(CHAT))
    await watched.page.keyboard.press("/")
    await watched.page.keyboard.type("message")
    await expect(watched.page.locator("#search-found li").first).to_be_visible()
    assert await watched.judged(axe) == []


async def test_the_first_tab_leads_past_the_bar(page_of: Opener) -> None:
    page = (await page_of(page_text(CHAT))).page
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#content")).to_be_focused()


@pytest.mark.parametrize("name", ["market", "hostile_names"])
async def test_a_phone_shows_the_page_without_scrolling_sideways(name: str, page_of: Opener) -> None:
    page = (await page_of(page_text(ROOT / "specs" / f"{name}.asyncapi.yaml"), viewport=PHONE)).page
    await page.evaluate("document.querySelectorAll('.part').forEach(one => one.classList.remove('part'))")
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


async def test_a_phone_shows_the_contents_when_asked(page_of: Opener, axe: str) -> None:
    watched = await page_of(page_text(CHAT), viewport=PHONE)
    contents = watched.page.locator("#contents")
    await expect(contents).to_be_hidden()
    await watched.page.click("#menu")
    await expect(contents).to_be_visible()
    assert await watched.judged(axe) == []
    await contents.get_by_text("PresenceChanged").click()
    await expect(contents).to_be_hidden()
    await expect(watched.page.locator("#message-presence-changed h3")).to_be_in_viewport()


async def test_without_script_all_is_there_to_be_read(page_of: Opener) -> None:
    text = re.sub(r"(?s)<script.*?</script>", "", page_text(ROOT / "specs" / "market.asyncapi.yaml"))
    page = (await page_of(text)).page
    await expect(page.locator(".scripted:visible")).to_have_count(0)
    await expect(page.locator("#endpoint-stream .url:visible")).to_have_text(
        "wss://{region}.stream.example.com/market/v2/stream"
    )
    await expect(page.locator("#endpoint-stream .pane:visible")).to_contain_text("async with StreamClient()")
    await page.get_by_text("Command line", exact=True).click()
    await expect(page.locator("#endpoint-stream .pane:visible")).to_contain_text("sockspec connect")
    await page.click("#contents >> text=trade")
    await expect(page.locator("#message-trade h3")).to_be_in_viewport()


async def test_on_paper_everything_is_unfolded_and_nothing_is_there_to_be_pressed(page_of: Opener) -> None:
    page = (await page_of(page_text(CHAT))).page
    await page.emulate_media(media="print")
    await expect(page.locator("button:visible, input:visible, nav:visible")).to_have_count(0)
    await expect(page.locator("#endpoint-room .pane:visible")).to_have_count(4)
    await page.evaluate("dispatchEvent(new Event('beforeprint'))")
    await expect(page.locator("#message-error-error-errors-pointer")).to_be_visible()
    await page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert await page.locator("#message-error details details").first.evaluate("one => one.open") is False
