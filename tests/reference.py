"""`docs/diagnostics.md`, made from the codes that the program declares: `python -m tests.reference [--check]`."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from pathlib import Path

import sockspec
from sockspec.diagnostics import Code

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "diagnostics.md"
CASES = ROOT / "tests" / "cases"

_INTRODUCTION = """\
# Diagnostics

What `sockspec` says about documents, by the code that stands in each line: `path:line:column: severity code message`.
An error keeps a package from being written; a warning and an information do not.

This page is made from the program by `make golden`.
"""


def codes() -> list[Code]:
    """Every code that the program declares, by its id."""
    found: dict[str, Code] = {}
    for module in pkgutil.walk_packages(sockspec.__path__, "sockspec."):
        if not module.name.startswith("sockspec.runtime") and not module.name.endswith("__main__"):
            declared = vars(importlib.import_module(module.name)).values()
            found.update({value.id: value for value in declared if isinstance(value, Code)})
    return [found[name] for name in sorted(found)]


def shown() -> dict[str, str]:
    """The case that shows a code best: the one that says the least beside it."""
    found: dict[str, tuple[int, str]] = {}
    for expected in sorted(CASES.glob("*/expected.txt")):
        text = expected.read_text(encoding="utf-8")
        ids = re.findall(r"^\S.*?: (?:error|warning|info) ([a-z0-9-]+) ", text, re.MULTILINE)
        for code in ids:
            case = (len(ids), expected.parent.name)
            found[code] = min(found.get(code, case), case)
    return {code: name for code, (_, name) in found.items()}


def page() -> str:
    """The text of the page."""
    cases = shown()
    parts = [_INTRODUCTION]
    for code in codes():
        case = cases.get(code.id)
        example = f"\n\nShown in [`tests/cases/{case}`](../tests/cases/{case})." if case else ""
        parts.append(f"## `{code.id}`\n\n*{code.severity.value}*\n\n{code.meaning.strip()}{example}\n")
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` say whether it is current; gives the exit code."""
    text = page()
    if arguments == ["--check"]:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{PAGE.relative_to(ROOT)} is not current: run `make golden`", file=sys.stderr)
        return 1
    if arguments:
        print("usage: python -m tests.reference [--check]", file=sys.stderr)
        return 2
    PAGE.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
