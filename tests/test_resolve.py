"""References to the values that they mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sockspec.diagnostics import Diagnostic, Report
from sockspec.spec.resolve import Documents, Node
from sockspec.spec.source import Json, load


class Api:
    """The files of an API in a folder, read and resolved."""

    def __init__(self, folder: Path, root: str = "root.yaml", *, allowed_folder: Path | None = None) -> None:
        self.report = Report()
        root_document = load(folder / root, name=root, report=self.report)
        self.documents = Documents(root_document, self.report, allowed_folder=allowed_folder)

    def node(self, *path: str | int) -> Node:
        """The value below the root at these keys and indexes."""
        here: Node | None = self.documents.root
        for step in path:
            assert here is not None
            here = [*here.elements()][step] if isinstance(step, int) else here.get(step)
        assert here is not None
        return here

    def follow(self, *path: str | int) -> Json:
        """What the reference there means in the end."""
        return self.documents.follow(self.node(*path)).value

    @property
    def said(self) -> list[str]:
        """What was reported, in short."""
        return [short(diagnostic) for diagnostic in self.report.sorted()]


def short(diagnostic: Diagnostic) -> str:
    """Place and code."""
    return f"{diagnostic.location} {diagnostic.code.id}"


def api(folder: Path, root: str, *, allowed_folder: Path | None = None, **files: str) -> Api:
    """An API of these files; the root is `root.yaml`, of the others `_` in a name is the dot."""
    write(folder, root__yaml=root, **files)
    return Api(folder, allowed_folder=allowed_folder)


def write(folder: Path, **files: str) -> None:
    """Write files; `__` in a name stands for the dot."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")


# --- pointers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("#/a", "value"),
        ("#/list/1", "second"),
        ("#/list/1/", None),
        ("#/~0~1", "escaped"),
        ("#/a~1b~0c%20d%25", "all"),
        ("#/%C3%A9", "accent"),
        ("#/é", "accent"),
        ("#/", "empty"),
        ("#//x", "empty, then x"),
        ("#/200", "status"),
        ("#/list/01", None),
        ("#/list/-", None),
        ("#/a/b", None),
        ("#a", None),
    ],
)
def test_a_pointer_leads_to_the_value_it_names(tmp_path: Path, reference: str, expected: str | None) -> None:
    root = {
        "a": "value",
        "list": ["first", "second"],
        "~/": "escaped",
        "a/b~c d%": "all",
        "é": "accent",
        "200": "status",
        "r": {"$ref": reference},
    }
    root[""] = {"x": "empty, then x"} if reference == "#//x" else "empty"
    found = api(tmp_path, json.dumps(root))
    assert found.follow("r") == ({} if expected is None else expected)
    assert found.documents.is_broken(found.node("r")) is (expected is None)
    assert len(found.said) == (1 if expected is None else 0)


def test_a_pointer_may_mean_the_whole_document(tmp_path: Path) -> None:
    found = api(tmp_path, 'a: {$ref: "#"}\nb: {$ref: ""}\nc: 1\n')
    assert found.follow("a") == found.follow("b") == found.documents.root.value


@pytest.mark.parametrize(
    ("key", "reference"),
    [
        ("chat/v1", "#/keys/chat/v1/type"),
        ("/chat/{id}", "#/keys//chat/{id}/type"),
        ("100%", "#/keys/100%/type"),
        ("a%20b", "#/keys/a%20b/type"),
    ],
)
def test_a_key_that_is_not_escaped_is_found_with_a_warning(tmp_path: Path, key: str, reference: str) -> None:
    found = api(tmp_path, json.dumps({"keys": {key: {"type": "x"}}, "r": {"$ref": reference}}))
    assert found.follow("r") == "x"
    assert found.said == ([] if key == "100%" else [f"{found.node('r', '$ref').location} unescaped-reference"])


