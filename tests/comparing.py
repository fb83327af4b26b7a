"""What validators find of planted faults: `python -m tests.comparing` runs them all and writes `docs/comparison.md`.

Each folder of `tests/comparison` has a document with a fault, the same document repaired, and a line for each fault that
says where a finding is right and what is wrong. A validator finds a fault if it says something of the document, at or
below one of these places, that it does not say of the repaired one.

`python -m tests.comparing ours` runs only ours; of the others the page keeps what `results.json` has.
"""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml
from click.testing import CliRunner

from sockspec.cli import main
from sockspec.spec.source import escape
from tests.npm import Node, install

SHARED = Path(__file__).parents[2] / "shared"
FOLDER = Path(__file__).parent / "comparison"
RESULTS = FOLDER / "results.json"
PAGE = Path(__file__).parents[1] / "docs" / "comparison.md"
NPM = FOLDER / "npm"

OURS, PARSER, SPECTRAL, REDOCLY = "sockspec", "@asyncapi/parser", "@stoplight/spectral-cli", "@redocly/cli"
ALL_RULES = "--preset all"
OTHERS = (PARSER, SPECTRAL, REDOCLY)
TOOLS = (OURS, *OTHERS)
NAMES = {OURS: "sockspec", PARSER: "AsyncAPI parser", SPECTRAL: "Spectral", REDOCLY: "Redocly"}
_RANKS = ("error", "warning", "info")

CORPUS = {
    "asyncapi/APIs-guru__asyncapi-directory/ably-bbc+news@v1.0.0.yaml": "",
    "asyncapi/AssemblyAI__assemblyai-api-spec/asyncapi.json": "examples have properties that their schema forbids",
    "asyncapi/Desgue__SpicyDice/asyncapi.yaml": "",
    "asyncapi/IMAGINARY__future-mobility/asyncapi.yaml": "",
    "asyncapi/arena-hero__arena-hero-doc/asyncapi.yaml": "",
    "asyncapi/beastoin__highperfasr/asyncapi.yaml": "",
    "asyncapi/elevenlabs__elevenlabs-docs/asyncapi.yml": "a default is none of the values of 'enum'",
    "asyncapi/firezone__firezone/asyncapi.yml": "examples lack properties that are required",
    "asyncapi/harmony-ai-solutions__harmony-link/asyncapi.yaml": "",
    "asyncapi/kanekoshoyu__asyncapi-rust-ws-template/v3.yaml": "names of servers with spaces, which the specification forbids",
    "asyncapi/mintlify__docs/asyncapi.yaml": "",
    "asyncapi/speechmatics__docs/realtime.yaml": "",
    "asyncapi/tryAGI__Deepgram/asyncapi.yaml": "slashes in names, which the specification forbids, unescaped in references",
    "asyncapi-official/examples-v2.3.0/websocket-gemini.yml": "an example has text where its schema asks for a number",
    "asyncapi-official/examples-v3.0.0/websocket-gemini-asyncapi.yml": "",
}
"""Documents of public repositories that the official JSON Schema accepts, and what is wrong with them all the same."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What a validator says of a place in a document."""

    severity: str
    """`error`, `warning` or `info`."""
    code: str
    pointer: str
    """Empty for the root, and where a validator gives no place."""
    message: str


Findings = dict[str, list[Finding]]
"""By the names of documents."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a document."""

    folder: str
    places: tuple[str, ...]
    """Pointers at or below which a finding is about it."""
    words: str

    def found(self, findings: Findings) -> str:
        """How severe a validator finds it; empty where it does not find it."""
        repaired = set(findings.get(f"{self.folder}/repaired.yaml", ()))
        severities = {
            one.severity
            for one in findings.get(f"{self.folder}/document.yaml", ())
            if one not in repaired and any(one.pointer == p or one.pointer.startswith(f"{p}/") for p in self.places)
        }
        return next((severity for severity in _RANKS if severity in severities), "")


