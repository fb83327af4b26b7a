"""The formats of reports: what they look like, what they mean to those who read them, and that nothing in them acts.

`tests/reports` holds what each format makes of an ordinary and of a hostile run. Read the difference before you commit
it: `SOCKSPEC_UPDATE=1 pytest tests/test_reports.py` writes all of them anew.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft202012Validator

import sockspec
from sockspec.diagnostics import Code, Diagnostic, Location, Severity
from sockspec.reports import FORMATS, Run, text
from sockspec.reports.printable import printable

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "reports"
UPDATE = os.environ.get("SOCKSPEC_UPDATE") == "1"
SUFFIXES = {
    "text": "txt",
    "json": "json",
    "sarif": "sarif",
    "junit": "junit.xml",
    "github": "github.txt",
    "gitlab": "gitlab.json",
    "checkstyle": "checkstyle.xml",
    "markdown": "md",
}

DANGLING = Code("dangling-reference", Severity.ERROR, "The reference leads nowhere. Correct its path.")
REPEATED = Code("repeated-name", Severity.WARNING, "Two things have one name. Rename one.", category="guide")
TOLD = Code("told-apart", Severity.INFO, "How messages are told apart.", page="https://example.com/rules#told-apart")

CHAT = """\
asyncapi: 3.0.0
channels:
  room: {$ref: '#/components/channels/rooom'}
  lobby:
    address: /lobby
    messages: {hello: {$ref: other.yaml#/hello}}
"""
OTHER = "hello:\n\tname: 'hello'\n"
SOURCES = {"specs/chat.yaml": CHAT, "specs/other.yaml": OTHER}


def ordinary() -> Run:
    """A run as it is every day: an error, warnings that refer to places, an information, and a file without findings."""
    first = Location("specs/other.yaml", 2, 8, "/hello/name", note="the first one")
    lobby = Location("specs/chat.yaml", 4, 3, "/channels/lobby")
    return Run(
        "lint",
        ("specs/chat.yaml", "specs/fine.yaml"),
        (
            DANGLING.at(
                Location("specs/chat.yaml", 3, 16, "/channels/room/$ref"),
                "the reference '#/components/channels/rooom' leads nowhere",
                hint="did you mean 'room'?",
            ),
            TOLD.at(lobby, "what clients may send on '/lobby' is told apart by 'type'"),
            REPEATED.at(Location("specs/chat.yaml", 6, 16), "the name 'hello' is repeated", related=[first, lobby]),
            REPEATED.at(Location("specs/other.yaml"), "the names of the file are repeated"),
        ),
        SOURCES.get,
        notes=("the next version is 2.0.0",),
        extra={"next": "2.0.0"},
        root="/srv/chat",
        documentation="https://example.com/docs",
    )


EVIL = (
    "\x1b[31m\x9b2J\r\n::error::x\u202e \x00\x7f##[add-matcher]y##vso[z] %0A ]]> <b>&amp;| `x` [a](http://evil.example) "
    "@all www.evil.example \ud800 {0}"
)
EVIL_NAME = "a b/\x1b[1m,::é\n..%.yaml"


def hostile() -> Run:
    """A run about a document that was written to act upon whoever shows what is said of it."""
    code = Code(EVIL, Severity.ERROR, "A code of a rule that others wrote.", category=EVIL)
    line = f"\t漢字e\u0301: {EVIL[:6]} ##[error] \u202e'{'x' * 300}'"
    place = Location(EVIL_NAME, 1, 2, EVIL)
    return Run(
        "validate",
        (EVIL_NAME, "-"),
        (
            code.at(place, EVIL, hint=EVIL, related=[Location(EVIL_NAME, 2, 3, note=EVIL)]),
            code.at(place, f"{EVIL} again"),
            TOLD.at(Location(EVIL_NAME, 1, 36), "in a long line"),
            TOLD.at(Location(EVIL_NAME, 9, 9), "behind the end"),
        ),
        {EVIL_NAME: f"{line}\n\t::set-output\x1b[0m"}.get,
        notes=(EVIL,),
        extra={"said": EVIL},
    )


RUNS = {"ordinary": ordinary, "hostile": hostile}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("run", RUNS)
def test_a_format_prints_what_it_printed_before(run: str, name: str) -> None:
    printed = FORMATS[name](RUNS[run]()).replace(f'"{sockspec.__version__}"', '"VERSION"')
    golden = FOLDER / f"{run}.{SUFFIXES[name]}"
    if UPDATE:
        golden.write_text(printed, encoding="utf-8", newline="\n")
    assert printed == golden.read_bytes().decode()


def test_each_format_has_a_golden_file() -> None:
    assert set(SUFFIXES) == set(FORMATS)


# --- nothing acts -----------------------------------------------------------------------------------------------------

ANY = st.text(st.characters(codec=None), max_size=30) | st.sampled_from([EVIL, "##[error]x", "::error::x", "]]>", "|"])


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Runs in which every text is anything at all."""
    path, line = draw(ANY), draw(ANY)
    code = Code(draw(ANY), draw(st.sampled_from(Severity)), draw(ANY), category=draw(ANY))
    place = Location(path, draw(st.integers(0, 2)), draw(st.integers(1, 40)), draw(ANY))
    findings = draw(st.lists(st.builds(code.at, st.just(place), ANY, hint=ANY, related=st.just([place])), max_size=3))
    return Run("validate", (path,), tuple(findings), lambda _: line, (draw(ANY),), {"x": draw(ANY)})


@given(runs())
def test_nothing_that_a_document_says_acts_upon_who_shows_it(run: Run) -> None:
    for name, printer in FORMATS.items():
        for line in printer(run).split("\n"):
            shown = line.replace("\u200b", "") if name == "markdown" else line
            assert shown.isprintable(), name
            if name in ("text", "github"):
                assert not re.search(r"##\w*\[", line)
            if name == "text":
                assert not line.lstrip().startswith("::")


@given(runs())
def test_reports_for_programs_can_be_read(run: Run) -> None:
    assert [finding["severity"] for finding in json.loads(FORMATS["json"](run))["findings"]] == [
        finding.severity.value for finding in run.findings
    ]
    assert len(json.loads(FORMATS["gitlab"](run))) == len(run.findings)
    assert invalid_sarif(FORMATS["sarif"](run)) == []
    assert len(list(ElementTree.fromstring(FORMATS["checkstyle"](run)).iter("error"))) == len(run.findings)
    assert len(list(ElementTree.fromstring(FORMATS["junit"](run)).iter("testcase"))) >= len(run.findings)
    assert len(FORMATS["github"](run).splitlines()) == len(run.findings)


@given(ANY)
def test_text_is_printed_as_it_is_where_it_can_be(text: str) -> None:
    if text.isprintable() and "##" not in text:
        assert printable(text) == text


# --- text -------------------------------------------------------------------------------------------------------------


def marked(line: str, column: int, end: tuple[int, int] = (0, 0)) -> list[str]:
    """The line of a place and the marks below it, as the text shows them."""
    finding = DANGLING.at(Location("x", 1, column, "", *end), "here")
    return text.report(Run("validate", ("x",), (finding,), lambda _: line)).splitlines()[1:3]


@pytest.mark.parametrize(
    ("line", "column", "word"),
    [
        ("key: value # why", 1, "key"),
        ("key: value # why", 6, "value"),
        ("key: two words", 6, "two words"),
        ("url: wss://example.com/a#b", 6, "wss://example.com/a#b"),
        ('"a \\" b": 1', 1, '"a \\" b"'),
        ("- 'it''s': 1", 3, "'it''s'"),
        ("- item", 1, "-"),
        ("{a: b c, d: e}", 5, "b c"),
        ("{a: [b, c]}", 9, "c"),
        ("{a: [b, c]}", 5, "["),
        ("'{': a, b", 6, "a, b"),
        ('  "size": 1.5e3,', 11, "1.5e3"),
        ('  "on": true', 9, "true"),
        ("on: true love", 5, "true love"),
        ("text: |-", 7, "|-"),
        ("a: *anchor", 4, "*anchor"),
        ("a: b # note: this", 6, "# note: this"),
        ("'never closed: 1", 1, "'never closed"),
    ],
)
def test_a_word_is_marked_to_its_end(line: str, column: int, word: str) -> None:
    shown, marks = marked(line, column)
    assert shown == f"     1 | {line}"
    assert marks == f"       | {' ' * (column - 1)}{'^' * len(word)}"
    assert line[column - 1 :].startswith(word)


def test_where_the_end_is_said_it_is_marked() -> None:
    assert marked("one two three", 5, (1, 11))[1] == "       |     ^^^^^^"


def test_what_goes_on_in_the_next_line_is_marked_to_the_end_of_its_own() -> None:
    assert marked("one two three\nfour", 5, (2, 3))[1] == "       |     ^^^^^^^^^"


def test_behind_the_end_of_a_line_one_place_is_marked() -> None:
    assert marked("key:", 5) == ["     1 | key:", "       |     ^"]


def test_marks_stand_below_wide_and_combined_characters_and_behind_tabs() -> None:
    assert marked("漢字: e\u0301e\u0301", 5) == ["     1 | 漢字: e\u0301e\u0301", "       |       ^^"]
    assert marked("a\tb: c", 3) == ["     1 | a   b: c", "       |     ^"]
    assert marked("\x1b: c", 4) == ["     1 | \\x1b: c", "       |       ^"]


def test_of_a_long_line_the_part_around_the_word_is_shown() -> None:
    line = "{" + ", ".join(f'"key{number}": {number}' for number in range(200_000)) + "}"
    shown, marks = marked(line, line.index('"key150000"') + 1)
    assert '"key150000": 150000' in shown
    assert (shown[9], shown[-1], len(shown) < 130) == ("…", "…", True)
    assert shown[marks.index("^") : marks.rindex("^") + 1] == '"key150000"'


def test_without_the_text_of_a_file_the_line_of_the_finding_stands_alone() -> None:
    finding = DANGLING.at(Location("x", 1, 1), "here")
    assert (
        text.report(Run("validate", ("x",), (finding,))) == "x:1:1: error dangling-reference here\n1 error in 1 file\n"
    )


def many(count: int, severity: Severity = Severity.WARNING) -> Run:
    code = Code("often", severity, "Often.")
    return Run("lint", ("x",), tuple(code.at(Location("x", line), "here") for line in range(1, count + 1)))


def test_of_one_rule_some_findings_are_shown_and_the_rest_is_counted() -> None:
    lines = text.report(many(60), limit=50).splitlines()
    assert (len([line for line in lines if line.endswith("here")]), lines[-3:]) == (
        50,
        ["often: 10 more, which '--limit 0' shows", "", "60 warnings in 1 file"],
    )


def test_without_a_limit_all_findings_are_shown() -> None:
    assert len(text.report(many(60), limit=None).splitlines()) == 61


def test_in_colours_the_same_is_said() -> None:
    coloured = text.report(ordinary(), colour=True)
    assert "\x1b[31;1m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == text.report(ordinary())


def test_quiet_is_silent_about_information_and_where_nothing_else_was_found() -> None:
    assert text.report(many(2, Severity.INFO), quiet=True) == ""
    assert "told-apart" not in text.report(ordinary(), quiet=True)
    assert text.report(replace(many(1, Severity.INFO), threshold=Severity.INFO), quiet=True) != ""


def test_a_clean_run_says_so() -> None:
    assert text.report(Run("validate", ("a", "b"))) == "nothing found in 2 files\n"


# --- what makes a run fail --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "threshold", "most", "failed"),
    [
        (Severity.ERROR, Severity.ERROR, None, True),
        (Severity.ERROR, None, None, False),
        (Severity.WARNING, Severity.ERROR, None, False),
        (Severity.WARNING, Severity.WARNING, None, True),
        (Severity.WARNING, Severity.ERROR, 3, False),
        (Severity.WARNING, Severity.ERROR, 2, True),
        (Severity.WARNING, None, 0, True),
        (Severity.INFO, Severity.WARNING, 0, False),
        (Severity.INFO, Severity.INFO, None, True),
    ],
)
def test_a_run_fails_by_its_threshold_or_by_too_many_warnings(
    severity: Severity, threshold: Severity | None, most: int | None, failed: bool
) -> None:
    run = replace(many(3, severity), threshold=threshold, max_warnings=most)
    assert run.failed is failed
    suites = ElementTree.fromstring(FORMATS["junit"](run))
    assert (suites.get("failures"), len(list(suites.iter("failure")))) == (("3", 3) if failed else ("0", 0))


# --- json -------------------------------------------------------------------------------------------------------------


def closed(schema: Any) -> Any:
    """The schema with no members but those that it describes."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: closed(value) for key, value in schema.items()} | (
        {"unevaluatedProperties": False} if "allOf" in schema or schema.get("type") == "object" else {}
    )


@pytest.mark.parametrize("run", RUNS)
def test_json_is_as_its_schema_says_and_has_nothing_beside(run: str) -> None:
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    told = json.loads(FORMATS["json"](RUNS[run]()))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(told)] == []
    told["extra"] = {}
    strict = closed(schema)
    # What an item of `related` has is said in two places.
    del strict["$defs"]["location"]["unevaluatedProperties"]
    assert [error.message for error in Draft202012Validator(strict).iter_errors(told)] == []


def test_json_tells_all_of_a_finding() -> None:
    found = json.loads(FORMATS["json"](ordinary()))["findings"][2]
    assert {**found, "fingerprint": ""} == {
        "code": "repeated-name",
        "severity": "warning",
        "category": "guide",
        "message": "the name 'hello' is repeated",
        "hint": "",
        "url": "https://example.com/docs/diagnostics.md#repeated-name",
        "location": {
            "path": "specs/chat.yaml",
            "line": 6,
            "column": 16,
            "end_line": 6,
            "end_column": 21,
            "pointer": "",
        },
        "related": [
            {
                "path": "specs/other.yaml",
                "line": 2,
                "column": 8,
                "end_line": 2,
                "end_column": 15,
                "pointer": "/hello/name",
                "note": "the first one",
            },
            {
                "path": "specs/chat.yaml",
                "line": 4,
                "column": 3,
                "end_line": 4,
                "end_column": 8,
                "pointer": "/channels/lobby",
                "note": "",
            },
        ],
        "fingerprint": "",
    }


# --- fingerprints -----------------------------------------------------------------------------------------------------


def moved(run: Run, lines: int) -> Run:
    """The run with everything some lines further down."""
    return replace(
        run,
        findings=tuple(
            replace(each, location=replace(each.location, line=each.location.line + lines)) for each in run.findings
        ),
    )


def prints(run: Run) -> Iterator[str]:
    return (finding["fingerprint"] for finding in json.loads(FORMATS["json"](run))["findings"])


def test_fingerprints_survive_moved_lines_and_no_two_are_the_same() -> None:
    run = replace(ordinary(), findings=ordinary().findings * 2)
    assert list(prints(run)) == list(prints(moved(run, 7)))
    assert len(set(prints(run))) == len(run.findings)


def test_another_message_another_code_or_another_file_is_another_fingerprint() -> None:
    finding = DANGLING.at(Location("x", 1, 1), "a")
    others = [
        replace(finding, message="b"),
        replace(finding, code=REPEATED),
        replace(finding, location=Location("y", 1, 1)),
        replace(finding, location=Location("x", 1, 1, "/a")),
    ]
    assert len(set(prints(Run("lint", ("x",), (finding, *others))))) == 5


# --- SARIF ------------------------------------------------------------------------------------------------------------

SARIF = Draft4Validator(json.loads((FOLDER / "schemas" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8")))


def invalid_sarif(log: str) -> list[str]:
    return [error.message for error in SARIF.iter_errors(json.loads(log))]


def sarif(run: Run) -> dict[str, Any]:
    log = FORMATS["sarif"](run)
    assert invalid_sarif(log) == []
    result: dict[str, Any] = json.loads(log)["runs"][0]
    return result


@pytest.mark.parametrize("run", RUNS)
def test_sarif_is_as_its_schema_says(run: str) -> None:
    assert invalid_sarif(FORMATS["sarif"](RUNS[run]())) == []


def test_rules_of_sarif_are_listed_once_with_help_and_level() -> None:
    rules = sarif(ordinary())["tool"]["driver"]["rules"]
    assert [(rule["id"], rule["defaultConfiguration"]["level"], rule["helpUri"]) for rule in rules] == [
        ("dangling-reference", "error", "https://example.com/docs/diagnostics.md#dangling-reference"),
        ("told-apart", "note", "https://example.com/rules#told-apart"),
        ("repeated-name", "warning", "https://example.com/docs/diagnostics.md#repeated-name"),
    ]
    assert rules[0]["shortDescription"] == {"text": "The reference leads nowhere."}
    assert rules[0]["fullDescription"] == {"text": "The reference leads nowhere. Correct its path."}


def test_a_region_of_sarif_is_the_word_and_its_text() -> None:
    places = [result["locations"][0]["physicalLocation"] for result in sarif(ordinary())["results"]]
    assert [place.get("region") for place in places] == [
        {
            "startLine": 3,
            "startColumn": 16,
            "endLine": 3,
            "endColumn": 45,
            "snippet": {"text": "'#/components/channels/rooom'"},
        },
        {"startLine": 4, "startColumn": 3, "endLine": 4, "endColumn": 8, "snippet": {"text": "lobby"}},
        {"startLine": 6, "startColumn": 16, "endLine": 6, "endColumn": 21, "snippet": {"text": "hello"}},
        None,
    ]


@pytest.mark.parametrize(
    ("path", "root", "within", "uri"),
    [
        ("a.yaml", "/repo", "", "a.yaml"),
        ("./a.yaml", "/repo", "sub", "sub/a.yaml"),
        ("../a.yaml", "/repo", "sub", "a.yaml"),
        ("/repo/b/a.yaml", "/repo", "", "b/a.yaml"),
        ("/repository/a.yaml", "/repo", "", "file:///repository/a.yaml"),
        ("/elsewhere/a b.yaml", "/repo", "", "file:///elsewhere/a%20b.yaml"),
        ("ä #1?.yaml", "/repo", "", "%C3%A4%20%231%3F.yaml"),
        ("main:specs/a.yaml", "/repo", "", "main%3Aspecs/a.yaml"),
        ("100%.yaml", "", "", "100%25.yaml"),
    ],
)
def test_files_of_sarif_are_relative_to_the_root_and_encoded(path: str, root: str, within: str, uri: str) -> None:
    run = replace(many(1), files=(path,), root=root, within=within)
    told = sarif(replace(run, findings=(DANGLING.at(Location(path, 1, 1), "here"),)))
    artifact = told["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == ({"uri": uri} if uri.startswith("file:") else {"uri": uri, "uriBaseId": "SRCROOT"})
    assert told["artifacts"][0]["location"] == artifact
    assert told["originalUriBaseIds"]["SRCROOT"].get("uri") == (f"file://{root}/" if root else None)


def test_messages_of_sarif_hold_no_link_and_no_placeholder() -> None:
    run = Run("lint", ("x",), (DANGLING.at(Location("x"), "'[a](http://b)', 'c[0]', '{0}' and '{room}'"),))
    message = sarif(run)["results"][0]["message"]["text"]
    assert message == "'\\[a](http://b)', 'c[0]', '{{0}}' and '{room}'"


# --- services ---------------------------------------------------------------------------------------------------------


def test_commands_to_github_mean_what_was_found() -> None:
    """Taken apart as the runner does: properties end at `::`, and are parted by commas."""
    for command, finding in zip(FORMATS["github"](hostile()).splitlines(), hostile().findings, strict=True):
        _, head, data = command.split("::", 2)
        kind, _, listed = head.partition(" ")
        properties = {name: unquote(value) for name, _, value in (each.partition("=") for each in listed.split(","))}
        assert kind == {"error": "error", "info": "notice"}[finding.severity.value]
        assert properties["title"] == f"sockspec {printable(finding.code.id)}"
        assert properties["line"] == str(finding.location.line)
        assert unquote(data).split("\n")[0] == printable(f"{finding.location}: {finding.message}")


def test_columns_that_span_lines_are_left_out_for_github() -> None:
    place = Location("x", 1, 5, end_line=2, end_column=3)
    assert FORMATS["github"](Run("lint", ("x",), (DANGLING.at(place, "here"),))) == (
        "::error title=sockspec dangling-reference,file=x,line=1,endLine=2::x:1:5: here\n"
    )


def test_gitlab_gets_paths_from_the_root_of_the_repository() -> None:
    run = replace(many(1), root="/repo", within="sub")
    assert json.loads(FORMATS["gitlab"](run))[0]["location"] == {"path": "sub/x", "lines": {"begin": 1, "end": 1}}


def test_a_row_of_markdown_is_a_row_whatever_it_says() -> None:
    rows = FORMATS["markdown"](hostile()).splitlines()[-4:]
    assert [row.count("|") for row in rows] == [5] * 4
    assert {tag for row in rows for tag in re.findall("<[^>]*>", row)} == {"<code>", "</code>", "<br>"}


def test_a_summary_that_would_be_too_long_is_cut_and_counts_the_rest() -> None:
    from sockspec.reports import markdown

    cut = markdown.report(many(1000), most_bytes=5000)
    assert len(cut.encode()) <= 5000
    shown = cut.count("| here |")
    assert cut.endswith(f"\n\n{1000 - shown} more findings have no place here.\n")


# --- start-up ---------------------------------------------------------------------------------------------------------


def test_for_text_only_what_text_needs_is_loaded() -> None:
    program = (
        "import sys; from sockspec.reports import FORMATS, Run; FORMATS['text'](Run('lint', ()));"
        "print(*sorted({'json', 'xml', 'hashlib', 'urllib.parse', 'click'} & set(sys.modules)))"
    )
    paths = {**os.environ, "PYTHONPATH": str(Path(sockspec.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=paths)
    assert done.stdout == "\n"


def test_links_are_absolute_or_left_out() -> None:
    for run in (ordinary(), replace(ordinary(), documentation="")):
        uris = [rule["helpUri"] for rule in sarif(run)["tool"]["driver"]["rules"] if "helpUri" in rule]
        assert all(urlsplit(uri).scheme == "https" for uri in uris)
        assert len(uris) == (3 if run.documentation else 1)


def test_a_finding_keeps_its_one_line() -> None:
    finding: Diagnostic = DANGLING.at(Location("a.yaml", 3, 4, "/x", 3, 9, "why"), "no")
    assert str(finding) == "a.yaml:3:4: error dangling-reference no"
