"""A project to begin with: it runs and passes its own test at once, and is never overwritten."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sockspec.cli import main
from tests.certificates import certificate

ROOT = Path(__file__).parents[1]
SOURCES = ["health.py", "server.py", "settings.py", "test_server.py"]
FILES = {"Dockerfile", "README.md", "chat", "pyproject.toml", *SOURCES}
AMBIENT = ["{type: httpApiKey, in: cookie, name: session}", "{type: http, scheme: basic}", "{type: X509}"]
"""Security schemes whose credentials browsers send by themselves."""


def secured(scheme: str, folder: Path) -> Path:
    """A document with a security scheme."""
    path = folder / "document.yaml"
    path.write_text(
        f"""asyncapi: 3.0.0
info: {{title: Chat, version: '1'}}
servers: {{main: {{host: localhost, protocol: ws, security: [{{$ref: '#/components/securitySchemes/one'}}]}}}}
channels:
  room:
    address: /room
    messages: {{hello: {{payload: {{type: object, required: [type], properties: {{type: {{const: hello}}}}}}}}}}
operations: {{hello: {{action: receive, channel: {{$ref: '#/channels/room'}}}}}}
components: {{securitySchemes: {{one: {scheme}}}}}
""",
        encoding="utf-8",
    )
    return path


def init(document: str | Path, folder: Path) -> Result:
    return CliRunner().invoke(main, ["init", str(ROOT / "specs" / document), "-o", str(folder), "--package", "chat"])


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "generator")}
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


DOCUMENTS = ["chat.asyncapi.yaml", "market.asyncapi.yaml", "hostile_names.asyncapi.yaml", AMBIENT[0]]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_project_passes_its_test_and_is_clean(document: str, tmp_path: Path) -> None:
    result = init(secured(document, tmp_path) if document in AMBIENT else document, tmp_path / "project")
    assert result.exit_code == 0, result.output
    project = tmp_path / "project"
    assert {path.name for path in project.iterdir()} == FILES
    tested = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    formatted = run(project, "-m", "ruff", "format", "--check", "--no-cache", *SOURCES)
    assert formatted.returncode == 0, formatted.stdout
    typed = run(project, "-m", "mypy", "--strict", "--cache-dir", os.devnull, *SOURCES)
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


@pytest.mark.parametrize("scheme", AMBIENT)
def test_no_page_may_connect_with_credentials_that_browsers_send_unless_it_is_named(
    scheme: str, tmp_path: Path
) -> None:
    assert init(secured(scheme, tmp_path), tmp_path / "project").exit_code == 0
    code = (
        "from settings import Settings\n"
        "assert Settings.from_environment({}).options.origins == ()\n"
        "assert Settings.from_environment({'ORIGINS': 'https://a'}).options.origins == ('https://a',)\n"
    )
    checked = run(tmp_path / "project", "-c", code)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("is_encrypted", [False, True], ids=["clear text", "TLS"])
def test_the_health_check_asks_on_the_port_and_in_the_way_that_the_server_serves(
    is_encrypted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert init("market.asyncapi.yaml", tmp_path).exit_code == 0
    with socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setenv("PORT", str(free.getsockname()[1]))
    if is_encrypted:
        files = certificate(tmp_path, "localhost")
        monkeypatch.setenv("TLS_CERTIFICATE", files.certificate.name)
        monkeypatch.setenv("TLS_KEY", files.key.name)
    assert run(tmp_path, "health.py").returncode == 1
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "generator")}
    command = [sys.executable, "server.py"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        assert "listening on" in server.stderr.readline()
        checked = run(tmp_path, "health.py")
        server.terminate()
        server.stderr.read()
    assert (checked.returncode, checked.stderr, server.returncode) == (0, "", 0)
    assert '["python", "health.py"]' in (tmp_path / "Dockerfile").read_text(encoding="utf-8")
