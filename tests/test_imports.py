"""Which part of the program may import which: one table, and what is loaded when a program begins."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sockspec

SOURCE = Path(sockspec.__file__).parent

MAY_IMPORT = {
    "": "",
    "__main__": "cli",
    "choices": "ir",
    "cli": "pipeline live choices output render reports ir diagnostics python click",
    "cli.connect": "console runtime",
    "cli.decode": "runtime",
    "cli.diff": "diff",
    "cli.docs": "docs diff python",
    "cli.documents": "diff",
    "cli.mock": "mock samples runtime",
    "console": "ir analysis python docs runtime spec.walk msgspec",
    "console.keyboard": "prompt_toolkit",
    "cli.test": "contract",
    "cli.watch": "watching",
    "contract": "samples python ir runtime websockets",
    "cli.lint": "lint rules",
    "cli.specs": "spec.source",
    "lint": "pipeline choices rules spec analysis ir diagnostics",
    "pipeline": "choices spec schema rules analysis python docs render ir diagnostics",
    "rules": "spec schema analysis samples runtime.formats ir diagnostics",
    "rules.generation": "python.naming",
    "spec": "choices schema ir diagnostics yaml jsonschema referencing",
    "schema": "ir diagnostics spec.resolve spec.node spec.source spec.text spec.walk",
    "analysis": "ir diagnostics",
    "python": "analysis ir diagnostics msgspec",
    "docs": "python samples analysis ir diagnostics schema.expressions schema.dialect markdown_it",
    "ir": "diagnostics",
    "diagnostics": "",
    "diff": "python analysis ir diagnostics spec.text spec.walk",
    "diff.revisions": "spec.source spec.node",
    "diff.schemas": "schema.dialect samples.expressions runtime.formats spec.source",
    "live": "output",
    "watching": "",
    "output": "",
    "render": "jinja2",
    "reports": "diagnostics",
    "mock": "pipeline live choices samples spec.source spec.structure spec.wording spec.node spec.text spec.walk "
    "python runtime ir diagnostics msgspec",
    "pytest_plugin": "mock runtime pytest",
    "samples": "jsonschema referencing runtime.formats schema.expressions",
    "runtime": "msgspec websockets jsonschema referencing",
    "runtime.backplane.nats": "nats",
    "runtime.backplane.redis": "redis",
    "runtime.metrics": "prometheus_client",
    "runtime.security.jwt": "jwt",
    "runtime.security.principal": "typing_extensions",
    "runtime.serving.hypercorn": "hypercorn",
    "runtime.serving.picows": "picows",
    "runtime.serving.standalone": "uvloop",
    "runtime.serving.uvicorn": "uvicorn",
    "runtime.tracing": "opentelemetry",
}
"""Each part, and what it may import beside itself, the version and the standard library.

A part within a part may import what is listed for both. From the document to the text: `cli` calls `pipeline`, which
calls readers (`spec`, `schema`), then `analysis`, then what makes views (`python`, `docs`), then `render`. Readers and
views share only `ir`. The runtime is a program of its own, which only the commands that speak an API themselves run.
"""

APART = [("spec.asyncapi", "spec.openapi"), ("spec.openapi", "spec.asyncapi")]
"""Front ends that know nothing of each other."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module by its name below `sockspec`, and its syntax tree."""
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    """The modules that a module imports anywhere: ours by their names below `sockspec`, others by their first names."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                full = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), names=names, level=0):
                full = [f"{module}.{alias.name}" for alias in names]
            case ast.ImportFrom():
                full = ["a relative import"]
            case _:
                continue
        for name in full:
            first, _, rest = name.partition(".")
            if first == "sockspec":
                yield rest
            elif first not in sys.stdlib_module_names:
                yield first


def allowed(module: str) -> set[str]:
    """What a module may import: its own part, and what the table says for it and for all that it is within."""
    parts = module.split(".")
    within = {".".join(parts[: count + 1]) for count in range(len(parts))}
    listed = {name for part in within for name in MAY_IMPORT.get(part, "").split()}
    return {parts[0], "__version__", *listed}


def is_within(name: str, parts: set[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def test_every_part_is_in_the_table() -> None:
    assert {name.partition(".")[0] for name, _ in modules()} == {part for part in MAY_IMPORT if "." not in part}


def test_parts_import_only_what_the_table_allows() -> None:
    assert [
        f"{module} imports {name}"
        for module, tree in modules()
        for name in imported(tree)
        if not is_within(name, allowed(module))
    ] == []


@pytest.mark.parametrize(("one", "other"), APART)
def test_front_ends_do_not_import_each_other(one: str, other: str) -> None:
    assert [
        f"{module} imports {name}"
        for module, tree in modules()
        if is_within(module, {one})
        for name in imported(tree)
        if is_within(name, {other})
    ] == []


HEAVY = (
    *("jsonschema", "jinja2", "yaml", "openapi_spec_validator", "websockets", "click"),
    *("sockspec.runtime.fleet.uplink", "sockspec.runtime.backplane.memory"),
)


@pytest.mark.parametrize(
    ("statement", "loaded"),
    [
        ("import sockspec", ""),
        ("import sockspec.runtime", ""),
        ("import sockspec.cli", "click"),
        ("import chat", ""),
        ("import chat, chat.codecs; chat.codecs.ROOM_FROM_CLIENT.decode(VALID)", ""),
    ],
)
def test_a_program_loads_only_what_it_needs(statement: str, loaded: str) -> None:
    valid = '{"type": "leave", "timestamp": "2025-03-01T10:05:12Z"}'
    show = f"print(*(name for name in {HEAVY!r} if name in sys.modules))"
    program = f"import sys\nVALID = {valid!r}\n{statement}\n{show}"
    paths = [str(SOURCE.parent), str(SOURCE.parents[1] / "generated")]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}\n{program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == loaded.split()