def test_the_escaped_reading_of_a_key_goes_first(tmp_path: Path) -> None:
    found = api(
        tmp_path, 'keys: {"a b": 1, "a%20b": 2, a/b: 3, a: {b: 4}}\nr: {$ref: "#/keys/a%20b"}\ns: {$ref: "#/keys/a/b"}'
    )
    assert (found.follow("r"), found.follow("s"), found.said) == (1, 4, [])


def test_a_pointer_goes_through_references_in_its_way(tmp_path: Path) -> None:
    found = api(
        tmp_path,
        """
        channels: {chat: {$ref: "channels.yaml#/chat"}}
        r: {$ref: "#/channels/chat/messages/said/payload"}
        s: {$ref: "#/r/type"}
        """,
        channels__yaml='chat: {messages: {said: {$ref: "#/said"}}}\nsaid: {payload: {type: string}}\n',
    )
    assert found.follow("r") == {"type": "string"}
    assert found.follow("s") == "string"
    assert found.said == []


def test_the_siblings_of_a_reference_go_before_what_it_means(tmp_path: Path) -> None:
    found = api(tmp_path, 'a: {$ref: "#/b", x: 1}\nb: {x: 2, y: 3}\nr: {$ref: "#/a/x"}\ns: {$ref: "#/a/y"}\n')
    assert (found.follow("r"), found.follow("s")) == (1, 3)


# --- chains and loops ------------------------------------------------------------------------------------------------


def test_target_takes_one_step_and_follow_takes_all(tmp_path: Path) -> None:
    found = api(tmp_path, 'a: {$ref: "#/b"}\nb: {$ref: "#/c"}\nc: {x: 1}\n')
    target = found.documents.target(found.node("a"))
    assert target is not None
    assert target.identity == found.node("b").identity
    end = found.documents.follow(found.node("a"))
    assert end.identity == found.node("c").identity
    assert str(end.location) == "root.yaml:3:4"
    assert str(end.key_location) == "root.yaml:3:1"


def test_what_is_no_reference_stays_what_it_is(tmp_path: Path) -> None:
    found = api(tmp_path, "a: {x: 1}\nb: {$ref: {type: string}}\nc: 1\nd: {$ref: 5}\ne: {$ref: null}\n")
    for key in "abcde":
        assert found.documents.follow(found.node(key)) == found.node(key)
        assert found.documents.target(found.node(key)) == found.node(key)
    assert found.said == []


@pytest.mark.parametrize("length", [5_000, 50_000])
def test_a_long_chain_is_followed_to_its_end(tmp_path: Path, length: int) -> None:
    chain = {f"r{n}": {"$ref": f"#/r{n + 1}"} for n in range(length)}
    found = api(tmp_path, json.dumps({**chain, f"r{length}": {"x": 1}}))
    found.documents.check()
    assert found.follow("r0") == {"x": 1}
    assert found.said == []


def test_a_long_chain_through_pointers_is_followed_to_its_end(tmp_path: Path) -> None:
    chain = {f"r{n}": {"$ref": f"#/r{n + 1}/x"} for n in range(5_000)}
    nested = {f"r{n}": {"$ref": f"#/r{n + 1}"} for n in range(5_000, 9_999)}
    found = api(tmp_path, json.dumps({**chain, **nested, "r9999": {"x": {"x": {"x": 1}}}}))
    assert found.follow("r4998") == {"x": 1}
    assert found.follow("r4997") == 1
    found.documents.check()
    assert {line.partition(" ")[2] for line in found.said} == {"dangling-reference"}


@pytest.mark.parametrize("start", ["a", "b", "c", "into"])
def test_a_loop_is_reported_once_wherever_it_is_entered(tmp_path: Path, start: str) -> None:
    root = 'into: {$ref: "#/a"}\na: {$ref: "#/b"}\nb: {$ref: "other.yaml#/c"}\nc: {$ref: "#/a"}\n'
    found = api(tmp_path, root, other__yaml='c: {$ref: "root.yaml#/a"}\n')
    assert found.follow(start) == {}
    found.documents.check()
    assert found.said == ["other.yaml:1:11 reference-loop"]
    (loop,) = found.report.sorted()
    assert [str(place) for place in loop.related] == ["root.yaml:2:4", "root.yaml:3:4"]
    assert all(found.documents.is_broken(found.node(key)) for key in ("into", "a", "b", "c"))


