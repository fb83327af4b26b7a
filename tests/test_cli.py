"""The command line: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import click.testing
import pytest

from sockspec.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]

POLL = """\
asyncapi: 3.0.0
info: {title: Poll, version: 1.0.0}
channels:
  room:
    address: /room
    messages:
      Say: {$ref: '#/components/messages/Say'}
      Vote: {$ref: '#/components/messages/Vote'}
      Tally: {$ref: '#/components/messages/Tally'}
operations:
  talk:
    action: receive
    channel: {$ref: '#/channels/room'}
    messages:
      - {$ref: '#/channels/room/messages/Say'}
      - {$ref: '#/channels/room/messages/Vote'}
  told:
    action: send
    channel: {$ref: '#/channels/room'}
    messages: [{$ref: '#/channels/room/messages/Tally'}]
components:
  messages:
    Say:
      payload:
        type: object
        required: [type, times]
        properties: {type: {const: say}, times: {type: integer}}
    Vote:
      payload:
        type: object
        required: [type, choices]
        properties: {type: {const: vote}, choices: {type: array, items: {type: string}, uniqueItems: true}}
    Tally:
      payload:
        type: object
        required: [type]
        properties: {type: {const: tally}}
"""
"""A message for each lane: `Say` is typed, `Vote` is checked, and `Say` with 1.0 times is the judge's."""

TWO_ROOMS = """\
asyncapi: 3.0.0
info: {title: Two rooms, version: 1.0.0}
channels:
  hall: {address: /hall, messages: {Hi: {payload: {type: object, properties: {hi: {type: string}}}}}}
  cellar: {address: /cellar, messages: {Ho: {payload: {type: object, properties: {ho: {type: integer}}}}}}
operations:
  hi: {action: receive, channel: {$ref: '#/channels/hall'}}
  ho: {action: receive, channel: {$ref: '#/channels/cellar'}}
"""

WRONG = """\
asyncapi: 3.0.0
info: {title: Wrong, version: 1.0.0}
channels:
  room:
    address: /room
    messages: {Hi: {$ref: '#/components/messages/Nobody'}}
operations:
  hi: {action: receive, channel: {$ref: '#/channels/room'}}
"""

SAY = '{"type": "say", "times": 1}'


def sockspec(*arguments: str | Path, stdin: str | bytes = b"") -> click.testing.Result:
    """A run of the program. Anything but its own way of ending is raised."""
    return click.testing.CliRunner().invoke(main, [str(a) for a in arguments], input=stdin, catch_exceptions=False)


