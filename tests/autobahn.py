"""The Autobahn|Testsuite against our echo endpoint: `python -m tests.autobahn SCRIPT DIR`, or `make autobahn`.

SCRIPT sets the suite up in DIR (`SCRIPT setup DIR`) and runs it (`SCRIPT client DIR URL OUT`), leaving `OUT/index.json`. The
expectation is the result of the bare `websockets` library; the exit code says whether ours is as good on it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

WAYS: Final = ("websockets", "picows", "uvicorn")
BARE: Final = frozenset({"7.1.5"})
"""What the `websockets` library itself fails: it answers a fragment, which is then left over, before it closes."""


def results(script: Path, folder: Path, way: str) -> dict[str, str]:
    """How each case went for a way of serving."""
    server = subprocess.Popen([sys.executable, "-m", "tests.echo", way], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        url = server.stdout.readline().strip()
        out = folder / f"out-{way}"
        subprocess.run(["bash", str(script), "client", str(folder), f"{url}/", str(out)], check=True)
    finally:
        server.kill()
        server.wait()
    (cases,) = json.loads((out / "index.json").read_text(encoding="utf-8")).values()
    return {case: result["behavior"] for case, result in cases.items()}


def main() -> None:
    """Print a line for each way of serving."""
    script, folder = (Path(argument).resolve() for argument in sys.argv[1:3])
    if not (folder / "site").exists():
        subprocess.run(["bash", str(script), "setup", str(folder)], check=True)
    worse = False
    for way in WAYS:
        found = results(script, folder, way)
        failed = {case for case, behavior in found.items() if behavior == "FAILED"}
        worse = worse or (way == "websockets" and not failed <= BARE)
        print(way, dict(Counter(found.values())), *sorted(failed))
    sys.exit(worse)


if __name__ == "__main__":
    main()
