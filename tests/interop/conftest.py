"""Node, and what it runs, for the tests of this folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import leave_out
from tests.node import Node, install

WANTED = Path(__file__).parent / "npm"


@pytest.fixture(scope="session")
def node() -> Path:
    """The program `node`."""
    return Node.installed().binary


@pytest.fixture(scope="session")
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Path | str:
    """The folder of what `npm/package.json` lists, by the checksums of its lock; or why there is none."""
    return install(WANTED, tmp_path_factory.mktemp("npm"))


@pytest.fixture
def node_modules(request: pytest.FixtureRequest, _installed: Path | str) -> Path:
    """The folder of the packages from npm.

    Where they cannot be fetched, the test is left out, and the summary says so; in continuous integration
    (SOCKSPEC_REQUIRE_NPM=1) it fails.
    """
    if isinstance(_installed, Path):
        return _installed
    if os.environ.get("SOCKSPEC_REQUIRE_NPM") == "1":
        pytest.fail(f"SOCKSPEC_REQUIRE_NPM=1, and nothing came from npm:\n{_installed}")
    return leave_out(request, "packages could not be fetched from npm")
