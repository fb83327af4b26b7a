"""`sockspec watch`: rounds in a real process on real files, and when a change counts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from sockspec.cli import main
from sockspec.output import write
from sockspec.watching import stamps, wait

SPEC = """asyncapi: 3.0.0
info: {title: Polls, version: 1.0.0}
x-perspective: server
servers: {production: {host: example.com, protocol: wss}}
channels:
  poll:
    address: /poll
    messages:
      vote: {payload: {$ref: 'schemas/vote.yaml'}}
operations:
  vote: {action: receive, channel: {$ref: '#/channels/poll'}}
"""
VOTE = "type: object\nrequired: [type]\nproperties: {type: {const: vote}, count: {type: integer}}\n"
PROJECT = '[[tool.sockspec.package]]\nspec = "poll.yaml"\noutput = "out"\n'
ALL = "14 files"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A document and the schema that it refers to."""
    (tmp_path / "schemas").mkdir()
    (tmp_path / "poll.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "schemas" / "vote.yaml").write_text(VOTE, encoding="utf-8")
    return tmp_path


class Watch:
    """The command in a process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def round(self) -> str:
        """The line of the next round, without its time."""
        assert self._process.stdout is not None
        return re.sub(r"\d+\.\d\d s", "… s", self._process.stdout.readline().rstrip("\n"))

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal: the exit code, and all that was said of documents."""
        self._process.send_signal(number)
        rest, said = self._process.communicate(timeout=60)
        assert rest == ""
        return self._process.returncode, said


@contextmanager
def watching(folder: Path, *options: str) -> Generator[Watch]:
    """The command, which is killed where it hangs."""
    command = [sys.executable, "-m", "sockspec", "watch", *options]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        guard = threading.Timer(120, process.kill)
        guard.start()
        try:
            yield Watch(process)
        finally:
            guard.cancel()
            process.kill()


def replace(file: Path, text: str) -> None:
    """Save as many editors do: write another file, and give it the name."""
    other = file.with_name(f".{file.name}.new")
    other.write_text(text, encoding="utf-8")
    os.replace(other, file)


def test_a_package_follows_its_document_and_the_files_that_it_refers_to(folder: Path) -> None:
    spec, vote, package = folder / "poll.yaml", folder / "schemas" / "vote.yaml", folder / "out" / "poll"
    with watching(folder, "poll.yaml", "-o", "out") as watch:
        assert watch.round() == f"at the start: wrote {ALL}, in … s, watching 2 files"
        times = {file: file.stat().st_mtime_ns for file in package.iterdir()}

        replace(spec, SPEC.replace(": /poll", ": /polls"))
        assert watch.round().startswith("poll.yaml changed: wrote 9 files, 5 files unchanged")
        untouched = {file for file in package.iterdir() if file.stat().st_mtime_ns == times.get(file)}
        assert package / "schemas.json" in untouched
        assert package / "client.py" not in untouched

        vote.write_text(VOTE.replace("count", "number"), encoding="utf-8")
        assert watch.round().startswith(f"{os.path.join('schemas', 'vote.yaml')} changed: wrote ")
        assert "number" in (package / "messages.py").read_text(encoding="utf-8")

        before = (package / "messages.py").read_text(encoding="utf-8")
        replace(spec, SPEC.replace("receive", "recieve"))
        assert watch.round() == "poll.yaml changed: 1 error, nothing written, in … s, watching 2 files"
        assert (package / "messages.py").read_text(encoding="utf-8") == before

        replace(spec, SPEC.replace(": /poll", ": /polls"))
        assert watch.round() == f"poll.yaml changed: {ALL} unchanged, in … s, watching 2 files"
        code, said = watch.end(signal.SIGINT)
    assert code == 0
    assert said.count("'recieve'") == 1


def test_a_project_is_read_anew_when_it_changes(folder: Path) -> None:
    (folder / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    with watching(folder) as watch:
        assert watch.round() == f"at the start: wrote {ALL}, in … s, watching 3 files"
        (folder / "pyproject.toml").write_text(f"{PROJECT}package = 5\n", encoding="utf-8")
        assert watch.round() == "pyproject.toml changed: an error, not written, in … s, watching 1 file"
        (folder / "pyproject.toml").write_text(f'{PROJECT}package = "votes"\n', encoding="utf-8")
        assert watch.round() == f"pyproject.toml changed: wrote {ALL}, in … s, watching 3 files"
        assert (folder / "out" / "votes" / "messages.py").exists()
        code, said = watch.end(signal.SIGTERM)
    assert code == 0
    assert "Error: each [[tool.sockspec.package]] is a table of texts." in said


def test_a_file_that_was_missing_is_waited_for(folder: Path) -> None:
    vote = folder / "schemas" / "vote.yaml"
    vote.unlink()
    with watching(folder, "poll.yaml", "-o", "out") as watch:
        assert watch.round() == "at the start: 1 error, nothing written, in … s, watching 2 files"
        vote.write_text(VOTE, encoding="utf-8")
        assert watch.round().startswith(f"{os.path.join('schemas', 'vote.yaml')} changed: wrote {ALL}")
        assert watch.end(signal.SIGINT)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["none.yaml", "-o", "out"], "there is no file 'none.yaml' to watch."),
        (["poll.yaml"], "say with -o into which folder the package goes."),
        ([], "give SPEC, or call from a folder whose pyproject.toml has [tool.sockspec]."),
    ],
)
def test_there_has_to_be_something_to_watch(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], why: str
) -> None:
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(main, ["watch", *arguments])
    assert (result.exit_code, why in result.output) == (2, True)


