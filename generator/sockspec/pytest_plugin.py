"""Fixtures for tests of servers, which pytest finds by itself where sockspec is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
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
