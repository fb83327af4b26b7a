"""The code that a page shows: it is right by the type checkers, and it talks to a server."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sockspec import docs, ir
from sockspec.cli.connect import command as connect
from sockspec.docs.page import Sample
from sockspec.docs.writing import PLAIN
from tests.npm import Node
from tests.pages import CLIENT, HERE, TEXT, chat, field, message
from tests.test_examples import PATIENCE, server
from tests.test_generated import JOBS, PACKAGES, ROOT, api

PYTHON, SYNC, BROWSER, COMMAND = range(4)


def samples(of: ir.Api, document: str, package: str) -> Iterator[tuple[Sample, ...]]:
    """The samples of each channel: Python, Python without asyncio, JavaScript, and the command."""
    for channel in docs.view(of, PLAIN, docs.Origin(document, package)).channels:
        yield channel.samples[0].several


def of_package(package: str) -> list[tuple[Sample, ...]]:
    return list(samples(api(package), JOBS[package].spec.name, package))


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every program that is shown for our packages."""
    folder = tmp_path_factory.mktemp("samples")
    for package in PACKAGES:
        for number, several in enumerate(of_package(package)):
            for kind, suffix in ((PYTHON, "py"), (SYNC, "py"), (BROWSER, "mjs")):
                (folder / f"{package}_{number}_{kind}.{suffix}").write_text(several[kind].text, encoding="utf-8")
    return folder


