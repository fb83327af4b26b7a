"""What users take into their pipelines: the hooks of pre-commit, the action of GitHub, the jobs of GitLab, the page."""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from jsonschema import Draft202012Validator

import sockspec
from sockspec.cli import COMMANDS
from sockspec.reports import FORMATS
from tests.conftest import leave_out

ROOT = Path(__file__).parents[1]
HOOKS = ROOT / ".pre-commit-hooks.yaml"
ACTION = ROOT / "action.yml"
GITLAB = ROOT / "docs" / "ci" / "gitlab-ci.yml"
PAGE = ROOT / "docs" / "ci.md"

WRONG = "asyncapi: 3.0.0\ninfo: {title: Wrong, version: 1.0.0}\nchanels: {}\n"


def parsed(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps() -> dict[str, Any]:
    """The steps of the action that have a script, by id."""
    return {step["id"]: step for step in parsed(ACTION)["runs"]["steps"] if "run" in step}


def jobs() -> dict[str, Any]:
    return {name: job for name, job in parsed(GITLAB).items() if name != "variables"}


# --- every call is of a command that exists ---------------------------------------------------------------------------


def called(text: str) -> list[str]:
    """The calls of sockspec in a text of several lines; a line that ends with a backslash goes on in the next."""
    joined = text.replace("\\\n", " ")
    return re.findall(r"^\s*(sockspec [a-z].*?)(?: \|\| .*)?$", joined, re.MULTILINE)


def calls() -> dict[str, str]:
    """Each call of sockspec that users may copy, by where it stands."""
    found = {f"hook {hook['id']}": hook["entry"] for hook in parsed(HOOKS)}
    for name, job in jobs().items():
        found |= {f"{name} {number}": call for number, call in enumerate(called("\n".join(job.get("script", ()))))}
    found |= {f"page {number}": call for number, call in enumerate(called(PAGE.read_text(encoding="utf-8")))}
    script = steps()["check"]["run"].replace('"$SOCKSPEC_BIN/sockspec"', "sockspec").replace("exec ", "")
    for command in ("validate", "lint", "diff"):
        filled = script.replace('"$SOCKSPEC_COMMAND"', command)
        found |= {f"action {command} {number}": call for number, call in enumerate(called(filled))}
    return found


@pytest.mark.parametrize("where", calls())
def test_every_call_is_of_a_command_and_of_options_that_exist(where: str, request: pytest.FixtureRequest) -> None:
    words = shlex.split(calls()[where])
    if words[1] not in COMMANDS:
        leave_out(request, f"there is no command {words[1]!r}")
    command: click.Command = importlib.import_module(f"sockspec.cli.{words[1]}").command
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    before_files = words[: words.index("--")] if "--" in words else words
    used = {word.partition("=")[0] for word in before_files if word.startswith("--")}
    assert used - known == set()
    formats = [words[at + 1].partition(":")[0] for at, word in enumerate(words) if word == "--format"]
    assert set(formats) <= set(FORMATS)


def test_all_four_kinds_of_checks_are_shown_everywhere() -> None:
    kinds = {"validate", "lint", "diff", "generate"}
    assert {call.split()[1] for where, call in calls().items() if where.startswith("page")} == kinds
    assert {call.split()[1] for where, call in calls().items() if where.startswith("sockspec-")} == kinds
    assert {hook["entry"].split()[1] for hook in parsed(HOOKS)} == kinds - {"diff"}


def test_every_format_and_every_exit_code_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z]+)` \| [a-z]", page, re.MULTILINE) == list(FORMATS)
    assert re.findall(r"^\| ([0-9]) \|", page, re.MULTILINE) == ["0", "1", "2"]


def test_the_yaml_of_the_page_names_hooks_and_inputs_that_exist() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    workflow, gitlab, hooks = map(yaml.safe_load, blocks)
    used = [step for step in workflow["jobs"]["documents"]["steps"] if step["uses"].startswith("OWNER/sockspec@")]
    assert len(used) == 3
    assert {name for step in used for name in step["with"]} <= set(parsed(ACTION)["inputs"])
    assert set(gitlab["variables"]) <= set(parsed(GITLAB)["variables"])
    assert [hook["id"] for hook in hooks["repos"][0]["hooks"]] == [hook["id"] for hook in parsed(HOOKS)]


def test_the_report_on_the_page_is_as_its_schema_says() -> None:
    (example,) = re.findall(r"^```json\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8"))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(json.loads(example))] == []


