"""The largest real documents, beside datamodel-code-generator on the same documents, each a process of its own.

It makes classes of all schemas; sockspec reads and checks the whole document and makes server, client, codecs and
documentation as well. The documents are those of the tests' corpus, which is not part of the project.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

_CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
_REALTIME = "client=RealtimeClientEvent,server=RealtimeServerEvent,path=/realtime"
_DOCUMENTS = {
    "asyncapi/kanekoshoyu__asyncapi-rust-ws-template/v3.yaml": "",
    "asyncapi/tryAGI__Deepgram/asyncapi.json": "",
    "openapi/openai__openai-openapi/openapi.yaml": _REALTIME,
}
"""The documents, and the messages of those that do not say which they are."""


def run() -> Iterator[str]:
    """Processor seconds, start-up included, and lines of Python."""
    if not _CORPUS.is_dir():
        yield "  left out: there is no corpus of real documents here"
        return
    if find_spec("datamodel_code_generator") is None:
        yield "  left out: datamodel-code-generator is not installed (make bench installs it)"
        return
    for name, named in _DOCUMENTS.items():
        with tempfile.TemporaryDirectory() as scratch:
            yield from _beside(_CORPUS / name, named, Path(scratch))


def _beside(spec: Path, named: str, folder: Path) -> Iterator[str]:
    options = ["--messages", named] if named else []
    ours = _seconds("sockspec", "generate", str(spec), "-o", str(folder), "--package", "made", *options)
    modules = {path.name: _lines(path) for path in (folder / "made").glob("*.py")}
    classes, total = modules["messages.py"], sum(modules.values())
    made = folder / "models.py"
    kind = "openapi" if named else "asyncapi"
    arguments = ["--input", str(spec), "--input-file-type", kind, "--output", str(made)]
    model = ["--output-model-type", "pydantic_v2.BaseModel", "--target-python-version", "3.11"]
    theirs = _seconds("datamodel_code_generator", *arguments, *model)
    yield f"  {spec.parent.name}, {spec.stat().st_size / 1e6:.1f} MB"
    yield f"    sockspec                  {ours:6.2f} s  {classes:6} lines of classes, {total} in all"
    yield f"    datamodel-code-generator  {theirs:6.2f} s  {_lines(made):6} lines of classes, {theirs / ours:.1f} times the time"


def _lines(module: Path) -> int:
    return module.read_text(encoding="utf-8").count("\n")


def _seconds(module: str, *arguments: str) -> float:
    command = [sys.executable, "-m", module, *arguments]
    quiet = os.open(os.devnull, os.O_WRONLY)
    redirected = [(os.POSIX_SPAWN_DUP2, quiet, 1), (os.POSIX_SPAWN_DUP2, quiet, 2)]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=redirected)
    _, status, usage = os.wait4(pid, 0)
    os.close(quiet)
    if status != 0:
        raise SystemExit(f"{module} failed")
    return usage.ru_utime + usage.ru_stime
