"""`sockspec test`: servers that do what their document says pass, and each rule finds the deviation planted for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from sockspec import ir
from sockspec.cli import main
from sockspec.contract import RULES, Outcome, Result, Settings, check, prepare, reports
from sockspec.live import imported
from sockspec.pipeline import examine, generate
from tests.deviating import TOKEN, Deviating
from tests.test_examples import server as chat_server

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "tests/documents/contract.yaml"
OPEN = ROOT / "tests/documents/contract-open.yaml"
PATIENCE = 60.0


@cache
def api_of(path: Path) -> ir.Api:
    api, _ = examine(path)
    assert api is not None
    return api


async def results_of(url: str, document: Path, **others: Any) -> list[Result]:
    fast = Settings(url, rate=0, timeout=5.0, quiet=0.5, broken=6, samples=2, rules=frozenset(RULES))
    settings = replace(fast, **others)
    api = api_of(document)
    with imported(generate(api, document.name)) as package:
        return await gathered(api, package, settings)


async def gathered(api: ir.Api, package: ModuleType, settings: Settings) -> list[Result]:
    planned = prepare(api, package, settings)
    return [result async for result in check(api, planned, settings)]


def held(server: Deviating, document: Path = DOCUMENT, **others: Any) -> list[Result]:
    """The results of a server of ours."""

    async def scenario() -> list[Result]:
        async with asyncio.timeout(PATIENCE), server.serving() as url:
            return await results_of(url, document, **{"token": TOKEN, **others})

    return asyncio.run(scenario())


def failed(results: list[Result]) -> set[str]:
    return {result.rule for result in results if result.outcome is Outcome.FAILED}


def of_rule(results: list[Result], rule: str) -> list[Result]:
    return [result for result in results if result.rule == rule]


def test_a_server_that_does_what_the_document_says_passes() -> None:
    results = held(Deviating())
    assert [result for result in results if result.outcome is Outcome.FAILED] == []
    skipped = {result.rule for result in results if result.outcome is Outcome.SKIPPED}
    assert skipped == {"open-door"}
    assert {result.rule for result in results} == set(RULES)


def test_a_server_without_security_passes() -> None:
    results = held(Deviating(is_open=True), OPEN, token="")
    assert failed(results) == set()
    assert {result.rule for result in results if result.outcome is Outcome.SKIPPED} == {
        "no-credentials",
        "wrong-credentials",
    }


def test_a_goodbye_by_message_and_close_code_is_as_good_as_a_401() -> None:
    assert failed(held(Deviating("says goodbye instead"))) == set()


DEVIATIONS = [
    ("connect", "is down", set[str]()),
    ("subprotocol", "chooses no subprotocol", set[str]()),
    ("unknown-path", "takes any path", set[str]()),
    ("bad-parameter", "takes any parameter", set[str]()),
    ("no-credentials", "takes no token", set[str]()),
    ("no-credentials", "does not challenge", {"wrong-credentials"}),
    ("no-credentials", "says goodbye without a word", {"wrong-credentials"}),
    ("wrong-credentials", "takes any token", set[str]()),
    ("open-door", "locks an open door", {"connect"}),
    ("ping", "answers no ping", {"survives"}),
    ("malformed-json", "/problems/malformed-message", set[str]()),
    ("unknown-type", "/problems/unknown-type", {"broken-message"}),
    ("binary", "/problems/binary-not-supported", set[str]()),
    ("valid-message", "calls valid messages wrong", {"oversize"}),
    ("reply", "does not reply", set[str]()),
    ("reply", "mixes up replies", set[str]()),
    ("broken-message", "/problems/validation-error", set[str]()),
    ("survives", "closes after mistakes", set[str]()),
    ("oversize", "takes any size", set[str]()),
    ("received", "sends what it likes", set[str]()),
    ("close-code", "closes by a code of its own", set[str]()),
    ("close-code", "breaks off", {"binary"}),
]
"""A rule, the deviation that it has to find, and the other rules that this breaks as well."""


SILENT = {
    "answers no ping",
    "does not reply",
    "takes any size",
    "/problems/malformed-message",
    "/problems/unknown-type",
    "/problems/binary-not-supported",
    "/problems/validation-error",
}
"""The deviations that consist in saying nothing, for which there is no need to wait long."""


def test_each_rule_has_a_deviation() -> None:
    assert {rule for rule, _, _ in DEVIATIONS} == set(RULES)


@pytest.mark.parametrize(("rule", "deviation", "others"), DEVIATIONS, ids=str)
def test_a_rule_finds_the_deviation_that_is_planted_for_it(rule: str, deviation: str, others: set[str]) -> None:
    is_open = rule == "open-door"
    document, token = (OPEN, "") if is_open else (DOCUMENT, TOKEN)
    timeout = 0.8 if deviation in SILENT else 5.0
    broken = 1 if rule == "ping" else 3
    server = Deviating(deviation, is_open=is_open)
    results = held(server, document, token=token, broken=broken, samples=1, timeout=timeout)
    assert failed(results) - others == {rule}


def test_a_server_that_goes_down_meanwhile_has_failed() -> None:
    results = held(Deviating("goes down", "closes after mistakes"))
    assert [result.detail for result in results if result.rule == "connect" and result.outcome is Outcome.FAILED] == [
        "the handshake was refused with 503"
    ]


def test_without_a_connection_every_choice_of_rules_fails() -> None:
    assert failed(held(Deviating("is down"), rules=frozenset({"ping"}))) == {"connect"}


def test_a_message_that_came_too_early_is_sent_again() -> None:
    assert failed(held(Deviating("is in a hurry"), broken=2, samples=1, quiet=0.1)) == set()


def test_the_same_seed_sends_the_same_messages() -> None:
    first, again = (held(Deviating("calls valid messages wrong"), seed=7, broken=2) for _ in range(2))
    assert first == again


def test_the_chat_of_the_examples_passes_but_for_tokens_that_nobody_verifies() -> None:
    async def scenario() -> list[Result]:
        async with asyncio.timeout(PATIENCE), chat_server.Chat().serve(port=0) as running:
            return await results_of(
                f"{running.url}/v1", ROOT / "specs/chat.asyncapi.yaml", token="ann", first=("Join",)
            )

    results = asyncio.run(scenario())
    assert failed(results) == {"wrong-credentials"}
    assert {result.outcome for result in of_rule(results, "reply")} == {Outcome.PASSED}
    assert len(of_rule(results, "broken-message")) > 15


# --- the command -----------------------------------------------------------------------------------------------------


def run(server: Deviating, arguments: Callable[[str], list[str]]) -> tuple[int, str, str]:
    """Exit code, output and errors of the command beside a server."""

    async def scenario() -> tuple[int, str, str]:
        async with asyncio.timeout(PATIENCE), server.serving() as url:
            result = await asyncio.to_thread(CliRunner().invoke, main, ["test", *arguments(url)])
            return result.exit_code, result.stdout, result.stderr

    return asyncio.run(scenario())


def quick(url: str, *more: str) -> list[str]:
    fast = ["--rate", "0", "--timeout", "5", "--broken", "2", "--seed", "5", "--samples", "1"]
    return [str(DOCUMENT), "--url", url, "--token", TOKEN, *fast, *more]


def test_the_command_exits_with_0_when_all_passed() -> None:
    code, output, errors = run(Deviating(), quick)
    assert (code, errors) == (0, "")
    assert output.splitlines()[-1].endswith("0 failed, 1 skipped (seed 5)")


def test_the_command_exits_with_1_when_a_rule_failed_and_prints_no_token() -> None:
    code, output, errors = run(
        Deviating("repeats the token", "calls valid messages wrong"), lambda url: quick(url, "--only", "valid-message")
    )
    assert code == 1
    assert "failed valid-message" in output
    assert "expected no error: /problems/validation-error: ***" in output
    assert TOKEN not in output + errors
    assert "\x1b" not in output


def test_only_and_skip_choose_rules() -> None:
    code, output, _ = run(
        Deviating("calls valid messages wrong"), lambda url: quick(url, "--only", "ping", "--only", "connect")
    )
    assert code == 0
    assert output.splitlines()[:3] == ["room", "  passed connect", "  passed ping"]
    code, output, _ = run(
        Deviating("chooses no subprotocol"), lambda url: quick(url, "--skip", "subprotocol", "--only", "subprotocol")
    )
    assert (code, output) == (2, "")


def test_the_report_as_json_is_written_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    code, output, _ = run(
        Deviating("takes any path"), lambda url: quick(url, "--format", "json", "--output", str(file))
    )
    told = json.loads(file.read_text(encoding="utf-8"))
    assert code == 1
    assert output.count("\n") == 1
    assert told["seed"] == 5
    assert told["summary"]["failed"] == 1
    assert [entry for entry in told["results"] if entry["outcome"] == "failed"] == [
        {
            "rule": "unknown-path",
            "channel": "room",
            "subject": "",
            "outcome": "failed",
            "detail": "expected 404, the connection was accepted",
            "payload": "",
        }
    ]


def test_the_report_as_junit_counts_what_failed() -> None:
    settings = Settings("", seed=5)
    results = [
        Result("ping", "room", "", Outcome.PASSED),
        Result("received", "room", "", Outcome.FAILED, "no \x00 text", '{"a": "<b>"}'),
        Result("oversize", "room", "", Outcome.SKIPPED, "no limit"),
    ]
    suite = ElementTree.fromstring(reports.junit(results, settings)).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert (failure.get("message"), failure.text) == ("no \\x00 text", '{"a": "<b>"}')


def test_a_report_does_not_move_the_cursor_of_a_terminal() -> None:
    results = [Result("received", "room", "", Outcome.FAILED, "\x1b[2J", "\r")]
    assert "\x1b" not in reports.text(results, Settings(""))
    assert "\r" not in reports.text(results, Settings(""))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--url", "ws://127.0.0.1:1", "--token", "x"], "error: "),
        (["--url", "http://127.0.0.1:1", "--token", "x"], "expected a URL that starts with ws:// or wss://"),
        (["--url", "ws://example.com", "--token", "x"], "refusing to send a token to 'example.com' in clear text"),
        (["--url", "ws://127.0.0.1:1"], "'room' asks for credentials: give them by --token or --header"),
        (["--url", "ws://127.0.0.1:1", "--channel", "no"], "there is no channel 'no'; there are: room"),
        (["--url", "ws://127.0.0.1:1", "--first", "no"], "there is no message 'no'"),
        (["--url", "ws://{host}:1", "--token", "x"], "error: "),
        (["--url", "ws://127.0.0.1:1", "--header", "secret"], "expected a name, ':' and a value"),
        ([], "Missing option '--url'"),
    ],
    ids=str,
)
def test_wrong_usage_and_no_connection_exit_with_2(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["test", str(DOCUMENT), *arguments])
    assert result.exit_code == 2
    assert said in result.stderr
    assert "secret" not in result.stderr


def test_the_rules_are_listed_by_the_command_and_by_the_page() -> None:
    listed = CliRunner().invoke(main, ["test", "--list-rules"]).stdout.splitlines()
    assert listed == [f"{rule.id}: {rule.checks}" for rule in RULES.values()]
    page = (ROOT / "docs/contract-testing.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `") and not line.startswith("| `--")]
    assert rows == [f"| `{rule.id}` | {rule.checks} | {rule.why} |" for rule in RULES.values()]