# --- the files are of the form that services want ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "options"),
    [
        (ACTION, ["--builtin-schema", "vendor.github-actions"]),
        (GITLAB, ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
        (ROOT / "docs" / "report.schema.json", ["--check-metaschema"]),
    ],
    ids=["action", "gitlab", "report"],
)
def test_the_file_is_as_its_published_schema_says(path: Path, options: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *options, str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "ok -- validation done\n")


def test_hooks_have_what_pre_commit_requires() -> None:
    assert [sorted({"id", "name", "entry", "language"} - set(hook)) for hook in parsed(HOOKS)] == [[], [], []]


def test_hooks_take_documents_by_their_names() -> None:
    pattern = parsed(HOOKS)[0]["files"]
    names = ["chat.asyncapi.yaml", "specs/AsyncAPI.json", "openapi.yml", "asyncapi/readme.md", "other.yaml"]
    assert [bool(re.search(pattern, name)) for name in names] == [True, True, True, False, False]


# --- scripts ----------------------------------------------------------------------------------------------------------


def scripts() -> dict[str, str]:
    found = {f"action {name}": step["run"] for name, step in steps().items()}
    for name, job in jobs().items():
        lines = [*job.get("before_script", ()), *job.get("script", ())]
        found[f"gitlab {name}"] = "\n".join(lines)
    return found


@pytest.mark.parametrize("name", scripts())
def test_a_script_is_one_for_the_shell(name: str) -> None:
    assert subprocess.run(["bash", "-n"], input=scripts()[name], text=True, check=False).returncode == 0


def test_scripts_of_the_action_have_no_expressions() -> None:
    assert [name for name, step in steps().items() if "${{" in step["run"]] == []


def executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    path.chmod(0o755)


@pytest.fixture
def runner(tmp_path: Path) -> dict[str, str]:
    """The environment of a job, in which `sockspec` is ours and tells what it was called with in `calls`."""
    executable(
        tmp_path / "bin" / "sockspec",
        f'#!/bin/sh\nprintf "%s\\n" "$@" >> "{tmp_path}/calls"\nexec "{sys.executable}" -m sockspec "$@"\n',
    )
    (tmp_path / "temporary").mkdir()
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("GITHUB", "CI", "GITLAB"))},
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(Path(sockspec.__file__).parents[1]),
        "RUNNER_TEMP": str(tmp_path / "temporary"),
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_ACTIONS": "true",
        "SOCKSPEC_BIN": str(tmp_path / "bin"),
        "SOCKSPEC_COMMAND": "validate",
        "SOCKSPEC_SPECS": "",
        "SOCKSPEC_ARGUMENTS": "",
        "SOCKSPEC_FAIL_ON": "error",
        "SOCKSPEC_SARIF": "",
        "SOCKSPEC_UPLOAD": "false",
    }