@pytest.mark.parametrize(
    "root",
    [
        'a: {$ref: "#/a"}',
        'a: {$ref: "#/a/x"}',
        'a: {$ref: "#/a/x/y/z"}',
        'a: {$ref: "root.yaml#/a"}',
        'a: {$ref: "./root.yaml#/a"}',
        'a: {$ref: "#/b/x"}\nb: {$ref: "#/a/y"}',
        'a: {$ref: "#/b"}\nb: {$ref: "#/c/x"}\nc: {$ref: "#/b"}',
    ],
)
def test_a_reference_to_itself_is_a_loop(tmp_path: Path, root: str) -> None:
    found = api(tmp_path, root)
    found.documents.check()
    assert [line.partition(" ")[2] for line in found.said] == ["reference-loop"]
    assert found.follow("a") == {}


def test_a_schema_may_contain_itself(tmp_path: Path) -> None:
    tree = '{type: object, properties: {value: {type: string}, children: {type: array, items: {$ref: "#/tree"}}}}'
    deep = "#/tree" + "/properties/children/items" * 40 + "/properties/value"
    found = api(tmp_path, f'tree: {tree}\nr: {{$ref: "{deep}"}}\n')
    found.documents.check()
    assert found.follow("r") == {"type": "string"}
    assert found.said == []


def test_an_endless_pointer_leads_nowhere(tmp_path: Path) -> None:
    found = api(tmp_path, f'a: {{x: {{$ref: "#/a"}}}}\nr: {{$ref: "#/a{"/x" * 100_000}"}}\n')
    assert found.follow("r") == {}
    assert found.said == ["root.yaml:2:11 dangling-reference"]


# --- files -----------------------------------------------------------------------------------------------------------


def test_references_lead_into_other_files_of_either_format(tmp_path: Path) -> None:
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://e.com/s", "type": "object"}
    (tmp_path / "deep").mkdir()
    write(
        tmp_path / "deep",
        words__json='{"Word": {"$ref": "../more.yml#/Word"}, "Here": {"$ref": "#/There"}, "There": 1}',
        schema__json=json.dumps(schema),
    )
    write(tmp_path, **{"with space__yaml": "a: 2"})
    found = api(
        tmp_path,
        """
        whole: {$ref: deep/schema.json}
        root: {$ref: "./deep/schema.json#"}
        part: {$ref: "deep/words.json#/Word"}
        here: {$ref: "./deep/../deep/words.json#/Here"}
        encoded: {$ref: "de%65p/words.json#/There"}
        spaced: {$ref: "with%20space.yaml#/a"}
        openapi: {$ref: "openapi.yaml#/components/schemas/A"}
        list: {$ref: "list.yaml#/1"}
        """,
        more__yml="Word: {type: string}\n",
        openapi__yaml="openapi: 3.0.0\ncomponents: {schemas: {A: {nullable: true}}}\n",
        list__yaml="- a\n- b\n",
    )
    keys = [key for key, _ in found.documents.root.items()]
    assert [found.follow(key) for key in keys] == [schema, schema, {"type": "string"}, 1, 1, 2, {"nullable": True}, "b"]
    assert found.said == []
    assert [document.name for document in found.documents.loaded] == [
        "root.yaml",
        "deep/schema.json",
        "deep/words.json",
        "more.yml",
        "with space.yaml",
        "openapi.yaml",
        "list.yaml",
    ]


