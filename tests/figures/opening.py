"""Pages opened in Chromium: when there is something to read, and what goes wrong."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from tests.browser.watching import Chromium

_TIMES = 3
_CLOCK = """
(() => {
  const look = () => {
    if (document.body !== null && document.body.innerText.includes(%s)) {
      requestAnimationFrame(() => { window.shownAfter = performance.now(); });
    } else {
      requestAnimationFrame(look);
    }
  };
  requestAnimationFrame(look);
})();
"""
"""Notes when a frame with the title of the API has been drawn, in milliseconds since the page was asked for."""


@dataclass(frozen=True, slots=True)
class Opened:
    """How a page opened."""

    milliseconds: float
    """Until its title was drawn, with all that the browser had to do before; the median of several."""
    elements: int
    requests: int
    """What it asked the network for, beside itself."""
    errors: int
    """Errors of the console and of scripts."""


def opened(chromium: Chromium, page: Path, title: str) -> Opened:
    """A page from a file, in a profile of its own each time. `title` is what it shows of the API first of all."""
    return chromium.run(_opened(chromium, page, title))


async def _opened(chromium: Chromium, path: Path, title: str) -> Opened:
    times: list[float] = []
    elements, requests, errors = 0, 0, 0
    for _ in range(_TIMES):
        page, watch = await watched(chromium)
        await page.add_init_script(_CLOCK % json.dumps(title))
        await page.goto(path.as_uri())
        await page.wait_for_function("window.shownAfter", timeout=120_000)
        times.append(await page.evaluate("window.shownAfter"))
        elements = await page.evaluate("document.querySelectorAll('*').length")
        requests, errors = len(watch.requests), len(watch.errors)
        await page.context.close()
    return Opened(statistics.median(times), elements, requests, errors)


@dataclass(slots=True)
class Watch:
    """What a page has done."""

    requests: list[str]
    errors: list[str]


async def watched(chromium: Chromium, **settings: Any) -> tuple[Page, Watch]:
    """An empty page, with a watch over what it will ask for and what goes wrong. It has no network."""
    context = await chromium.context(offline=True, **settings)
    page = await context.new_page()
    watch = Watch([], [])
    page.on("request", lambda one: watch.requests.append(one.url) if not one.url.startswith("file:") else None)
    page.on("console", lambda line: watch.errors.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: watch.errors.append(str(error)))
    return page, watch
