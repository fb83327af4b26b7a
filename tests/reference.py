"""Pages of `docs` that are made from what the program and its tests declare: `python -m tests.reference [--check]`."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from pathlib import Path

import sockspec
from sockspec.diagnostics import Code
from sockspec.rules.rule import Group, Rule
from sockspec.rules.table import rules
from tests import cli_reference, diff_reference
from tests.guide import guide_page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CASES = ROOT / "tests" / "cases"

_INTRODUCTION = """\
# Diagnostics

What `sockspec` says about documents, by the code that stands in each line: `path:line:column: severity code message`.
An error keeps a package from being written; a warning and an information do not.

What a document can be read in spite of is a [rule](rules.md) and stands there. This page is made from the program by
`make golden`.
"""

_RULES = """\
# Rules

What documents should keep beside what reading them asks for (see [diagnostics](diagnostics.md)). `sockspec validate`
asks the rules of correctness, `sockspec lint` all that its configuration names.

This page is made from the program by `make golden`.
"""

_GROUPS = {
    Group.CORRECTNESS: "What the specification forbids.",
    Group.GENERATION: "What generated code cannot do well, and what was assumed to make it.",
    Group.QUALITY: "What readers of the document would miss.",
    Group.GUIDE: "What the design guide for WebSocket APIs asks for; see [the guide](guide.md).",
    Group.SUPPRESSIONS: "What silences rules, held to rules itself; see [the linter](lint.md).",
}


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


def diagnostics_page() -> str:
    """What is said of documents that break no rule of the table: they cannot be read, or not as they stand."""
    cases = shown()
    parts = [_INTRODUCTION]
    for code in codes():
        if code.id in rules():
            continue
        case = cases.get(code.id)
        example = f"\n\nShown in [`tests/cases/{case}`](../tests/cases/{case})." if case else ""
        parts.append(f"## `{code.id}`\n\n*{code.severity.value}*\n\n{code.meaning.strip()}{example}\n")
    return "\n".join(parts)


def rules_page() -> str:
    """The rules by their groups."""
    parts = [_RULES]
    for group in Group:
        of_group = [rule for rule in rules().values() if rule.group is group]
        if of_group:
            parts.append(f"## {group.value.capitalize()}\n\n{_GROUPS[group]}\n")
            parts.extend(_rule(rule) for rule in of_group)
    return "\n".join(parts)


def _rule(rule: Rule) -> str:
    facts = [f"*{rule.code.severity.value}*", f"since {', '.join(rule.since)}"]
    if rule.aliases:
        facts.append(f"also called {', '.join(f'`{alias}`' for alias in rule.aliases)}")
    text = f"### `{rule.id}`\n\n{' · '.join(facts)}\n\n{rule.code.meaning.strip()}\n\n"
    text += f"Wrong:\n\n```yaml\n{rule.bad.strip()}\n```\n\nRight:\n\n```yaml\n{rule.good.strip()}\n```\n"
    if rule.fix:
        options = "--fix" if rule.is_fix_safe else "--fix --unsafe-fixes"
        text += f"\n`sockspec lint {options}` {rule.fix}\n"
    return f"{text}\nShown in [`tests/cases/rules/{rule.id}`](../tests/cases/rules/{rule.id}).\n"


PAGES = {
    "cli.md": cli_reference.page,
    "diagnostics.md": diagnostics_page,
    "rules.md": rules_page,
    "diff-rules.md": diff_reference.page,
    "guide.md": guide_page,
}


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` say whether they are current; gives the exit code."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m tests.reference [--check]", file=sys.stderr)
        return 2
    stale = False
    for name, made in PAGES.items():
        page, text = DOCS / name, made()
        if not arguments:
            page.write_text(text, encoding="utf-8", newline="\n")
        elif not page.is_file() or page.read_text(encoding="utf-8") != text:
            stale = True
            print(f"{page.relative_to(ROOT)} is not current: run `make golden`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
