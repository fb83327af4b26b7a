"""`sockspec diff`: documents from files and from git, what is shown, what is ignored, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import click.testing
import pytest

from sockspec.cli import main
from sockspec.diagnostics import Location, Severity
from sockspec.diff import RULES, ignoring, revisions, settings
from sockspec.diff.rule import Changes

OLD = """\
asyncapi: 3.0.0
info: {title: Poll, version: 1.0.0}
channels:
  room:
    address: /room
    messages:
      Say: {payload: {$ref: 'schemas.yaml#/Say'}}
      Vote: {payload: {$ref: 'schemas.yaml#/Vote'}}
operations:
  talk: {action: receive, channel: {$ref: '#/channels/room'}}
"""
SCHEMAS = """\
Say: {type: object, required: [type], properties: {type: {const: say}}}
Vote: {type: object, required: [type], properties: {type: {const: vote}}}
"""
NEW = OLD.replace("      Vote: {payload: {$ref: 'schemas.yaml#/Vote'}}\n", "").replace("1.0.0", "2.0.0")


def diff(*arguments: object) -> click.testing.Result:
    """A run of the command."""
    return click.testing.CliRunner().invoke(main, ["diff", *map(str, arguments)], catch_exceptions=False)


def git(folder: Path, *arguments: str) -> str:
    """What git answers, whoever runs it."""
    who = {f"GIT_{role}_{what}": "tester@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    nothing = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    command = ["git", "-c", "core.autocrlf=false", *arguments]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **who, **nothing}, check=True, capture_output=True)
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose last commit has the old document, and whose work tree has the new one."""
    specs = tmp_path / "specs"
    specs.mkdir()
    (specs / "poll.yaml").write_text(OLD)
    (specs / "schemas.yaml").write_text(SCHEMAS)
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "A poll")
    (specs / "poll.yaml").write_text(NEW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_message_that_clients_could_send_and_may_not_breaks_them(repository: Path) -> None:
    (repository / "specs" / "before.yaml").write_text(OLD)
    run = diff("specs/before.yaml", "specs/poll.yaml")
    assert run.exit_code == 1
    assert "specs/before.yaml:8:7: error client-message-removed the server does not take 'Vote'" in run.output
    assert "clients break: the next version after 1.0.0 is 2.0.0, and the new document has 2.0.0" in run.output


def test_a_document_is_compared_with_its_last_committed_version(repository: Path) -> None:
    run = diff("specs/poll.yaml")
    assert run.exit_code == 1
    assert "HEAD:specs/poll.yaml:8:7: error client-message-removed" in run.output


def test_a_document_is_compared_with_its_last_committed_version_from_anywhere(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "specs")
    assert "HEAD:specs/poll.yaml:8:7: error client-message-removed" in diff("poll.yaml").output
    assert "main:./poll.yaml:8:7: error client-message-removed" in diff("main:./poll.yaml", "poll.yaml").output


def test_a_document_of_a_revision_is_read_with_the_files_that_it_refers_to(repository: Path) -> None:
    (repository / "specs" / "schemas.yaml").write_text(SCHEMAS.replace("vote", "ballot"))
    git(repository, "commit", "--quiet", "--all", "--message", "Only talk")
    run = diff("main~1:specs/poll.yaml", "main:specs/poll.yaml")
    assert run.exit_code == 1
    assert "main~1:specs/poll.yaml:8:7: error client-message-removed" in run.output
    assert diff("main:specs/poll.yaml", "main:specs/poll.yaml").exit_code == 0


def test_a_file_of_the_very_name_goes_before_a_revision(repository: Path) -> None:
    odd = repository / "main:specs"
    odd.mkdir()
    (odd / "poll.yaml").write_text(NEW)
    (odd / "schemas.yaml").write_text(SCHEMAS)
    assert diff("main:specs/poll.yaml", "specs/poll.yaml").exit_code == 0


def test_paths_of_windows_are_no_revisions() -> None:
    assert revisions.named(r"C:\specs\chat.yaml") is None
    assert revisions.named("c:/specs/chat.yaml") is None
    assert revisions.named("chat.yaml") is None
    assert revisions.named("v1.2:specs/chat.yaml") == revisions.Revision("v1.2", "specs/chat.yaml")


@pytest.mark.parametrize(
    ("argument", "why"),
    [
        ("--output=/tmp/x:specs/poll.yaml", "No such option"),
        (":specs/poll.yaml", "names no file of a revision"),
        ("main:", "names no file of a revision"),
        ("nowhere:specs/poll.yaml", "git knows no revision 'nowhere'"),
        ("main:specs/other.yaml", "there is no file 'specs/other.yaml' in 'main'"),
        ("main:../poll.yaml", "leaves the repository"),
    ],
)
def test_what_is_no_file_of_a_revision_is_wrong_usage(repository: Path, argument: str, why: str) -> None:
    run = diff(argument, "specs/poll.yaml")
    assert run.exit_code == 2
    assert why in run.output


def test_names_of_revisions_are_never_options(repository: Path) -> None:
    run = diff("--", "--output=stolen:specs/poll.yaml", "specs/poll.yaml")
    assert run.exit_code == 2
    assert "names no file of a revision" in run.output
    assert not (repository / "stolen").exists()


def test_filters_of_a_repository_are_not_run(repository: Path) -> None:
    (repository / ".gitattributes").write_text("*.yaml filter=evil export-subst\n")
    git(repository, "config", "filter.evil.smudge", "touch smudged; cat")
    git(repository, "add", ".gitattributes")
    git(repository, "commit", "--quiet", "--message", "Attributes")
    assert diff("HEAD:specs/poll.yaml", "specs/poll.yaml").exit_code == 1
    assert not (repository / "smudged").exists()


def test_links_of_a_revision_are_not_followed(repository: Path) -> None:
    (repository / "specs" / "poll.yaml").unlink()
    (repository / "specs" / "poll.yaml").symlink_to("/etc/passwd")
    git(repository, "commit", "--quiet", "--all", "--message", "A link")
    run = diff("HEAD:specs/poll.yaml", "specs/schemas.yaml")
    assert run.exit_code == 2
    assert "there is no file 'specs/poll.yaml'" in run.output


def test_a_document_with_errors_is_another_matter_than_a_difference(repository: Path) -> None:
    (repository / "specs" / "poll.yaml").write_text("asyncapi: 3.0.0\n")
    run = diff("main:specs/poll.yaml", "specs/poll.yaml")
    assert run.exit_code == 2
    assert "specs/poll.yaml has errors, so the two cannot be compared" in run.output


def test_messages_are_named_for_the_openapi_document_alone(repository: Path) -> None:
    schemas = repository / "specs" / "openapi.yaml"
    schemas.write_text(
        "openapi: 3.1.0\ninfo: {title: Poll, version: 1.0.0}\n"
        "paths: {/room: {get: {responses: {'101': {description: Hello.}}}}}\n"
        "components: {schemas: {Say: {type: object, required: [type], properties: {type: {const: say}}}}}\n"
    )
    named = ("--messages", "client=Say,server=Say", "--level", "all")
    there = diff("specs/openapi.yaml", "specs/poll.yaml", *named).output
    back = diff("specs/poll.yaml", "specs/openapi.yaml", *named).output
    assert "server-message-removed the server does not send 'Say' on '/room' any more" in there
    assert "server-message-added the server sends another message on '/room', 'Say'" in back
    assert "client-message" not in there + back


def test_levels_and_categories_say_what_is_shown(repository: Path) -> None:
    (repository / "specs" / "poll.yaml").write_text(
        OLD.replace("Poll", "Polls").replace("room:\n", "room:\n    title: A\n")
    )
    shown = diff("specs/poll.yaml", "--level", "all").output
    assert "text-changed" in shown
    assert "class-renamed" in shown
    assert "text-changed" not in diff("specs/poll.yaml").output
    assert "class-renamed" not in diff("specs/poll.yaml", "--category", "doc", "--level", "all").output
    assert diff("specs/poll.yaml", "--level", "breaking").exit_code == 0
    failing = diff("specs/poll.yaml", "--level", "breaking", "--fail-on", "warning")
    assert failing.exit_code == 1
    assert "class-renamed" in failing.output


def test_json_has_the_places_and_the_next_version(repository: Path) -> None:
    run = diff("specs/poll.yaml", "--format", "json")
    told = json.loads(run.stdout)["extra"]
    assert told["version"] == {"step": "major", "suggested": "2.0.0", "satisfied": True}
    place = "channels/room/client/Vote"
    assert {"rule": "client-message-removed", "category": "wire", "place": place} in told["changes"]


def test_accepted_changes_are_ignored_and_unused_lines_are_reported(repository: Path) -> None:
    ignore = repository / "accepted.txt"
    ignore.write_text(
        "# Votes are counted elsewhere.\n\n"
        "client-message-removed channels/*/client/Vote  # nobody votes\n"
        "server-removed **  # there was none\n"
    )
    run = diff("specs/poll.yaml", "--ignore", ignore.name)
    assert run.exit_code == 0
    assert "client-message-removed" not in run.output.replace("accepted.txt", "")
    assert "accepted.txt:4:1: warning ignore-unused no change of the rule 'server-removed' is at '**'" in run.output
    assert "1 change is ignored" in run.output


def test_explanations_have_the_line_for_the_ignore_list(repository: Path) -> None:
    run = diff("specs/poll.yaml", "--explain")
    assert "client-message-removed channels/room/client/Vote  # why" in run.output
    assert RULES["client-message-removed"].instead in run.output


def test_an_ignore_list_may_begin_with_a_byte_order_mark(repository: Path) -> None:
    (repository / "accepted.txt").write_bytes(b"\xef\xbb\xbfclient-message-removed ** # fine\r\n")
    assert diff("specs/poll.yaml", "--ignore", "accepted.txt").exit_code == 0


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"client-message-remove ** # why\n", "did you mean 'client-message-removed'?\n"),
        (b"\xff", "the ignore list 'accepted.txt' cannot be read: it is not UTF-8.\n"),
        (None, "the ignore list 'accepted.txt' cannot be read: no such file or directory.\n"),
    ],
)
def test_an_ignore_list_that_cannot_be_read_is_wrong_usage(repository: Path, content: bytes | None, why: str) -> None:
    if content is not None:
        (repository / "accepted.txt").write_bytes(content)
    run = diff("specs/poll.yaml", "--ignore", "accepted.txt")
    assert run.exit_code == 2
    assert run.output.endswith(why)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("client-message-removed channels/**", "expected 'rule place  # reason'"),
        ("client-message-remove channels/** # why", "did you mean 'client-message-removed'?"),
    ],
)
def test_lines_of_ignore_lists_have_a_rule_a_place_and_a_reason(line: str, why: str) -> None:
    with pytest.raises(ignoring.InvalidIgnores, match="list:1: ") as caught:
        ignoring.read(line, "list")
    assert why in str(caught.value)


