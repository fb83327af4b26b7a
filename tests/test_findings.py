"""What `sockspec validate` says of the corpus: nothing but what `findings.txt` explains, and how much of what is planted.

`SOCKSPEC_UPDATE=1 pytest tests/test_findings.py` writes the list anew and keeps its reasons; new lines lack theirs.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from sockspec.diagnostics import Diagnostic, Report, Severity
from sockspec.pipeline import check, validated
from sockspec.spec.metaschema import VERSIONS, metaschema
from sockspec.spec.source import Unreadable, load
from sockspec.spec.structure import faults

LIST = Path(__file__).parent / "findings.txt"
UPDATE = os.environ.get("SOCKSPEC_UPDATE") == "1"
FOLDERS = ("asyncapi", "asyncapi-official", "asyncapi-tck")
_LARGEST = 100_000
ABOVE = """\
# What `sockspec validate` says of documents whose structure the official JSON Schemas accept, and why each is a fault.
# document | code | how often | why
"""


def documents(corpus: Path, folder: str) -> Iterator[tuple[str, Path]]:
    """The AsyncAPI documents of a folder, with their names."""
    for path in sorted((corpus / folder).rglob("*")):
        if path.suffix in (".yaml", ".yml", ".json") and path.is_file():
            yield path.relative_to(corpus).as_posix(), path


def openapi_documents(corpus: Path) -> Iterator[tuple[str, Path]]:
    """OpenAPI documents that are named valid, and real ones that are not so large that they take seconds."""
    for folder in ("OAI-tests", "openapi"):
        for path in sorted((corpus / folder).rglob("*")):
            is_file = path.suffix in (".yaml", ".yml", ".json") and path.is_file()
            if is_file and path.parent.name != "fail" and path.stat().st_size < _LARGEST:
                yield path.relative_to(corpus).as_posix(), path


def is_well_formed(path: Path) -> bool:
    """Whether the structure is right, in which our tables and the official schemas agree (`test_metaschemas.py`)."""
    try:
        value = load(path, report=Report(), any_root=True).value
    except Unreadable:
        return False
    written = value.get("asyncapi") if isinstance(value, dict) else None
    version = written.rpartition(".")[0] if isinstance(written, str) else ""
    if not isinstance(value, dict) or version not in VERSIONS:
        return False
    found = faults(metaschema(version), {**value, "asyncapi": f"{version}.0"})
    return all(fault.keyword == "format" for fault in found)


@cache
def said(path: Path) -> tuple[Diagnostic, ...]:
    """What is said of a document."""
    return tuple(validated(path, name=path.name))


def is_invalid(path: Path) -> bool:
    """Whether the name of a file of the compatibility kit says that it is invalid."""
    return path.name.startswith("invalid")


def written() -> dict[tuple[str, str], tuple[int, str]]:
    """The lines of the list: how often, and why, by document and code."""
    lines = [line.split(" | ", 3) for line in LIST.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    return {(name, code): (int(count), why) for name, code, count, why in lines}


def test_valid_documents_give_the_findings_that_are_explained(shared: Path) -> None:
    corpus = shared / "corpus"
    found: dict[tuple[str, str], int] = {}
    for name, path in (each for folder in FOLDERS for each in documents(corpus, folder)):
        if not is_invalid(path) and is_well_formed(path):
            counted = Counter(diagnostic.code.id for diagnostic in said(path))
            found.update({(name, code): count for code, count in sorted(counted.items())})
    for name, path in openapi_documents(corpus):
        counted = Counter(diagnostic.code.id for diagnostic in check(path, name=path.name)[1].sorted())
        found.update({(name, code): count for code, count in sorted(counted.items())})
    known = written() if LIST.exists() else {}
    if UPDATE:
        lines = [
            f"{name} | {code} | {count} | {known.get((name, code), (0, ''))[1]}\n"
            for (name, code), count in found.items()
        ]
        LIST.write_text(ABOVE + "".join(lines), encoding="utf-8", newline="\n")
        known = written()
    assert found == {key: count for key, (count, _) in known.items()}


def test_every_finding_is_explained() -> None:
    assert [key for key, (_, why) in written().items() if not why.strip()] == []


# --- the compatibility kit --------------------------------------------------------------------------------------------

INVALID, OF_OTHER_PROTOCOLS = 227, 63
"""How many there are, and how many of them have faults in bindings to other protocols, which are nobody's business here."""
ONLY_WARNINGS = {
    *("invalid-email-format.yaml", "invalid-url-format.yaml", "invalid-termsofservice-url-format.yaml"),
    *("invalid-authorizationUrl-format.yaml", "invalid-refreshUrl-format.yaml", "invalid-tokenUrl-format.yaml"),
}
"""Those with a text that is no URL or e-mail address, which is a warning, as the official JSON Schemas let it pass."""


def test_the_invalid_documents_of_the_compatibility_kit_are_found(shared: Path, told: list[str]) -> None:
    kit = shared / "corpus" / "asyncapi-tck"
    silent: list[str] = []
    as_warnings: list[str] = []
    invalid = [(name, path) for name, path in documents(kit, ".") if is_invalid(path)]
    for name, path in invalid:
        severities = {diagnostic.severity for diagnostic in said(path) if diagnostic.code.id != "no-websocket-server"}
        if not severities:
            silent.append(name)
        elif Severity.ERROR not in severities:
            as_warnings.append(name)
    told.append(f"{len(invalid) - len(silent)} of {len(invalid)} invalid documents of the compatibility kit are found")
    others = [name for name in silent if name.startswith("bindings/") and not name.startswith("bindings/ws/")]
    assert sorted(set(silent) - set(others)) == []
    assert {name.rpartition("/")[2] for name in as_warnings} == ONLY_WARNINGS
    assert (len(invalid), len(others)) == (INVALID, OF_OTHER_PROTOCOLS)
