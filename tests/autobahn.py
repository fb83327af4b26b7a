"""The Autobahn|Testsuite against our echo endpoint: `python -m tests.autobahn SCRIPT DIR`, or `make autobahn`.

SCRIPT sets the suite up in DIR (`SCRIPT setup DIR`) and runs it (`SCRIPT client DIR URL OUT`), leaving `OUT/index.json`. Each way
of serving has an expectation of its own, that of `websockets` being the result of the bare library; the exit code says whether
all are met.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Expectation:
    """How many cases go how, and which ones fail."""

    counts: dict[str, int]
    failed: frozenset[str]

    def is_met(self, found: dict[str, str]) -> bool:
        """Whether a result is as good: no other case fails, and none that was strict has become less so."""
        counts = Counter(found.values())
        failed = {case for case, behavior in found.items() if behavior == "FAILED"}
        return (
            failed <= self.failed
            and sum(counts.values()) == sum(self.counts.values())
            and counts["OK"] >= self.counts["OK"]
            and set(counts) <= set(self.counts)
        )


EXPECTED: Final = {
    "websockets": Expectation({"OK": 232, "NON-STRICT": 11, "INFORMATIONAL": 3, "FAILED": 1}, frozenset({"7.1.5"})),
    "picows": Expectation({"OK": 231, "NON-STRICT": 12, "INFORMATIONAL": 3, "FAILED": 1}, frozenset({"7.1.2"})),
    "uvicorn": Expectation({"OK": 232, "NON-STRICT": 11, "INFORMATIONAL": 3, "FAILED": 1}, frozenset({"7.1.5"})),
}
"""By way of serving. The bare `websockets` library fails 7.1.5, too: it answers a fragment, left over, before it closes."""


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
    is_met = True
    for way, expectation in EXPECTED.items():
        found = results(script, folder, way)
        failed = sorted(case for case, behavior in found.items() if behavior == "FAILED")
        print(way, dict(Counter(found.values())), *failed)
        if not expectation.is_met(found):
            is_met = False
            print(f"  worse than expected: {expectation.counts}, failed {sorted(expectation.failed)}")
    sys.exit(not is_met)


if __name__ == "__main__":
    main()
