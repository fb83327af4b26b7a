"""`make demo`: from a document to two people who chat, in one go, with the time that each step took.

Everything happens on this machine. The folder with the generated package stays, so that you can look at it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from websockets.asyncio.client import connect

from sockspec.runtime import PayloadError, Problem, State

ROOT = Path(__file__).resolve().parents[1]
SPEC = ROOT / "specs" / "chat.asyncapi.yaml"
PATIENCE = 20.0
"""Seconds for anything that has to happen."""


@contextmanager
def step(title: str) -> Generator[None]:
    """Print what is about to happen, and how long it took."""
    print(f"\n== {title}", flush=True)
    begin = time.perf_counter()
    yield
    print(f"   ({time.perf_counter() - begin:.2f} s)", flush=True)


def say(who: str, what: str) -> None:
    """A line of the transcript."""
    print(f"   {who:8} {what}", flush=True)


def generate(folder: Path, *, quiet: bool = False) -> None:
    """Write the package of the document, and say what is in it."""
    command = [sys.executable, "-m", "sockspec", "generate", str(SPEC), "-o", str(folder), "--package", "chat"]
    subprocess.run(command, check=True, timeout=PATIENCE, stderr=subprocess.DEVNULL)
    if quiet:
        return
    for path in sorted(path for path in (folder / "chat").rglob("*") if path.is_file()):
        say(f"{len(path.read_text(encoding='utf-8').splitlines())} lines", str(path))


def serve(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """Start the example's server on a free port; the process and its URL."""
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "examples" / "chat" / "server.py"), "--port", "0"],
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    if not url:
        raise SystemExit("the server did not start")
    say("server", f"listens at {url}")
    return server, url


class Person:
    """Somebody in the room, and what they have heard."""

    def __init__(self, name: str, url: str) -> None:
        from chat import RoomClient, messages  # generated a moment ago

        self.name = name
        self.room = RoomClient(room="lobby", url=f"{url}/v1", token=name)
        self.told: asyncio.Queue[Problem] = asyncio.Queue()
        self.cut_off = asyncio.Event()
        self._heard: asyncio.Queue[str] = asyncio.Queue()
        self.room.on(messages.MessagePosted, lambda m: self._heard.put_nowait(f"{m.data.author}: {m.data.text}"))
        self.room.on(
            messages.PresenceChanged, lambda m: self._heard.put_nowait(f"{m.data.nickname} is {m.data.presence}")
        )
        self.room.on_problem(self.told.put_nowait)
        self.room.on_state(lambda state: self.cut_off.set() if state is State.WAITING else None)

    async def hears(self, *expected: str) -> None:
        """Wait until these texts or names have been heard, one after the other."""
        for words in expected:
            heard = await self._heard.get()
            say(self.name, f"<- {heard}")
            if words not in heard:
                raise SystemExit(f"{self.name} was to hear of {words!r}")


async def converse(ann: Person, bob: Person) -> None:
    """Join, talk, and ask for what was said."""
    from chat import messages

    for person, others in ((ann, ()), (bob, (ann,))):
        say(person.name, f"-> joins as {person.name}")
        await person.room.send_join(data=messages.JoinData(nickname=person.name))
        for hearer in (person, *others):
            await hearer.hears(person.name)
    for person, text in ((ann, "Hello, Bob!"), (bob, "Hello, Ann. How typed you are today.")):
        say(person.name, f"-> {text}")
        await person.room.send_message(data=messages.SendMessageData(text=text))
        await ann.hears(text)
        await bob.hears(text)
    say("bob", "-> asks for the history")
    page = await bob.room.get_history(data=messages.GetHistoryData(limit=10))
    say("bob", f"<- {[said.text for said in page.data.messages]}, more: {page.data.has_more}")


async def send_something_invalid(ann: Person, url: str) -> None:
    """What the typed client refuses to send, and what the server says to those who send it all the same."""
    from chat import messages

    try:
        await ann.room.send_message(data=messages.SendMessageData(text=""))
    except PayloadError as refused:
        say("ann", f"is not let send it: {refused.problem.errors[0].pointer} {refused.problem.errors[0].message}")
    else:
        raise SystemExit("an invalid message was sent")
    frame = json.dumps({"type": "sendMessage", "timestamp": "2024-07-29T12:34:56Z", "data": {"text": ""}})
    headers = {"Authorization": "Bearer mallory"}
    async with connect(f"{url}/v1/rooms/lobby", additional_headers=headers) as raw:
        say("mallory", f"-> {frame}")
        await raw.send(frame)
        answer = await raw.recv()
        say("mallory", f"<- {answer!s}")
    if json.loads(answer)["error"]["type"] != "/problems/validation-error":
        raise SystemExit("the server was to report a validation error")


async def stop(server: subprocess.Popen[str], people: tuple[Person, ...]) -> None:
    """Stop the server as an operator would, and see everybody told."""
    server.send_signal(signal.SIGTERM)
    for person in people:
        problem = await person.told.get()
        await person.cut_off.wait()
        ending = person.room.ending
        say(person.name, f"<- {problem.type}: {problem.message}, retry after {problem.retry_after} s")
        say(person.name, f"   closed with {ending.code if ending else None}, will come back")
        if ending is None or ending.code != 1012:
            raise SystemExit("the close code was to be 1012")
    code = await asyncio.to_thread(server.wait, PATIENCE)
    say("server", f"exit code {code}")
    if code != 0:
        raise SystemExit("the exit code was to be 0")


async def play(server: subprocess.Popen[str], url: str) -> None:
    """The whole conversation."""
    ann, bob = Person("ann", url), Person("bob", url)
    async with asyncio.timeout(PATIENCE), ann.room, bob.room:
        with step("Two clients join a room, talk, and ask for the history"):
            await converse(ann, bob)
        with step("One of them sends an invalid message"):
            await send_something_invalid(ann, url)
        with step("The server is stopped with SIGTERM"):
            await stop(server, (ann, bob))


def main() -> None:
    """Generate, serve, chat, stop."""
    logging.getLogger("sockspec").addHandler(logging.NullHandler())
    folder = Path(tempfile.mkdtemp(prefix="sockspec-demo-"))
    with step(f"Generate the package of {SPEC.relative_to(ROOT)}"):
        generate(folder)
    sys.path.insert(0, str(folder))
    with step("Start the server of examples/chat"):
        server, url = serve(folder)
    try:
        asyncio.run(play(server, url))
    finally:
        server.kill()
        server.wait()
    print(f"\nThe documentation of this API: {(folder / 'chat' / 'docs' / 'index.html').as_uri()}")


if __name__ == "__main__":
    main()
