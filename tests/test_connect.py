"""`sockspec connect` in pipes: what it sends and prints, when it stops, how it ends, what it records and replays."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from sockspec.console import record
from tests.connecting import CHAT, ENVIRONMENT, chat_server, connect, serving

JOIN = 'Join {"data": {"nickname": "ann"}}'
SAY = 'SendMessage {"data": {"text": "hello"}}'
BOUND = ("--for", "20")
TOKEN = "s3cret-token-of-ann"
AT = '"timestamp": "2025-03-01T10:05:12Z"'
POSTED = json.dumps(
    {
        "type": "messagePosted",
        "timestamp": "2025-03-01T10:05:12Z",
        "data": {
            "id": "b7d1f0c4-9e35-4c8e-8f43-5d2a60e7c911",
            "room": "lobby",
            "author": "bob",
            "text": "hi",
            "postedAt": "2025-03-01T10:05:12Z",
        },
    }
)
ONLINE = f'{{"type": "presenceChanged", {AT}, "data": {{"nickname": "bob", "presence": "online"}}}}'


@pytest.fixture(scope="module")
def chat() -> Generator[str]:
    """The URL of the example's server."""
    with chat_server() as url:
        yield url


def received(text: str) -> list[dict[str, object]]:
    """What was printed."""
    return [json.loads(line) for line in text.splitlines()]


def names(text: str) -> list[object]:
    return [line["message"] for line in received(text)]


async def posts_twice(connection: ServerConnection) -> None:
    await connection.send(ONLINE)
    await connection.send(POSTED)
    await connection.wait_closed()


async def silent(connection: ServerConnection) -> None:
    await connection.wait_closed()


# --- sending and printing ---------------------------------------------------------------------------------------------


def test_a_program_in_a_pipe_sends_lines_and_prints_what_comes(chat: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sockspec", "connect", str(CHAT), "--url", chat, "--param", "room=pipe"],
        input=f'{JOIN}\n\n{{"type": "sendMessage", {AT}, "data": {{"text": "hi", "replyTo": null}}}}\n{SAY}\n',
        env={**ENVIRONMENT, "SOCKSPEC_TOKEN": "ann"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert names(done.stdout) == ["PresenceChanged", "MessagePosted"]
    assert done.stderr == (
        "standard input:3 is not sent: the payload is not a valid SendMessage message; /data/replyTo: expected string\n"
    )
    assert done.returncode == 1
    posted = received(done.stdout)[1]
    assert list(posted) == ["time", "message", "payload"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(posted["time"]))
    payload = posted["payload"]
    assert isinstance(payload, dict)
    assert (payload["data"]["author"], payload["data"]["text"]) == ("ann", "hello")


def test_what_is_typed_without_a_name_is_sent_as_it_is(tmp_path: Path) -> None:
    got: list[str | bytes] = []

    async def takes(connection: ServerConnection) -> None:
        async for frame in connection:
            got.append(frame)
            await connection.send(ONLINE)

    line = f'{{"type":   "leave", {AT}, "beside": [1.0]}}'
    file = tmp_path / "lines"
    file.write_bytes(f"{line}\r\nLeave {{{AT}}}\nleave".encode())
    with serving(takes) as url:
        result = connect(url, "--send", file, *BOUND, "--count", "3")
    assert (result.exit_code, result.stderr) == (0, "")
    assert got[0] == line
    assert json.loads(got[1]) == {"type": "leave", "timestamp": "2025-03-01T10:05:12Z"}
    assert sorted(json.loads(got[2])) == ["timestamp", "type"]


def test_a_request_gets_an_id_and_its_reply_is_printed(chat: str) -> None:
    result = connect(chat, "--token", "ann", *BOUND, "--until", "History", stdin=f'{JOIN}\nGetHistory {{"data": {{}}}}')
    assert result.exit_code == 0
    assert names(result.stdout) == ["PresenceChanged", "History"]
    assert re.search(r'"id": "[0-9a-f]{32}"', result.stdout)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Jion {}", "standard input:1 is not sent: there is no message 'Jion' here; did you mean 'Join'?"),
        (
            "Join {}",
            (
                "standard input:1 is not sent: the payload is not a valid Join message; "
                "the whole payload: the property 'data' is missing"
            ),
        ),
        ("History {}", "standard input:1 is not sent: there is no message 'History' here; did you mean 'GetHistory'?"),
        (f'Join {{"type": "leave", {AT}}}', "standard input:1 is not sent: the payload is a Leave message, not a Join"),
        ("{", "standard input:1 is not sent: not JSON:"),
        (b"\xff{}", "standard input:1 is not sent: not UTF-8 at character 0"),
    ],
)
def test_what_cannot_be_sent_is_said_with_its_line_and_nothing_is_sent(line: str | bytes, said: str) -> None:
    got: list[str | bytes] = []

    async def takes(connection: ServerConnection) -> None:
        got.extend([frame async for frame in connection])

    with serving(takes) as url:
        result = connect(url, "--wait", "0", stdin=line)
    assert result.exit_code == 1
    assert result.stderr.startswith(said)
    assert (result.stdout, got) == ("", [])


