"""Fixtures for tests of servers, which pytest finds by itself where sockspec is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sockspec.runtime.testing import Host


@pytest.fixture
def serve_in_memory() -> Callable[..., Host]:
    """Makes a host in memory of a server or an application, to be entered by `async with`."""

    def serve(server: Any, **arguments: Any) -> Host:
        from sockspec.runtime.testing import Host  # only tests that serve something wait for it

        return Host(server, **arguments)

    return serve