def test_python_is_right_by_the_type_checker(programs: Path) -> None:
    environment = {**os.environ, "MYPYPATH": os.pathsep.join(map(str, (ROOT / "generated", ROOT / "generator")))}
    checking = ("-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(programs / "cache"))
    files = sorted(path.name for path in programs.glob("*.py"))
    done = subprocess.run(
        [sys.executable, *checking, "--follow-imports=silent", *files],
        check=False,
        cwd=programs,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.stdout.splitlines()[-1], done.returncode) == (
        f"Success: no issues found in {len(files)} source files",
        0,
    )
    assert len(files) >= 2 * len(PACKAGES)


def test_javascript_is_read_by_node(programs: Path) -> None:
    for script in sorted(programs.glob("*.mjs")):
        done = subprocess.run([Node.installed().binary, "--check", script], check=False, capture_output=True, text=True)
        assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_command_line_takes_the_command(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(JOBS[package].spec.parent)
    for several in of_package(package):
        command = several[COMMAND].text.rpartition("sockspec connect ")[2].replace("\\\n", " ")
        assert connect.make_context("connect", shlex.split(command)).params["spec"] is not None


@pytest.mark.parametrize(("kind", "heard"), [(PYTHON, "History("), (SYNC, "History("), (BROWSER, "PresenceChanged")])
def test_the_programs_of_the_chat_talk_to_its_server(kind: int, heard: str) -> None:
    (several,) = of_package("chat")

    async def scenario() -> str:
        async with asyncio.timeout(PATIENCE), server.Chat().serve(port=0) as running:
            text = several[kind].text.replace("wss://chat.example.com", running.url)
            text = text.replace('token="TOKEN"', f'token="ann", url="{running.url}/v1"')
            run = (sys.executable, "-u", "-c", text)
            if kind == BROWSER:
                run = (str(Node.installed().binary), "--input-type=module", "-e", text)
            paths = os.pathsep.join(map(str, (ROOT / "generated", ROOT / "generator")))
            process = await asyncio.create_subprocess_exec(
                *run, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": paths}
            )
            assert process.stdout is not None
            said = ""
            while heard not in said and (line := await process.stdout.readline()):
                said += line.decode()
            process.kill()
            await process.wait()
            return said

    assert heard in asyncio.run(scenario())


def test_programs_are_given_what_the_document_shows_of_each_parameter() -> None:
    channel = ir.Channel(
        "feed",
        "/feeds/{id}",
        HERE,
        parameters=(ir.Parameter("id", ir.Scalar(ir.Kind.UUID), HERE),),
        query=(ir.Parameter("depth", ir.Scalar(ir.Kind.INTEGER), HERE, examples=("20",)),),
        security=((ir.Requirement("key"),),),
    )
    scheme = ir.SecurityScheme("key", "apiKey", HERE, parameter_name="k", parameter_in="query")
    server = ir.Server("eu", "wss://eu.example.com", HERE)
    of = ir.Api("Feeds", "1", HERE, servers=(server,), channels=(channel,), security_schemes=(scheme,))
    ((python, _, browser, command),) = samples(of, "feeds.yaml", "feeds")
    assert python.text == (
        "import asyncio\nfrom uuid import UUID\n\nfrom feeds import FeedClient\n\n\n"
        "async def main() -> None:\n"
        "    async with FeedClient(\n"
        '        id=UUID("00000000-0000-4000-8000-000000000000"),\n'
        "        depth=20,\n"
        '        key="KEY",\n'
        "    ) as client:\n"
        "        pass\n\n\n"
        "asyncio.run(main())\n"
    )
    assert browser.text.startswith('const url = "wss://eu.example.com/feeds/id?depth=20&k=KEY";\n')
    assert command.text == "sockspec connect feeds.yaml \\\n    --param id=ID \\\n    --param depth=20\n"


@pytest.mark.parametrize(
    ("of", "payload", "call"),
    [
        (TEXT, 'a"b\n', "client.send_a(x='a\"b\\n')"),
        (ir.Scalar(ir.Kind.DECIMAL), "1.5", 'client.send_a(x=Decimal("1.5"))'),
        (ir.Scalar(ir.Kind.DATE), "2025-03-01", 'client.send_a(x=dt.date.fromisoformat("2025-03-01"))'),
        (ir.Array(ir.Nullable(ir.Scalar(ir.Kind.BOOLEAN))), [True, None], "client.send_a(x=[True, None])"),
        (ir.Map(ir.Anything()), {"a": [1, {"b": None}]}, 'client.send_a(x={"a": [1, {"b": None}]})'),
        (ir.Union((ir.Scalar(ir.Kind.INTEGER), TEXT)), "t", 'client.send_a(x="t")'),
        (ir.Ref("Color"), "red", "client.send_a(x=messages.Color.RED)"),
        (ir.Ref("Point"), {"the-x": 1}, "client.send_a(x=messages.Point(the_x=1))"),
        (ir.Scalar(ir.Kind.BYTES), "aGk=", None),
        (ir.Ref("Color"), "green", None),
        (TEXT, "x" * 100, None),
    ],
)
def test_a_payload_is_written_as_a_call_where_that_can_be_read(of: ir.Type, payload: object, call: str | None) -> None:
    color = ir.Enumeration("Color", ("red", "blue"), HERE)
    point = ir.Record("Point", (field("the-x", ir.Scalar(ir.Kind.INTEGER), required=True),), HERE)
    one = replace(message("A", field("x", of, required=True)), examples=(ir.Example({"x": payload}, HERE),))
    ((python, *_),) = samples(chat(one, definitions=(color, point)), "chat.yaml", "chat")
    found = re.search(r"await (.*)", python.text)
    assert (found[1] if found else None) == call


def test_what_is_a_request_is_printed_with_its_reply() -> None:
    ask = replace(message("Ask"), examples=(ir.Example({}, HERE),))
    operation = ir.Operation("ask", CLIENT, "chat", ("Ask",), HERE, reply=ir.Reply(("Answer",), HERE))
    of = replace(chat(ask, message("Answer")), operations=(operation,))
    ((_, waiting, *_),) = samples(of, "chat.yaml", "chat")
    assert waiting.text == (
        "from chat import SyncChatClient\n\n"
        'with SyncChatClient(url="ws://127.0.0.1:8765") as client:\n'
        "    reply = client.ask()\n"
        "    print(reply)\n"
        "    for message in client:\n"
        "        print(message)\n"
    )
