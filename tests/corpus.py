"""Real documents through the whole generator: `python -m tests.corpus` prints a line for each.

An AsyncAPI document counts when the official JSON Schema of its version accepts it and it has a WebSocket server or
binding.
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml
from jsonschema import Draft7Validator

from sockspec import ir, output
from sockspec.choices import Choices, Named, messages_named
from sockspec.diagnostics import Diagnostic, Severity
from sockspec.pipeline import examine, generate
from sockspec.python import codec_name
from sockspec.runtime import Codec, PayloadError
from sockspec.runtime.unions import decode_hook

SHARED = Path(__file__).parents[2] / "shared"
_GENERATOR = Path(__file__).parents[1] / "generator"
PAGE = Path(__file__).parents[1] / "docs" / "corpus.md"
_FOLDERS = ("asyncapi", "asyncapi-official")
_OPENAPI = {
    "KittyCAD__kittycad.ts/spec.json": None,
    "openai__openai-openapi/openapi.yaml": messages_named(
        "client=RealtimeClientEvent,server=RealtimeServerEvent,path=/realtime"
    ),
}
"""OpenAPI documents of WebSocket APIs, and the messages of those that do not say which they are."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a document came."""

    document: str
    stage: str
    """`generated`, `imported` and `type-checked`, the last one reached; or `refused`."""
    messages: int = 0
    lines: int = 0
    why: str = ""
    version: str = ""
    typed: int = 0
    """Messages that the typed lane judges."""
    examples: int = 0
    """Examples that were decoded, encoded and decoded again as the same."""
    unfit: int = 0
    """Examples that their own schema refuses."""

    @property
    def row(self) -> str:
        """The document as a row of the table."""
        lanes = f"{self.typed} / {self.messages - self.typed}"
        each = f"{self.lines / self.messages:.0f}" if self.messages else ""
        told = f"{self.examples}" + (f", {self.unfit} refused by their schema" if self.unfit else "")
        result = self.stage if self.stage == "type-checked" else f"{self.stage}: {self.why}"
        return f"| {self.document} | {self.version} | {self.messages} | {lanes} | {self.lines} | {each} | {told} | {result} |"

    def __str__(self) -> str:
        size = f"{self.messages} messages, {self.lines} lines" if self.messages else ""
        return f"{self.stage:12} {self.document}  {self.why or size}"


def documents() -> Iterator[tuple[Path, Named | None]]:
    """The documents that count, with the messages that have to be named."""
    for folder in _FOLDERS:
        for path in sorted((SHARED / "corpus" / folder).rglob("*")):
            if path.suffix in (".yaml", ".yml", ".json") and path.is_file() and _counts(path):
                yield path, None
    for name, messages in _OPENAPI.items():
        path = SHARED / "corpus" / "openapi" / name
        if path.is_file():
            yield path, messages


def _counts(path: Path) -> bool:
    try:
        # A string for every scalar but those that the schema tells apart: dates stay as they are written.
        value = json.loads(json.dumps(yaml.load(path.read_bytes(), _Loader)))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return False
    if not isinstance(value, dict) or not isinstance(version := value.get("asyncapi"), str):
        return False
    oracle = SHARED / "oracle" / "asyncapi" / f"{'.'.join(version.split('.')[:2])}.0.json"
    return oracle.is_file() and has_websocket(value) and _official(oracle).is_valid(value)


