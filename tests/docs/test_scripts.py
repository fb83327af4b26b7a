"""The scripts of the page without a browser: `*.test.js` of this folder, by Node's own runner."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.npm import Node

HERE = Path(__file__).parent


def run(name: str, **environment: str) -> str:
    """What the runner says of a file of tests; it says it by failing where a test fails."""
    command = [str(Node.installed().binary), "--test", "--test-reporter=tap", str(HERE / name)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", sorted(path.name for path in HERE.glob("*.test.js")))
def test_scripts(name: str) -> None:
    assert "# fail 0" in run(name)
