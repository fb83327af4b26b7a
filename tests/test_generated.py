"""The packages in `generated/`: current, deterministic, and used as a user would."""

from __future__ import annotations

import ast
import datetime as dt
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import EllipsisType
from typing import Any

import msgspec
import pytest

from sockspec import ir, output
from sockspec.cli.project import project_jobs
from sockspec.pipeline import examine, generate
from sockspec.python import codec_name
from sockspec.runtime import Codec, PayloadError

ROOT = Path(__file__).parents[1]
GENERATED = ROOT / "generated"
JOBS = {str(job.package): job for job in project_jobs(ROOT / "pyproject.toml")}
PACKAGES = sorted(JOBS)


@cache
def api(package: str) -> ir.Api:
    """What the document of a package describes."""
    found, _ = examine(JOBS[package].spec, name=JOBS[package].spec.name)
    assert found is not None
    return found


def codec(package: str, channel: ir.Channel, direction: ir.Direction) -> Codec[Any]:
    """The codec of the package for what one side sends on a channel."""
    found: Codec[Any] = getattr(
        importlib.import_module(f"{package}.codecs"), codec_name(api(package), channel, direction)
    )
    return found


def examples() -> Iterator[Any]:
    """Every payload that a document shows, with the codec that it is for."""
    for package in PACKAGES:
        for channel in api(package).channels:
            for direction in ir.Direction:
                for message in api(package).messages_of(channel, direction):
                    for number, example in enumerate(message.examples):
                        which = codec(package, channel, direction)
                        yield pytest.param(which, example.payload, id=f"{package}-{message.name}-{number}")


