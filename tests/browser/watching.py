"""Pages in Chromium under watch: what they load, what they log, and what their policy kept them from."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page, Playwright, Route, async_playwright, expect

T = TypeVar("T")

PATIENCE = 15.0
"""Seconds for anything that has to happen on a page."""
expect.set_options(timeout=PATIENCE * 1000)
DOCUMENT = "http://localhost/index.html"
"""Where pages that are given as text are. Nothing listens there: the browser is handed the text."""
_WATCH = """addEventListener("securitypolicyviolation", event => {
    window.breach = `policy: ${event.violatedDirective} forbids ${event.blockedURI || event.sample}`;
    console.error(window.breach);
});"""


class Chromium:
    """One Chromium, driven from a thread of its own, so that tests may run event loops as they like."""

    def __init__(self, executable: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chromium", daemon=True)
        self._thread.start()
        self._playwright, self._browser = self.run(self._launched(executable))

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine returns that drives pages. Raises what it raises."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        """End the browser and the thread."""
        self.run(self._ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def context(self, **settings: Any) -> BrowserContext:
        """A profile of its own."""
        # Chromium asks its user before a page of another host may connect to this machine.
        context = await self._browser.new_context(**settings)
        await context.grant_permissions(["local-network-access"])
        context.set_default_timeout(PATIENCE * 1000)
        await context.add_init_script(_WATCH)
        return context

    @staticmethod
    async def _launched(executable: Path) -> tuple[Playwright, Browser]:
        playwright = await async_playwright().start()
        # The browser is never fetched: it is the one of the system.
        browser = await playwright.chromium.launch(executable_path=executable, args=["--disable-dev-shm-usage"])
        return playwright, browser

    async def _ended(self) -> None:
        await self._browser.close()
        await self._playwright.stop()


@dataclass(slots=True)
class Watched:
    """A page, and what there is to hold against it."""

    page: Page
    url: str
    servers: tuple[str, ...]
    """The hosts and ports that the page may open sockets to."""
    tolerated: tuple[str, ...]
    faults: list[str] = field(default_factory=list[str])
    """Errors of the console and of scripts, breaches of the policy, and requests that left the page."""
    sockets: list[str] = field(default_factory=list[str])
    """The URLs that sockets were opened to."""

    async def open(self, html: str | None) -> None:
        """Load the page; from its text, where there is one."""

        async def answer(route: Route) -> None:
            if route.request.url.partition("#")[0] != self.url:
                self.faults.append(f"request: {route.request.url}")
                await route.abort()
            elif html is None:
                await route.continue_()
            else:
                await route.fulfill(body=html, content_type="text/html; charset=utf-8")

        await self.page.route("**/*", answer)
        self.page.on("console", lambda message: self._logged(message.type, message.text))
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("websocket", lambda socket: self._connected(socket.url))
        await self.page.goto(self.url)

    async def judged(self, axe: str, within: str = "html") -> list[str]:
        """What axe-core calls serious or critical within an element as it is: rule, and the elements."""
        await self.page.evaluate(axe)
        found = await self.page.evaluate("within => axe.run(within, {resultTypes: ['violations']})", within)
        return [
            f"{violation['id']}: {node['target']}: {node['failureSummary']}"
            for violation in found["violations"]
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]

    async def close(self) -> None:
        """End the page, once it has told what it had to tell."""
        await self.page.evaluate("() => new Promise(done => setTimeout(done, 0))")
        await self.page.context.close()

    def _logged(self, kind: str, line: str) -> None:
        # The browser itself logs each attempt to connect to a server that has just stopped, at the end of a test too.
        # That nobody listens is no fault of the page; what a listening server answers may well be one.
        stopped = "ERR_CONNECTION_REFUSED" in line and any(
            line.startswith(f"WebSocket connection to 'ws://{server}/") for server in self.servers
        )
        if kind == "error" and not stopped and not any(text in line for text in self.tolerated):
            self.faults.append(f"console: {line}")

    def _connected(self, url: str) -> None:
        self.sockets.append(url)
        if urlsplit(url).netloc not in self.servers:
            self.faults.append(f"socket: {url}")


Opener = Callable[..., Coroutine[Any, Any, Watched]]
"""`await page_of(html or url, servers=("127.0.0.1:8765",), tolerated=("text of an error",), **settings of the profile)`."""
