"""The linter on real documents: whatever it says can be silenced where it stands, and what it mends stays mended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from sockspec.diagnostics import Diagnostic
from sockspec.lint.fixing import fixed
from sockspec.lint.known import known
from sockspec.lint.linter import Linted, Linter, lint
from sockspec.lint.policy import Policy
from sockspec.lint.settings import Settings

EVERY = 20
"""One of so many documents is looked at: all of them take minutes."""
MOST_BYTES = 30_000

POLICY = Policy(Settings(preset="all"), known())


def documents(shared: Path, *suffixes: str) -> Iterator[Path]:
    """Some documents of the corpus, the same in each run."""
    small = (path for path in sorted((shared / "corpus").rglob("*")) if path.suffix in suffixes and path.is_file())
    yield from [path for path in small if path.stat().st_size < MOST_BYTES][::EVERY]


def test_every_finding_can_be_silenced_by_a_comment_above_its_line(shared: Path) -> None:
    silenced = 0
    for path in documents(shared, ".yaml", ".yml"):
        before = lint(path, POLICY, name=path.name)
        found = [each for each in Linter(POLICY).told(before) if is_of(path, each)]
        commented = with_comments(path.read_text(encoding="utf-8-sig"), found)
        linter = Linter(POLICY)
        after = lint(path, POLICY, name=path.name, texts={path.resolve(): commented.encode()})
        if before.subject is not None:
            assert [str(each) for each in linter.told(after) if is_of(path, each)] == []
            assert [str(each) for each in linter.left()] == []
            silenced += len(found)
    assert silenced > 100


def is_of(path: Path, finding: Diagnostic) -> bool:
    return finding.code.id in POLICY.known.by_id and finding.location.path == path.name


def with_comments(text: str, found: list[Diagnostic]) -> str:
    """The text with a comment above each line of which something is said, as far in as the line."""
    rules: dict[int, dict[str, None]] = {}
    for finding in found:
        rules.setdefault(finding.location.line, {})[finding.code.id] = None
    lines: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if number in rules:
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f"{indent}# lint-ignore: {', '.join(rules[number])} -- it is so")
        lines.append(line)
    return "\n".join(lines)


def test_what_was_mended_stays_mended(shared: Path) -> None:
    mended = 0
    for path in documents(shared, ".yaml", ".yml", ".json"):

        def look(texts: Mapping[Path, bytes], path: Path = path) -> tuple[Linted, tuple[Diagnostic, ...]]:
            linted = lint(path, POLICY, name=path.name, texts=texts)
            return linted, Linter(POLICY).told(linted)

        once = fixed(look, POLICY.known, {}, unsafe=True)
        again = fixed(look, POLICY.known, once.texts, unsafe=True)
        assert again.texts == once.texts
        mended += once.mended
    assert mended > 50