# --- what is received -------------------------------------------------------------------------------------------------


def test_a_problem_that_the_server_tells_is_a_failure(chat: str) -> None:
    result = connect(chat, "--token", "ann", *BOUND, "--count", "1", stdin=SAY)
    assert names(result.stdout) == ["Error"]
    assert result.stderr == "the server tells a problem, /problems/forbidden: join the room first\n"
    assert result.exit_code == 1


def test_what_is_invalid_is_printed_with_what_is_wrong() -> None:
    async def invalid(connection: ServerConnection) -> None:
        await connection.send(ONLINE.replace("online", "asleep"))
        await connection.send('{"type": "newer"}')
        await connection.send(b"\x00\xff")
        await connection.wait_closed()

    with serving(invalid) as url:
        result = connect(url, *BOUND, "--count", "3")
    first, second, third = received(result.stdout)
    assert (first["message"], second["message"], third["message"]) == ("PresenceChanged", None, None)
    problem = first["problem"]
    assert isinstance(problem, dict)
    assert [error["pointer"] for error in problem["errors"]] == ["/data/presence"]
    assert (second["payload"], third["payload"], third["encoding"]) == ({"type": "newer"}, "AP8=", "base64")
    assert result.stderr.count("received what is invalid: ") == 3
    assert result.exit_code == 1


# --- when it stops ----------------------------------------------------------------------------------------------------


def test_it_stops_when_so_many_messages_came_or_a_certain_one() -> None:
    with serving(posts_twice) as url:
        assert names(connect(url, *BOUND, "--count", "1").stdout) == ["PresenceChanged"]
        assert names(connect(url, *BOUND, "--until", "MessagePosted").stdout) == ["PresenceChanged", "MessagePosted"]
        assert names(connect(url, "--wait", "0.3").stdout) == ["PresenceChanged", "MessagePosted"]


def test_it_stops_after_a_time_and_says_what_did_not_come() -> None:
    with serving(posts_twice) as url:
        result = connect(url, "--for", "0.5", "--count", "3")
        assert result.stderr == "3 messages did not come: 2 messages came\n"
        assert result.exit_code == 1
        result = connect(url, "--for", "0.5")
        assert (result.exit_code, result.stderr) == (0, "")


def test_it_stops_after_a_time_also_while_a_pipe_is_silent() -> None:
    command = [sys.executable, "-m", "sockspec", "connect", str(CHAT), "--param", "room=lobby", "--for", "0.2"]
    with serving(silent) as url:
        with subprocess.Popen(
            [*command, "--url", url], stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
        ) as process:
            assert process.stderr is not None
            assert (process.wait(30), process.stderr.read()) == (0, b"")


# --- exit codes -------------------------------------------------------------------------------------------------------


