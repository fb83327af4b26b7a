"""The console of a page, as its user sees it, and servers for it to talk to."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect

from sockspec import docs
from sockspec.pipeline import examine
from sockspec.render import renderer
from sockspec.runtime import Options
from sockspec.runtime.serving.standalone import Running
from tests.test_examples import load

ROOT = Path(__file__).resolve().parents[2]
CHAT = ROOT / "specs" / "chat.asyncapi.yaml"


@cache
def page_text(spec: Path) -> str:
    """The page of a document."""
    api, said = examine(spec, name=spec.name)
    assert api is not None, said
    return docs.files(api, renderer())["docs/index.html"]


def chat_server(port: int = 0) -> Running:
    """The server of `examples/chat` with its page at `/docs`, for `async with`."""
    example: Any = sys.modules.get("example_server") or load(ROOT / "examples" / "chat" / "server.py")
    documented: Any = type("Documented", (example.Chat,), {"page": classmethod(lambda cls: page_text(CHAT))})
    served: Running = documented().serve(port=port, options=Options(docs=True, retry_after=0.05))
    return served


@dataclass(frozen=True, slots=True)
class Console:
    """What a user does with the console, and sees there."""

    page: Page

    async def connect(self, url: str, *, token: str = "", room: str = "lobby") -> None:
        """Fill in where to connect, and do so."""
        target = self.page.locator("#console-target")
        await target.get_by_label("Server URL").fill(url)
        if room:
            await target.get_by_label("room").fill(room)
        if token:
            await target.get_by_label("accessToken").fill(token)
        await self.page.click("#console-connect")

    async def is_in(self, state: str) -> None:
        """Wait for a state."""
        await expect(self.page.locator("#console-state")).to_have_attribute("data-state", state)

    async def choose(self, message: str) -> None:
        """Choose what to send."""
        await self.page.select_option("#console-message", message)

    async def fill(self, pointer: str, text: str) -> None:
        """Fill in a control of the form."""
        await self.page.locator(f'[data-pointer="{pointer}"]').fill(text)

    async def send(self) -> None:
        """Press the button."""
        await self.page.click("#console-send")

    async def heard(self, message: str, count: int = 1, *, bad: bool = False) -> None:
        """Wait until so many entries of a message have been received."""
        classes = ".entry.is-received.is-bad" if bad else ".entry.is-received:not(.is-bad)"
        found = self.page.locator(classes).filter(has=self.page.locator(f'strong:text-is("{message}")'))
        await expect(found).to_have_count(count)

    async def noted(self, text: str) -> None:
        """Wait until the log says something of the connection."""
        await expect(self.page.locator(".entry.is-note").filter(has_text=text).first).to_be_visible()

    async def faults(self) -> list[str]:
        """What is said beside the controls and below them."""
        texts: Any = await self.page.locator("#console-form .fault:not(:empty), #console-faults li").all_inner_texts()
        return list(texts)
