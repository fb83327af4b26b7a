"""Chromium for the tests of this folder, which may be coroutines, and what judges pages in it."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.watching import DOCUMENT, PATIENCE, Chromium, Opener, Watched
from tests.conftest import leave_out
from tests.npm import install, required

EXECUTABLE = Path(os.environ.get("SOCKSPEC_CHROMIUM", "/usr/bin/chromium"))


@pytest.fixture(scope="session")
def _chromium() -> Generator[Chromium | None]:
    """The browser that all tests of one process share."""
    if not EXECUTABLE.exists():
        yield None
        return
    chromium = Chromium(EXECUTABLE)
    yield chromium
    chromium.close()


@pytest.fixture
def chromium(request: pytest.FixtureRequest, _chromium: Chromium | None) -> Chromium:
    """The browser of the system.

    Where there is none, the test is left out, and the summary says so; with SOCKSPEC_REQUIRE_CHROMIUM=1, as in
    continuous integration, it fails. `make browser` installs it.
    """
    if _chromium is not None:
        return _chromium
    if os.environ.get("SOCKSPEC_REQUIRE_CHROMIUM") == "1":
        pytest.fail(f"SOCKSPEC_REQUIRE_CHROMIUM=1, and there is no {EXECUTABLE}: run make browser")
    return leave_out(request, f"{EXECUTABLE} is missing; make browser installs it")


@pytest.fixture
def page_of(chromium: Chromium) -> Generator[Opener]:
    """Opens pages, from their text or their URL. In the end nothing may be held against any of them."""
    opened: list[Watched] = []

    async def open_page(
        source: str, *, servers: tuple[str, ...] = (), tolerated: tuple[str, ...] = (), **settings: Any
    ) -> Watched:
        is_url = source.startswith(("http://", "file://"))
        context = await chromium.context(**settings)
        watched = Watched(await context.new_page(), source if is_url else DOCUMENT, servers, tolerated)
        opened.append(watched)
        await watched.open(None if is_url else source)
        return watched

    async def close() -> None:
        for watched in opened:
            await watched.close()

    yield open_page
    chromium.run(close())
    assert [fault for watched in opened for fault in watched.faults] == []


@pytest.fixture(scope="session")
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Path | str:
    return install(Path(__file__).parent / "npm", tmp_path_factory.mktemp("npm"))


@pytest.fixture
def axe(request: pytest.FixtureRequest, _installed: Path | str) -> str:
    """The source of axe-core, for `Watched.judged`."""
    return (required(request, _installed) / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine in the thread of the browser."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    chromium = pyfuncitem.funcargs["chromium"]
    assert isinstance(chromium, Chromium)
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    chromium.run(asyncio.wait_for(pyfuncitem.obj(**arguments), PATIENCE * 4))
    return True