def modules(package: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((GENERATED / package).glob("*.py")):
        yield path.name, ast.parse(path.read_text(encoding="utf-8"))


# --- current and reproducible -----------------------------------------------------------------------------------------


def test_every_package_in_the_folder_is_listed() -> None:
    assert sorted(path.parent.name for path in GENERATED.glob("*/__init__.py")) == PACKAGES


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_current(package: str) -> None:
    files = generate(api(package), JOBS[package].spec.name, package=package)
    assert output.difference(files, GENERATED / package) == "", "run `make golden`"


@pytest.mark.parametrize("package", PACKAGES)
def test_generating_twice_gives_the_same(package: str) -> None:
    again, _ = examine(JOBS[package].spec, name="another/name.yaml")
    assert again is not None
    assert generate(again, "d.yaml") == generate(api(package), "d.yaml")


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_the_order_of_hashes_changes_nothing(seed: str, tmp_path: Path) -> None:
    program = (
        "import sys; from sockspec.cli import main\n"
        "for name, spec in zip(sys.argv[2::2], sys.argv[3::2]):\n"
        "    main(['generate', spec, '-o', sys.argv[1], '--package', name], standalone_mode=False)\n"
    )
    pairs = [word for name, job in JOBS.items() for word in (name, str(job.spec))]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", program, str(tmp_path), *pairs]
    subprocess.run(command, env=environment, capture_output=True, check=True)
    assert {
        package: output.difference(generate(api(package), JOBS[package].spec.name, package=package), tmp_path / package)
        for package in PACKAGES
    } == dict.fromkeys(PACKAGES, "")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_file_knows_where_it_was_made(package: str, tmp_path: Path) -> None:
    spec = Path(shutil.copy(JOBS[package].spec, tmp_path))
    found, _ = examine(spec, name=str(spec))
    assert found is not None
    files = generate(found, spec.name)
    assert files == generate(api(package), spec.name)
    places = {str(tmp_path), str(ROOT), str(Path.home()), sys.prefix}
    assert [(path, place) for path, text in files.items() for place in places if place in text] == []


def test_the_packages_are_clean_by_the_defaults_of_ruff(tmp_path: Path) -> None:
    # PYI041 wants `float` for `int | float`, which the classes need: msgspec makes a float of every number for `float`.
    options = ["--isolated", "--no-cache", "--target-version", "py311", "."]
    for package in PACKAGES:
        shutil.copytree(GENERATED / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for command in (["format", "--check"], ["check", "--ignore", "PYI041"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout


# --- payloads ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("which", "payload"), list(examples()))
def test_an_example_is_decoded_and_encoded_back(which: Codec[Any], payload: object) -> None:
    text = json.dumps(payload)
    message = which.decode(text)
    back = which.encode(message)
    assert isinstance(back, str)
    assert which.decode(back) == message
    assert without_defaults(json.loads(back), type(message)) == without_defaults(payload, type(message))


def without_defaults(payload: object, message: type[msgspec.Struct]) -> object:
    """The payload with its points in time as such, and without members that say what leaving them out says."""
    if isinstance(payload, dict) and message.__struct_config__.omit_defaults:
        defaults = {field.encode_name: field.default for field in msgspec.structs.fields(message)}
        payload = {key: value for key, value in payload.items() if key not in defaults or defaults[key] != value}
    return instants(payload)


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def instants(value: object) -> object:
    match value:
        case dict():
            return {key: instants(inner) for key, inner in value.items()}
        case list():
            return [instants(inner) for inner in value]
        case str() if _INSTANT.fullmatch(value):
            return dt.datetime.fromisoformat(value)
        case _:
            return value


def test_every_message_has_an_example_where_the_document_is_ours() -> None:
    bare = {"chat_openapi-Message", "chat_openapi-ErrorMessage", "hostile_names-pass", "hostile_names-with"}
    assert {f"{package}-{m.name}" for package in PACKAGES for m in api(package).messages if not m.examples} == bare


@pytest.mark.parametrize(
    ("package", "checked"),
    [("chat", set()), ("chat_openapi", set()), ("market", {"subscribe"}), ("hostile_names", {"None"})],
)
def test_lanes_are_as_the_documentation_says(package: str, checked: set[str]) -> None:
    lanes = {
        message.name: codec(package, channel, direction).examine(json.dumps(message.examples[0].payload)).lane
        for channel in api(package).channels
        for direction in ir.Direction
        for message in api(package).messages_of(channel, direction)
        if message.examples
    }
    assert {name for name, lane in lanes.items() if lane != "typed"} == checked
    page = (GENERATED / package / "docs" / "index.md").read_text(encoding="utf-8")
    assert page.count("checked by the JSON Schema validator") == len(checked)


def test_the_example_of_the_guide_tells_its_error_from_its_message() -> None:
    package = importlib.import_module("chat_openapi")
    codecs = importlib.import_module("chat_openapi.codecs")
    error = codecs.CHAT_FROM_SERVER.decode('{"type": "error", "error": {"code": 400, "message": "no"}}')
    assert isinstance(error, package.ErrorMessage)
    assert (error.error.code, error.error.message) == (400, "no")
    message = codecs.CHAT_FROM_SERVER.decode('{"type": "chat", "data": {"n": 1}, "timestamp": "2025-03-01T09:30:00Z"}')
    assert isinstance(message, package.Message)
    assert message.data == {"n": 1}
    assert codecs.CHAT_FROM_CLIENT.decode(codecs.CHAT_FROM_CLIENT.encode(message)) == message


@pytest.mark.parametrize(
    ("package", "name", "payload", "faults"),
    [
        (
            "chat",
            "ROOM_FROM_CLIENT",
            {"type": "join", "data": {"nickname": ""}},
            [("", "required"), ("/data/nickname", "minLength")],
        ),
        (
            "market",
            "STREAM_FROM_CLIENT",
            {"op": "subscribe", "channel": "book", "symbols": ["A", "A"]},
            [("/symbols", "uniqueItems")],
        ),
        ("market", "STREAM_FROM_CLIENT", {"op": "ping", "nonce": 0.5}, [("/nonce", "type")]),
        ("hostile_names", "CLASS_FROM_CLIENT", {"type": "import", "self": "", "id": "x"}, [("/id", "format")]),
    ],
)
def test_a_payload_that_the_document_forbids_is_refused(
    package: str, name: str, payload: object, faults: list[tuple[str, str]]
) -> None:
    which: Codec[Any] = getattr(importlib.import_module(f"{package}.codecs"), name)
    with pytest.raises(PayloadError) as caught:
        which.decode(json.dumps(payload))
    assert sorted((fault.pointer, fault.keyword) for fault in caught.value.problem.errors) == faults


def test_a_message_of_bytes_travels_in_a_binary_frame() -> None:
    codecs, package = importlib.import_module("hostile_names.codecs"), importlib.import_module("hostile_names")
    message = package.With(b"\x00\xff")
    assert codecs.ROOM_2_FROM_SERVER.encode(message) == b"\x00\xff"
    assert codecs.ROOM_2_FROM_SERVER.decode(b"\x00\xff") == message


# --- names and texts --------------------------------------------------------------------------------------------------


def properties(schema: dict[str, Any], document: dict[str, Any]) -> set[str]:
    """The properties that a schema and all its parts name."""
    if "$ref" in schema:
        return properties(document["definitions"][schema["$ref"].removeprefix("#/definitions/")], document)
    parts = [*schema.get("allOf", ()), *(schema[word] for word in ("then", "else") if word in schema)]
    return {*schema.get("properties", ()), *schema.get("required", ())}.union(
        *(properties(part, document) for part in parts)
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_every_wire_name_is_kept(package: str) -> None:
    given = importlib.import_module(f"{package}.codecs")
    kept: dict[str, set[str]] = {}
    written: dict[str, set[str]] = {}
    for which in (value for value in vars(given).values() if isinstance(value, Codec)):
        for entry in which.entries:
            config = entry.message.__struct_config__
            if entry.schema and not entry.bare:
                names = {field.encode_name for field in msgspec.structs.fields(entry.message)}
                kept[entry.schema] = names | ({config.tag_field} if config.tag_field else set())
                written[entry.schema] = properties({"$ref": entry.schema}, given.SCHEMAS.document)
    assert kept == written
    assert kept


MAY_CALL = re.compile(
    r"(?:super|super\(\)\.__init__|field|Meta|one_of|open_tuple|stamped|identified|self\.send|self\.request|self\.endpoint|messages\.\w+"
    r"|message_of|payload_of|answer|basic|Credential|Heartbeat|client\.\w+|connection\.send"
    r"|Schemas\.of|Codec|Entry|Route|Handler|FromPath|FromQuery|FromHeader|UUID|tuple|Limits|Requirement|\w*Scheme|dt\.(?:date|time|datetime)\.fromisoformat)"
)
MAY_IMPORT = {"__future__", "abc", "datetime", "decimal", "enum", "typing", "uuid", "msgspec", "sockspec.runtime"}

MAY_STATE = (
    ast.ClassDef,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Assign,
    ast.AnnAssign,
    ast.Expr,
    ast.Return,
    ast.If,
)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_text_of_a_document_becomes_code(package: str) -> None:
    for name, tree in modules(package):
        for node in ast.walk(tree):
            match node:
                case ast.Call(func):
                    assert MAY_CALL.fullmatch(ast.unparse(func)), f"{name}:{node.lineno}"
                case ast.Import(names):
                    assert {alias.name for alias in names} <= MAY_IMPORT, f"{name}:{node.lineno}"
                case ast.ImportFrom(module=module, level=0):
                    assert module in MAY_IMPORT, f"{name}:{node.lineno}"
                case ast.ImportFrom(level=level):
                    assert level == 1, f"{name}:{node.lineno}"
                case ast.stmt():
                    assert isinstance(node, MAY_STATE), f"{name}:{node.lineno}"
                case ast.Lambda(args=arguments):
                    assert ast.unparse(arguments) == "", f"{name}:{node.lineno}"
                case ast.JoinedStr() | ast.NamedExpr() | ast.Subscript(slice=ast.Slice()):
                    pytest.fail(f"{name}:{node.lineno}")
                case _:
                    pass


@pytest.mark.parametrize("package", PACKAGES)
def test_a_statement_that_is_an_expression_is_a_docstring_a_stub_or_a_call(package: str) -> None:
    for name, tree in modules(package):
        for node in ast.walk(tree):
            if isinstance(node, ast.Expr):
                is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str | EllipsisType)
                is_call = isinstance(node.value, ast.Call | ast.Await)
                assert is_text or is_call, f"{name}:{node.lineno}"


def test_the_texts_of_a_hostile_document_are_texts_in_the_package() -> None:
    server = importlib.import_module("hostile_names.server").HostileNames77RawScriptServer
    assert 'Ends the docstring: """ import os os.abort() """' in str(server.__doc__)
    assert server.class_.__doc__ == '""" + __import__("os").abort() + """'
