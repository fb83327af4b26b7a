"""What is said about the structure of documents, and where. More of it stands in `tests/cases`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sockspec.diagnostics import Report, Severity
from sockspec.pipeline import check
from sockspec.spec.resolve import Documents
from sockspec.spec.source import Unreadable, load, load_text
from sockspec.spec.validate import Specification, validate
from sockspec.spec.version import kind

ASYNCAPI_3 = "asyncapi: 3.0.0\ninfo: {title: t, version: '1'}\n"
ASYNCAPI_2 = "asyncapi: 2.6.0\ninfo: {title: t, version: '1'}\n"
OPENAPI = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\n"


def said(text: str, folder: Path = Path("/nowhere")) -> list[str]:
    """What is said about a document: place, code and message, without the name of the file."""
    return [f"{d.location.line}:{d.location.column} {d.code.id} {d.message}" for d in examined(text, folder).sorted()]


def examined(text: str, folder: Path = Path("/nowhere")) -> Report:
    """The report on a document."""
    report = Report()
    document = load_text(text, path=folder / "document.yaml", name="document.yaml", report=report)
    validate(Documents(document, report), report)
    return report


def hints(text: str) -> list[str]:
    """The hints for a document, in the order of the places."""
    return [found.hint for found in examined(text).sorted()]


def on(path: Path) -> Report:
    """The report on a file."""
    report = Report()
    try:
        validate(Documents(load(path, name=path.name, report=report), report), report)
    except Unreadable as unreadable:
        for diagnostic in unreadable.diagnostics:
            report.add(diagnostic)
    return report


def checked(text: str, folder: Path) -> Report:
    """The report on a document with all that its parts say of each other."""
    (folder / "document.yaml").write_text(text, encoding="utf-8")
    return check(folder / "document.yaml", name="document.yaml")[1]


def told(text: str, folder: Path) -> list[str]:
    """What is said about a document as a whole: place, code and message."""
    found = checked(text, folder).sorted()
    return [f"{d.location.line}:{d.location.column} {d.code.id} {d.message}" for d in found]


# --- which specification ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "specification", "version"),
    [
        ("asyncapi: 2.0.0", Specification.ASYNCAPI_2, "2.0"),
        ("asyncapi: 2.6.0", Specification.ASYNCAPI_2, "2.6"),
        ("asyncapi: 2.6.14", Specification.ASYNCAPI_2, "2.6"),
        ("asyncapi: 3.0.1", Specification.ASYNCAPI_3, "3.0"),
        ("asyncapi: '3.1.0'", Specification.ASYNCAPI_3, "3.1"),
        ("openapi: 3.1.2", Specification.OPENAPI_3, "3.1"),
        ("openapi: 3.2.0", Specification.OPENAPI_3, "3.2"),
    ],
)
def test_a_patch_version_has_the_rules_of_its_minor_version(
    text: str, specification: Specification, version: str
) -> None:
    report = Report()
    found = kind(load_text(text, path=Path("/nowhere/d.yaml"), report=report), report)
    assert found is not None
    assert (found.specification, found.version, report.sorted()) == (specification, version, [])


@pytest.mark.parametrize(
    ("text", "version"), [("asyncapi: 3.2.0", "3.1"), ("asyncapi: 2.70.0", "2.6"), ("openapi: 3.3.0", "3.2")]
)
def test_a_newer_minor_version_is_read_as_the_newest_known_one_with_a_warning(text: str, version: str) -> None:
    report = Report()
    found = kind(load_text(text, path=Path("/nowhere/d.yaml"), report=report), report)
    assert found is not None
    assert found.version == version
    assert [(d.code.id, d.severity) for d in report.sorted()] == [("newer-version", Severity.WARNING)]


@pytest.mark.parametrize(
    ("written", "shown", "hint"),
    [
        ("3.0", "3.0", "write 'asyncapi: 3.0.0'"),
        ("2.6", "2.6", "write 'asyncapi: 2.6.0'"),
        ("3", "3", "write 'asyncapi: 3.0.0'"),
        ("'3.0'", "'3.0'", "write 'asyncapi: 3.0.0'"),
        ("v3.0.0", "'v3.0.0'", "write 'asyncapi: 3.0.0'"),
        ("3.0.0-rc1", "'3.0.0-rc1'", "write 'asyncapi: 3.0.0'"),
        ("٣.٠.٠", "'٣.٠.٠'", "write 'asyncapi: 3.1.0'"),
        ("", "null", "write 'asyncapi: 3.1.0'"),
        ("[3.0.0]", "a list", "write 'asyncapi: 3.0.0'"),
        ("{}", "a mapping", "write 'asyncapi: 3.1.0'"),
        ("true", "true", "write 'asyncapi: 3.1.0'"),
        ("9999999999999.0.0", "'9999999999999.0.0'", "write 'asyncapi: 3.1.0'"),
    ],
)
def test_what_is_no_version_is_refused_with_the_version_that_was_meant(written: str, shown: str, hint: str) -> None:
    [found] = examined(f"asyncapi: {written}").sorted()
    assert found.message == f"'asyncapi' is {shown}; a version such as '3.1.0' was expected"
    assert (found.code.id, found.hint, found.location.line) == ("unsupported-version", hint, 1)


# --- AsyncAPI ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("chanels: {}", ["3:1 unknown-property unexpected property 'chanels'"]),
        ("channels:", ["3:10 wrong-type 'channels' is null; a mapping was expected"]),
        ("channels: {c: }", ["3:15 wrong-type 'c' is null; a mapping was expected"]),
        ("servers:\n  s: {host: h}", ["4:3 missing-property missing property 'protocol' in 's'"]),
        ("operations: {o: {}}", [
            "3:14 missing-property missing property 'action' in 'o'",
            "3:14 missing-property missing property 'channel' in 'o'",
        ]),
        ("channels:\n  c:\n    tags: [{name: a}, {name: a}]", [
            "5:23 invalid-value 'tags[1]' is a mapping, like an item before it; the items were expected to differ"
        ]),
        ("components: {schemas: {S: {maxLength: 1.5}}}", [
            "3:39 wrong-type 'maxLength' is 1.5; a whole number was expected"
        ]),
        ("components: {schemas: {S: {items: {properties: {p: {enum: 5}}}}}}", [
            "3:59 wrong-type 'enum' is 5; a list was expected"
        ]),
        ("components: {schemas: {S: {multipleOf: 0}}}", [
            "3:40 invalid-value 'multipleOf' is 0; more than 0 was expected"
        ]),
        ("components: {securitySchemes: {s: {type: oauth2, flows: {pasword: {}}}}}", [
            "3:58 unknown-property unexpected property 'pasword' in 'flows'"
        ]),
        ("components: {securitySchemes: {s: {type: oauth2, flows: {}, $ref: '#/x'}}}", [
            "3:35 invalid-value a security scheme is either a reference or written out, not both"
        ]),
    ],
)  # fmt: skip
def test_each_fault_is_told_at_its_place(text: str, expected: list[str]) -> None:
    assert said(ASYNCAPI_3 + text) == expected


def test_a_misspelt_name_is_not_reported_as_missing_too() -> None:
    assert said("asyncapi: 2.6.0\nifno: {title: t, version: '1'}\nchannels: {}") == [
        "2:1 unknown-property unexpected property 'ifno'"
    ]


def test_a_reference_where_none_belongs_is_not_reported_for_what_it_lacks() -> None:
    text = "asyncapi: 2.2.0\ninfo: {title: t, version: '1'}\nchannels: {}\nservers: {s: {$ref: '#/x'}}"
    assert said(text) == ["4:15 unknown-property unexpected property '$ref' in 's'"]
    assert hints(text) == ["a reference in this place needs AsyncAPI 2.3 or later"]


def test_a_value_with_several_faults_is_reported_once() -> None:
    text = ASYNCAPI_2 + "channels: {c: {subscribe: {message: {headers: {type: Array}}}}}"
    assert len(said(text)) == 1


@pytest.mark.parametrize("version", ["2.0.0", "2.4.0"])
def test_a_reference_to_a_parameter_is_a_warning_until_asyncapi_2_4(version: str) -> None:
    text = ASYNCAPI_2.replace("2.6.0", version) + "channels: {a: {parameters: {p: {$ref: '#/x'}}}}"
    [found] = examined(text).sorted()
    assert (found.code.id, found.severity) == ("officially-refused", Severity.WARNING)


def test_a_reference_to_a_parameter_is_fine_since_asyncapi_2_5() -> None:
    assert said(ASYNCAPI_2.replace("2.6", "2.5") + "channels: {a: {parameters: {p: {$ref: '#/x'}}}}") == []


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("operations: {o: {action: send, channel: chat}}", "write {$ref: '#/channels/chat'}"),
        ("operations: {o: {action: send, channel: '#/channels/chat'}}", "write {$ref: '#/channels/chat'}"),
        ("operations: {o: {action: send, channel: {address: /}}}", "write {$ref: '#/channels/...'}"),
        ("servers: {s: {host: h, protocol: ws, url: u}}", "AsyncAPI 3 has 'host' and 'pathname' in its place"),
        ("components: {messages: {m: {payload: {type: String}}}}", "did you mean 'string'?"),
        ("id: 5", "write it between quotes: \"5\""),
        ("x_mine: 5", "it may have 'id', 'defaultContentType', 'servers', 'channels', 'operations' or 'components'"),
    ],
)  # fmt: skip
def test_a_hint_says_how_to_mend_it(text: str, hint: str) -> None:
    assert hints(ASYNCAPI_3 + text) == [hint]


def test_what_was_written_is_quoted_on_one_line_and_cut_where_it_is_long() -> None:
    [found] = said(ASYNCAPI_3 + f"operations: {{o: {{action: '{'a' * 500}\\n\\n\\n', channel: {{$ref: x}}}}}}")
    assert "\n" not in found
    assert len(found) < 400


def test_a_property_that_no_pattern_of_python_would_print_is_quoted() -> None:
    assert said(ASYNCAPI_3 + '"a\\nb\\u202e": 1') == [r"3:1 unknown-property unexpected property 'a\nb\u202e'"]


def test_documents_named_invalid_are_told_of_in_our_own_words(shared: Path) -> None:
    foreign = re.compile(
        r"is not valid under|does not match any|should not be valid|is a required property|Additional prop"
    )
    for path in sorted((shared / "corpus/asyncapi-tck").rglob("*.y*ml")):
        for found in on(path).sorted():
            assert found.location.line > 0, path
            assert not foreign.search(found.message), path
            assert len(found.message) < 400, path


def test_an_alias_bomb_is_checked_in_no_time() -> None:
    layers = "".join(f"  b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]\n" for n in range(1, 6))
    text = f"{ASYNCAPI_3}components:\n  schemas: {{S: {{enum: *b5}}}}\nx-bomb:\n  b0: &b0 [1]\n{layers}"
    text = text.replace("components:\n  schemas: {S: {enum: *b5}}\n", "") + "components: {schemas: {S: {enum: *b5}}}"
    assert [message.split()[1] for message in said(text)] == ["invalid-value"]


def test_deep_nesting_is_checked_without_recursion() -> None:
    text = "{properties: {p: " * 240 + "{type: Array}" + "}}" * 240
    assert len(said(f"{ASYNCAPI_3}components: {{schemas: {{S: {text}}}}}")) == 1


# --- OpenAPI ----------------------------------------------------------------------------------------------------------


def test_the_openapi_document_of_the_guide_is_valid(shared: Path) -> None:
    assert check(shared / "guide/chat.openapi.yaml")[1].sorted() == []


EXPECTED = {
    # A header's name is `Bad=Header`, which the validator lets pass.
    "v3.2/fail/header-object-name.yaml": False,
    "v3.2/fail/parameter-object-header-name.yaml": False,
    # References to the network are an error of ours; and a path's parameter is not the one that is declared.
    "v3.1/pass/security-scheme-object-examples.yaml": True,
    "v3.2/pass/security-scheme-object-examples.yaml": True,
    "v3.2/pass/operation-object-example.yaml": True,
}


def test_documents_of_the_openapi_initiative_pass_and_fail_as_they_are_named(shared: Path) -> None:
    root = shared / "corpus/OAI-tests"
    paths = [path for path in sorted(root.rglob("*")) if path.is_file() and path.parent.name in ("pass", "fail")]
    failed = {path.relative_to(root).as_posix(): check(path)[1].failed for path in paths}
    named = {name: "/fail/" in name for name in failed}
    assert failed == {**named, **EXPECTED}
    assert len(failed) > 80


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("paths: {/a: {get: {responses: {'200': {}}}}}", [
            "3:32 missing-property missing property 'description' in '200'"
        ]),
        ("paths: {/a: {gett: {}}}", ["3:14 unknown-property unexpected property 'gett' in '/a'"]),
        ("paths: {}\nextra: 1", ["4:1 unknown-property unexpected property 'extra'"]),
        ("components: {securitySchemes: {s: {type: apiKey, name: n, in: body}}}", [
            "3:63 not-allowed-value 'in' is 'body'; 'query', 'header' or 'cookie' was expected"
        ]),
        ("components: {schemas: {S: {properties: {p: {default: a, type: integer}}}}}", [
            "3:54 invalid-default the default is 'a'; a whole number was expected"
        ]),
        ("paths: {'/a/{id}': {get: {parameters: []}}}", [
            "3:21 path-parameter the path '/a/{id}' has a parameter 'id' that is not declared"
        ]),
        ("components: {schemas: {S: {maxLength: -1}}}", [
            "3:39 invalid-value 'maxLength' is -1; at least 0 was expected"
        ]),
    ],
)  # fmt: skip
def test_faults_of_openapi_have_a_place_and_our_words(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert told(OPENAPI + text, tmp_path) == expected


def test_nothing_that_is_wrong_hides_anything_else(tmp_path: Path) -> None:
    text = """\
