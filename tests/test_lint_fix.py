"""What `sockspec lint --fix` writes, and what it leaves alone."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sockspec.diagnostics import Code, Diagnostic, Report, Severity
from sockspec.lint.fixing import Fixed, fixed
from sockspec.lint.known import Known
from sockspec.lint.linter import Linted, lint
from sockspec.lint.policy import Policy
from sockspec.lint.settings import Settings
from sockspec.rules.edits import Edit, inserted, quoted, renamed, replaced
from sockspec.rules.rule import ALL, Group, Rule
from sockspec.rules.subject import Subject
from sockspec.rules.table import rules
from sockspec.spec.source import Document, Json, load_text
from tests.test_lint import linted
from tests.test_lint_command import here, wrong

__all__ = ["here"]

HEAD = "asyncapi: 3.0.0\ninfo: {title: Rooms, version: 1.0.0}\n"


def read(text: str, name: str = "a.yaml") -> Document:
    return load_text(text, path=Path("/", name), report=Report(), any_root=True)


def edited(document: Document, edits: Iterable[Edit]) -> str:
    """The text with its edits; an empty one where there are none."""
    made = sorted(edits, key=lambda edit: -edit.start)
    text = document.text.characters
    for edit in made:
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text if made else ""


# --- edits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: x  # c\nb: y\n", "a: new  # c\nb: y\n"),
        ("a: 'x'  # c\n", "a: 'new'  # c\n"),
        ('a: "x"\n', 'a: "new"\n'),
        ("{a: x, b: y}\n", "{a: new, b: y}\n"),
        ("{a: x}", "{a: new}"),
        ('{"a": "x" , "b": 1}', '{"a": "new" , "b": 1}'),
        ("? a\n: x\n", "? a\n: new\n"),
        ("a: |\n  x\n", ""),
        ("a: x\n  y\n", ""),
        ("a: &n x\n", ""),
        ("a: !!str x\n", ""),
        ("b: &n x\na: *n\n", ""),
        ("a: [x]\n", ""),
    ],
)
def test_a_scalar_is_replaced_in_its_own_quotes(before: str, after: str) -> None:
    document = read(before)
    assert edited(document, replaced(document, "/a", "new")) == after


@pytest.mark.parametrize(
    ("value", "as_written"),
    [
        ("a b/c", "a b/c"),
        ("it's", "'it''s'"),
        ("a: b", "'a: b'"),
        ("#a", "'#a'"),
        ("no", "'no'"),
        ("1.0", "'1.0'"),
        ("", "''"),
        ("a\nb", '"a\\nb"'),
        ("wss://a.b:80/c", "wss://a.b:80/c"),
        ("a:", "'a:'"),
        ("a ", "'a '"),
    ],
)
def test_a_text_gets_quotes_where_it_needs_them(value: str, as_written: str) -> None:
    document = read("a: x\n")
    assert edited(document, replaced(document, "/a", value)) == f"a: {as_written}\n"
    assert yaml.safe_load(f"a: {as_written}\n") == {"a": value}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: 1.10 # c\n", "a: '1.10' # c\n"),
        ("{a: 1}", "{a: '1'}"),
        ('{"a": 1.0}', '{"a": "1.0"}'),
        ("a: true\n", "a: 'true'\n"),
        ("a: 'x'\n", ""),
    ],
)
def test_a_number_becomes_the_text_that_was_written(before: str, after: str) -> None:
    document = read(before)
    assert edited(document, quoted(document, "/a")) == after


@pytest.mark.parametrize(
    ("before", "pointer", "after"),
    [
        ("a: 1 # c\nb: 2\n", "/a", "k: 1 # c\nb: 2\n"),
        ('{"a": 1}', "/a", '{"k": 1}'),
        ("'a': 1\n", "/a", "'k': 1\n"),
        ("- a:\n    b\n", "/0/a", "- k:\n    b\n"),
        ("a: 1\nk: 2\n", "/a", ""),
        ("&x a: 1\n", "/a", ""),
    ],
)
def test_a_key_is_renamed(before: str, pointer: str, after: str) -> None:
    document = read(before)
    assert edited(document, renamed(document, pointer, "k")) == after


@pytest.mark.parametrize(
    ("before", "pointer", "after"),
    [
        ("a: 1 # c\n# d\nb: 2\n", "", "a: 1 # c\nk: v\n# d\nb: 2\n"),
        ("a: 1", "", "a: 1\nk: v"),
        ("x:\n  a: 1\n  b: 2\n", "/x", "x:\n  a: 1\n  k: v\n  b: 2\n"),
        ("x:\n  a: 1\r\n  b: 2\r\n", "/x", "x:\n  a: 1\r\n  k: v\n  b: 2\r\n"),
        ("x:\r\n  a: 1\r\n", "/x", "x:\r\n  a: 1\r\n  k: v\r\n"),
        ("- a: 1\n  b: 2\n", "/0", "- a: 1\n  k: v\n  b: 2\n"),
        ("- - b: 1\n", "/0/0", "- - k: v\n    b: 1\n"),
        ("a:\n  c: 1\nb: 2\n", "", "k: v\na:\n  c: 1\nb: 2\n"),
        ("a: |\n  text\n\n", "", "k: v\na: |\n  text\n\n"),
        ("a: [1,\n  2] # c\n", "", "a: [1,\n  2] # c\nk: v\n"),
        ("x: {a: 1, b: 2}\n", "/x", "x: {a: 1, k: v, b: 2}\n"),
        ("x: {}\n", "/x", "x: {k: v}\n"),
        ("x: {b: 2}\n", "/x", "x: {k: v, b: 2}\n"),
        ("x: {\n  b: 2\n}\n", "/x", "x: {\n  k: v,\n  b: 2\n}\n"),
        ("x: { # c\n  b: 2}\n", "/x", ""),
        ('{\n  "a": 1,\n  "b": 2\n}\n', "", '{\n  "a": 1,\n  "k": "v",\n  "b": 2\n}\n'),
        ('{"a": {"c": [1, 2]}}', "", '{"a": {"c": [1, 2]}, "k": "v"}'),
        ('{\n\t"x": {}\n}', "/x", '{\n\t"x": {"k": "v"}\n}'),
        ("a: 1\nk: 2\n", "", ""),
        ("x: [1]\n", "/x", ""),
        ("x: &k {b: 1}\n", "/x", ""),
        ("? a\n: 1\n", "", ""),
        ("x: !!map\n  b: 1\n", "/x", "x: !!map\n  k: v\n  b: 1\n"),
    ],
)
def test_an_entry_is_inserted_in_the_style_of_its_mapping(before: str, pointer: str, after: str) -> None:
    document = read(before)
    assert edited(document, inserted(document, pointer, "k", "v", after="a")) == after


def test_an_inserted_mapping_is_written_as_its_surroundings_are() -> None:
    block, flow = read("a: 1\n"), read("{a: 1}\n")
    value: Json = {"b": {"c": "d", "e": {}}}
    assert edited(block, inserted(block, "", "k", value, after="a")) == "a: 1\nk:\n  b:\n    c: d\n    e: {}\n"
    assert edited(flow, inserted(flow, "", "k", value, after="a")) == "{a: 1, k: {b: {c: d, e: {}}}}\n"


_VALUES = st.recursive(
    st.text(max_size=12) | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1, max_size=6), _VALUES, min_size=1, max_size=4), st.data())
@settings(max_examples=80)
def test_an_entry_in_any_document_changes_nothing_else(value: dict[str, Json], data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["block", "flow", "json"]))
    text = (
        json.dumps(value, indent=data.draw(st.sampled_from([None, 2])))
        if form == "json"
        else yaml.safe_dump(value, default_flow_style=form == "flow", allow_unicode=data.draw(st.booleans()))
    )
    document = read(text, "a.json" if form == "json" else "a.yaml")
    pointers = [pointer for _, _, pointer in document.places() if isinstance(document.at(pointer), dict)]
    pointer = data.draw(st.sampled_from(pointers))
    mapping = document.at(pointer)
    assert isinstance(mapping, dict)
    after = data.draw(st.sampled_from(["", *mapping]))
    key, text_value = data.draw(st.text(min_size=1, max_size=6)), data.draw(st.text(max_size=12))
    made = edited(document, inserted(document, pointer, key, text_value, after=after))
    if not made:
        return
    mapping[key] = text_value
    assert read(made, document.path.name).value == document.value


# --- fixes ----------------------------------------------------------------------------------------------------------


def mended(path: Path, text: str, *options: str) -> str:
    """What the command makes of a document."""
    path.write_bytes(text.encode())
    linted(str(path), "--fix", "--no-config", *options)
    return path.read_bytes().decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("info: {title: Rooms, version: 1.10}  # c\n", "info: {title: Rooms, version: '1.10'}  # c\n"),
        (
            "info: {title: Rooms, version: 1.0.0}\nchannels:\n  one:  # c\n    address: /a/{x}/{z}\n    title: One\n",
            (
                "info: {title: Rooms, version: 1.0.0}\nchannels:\n  one:  # c\n    address: /a/{x}/{z}\n"
                "    parameters:\n      x: {}\n      z: {}\n    title: One\n"
            ),
        ),
        (
            (
                "info: {title: Rooms, version: 1.0.0}\nchannels: {a/b: {address: /a}}\n"
                "operations: {say: {action: send, channel: {$ref: '#/channels/a/b'}}}\n"
            ),
            (
                "info: {title: Rooms, version: 1.0.0}\nchannels: {a/b: {address: /a}}\n"
                "operations: {say: {action: send, channel: {$ref: '#/channels/a~1b'}}}\n"
            ),
        ),
    ],
)
def test_what_is_safe_is_mended(here: Path, before: str, after: str) -> None:
    assert mended(here / "a.yaml", f"asyncapi: 3.0.0\n{before}") == f"asyncapi: 3.0.0\n{after}"


WSS = ("--select", "guide-wss")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{host: example.com, protocol: ws}", "{host: example.com, protocol: wss}"),
        ("{host: 'example.com:443', protocol: 'ws'}", "{host: 'example.com:443', protocol: 'wss'}"),
        ("{host: 'example.com:80', protocol: ws}", ""),
        ("{host: localhost, protocol: ws}", ""),
        ("{host: 127.0.0.1, protocol: ws}", ""),
        ("{host: '[::1]', protocol: ws}", ""),
        ("{host: '[2001:db8::1]', protocol: ws}", "{host: '[2001:db8::1]', protocol: wss}"),
    ],
)
def test_servers_elsewhere_are_encrypted(here: Path, before: str, after: str) -> None:
    text = f"{HEAD}servers:\n  one: SERVER  # c\nchannels: {{one: {{address: /a}}}}\n"
    done = mended(here / "a.yaml", text.replace("SERVER", before), *WSS)
    assert done == text.replace("SERVER", after or before)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ws://example.com/a", "wss://example.com/a"),
        ("WS://example.com", "wss://example.com"),
        ("ws://example.com:8080/a", "ws://example.com:8080/a"),
        ("ws://localhost:8080", "ws://localhost:8080"),
        ("ws://{tenant}.example.com", "wss://{tenant}.example.com"),
    ],
)
def test_urls_of_servers_elsewhere_are_encrypted(here: Path, before: str, after: str) -> None:
    server = f'{{"url": "{before}", "protocol": "ws", "variables": {{"tenant": {{}}}}}}'
    text = f'{{"asyncapi": "2.6.0", "info": {{"title": "T", "version": "1"}},\n"servers": {{"a": {server}}}, "channels": {{}}}}'
    path = here / "a.json"
    path.write_text(text, encoding="utf-8")
    linted("a.json", "--fix", "--no-config", *WSS)
    expected = text if after == before else text.replace(before, after).replace('"ws"', '"wss"')
    assert path.read_text(encoding="utf-8") == expected


def test_what_other_readers_take_for_something_else_is_quoted(here: Path) -> None:
    text = f"{HEAD}channels: {{}}\nx-a: [no, Off , 1:30, yes it is, 'on', 2020-01-01]  # no\nx-b: {{on: [12]}}\nx-c: |\n  no\n"
    after = (
        text.replace("[no, Off , 1:30", "['no', 'Off' , '1:30'")
        .replace("on:", "'on':")
        .replace("2020-01-01", "'2020-01-01'")
    )
    assert mended(here / "a.yaml", text, "--select", "yaml-1-1,yaml-date") == after.replace("versi'on'", "version")


def test_the_content_type_that_is_assumed_is_written_down(here: Path) -> None:
    text = f"{HEAD}channels: {{one: {{address: /a, messages: {{m: {{payload: {{type: object}}}}}}}}}}\n"
    options = ("--select", "content-type-missing")
    after = text.replace("asyncapi: 3.0.0\n", "asyncapi: 3.0.0\ndefaultContentType: application/json\n")
    assert mended(here / "a.yaml", text, *options) == after
    avro = text.replace(
        "{type: object}", "{schemaFormat: application/vnd.apache.avro;version=1.9.0, schema: {type: string}}"
    )
    assert mended(here / "a.yaml", avro, *options) == avro


def test_stubs_of_metadata_are_written_on_demand(here: Path) -> None:
    value: Json = {"asyncapi": "3.0.0", "info": {"title": "T", "version": "1"}, "channels": {}}
    text = json.dumps(value, indent=2)
    (here / "a.json").write_text(text, encoding="utf-8")
    options = ("--no-config", "--select", "info-contact,info-license")
    assert linted("a.json", "--diff", *options) == ("", 0)
    linted("a.json", "--fix", "--unsafe-fixes", *options)
    url = "https://example.com/TODO"
    assert json.loads((here / "a.json").read_text(encoding="utf-8"))["info"] == {
        "title": "T",
        "version": "1",
        "license": {"name": "TODO: the license of the API", "url": url},
        "contact": {"name": "TODO: who answers for the API", "url": url},
    }
    assert '\n    "contact": {' in (here / "a.json").read_text(encoding="utf-8")
    assert linted("a.json", *options)[1] == 0


def test_a_stub_says_what_is_to_be_done(here: Path) -> None:
    text = f"{HEAD}channels: {{}}\n"
    options = ("--select", "guide-api-description")
    assert mended(here / "a.yaml", text, *options) == text
    stub = "1.0.0, description: 'TODO: what the API is for, and how a conversation goes'}"
    assert mended(here / "a.yaml", text, *options, "--unsafe-fixes") == text.replace("1.0.0}", stub)


def test_what_has_to_be_guessed_is_mended_on_demand(here: Path) -> None:
    operations = "operations:\n  say: {action: recieve, channel: {$ref: '#/channels/one'}}\n"
    text = f"{HEAD}channels:\n  one: {{adress: /a}}\n{operations}"
    assert mended(here / "a.yaml", text) == text
    guessed = mended(here / "a.yaml", text, "--unsafe-fixes", "--no-guide")
    assert guessed == text.replace("adress", "address").replace("recieve", "receive")


def test_what_is_suppressed_or_off_is_not_mended(here: Path) -> None:
    text = f"{HEAD}channels:\n  one: {{address: '/a/{{x}}'}}  # lint-ignore: undeclared-parameter -- any text will do\n"
    assert mended(here / "a.yaml", text) == text
    off = text.partition("  # lint")[0] + "\n"
    assert mended(here / "a.yaml", off, "--rule", "undeclared-parameter=off") == off


def test_a_parameter_that_may_be_misspelt_is_left_to_people(here: Path) -> None:
    text = f"{HEAD}channels:\n  one: {{address: '/a/{{room}}', parameters: {{rooms: {{}}}}}}\n"
    assert mended(here / "a.yaml", text, "--unsafe-fixes", "--no-guide") == text


def test_a_value_that_other_places_share_is_not_changed(here: Path) -> None:
    text = (
        f"{HEAD}channels:\n  one: &one\n    address: /a/{{x}}\n    title: One\n"
        "  two: *one\n  three: {<<: *one, title: Three}\n"
    )
    assert mended(here / "a.yaml", text) == text


def test_files_that_are_referred_to_are_mended_and_links_stay(here: Path) -> None:
    (here / "parts").mkdir()
    part = here / "parts" / "rooms.yaml"
    part.write_text("# rooms\none: {address: '/a/{x}'}\n", encoding="utf-8")
    part.chmod(0o640)
    (here / "link.yaml").symlink_to("a.yaml")
    (here / "a.yaml").write_text(f"{HEAD}channels: {{one: {{$ref: 'parts/rooms.yaml#/one'}}}}\n", encoding="utf-8")
    printed, _ = linted("link.yaml", "--fix", "--no-config")
    assert "1 finding mended in 1 file" in printed
    assert part.read_text(encoding="utf-8") == "# rooms\none: {address: '/a/{x}', parameters: {x: {}}}\n"
    assert part.stat().st_mode & 0o777 == 0o640
    assert (here / "link.yaml").is_symlink()


def test_a_diff_shows_what_would_be_written(here: Path) -> None:
    text = "asyncapi: 3.0.0\r\ninfo: {title: Rooms, version: 1.0}\r\nchannels: {}\r\n"
    (here / "a.yaml").write_bytes(text.encode())
    printed, code = linted("a.yaml", "--diff", "--no-config")
    assert code == 1
    assert printed.splitlines() == [
        "--- a.yaml",
        "+++ a.yaml",
        "@@ -1,3 +1,3 @@",
        " asyncapi: 3.0.0",
        "-info: {title: Rooms, version: 1.0}",
        "+info: {title: Rooms, version: '1.0'}",
        " channels: {}",
    ]
    assert (here / "a.yaml").read_bytes() == text.encode()
    linted("a.yaml", "--fix", "--no-config")
    assert linted("a.yaml", "--diff", "--no-config") == ("", 0)


def test_standard_input_cannot_be_mended(here: Path) -> None:
    assert "standard input" in wrong("-", "--fix")


_FORMS = st.sampled_from(["block", "flow", "json"])


@st.composite
def documents(draw: st.DrawFn) -> tuple[bytes, str]:
    """A document with things to mend and comments around them, and the suffix of its file."""
    form = draw(_FORMS)
    version = draw(st.sampled_from(["1.0", "2", "1.0.0"]))
    count = 0

    def comment(*, alone: bool = False) -> str:
        nonlocal count
        if form == "json" or not draw(st.booleans()):
            return ""
        count += 1
        return f"# c{count} 'it\n" if alone else f'  # c{count}: "no"'

    names = draw(st.lists(st.sampled_from("abcdef"), unique=True, max_size=4))
    addresses = {
        name: "/" + "/".join(["r", *draw(st.lists(st.sampled_from(["{x}", "{z}", "o"]), max_size=3))]) for name in names
    }
    if form == "json":
        value = {
            "asyncapi": "3.0.0",
            "info": {"title": "T", "version": "VERSION"},
            "channels": {name: {"address": address} for name, address in addresses.items()},
        }
        written = '"1.0.0"' if version == "1.0.0" else version
        text = json.dumps(value, indent=draw(st.sampled_from([None, 1, 4]))).replace('"VERSION"', written)
    else:
        lines = [comment(alone=True), f"asyncapi: 3.0.0{comment()}\n", f"info:{comment()}\n  title: T\n"]
        lines += [f"  version: {version}{comment()}\n", f"channels:{comment()}\n" if names else "channels: {}\n"]
        for name, address in addresses.items():
            if form == "flow":
                lines.append(f"  {name}: {{title: 'a # b', address: \"{address}\"}}{comment()}\n")
            else:
                lines += [f"  {name}:{comment()}\n", f"    address: '{address}'{comment()}\n", comment(alone=True)]
                lines.append("    description: |\n      # text\n      more\n" if draw(st.booleans()) else "")
        text = "".join(lines)
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    bom = codecs.BOM_UTF8 if draw(st.booleans()) else b""
    return bom + text.encode(), ".json" if form == "json" else ".yaml"


@given(documents())
@settings(max_examples=25)
def test_mending_keeps_all_that_it_does_not_mend(
    tmp_path_factory: pytest.TempPathFactory, document: tuple[bytes, str]
) -> None:
    content, suffix = document
    path = tmp_path_factory.mktemp("fix") / f"a{suffix}"
    path.write_bytes(content)
    select = ("--no-config", "--select", "undeclared-parameter")
    linted(str(path), "--fix", *select)
    after = path.read_bytes()
    old, new = (load_text(each, path=path, report=Report()).value for each in (content, after))
    assert isinstance(old, dict)
    assert isinstance(new, dict)
    assert without_what_is_mended(old) == without_what_is_mended(new)
    comments = re.compile(rb"# c\d+[^\r\n]*")
    assert comments.findall(after) == comments.findall(content)
    assert after.startswith(codecs.BOM_UTF8) == content.startswith(codecs.BOM_UTF8)
    if b"\r\n" in content:
        assert after.count(b"\r\n") == after.count(b"\n")
    assert linted(str(path), "--fix", *select)[1] == 0
    assert path.read_bytes() == after


def without_what_is_mended(value: dict[str, Json]) -> Json:
    """The document without its version and the parameters of its channels."""
    info, channels = value["info"], value["channels"]
    assert isinstance(info, dict)
    assert isinstance(channels, dict)
    kept: dict[str, Json] = {
        name: {key: each for key, each in channel.items() if key != "parameters"}
        for name, channel in channels.items()
        if isinstance(channel, dict)
    }
    return {**value, "info": {**info, "version": str(info["version"])}, "channels": kept}


# --- fixes that are wrong -------------------------------------------------------------------------------------------

TITLE = Code("acme/title", Severity.WARNING, "Titles are 'Good'.")


def tried(tmp_path: Path, text: str, fixer: Callable[[Subject, Diagnostic], Iterable[Edit]]) -> Fixed:
    """What comes of a fixer for a rule that wants all titles of channels to be 'Good'."""

    def check(subject: Subject) -> Iterable[Diagnostic]:
        for channel in subject.outline.channels:
            title = channel.node.get("title")
            if title is not None and title.value != "Good":
                yield TITLE.at(title.location, f"the title of {channel.key!r} is not good")

    rule = Rule(TITLE, Group.GENERATION, ALL, bad="", good="", check=check, fixer=fixer)
    known = Known({**rules(), rule.id: rule}, {})
    policy = Policy(Settings(), known)
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")

    def look(texts: object) -> tuple[Linted, tuple[Diagnostic, ...]]:
        assert isinstance(texts, dict)
        found = lint(path, policy, name="a.yaml", texts=texts)
        return found, found.findings

    return fixed(look, known, {}, unsafe=False)


CHANNELS = f"{HEAD}channels:\n" + "".join(f"  c{n}: {{address: /{n}, title: Bad}}\n" for n in range(9))


def titled(subject: Subject, finding: Diagnostic) -> list[Edit]:
    return replaced(subject.root.document, finding.location.pointer, "Good")


def test_a_fix_that_changes_more_than_it_says_is_not_made(tmp_path: Path) -> None:
    def greedy(subject: Subject, finding: Diagnostic) -> Iterable[Edit]:
        yield from titled(subject, finding)
        if "c4" in finding.location.pointer:
            yield Edit(subject.root.document, 10, 15, "3.1.0", ("/info",))

    made = tried(tmp_path, CHANNELS, greedy)
    (content,) = made.texts.values()
    assert content.decode() == CHANNELS.replace("Bad", "Good").replace("/4, title: Good", "/4, title: Bad")
    assert made.mended == 8


@pytest.mark.parametrize(
    "fixer",
    [
        lambda subject, finding: replaced(subject.root.document, finding.location.pointer, "Worse"),
        lambda subject, finding: [Edit(subject.root.document, 0, 0, "a: b: c", ("/a",))],
        lambda subject, finding: [Edit(subject.root.document, 0, 9, "", ("/asyncapi",))],
        lambda subject, finding: [],
        lambda subject, finding: replaced(
            subject.root.document, finding.location.pointer.replace("title", "address"), "/1"
        ),
    ],
    ids=["the finding stays", "no YAML", "no document", "nothing", "another finding comes"],
)
def test_a_fix_that_does_not_prove_right_is_not_made(
    tmp_path: Path, fixer: Callable[[Subject, Diagnostic], Iterable[Edit]]
) -> None:
    assert tried(tmp_path, CHANNELS, fixer) == Fixed({}, 0)


def test_a_change_of_a_shared_value_is_not_made(tmp_path: Path) -> None:
    text = f"{HEAD}channels:\n  one: {{address: /1, title: Bad, description: &d {{a: x}}}}\n"
    text = text.replace("description", "x-one") + "x-two: *d\n".replace("*d", "{b: *d}")

    def shared(subject: Subject, finding: Diagnostic) -> Iterable[Edit]:
        yield from titled(subject, finding)
        yield from replaced(subject.root.document, "/channels/one/x-one/a", "y")

    assert tried(tmp_path, text, shared) == Fixed({}, 0)
    assert tried(tmp_path, text, titled).mended == 1