def files(folder: Path) -> dict[str, str]:
    """Every file below a folder and its text."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in found}


def verdicts(result: click.testing.Result) -> list[dict[str, object]]:
    """What `decode` printed."""
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def poll(tmp_path: Path) -> Path:
    """A document that is in order."""
    return written(tmp_path / "poll.yaml", POLL)


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def project(folder: Path, *packages: str) -> None:
    """A `pyproject.toml` with these tables."""
    tables = "".join(f"[[tool.sockspec.package]]\n{package}\n" for package in packages)
    written(folder / "pyproject.toml", tables)


# --- help -------------------------------------------------------------------------------------------------------------


def test_help_lists_the_commands_and_how_to_begin() -> None:
    result = sockspec("--help")
    assert result.exit_code == 0
    assert [word in result.stdout for word in ("generate", "validate", "decode", "ir", "Begin with")] == [True] * 5


@pytest.mark.parametrize("name", list(COMMANDS))
def test_each_command_has_help(name: str) -> None:
    result = sockspec(name, "--help")
    assert (result.exit_code, result.stdout.startswith(f"Usage: main {name} ")) == (0, True)


def test_an_unknown_command_is_wrong_usage() -> None:
    assert sockspec("generat").exit_code == 2


def test_the_program_is_a_module_too() -> None:
    done = subprocess.run([sys.executable, "-m", "sockspec", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("sockspec, version ")


# --- generate ---------------------------------------------------------------------------------------------------------


def test_generate_writes_a_folder_named_after_the_file(poll: Path, tmp_path: Path) -> None:
    result = sockspec("generate", poll, "-o", tmp_path / "out")
    assert result.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["poll"]
    modules = {"__init__.py", "client.py", "codecs.py", "messages.py", "server.py", "py.typed", "schemas.json"}
    assert modules <= set(files(tmp_path / "out" / "poll"))
    assert "poll.yaml" in (tmp_path / "out" / "poll" / "messages.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("My-Chat.asyncapi.yaml", "my_chat"),
        ("2024.yaml", "api_2024"),
        ("class.yaml", "api_class"),
        ("Menü.yaml", "menu"),
        ("名前.yaml", "api"),
        ("asyncapi.yaml", "poll"),
    ],
)
def test_a_package_has_a_name_that_can_be_imported(file: str, name: str, tmp_path: Path) -> None:
    assert sockspec("generate", written(tmp_path / file, POLL), "-o", tmp_path / "out").exit_code == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


def test_the_package_is_named_by_the_option(poll: Path, tmp_path: Path) -> None:
    assert sockspec("generate", poll, "-o", tmp_path / "out", "--package", "votes").exit_code == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["votes"]


@pytest.mark.parametrize("name", ["", "class", "1st", "a-b", "a.b", "../up", "a/b", "None", "a b"])
def test_a_name_that_is_no_identifier_is_wrong_usage(name: str, poll: Path, tmp_path: Path) -> None:
    result = sockspec("generate", poll, "-o", tmp_path / "out", "--package", name)
    assert (result.exit_code, (tmp_path / "out").exists()) == (2, False)
    assert f"the package name {name!r} is not an identifier" in result.stderr


def test_generate_wants_an_output(poll: Path) -> None:
    result = sockspec("generate", poll)
    assert (result.exit_code, "say with -o" in result.stderr) == (2, True)


def test_nothing_is_written_for_a_document_with_errors(tmp_path: Path) -> None:
    spec = written(tmp_path / "wrong.yaml", WRONG)
    result = sockspec("generate", spec, "-o", tmp_path / "out")
    assert (result.exit_code, (tmp_path / "out").exists()) == (1, False)
    assert f"{spec}:6:27: error dangling-reference " in result.stderr


def test_a_document_that_is_not_there_has_an_error(tmp_path: Path) -> None:
    result = sockspec("generate", tmp_path / "none.yaml", "-o", tmp_path / "out")
    assert (result.exit_code, result.stderr.startswith(f"{tmp_path / 'none.yaml'}: error ")) == (1, True)


def test_a_place_that_cannot_be_written_is_an_error(poll: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    written(tmp_path / "out" / "poll", "a file, not a folder")
    result = sockspec("generate", poll, "-o", tmp_path / "out")
    assert (result.exit_code, result.stderr.splitlines()[-1].startswith("Error: ")) == (1, True)


def test_check_is_silent_when_the_package_is_current(poll: Path, tmp_path: Path) -> None:
    sockspec("generate", poll, "-o", tmp_path)
    before = files(tmp_path / "poll")
    result = sockspec("generate", poll, "-o", tmp_path, "--check")
    assert (result.exit_code, result.stdout, files(tmp_path / "poll")) == (0, "", before)


def test_check_prints_a_unified_diff_when_the_package_is_stale(poll: Path, tmp_path: Path) -> None:
    sockspec("generate", poll, "-o", tmp_path)
    messages = tmp_path / "poll" / "messages.py"
    stale = messages.read_text(encoding="utf-8").replace("times: int", "times: str")
    written(messages, stale)
    result = sockspec("generate", poll, "-o", tmp_path, "--check")
    assert result.exit_code == 1
    assert result.stdout.startswith(f"--- {messages}\n+++ {messages}\n@@ ")
    assert "\n-    times: str\n+    times: int\n" in result.stdout
    assert messages.read_text(encoding="utf-8") == stale


def test_check_of_a_package_that_is_not_there_shows_all_of_it(poll: Path, tmp_path: Path) -> None:
    result = sockspec("generate", poll, "-o", tmp_path, "--check")
    assert (result.exit_code, (tmp_path / "poll").exists()) == (1, False)
    assert f"--- /dev/null\n+++ {tmp_path / 'poll' / 'messages.py'}\n" in result.stdout
    assert f"--- /dev/null\n+++ {tmp_path / 'poll' / 'py.typed'}\n" not in result.stdout


def test_check_reads_files_that_are_not_text(poll: Path, tmp_path: Path) -> None:
    sockspec("generate", poll, "-o", tmp_path)
    (tmp_path / "poll" / "client.py").write_bytes(b"\xff\x00")
    assert sockspec("generate", poll, "-o", tmp_path, "--check").exit_code == 1


def test_files_that_we_no_longer_write_are_removed_and_foreign_ones_stay(poll: Path, tmp_path: Path) -> None:
    sockspec("generate", poll, "-o", tmp_path)
    package = tmp_path / "poll"
    current = files(package)
    ours = (package / "messages.py").read_text(encoding="utf-8")
    written(package / "old.py", ours)
    written(package / "mine.py", "mine = 1\n")
    (package / "below").mkdir()
    written(package / "below" / "messages.py", ours)
    stale = sockspec("generate", poll, "-o", tmp_path, "--check")
    assert (stale.exit_code, f"--- {package / 'old.py'}\n+++ /dev/null\n" in stale.stdout) == (1, True)
    assert sockspec("generate", poll, "-o", tmp_path).exit_code == 0
    assert files(package) == {**current, "mine.py": "mine = 1\n", "below/messages.py": ours}


def test_a_project_lists_its_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "poll.yaml", POLL)
    written(tmp_path / "rooms.yaml", TWO_ROOMS)
    project(
        tmp_path,
        'spec = "poll.yaml"\noutput = "out"\npackage = "votes"',
        'spec = "rooms.yaml"\noutput = "out"\nperspective = "server"',
    )
    monkeypatch.chdir(tmp_path)
    assert sockspec("generate", "--check").exit_code == 1
    assert sockspec("generate").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["rooms", "votes"]
    assert sockspec("generate", "--check").exit_code == 0


def test_one_wrong_document_keeps_all_from_being_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "poll.yaml", POLL)
    written(tmp_path / "wrong.yaml", WRONG)
    project(tmp_path, *(f'spec = "{name}.yaml"\noutput = "out"' for name in ("poll", "wrong")))
    monkeypatch.chdir(tmp_path)
    assert (sockspec("generate").exit_code, (tmp_path / "out").exists()) == (1, False)


def test_two_documents_do_not_make_one_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "poll.yaml", POLL)
    project(tmp_path, *['spec = "poll.yaml"\noutput = "out"'] * 2)
    monkeypatch.chdir(tmp_path)
    result = sockspec("generate")
    assert (result.exit_code, (tmp_path / "out").exists()) == (2, False)
    assert "two documents make the same package" in result.stderr


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "lists no documents"),
        ("tool = 1", "lists no documents"),
        ("[tool]\nsockspec = 1", "lists no documents"),
        ("[tool.sockspec]\npackage = []", "lists no documents"),
        ("[tool.sockspec]\npackage = [1]", "a table of texts"),
        ("[[tool.sockspec.package]]\nspec = 1", "a table of texts"),
        ('[[tool.sockspec.package]]\nspec = "a"', "names its 'spec' and its 'output'"),
        ('[[tool.sockspec.package]]\nspec = "a"\noutput = "b"\nout = "c"', "unknown key 'out'"),
        ('[[tool.sockspec.package]]\nspec = "a"\noutput = "b"\nperspective = "c"', "'server' or 'client', not 'c'"),
        ('[[tool.sockspec.package]]\nspec = "a"\noutput = "b"\npackage = "c-d"', "the package name 'c-d'"),
        ('[[tool.sockspec.package]]\nspec = "a"\noutput = "b"\ntemplates = "none"', "which 'templates' names"),
        ('[[tool.sockspec.package]]\nspec = "a"\noutput = "b"\nmessages = "host=A"', "'host=A' is not client=SCHEMA"),
        ("[tool", "is not TOML"),
    ],
)
def test_a_project_that_lists_wrongly_is_wrong_usage(
    text: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "pyproject.toml", text)
    monkeypatch.chdir(tmp_path)
    result = sockspec("generate")
    assert (result.exit_code, complaint in " ".join(result.stderr.split())) == (2, True)


def test_without_a_project_generate_wants_a_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = sockspec("generate")
    assert (result.exit_code, "give SPEC" in result.stderr) == (2, True)


def test_an_output_without_a_document_is_wrong_usage(tmp_path: Path) -> None:
    assert sockspec("generate", "-o", tmp_path).exit_code == 2


# --- validate ---------------------------------------------------------------------------------------------------------


def test_validate_says_that_a_document_is_valid(poll: Path) -> None:
    result = sockspec("validate", poll)
    assert (result.exit_code, result.stdout.splitlines()[-1], result.stderr) == (0, "nothing found in 1 file", "")


def test_validate_shows_each_finding_with_its_place(poll: Path, tmp_path: Path) -> None:
    wrong = written(tmp_path / "wrong.yaml", WRONG)
    result = sockspec("validate", wrong, poll)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, "1 error in 2 files")
    assert f"{wrong}:6:27: error dangling-reference " in result.stdout


def test_quiet_says_nothing_of_a_document_in_which_nothing_is_wrong(poll: Path) -> None:
    assert sockspec("validate", "-q", poll).stdout == ""


def test_validate_wants_a_document() -> None:
    assert sockspec("validate").exit_code == 2


def test_validate_wants_a_file(tmp_path: Path) -> None:
    assert sockspec("validate", tmp_path).exit_code == 2


# --- classes of another package ---------------------------------------------------------------------------------------

SHARED = """asyncapi: 3.0.0
info: {title: %s, version: 1.0.0}
servers: {main: {host: example.org, protocol: wss}}
channels:
  all:
    address: /all
    messages:
      %s:
        payload:
          type: object
          required: [user, place]
          properties: {user: {$ref: '#/components/schemas/User'}, place: {$ref: '#/components/schemas/Place'}}
