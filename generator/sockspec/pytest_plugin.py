"""Fixtures for tests of servers and clients, which pytest finds by itself where sockspec is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sockspec.mock import Hosted
    from sockspec.runtime.application import Application
    from sockspec.runtime.options import Options
    from sockspec.runtime.server import Server
    from sockspec.runtime.testing import Host, ServeInMemory


@pytest.fixture
def serve_in_memory() -> ServeInMemory:
    """Makes a host in memory of a server or an application, to be entered by `async with`."""

    def serve(server: Server[Any] | Application, *, options: Options | None = None) -> Host:
        from sockspec.runtime.testing import Host  # only tests that serve something wait for it

        return Host(server, options=options)

    return serve


@pytest.fixture
def mock_server() -> Iterator[Callable[..., Hosted]]:
    """Serves a document on a free port of this machine until the test ends: `mock_server("chat.yaml", package=chat)`.

    It takes what `sockspec.mock.Hosted` takes, and gives one: `url` to connect to, `received`, `script(…)`.
    """
    with ExitStack() as served:

        def serve(document: str | Path, **arguments: Any) -> Hosted:
            from sockspec.mock import Hosted  # only tests that serve something wait for it

            return served.enter_context(Hosted(document, **arguments))

        yield serve