paths: {'/a/{id}': {get: {parameters: [], tags: 5, operationId: a}, put: {operationId: a}}}
components:
  schemas:
    A: {$ref: '#/components/schemas/B'}
    C: {type: strin, required: foo, minLength: -1}
    D: {type: integer, default: many}
"""
    assert [message.split()[1] for message in told(OPENAPI + text, tmp_path)] == [
        *("path-parameter", "wrong-type", "path-parameter", "duplicate-operation-id", "dangling-reference"),
        *("not-allowed-value", "wrong-type", "invalid-value", "invalid-default"),
    ]


def test_an_operation_with_a_parameter_that_cannot_be_read_is_not_said_to_lack_one(tmp_path: Path) -> None:
    text = "paths: {'/a/{id}': {get: {parameters: [{$ref: '#/components/parameters/id'}]}}}"
    assert [message.split()[1] for message in told(OPENAPI + text, tmp_path)] == ["dangling-reference"]


@pytest.mark.parametrize("place", ["itemSchema", "schema"])
def test_schemas_of_media_types_are_checked_wherever_they_stand(tmp_path: Path, place: str) -> None:
    text = f"paths: {{}}\ncomponents: {{mediaTypes: {{m: {{{place}: {{type: strin}}}}}}}}"
    assert [message.split()[1] for message in told(OPENAPI.replace("3.1", "3.2") + text, tmp_path)] == [
        "not-allowed-value"
    ]


def test_faults_in_another_file_have_their_place_there(tmp_path: Path) -> None:
    (tmp_path / "parts.yaml").write_text("S:\n  properties:\n    p: {type: strin}\n", encoding="utf-8")
    report = checked(OPENAPI + "components: {schemas: {A: {$ref: 'parts.yaml#/S'}}}", tmp_path)
    assert [str(found.location) for found in report.sorted()] == ["parts.yaml:3:15"]


def test_a_circle_of_schemas_does_not_exhaust_the_check(tmp_path: Path) -> None:
    text = "components: {schemas: {A: {allOf: [{$ref: '#/components/schemas/A'}, {properties: {a: true}}]}}}"
    assert not checked(OPENAPI + text, tmp_path).failed


def test_hostile_documents_are_checked_without_an_exception(shared: Path) -> None:
    for path in sorted((shared / "corpus/hostile").glob("*.*")):
        if path.suffix in (".yaml", ".json"):
            for found in check(path, name=path.name)[1].sorted():
                assert len(found.message) < 1000, path
