"""What is built and installed: everything that is needed, and a program that works in an empty environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "generator" / "sockspec"

USE = """
import chat, chat.codecs
message = chat.codecs.ROOM_FROM_CLIENT.decode('{"type": "leave", "timestamp": "2025-03-01T10:05:12Z"}')
assert isinstance(message, chat.Leave)
try:
    chat.codecs.ROOM_FROM_CLIENT.decode('{"type": "leave"}')
except ValueError as error:
    print(error.problem.errors[0].message)
"""


def run(*command: str | Path, cwd: Path) -> str:
    """What a program prints, which must end well. It sees none of our paths."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


def files_of(folder: Path) -> set[str]:
    """The files below a folder that belong to the project."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not {"__pycache__", ".mypy_cache", ".ruff_cache"} & set(path.parts)
    }


def test_the_wheel_has_every_file_of_the_package_and_every_template(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name.removeprefix("sockspec/") for name in archive.namelist() if name.startswith("sockspec/")}
    assert names == files_of(SOURCE) | {f"templates/{name}" for name in files_of(ROOT / "templates")}
    assert {"py.typed", "templates/python/messages.py.j2", "templates/docs/page.html.j2"} <= names
    assert any(PurePosixPath(name).parent.name == "metaschemas" for name in names)


def test_the_wheel_has_nothing_but_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert {name.partition("/")[0].partition("-")[0] for name in archive.namelist()} == {"sockspec"}


def test_the_source_distribution_has_what_the_tests_need(built: Path) -> None:
    (found,) = built.glob("*.tar.gz")
    with tarfile.open(found) as archive:
        names = {
            PurePosixPath(name).relative_to(PurePosixPath(name).parts[0]).as_posix() for name in archive.getnames()
        }
    wanted = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "generator/sockspec/cli/generate.py"}
    wanted |= {f"templates/{name}" for name in files_of(ROOT / "templates")}
    wanted |= {f"specs/{name}" for name in files_of(ROOT / "specs")}
    assert sorted(wanted - names) == []


def test_the_wheel_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    binaries = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    run(binaries / "python", "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    spec = shutil.copy(ROOT / "specs" / "chat.asyncapi.yaml", elsewhere)
    assert "generate" in run(binaries / "sockspec", "--help", cwd=elsewhere)
    run(binaries / "sockspec", "generate", Path(spec).name, "-o", ".", cwd=elsewhere)
    assert run(binaries / "python", "-c", USE, cwd=elsewhere) == "the property 'timestamp' is missing\n"
    for path in sorted((ROOT / "generated" / "chat").rglob("*.py")):
        made = elsewhere / "chat" / path.relative_to(ROOT / "generated" / "chat")
        assert made.read_text(encoding="utf-8") == path.read_text(encoding="utf-8")