def run(script: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A script as the runner of GitHub runs it."""
    file = folder / "script.sh"
    file.write_text(script, encoding="utf-8", newline="\n")
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(file)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_action_prints_annotates_sums_up_and_says_where_its_sarif_is(
    tmp_path: Path, runner: dict[str, str]
) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG, encoding="utf-8")
    given = {
        "SOCKSPEC_SPECS": "*.yaml\r\n",
        "SOCKSPEC_ARGUMENTS": "--max-warnings\n3",
        "SOCKSPEC_SARIF": "out/it.sarif",
    }
    done = run(steps()["check"]["run"], tmp_path, {**runner, **given})
    assert (done.returncode, done.stderr) == (1, "")
    assert "wrong.yaml:3:1: error unknown-property" in done.stdout
    assert "\n::error title=sockspec unknown-property,file=wrong.yaml,line=3," in done.stdout
    assert (tmp_path / "summary").read_text(encoding="utf-8").startswith("### sockspec validate: 1 error")
    assert (tmp_path / "outputs").read_text(encoding="utf-8") == f"sarif={tmp_path}/out/it.sarif\n"
    assert (tmp_path / "out" / "it.sarif").is_file()


def test_what_is_given_to_the_action_is_never_a_part_of_its_script(tmp_path: Path, runner: dict[str, str]) -> None:
    evil = ["$(touch pwned)", "`touch pwned`", '"; touch pwned; "', "--help", "a b", "*"]
    recorded = f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/calls"\n'
    executable(tmp_path / "bin" / "sockspec", recorded)
    given = {"SOCKSPEC_SPECS": "\n".join(evil), "SOCKSPEC_FAIL_ON": evil[0], "SOCKSPEC_ARGUMENTS": evil[1]}
    done = run(steps()["check"]["run"], tmp_path, {**runner, **given})
    told = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert (done.returncode, (tmp_path / "pwned").exists()) == (0, False)
    assert told[:3] == ["validate", "--fail-on", evil[0]]
    assert told[told.index("--") - 1 :] == [evil[1], "--", *evil]


@pytest.mark.parametrize("given", [{"SOCKSPEC_COMMAND": "rm"}, {"SOCKSPEC_SARIF": "a\nb=c"}])
def test_the_action_refuses_what_it_cannot_do(given: dict[str, str], tmp_path: Path, runner: dict[str, str]) -> None:
    done = run(steps()["check"]["run"], tmp_path, {**runner, **given})
    assert (done.returncode, done.stdout[:9], (tmp_path / "calls").exists()) == (2, "::error::", False)


def test_wrong_usage_of_the_action_gives_no_sarif(tmp_path: Path, runner: dict[str, str]) -> None:
    done = run(steps()["check"]["run"], tmp_path, {**runner, "SOCKSPEC_SPECS": "missing.yaml"})
    assert (done.returncode, (tmp_path / "outputs").exists()) == (2, False)


def test_the_action_checks_generated_packages(tmp_path: Path, runner: dict[str, str]) -> None:
    done = run(steps()["check"]["run"], tmp_path, {**runner, "SOCKSPEC_COMMAND": "generate"})
    assert (tmp_path / "calls").read_text(encoding="utf-8").splitlines() == ["generate", "--check", "--"]
    assert (done.returncode, "[tool.sockspec]" in done.stderr) == (2, True)


def test_the_action_installs_what_stands_beside_it(tmp_path: Path, runner: dict[str, str]) -> None:
    environment = tmp_path / "temporary" / "sockspec-environment"
    executable(tmp_path / "bin" / "python", f'#!/bin/sh\necho "python $@" >> "{tmp_path}/calls"\n')
    executable(environment / "bin" / "python", f'#!/bin/sh\necho "its $@" >> "{tmp_path}/calls"\n')
    done = run(steps()["install"]["run"], tmp_path, {**runner, "GITHUB_ACTION_PATH": "/the/action"})
    assert done.returncode == 0
    assert (tmp_path / "calls").read_text(encoding="utf-8").splitlines() == [
        f"python -m venv {environment}",
        "its -m pip install --quiet --disable-pip-version-check /the/action",
    ]
    assert (tmp_path / "outputs").read_text(encoding="utf-8") == f"bin={environment}/bin\n"


def test_the_jobs_of_gitlab_install_check_and_write_their_reports(tmp_path: Path, runner: dict[str, str]) -> None:
    (tmp_path / "specs" / "deep").mkdir(parents=True)
    (tmp_path / "specs" / "deep" / "wrong.yaml").write_text(WRONG, encoding="utf-8")
    executable(tmp_path / "bin" / "python", f'#!/bin/sh\necho "$@" >> "{tmp_path}/installed"\n')
    variables = {**parsed(GITLAB)["variables"], "SOCKSPEC_PACKAGE": "sockspec; touch pwned"}
    job = "\n".join([*jobs()[".sockspec"]["before_script"], *jobs()["sockspec-validate"]["script"]])
    done = run(job, tmp_path, {**runner, **variables, "GITHUB_ACTIONS": "", "GITLAB_CI": "true"})
    assert done.returncode == 1
    assert (tmp_path / "installed").read_text(encoding="utf-8").endswith("-check sockspec; touch pwned\n")
    assert "specs/deep/wrong.yaml:3:1: error unknown-property" in done.stdout
    reports = jobs()[".sockspec"]["artifacts"]["reports"]
    assert [(tmp_path / name).is_file() for name in (*reports.values(), "pwned")] == [True, True, False]
