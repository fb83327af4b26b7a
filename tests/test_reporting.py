"""The options that `validate`, `lint` and `diff` share, over the real command line."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from functools import partial
from itertools import count
from pathlib import Path
from xml.etree import ElementTree

import click
import click.testing
import pytest

import sockspec
from sockspec.cli import main
from sockspec.cli.outputs import detected, is_coloured
from sockspec.cli.reporting import Reporting, reporting, watched
from sockspec.diagnostics import Code, Location, Severity
from sockspec.reports import FORMATS, Run

GOOD = """\
asyncapi: 3.0.0
info: {title: Good, version: 1.0.0}
servers: {production: {host: example.com, protocol: wss}}
channels:
  room:
    address: /room
    messages: {said: {payload: {type: object, properties: {text: {type: string}}}}}
operations:
  say: {action: receive, channel: {$ref: '#/channels/room'}}
"""
WARNED = GOOD.replace("title: Good,", "title: Good, contact: {email: nobody},")
WRONG = GOOD.replace("address:", "addres:")

FOR_SERVICES = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "GITLAB_CI", "CI_PROJECT_DIR")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a document of each kind, outside of any build server."""
    for name in (*FOR_SERVICES, "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, text in {"good": GOOD, "warned": WARNED, "wrong": WRONG}.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sockspec_(*arguments: str | Path, stdin: str | None = None) -> click.testing.Result:
    result = click.testing.CliRunner().invoke(main, list(map(str, arguments)), input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def validate(*arguments: str | Path, stdin: str | None = None) -> click.testing.Result:
    return sockspec_("validate", *arguments, stdin=stdin)


# --- exit codes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("good.yaml", 0),
        ("warned.yaml", 0),
        ("wrong.yaml", 1),
        ("good.yaml wrong.yaml", 1),
        ("warned.yaml --fail-on warning", 1),
        ("warned.yaml --fail-on info", 1),
        ("wrong.yaml --fail-on never", 0),
        ("warned.yaml --max-warnings 0", 1),
        ("warned.yaml --max-warnings 1", 0),
        ("wrong.yaml --max-warnings -1", 2),
        ("wrong.yaml --fail-on none", 2),
        ("wrong.yaml missing.yaml", 2),
        (".", 2),
        ("*.json", 2),
        ("wrong.yaml --format sarf", 2),
        ("wrong.yaml --format sarif:", 2),
        ("wrong.yaml --format sarif:.", 2),
        ("wrong.yaml --format sarif:wrong.yaml", 2),
        ("wrong.yaml --format sarif --format json", 2),
        ("wrong.yaml --format sarif:x --format json:./x", 2),
        ("wrong.yaml --format sarif:wrong.yaml/x", 2),
        ("wrong.yaml --format sarif:x --format json", 1),
    ],
)
def test_the_exit_code_says_how_it_went(arguments: str, code: int) -> None:
    assert validate(*arguments.split()).exit_code == code


def test_a_document_is_never_overwritten_by_a_report(folder: Path) -> None:
    result = validate("wrong.yaml", "--format", f"json:{folder / 'wrong.yaml'}")
    assert "would overwrite a document" in result.stderr
    assert (folder / "wrong.yaml").read_text(encoding="utf-8") == WRONG


def test_too_many_warnings_are_told() -> None:
    assert validate("warned.yaml", "--max-warnings", "0").stdout.endswith(
        "1 warnings are more than the 0 that may be\n"
    )


def test_a_misspelt_format_gets_the_nearest_one() -> None:
    assert "there is no format 'sarf'; did you mean 'sarif'?" in validate("wrong.yaml", "--format", "sarf").stderr
    assert "there are 'text', 'json'" in validate("wrong.yaml", "--format", "zzz").stderr


