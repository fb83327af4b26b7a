"""Programs that nobody here wrote, as processes of their own."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 30.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextmanager
def running(command: Sequence[str | Path], says: str, *, folder: Path | None = None) -> Generator[re.Match[str]]:
    """A program, from when it says that it is ready until the block ends. `says` is a regular expression.

    Fails with all that it said when it ends before, or takes too long.
    """
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said: list[str] = []
    found: list[re.Match[str]] = []
    ready = threading.Event()

    def listen() -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                said.append(line)
                match = re.search(says, line)
                if match is not None:
                    found.append(match)
                    ready.set()
        ready.set()

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        ready.wait(PATIENCE)
        assert found, f"{command[0]} did not say {says!r}:\n{''.join(said)}"
        yield found[0]
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        listener.join()