def test_one_file_under_two_names_is_one_document(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "link.yaml").symlink_to(tmp_path / "a.yaml")
    found = api(
        tmp_path,
        """
        a: {$ref: "a.yaml#/x"}
        b: {$ref: "deep/../a.yaml#/x"}
        c: {$ref: "link.yaml#/x"}
        d: {$ref: "root.yaml#/e"}
        e: 1
        """,
        a__yaml="x: {y: 1}",
    )
    identities = {found.documents.follow(found.node(key)).identity for key in "abc"}
    assert identities == {((tmp_path / "a.yaml").resolve(), "/x")}
    assert found.documents.follow(found.node("d")).document is found.documents.root.document


def test_names_of_files_are_relative_to_how_the_root_was_named(tmp_path: Path) -> None:
    (tmp_path / "specs" / "deep").mkdir(parents=True)
    write(tmp_path / "specs", root__yaml='a: {$ref: "deep/a.yaml#/x"}')
    write(tmp_path / "specs" / "deep", a__yaml='x: {$ref: "#/y"}')
    report = Report()
    document = load(tmp_path / "specs" / "root.yaml", name="../specs/root.yaml", report=report)
    Documents(document, report).check()
    assert [short(found) for found in report.sorted()] == ["../specs/deep/a.yaml:1:11 dangling-reference"]


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("absent.yaml", "missing-file"),
        ("absent.yaml#/a", "missing-file"),
        ("deep", "missing-file"),
        ("a%00b", "missing-file"),
        ("%FF", "missing-file"),
        ("x" * 5000, "missing-file"),
        ("http://127.0.0.1:9/a.yaml", "remote-reference"),
        ("HTTPS://example.com/a.yaml#/x", "remote-reference"),
        ("//example.com/a.yaml", "remote-reference"),
        ("file:///etc/passwd", "remote-reference"),
        ("urn:example:a", "remote-reference"),
        ("http://[", "remote-reference"),
        ("../a.yaml", "outside-reference"),
        ("deep/../../a.yaml", "outside-reference"),
        ("%2E%2E/a.yaml", "outside-reference"),
        ("/etc/passwd", "outside-reference"),
        ("away.yaml", "outside-reference"),
        ("away/a.yaml", "outside-reference"),
    ],
)
def test_what_cannot_be_reached_is_an_error_at_the_reference(tmp_path: Path, reference: str, code: str) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    write(tmp_path, a__yaml="x: 1")
    (folder / "away.yaml").symlink_to(tmp_path / "a.yaml")
    (folder / "away").symlink_to(tmp_path)
    found = api(folder, json.dumps({"a": {"$ref": reference}}))
    assert found.follow("a") == {}
    assert found.follow("a") == {}
    assert f"root.yaml:1:16 {code}" in found.said
    assert len([line for line in found.said if line.startswith("root.yaml")]) == 1


def test_a_wider_folder_may_be_allowed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path, a__yaml="x: {y: 1}")
    found = api(tmp_path / "in", 'a: {$ref: "../a.yaml#/x"}\nb: {$ref: "../../a.yaml"}', allowed_folder=tmp_path)
    assert found.follow("a") == {"y": 1}
    assert found.follow("b") == {}
    assert found.said == ["root.yaml:2:11 outside-reference"]


def test_a_file_that_does_not_parse_is_reported_where_and_by_whom(tmp_path: Path) -> None:
    root = 'a: {$ref: "broken.yaml#/x"}\nb: {$ref: "broken.yaml#/y"}\n'
    found = api(tmp_path, root, broken__yaml="x: {\n")
    found.documents.check()
    assert found.said == ["broken.yaml:2:1 invalid-yaml", "root.yaml:1:11 missing-file", "root.yaml:2:11 missing-file"]


