"""A project to begin with: it runs and passes its own test at once, and is never overwritten."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sockspec.cli import main

ROOT = Path(__file__).parents[1]
FILES = {"Dockerfile", "README.md", "chat", "pyproject.toml", "server.py", "settings.py", "test_server.py"}


def init(document: str, folder: Path) -> Result:
    return CliRunner().invoke(main, ["init", str(ROOT / "specs" / document), "-o", str(folder), "--package", "chat"])


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "generator")}
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("document", ["chat.asyncapi.yaml", "market.asyncapi.yaml", "hostile_names.asyncapi.yaml"])
def test_a_project_passes_its_test_and_is_clean(document: str, tmp_path: Path) -> None:
    result = init(document, tmp_path / "project")
    assert result.exit_code == 0, result.output
    project = tmp_path / "project"
    assert {path.name for path in project.iterdir()} == FILES
    tested = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    formatted = run(
        project, "-m", "ruff", "format", "--check", "--no-cache", "server.py", "settings.py", "test_server.py"
    )
    assert formatted.returncode == 0, formatted.stdout
    typed = run(
        project, "-m", "mypy", "--strict", "--cache-dir", os.devnull, "server.py", "settings.py", "test_server.py"
    )
    assert typed.returncode == 0, typed.stdout


def test_a_project_is_written_once(tmp_path: Path) -> None:
    assert init("chat.asyncapi.yaml", tmp_path).exit_code == 0
    (tmp_path / "server.py").write_text("# mine\n", encoding="utf-8")
    (tmp_path / "Dockerfile").unlink()
    again = init("chat.asyncapi.yaml", tmp_path)
    assert again.exit_code == 1
    assert "nothing is written" in again.output
    assert (tmp_path / "server.py").read_text(encoding="utf-8") == "# mine\n"
    assert not (tmp_path / "Dockerfile").exists()


def test_the_settings_are_what_the_environment_says(tmp_path: Path) -> None:
    assert init("chat.asyncapi.yaml", tmp_path).exit_code == 0
    code = (
        "from settings import Settings\n"
        "read = Settings.from_environment({'PORT': '1', 'ORIGINS': 'https://a, https://b', 'BEHIND_TLS_PROXY': '1'})\n"
        "assert (read.host, read.port, read.ssl) == ('127.0.0.1', 1, None)\n"
        "assert (read.options.origins, read.options.behind_tls_proxy) == (('https://a', 'https://b'), True)\n"
    )
    checked = run(tmp_path, "-c", code)
    assert checked.returncode == 0, checked.stderr
