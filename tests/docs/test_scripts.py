"""The scripts of the page without a browser: `*.test.js` of this folder, by Node's own runner."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from sockspec.runtime.formats import FORMATS
from tests.npm import Node

HERE = Path(__file__).parent


def run(name: str, **environment: str) -> str:
    """What the runner says of a file of tests; it says it by failing where a test fails."""
    command = [str(Node.installed().binary), "--test", "--test-reporter=tap", str(HERE / name)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.mark.parametrize("name", sorted(path.name for path in HERE.glob("*.test.js")))
def test_scripts(name: str, shared: Path) -> None:
    verdicts = {
        name: [(text, check(text)) for text in [*TEXTS[name], *TEXTS["date-time"]]] for name, check in FORMATS.items()
    }
    said = run(name, SOCKSPEC_SHARED=str(shared), SOCKSPEC_FORMATS=json.dumps(verdicts))
    assert "# fail 0" in said
    assert "# skipped 0" in said


_WRITTEN = {
    "date-time": """2025-03-01T09:30:00Z|2025-03-01t09:30:00z|2025-03-01 09:30:00Z|2025-03-01_09:30:00Z|2025-03-01T09:30:00
        2025-03-01T09:30Z|2025-03-01T09:30:60Z|2025-03-01T24:00:00Z|2025-03-01T09:30:00+0100|2025-03-01T09:30:00+01:00
        2025-03-01T09:30:00+24:00|2025-03-01T09:30:00+01|2025-03-01T09:30:00.123456789012Z|2025-03-01T09:30:00.Z
        0000-01-01T00:00:00Z|2025-02-29T00:00:00Z|2024-02-29T00:00:00Z|0001-01-01T00:00:00+01:00|2025-03-01T09:30:00 Z
        9999-12-31T23:59:59-01:00|2025-03-01T09:30:00-00:00|2025-03-01T09:30:00,5Z|2025-03-01T09:30:59.9999999Z
        2025-03-01T09:30:00+23:59|2025-03-01T09:30:00+00:60|2025-03-01T09:30:00 +01:00||noon""",
    "date": "2025-01-01|2025-1-1|20250101|2025-13-01|2025-00-10|1900-02-29|2000-02-29|0000-01-01|2025-04-31|2025-01-01\n",
    "time": """10:00:00|10:00|10:00:00Z|10:00:00+01:00|24:00:00|10:00:00.5|T10:00:00|10:00:00z|10:00:00+0100|10:00:60
        10:00:00.|10:00:00.1234567|23:59:59-23:59""",
    "uuid": """3f0c8a52-6a0e-4d0b-9a56-2f4e7c1b8d90|3F0C8A526A0E4D0B9A562F4E7C1B8D90|3f0c8a526a0e-4d0b-9a56-2f4e7c1b8d90
        {3f0c8a52-6a0e-4d0b-9a56-2f4e7c1b8d90}|urn:uuid:3f0c8a52-6a0e-4d0b-9a56-2f4e7c1b8d90""",
    "byte": "aGk=|aGk|aGk==|aG k=|aG-_|aGkx|aGkx=|a===|aGl=|aA==|aB==",
    "decimal": "1|-1.5|+.5|5.|1e5|1_000|_1|1__0| 1 |NaN|Infinity|1e|٣|0x1|1e+5|-|.|1 0|\u00a01|sNaN|1_|1.e3",
}
TEXTS = {
    name: [text for line in lines.split("\n        ") for text in line.split("|")] for name, lines in _WRITTEN.items()
}
