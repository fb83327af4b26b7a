"""The commands of console blocks, run as a reader would: in one folder, in their order, with servers beside them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.site.pages import ROOT, Block

PATIENCE = 30.0
"""Seconds that a command may take, and that a server may take until it says what the page shows."""

_PORT = "8765"
"""The port of all pages; another one that is free takes its place."""

_EXIT_CODE = re.compile(r"\s+# exit code (\d+)$")


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a block, with what the page shows of its output."""

    words: str
    exit_code: int
    shown: tuple[str, ...]
    stays: bool
    """Whether it goes on while other commands run."""


def commands(block: Block) -> list[Command]:
    """The commands of a block, each after `$ `."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if found and line.startswith("> ") and not found[-1][1]:
            found[-1] = (f"{found[-1][0].removesuffix(chr(92))} {line[2:].strip()}", [])
        elif line.startswith("$ "):
            found.append((line[2:], []))
        else:
            assert found, f"{block}: output before the first command"
            found[-1][1].append(line)
    terminal = block.title.startswith("terminal")
    return [_command(words, shown, terminal and at == len(found) - 1) for at, (words, shown) in enumerate(found)]


def _command(words: str, shown: list[str], stays: bool) -> Command:
    code = _EXIT_CODE.search(words)
    plain = _EXIT_CODE.sub("", words)
    beside = plain.endswith(" &")
    while shown and not shown[-1].strip():
        shown.pop()
    return Command(plain.removesuffix(" &"), int(code[1]) if code else 0, tuple(shown), beside or stays)


def resembles(shown: tuple[str, ...], output: str) -> bool:
    """Whether an output is what the page shows of it. `…` stands for any text, and alone for any lines."""
    parts = [
        r"(?:.*\n)*?" if line.strip() == "…" else ".*".join(map(re.escape, line.rstrip().split("…"))) + r"[ \t]*\n"
        for line in shown
    ]
    return re.fullmatch("".join(parts), output if output.endswith("\n") or not output else f"{output}\n") is not None


class Terminal:
    """Where the commands of one page run."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home
        self.port = _free_port()
        self._environment = {**_environment(home), "PORT": self.port}
        self._beside: list[tuple[subprocess.Popen[str], list[str]]] = []

    def local(self, text: str) -> str:
        """A text of a page for this machine: with a port that is free, and with the generator of this folder."""
        return text.replace(_PORT, self.port).replace("PYTHONPATH=", f"PYTHONPATH={ROOT / 'generator'}{os.pathsep}")

    def run(self, block: Block) -> None:
        """Run the commands of a block, and hold their output to what the page shows."""
        for command in commands(block):
            changed = self._changes_folder(command.words) or self._exports(command.words)
            if not changed:
                (self._start if command.stays else self._call)(block, command)

    def script(self, block: Block) -> None:
        """Run a whole block as a script."""
        self._call(block, Command(block.text, 0, (), stays=False))

    def _changes_folder(self, words: str) -> bool:
        made = words.startswith("mkdir ") and " && cd " in words
        if not words.startswith("cd ") and not made:
            return False
        target = self.folder / words.rpartition("cd ")[2].strip()
        if made:
            target.mkdir()
        assert target.is_dir(), words
        self.folder = target.resolve()
        return True

    def _exports(self, words: str) -> bool:
        if not words.startswith("export "):
            return False
        name, _, value = shlex.split(self.local(words))[1].partition("=")
        self._environment[name] = value
        return True

    def _process(self, words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", self.local(words)],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _call(self, block: Block, command: Command) -> None:
        with self._process(command.words) as process:
            try:
                output = process.communicate(timeout=PATIENCE)[0].replace(self.port, _PORT)
            except subprocess.TimeoutExpired:
                _end(process, signal.SIGKILL)
                raise
        told = f"{block}: $ {command.words}\n{output}{self._told()}"
        assert process.returncode == command.exit_code, f"exit code {process.returncode} of {told}"
        assert not command.shown or resembles(command.shown, output), f"not what the page shows: {told}"

    def _start(self, block: Block, command: Command) -> None:
        """Start a command and wait until it has printed what the page shows."""
        assert command.shown, f"{block}: the page has to show what {command.words!r} prints once it is ready"
        process = self._process(f"exec {command.words}" if "=" not in command.words.split()[0] else command.words)
        lines: list[str] = []
        self._beside.append((process, lines))
        ready = threading.Event()

        def read() -> None:
            assert process.stdout is not None
            with process.stdout:
                for line in process.stdout:
                    lines.append(line.replace(self.port, _PORT))
                    if resembles(("…", *command.shown, "…"), "".join(lines)):
                        ready.set()
            ready.set()

        threading.Thread(target=read, daemon=True).start()
        in_time = ready.wait(PATIENCE)
        told = f"{block}: $ {command.words}\n{''.join(lines)}"
        assert in_time, f"not in time what the page shows: {told}"
        assert process.poll() is None, f"ended with {process.returncode}: {told}"

    def _told(self) -> str:
        """What the commands say that run beside."""
        return "".join(f"\nbeside it: {''.join(lines)}" for _, lines in self._beside)

    def close(self) -> None:
        """End what still runs."""
        for process, _ in self._beside:
            _end(process, signal.SIGTERM)
        for process, _ in self._beside:
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                _end(process, signal.SIGKILL)
                raise


@contextmanager
def terminal(home: Path) -> Generator[Terminal]:
    """A terminal in a folder that has what the repository has for its readers: documents, packages, examples."""
    for name in ("specs", "generated", "examples"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    opened = Terminal(home)
    for program in (home / "examples").rglob("*.py"):
        program.write_text(opened.local(program.read_text(encoding="utf-8")), encoding="utf-8")
    try:
        yield opened
    finally:
        opened.close()


def _end(process: subprocess.Popen[str], number: signal.Signals) -> None:
    if process.poll() is None:
        os.killpg(process.pid, number)


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SOCKSPEC", "GITHUB", "GITLAB"))}
    return {
        **kept,
        "HOME": str(home),
        "NO_COLOR": "1",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        # Plugins of pytest that readers do not have, and that take a second each time.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_PLUGINS": "sockspec.pytest_plugin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(ROOT / "generator"),
        "PYTHONUNBUFFERED": "1",
    }


def _free_port() -> str:
    """A port that nobody listens on, of five digits, so that it is told from other numbers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return str(listening.getsockname()[1])
