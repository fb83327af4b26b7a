"""Node, and what it runs, for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.npm import Node, install, required

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
    """The folder of the packages from npm; see `required` for where there is none."""
    return required(request, _installed)