def test_a_server_that_says_goodbye_is_no_failure_and_one_that_goes_is() -> None:
    async def leaves(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.close(1000)

    async def breaks(connection: ServerConnection) -> None:
        await connection.send(ONLINE)
        await connection.close(4001, "worn out\x1b[2J")

    with serving(leaves) as url:
        assert connect(url, stdin="Leave").exit_code == 0
        result = connect(url, *BOUND, "--until", "History", stdin="Leave")
        assert (result.exit_code, result.stderr) == (1, "a message 'History' did not come: 0 messages came\n")
    with serving(breaks) as url:
        result = connect(url, "--for", "20")
    assert names(result.stdout) == ["PresenceChanged"]
    assert (result.exit_code, result.stderr) == (1, "the connection was lost with code 4001: worn out [2J\n")


def test_where_nobody_is_or_nobody_lets_in_there_is_no_connection(chat: str, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        result = connect(f"ws://127.0.0.1:{closed.getsockname()[1]}")
        assert result.exit_code == 3
        assert result.stderr.startswith("could not connect: ")
    result = connect(chat)
    assert result.exit_code == 3
    assert result.stderr.startswith("could not connect: the handshake was refused with HTTP status 401")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--param", "rom=x"], "there is no parameter 'rom'; did you mean 'room'?"),
        (["--param", "room"], "expected NAME=VALUE"),
        (["--header", "x"], "expected NAME:VALUE"),
        (["--header", "x: \x07"], "the value of the header 'x' has characters that a header cannot have"),
        (["--variable", "port=1"], "there is no variable of the server's URL 'port'; there is none"),
        (["--until", "Histori"], "there is no message 'Histori' here; did you mean 'History'?"),
        (["--channel", "hall"], "there is no channel 'hall'; there are: room."),
        (["--token", "a", "--token-file", "b"], "give --token or --token-file, not both"),
        (["--token-file", "none"], "none: No such file or directory"),
        (["--send", "none"], "none: No such file or directory"),
        (["--record", "none/record"], "none/record: No such file or directory"),
        (["--replay", "none"], "none: No such file or directory"),
        (["--replay", "x", "--count", "1"], "a record says itself what is sent"),
        (["--replay", "x", "--record", "./x"], "--record would write over what --replay reads"),
        (["--url", "http://x"], "expected a URL that starts with ws:// or wss://"),
        (["--url", "ws://example.com", "--token", TOKEN], "refusing to send a token to 'example.com' in clear text"),
    ],
)
def test_wrong_usage_is_said(arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = connect("ws://127.0.0.1:1", *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert TOKEN not in result.stderr
    assert list(tmp_path.iterdir()) == []


# --- records ----------------------------------------------------------------------------------------------------------


def test_a_record_has_every_frame_both_ways_and_how_it_ended(chat: str, tmp_path: Path) -> None:
    file = tmp_path / "record"
    assert (
        connect(chat, "--token", "ann", *BOUND, "--count", "2", "--record", file, stdin=f"{JOIN}\n{SAY}").exit_code == 0
    )
    head, opened, *frames, closed = received(file.read_text())
    assert (head["sockspec-record"], head["channel"]) == (1, "room")
    assert opened == {"at": opened["at"], "open": True}
    assert closed == {"at": closed["at"], "close": 1000, "reason": ""}
    by_side = {side: [frame["message"] for frame in frames if frame["from"] == side] for side in ("client", "server")}
    assert by_side == {"client": ["Join", "SendMessage"], "server": ["PresenceChanged", "MessagePosted"]}
    assert [list(frame) for frame in frames] == [["at", "from", "message", "payload"]] * 4
    assert [json.loads(str(f["payload"]))["type"] for f in frames if f["from"] == "client"] == ["join", "sendMessage"]
    times = [float(str(entry["at"])) for entry in (opened, *frames, closed)]
    assert times == sorted(times)
    assert file.stat().st_mode & 0o077 == 0


def test_a_replay_says_that_the_same_came_and_what_differs(chat: str, tmp_path: Path) -> None:
    file = tmp_path / "record"
    connect(chat, "--token", "ann", *BOUND, "--count", "2", "--record", file, stdin=f"{JOIN}\n{SAY}")
    again = connect(chat, "--token", "ann", "--replay", file, "--speed", "0", "--wait", "0.5")
    assert (again.exit_code, again.stderr) == (0, "what came is what the record has, 2 messages\n")
    assert names(again.stdout) == ["PresenceChanged", "MessagePosted"]
    without = tmp_path / "without"
    without.write_text("".join(line for line in file.read_text().splitlines(True) if "Join" not in line))
    other = connect(chat, "--token", "ann", "--replay", without, "--speed", "100", "--wait", "0.5")
    assert other.exit_code == 1
    assert other.stderr.splitlines()[1:] == [
        "what came differs from the record:",
        "  PresenceChanged: 1 in the record, 0 now",
        "  MessagePosted: 1 in the record, 0 now",
        "  Error: 0 in the record, 1 now",
    ]


def test_a_replay_keeps_to_the_times_of_the_record_and_sends_the_same_bytes(tmp_path: Path) -> None:
    got: list[str | bytes] = []

    async def echoes(connection: ServerConnection) -> None:
        async for frame in connection:
            got.append(frame)
            await connection.send(POSTED)

    payload = f'{{ "type": "leave",  {AT} }}'
    entries: list[dict[str, object]] = [
        {"sockspec-record": 1},
        {"at": 5.0, "open": True},
        {"at": 5.0, "from": "client", "message": "Leave", "payload": payload},
        {"at": 5.1, "from": "server", "message": "MessagePosted", "payload": POSTED},
        {"at": 9.0, "from": "client", "message": "Leave", "payload": payload},
        {"at": 9.1, "from": "server", "message": "MessagePosted", "payload": POSTED},
    ]
    file, new = tmp_path / "record", tmp_path / "new"
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    with serving(echoes) as url:
        result = connect(url, "--replay", file, "--speed", "8", "--wait", "0.2", "--record", new)
    assert (result.exit_code, result.stderr) == (0, "what came is what the record has, 2 messages\n")
    assert got == [payload, payload]
    first, second = (entry.at for entry in record.read(new).entries if entry.sender == "client")
    assert second - first >= 0.45


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a record of sockspec connect, not an empty file"),
        ("{}", ":1: expected a record of sockspec connect, which begins with"),
        ('{"sockspec-record": 2}', ":1: expected a record of sockspec connect"),
        ('{"sockspec-record": 1}\n[]', ":2: expected an object"),
        ('{"sockspec-record": 1}\n{"at": -1}', ":2: expected seconds in 'at'"),
        ('{"sockspec-record": 1}\n{"at": 1}', ":2: expected 'from', 'open' or 'close'"),
        ('{"sockspec-record": 1}\n{"at": 1, "from": "me"}', ":2: expected 'from' (client or server)"),
        (
            '{"sockspec-record": 1}\n{"at": 1, "from": "client", "message": null, "payload": "?", "encoding": "base64"}',
            ":2: expected base64",
        ),
        ('{"sockspec-record": 1}\n{"at": ', ":2: not JSON: "),
    ],
)
def test_a_record_that_is_none_is_refused_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "record"
    file.write_text(text)
    with pytest.raises(ValueError, match=re.escape(said)):
        record.read(file)


