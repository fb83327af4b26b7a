"""`sockspec docs`: what it writes, what it leaves alone, and how it ends."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import click.testing
import pytest

from sockspec.cli import main
from tests.test_cli import POLL

FILES = [
    "index.html",
    "index.md",
    "llms-full.txt",
    "llms.txt",
    "schemas/Say.json",
    "schemas/Tally.json",
    "schemas/Vote.json",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a document, and the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "poll.yaml").write_text(POLL, encoding="utf-8")
    return tmp_path


def call(*arguments: str, text: str | None = None) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, ["docs", *arguments], input=text)


def written(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_all_that_there_is_of_a_document(folder: Path) -> None:
    done = call("poll.yaml", "-o", "out")
    assert (done.exit_code, done.stdout) == (0, "")
    assert written(folder / "out") == FILES
    lines = [re.sub(r"[\d.]+ kB", "N kB", line) for line in done.stderr.splitlines() if " kB" in line]
    assert lines == [
        "out/index.html: N kB",
        "out/index.md: N kB",
        "out/llms.txt: N kB",
        "out/llms-full.txt: N kB",
        "out/schemas: N kB in 3 files",
    ]


def test_the_formats_that_are_asked_for(folder: Path) -> None:
    assert call("poll.yaml", "-o", "out", "--format", "llms, html").exit_code == 0
    assert written(folder / "out") == ["index.html", "llms-full.txt", "llms.txt"]
    wrong = call("poll.yaml", "-o", "out", "--format", "html,pdf")
    assert wrong.exit_code == 2
    assert "there is no format 'pdf'; there are 'html', 'markdown', 'llms', 'schemas'." in wrong.stderr


def test_other_formats_of_before_stay(folder: Path) -> None:
    assert call("poll.yaml", "-o", "out").exit_code == 0
    assert call("poll.yaml", "-o", "out", "--format", "markdown").exit_code == 0
    assert written(folder / "out") == FILES


def test_schemas_of_messages_that_are_gone_go(folder: Path) -> None:
    assert call("poll.yaml", "-o", "out").exit_code == 0
    own = folder / "out" / "schemas" / "Mine.json"
    own.write_text("{}", encoding="utf-8")
    (folder / "poll.yaml").write_text(POLL.replace("Tally", "Total"), encoding="utf-8")
    assert call("poll.yaml", "-o", "out").exit_code == 0
    names = {name for name in written(folder / "out") if name.startswith("schemas/")}
    assert names == {"schemas/Mine.json", "schemas/Say.json", "schemas/Total.json", "schemas/Vote.json"}


def test_nothing_is_written_over_what_others_have_written(folder: Path) -> None:
    home = folder / "site" / "index.md"
    home.parent.mkdir()
    home.write_text("# Home\n", encoding="utf-8")
    done = call("poll.yaml", "-o", "site")
    assert done.exit_code == 1
    assert "nothing is written, since site/index.md is there and was not written by sockspec." in done.stderr
    assert written(folder / "site") == ["index.md"]
    assert home.read_text(encoding="utf-8") == "# Home\n"


def test_check_says_whether_all_is_current(folder: Path) -> None:
    stale = call("poll.yaml", "-o", "out", "--check", "--format", "llms")
    assert stale.exit_code == 1
    assert "--- /dev/null\n+++ out/llms.txt\n" in stale.stdout
    assert not (folder / "out").exists()
    assert call("poll.yaml", "-o", "out").exit_code == 0
    current = call("poll.yaml", "-o", "out", "--check")
    assert (current.exit_code, current.stdout) == (0, "")
    (folder / "out" / "llms.txt").write_text("", encoding="utf-8")
    assert call("poll.yaml", "-o", "out", "--check").exit_code == 1


def test_several_documents_have_a_folder_each(folder: Path) -> None:
    (folder / "other.yaml").write_text(POLL, encoding="utf-8")
    done = call("*.yaml", "-o", "out", "--format", "llms")
    assert done.exit_code == 0
    assert written(folder / "out") == [
        f"{name}/{file}" for name in ("other", "poll") for file in ("llms-full.txt", "llms.txt")
    ]
    assert [re.sub(r"[\d.]+ kB", "N kB", line) for line in done.stderr.splitlines() if " kB" in line] == [
        "out/other: 2 files, N kB",
        "out/poll: 2 files, N kB",
    ]


def test_one_wrong_document_of_several_keeps_all_from_being_written(folder: Path) -> None:
    (folder / "wrong.yaml").write_text(POLL.replace("title: Poll, ", ""), encoding="utf-8")
    done = call("poll.yaml", "wrong.yaml", "-o", "out")
    assert done.exit_code == 1
    assert "wrong.yaml:" in done.stderr
    assert not (folder / "out").exists()


def test_documents_that_would_share_a_folder_are_told(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "poll.yaml").write_text(POLL, encoding="utf-8")
    done = call("**/*.yaml", "-o", "out")
    assert done.exit_code == 2
    assert "two documents would have the folder 'out/poll'" in done.stderr


def test_standard_input_is_a_document(folder: Path) -> None:
    assert call("-", "--stdin-filename", "poll.yaml", "-o", "out", "--format", "schemas", text=POLL).exit_code == 0
    assert json.loads((folder / "out" / "schemas" / "Tally.json").read_text(encoding="utf-8"))["title"] == "Tally"


def test_the_pages_say_what_changed(folder: Path) -> None:
    (folder / "old.yaml").write_text(POLL, encoding="utf-8")
    changed = POLL.replace("1.0.0", "1.1.0").replace("times: {type: integer}", "times: {type: integer, maximum: 9}")
    (folder / "poll.yaml").write_text(changed, encoding="utf-8")
    assert call("poll.yaml", "-o", "out", "--old", "old.yaml").exit_code == 0
    text = (folder / "out" / "index.md").read_text(encoding="utf-8")
    assert "## Changes since 1.0.0\n\n- breaks: " in text
    assert '<a href="#message-say">see</a>' in text
    assert "Changes since 1.0.0" in (folder / "out" / "index.html").read_text(encoding="utf-8")


def test_an_earlier_version_may_be_one_of_git(folder: Path) -> None:
    for command in (
        ["init", "-q"],
        ["add", "poll.yaml"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "one"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    assert call("poll.yaml", "-o", "out", "--old", "HEAD:poll.yaml", "--format", "markdown").exit_code == 0
    text = (folder / "out" / "index.md").read_text(encoding="utf-8")
    assert "## Changes since 1.0.0 (HEAD:./poll.yaml)\n\nNothing that clients or readers could notice.\n" in text
    missing = call("poll.yaml", "-o", "out", "--old", "HEAD:else.yaml")
    assert (missing.exit_code, "there is no file 'else.yaml' in 'HEAD'" in missing.stderr) == (2, True)


@pytest.mark.parametrize("option", [["--old", "poll.yaml"], ["--package", "chat"]])
def test_what_is_of_one_document_does_not_go_with_several(folder: Path, option: list[str]) -> None:
    (folder / "other.yaml").write_text(POLL, encoding="utf-8")
    done = call("poll.yaml", "other.yaml", "-o", "out", *option)
    assert done.exit_code == 2
    assert "--old and --package go with one document." in done.stderr


def test_samples_import_the_package_that_is_named(folder: Path) -> None:
    assert call("poll.yaml", "-o", "out", "--package", "acme_poll", "--format", "markdown").exit_code == 0
    assert "from acme_poll import RoomClient" in (folder / "out" / "index.md").read_text(encoding="utf-8")


def test_templates_of_ones_own_take_the_place_of_ours(folder: Path) -> None:
    (folder / "own" / "docs").mkdir(parents=True)
    (folder / "own" / "docs" / "llms.txt.j2").write_text(
        "{{ index.page.generator }}: {{ index.title }}\n", encoding="utf-8"
    )
    assert call("poll.yaml", "-o", "out", "--templates", "own", "--format", "llms").exit_code == 0
    assert (folder / "out" / "llms.txt").read_text(encoding="utf-8").endswith(": Poll\n")
    (folder / "own" / "docs" / "llms.txt.j2").write_text("{{ nothing }}", encoding="utf-8")
    wrong = call("poll.yaml", "-o", "out", "--templates", "own", "--format", "llms")
    assert (wrong.exit_code, "docs/llms.txt.j2: 'nothing' is undefined" in wrong.stderr) == (1, True)


def test_open_needs_a_page(folder: Path) -> None:
    done = call("poll.yaml", "-o", "out", "--open", "--format", "llms")
    assert (done.exit_code, "--open needs the format 'html'." in done.stderr) == (2, True)
