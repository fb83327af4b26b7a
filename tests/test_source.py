"""Text of files to values and places."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sockspec.diagnostics import Diagnostic, Report
from sockspec.spec import read_yaml
from sockspec.spec.source import MAX_BYTES, Document, Json, Unreadable, escape, load, load_text, unescape
from sockspec.spec.text import MAX_DEPTH, MAX_DIGITS, Text
from tests.written import Layout, Written, write


def read(text: str | bytes, *, suffix: str = "yaml", any_root: bool = True) -> tuple[Document, list[str]]:
    """A document of this text, and what was reported about it."""
    report = Report()
    name = f"d.{suffix}"
    document = load_text(text, path=Path(f"/nowhere/{name}"), name=name, report=report, any_root=any_root)
    return document, [short(diagnostic) for diagnostic in report.sorted()]


def value(text: str | bytes, *, suffix: str = "yaml") -> Json:
    """The value of a text about which nothing is reported."""
    document, reported = read(text, suffix=suffix)
    assert reported == []
    return document.value


def refused(text: str | bytes, *, suffix: str = "yaml", any_root: bool = True) -> list[str]:
    """Why a text gives no value."""
    with pytest.raises(Unreadable) as caught:
        read(text, suffix=suffix, any_root=any_root)
    return [short(diagnostic) for diagnostic in caught.value.diagnostics]


def short(diagnostic: Diagnostic) -> str:
    """Line, column and code."""
    place = diagnostic.location
    return f"{place.line}:{place.column} {diagnostic.code.id}"


def place(document: Document, pointer: str, *, key: bool = False) -> tuple[int, int]:
    """Line and column."""
    found = document.locate(pointer, key=key)
    assert found.path == document.name
    assert found.pointer == pointer
    return found.line, found.column


# --- values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        *[(word, word) for word in ("yes", "no", "on", "off", "y", "N", "NO", "Yes", "nUll", "tRUE", "=")],
        *[(word, None) for word in ("null", "Null", "NULL", "~", "")],
        *[(word, True) for word in ("true", "True", "TRUE")],
        *[(word, False) for word in ("false", "False", "FALSE")],
        *[(word, word) for word in ("2024-01-01", "2001-12-14t21:59:43.10-05:00", "1:30", "12:30:45", "1_000")],
        *[("0", 0), ("-1", -1), ("+12", 12), ("017", 17), ("0o17", 15), ("0x1F", 31), ("0b1", "0b1"), ("0O17", "0O17")],
        *[("1.0", 1.0), ("-0.5", -0.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("1.5E-3", 0.0015), ("1e", "1e")],
        *[("1.2.3", "1.2.3"), (".", "."), ("-", ["-"]), ("+", "+"), ("0x", "0x"), ("1.5.", "1.5."), ("3.0.0", "3.0.0")],
    ],
)
def test_plain_scalars_follow_the_core_schema_of_yaml_1_2(written: str, expected: Json) -> None:
    if written == "-":
        assert value("- -") == [[None]]
        return
    found = value(f"- {written}")
    assert isinstance(found, list)
    assert found[0] == expected
    assert type(found[0]) is type(expected)


def test_quoted_scalars_are_text() -> None:
    assert value("""- "1"\n- 'true'\n- "null"\n- |\n  12\n- >-\n  1.5\n""") == ["1", "true", "null", "12\n", "1.5"]


def test_keys_are_text_as_it_is_written() -> None:
    text = "200: a\nno: b\n~: c\n1.50: d\n0x1F: e\n2024-01-01: f\ntrue: g\n'5': h\n"
    keys = ["200", "no", "~", "1.50", "0x1F", "2024-01-01", "true", "5"]
    found = value(text)
    assert isinstance(found, dict)
    assert list(found) == keys


def test_tags_of_json_types_are_read() -> None:
    text = '[!!str 12, !!int "12", !!float "1.5", !!bool "true", !!null "", ! 12, !!map {}, !!seq []]'
    assert value(f"x: {text}") == {"x": ["12", 12, 1.5, True, None, "12", {}, []]}


@pytest.mark.parametrize("tag", ["!secret", "!!python/object/apply:os.system", "!!set", "!<tag:example.com,2024:x>"])
def test_other_tags_are_errors_at_their_place(tag: str) -> None:
    assert read(f"a: 1\nb:\n  c: {tag} {{}}\n")[1] == ["3:6 unknown-tag"]


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_repeated_key_is_reported_and_the_last_value_counts(suffix: str) -> None:
    document, reported = read('{"a": {"x": 1},\n "b": 2,\n "a": {"y": [3]}}', suffix=suffix)
    assert document.value == {"a": {"y": [3]}, "b": 2}
    assert reported == ["3:2 duplicate-key"]
    assert place(document, "/a", key=True) == (3, 2)
    assert place(document, "/a/y/0") == (3, 14)
    assert place(document, "/b") == (2, 7)


def test_a_repeated_key_of_block_yaml_is_reported_with_the_first_place() -> None:
    report = Report()
    load_text("a: 1\nb: 2\na: 3\n", path=Path("/d.yaml"), name="d.yaml", report=report)
    (found,) = report.sorted()
    assert str(found) == "d.yaml:3:1: error duplicate-key the key 'a' is repeated"
    assert [str(place) for place in found.related] == ["d.yaml:1:1"]


# --- aliases ---------------------------------------------------------------------------------------------------------


def test_an_alias_is_the_same_value_and_has_a_place_of_its_own() -> None:
    document, _ = read("a: &x {k: [1]}\nb: *x\n")
    assert isinstance(document.value, dict)
    assert document.value["a"] is document.value["b"]
    assert place(document, "/b") == (2, 4)
    assert place(document, "/b/k/0") == (1, 12)


def test_an_alias_of_a_scalar_may_be_a_key() -> None:
    assert value("a: &x 10\n*x : b\n&y c: d\ne: *y\n") == {"a": 10, "10": "b", "c": "d", "e": "c"}


def test_merge_keys_add_what_is_absent() -> None:
    document, reported = read("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  y: 0\n  <<: [*a, *b]\nd: {<<: *a}\n")
    assert document.value == {
        "a": {"x": 1, "y": 2},
        "b": {"y": 3, "z": 4},
        "c": {"y": 0, "x": 1, "z": 4},
        "d": {"x": 1, "y": 2},
    }
    assert reported == ["5:3 merge-key", "6:5 merge-key"]
    assert place(document, "/c/x", key=True) == (1, 8)
    assert place(document, "/c/y") == (4, 6)
    assert place(document, "/c/z") == (2, 17)


@pytest.mark.parametrize("text", ["<<: {x: 1}", '"<<": &a {x: 1}', "<<: [{x: 1}]", "<<: 1", "<<: []"])
def test_a_key_that_only_looks_like_a_merge_is_a_key(text: str) -> None:
    found = value(text)
    assert isinstance(found, dict)
    assert list(found) == ["<<"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &a [*a]", "1:8 bad-alias"),
        ("a: &a\n  b: {c: *a}", "2:10 bad-alias"),
        ("a: *b\nb: &b 1", "1:4 bad-alias"),
        ("a: &a {x: 1}\n*a : 1", "2:1 bad-key"),
        ("{a: 1}: 2", "1:1 bad-key"),
        ("? - a\n: b", "1:3 bad-key"),
        ("&a a: {<<: *a, <<: *a}", None),
    ],
)
def test_aliases_and_keys_that_have_no_meaning_are_errors(text: str, expected: str | None) -> None:
    if expected is None:
        assert read(text)[1] == ["1:16 duplicate-key"]
        return
    assert refused(text) == [expected]


def test_aliases_that_stand_for_too_much_are_an_error() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
    assert refused("\n".join(lines)) == ["6:45 bad-alias"]


def test_merges_that_stand_for_too_much_are_an_error() -> None:
    wide = "a: &a {" + ", ".join(f"k{n}: 1" for n in range(10_000)) + "}\n"
    assert refused(wide + "".join(f"b{n}: {{<<: *a}}\n" for n in range(200))) == ["51:11 bad-alias"]


def test_aliases_that_nest_too_deeply_are_an_error() -> None:
    lines = ["- &a0 []"] + [f"- &a{n} [*a{n - 1}]" for n in range(1, MAX_DEPTH + 1)]
    assert refused("\n".join(lines)) == [f"{MAX_DEPTH}:{7 + len(str(MAX_DEPTH - 1))} too-deep"]


# --- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["yaml", "json"])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_is_read_up_to_the_limit(suffix: str, opening: str, closing: str) -> None:
    def nested(depth: int) -> str:
        return opening * depth + ("0" if closing == "}" else "") + closing * depth

    document, reported = read(nested(MAX_DEPTH), suffix=suffix)
    assert reported == []
    deepest = "/a" * MAX_DEPTH if closing == "}" else "/0" * (MAX_DEPTH - 1)
    assert place(document, deepest)[1] == len(opening) * (MAX_DEPTH if closing == "}" else MAX_DEPTH - 1) + 1
    assert refused(nested(MAX_DEPTH + 1), suffix=suffix) == [f"1:{MAX_DEPTH * len(opening) + 1} too-deep"]


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "? " * 50_000, '{"a":' * 50_000, "# x\n" + "[" * 9999])
def test_absurd_nesting_is_refused_without_harm(text: str) -> None:
    assert [found.rpartition(" ")[2] for found in refused(text)] in (["too-deep"], ["bad-key"])


@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        (".nan", "yaml"),
        (".inf", "yaml"),
        ("-.INF", "yaml"),
        ("1e999", "yaml"),
        ("9" * (MAX_DIGITS + 1), "yaml"),
        ("0x" + "f" * MAX_DIGITS, "yaml"),
        ("!!float .nan", "yaml"),
    ],
)
def test_numbers_that_json_lacks_are_reported(text: str, suffix: str) -> None:
    assert read(f"a: {text}", suffix=suffix)[1] == ["1:4 bad-number"]


@pytest.mark.parametrize("number", ["1e999", "-1E+400", "9" * (MAX_DIGITS + 1), "9" * 5000, "1.5e999"])
def test_numbers_out_of_range_are_errors_in_json(number: str) -> None:
    assert refused(f'{{"a": 1, "b": {number}}}', suffix="json") == ["1:15 bad-number"]


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_long_integers_are_read_exactly(suffix: str) -> None:
    assert value(f'{{"a": {"9" * MAX_DIGITS}}}', suffix=suffix) == {"a": int("9" * MAX_DIGITS)}


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(Unreadable, match="more than 67108864 bytes"):
        load(path, report=Report())


# --- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_byte_order_mark_is_no_part_of_the_text(suffix: str) -> None:
    document, reported = read(b'\xef\xbb\xbf{"a": 1}', suffix=suffix)
    assert (document.value, reported, place(document, "/a")) == ({"a": 1}, [], (1, 7))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: 1\nb: \xff", "2:4 bad-encoding"),
        (b"\xef\xbb\xbfa: 1\nb: \xff", "2:4 bad-encoding"),
        (b"\xef\xbb\xe4", "1:1 bad-encoding"),
        ("é: \udc80", "1:4 bad-encoding"),
        ("a: 1".encode("utf-16"), "1:1 bad-encoding"),
        (b"a: b\x00", "1:5 control-character"),
        (b'{"a": "\x1b"}', "1:8 control-character"),
        (b"a: \xc2\x84", "1:4 invalid-yaml"),
        (b"", "0:0 empty-file"),
        (b"# nothing\n\n", "0:0 empty-file"),
        (b"---\n...\n", "0:0 empty-file"),
        (b"null", "0:0 empty-file"),
        (b"a: 1\n---\nb: 2\n", "2:1 several-documents"),
        (b"a:\n\tb: 1\n", "2:1 invalid-yaml"),
    ],
)
def test_text_that_cannot_be_read_is_an_error_at_its_place(content: str | bytes, expected: str) -> None:
    assert refused(content) == [expected]


@pytest.mark.parametrize("text", ["- a", "[1]", "just text", "12", "false"])
def test_a_description_is_a_mapping(text: str) -> None:
    assert refused(text, any_root=False) == ["1:1 not-a-mapping"]
    assert read(text)[1] == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_editors_think(end: str) -> None:
    document, _ = read(end.join(["a: 1", "b: 'x\u2028y'", "c:", "  d: 2", ""]))
    assert [place(document, pointer) for pointer in ("/a", "/b", "/c/d")] == [(1, 4), (2, 4), (4, 6)]


def test_half_a_surrogate_pair_is_an_error_wherever_it_stands() -> None:
    text = '{"\\ud800": 1,\n "b": "\\ude00\\ud83d", "c": "\\ud83d\\ude00", "d": "\\\\ud800"}'
    assert refused(text, suffix="json") == ["1:2 bad-encoding", "2:7 bad-encoding"]
    assert value('{"c": "\\ud83d\\ude00", "d": "\\\\ud800"}', suffix="json") == {"c": "😀", "d": "\\ud800"}


def test_half_a_surrogate_pair_is_an_error_in_yaml() -> None:
    assert [found.partition(" ")[2] for found in refused('# x\na: "\\ud800"')] in (["invalid-yaml"], ["bad-encoding"])


# --- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1,}', "1:8 expected '}', found ','"),
        ("[1, 2,\n]", "1:6 expected ']', found ','"),
        ('{"a" 1}', "1:6 expected ':' after the key 'a', found '1'"),
        ('{"a": 1 "b": 2}', "1:9 expected ',' or '}', found '\"b\"'"),
        ("[1 2]", "1:4 expected ',' or ']', found '2'"),
        ("{a: 1}", "1:2 expected a key in double quotes, found 'a'"),
        ("{'a': 1}", "1:2 expected a key in double quotes, found \"'a'\""),
        ('{"a": 1} x', "1:10 expected the end of the file, found 'x'"),
        ('{"a": 1}{', "1:9 expected the end of the file, found '{'"),
        ('{"a":', "1:6 expected a value, found the end of the file"),
        ("[", "1:2 expected a value, found the end of the file"),
        ('{"a": "b', "1:7 expected a value, found '\"'"),
        ('{"a": "\\q"}', "1:7 expected a value, found '\"'"),
        ('{"a": 01}', "1:8 expected ',' or '}', found '1'"),
        ('{"a": NaN}', "1:7 expected a value, found 'NaN'"),
        ('{"a": -Infinity}', "1:7 expected a value, found '-Infinity'"),
        ('{"a": True}', "1:7 expected a value, found 'True'"),
        ("{,}", "1:2 expected a key in double quotes, found ','"),
        ("[}", "1:2 expected a value, found '}'"),
        ("// x\n{}", "1:1 expected a value, found '//'"),
        ("a: 1", "1:1 expected a value, found 'a'"),
    ],
)
def test_json_faults_say_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(text, suffix="json")
    (found,) = caught.value.diagnostics
    assert found.code.id == "invalid-json"
    assert f"{found.location.line}:{found.location.column} {found.message}" == expected


def test_yaml_that_looks_like_json_is_yaml() -> None:
    document, _ = read("{a: 1, # comment\n b: [x, 'y',],}")
    assert document.value == {"a": 1, "b": ["x", "y"]}
    assert place(document, "/b/1") == (2, 9)


# --- places ----------------------------------------------------------------------------------------------------------


def test_a_pointer_that_leads_nowhere_has_the_place_of_the_nearest_value() -> None:
    document, _ = read("a:\n  b:\n    - c: 1\n    - d\n")
    assert place(document, "/a/b/7/x") == (3, 5)
    assert place(document, "/a/b/0/c/x") == (3, 10)
    assert place(document, "/a/x", key=True) == (1, 1)
    assert place(document, "/x") == (1, 1)
    assert place(document, "") == (1, 1)


@pytest.mark.parametrize("token", ["01", "-1", "+1", "1_0", "²", "", " 0", "9" * 5000, "2"])
def test_only_plain_numbers_are_indexes(token: str) -> None:
    document, _ = read("- a\n- b\n")
    assert place(document, f"/{token}") == (1, 1)


def test_keys_are_found_by_escaped_tokens() -> None:
    document, _ = read("a/b:\n  c~d: 1\n  '~1': 2\n  '': 3\n")
    pointers = ("/a~1b/c~0d", "/a~1b/~01", "/a~1b/")
    assert [place(document, pointer) for pointer in pointers] == [(2, 8), (3, 9), (4, 7)]


@given(st.text())
def test_escaping_a_token_can_be_undone(token: str) -> None:
    assert unescape(escape(token)) == token
    assert "/" not in escape(token)


SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
).filter(lambda value: value is not None)


def agree(document: Document, written: Written) -> None:
    """The document has the value and the places that were written."""
    assert json.dumps(document.value) == json.dumps(written.value)
    assert {pointer: place(document, pointer) for pointer in written.places} == written.places
    assert {pointer: place(document, pointer, key=True) for pointer in written.keys} == written.keys


@given(JSON, st.randoms(use_true_random=False))
def test_json_gives_back_what_was_written_and_where(data: Json, random: Layout) -> None:
    written = write(data, random, block=False)
    document, reported = read(written.text, suffix="json")
    assert reported == []
    agree(document, written)


@given(JSON, st.randoms(use_true_random=False))
def test_yaml_gives_back_what_was_written_and_where(data: Json, random: Layout) -> None:
    written = write(data, random, block=True)
    document, reported = read(written.text)
    assert reported == []
    agree(document, written)


@pytest.mark.parametrize(
    "text",
    [
        'a: &x {k: [1, 0o17, yes]}\nb: *x\nc: {<<: *x, "k": 2}\nd: |\n  text\ne: {a: 1, a: 2}\n',
        "[" * 10_000,
        "a: [" + "- " * 1000,
        "a: *b",
        "a: !tag b\n",
        "a: 1\n---\nb: 2\n",
    ],
)
def test_the_parser_in_python_reads_as_libyaml_does(text: str) -> None:
    assert outcome(text, yaml.SafeLoader) == outcome(text, yaml.CSafeLoader)


def outcome(text: str, loader: object) -> tuple[Json, list[str], list[tuple[int, int]]]:
    """Value, diagnostics, and places of the outermost keys, as a loader of PyYAML has it."""
    report = Report()
    try:
        found, marks = read_yaml.read(Text("d.yaml", text), report, loader=loader)
    except Unreadable as unreadable:
        return None, [short(diagnostic) for diagnostic in unreadable.diagnostics], []
    assert isinstance(found, dict)
    return found, [short(diagnostic) for diagnostic in report.sorted()], [marks.of_key(found, key) for key in found]


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_document_knows_its_canonical_path_and_the_name_that_was_given(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "d.yaml").write_text("a: 1\n", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    path = tmp_path / "link" / ".." / "link" / "d.yaml"
    document = load(path, name="link/d.yaml", report=Report())
    assert document.path == (tmp_path / "real" / "d.yaml").resolve()
    assert str(document.locate("/a")) == "link/d.yaml:1:4"
    assert load(path, report=Report()).name == str(path)


def test_what_is_no_file_is_unreadable(tmp_path: Path) -> None:
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    for path in (tmp_path / "absent.yaml", tmp_path, loop, tmp_path / "a\x00b"):
        with pytest.raises(Unreadable, match="unreadable-file"):
            load(path, report=Report())


@pytest.mark.parametrize("was_enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(was_enabled: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if was_enabled else gc.disable)()
        read("a: 1")
        refused("a: [")
        assert gc.isenabled() is was_enabled
    finally:
        (gc.enable if before else gc.disable)()
