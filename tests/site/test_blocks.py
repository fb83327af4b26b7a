"""Every block of code on the pages and in README.md is run, as its page shows it (`tests/site/pages.py` says how)."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.site.pages import ROOT, Block, blocks, pages
from tests.site.running import LANGUAGES, Page, compiled
from tests.site.terminal import resembles, terminal

BEFORE = Path(__file__).parent / "before"
"""What pages take for granted: names, files, a server. A page of blocks for each that does, which are run first."""

NOT_RUN = {
    "text": "what is shown, and typed by nobody",
    "caddyfile": "no registry of ours has a parser of it but Caddy itself",
}
"""Languages that are not run, and why."""

RECORDS = "docs/decisions/"
"""These pages show code as it was when something was decided. It is compiled, and no more."""


def before(page: str) -> str:
    """The page of what a page takes for granted, whether there is one or not."""
    name = page.removeprefix("docs/").replace("/", "-")
    return (BEFORE / name).relative_to(ROOT).as_posix()


def with_before(page: str) -> list[Block]:
    return [*(blocks(before(page)) if (ROOT / before(page)).is_file() else ()), *blocks(page)]


def identifier(page: str) -> str:
    return page.removesuffix(".md").replace("/", "_").replace("-", "_")


def run(page: Page, block: Block) -> None:
    if block.page.startswith(RECORDS) and block.language == "python":
        compiled(block.text, block.page, block.line)
    elif block.mark != "not run":
        page.run(block)


@pytest.mark.parametrize("page", [page for page in pages() if blocks(page)])
def test_the_blocks_of_a_page_do_what_it_says(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    with terminal(tmp_path) as opened, Page(identifier(page), opened) as running:
        for block in with_before(page):
            run(running, block)


def every_block() -> list[Block]:
    return [block for page in pages() for block in blocks(page)]


def test_every_block_has_a_language_that_somebody_looks_at() -> None:
    assert {
        str(block): block.language for block in every_block() if block.language not in LANGUAGES | set(NOT_RUN)
    } == {}


def test_few_blocks_are_not_run() -> None:
    marked = [block for block in every_block() if block.mark == "not run"]
    assert [str(block) for block in marked if len(block.reason) < 20] == []
    assert len(marked) == 10


def test_few_blocks_are_in_languages_that_nobody_runs() -> None:
    made = "docs/cli.md"  # by a program, which has its usage as text
    assert sum(block.language in NOT_RUN for block in every_block() if block.page != made) == 9


def test_few_blocks_of_python_are_only_checked() -> None:
    marked = [block for block in every_block() if block.mark == "checked"]
    assert [str(block) for block in marked if len(block.reason) < 20 or block.language != "python"] == []
    assert len(marked) == 8


def test_the_python_of_the_pages_has_the_types_that_it_says(tmp_path: Path) -> None:
    """What is a file on its page is left out: commands of the page run it."""
    for page in pages():
        of_page = [block for block in with_before(page) if block.language == "python" and not block.title]
        parts = [f"# {block}\n{block.text}" for block in of_page if block.mark != "not run"]
        if blocks(page) and parts and not page.startswith(RECORDS):
            # Within one function, since blocks may await.
            source = f"async def page() -> None:\n{textwrap.indent(chr(10).join(parts), ' ')}"
            (tmp_path / f"{identifier(page)}.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file=", "--check-untyped-defs", "--no-error-summary"]
    command += ["--cache-dir", str(ROOT / ".mypy_cache" / "site"), "--ignore-missing-imports"]
    for code in ("no-redef", "abstract", "empty-body"):
        command += ["--disable-error-code", code]
    path = os.pathsep.join([str(ROOT / "generator"), str(ROOT / "generated")])
    done = subprocess.run(
        [*command, str(tmp_path)],
        env={**os.environ, "MYPYPATH": path, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_three_dots_stand_for_what_differs() -> None:
    assert resembles(("at … o'clock", "…", "end"), "at 10 o'clock\na\nb\nend\n")
    assert not resembles(("at … o'clock", "end"), "at 10 o'clock\na\nend\n")
    assert resembles(("a", "…"), "a\n")