class _Loader(yaml.CSafeLoader):
    """YAML whose dates are strings, as JSON would have them."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(("timestamp", ":bool"))]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


@cache
def _official(path: Path) -> Draft7Validator:
    return Draft7Validator(json.loads(path.read_text(encoding="utf-8")))


def has_websocket(value: dict[str, Any]) -> bool:
    """Whether a document has a WebSocket server or binding."""
    servers, channels = (value.get(part) for part in ("servers", "channels"))
    listed = servers.values() if isinstance(servers, dict) else ()
    protocols = {str(server.get("protocol")).lower() for server in listed if isinstance(server, dict)}
    carried = channels.values() if isinstance(channels, dict) else ()
    bound = any("ws" in (channel.get("bindings") or {}) for channel in carried if isinstance(channel, dict))
    return bool(protocols & {"ws", "wss"}) or bound


def outcomes(folder: Path) -> list[Outcome]:
    """The outcome of each document; packages are written below the folder."""
    found: list[Outcome] = []
    sys.path.insert(0, str(folder))
    try:
        for number, (path, messages) in enumerate(documents()):
            found.append(_outcome(path, messages, folder, f"document_{number}"))
    finally:
        sys.path.remove(str(folder))
    wrong = _type_errors(folder)
    for others in (_strict_errors(folder), _untidy(folder)):
        wrong |= {package: line for package, line in others.items() if package not in wrong}
    return [
        replace(o, why=wrong[f"document_{n}"])
        if f"document_{n}" in wrong
        else replace(o, stage="type-checked")
        if o.stage == "imported"
        else o
        for n, o in enumerate(found)
    ]


def _outcome(path: Path, messages: Named | None, folder: Path, package: str) -> Outcome:
    name = path.relative_to(SHARED / "corpus").as_posix()
    api, diagnostics = examine(path, name=name, choices=Choices(messages=messages), wholly=False)
    if api is None:
        return Outcome(name, "refused", why=_first_error(diagnostics))
    files = generate(api, path.name)
    output.write(files, folder / package)
    lines = sum(text.count("\n") for file, text in files.items() if file.endswith(".py"))
    try:
        codecs = importlib.import_module(f"{package}.codecs")
        importlib.import_module(package)
        found = [value for value in vars(codecs).values() if isinstance(value, Codec)]
        for codec in found:
            _build_decoders(codec)
        fit, unfit = _examples(api, codecs)
    except Exception as error:  # any failure of a generated package is an outcome to be shown
        return Outcome(name, "generated", len(api.messages), lines, f"{type(error).__name__}: {error}"[:200])
    typed = sum(message.lane is ir.Lane.TYPED for message in api.messages)
    version = _version(path)
    return Outcome(name, "imported", len(api.messages), lines, "", version, typed, fit, unfit)


def _version(path: Path) -> str:
    found = re.search(r"""(?:async|open)api["']?\s*:\s*["']?([\d.]+)""", path.read_text(encoding="utf-8"))
    return found[1] if found is not None else ""


def _examples(api: ir.Api, codecs: Any) -> tuple[int, int]:
    """How many examples of the document come back as what they were, and how many their schema refuses."""
    fit, unfit = 0, 0
    for channel in api.channels:
        for direction in ir.Direction:
            for message in api.messages_of(channel, direction):
                codec: Codec[Any] = getattr(codecs, codec_name(api, channel, direction))
                for example in message.examples:
                    try:
                        decoded = codec.decode(json.dumps(example.payload))
                    except PayloadError:
                        unfit += 1
                        continue
                    again = codec.decode(codec.encode(decoded))
                    if again != decoded:
                        raise ValueError(f"an example of {message.name} does not come back as what it was")
                    fit += 1
    return fit, unfit


def _build_decoders(codec: Codec[Any]) -> None:
    """Decoders are made with the first payload; a class that msgspec cannot read fails only then."""
    for message in codec.messages:
        msgspec.json.Decoder(message, dec_hook=decode_hook)
    with suppress(PayloadError):
        codec.examine("{}")


def _first_error(diagnostics: list[Diagnostic]) -> str:
    return next(str(d) for d in diagnostics if d.severity is Severity.ERROR)


def _untidy(folder: Path) -> dict[str, str]:
    """The first complaint of ruff about each package that it complains of."""
    config = str(Path(__file__).parents[1] / "generated" / "ruff.toml")
    found: dict[str, str] = {}
    for command in (["check", "--output-format=concise"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "--config", config, "."],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        for line in done.stdout.splitlines():
            package = re.search(r"document_\d+", line)
            if package is not None:
                found.setdefault(package[0], line)
    return found


def _type_errors(folder: Path) -> dict[str, str]:
    """The first error of mypy for each package that has one."""
    packages = [f"-p{path.name}" for path in sorted(folder.iterdir()) if (path / "py.typed").exists()]
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file=", *packages]
    done = subprocess.run(
        command, cwd=folder, env={"MYPYPATH": f"{_GENERATOR}:."}, capture_output=True, text=True, check=False
    )
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        found.setdefault(line.partition("/")[0], line)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)
    return found


def _strict_errors(folder: Path) -> dict[str, str]:
    """The first error of pyright for each package that has one."""
    settings = {
        "include": ["."],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "extraPaths": [str(_GENERATOR)],
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "-p", ".", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        package = re.search(r"(document_\d+)[/\\].* - error: ", line)
        if package is not None:
            found.setdefault(package[1], line)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout + done.stderr)
    return found


def page(found: list[Outcome]) -> str:
    """The table of results."""
    done = sum(outcome.stage == "type-checked" for outcome in found)
    return f"""# Real documents

Documents of public repositories and the examples of the AsyncAPI specification, through the whole generator: those that
have a WebSocket server or binding and that the official JSON Schema of their version accepts, and two OpenAPI documents.
`type-checked` means generated, imported, every decoder built, clean by ruff, formatted, and correct by mypy and pyright,
both strict. Examples are decoded, encoded and decoded again. Made by `python -m tests.corpus`; a test holds the table to
what comes out.

{done} of {len(found)} documents are type-checked.

| Document | Version | Messages | Lanes typed / checked | Lines of Python | Lines a message | Examples | Result |
|---|---|---|---|---|---|---|---|
""" + "".join(f"{outcome.row}\n" for outcome in found)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        results = outcomes(Path(scratch))
    print("\n".join(map(str, results)))
    PAGE.write_text(page(results), encoding="utf-8")
