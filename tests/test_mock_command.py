"""`sockspec mock` as a process: what it prints, what it logs, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from websockets.asyncio.client import connect

from sockspec.cli import main

CHAT = str(Path(__file__).parents[1] / "specs" / "chat.asyncapi.yaml")
SECRET = "s3cr3t-t0k3n"
LEAVE = '{"type": "leave", "timestamp": "2025-03-01T10:05:12Z"}'


@contextmanager
def started(*options: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """The command on a free port, and the first line that it prints."""
    command = [sys.executable, "-m", "sockspec", "mock", CHAT, "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().rstrip("\n")
        finally:
            process.kill()


def spoken_to(url: str) -> list[str]:
    """What a client hears that sends a message that is valid and one that is not."""

    async def speak() -> list[str]:
        async with asyncio.timeout(20), connect(url, additional_headers={"Authorization": f"Bearer {SECRET}"}) as room:
            heard = [str(await room.recv()) for _ in range(2)]
            await room.send(LEAVE)
            await room.send("nonsense")
            return [*heard, str(await room.recv())]

    return [json.loads(text)["type"] for text in asyncio.run(speak())]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_endpoints_logs_names_only_and_ends_with_0(number: signal.Signals) -> None:
    with started() as (process, line):
        assert line.startswith("ws://127.0.0.1:")
        assert line.endswith("/v1/rooms/{room}")
        assert spoken_to(line.replace("{room}", "lobby")) == ["messagePosted", "presenceChanged", "error"]
        process.send_signal(number)
        rest, log = process.communicate(timeout=20)
        assert (process.returncode, rest) == (0, "")
    events = [event.split(" ", 2)[2].removeprefix("/v1/rooms/{room} ") for event in log.splitlines()]
    assert events[:-1] == ["opened", "> MessagePosted", "> PresenceChanged", "< Leave", "> /problems/malformed-message"]
    assert events[-1].startswith("closed after ")
    assert SECRET not in log
    assert "lobby" not in log


def test_it_prints_json_and_logs_payloads_where_that_is_wanted() -> None:
    with started("--json", "--verbose", "--token", SECRET) as (process, line):
        said = json.loads(line)
        assert (said["channel"], said["headers"]) == ("room", {})
        assert said["example"].rpartition("/")[0] == said["url"].rpartition("/")[0]
        spoken_to(said["example"])
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
    assert '< Leave {"type":"leave","timestamp":"2025-03-01T10:05:12Z"}' in log
    assert SECRET not in log


def test_a_script_is_played_and_quiet_is_quiet(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text(
        "endpoints: {room: [{event: connect, do: [{send: PresenceChanged}, {send: MessagePosted}]}]}", encoding="utf-8"
    )
    with started("--quiet", "--script", str(script)) as (process, line):
        assert spoken_to(line.replace("{room}", "lobby")) == ["presenceChanged", "messagePosted", "error"]
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
    assert log == ""


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--token", "a", "--open"], 2, "exclude each other"),
        (["--token", ""], 2, "is empty"),
        (["--port", "65536"], 2, "65536"),
        (["--every", "0"], 2, "0"),
        (["--host", "0.0.0.0"], 2, "'0.0.0.0' can be reached from other machines"),
        (["--script", os.devnull + "x"], 1, "unreadable-file the file cannot be read"),
    ],
)
def test_wrong_usage_is_told(options: list[str], code: int, said: str) -> None:
    result = CliRunner().invoke(main, ["mock", CHAT, *options])
    assert (result.exit_code, said in result.output) == (code, True)


def test_a_script_with_errors_and_a_document_with_errors_end_it_with_1(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("endpoints:\n  rom: []\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["mock", CHAT, "--script", str(script)])
    assert result.exit_code == 1
    assert result.output == (
        f"{script}:2:3: error script-unknown-endpoint there is no endpoint 'rom'\n    hint: did you mean 'room'?\n"
    )
    assert CliRunner().invoke(main, ["mock", str(script)]).exit_code == 1


def test_it_listens_beyond_this_machine_where_that_is_meant() -> None:
    with started("--host", "0.0.0.0", "--insecure") as (_, line):
        assert line.startswith("ws://0.0.0.0:")
        url = line.replace("0.0.0.0", "127.0.0.1").replace("{room}", "lobby")
        assert spoken_to(url) == ["messagePosted", "presenceChanged", "error"]


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(main, ["mock", CHAT, "--port", str(port)])
    assert result.exit_code == 1
    assert result.output == f"cannot listen on 127.0.0.1 port {port}: address already in use\n"
