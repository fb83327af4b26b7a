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
def running(command: Sequence[str | Path], *says: str) -> Generator[list[re.Match[str]]]:
    """A program, from when it has said all that shows that it is ready, in any order, until the block ends.

    `says` are regular expressions; their first matches are given. Fails with all that the program said when it ends
    before, or takes too long.
    """
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said: list[str] = []
    found: dict[str, re.Match[str]] = {}
    ready = threading.Event()

    def listen() -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                said.append(line)
                for sign in says:
                    match = re.search(sign, line)
                    if match is not None:
                        found.setdefault(sign, match)
                if len(found) == len(says):
                    ready.set()
        ready.set()

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        ready.wait(PATIENCE)
        assert len(found) == len(says), f"{command[0]} did not say {says}:\n{''.join(said)}"
        yield [found[sign] for sign in says]
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        listener.join()