def test_what_cannot_be_written_is_told_and_the_rest_is_written(folder: Path) -> None:
    result = validate("good.yaml", "--format", "json:good.yaml/x.json", "--format", "sarif:made/for/it.sarif")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot write 'good.yaml/x.json': not a directory\n" in result.stderr
    assert json.loads((folder / "made" / "for" / "it.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk_is_no_clean_run() -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = run("validate", "wrong.yaml", stdout=full)
    assert (done.returncode, done.stderr) == (2, "error: cannot write 'standard output': no space left on device\n")


def test_a_reader_that_has_gone_is_no_fault() -> None:
    receiving, sending = os.pipe()
    os.close(receiving)
    with os.fdopen(sending, "w", encoding="utf-8") as pipe:
        done = run("validate", "wrong.yaml", stdout=pipe)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_fault_of_ours_is_told_and_is_no_finding() -> None:
    @click.command()
    @reporting
    def broken(reporting: Reporting) -> None:
        raise RuntimeError("\x1b[31mred")

    result = click.testing.CliRunner().invoke(broken)
    assert result.exit_code == 2
    assert "sockspec failed; this is a fault of its own" in result.stderr
    assert "RuntimeError: \\x1b[31mred" in result.stderr


def run(
    *arguments: str, stdout: io.TextIOWrapper | int = subprocess.PIPE, **settings: str
) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(sockspec.__file__).parents[1]), **settings}
    return subprocess.run(
        [sys.executable, "-m", "sockspec", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment,
        check=False,
    )


# --- documents --------------------------------------------------------------------------------------------------------


def files(*arguments: str, stdin: str | None = None) -> list[str]:
    """The names of the documents that were checked."""
    result = validate(*arguments, "--format", "json", stdin=stdin)
    checked: list[str] = json.loads(result.stdout)["files"]
    return checked


def test_patterns_are_expanded_sorted_and_each_file_is_checked_once(folder: Path) -> None:
    below = folder / "specs" / "deep" / "er"
    below.mkdir(parents=True)
    (below / "b.yaml").write_text(GOOD, encoding="utf-8")
    (folder / "specs" / "a.yaml").write_text(GOOD, encoding="utf-8")
    assert files("specs/**/*.yaml", "good.yaml", "specs/a.yaml", "./good.yaml") == [
        "./good.yaml",
        "specs/a.yaml",
        os.path.join("specs", "deep", "er", "b.yaml"),
    ]


def test_parts_of_documents_that_a_pattern_matches_are_left_out_and_told_of(folder: Path) -> None:
    parts = folder / "specs" / "parts"
    parts.mkdir(parents=True)
    (folder / "specs" / "a.yaml").write_text(GOOD, encoding="utf-8")
    (parts / "said.yaml").write_text("said: {payload: {type: string}}\n", encoding="utf-8")
    part = os.path.join("specs", "parts", "said.yaml")
    matching, alone, named = validate("specs/**/*.yaml"), validate("specs/parts/*"), validate(part)
    assert (matching.exit_code, matching.stdout) == (0, "nothing found in 1 file\n")
    assert matching.stderr == f"left out, since they describe no API but may be parts of one: {part!r}\n"
    assert (alone.exit_code, named.exit_code) == (2, 1)
    assert "no file that matches 'specs/parts/*' describes an API" in alone.stderr
    assert "not-an-api" in named.stdout


def test_a_file_with_the_name_of_a_pattern_is_that_file(folder: Path) -> None:
    (folder / "[a].yaml").write_text(GOOD, encoding="utf-8")
    assert files("[a].yaml") == ["[a].yaml"]


def test_each_finding_in_a_shared_file_is_told_once(folder: Path) -> None:
    (folder / "parts.yaml").write_text("said: {payload: {$ref: '#/nowhere'}}\n", encoding="utf-8")
    for name in ("one.yaml", "two.yaml"):
        (folder / name).write_text(
            GOOD.replace("{payload: {type: object, properties: {text: {type: string}}}}", "{$ref: parts.yaml#/said}"),
            encoding="utf-8",
        )
    result = validate("one.yaml", "two.yaml", "--format", "json")
    found = [finding["location"]["path"] for finding in json.loads(result.stdout)["findings"]]
    assert (found.count("parts.yaml"), found) == (1, sorted(found))


def test_standard_input_is_checked_under_the_name_of_its_file(folder: Path) -> None:
    assert files("-", stdin=GOOD) == ["<stdin>"]
    assert files("-", "good.yaml", "--stdin-filename", "good.yaml", stdin=WRONG) == ["good.yaml"]
    result = validate("-", "--stdin-filename", "good.yaml", stdin=WRONG)
    assert (result.exit_code, "     6 |     addres: /room\n" in result.stdout) == (1, True)


# --- outputs ----------------------------------------------------------------------------------------------------------


def test_several_formats_go_to_several_places(folder: Path) -> None:
    named = [f"--format={name}:out/{name}" for name in FORMATS if name != "text"]
    result = validate("wrong.yaml", *named, "--format", "text")
    assert result.stdout.endswith("1 error in 1 file\n")
    assert json.loads((folder / "out" / "json").read_text(encoding="utf-8"))["summary"]["errors"] == 1
    assert ElementTree.parse(folder / "out" / "junit").getroot().get("failures") == "1"
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(set(FORMATS) - {"text"})


def test_a_link_to_a_report_stays_a_link(folder: Path) -> None:
    (folder / "link.json").symlink_to("real.json")
    validate("good.yaml", "--format", "json:link.json")
    assert (folder / "link.json").is_symlink()
    assert json.loads((folder / "real.json").read_text(encoding="utf-8"))["files"] == ["good.yaml"]


def test_a_report_can_go_to_what_is_no_file() -> None:
    done = run("validate", "wrong.yaml", "--format", "text", "--format", f"json:{os.devnull}")
    assert (done.returncode, Path(os.devnull).is_file()) == (1, False)


def test_what_the_encoding_of_a_terminal_lacks_is_an_escape(folder: Path) -> None:
    (folder / "wrong.yaml").write_text(WRONG.replace("Good", "é", 1).replace("addres:", "adressé:"), encoding="utf-8")
    done = run("validate", "wrong.yaml", PYTHONIOENCODING="ascii")
    assert (done.returncode, "unexpected property 'adress\\xe9' in" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("choice", "environment", "coloured"),
    [
        (None, {}, False),
        (True, {"NO_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "1"}, False),
        (None, {"FORCE_COLOR": "1"}, True),
        (None, {"FORCE_COLOR": "0"}, False),
        (None, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (None, {"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
    ],
)
def test_colours_are_for_those_who_want_them(choice: bool | None, environment: dict[str, str], coloured: bool) -> None:
    assert is_coloured(choice, environment) is coloured


@pytest.mark.parametrize(("term", "coloured"), [("xterm", True), ("dumb", False)])
def test_a_terminal_gets_colours(term: str, coloured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert is_coloured(None, {"TERM": term}) is coloured


def test_a_report_in_a_file_has_no_colours_unless_asked_for(folder: Path) -> None:
    validate("wrong.yaml", "--format", "text:plain")
    validate("wrong.yaml", "--format", "text:coloured", "--color")
    assert "\x1b" not in (folder / "plain").read_text(encoding="utf-8")
    assert "\x1b[31;1merror unknown-property\x1b[0m" in (folder / "coloured").read_text(encoding="utf-8")


def test_a_terminal_never_gets_a_control_character_of_a_document(folder: Path) -> None:
    (folder / "wrong.json").write_text(
        json.dumps(
            {"asyncapi": "3.0.0", "info": {"title": "x", "version": "1", "\x1b[2J\u202e": "\x9b"}, "channels": {}}
        ),
        encoding="utf-8",
    )
    result = validate("wrong.json", "--color")
    assert (result.exit_code, "\\x1b[2J\\u202e" in result.stdout) == (1, True)
    assert {c for c in result.stdout if not c.isprintable()} == {"\n", "\x1b"}
    assert not {"\x1b[2J", "\x9b", "\u202e"} & set(result.stdout)


# --- build servers ----------------------------------------------------------------------------------------------------


def test_a_build_server_is_known_by_its_environment() -> None:
    assert [each.format for each in detected({})] == ["text"]
    assert [each.format for each in detected({"GITHUB_ACTIONS": "true"})] == ["text", "github"]
    assert [each.format for each in detected({"GITLAB_CI": "true"})] == ["text"]


def test_github_gets_annotations_and_a_summary_unasked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = folder / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(folder.parent))
    result = validate("warned.yaml")
    commands = [line for line in result.stdout.splitlines() if line.startswith("::")]
    assert [line.partition("line=")[0] for line in commands] == [
        f"::warning title=sockspec invalid-format,file={folder.name}/warned.yaml,"
    ]
    assert "warned.yaml:2:38: warning invalid-format" in result.stdout
    assert summary.read_text(encoding="utf-8").startswith("before\n### sockspec validate: 1 warning in 1 file\n")


def test_lines_of_a_pull_request_are_not_annotated_for_information_unless_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::notice" not in click.testing.CliRunner().invoke(told).stdout
    assert "::notice" in click.testing.CliRunner().invoke(told, ["--format", "github"]).stdout


def test_a_format_that_is_asked_for_wins_over_the_build_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))
    monkeypatch.setenv("GITLAB_CI", "true")
    result = validate("wrong.yaml", "--format", "text")
    assert ("::error" in result.stdout, result.stderr, (folder / "summary.md").exists()) == (False, "", False)


def test_a_summary_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder))
    assert validate("good.yaml").exit_code == 2


def test_in_gitlab_a_hint_says_how_merge_requests_show_findings(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("GITLAB_CI", "true")
    assert "--format gitlab:gl-code-quality-report.json" in validate("wrong.yaml").stderr
    assert sorted(path.name for path in folder.iterdir()) == ["good.yaml", "warned.yaml", "wrong.yaml"]


def test_paths_are_seen_from_the_folder_of_the_build(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_PROJECT_DIR", str(folder.parent))
    issues = json.loads(validate("wrong.yaml", "--format", "gitlab").stdout)
    assert issues[0]["location"]["path"] == f"{folder.name}/wrong.yaml"
    log = json.loads(validate(folder / "wrong.yaml", "--format", "sarif").stdout)["runs"][0]
    artifact = {"uri": f"{folder.name}/wrong.yaml", "uriBaseId": "SRCROOT"}
    assert log["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == artifact
    assert log["originalUriBaseIds"]["SRCROOT"]["uri"] == folder.parent.resolve().as_uri() + "/"


def test_links_lead_to_the_documentation_that_the_distribution_names(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = folder / "sockspec-9.dist-info" / "METADATA"
    described.parent.mkdir()
    links = "Project-URL: Source, https://example.com/source\nProject-URL: Documentation, https://example.com/docs/\n"
    described.write_text(f"Metadata-Version: 2.1\nName: sockspec\nVersion: 9\n{links}", encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    rules = json.loads(validate("wrong.yaml", "--format", "sarif").stdout)["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["helpUri"] for rule in rules] == ["https://example.com/docs/diagnostics.md#unknown-property"]


# --- what commands do with it -----------------------------------------------------------------------------------------

OFTEN = Code("often", Severity.WARNING, "Often.")


@click.command()
@reporting
def lint(reporting: Reporting) -> None:
    """A command of another kind."""
    findings = [OFTEN.at(Location("good.yaml", line, 1), "here") for line in range(1, 9)] * 10
    reporting.report(Run("lint", ("good.yaml",), tuple(findings), notes=("a note",), extra={"a": 1}))


def test_a_command_says_what_it_found_and_the_options_do_the_rest() -> None:
    result = click.testing.CliRunner().invoke(lint, ["--limit", "2", "--fail-on", "warning"])
    assert (result.exit_code, result.stdout.splitlines()) == (
        1,
        [
            "good.yaml:1:1: warning often here",
            "good.yaml:2:1: warning often here",
            "often: 78 more, which '--limit 0' shows",
            "",
            "a note",
            "80 warnings in 1 file",
        ],
    )
    assert json.loads(click.testing.CliRunner().invoke(lint, ["--format", "json"]).stdout)["extra"] == {"a": 1}


@click.command()
@reporting
def told(reporting: Reporting) -> None:
    """A command that has only something to tell."""
    code = Code("told", Severity.INFO, "Told.")
    reporting.report(Run("lint", ("good.yaml",), (code.at(Location("good.yaml", 1, 1), "so it is"),)))


class Terminal(io.StringIO):
    """What somebody watches."""

    def isatty(self) -> bool:
        return True


def test_a_bar_is_shown_when_it_takes_long_and_somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: dict[tuple[bool, float], bool] = {}
    for stream in (Terminal(), io.StringIO()):
        for step in (0.01, 0.5):
            terminal = type(stream)()
            monkeypatch.setattr(sys, "stderr", terminal)
            ticks = (number * step for number in count())
            assert list(watched(range(9), "validating", clock=partial(next, ticks))) == list(range(9))
            shown[terminal.isatty(), step] = "validating" in terminal.getvalue()
    assert shown == {(True, 0.01): False, (True, 0.5): True, (False, 0.01): False, (False, 0.5): False}
