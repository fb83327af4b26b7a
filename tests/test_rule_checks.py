"""What rules find, held to what other programs do with the same text, and to what they cost."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from sockspec.diagnostics import Code, Diagnostic, Location, Report, Severity
from sockspec.rules.rule import Rule
from sockspec.rules.saying import each_or_most, listed
from sockspec.rules.subject import Subject
from sockspec.rules.table import findings, rules
from sockspec.spec.resolve import Documents
from sockspec.spec.source import Unreadable, load_text
from sockspec.spec.version import Kind, Specification

from .reference import codes

OF_OPTIONS = {"channels-chosen", "messages-named"}
"""What is said of options, and not of documents."""

OF_OTHER_FILES = {"ignore-unused", "script-unknown-problem"}
"""What is said of lists of changes to ignore, and of the scripts of mock servers."""

LACKING = Code("lacking", Severity.INFO, "Something is lacking.")


def found(text: str, *names: str) -> list[Diagnostic]:
    """What rules say of a text that is read as AsyncAPI 3."""
    report = Report()
    document = load_text(text, path=Path("/nowhere/document.yaml"), name="document.yaml", report=report)
    subject = Subject(Documents(document, report), Kind(Specification.ASYNCAPI_3, "3.0"))
    asked: list[Rule] = [rules()[name] for name in names]
    return list(findings(asked, subject))


def value(text: str) -> object:
    """The value that YAML 1.2 gives, or None where there is none."""
    try:
        read = load_text(f"x: {text}\n", path=Path("/nowhere/document.yaml"), report=Report()).value
    except Unreadable:
        return None
    return read.get("x") if isinstance(read, dict) else None


def old_value(text: str) -> object:
    """The value that a reader of YAML 1.1 gives, or None where it gives none."""
    try:
        read = yaml.safe_load(f"x: {text}\n")
    except (yaml.YAMLError, ValueError):
        return None
    return read.get("x") if isinstance(read, dict) else None


@given(
    st.one_of(
        st.text("0123456789_:.-+", min_size=1, max_size=8),
        st.sampled_from(["yes", "No", "ON", "oFF", "off", "y", "n", "true", "null", "0b11", "no more", "on: off"]),
        st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9](T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z)?", fullmatch=True),
    )
)
@example("12_000")
@example("1:30")
@example("017")
def test_a_text_that_readers_of_yaml_1_1_take_for_something_else_is_found_and_no_other(text: str) -> None:
    new, old = value(text), old_value(text)
    if new is None:
        return
    said = [one for one in found(f"x: {text}\n", "yaml-1-1", "yaml-date") if one.location.pointer == "/x"]
    if isinstance(new, str) and old is not None and not isinstance(old, str):
        assert len(said) == 1
    elif type(new) is type(old) and new == old:
        assert said == []


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("on:\n  - no\n", [(1, 1), (2, 5)]),
        ("a: {b: no, c: [yes, 'no'], d: no more}\n", [(1, 8), (1, 16)]),
        ("a: |\n  no\n  b: yes\n", []),
        ('{"a": "no", "b": ["yes"]}\n', []),
        ("a: 'no' # no\nb: no # yes\n", [(2, 4)]),
        ("a: no\r\nb: no, yes\r\n", [(1, 4)]),
    ],
)
def test_words_are_found_where_they_are_whole_values_or_keys(text: str, places: list[tuple[int, int]]) -> None:
    assert [(one.location.line, one.location.column) for one in found(text, "yaml-1-1")] == places


def test_the_place_has_the_pointer_of_the_value() -> None:
    assert [one.location.pointer for one in found("a/b:\n  - c: no\n", "yaml-1-1")] == ["/a~1b/0/c"]


@pytest.mark.parametrize(
    ("broken", "count", "said"),
    [
        (2, 2, ["m0 lacks", "m1 lacks"]),
        (5, 5, [f"m{n} lacks" for n in range(5)]),
        (6, 6, ["all 6 messages lack it"]),
        (6, 12, ["6 of the 12 messages lack it"]),
        (6, 13, [f"m{n} lacks" for n in range(6)]),
        (13, 1000, ["13 of the 1,000 messages lack it"]),
        (6, None, ["6 messages lack it"]),
    ],
)
def test_what_most_parts_lack_is_said_once(broken: int, count: int | None, said: list[str]) -> None:
    places = [(Location("document.yaml", n + 1, 1), f"m{n} lacks") for n in range(broken)]
    assert [one.message for one in each_or_most(LACKING, places, count, "messages lack it")] == said


def test_names_are_listed_up_to_three() -> None:
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed("abcde") == "'a', 'b', 'c' and 2 more"


def test_everything_that_is_said_of_a_document_and_is_no_error_can_be_configured() -> None:
    said = {code.id for code in codes() if code.severity is not Severity.ERROR or code.tolerable}
    assert said - rules().keys() == OF_OPTIONS | OF_OTHER_FILES