operations: {send: {action: send, channel: {$ref: '#/channels/all'}}}
components:
  schemas:
    User: {type: object, description: %s, required: [role], properties: {role: {$ref: '#/components/schemas/Role'}}}
    Role: {type: string, enum: [admin, guest]}
    Place: {type: object, properties: {at: {$ref: '#/components/schemas/Point'}}}
    Point: {type: object, properties: {x: {type: %s}}}
"""


def test_classes_that_are_the_same_come_from_another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "first.yaml", SHARED % ("First", "moved", "Somebody.", "integer"))
    written(tmp_path / "second.yaml", SHARED % ("Second", "seen", "The same in other words.", "number"))
    project(
        tmp_path,
        'spec = "first.yaml"\noutput = "out"',
        'spec = "second.yaml"\noutput = "out"\nmodels-from = "first"',
    )
    monkeypatch.chdir(tmp_path)
    assert sockspec("generate").exit_code == 0
    assert sockspec("generate", "--check").exit_code == 0
    monkeypatch.syspath_prepend(str(tmp_path / "out"))
    first, second = (importlib.import_module(f"{name}.messages") for name in ("first", "second"))
    assert (second.User is first.User, second.Role is first.Role) == (True, True)
    # What refers to something else is something else, even where it reads the same.
    assert (second.Point is first.Point, second.Place is first.Place) == (False, False)
    codec = importlib.import_module("second.codecs").ALL_FROM_SERVER
    message = codec.decode('{"user": {"role": "guest"}, "place": {"at": {"x": 1.5}}}')
    assert message == second.Seen(user=first.User(role=first.Role.GUEST), place=second.Place(at=second.Point(x=1.5)))


def test_a_package_that_was_generated_before_gives_its_classes(poll: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "other.yaml", POLL)
    assert sockspec("generate", poll, "-o", tmp_path / "out").exit_code == 0
    assert sockspec("generate", other, "-o", tmp_path / "out", "--models-from", "poll").exit_code == 0
    assert "from poll.messages import" in (tmp_path / "out" / "other" / "messages.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["nowhere", "no.where", "json", "..", ""])
def test_a_package_without_messages_gives_nothing(name: str, poll: Path, tmp_path: Path) -> None:
    result = sockspec("generate", poll, "-o", tmp_path / "out", "--models-from", name)
    assert (result.exit_code, "no generated package" in result.stderr) == (2, True)


# --- messages that the user names -----------------------------------------------------------------------------------

EVENTS = """openapi: 3.0.3
info: {title: Rates, version: 1.0.0}
servers: [{url: https://example.org/v1}]
paths:
  /orders:
    get:
      responses: {'200': {description: unsound, content: 1}}
components:
  schemas:
    Asked:
      oneOf: [{$ref: '#/components/schemas/Ask'}, {$ref: '#/components/schemas/Stop'}]
    Ask:
      type: object
      required: [type, above]
      properties:
        type: {type: string, enum: [ask]}
        above: {type: number, nullable: true, minimum: 0, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false}
        # Beside a reference nothing counts in OpenAPI 3.0.
        kind: {$ref: '#/components/schemas/Kind', maxLength: 1}
    Stop: {type: object, required: [type], properties: {type: {type: string, enum: [stop]}}}
    Kind: {type: string, maxLength: 3}
"""


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """An OpenAPI 3.0 document whose messages are component schemas, with a fault that they do not lead to."""
    return written(tmp_path / "events.yaml", EVENTS)


def test_messages_can_be_named_and_other_parts_be_unsound(events: Path, tmp_path: Path) -> None:
    named = "client=Asked,path=feed"
    assert sockspec("generate", events, "-o", tmp_path / "out").exit_code == 1
    result = sockspec("generate", events, "-o", tmp_path / "out", "--messages", named)
    assert (result.exit_code, "the client sends 'Asked'" in result.stderr) == (0, True)
    client = (tmp_path / "out" / "events" / "client.py").read_text(encoding="utf-8")
    assert ('"wss://example.org/v1"' in client, '"/feed"' in client) == (True, True)
    assert sockspec("validate", events, "--messages", named).exit_code == 1


def test_a_project_names_messages(events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, f'spec = "{events.name}"\noutput = "out"\nmessages = "client=Ask,client=Stop"')
    monkeypatch.chdir(tmp_path)
    assert sockspec("generate").exit_code == 0
    assert "class Stop(" in (tmp_path / "out" / "events" / "messages.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("named", ["", "client", "client=", "path=/a", "=A", "both=A"])
def test_messages_that_are_named_wrongly_are_wrong_usage(named: str, events: Path) -> None:
    assert sockspec("ir", events, "--messages", named).exit_code == 2


@pytest.mark.parametrize(
    ("members", "valid"),
    [
        ('"above": 1', True),
        ('"above": null', True),
        ('"above": 0', False),
        ('"above": 9', True),
        ('"above": 9.5', False),
        ('"above": 1, "kind": "abc"', True),
        ('"above": 1, "kind": "abcd"', False),
        ('"kind": "abc"', False),
    ],
)
def test_schemas_of_openapi_30_mean_what_they_mean_there(members: str, valid: bool, events: Path) -> None:
    result = sockspec("decode", events, "--messages", "client=Asked", stdin=f'{{"type": "ask", {members}}}')
    assert json.loads(result.stdout)["valid"] is valid


# --- decode -----------------------------------------------------------------------------------------------------------


def test_decode_gives_a_verdict_for_each_line_in_order(poll: Path) -> None:
    lines = [
        SAY,
        '{"type": "vote", "choices": ["a"]}',
        '{"type": "say", "times": 1.0}',
        '{"type": "say", "times": "x"}',
        '{"type": "sya"}',
        "{",
    ]
    result = sockspec("decode", poll, stdin="\n".join(lines))
    assert result.exit_code == 1
    assert verdicts(result) == [
        {"valid": True, "message": "Say", "lane": "typed"},
        {"valid": True, "message": "Vote", "lane": "checked"},
        {"valid": True, "message": "Say", "lane": "judge"},
        {
            "valid": False,
            "problem": {
                "type": "/problems/validation-error",
                "message": "the payload is not a valid Say message",
                "errors": [{"pointer": "/times", "keyword": "type", "message": "expected integer"}],
            },
        },
        {
            "valid": False,
            "problem": {
                "type": "/problems/unknown-type",
                "message": "the property 'type' names no message that is known here; expected 'say', 'vote'",
                "errors": [],
            },
        },
        {
            "valid": False,
            "problem": {
                "type": "/problems/malformed-message",
                "message": "not JSON: expecting property name enclosed in double quotes at line 1, column 2",
                "errors": [],
            },
        },
    ]


def test_decode_ends_well_when_all_is_valid_and_skips_blank_lines(poll: Path) -> None:
    result = sockspec("decode", poll, stdin=f"\n{SAY}\r\n  \n\n{SAY}")
    assert (result.exit_code, len(verdicts(result)), result.stderr) == (0, 2, "")


def test_decode_reads_a_file(poll: Path, tmp_path: Path) -> None:
    result = sockspec("decode", poll, written(tmp_path / "payloads.jsonl", f"{SAY}\n{SAY}\n"))
    assert (result.exit_code, len(verdicts(result))) == (0, 2)


def test_decode_wants_a_file_that_is_there(poll: Path, tmp_path: Path) -> None:
    assert sockspec("decode", poll, tmp_path / "none").exit_code == 2


def test_decode_takes_the_side_of_the_server(poll: Path) -> None:
    tally = '{"type": "tally"}'
    assert sockspec("decode", poll, stdin=tally).exit_code == 1
    assert verdicts(sockspec("decode", poll, "--from", "server", stdin=tally)) == [
        {"valid": True, "message": "Tally", "lane": "typed"}
    ]


def test_decode_wants_a_channel_where_there_are_several(tmp_path: Path) -> None:
    spec = written(tmp_path / "rooms.yaml", TWO_ROOMS)
    result = sockspec("decode", spec, stdin="{}")
    assert (result.exit_code, "which of the channels is meant: hall, cellar" in result.stderr) == (2, True)
    unknown = sockspec("decode", spec, "--channel", "attic", stdin="{}")
    assert (unknown.exit_code, "there is no channel 'attic'; there are: hall, cellar" in unknown.stderr) == (2, True)
    for channel in ("cellar", "/cellar"):
        result = sockspec("decode", spec, "--channel", channel, stdin='{"ho": 1}')
        assert verdicts(result) == [{"valid": True, "message": "Ho", "lane": "typed"}]


def test_decode_says_that_nothing_is_sent_by_a_side_that_sends_nothing(tmp_path: Path) -> None:
    spec = written(tmp_path / "rooms.yaml", TWO_ROOMS)
    result = sockspec("decode", spec, "--channel", "hall", "--from", "server", stdin="{}")
    assert (result.exit_code, [verdict["valid"] for verdict in verdicts(result)]) == (1, [False])


@pytest.mark.parametrize(
    "line",
    [
        b'{"type": "say", "times": "\xff"}',
        b"\xed\xa0\x80",
        b'{"type": "say\x00"}',
        b"\x00",
        b"[" * 200_000,
        b'{"type": "say", "more": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
        b'{"type": "say", "times": ' + b"9" * 10_000 + b"}",
        b'{"type": "say", "times": 1e999}',
        b'{"type": "say", "times": NaN}',
        b'{"type": "\\ud800", "times": 1}',
        b"\xef\xbb\xbf" + SAY.encode(),
        b'"say"',
        b"null",
        b'{"type": ["say"]}',
        b'{"type": {"say": 1}}',
    ],
    ids=lambda line: repr(line[:30]),
)
def test_a_hostile_line_gets_a_verdict_and_the_next_one_too(line: bytes, poll: Path) -> None:
    result = sockspec("decode", poll, stdin=line + b"\n" + SAY.encode())
    assert result.exit_code == 1
    assert [verdict["valid"] for verdict in verdicts(result)] == [False, True]


def test_a_line_that_is_not_utf_8_is_malformed(poll: Path) -> None:
    result = sockspec("decode", poll, stdin=b'{"\xff": 1}')
    problem = {"type": "/problems/malformed-message", "message": "not UTF-8 at byte 2", "errors": []}
    assert verdicts(result) == [{"valid": False, "problem": problem}]


def test_decode_leaves_nothing_behind(poll: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sockspec("decode", poll, stdin=SAY)  # imports what the program itself needs
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "bytecode"))
    before = list(sys.path), set(sys.modules), set(sys.path_importer_cache), sys.dont_write_bytecode
    assert sockspec("decode", poll, stdin=SAY).exit_code == 0
    assert (list(sys.path), set(sys.modules), set(sys.path_importer_cache), sys.dont_write_bytecode) == before
    assert list(scratch.iterdir()) == []
    assert [path for path in (tmp_path / "bytecode").rglob("*") if "_sockspec" in path.name] == []


def test_decode_works_as_a_program_on_a_pipe(poll: Path) -> None:
    command = [sys.executable, "-m", "sockspec", "decode", str(poll)]
    done = subprocess.run(command, input=f"{SAY}\n".encode() + b"\xff\n", capture_output=True, check=False)
    assert (done.returncode, done.stdout.count(b"\n"), done.stderr) == (1, 2, b"")


def test_decode_of_a_wrong_document_ends_with_its_errors(tmp_path: Path) -> None:
    result = sockspec("decode", written(tmp_path / "wrong.yaml", WRONG), stdin=SAY)
    assert (result.exit_code, result.stdout, "dangling-reference" in result.stderr) == (1, "", True)


# --- ir ---------------------------------------------------------------------------------------------------------------


def test_ir_prints_the_api_as_json(poll: Path) -> None:
    result = sockspec("ir", poll)
    api = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (api["is"], api["title"], [channel["address"] for channel in api["channels"]]) == ("Api", "Poll", ["/room"])
    assert [message["name"] for message in api["messages"]] == ["Say", "Vote", "Tally"]
    assert api["channels"][0]["location"].startswith(f"{poll}:")


def test_ir_of_a_wrong_document_ends_with_its_errors(tmp_path: Path) -> None:
    result = sockspec("ir", written(tmp_path / "wrong.yaml", WRONG))
    assert (result.exit_code, result.stdout, "dangling-reference" in result.stderr) == (1, "", True)


@pytest.mark.parametrize("name", ["chat.asyncapi", "chat.openapi", "market.asyncapi", "hostile_names.asyncapi"])
def test_ir_is_the_same_in_every_run(name: str) -> None:
    command = [sys.executable, "-m", "sockspec", "ir", f"specs/{name}.yaml"]
    runs = [
        subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True)
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout
    assert isinstance(json.loads(runs[0].stdout), dict)
