"""The watch over pages: it says so when a page misbehaves."""

from __future__ import annotations

from tests.browser.watching import Opener

POLICY = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'">"""


def document(body: str, head: str = "") -> str:
    return f'<!doctype html><html lang="en"><head><title>T</title>{head}</head><body><main>{body}</main></body></html>'


async def test_a_page_that_does_nothing_has_no_faults(page_of: Opener, axe: str) -> None:
    watched = await page_of(document("<h1>Nothing</h1>", POLICY))
    assert await watched.page.inner_text("h1") == "Nothing"
    assert await watched.judged(axe) == []
    assert (watched.faults, watched.sockets) == ([], [])


async def test_whatever_a_page_does_wrong_is_noted(page_of: Opener) -> None:
    script = """addEventListener("unhandledrejection", () => { window.done = true; });
        console.error("oh"); new WebSocket("ws://127.0.0.1:9/"); fetch("/else").catch(() => nowhere());"""
    watched = await page_of(document(f"<script>{script}</script>"), tolerated=("WebSocket connection", "ERR_FAILED"))
    await watched.page.wait_for_function("window.done")
    assert sorted(watched.faults) == [
        "console: oh",
        "request: http://localhost/else",
        "script: nowhere is not defined",
        "socket: ws://127.0.0.1:9/",
    ]
    watched.faults.clear()


async def test_a_breach_of_the_policy_is_noted(page_of: Opener) -> None:
    watched = await page_of(document('<h1 style="color: red">x</h1>', POLICY))
    await watched.page.wait_for_function("window.breach")
    assert any(fault.startswith("console: policy: style-src-attr forbids inline") for fault in watched.faults)
    watched.faults.clear()


async def test_what_cannot_be_read_is_serious(page_of: Opener, axe: str) -> None:
    watched = await page_of(document('<h1>x</h1><p style="color: #ccc; background: #fff">pale</p><input>'))
    assert [fault.partition(":")[0] for fault in await watched.judged(axe)] == ["color-contrast", "label"]