# --- when a change counts -----------------------------------------------------------------------------------------------


def looks(*steps: Callable[[], object]) -> tuple[Callable[[], object], Iterator[Callable[[], object]]]:
    """A pause in which the next of some things happens to the files, and those that have not happened yet."""
    left = iter(steps)

    def pause() -> None:
        next(left)()

    return pause, left


def nothing() -> None:
    """Does nothing."""


def test_a_change_counts_when_the_next_look_finds_no_other(tmp_path: Path) -> None:
    file, other = tmp_path / "a.yaml", tmp_path / "b.yaml"
    file.write_text("a", encoding="utf-8")
    other.write_text("b", encoding="utf-8")
    pause, left = looks(
        nothing,
        lambda: file.write_text("a1", encoding="utf-8"),
        lambda: other.write_text("b12", encoding="utf-8"),
        lambda: file.write_text("a123", encoding="utf-8"),
        nothing,
        nothing,
    )
    assert wait(stamps([file, other]), pause) == [file, other]
    assert list(left) == [nothing]


def test_a_file_that_is_away_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a", encoding="utf-8")
    pause, left = looks(
        file.unlink,
        *[nothing] * 3,
        lambda: file.write_text("back", encoding="utf-8"),
        nothing,
    )
    assert wait(stamps([file]), pause) == [file]
    assert (file.exists(), list(left)) == (True, [])


def test_a_file_that_stays_away_is_a_change_too(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a", encoding="utf-8")
    pause, left = looks(file.unlink, *[nothing] * 20)
    assert wait(stamps([file]), pause) == [file]
    assert len(list(left)) == 10


def test_files_that_are_current_keep_their_times(tmp_path: Path) -> None:
    files = {"a.py": "# Generated by sockspec\n", "b.py": "# Generated by sockspec: ü\n"}
    first = write(files, tmp_path)
    times = [path.stat().st_mtime_ns for path in first.written]
    again = write(files, tmp_path)
    assert [path.stat().st_mtime_ns for path in first.written] == times
    assert (again.written, again.removed, again.unchanged) == ((), (), 2)
    last = write({"b.py": "# Generated by sockspec: u\n"}, tmp_path)
    assert last.written == (tmp_path / "b.py",)
    assert last.removed == (tmp_path / "a.py",)