def faults() -> list[Fault]:
    """All planted faults."""
    found: list[Fault] = []
    for file in sorted(FOLDER.glob("*/fault.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            places, _, words = line.partition(": ")
            found.append(Fault(file.parent.name, tuple(place[1:] for place in places.split(" ")), words))
    return found


def planted() -> list[Path]:
    """The documents with faults, and what they are repaired."""
    return [path for file in sorted(FOLDER.glob("*/fault.txt")) for path in sorted(file.parent.glob("*.yaml"))]


def correct() -> list[Path]:
    """Documents in which nothing is wrong, made for that."""
    return sorted((FOLDER / "correct").glob("*.yaml"))


def real() -> list[Path]:
    """Those of public repositories."""
    return [path for name in CORPUS if (path := SHARED / "corpus" / name).is_file()]


def name_of(path: Path) -> str:
    """The name of a document in the results."""
    return path.relative_to(FOLDER if path.is_relative_to(FOLDER) else SHARED / "corpus").as_posix()


# --- the validators -----------------------------------------------------------------------------------------------------


def ours(paths: list[Path], *options: str) -> Findings:
    """What `sockspec lint` says, which is all that `sockspec validate` says and more."""
    same = _same(paths)
    found: dict[str, list[Finding]] = {str(path): [] for path in same}
    said = CliRunner().invoke(main, ["lint", "--no-config", "--format", "json", *options, *found]).stdout
    for one in json.loads(said)["findings"]:
        place = one["location"]
        if place["path"] in found:
            pointer = place["pointer"] or _pointer_at(Path(place["path"]), place["line"])
            found[place["path"]].append(Finding(one["severity"], one["code"], pointer, one["message"]))
    return {name_of(path): found[str(first)] for first, paths in same.items() for path in paths}


def _same(paths: Iterable[Path]) -> dict[Path, list[Path]]:
    """Documents of the same text by the first of them: many a one is repaired to what another is repaired to."""
    found: dict[bytes, list[Path]] = {}
    for path in paths:
        found.setdefault(path.read_bytes(), []).append(path)
    return {paths[0]: paths for paths in found.values()}


def others(folder: Path) -> tuple[dict[str, str], dict[str, Findings]]:
    """Install the other validators into a folder and run them: their versions, and what they say."""
    modules = install(NPM, folder)
    if isinstance(modules, str):
        raise SystemExit(f"nothing came from npm:\n{modules}")
    for file in ("parse.mjs", "spectral.yaml", "redocly.yaml"):
        (folder / file).write_bytes((NPM / file).read_bytes())
    same = _same([*planted(), *correct(), *real()])
    versions: dict[str, str] = {}
    found: dict[str, Findings] = {}
    for tool, run in _RUN.items():
        versions[tool] = json.loads((modules / tool / "package.json").read_text(encoding="utf-8"))["version"]
        said: dict[Path, list[Finding]] = {path: [] for path in same}
        for path, one in run(modules, list(said)):
            if path in said:  # else it speaks of a file that the document refers to
                said[path].append(one)
        found[tool] = {name_of(path): said[first] for first, paths in same.items() for path in paths}
    return versions, found


def _parser(modules: Path, paths: list[Path]) -> Iterator[tuple[Path, Finding]]:
    applicable = [path for path in paths if "asyncapi" in path.read_text(encoding="utf-8")[:2000]]
    lines = _run(modules, modules.parent / "parse.mjs", *applicable)[0].splitlines()
    for path, line in zip(applicable, lines, strict=True):
        for one in json.loads(line):
            yield path, _of_spectral(one)


def _spectral(modules: Path, paths: list[Path]) -> Iterator[tuple[Path, Finding]]:
    program = modules / "@stoplight" / "spectral-cli" / "dist" / "index.js"
    rules = modules.parent / "spectral.yaml"
    for one in json.loads(_run(modules, program, "lint", "--ruleset", rules, "--format", "json", "--quiet", *paths)[0]):
        yield Path(one["source"]), _of_spectral(one)


def _of_spectral(one: Mapping[str, Any]) -> Finding:
    pointer = "".join(f"/{escape(str(key))}" for key in one["path"])
    return Finding(_RANKS[min(one["severity"], 2)], str(one["code"]), pointer, one["message"])


def _redocly(modules: Path, paths: list[Path]) -> Iterator[tuple[Path, Finding]]:
    # One at a time: a document that it cannot read ends it.
    with ThreadPoolExecutor(2) as pool:
        for path, findings in zip(paths, pool.map(partial(_redocly_one, modules), paths), strict=True):
            for one in findings:
                yield path, one


def _redocly_one(modules: Path, path: Path) -> list[Finding]:
    program = modules / "@redocly" / "cli" / "bin" / "cli.js"
    options = ("--config", modules.parent / "redocly.yaml", "--format", "json", "--max-problems", "1000")
    said, failed = _run(modules, program, "lint", *options, path)
    if not said.strip():
        return [
            Finding("error", "parse", _pointer_at(path, int(line)), message)
            for message, line in re.findall(r"- (.*) in \".*\" \((\d+):\d+\)", failed)
        ]
    found: list[Finding] = []
    for one in json.loads(said)["problems"]:
        severity = "error" if one["severity"] == "error" else "warning"
        for place in one["location"]:
            pointer = unquote(place.get("pointer", "#"))[1:].rstrip("/")
            found.append(Finding(severity, one["ruleId"], pointer, one["message"]))
    return found


def _pointer_at(path: Path, line: int) -> str:
    """What stands in a line of a YAML file; lines count from 1."""
    pointer, node = "", yaml.compose(path.read_text(encoding="utf-8"))
    while isinstance(node, yaml.MappingNode):
        above = [(key, value) for key, value in node.value if key.start_mark.line < line]
        if not above:
            break
        key, node = above[-1]
        pointer += f"/{escape(key.value)}"
    return pointer


def _run(modules: Path, *command: object) -> tuple[str, str]:
    node = Node.installed().binary
    done = subprocess.run(
        [str(node), *map(str, command)],
        cwd=modules.parent,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(node.parent), "REDOCLY_TELEMETRY": "off", "CI": "true"},
    )
    return done.stdout, done.stderr


_RUN: dict[str, Callable[[Path, list[Path]], Iterable[tuple[Path, Finding]]]] = {
    PARSER: _parser,
    SPECTRAL: _spectral,
    REDOCLY: _redocly,
}


# --- results ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Results:
    """What came of a run."""

    date: str
    versions: dict[str, str]
    findings: dict[str, Findings]
    """By validator. Of correct and real documents only errors are kept, of the planted only what tells them apart."""

    @classmethod
    def stored(cls) -> Results:
        """Those of the last run."""
        value = json.loads(RESULTS.read_text(encoding="utf-8"))
        findings = {
            tool: {name: [Finding(*one) for one in found] for name, found in said.items()}
            for tool, said in value["findings"].items()
        }
        return cls(value["date"], value["versions"], findings)

    def store(self) -> None:
        """Keep them for the next page."""
        findings = {
            tool: {name: [list(astuple(one)) for one in found] for name, found in said.items()}
            for tool, said in self.findings.items()
        }
        value = {"date": self.date, "versions": self.versions, "findings": findings}
        RESULTS.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def kept(findings: Findings) -> Findings:
    """The findings that matter for the comparison."""
    matter: Findings = {}
    for name, found in findings.items():
        folder, _, file = name.rpartition("/")
        if file == "document.yaml" and f"{folder}/repaired.yaml" in findings:
            repaired = set(findings[f"{folder}/repaired.yaml"])
            matter[name] = sorted({one for one in found if one not in repaired})
        else:
            errors = sorted({one for one in found if one.severity == "error"})
            matter[name] = [*{one.code: one for one in reversed(errors)}.values()]  # one of a kind tells enough
    return {name: found for name, found in matter.items() if found}


def told() -> dict[str, Findings]:
    """What ours says, and of what it misses what it says when all rules are asked."""
    usual = kept(ours([*planted(), *correct(), *real()]))
    missed = {fault.folder for fault in faults() if not fault.found(usual)}
    return {
        OURS: usual,
        ALL_RULES: kept(ours([path for path in planted() if path.parent.name in missed], *ALL_RULES.split())),
    }


def run(*, only_ours: bool) -> Results:
    """Run the validators, or only ours."""
    mine = told()
    if only_ours:
        before = Results.stored()
        return Results(before.date, before.versions, {**before.findings, **mine})
    with tempfile.TemporaryDirectory() as scratch:
        versions, findings = others(Path(scratch))
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    return Results(date, versions, {**mine, **{tool: kept(found) for tool, found in findings.items()}})


# --- the page -----------------------------------------------------------------------------------------------------------

_FAMILIES = {"asyncapi3": "AsyncAPI 3", "asyncapi2": "AsyncAPI 2", "openapi3": "OpenAPI 3.1 and 3.2"}


def page(results: Results) -> str:
    """The comparison in words and tables."""
    found = faults()
    versions = ",\n".join(f"{NAMES[tool]} {results.versions[tool]} (`{tool}`)" for tool in OTHERS)
    parts = [
        _HEAD.format(date=results.date, versions=versions),
        _totals(found, results),
        _ALARMS.format(planted=len(planted()) // 2, correct=len(correct()), real=len(CORPUS)),
        _alarms(results),
        _WORSE,
        *_missed(found, results),
    ]
    for family, title in _FAMILIES.items():
        parts += [f"## {title}\n", _table([one for one in found if one.folder.startswith(family)], results)]
    return "\n".join(parts)


def _applies(tool: str, folder: str) -> bool:
    return tool != PARSER or folder.startswith("asyncapi")


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |\n"


def _header(first: str) -> str:
    return _row(first, *(NAMES[tool] for tool in TOOLS)) + _row(*["---"] * (len(TOOLS) + 1))


def _totals(found: list[Fault], results: Results) -> str:
    rows = _header("Faults found")
    for family, title in [*_FAMILIES.items(), ("", "All")]:
        cells: list[str] = []
        for tool in TOOLS:
            asked = [one for one in found if one.folder.startswith(family) and _applies(tool, one.folder)]
            told = sum(bool(one.found(results.findings[tool])) for one in asked)
            cells.append(f"{told} of {len(asked)}" if asked else "")
        rows += _row(title, *cells)
    return rows


def _table(found: list[Fault], results: Results) -> str:
    rows = _header("Fault")
    for one in found:
        cells = [(one.found(results.findings[tool]) or "–") if _applies(tool, one.folder) else "" for tool in TOOLS]
        rows += _row(f"[{one.words}](../tests/comparison/{one.folder}/document.yaml)", *cells)
    return rows


def _alarms(results: Results) -> str:
    rows = _row("Errors in correct documents", *(NAMES[tool] for tool in TOOLS), "What is wrong all the same")
    rows += _row(*["---"] * (len(TOOLS) + 2))
    names = [
        *dict.fromkeys(name for tool in TOOLS for name in results.findings[tool] if not name.endswith("document.yaml"))
    ]
    for name in sorted(names):
        told = [results.findings[tool].get(name, []) for tool in TOOLS]
        cells = [", ".join(sorted({f"`{one.code}`" for one in one_tool})) or "–" for one_tool in told]
        rows += _row(f"`{name}`", *cells, CORPUS.get(name) or "nothing")
    return rows


def _missed(found: list[Fault], results: Results) -> Iterator[str]:
    missed = [one for one in found if not one.found(results.findings[OURS])]
    if missed:
        yield "Not found by ours without configuration:\n"
        yield "".join(
            f"- [{one.words}](../tests/comparison/{one.folder}/document.yaml)"
            f"{f'; found with `{ALL_RULES}`' if one.found(results.findings[ALL_RULES]) else ''}\n"
            for one in missed
        )


_HEAD = """# Comparison with other validators

Documents with one or more planted faults, and what validators say of them: sockspec (`lint` without configuration, which
says all that `validate` says), {versions}. Run
on {date}; `python -m tests.comparing` fetches the others from npm by a lock, runs all and writes this page. A test
holds our own column to what comes out today.

Each fault is a folder of `tests/comparison`: the document, the same document repaired, and the places where a finding is
right. A validator finds a fault if it says something of the document, at or below one of these places, that it does not
say of the repaired one; the tables tell how severe it finds it. The faults were chosen by us, many of them because we
knew that the official parser is silent about them, so the totals say what is in this list and not how good a validator
is. Each is for something else:

- The **AsyncAPI parser** is the reference for AsyncAPI, of all protocols. Most of its rules are for version 2.
- **Spectral** is a linter for rules of one's own, with sets of rules for AsyncAPI and OpenAPI. It runs here with
  `spectral:asyncapi` and `spectral:oas`.
- **Redocly** is above all for OpenAPI and its documentation; AsyncAPI is checked for its structure. It runs here with
  its `recommended` rules.
- **sockspec** is for documents of WebSocket APIs, and makes packages of them.
"""

_ALARMS = """## False alarms

Errors that are reported of documents in which nothing is wrong: the {planted} repaired ones, {correct} that were written
to be correct in unusual ways (`tests/comparison/correct`), and {real} of public repositories that the official JSON
Schema accepts. In some of those there is a real fault that the schema does not see; we looked at each error, and the last
column has it. Warnings are not counted: much of what linters recommend is a matter of taste. Documents that are not
listed have no errors by any.
"""

_WORSE = """## Where ours is worse

- Ours refuses documents without a WebSocket endpoint: an OpenAPI document of plain HTTP is an error to it, and bindings of
  other protocols are checked for their structure only.
- It reads AsyncAPI 2.0 to 3.1 and OpenAPI 3.0 to 3.2. Redocly also reads OpenAPI 2 and Arazzo, Spectral also OpenAPI 2.
- The others have rules for taste that ours lacks (sorted tags, styles of names in OpenAPI paths), rules written in YAML or
  JavaScript, and years of use; rules of one's own are written in Python for ours.
- Payloads in Avro, Protobuf or RAML are not looked into. The official parser has plug-ins for these.
- Files are read from the disk below the document's folder. The others also fetch URLs.
"""


def write(results: Results) -> None:
    """Keep the results and print the page."""
    results.store()
    PAGE.write_text(page(results), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(run(only_ours=sys.argv[1:] == ["ours"]))