def test_a_project_says_how_severe_a_rule_is(repository: Path) -> None:
    project = repository / "pyproject.toml"
    project.write_text('[tool.sockspec.diff.severity]\nclient-message-removed = "warning"\n')
    run = diff("specs/poll.yaml")
    assert run.exit_code == 0
    assert "warning client-message-removed" in run.output
    assert "the next version after 1.0.0 is 1.1.0" in run.output
    project.write_text('[tool.sockspec.diff]\nignore = "accepted.txt"\n')
    (repository / "accepted.txt").write_text("client-message-removed ** # fine\n")
    assert diff("specs/poll.yaml").exit_code == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("diff = 1", "is a table"),
        ("diff = {level = 1}", "unknown key 'level'"),
        ("diff = {ignore = 1}", "is the path of a file"),
        ("diff = {severity = 1}", "is a table of rules"),
        ("diff = {severity = {server-remove = 'off'}}", "did you mean 'server-removed'?"),
        ("diff = {severity = {server-removed = 'fatal'}}", "not 'fatal'"),
        ("diff = ", "is not TOML"),
    ],
)
def test_settings_that_are_not_as_they_have_to_be_are_told(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(f"[tool.sockspec]\n{text}\n")
    with pytest.raises(settings.InvalidSettings) as caught:
        settings.read(path)
    assert why in str(caught.value)


def test_a_severity_takes_the_place_of_errors_and_not_of_what_is_proven_harmless() -> None:
    found = Changes(RULES)
    for level in (Severity.ERROR, Severity.INFO):
        found.add("client-maximum-raised", (level.value,), Location("new.yaml"), level.value, severity=level)
    taken = settings.Settings({"client-maximum-raised": Severity.WARNING}).take(found.sorted())
    assert {change.place: change.rule.severity for change in taken} == {
        ("error",): Severity.WARNING,
        ("info",): Severity.INFO,
    }
    assert settings.Settings({"client-maximum-raised": None}).take(found.sorted()) == ()
