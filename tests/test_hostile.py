"""Documents that were written to break a reader: each ends well, in bounded time and memory."""

from __future__ import annotations

import csv
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS, MEMORY = 30, 500 * 2**20
"""Processor time that no document may need on the slowest machine, a dozen times what the slowest one does need, and
address space of what a run takes beyond a bare interpreter. The summary of `test_corpus` says how long the slow ones take."""
_LIBRARIES = 400 * 2**20
"""Address space that the interpreter and the libraries map without using it."""

REFUSED = """yaml-recursive-alias yaml-python-tag yaml-unknown-tag yaml-multi-document json-trailing-comma yaml-invalid-utf8
yaml-control-chars empty only-comment list-root version-v4 version-null version-list version-swagger2 ref-self
ref-recursive-allof ref-mutual-allof ref-missing ref-remote-http ref-remote-metadata ref-external-cycle-a ref-external-missing
deep-nesting-1000 deep-arrays-100000 async-bad-action async-channel-as-string""".split()
"""What must be refused; all other documents may be accepted, or refused for a reason that is told."""
ACCEPTED = """json-bom ref-into-properties ref-into-array-item ref-escapes ref-property-named-ref names-properties names-schemas
injection-docs-html async-address-null wide-2000-messages wide-3000-union huge-enum-20000
wide-50000-properties async-same-tag-twice async-undistinguishable""".split()


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY + _LIBRARIES, MEMORY + _LIBRARIES))


def test_every_hostile_document_does_what_the_index_says(shared: Path, tmp_path: Path) -> None:
    folder = shared / "corpus" / "hostile"
    with (folder / "INDEX.csv").open(encoding="utf-8", newline="") as index:
        names = [row["file"] for row in csv.DictReader(index)]
    assert {Path(name).stem for name in names} >= {*REFUSED, *ACCEPTED}
    faults: list[str] = []
    for name in names:
        output = tmp_path / "within" / Path(name).stem
        run = subprocess.run(
            [sys.executable, "-m", "sockspec", "generate", str(folder / name), "-o", str(output)],
            capture_output=True,
            text=True,
            preexec_fn=_limit,
            check=False,
        )
        faults += [f"{name}: {fault}" for fault in _faults(Path(name).stem, run)]
    assert faults == []
    assert [path.name for path in tmp_path.iterdir()] == ["within"]


def _faults(stem: str, run: subprocess.CompletedProcess[str]) -> list[str]:
    said = run.stdout + run.stderr
    faults: list[str] = []
    if "Traceback" in said or run.returncode not in (0, 1):
        faults.append(f"ended with {run.returncode}: {said[-300:]}")
    if run.returncode == 1 and not re.search(r"error [a-z-]+ ", said):
        faults.append(f"was refused without a diagnostic: {said[-300:]}")
    if stem in REFUSED and run.returncode != 1:
        faults.append("was accepted")
    if stem in ACCEPTED and run.returncode != 0:
        faults.append(f"was refused: {said[-300:]}")
    return faults


@pytest.mark.parametrize("name", ["names-channels-path.yaml", "injection-texts.json"])
def test_no_file_lies_outside_of_the_package(name: str, shared: Path, tmp_path: Path) -> None:
    output = tmp_path / "a" / "b" / "c"
    document = shared / "corpus" / "hostile" / name
    command = [sys.executable, "-m", "sockspec", "generate", str(document), "-o", str(output)]
    subprocess.run(command, capture_output=True, check=False)
    outside = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_relative_to(output)]
    assert outside == []
