"""`sockspec lint`: its options, where it finds its configuration, and what it says of wrong usage."""

from __future__ import annotations

import json
from pathlib import Path

import click.testing
import pytest

from sockspec.cli import main
from tests.test_lint import linted

ROOMS = """\
asyncapi: 3.0.0
info: {title: Rooms, version: 1.0.0}
channels:
  one: {address: '/a/{x}'}
  two: {address: '/b/{x}'}
operations: {}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which the command is called."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, **files: str) -> None:
    """Files of a folder; underscores in names stand for dots."""
    for name, text in files.items():
        path = folder / name.replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def found(*arguments: str) -> list[str]:
    """What is found: the severity, the rule and the line of each."""
    printed, code = linted(*arguments, form="json")
    assert code in (0, 1), printed
    listed = json.loads(printed)["findings"]
    return [f"{each['severity']} {each['code']} {each['location']['line']}" for each in listed]


def wrong(*arguments: str) -> str:
    """What is said of wrong usage."""
    printed, code = linted(*arguments)
    assert code == 2, printed
    return printed.partition("Error: ")[2].strip()


SELECT = ("--select", "undeclared-parameter,stale-baseline")
"""What these tests are about, whatever else there is to say of the document."""

# --- configuration --------------------------------------------------------------------------------------------------


def test_the_nearest_configuration_above_the_document_counts(here: Path) -> None:
    rule = "[tool.sockspec.lint.rules]\nundeclared-parameter = "
    (here / "api" / "v1").mkdir(parents=True)
    written(here, pyproject_toml=f'{rule}"off"\n')
    written(here / "api", pyproject_toml=f'{rule}"info"\n')
    written(here / "api" / "v1", rooms_yaml=ROOMS, pyproject_toml="[tool.other]\n")
    assert found("api/v1/rooms.yaml", *SELECT) == ["info undeclared-parameter 4", "info undeclared-parameter 5"]
    assert found("api/v1/rooms.yaml", *SELECT, "--config", "pyproject.toml") == []
    assert found("api/v1/rooms.yaml", *SELECT, "--no-config")[0] == "error undeclared-parameter 4"


def test_each_document_has_the_configuration_of_its_folder(here: Path) -> None:
    (here / "a").mkdir()
    (here / "b").mkdir()
    written(here / "a", rooms_yaml=ROOMS, pyproject_toml='[tool.sockspec.lint.rules]\nundeclared-parameter = "off"\n')
    written(here / "b", rooms_yaml=ROOMS, pyproject_toml='[tool.sockspec.lint.rules]\nundeclared-parameter = "warn"\n')
    printed, _ = linted("a/rooms.yaml", "b/rooms.yaml", *SELECT)
    assert "a/rooms.yaml:" not in printed
    assert "b/rooms.yaml:4:18: warning undeclared-parameter" in printed


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ("presett = 'all'", "there is no key 'presett'; did you mean 'preset'?"),
        ("preset = 'al'", "there is no preset 'al'; did you mean 'all'?"),
        ("guide = 1", "'guide' is true or false, not 1"),
        ("rulesets = ['guidance']", "there is no rule set 'guidance'; did you mean 'guide'?"),
        ("rules = { undeclared-parametre = 'off' }", "there is no rule 'undeclared-parametre'; did you mean "),
        (
            "rules = { undeclared-parameter = 'of' }",
            "'of' is no level for the rule 'undeclared-parameter'; there are: off",
        ),
        ("rules = { undeclared-parameter = 0 }", "'rules' has a level for each rule: 'off', 'info', 'warn' or 'error'"),
        (
            "rules = { wrong-type = 'off' }",
            "'wrong-type' is no rule: it is an error of reading, and cannot be configured",
        ),
        ("overrides = [{ rules = {} }]", "an override names 'files', 'pointers' or both"),
        ("overrides = [{ file = 'a' }]", "there is no key 'file'; did you mean 'files'?"),
        ("overrides = [{ pointers = 'a' }]", "the pointer 'a' does not begin with '/'"),
        ("overrides = 1", "'overrides' is a list of tables: [[tool.sockspec.lint.overrides]]"),
        ("exclude = [1]", "'exclude' is a list of texts, not [1]"),
        ("baseline = 1", "'baseline' is the path of a file, not 1"),
        ("extends = 'acme'", "there is no configuration 'acme'; a file to extend ends with '.toml'"),
        ("extends = 'pyproject.toml'", "it extends itself"),
        ("extends = 'none.toml'", "cannot be read: no such file or directory"),
        ("preset =", "is not TOML"),
    ],
)
def test_a_configuration_that_is_not_understood_is_wrong_usage(here: Path, configuration: str, said: str) -> None:
    written(here, pyproject_toml=f"[tool.sockspec.lint]\n{configuration}\n", rooms_yaml=ROOMS)
    message = wrong("rooms.yaml")
    assert said in message
    assert "pyproject.toml" in message or "none.toml" in message


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name the documents to lint."),
        (["rooms.yaml", "--rule", "undeclared-parameter"], "--rule takes 'ID=LEVEL', not 'undeclared-parameter'."),
        (["rooms.yaml", "--rule", "zzz=off"], "there is no rule 'zzz'"),
        (["rooms.yaml", "--select", "correctnes"], "there is no rule 'correctnes'"),
        (["rooms.yaml", "--ruleset", "none"], "there is no rule set 'none'; there are: "),
        (["rooms.yaml", "--ignore", "undeclared-parametr"], "did you mean 'undeclared-parameter'?"),
        (["rooms.yaml", "--config", "a.toml", "--no-config"], "--config and --no-config exclude each other."),
        (["rooms.yaml", "--config", "a.toml"], "cannot be read"),
        (["rooms.yaml", "--baseline", "none.json"], "there is no baseline 'none.json'; --update-baseline writes it."),
        (["rooms.yaml", "--baseline", "rooms.yaml"], "'rooms.yaml' is no baseline of version 1"),
        (["rooms.yaml", "--update-baseline"], "--update-baseline needs a file"),
        (["none.yaml"], "'none.yaml' cannot be read"),
        (["--explain", "undeclared"], "there is no rule 'undeclared'"),
    ],
)
def test_wrong_usage_ends_with_two(here: Path, arguments: list[str], said: str) -> None:
    written(here, rooms_yaml=ROOMS)
    message = wrong(*arguments)
    assert said in message
    assert message[-2:] not in ("..", "?.")


BASELINE = ("--baseline", "base.json", *SELECT)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), ["warning guide-wss 3"]),
        (("--ruleset", "guide"), ["error guide-wss 3"]),
        (("--preset", "minimal"), []),
        (("--preset", "minimal", "--ruleset", "guide"), ["error guide-wss 3"]),
        (("--no-guide",), []),
        (("--no-guide", "--rule", "guide-wss=info"), ["info guide-wss 3"]),
        (("--ignore", "guide-wss"), []),
    ],
)
def test_the_guide_warns_unless_it_is_asked_in_earnest(here: Path, options: tuple[str, ...], said: list[str]) -> None:
    servers = "servers: {one: {host: example.com, protocol: ws}}\n"
    written(here, rooms_yaml=ROOMS.replace("channels:", f"{servers}channels:"))
    assert [each for each in found("rooms.yaml", *options) if "guide-wss" in each] == said


# --- rules in words -------------------------------------------------------------------------------------------------


def test_rules_are_listed_with_the_levels_that_they_have(here: Path) -> None:
    written(here, pyproject_toml='[tool.sockspec.lint.rules]\nasyncapi2-channel-parameters = "info"\n')
    printed, code = linted("--list-rules", "--rule", "unused-suppression=off")
    rows = [line.split()[:3] for line in printed.splitlines()]
    assert code == 0
    assert rows[0] == ["rule", "level", "group"]
    assert ["undeclared-parameter", "info", "correctness"] in rows
    assert ["unused-suppression", "off", "suppressions"] in rows


def test_a_rule_is_explained_by_any_of_its_names() -> None:
    printed, code = linted("--explain", "asyncapi3-channel-parameters", "--no-config")
    assert code == 0
    assert printed.startswith("undeclared-parameter (error)\n  group: correctness\n")
    assert "Wrong:\n\n    channels:\n" in printed
    assert "\n--fix adds the parameter" in printed


# --- baselines ------------------------------------------------------------------------------------------------------


def test_only_what_is_new_is_told_once_a_baseline_is_written(here: Path) -> None:
    written(here, rooms_yaml=ROOMS)
    printed, code = linted("rooms.yaml", *BASELINE, "--update-baseline")
    assert (printed.splitlines()[0], code) == ("base.json: 2 findings", 0)
    assert linted("rooms.yaml", *BASELINE)[1] == 0
    before = Path("base.json").read_text(encoding="utf-8")
    # Lines above and beside it do not make it another finding; what is written there does.
    moved = ROOMS.replace("channels:", "# more\n\nchannels:\n  zero: {address: /z}").replace(
        "two: {", "two: {title: T, "
    )
    written(here, rooms_yaml=moved)
    assert found("rooms.yaml", *BASELINE) == []
    linted("rooms.yaml", *BASELINE, "--update-baseline")
    assert Path("base.json").read_text(encoding="utf-8") == before
    written(here, rooms_yaml=ROOMS.replace("/b/", "/c/"))
    assert found("rooms.yaml", *BASELINE) == [
        "warning stale-baseline 11",
        "error undeclared-parameter 5",
    ]


def test_a_baseline_keeps_what_was_not_looked_for(here: Path) -> None:
    written(here, one_yaml=ROOMS, two_yaml=ROOMS)
    both = (*BASELINE, "--update-baseline")
    linted("one.yaml", "two.yaml", *both)
    before = Path("base.json").read_text(encoding="utf-8")
    linted("one.yaml", *both)
    assert Path("base.json").read_text(encoding="utf-8") == before
    linted("one.yaml", "--select", "unused-suppression", "--baseline", "base.json", "--update-baseline")
    assert Path("base.json").read_text(encoding="utf-8") == before
    Path("two.yaml").unlink()
    linted("one.yaml", *both)
    assert {entry["file"] for entry in json.loads(Path("base.json").read_text())["findings"]} == {"one.yaml"}


def test_errors_of_reading_never_go_into_a_baseline(here: Path) -> None:
    written(here, rooms_yaml=ROOMS.replace("1.0.0}", "1.0}"))
    printed, code = linted("rooms.yaml", *BASELINE, "--update-baseline")
    assert code == 1
    assert "error wrong-type" in printed
    assert {entry["rule"] for entry in json.loads(Path("base.json").read_text())["findings"]} == {
        "undeclared-parameter"
    }


def test_what_two_documents_share_is_in_the_baseline_once(here: Path) -> None:
    shared = ROOMS.replace("{address: '/a/{x}'}", "{$ref: 'room.yaml#/room'}")
    written(here, one_yaml=shared, two_yaml=shared, room_yaml="room: {address: '/shared/{x}'}\n")
    linted("one.yaml", "two.yaml", *BASELINE, "--update-baseline")
    entries = json.loads(Path("base.json").read_text())["findings"]
    assert [entry["count"] for entry in entries if entry["file"] == "room.yaml"] == [1]
    assert found("one.yaml", "two.yaml", *BASELINE) == []
    assert found("two.yaml", *BASELINE) == []


# --- where documents come from --------------------------------------------------------------------------------------


def test_standard_input_has_the_configuration_of_the_file_that_it_stands_for(here: Path) -> None:
    (here / "api").mkdir()
    written(here / "api", pyproject_toml='[tool.sockspec.lint.rules]\nundeclared-parameter = "info"\n')
    arguments = ["lint", "-", "--stdin-filename", "api/rooms.yaml", "--no-color", *SELECT]
    done = click.testing.CliRunner().invoke(main, arguments, input=ROOMS)
    assert "api/rooms.yaml:4:18: info undeclared-parameter" in done.output
    assert done.exit_code == 0


def test_a_comment_without_end_costs_no_more_than_its_length(here: Path) -> None:
    """Names that nobody knows are compared with those of rules only so often."""
    lines = "".join(f"# lint-ignore: undeclared-parametre{n} -- no\n" for n in range(3000))
    written(here, rooms_yaml=lines + ROOMS)
    printed, _ = linted("rooms.yaml", "--select", "suppressions", "--limit", "0")
    assert printed.count("there is no rule 'undeclared-parametre") == 3000
    assert printed.count("did you mean 'undeclared-parameter'?") == 50
