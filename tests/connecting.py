"""What the tests of `sockspec connect` share: the example's server, servers that misbehave, and a terminal."""

from __future__ import annotations

import asyncio
import codecs
import os
import pty
import select
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import click.testing
from websockets.asyncio.server import ServerConnection, serve

from sockspec.cli import main

ROOT = Path(__file__).parents[1]
CHAT = ROOT / "specs" / "chat.asyncapi.yaml"
PATIENCE = 30.0
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "generator"), str(ROOT / "generated")])}


@contextmanager
def chat_server() -> Generator[str]:
    """The example's server in a process of its own; gives the URL for `--url`."""
    command = [sys.executable, str(ROOT / "examples" / "chat" / "server.py"), "--port", "0"]
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield f"{process.stdout.readline().strip()}/v1"
        finally:
            process.terminate()


@contextmanager
def serving(handler: Callable[[ServerConnection], Awaitable[None]]) -> Generator[str]:
    """A server that does what the handler does, in a thread of its own; gives its URL."""
    started = threading.Event()
    urls: list[str] = []
    loop = asyncio.new_event_loop()
    stopping = asyncio.Event()

    async def run() -> None:
        async with serve(handler, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            urls.append(f"ws://127.0.0.1:{port}/v1")
            started.set()
            await stopping.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    try:
        assert started.wait(PATIENCE)
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(PATIENCE)
        loop.close()


def connect(url: str, *arguments: str | Path, stdin: str | bytes = b"", **environment: str) -> click.testing.Result:
    """A run of `sockspec connect` on the chat's document. Anything but its own way of ending is raised."""
    given = ["connect", str(CHAT), "--url", url, "--param", "room=lobby", *map(str, arguments)]
    return click.testing.CliRunner().invoke(main, given, input=stdin, env=environment, catch_exceptions=False)


class Terminal:
    """A program at a terminal: what is typed goes to it, and what it shows is read until something is there."""

    def __init__(self, *arguments: str, program: tuple[str, ...] = ("-m", "sockspec"), **environment: str) -> None:
        self.shown = ""
        self._seen = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._end, inner = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env={**ENVIRONMENT, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", **environment},
            start_new_session=True,
        )
        os.close(inner)

    def types(self, text: str) -> None:
        """Press these keys."""
        os.write(self._end, text.encode())

    def shows(self, text: str) -> None:
        """Wait until something is shown that was not there before. Fails when the program ends, or takes for ever."""
        while (found := self.shown.find(text, self._seen)) < 0:
            assert self._reads(), f"{text!r} is not shown: {self.shown[self._seen :]!r}"
        self._seen = found + len(text)

    def ends(self) -> int:
        """Wait for the end; returns the exit code."""
        while self._reads():
            pass
        os.close(self._end)
        return self.process.wait(PATIENCE)

    def _reads(self) -> bool:
        ready, _, _ = select.select([self._end], [], [], PATIENCE)
        if not ready:
            self.process.kill()
            return False
        try:
            data = os.read(self._end, 65_536)
        except OSError:  # Linux says so that nobody is at the other end any more
            return False
        self.shown += self._decoder.decode(data)
        return bool(data)