# --- what to say -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        ("#/schemas/Usr", "did you mean 'User'?"),
        ("#/schemas/user", "did you mean 'User'?"),
        ("#/schema/User", "did you mean 'schemas'?"),
        ("#/schemas/Zebra", ""),
        ("#schemas", "did you mean '#/schemas'?"),
        ("#/schemas/a~1worx", "did you mean 'a~1word'?"),
        ("othr.yaml#/x", "did you mean 'other.yaml'?"),
        ("other.yml#/x", "did you mean 'other.yaml'?"),
    ],
)
def test_the_nearest_name_is_offered(tmp_path: Path, reference: str, hint: str) -> None:
    root = {"schemas": {"User": {}, "Group": {}, "a/word": {}}, "r": {"$ref": reference}}
    found = api(tmp_path, json.dumps(root), other__yaml="x: 1")
    found.follow("r")
    assert [diagnostic.hint for diagnostic in found.report.sorted()] == [hint]


def test_the_message_names_the_reference_and_where_the_pointer_fails(tmp_path: Path) -> None:
    found = api(tmp_path, 'r: {$ref: "a.yaml#/x/y"}\ns: {$ref: "#/r/z"}\nt: {$ref: "#/u/5"}\nu: [1]', a__yaml="x: 1")
    found.documents.check()
    assert [diagnostic.message for diagnostic in found.report.sorted()] == [
        "the reference 'a.yaml#/x/y' leads nowhere: 'a.yaml#/x' holds a single value, with no 'y' in it",
        "the reference '#/u/5' leads nowhere: '#/u' is a list of 1, and '5' is no index of it",
    ]


# --- check -----------------------------------------------------------------------------------------------------------


def test_every_dangling_reference_is_reported_at_its_line(tmp_path: Path) -> None:
    found = api(
        tmp_path,
        """
a: {$ref: "#/no"}
b: [{$ref: "#/no"}, {c: {$ref: "other.yaml#/no"}}]
d: {$ref: "other.yaml#/x"}
""",
        other__yaml='x: 1\nunused: {$ref: "#/no"}\nmore: {$ref: "third.yaml"}\n',
        third__yaml='a: {$ref: "nowhere.yaml"}\n',
    )
    found.documents.check()
    found.documents.check()
    assert found.said == [
        "other.yaml:2:16 dangling-reference",
        "root.yaml:2:11 dangling-reference",
        "root.yaml:3:12 dangling-reference",
        "root.yaml:3:32 dangling-reference",
        "third.yaml:1:11 missing-file",
    ]


def test_of_another_description_only_what_is_reached_counts(tmp_path: Path) -> None:
    found = api(
        tmp_path,
        'a: {$ref: "api.yaml#/components/schemas/A"}\n',
        api__yaml="""
openapi: 3.1.0
paths: {/: {$ref: "#/no"}}
components:
  schemas:
    A: {items: {$ref: "#/components/schemas/B"}}
    B: {items: {$ref: "#/components/schemas/C"}}
    D: {items: {$ref: "#/components/schemas/E"}}
""",
    )
    found.documents.check()
    assert found.said == ["api.yaml:7:23 dangling-reference"]


@pytest.mark.parametrize(
    "text",
    [
        'a: {example: {$ref: "#/no"}}',
        'a: {examples: [{$ref: "#/no"}]}',
        'a: {examples: {one: {value: {$ref: "#/no"}}}}',
        'a: {default: {x: [{$ref: "#/no"}]}, const: {$ref: "#/no"}, enum: [{$ref: "#/no"}]}',
        "a: {properties: {$ref: {type: string}}}",
        'a: {properties: {$ref: "#/no"}}',
    ],
)
def test_data_and_properties_named_ref_are_no_references(tmp_path: Path, text: str) -> None:
    found = api(tmp_path, text)
    found.documents.check()
    assert found.said == []


@pytest.mark.parametrize(
    "text",
    [
        'properties: {example: {$ref: "#/no"}}',
        'properties: {properties: {$ref: "#/no"}}',
        'properties: {$ref: {$ref: "#/no"}}',
        'responses: {default: {$ref: "#/no"}}',
        'components: {schemas: {enum: {$ref: "#/no"}}}',
        'components: {schemas: {properties: {$ref: "#/no"}}}',
        'components: {examples: {one: {$ref: "#/no"}}}',
        'a: {$ref: "#/b", siblings: {$ref: "#/no"}}\nb: 1',
        'x-extension: [[{$ref: "#/no"}]]',
    ],
)
def test_names_that_look_like_words_hide_no_reference(tmp_path: Path, text: str) -> None:
    found = api(tmp_path, text)
    found.documents.check()
    assert [line.partition(" ")[2] for line in found.said] == ["dangling-reference"]


