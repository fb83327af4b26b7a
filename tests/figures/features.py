"""What pages can do, tried in Chromium on the same document, so that nobody has to take anybody's word."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page

from tests.browser.watching import Chromium
from tests.figures.opening import watched

_BACKGROUND = """() => {
    const seen = [document.body, document.documentElement, ...document.querySelectorAll("main, #root, #root *")];
    const colours = seen.slice(0, 40).map(one => getComputedStyle(one).backgroundColor);
    return colours.find(one => !one.startsWith("rgba(0, 0, 0, 0") && one !== "transparent") ?? "none";
}"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A page and the document that it is of."""

    path: Path
    messages: tuple[str, ...]
    axe: str

    @property
    def source(self) -> str:
        """The text of the page."""
        return self.path.read_text(encoding="utf-8")


Trial = Callable[[Chromium, Subject], Awaitable[str]]


async def _opened(chromium: Chromium, subject: Subject, **settings: object) -> Page:
    page, _ = await watched(chromium, **settings)
    await page.goto(subject.path.as_uri())
    if settings.get("java_script_enabled", True):
        await page.wait_for_function("document.querySelector('h1') !== null", timeout=60_000)
        await page.wait_for_timeout(500)
    return page


async def _without_script(chromium: Chromium, subject: Subject) -> str:
    page = await _opened(chromium, subject, java_script_enabled=False)
    text = await page.inner_text("body")
    await page.context.close()
    return f"{sum(name in text for name in subject.messages)} of {len(subject.messages)} messages"


async def _offline(chromium: Chromium, subject: Subject) -> str:
    page, watch = await watched(chromium)
    await page.goto(subject.path.as_uri())
    await page.wait_for_function("document.querySelector('h1') !== null", timeout=60_000)
    await page.wait_for_timeout(500)
    await page.context.close()
    return _yes(not watch.requests, f"{len(watch.requests)} requests")


async def _policy(chromium: Chromium, subject: Subject) -> str:
    found = re.search(r'http-equiv="Content-Security-Policy"', subject.source)
    return "yes, by hashes" if found else "no"


async def _strict_policy(chromium: Chromium, subject: Subject) -> str:
    """Under a policy by which a page may run what stands in it, and make no code of text."""
    page, watch = await watched(chromium)
    await page.add_init_script(
        "new MutationObserver((_, self) => { if (document.head) { self.disconnect(); const meta = "
        "document.createElement('meta'); meta.httpEquiv = 'Content-Security-Policy'; "
        "meta.content = \"script-src 'unsafe-inline'\"; document.head.prepend(meta); } })"
        ".observe(document, {childList: true, subtree: true});"
    )
    await page.goto(subject.path.as_uri())
    await page.wait_for_timeout(2_000)
    await page.context.close()
    return _yes(not any("eval" in line for line in watch.errors), "no")


async def _dark(chromium: Chromium, subject: Subject) -> str:
    colours: list[str] = []
    for scheme in ("light", "dark"):
        page = await _opened(chromium, subject, color_scheme=scheme)
        colours.append(await page.evaluate(_BACKGROUND))
        await page.context.close()
    return _yes(colours[0] != colours[1])


async def _search(chromium: Chromium, subject: Subject) -> str:
    page = await _opened(chromium, subject)
    await page.keyboard.press("/")
    is_field = await page.evaluate("document.activeElement.matches('input')")
    fields = await page.locator("input[type=search], [role=searchbox], [role=combobox]").count()
    await page.context.close()
    return "yes, by the key /" if is_field else _yes(fields > 0)


async def _console(chromium: Chromium, subject: Subject) -> str:
    return _yes("new WebSocket(" in "".join(re.findall(r"(?s)<script[^>]*>(.*?)</script>", subject.source)))


async def _links(chromium: Chromium, subject: Subject) -> str:
    page = await _opened(chromium, subject)
    linked: int = await page.evaluate(
        "names => { const ids = [...document.querySelectorAll('[id]')].map(one => one.id.replace(/[^a-z0-9]/gi, '')"
        ".toLowerCase()); return names.filter(name => ids.some(id => id.endsWith(name.toLowerCase()))).length; }",
        list(subject.messages),
    )
    await page.context.close()
    return f"{linked} of {len(subject.messages)} messages"


def _says(pattern: str) -> Trial:
    async def trial(chromium: Chromium, subject: Subject) -> str:
        page = await _opened(chromium, subject)
        # What is folded away counts, too.
        text: str = await page.evaluate(
            "[...document.body.children].filter(one => !one.matches('script, style')).map(one => one.textContent).join(' ')"
        )
        await page.context.close()
        return _yes(re.search(pattern, " ".join(text.split()), re.IGNORECASE) is not None)

    return trial


async def _code(chromium: Chromium, subject: Subject) -> str:
    page = await _opened(chromium, subject)
    code = " ".join(await page.locator("pre").all_text_contents())
    await page.context.close()
    found = [name for name, sign in (("Python", "import asyncio"), ("JavaScript", "new WebSocket")) if sign in code]
    return ", ".join(found) or "no"


async def _perspective(chromium: Chromium, subject: Subject) -> str:
    page = await _opened(chromium, subject)
    text = await page.inner_text("body")
    await page.context.close()
    return "yes: you send, you receive" if re.search("you send", text, re.IGNORECASE) else "no: the document's words"


async def _phone(chromium: Chromium, subject: Subject) -> str:
    page = await _opened(chromium, subject, viewport={"width": 360, "height": 740})
    wide: int = await page.evaluate("document.documentElement.scrollWidth")
    await page.context.close()
    return _yes(wide <= 360, f"no, {wide} pixels wide")


async def _access(chromium: Chromium, subject: Subject) -> str:
    page = await _opened(chromium, subject)
    await page.evaluate(subject.axe)
    found = await page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    await page.context.close()
    kinds = [one["id"] for one in found["violations"] if one["impact"] in ("serious", "critical")]
    return ", ".join(sorted(kinds)) or "none"


def _yes(is_so: bool, otherwise: str = "no") -> str:
    return "yes" if is_so else otherwise


TRIALS: dict[str, Trial] = {
    "Opens without the network": _offline,
    "Readable without script: names of": _without_script,
    "Brings a policy (CSP) that keeps out all else": _policy,
    "Runs where the policy of a site forbids `eval`": _strict_policy,
    "Search": _search,
    "Dark where the system is": _dark,
    "Console that opens sockets": _console,
    "Links to": _links,
    "Reader's perspective": _perspective,
    "Code that connects": _code,
    "Says how to connect again": _says("connect again|reconnect"),
    "Says what close codes mean": _says("close code"),
    "Says what browsers cannot send": _says("browsers cannot|pages cannot"),
    "Says what answers a request": _says("is answered with|repl(y|ies)"),
    "Fits a phone 360 pixels wide": _phone,
    "What axe calls serious or critical": _access,
}
"""What is tried, by what it is called in the table."""


def tried(chromium: Chromium, subject: Subject) -> dict[str, str]:
    """What came of each trial."""

    async def all_of() -> dict[str, str]:
        return {name: await trial(chromium, subject) for name, trial in TRIALS.items()}

    return chromium.run(all_of())