# --- credentials ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["option", "environment", "file", "header"])
def test_no_token_is_shown_recorded_or_logged(way: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    got: list[str] = []

    async def talks_back(connection: ServerConnection) -> None:
        assert connection.request is not None
        authorization = connection.request.headers["Authorization"]
        got.append(authorization)
        await connection.send(json.dumps({"type": "error", "error": {"message": f"who is {authorization}?"}}))
        await connection.close(4000, f"not {authorization}")

    (tmp_path / "token").write_text(f"{TOKEN}\n")
    options: dict[str, list[str]] = {
        "option": ["--token", TOKEN],
        "environment": [],
        "file": ["--token-file", str(tmp_path / "token")],
        "header": ["--header", f"Authorization: Bearer {TOKEN}"],
    }
    caplog.set_level(logging.DEBUG)
    with serving(talks_back) as url:
        result = connect(
            url,
            "--for",
            "20",
            "--record",
            tmp_path / "record",
            *options[way],
            **({"SOCKSPEC_TOKEN": TOKEN} if way == "environment" else {}),
        )
    assert got == [f"Bearer {TOKEN}"]
    assert result.exit_code == 1
    recorded = (tmp_path / "record").read_text()
    # The server of this test logs its own headers to debug; what counts is what the client logs.
    logged = "".join(entry.getMessage() for entry in caplog.records if entry.name != "websockets.server")
    for text in (result.stdout, result.stderr, recorded, logged):
        assert TOKEN not in text
    for text in (result.stdout, result.stderr, recorded):
        assert "[token]" in text


def test_the_help_says_who_can_see_a_token_and_what_the_exit_codes_mean() -> None:
    result = connect("ws://x", "--help")
    words = " ".join(result.stdout.split())
    assert "Other users of this machine can see it here: better put it into SOCKSPEC_TOKEN, or into a file." in words
    assert "3 could not connect" in words
    assert os.environ.get("SOCKSPEC_TOKEN") is None
