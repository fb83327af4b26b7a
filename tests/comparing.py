"""What validators find of planted faults: `python -m tests.comparing` runs them all and writes `docs/comparison.md`.

Each folder of `tests/comparison` has a document with a fault, the same document repaired, and a line for each fault that
says where a finding is right and what is wrong. A validator finds a fault if it says something of the document, at or
below one of these places, that it does not say of the repaired one.

`python -m tests.comparing ours` runs only ours; of the others the page keeps what `results.json` has.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sockspec.diagnostics import Severity
from sockspec.pipeline import examined
from sockspec.spec.source import escape
from tests.corpus import SHARED
from tests.node import Node, install

FOLDER = Path(__file__).parent / "comparison"
RESULTS = FOLDER / "results.json"
PAGE = Path(__file__).parents[1] / "docs" / "comparison.md"
_NPM = FOLDER / "npm"

OURS, PARSER, SPECTRAL, REDOCLY = "sockspec", "@asyncapi/parser", "@stoplight/spectral-cli", "@redocly/cli"
OTHERS = (PARSER, SPECTRAL, REDOCLY)
NAMES = {OURS: "sockspec", PARSER: "AsyncAPI parser", SPECTRAL: "Spectral", REDOCLY: "Redocly"}
_RANKS = ("error", "warning", "info")

CORPUS = (
    *("asyncapi-official/3.1.0/slack-rtm-asyncapi.yml",),
)
"""Documents of public repositories that the official JSON Schema accepts."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a validator says of a place in a document."""

    severity: str
    """`error`, `warning` or `info`."""
    code: str
    pointer: str
    """Empty for the root, and where a validator gives no place."""
    message: str


Findings = list[Finding]


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a document."""

    folder: str
    places: tuple[str, ...]
    """Pointers at or below which a finding is about it."""
    words: str


def faults() -> list[Fault]:
    """All planted faults."""
    found: list[Fault] = []
    for file in sorted(FOLDER.glob("*/fault.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            places, _, words = line.partition(": ")
            found.append(Fault(file.parent.name, tuple(place[1:] for place in places.split(" ")), words))
    return found


def documents() -> list[Path]:
    """All documents that are compared, those of the corpus last."""
    planted = [path for path in sorted(FOLDER.glob("*/*.yaml")) if path.parent.name != "npm"]
    return planted + [path for name in CORPUS if (path := SHARED / "corpus" / name).is_file()]


def name_of(path: Path) -> str:
    """The name of a document in the results."""
    return path.relative_to(FOLDER if path.is_relative_to(FOLDER) else SHARED / "corpus").as_posix()


# --- ours ---------------------------------------------------------------------------------------------------------------


def ours(path: Path) -> Findings:
    """What `sockspec validate` and `sockspec lint` say together."""
    _, report = examined(path, name=path.name)
    return [
        Finding(found.severity.value, found.code.id, found.location.pointer, found.message)
        for found in report.sorted()
        if found.severity in (Severity.ERROR, Severity.WARNING, Severity.INFO)
    ]


# --- the others ---------------------------------------------------------------------------------------------------------


def _parser(modules: Path, paths: list[Path]) -> Iterator[tuple[Path, Finding]]:
    applicable = [path for path in paths if "asyncapi:" in path.read_text(encoding="utf-8")[:2000]]
    lines = _run(modules, [modules.parent / "parse.mjs", *applicable]).splitlines()
    for path, line in zip(applicable, lines, strict=True):
        for one in json.loads(line):
            yield path, _of_spectral(one)


def _spectral(modules: Path, paths: list[Path]) -> Iterator[tuple[Path, Finding]]:
    program = modules / "@stoplight" / "spectral-cli" / "dist" / "index.js"
    rules = modules.parent / "spectral.yaml"
    said = _run(modules, [program, "lint", "--ruleset", rules, "--format", "json", "--quiet", *paths])
    for one in json.loads(said):
        yield Path(one["source"]), _of_spectral(one)


def _of_spectral(one: Mapping[str, Any]) -> Finding:
    pointer = "".join(f"/{escape(str(key))}" for key in one["path"])
    return Finding(_RANKS[min(one["severity"], 2)], str(one["code"]), pointer, one["message"])


def _redocly(modules: Path, paths: list[Path]) -> Iterator[tuple[Path, Finding]]:
    program = modules / "@redocly" / "cli" / "bin" / "cli.js"
    rules = modules.parent / "redocly.yaml"
    # One at a time: what it cannot read ends it.
    for path in paths:
        said = _run(modules, [program, "lint", "--config", rules, "--format", "json", "--max-problems", "1000", path])
        for one in json.loads(said or "{}").get("problems", ()):
            severity = "error" if one["severity"] == "error" else "warning"
            for place in one["location"]:
                pointer = unquote(place.get("pointer", "#"))[1:].rstrip("/")
                yield path, Finding(severity, one["ruleId"], pointer, one["message"])


def _run(modules: Path, command: Iterable[object]) -> str:
    done = subprocess.run(
        [str(Node.installed().binary), *map(str, command)],
        cwd=modules.parent,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(Node.installed().binary.parent), "REDOCLY_TELEMETRY": "off", "CI": "true"},
    )
    return done.stdout


_RUN: dict[str, Callable[[Path, list[Path]], Iterator[tuple[Path, Finding]]]] = {
    PARSER: _parser,
    SPECTRAL: _spectral,
    REDOCLY: _redocly,
}


def others(folder: Path) -> dict[str, Any]:
    """Install the other validators into a folder and run them over all documents: what goes into `results.json`."""
    modules = install(_NPM, folder)
    if isinstance(modules, str):
        raise SystemExit(f"nothing came from npm:\n{modules}")
    for file in ("parse.mjs", "spectral.yaml", "redocly.yaml"):
        (folder / file).write_bytes((_NPM / file).read_bytes())
    paths = documents()
    versions = {
        tool: json.loads((modules / tool / "package.json").read_text(encoding="utf-8"))["version"] for tool in OTHERS
    }
    found: dict[str, dict[str, list[list[str]]]] = {}
    for tool, run in _RUN.items():
        said: dict[str, list[list[str]]] = {name_of(path): [] for path in paths}
        for path, one in run(modules, paths):
            said[name_of(path)].append([one.severity, one.code, one.pointer, one.message])
        found[tool] = said
    return {"date": datetime.date.today().isoformat(), "versions": versions, "findings": found}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        results = others(Path(scratch))
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