def test_what_aliases_repeat_is_checked_once(tmp_path: Path) -> None:
    lines = ["x0: &x0 {$ref: '#/no'}"]
    lines += [f"x{n}: &x{n} [*x{n - 1}, *x{n - 1}]" for n in range(1, 17)]
    found = api(tmp_path, "\n".join(lines))
    found.documents.check()
    assert found.said == ["root.yaml:1:16 dangling-reference"]


def test_many_dangling_references_are_all_reported(tmp_path: Path) -> None:
    found = api(tmp_path, json.dumps({f"k{n}": {"$ref": f"#/x{n}"} for n in range(1500)}))
    found.documents.check()
    assert len(found.said) == 1500


# --- names of schemas ------------------------------------------------------------------------------------------------

SCHEMA = """
openapi: 3.1.0
components:
  schemas:
    Anchored: {$anchor: word, type: string}
    Named:
      $id: https://example.com/named
      $defs:
        Part: {$anchor: part, type: integer}
        Own: {$ref: "#/$defs/Part"}
        Outer: {$ref: "#/components/schemas/Anchored"}
        Sibling: {$ref: other}
    Other: {$id: "https://example.com/other", type: boolean}
    Draft: {$id: "#draft", type: "null"}
"""


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("#word", "string"),
        ("#part", "integer"),
        ("#draft", "null"),
        ("https://example.com/other", "boolean"),
        ("https://example.com/named#/$defs/Part", "integer"),
        ("#/components/schemas/Named/$defs/Own", "integer"),
        ("#/components/schemas/Named/$defs/Outer", "string"),
        ("#/components/schemas/Named/$defs/Sibling", "boolean"),
    ],
)
def test_schemas_are_found_by_the_names_they_give_themselves(tmp_path: Path, reference: str, expected: str) -> None:
    found = api(tmp_path, SCHEMA + f'r: {{$ref: "{reference}"}}\n')
    end = found.documents.follow(found.node("r"))
    assert end.text("type") == expected
    found.documents.check()
    assert found.said == []


def test_in_asyncapi_an_id_is_no_address(tmp_path: Path) -> None:
    root = 'asyncapi: 3.0.0\na: {$id: "https://e.com/a", $anchor: x}\nr: {$ref: "https://e.com/a"}\ns: {$ref: "#x"}\n'
    found = api(tmp_path, root)
    found.documents.check()
    assert found.said == ["root.yaml:3:11 remote-reference", "root.yaml:4:11 dangling-reference"]


# --- nodes -----------------------------------------------------------------------------------------------------------


def test_a_node_gives_its_parts_and_their_places(tmp_path: Path) -> None:
    found = api(tmp_path, "a/b:\n  - x\n  - {c: text, d: 1}\n")
    (key, items), *_ = found.documents.root.items()
    assert (key, items.pointer) == ("a/b", "/a~1b")
    assert [node.value for node in items.elements()] == ["x", {"c": "text", "d": 1}]
    inner = found.node("a/b", 1)
    assert (inner.text("c"), inner.text("d"), inner.text("d", "default")) == ("text", "", "default")
    assert inner.get("x") is None
    assert items.get("0") is None
    assert ([*items.items()], [*inner.elements()]) == ([], [])
    part = inner.get("c")
    assert part is not None
    assert ([*part.items()], [*part.elements()]) == ([], [])
    assert part.text("c", "d") == "d"
    assert (str(part.location), str(part.key_location)) == ("root.yaml:3:9", "root.yaml:3:6")
    assert part.location.pointer == "/a~1b/1/c"
