"""Pages made by both: how long it takes, and how large they are."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sockspec import docs
from sockspec.diagnostics import Severity
from sockspec.pipeline import documentation, examine
from tests.npm import Node, install

NPM = Path(__file__).parent / "npm"


@dataclass(frozen=True, slots=True)
class Made:
    """A page, or why there is none."""

    page: Path
    seconds: float
    why_not: str = ""

    @property
    def size(self) -> int:
        """Bytes of the page."""
        return self.page.stat().st_size


@dataclass(frozen=True, slots=True)
class Document:
    """A document, and what was made of it."""

    path: Path
    messages: tuple[str, ...]
    ours: Made
    others: Mapping[str, int]
    """Bytes of what is made beside the page."""


def ours(path: Path, folder: Path) -> Document:
    """The page of a document by this project, from reading it on; nothing is kept from one to the next."""
    start = time.perf_counter()
    api, said = examine(path, name=path.name, wholly=False)
    if api is None:
        wrong = next(one for one in said if one.severity is Severity.ERROR)
        return Document(path, (), Made(folder, 0, str(wrong.message)), {})
    files = documentation(api, docs.Origin(path.name), formats=tuple(docs.FORMATS))
    seconds = time.perf_counter() - start
    folder.mkdir(parents=True)
    page = folder / "index.html"
    page.write_text(files["index.html"], encoding="utf-8")
    others: dict[str, int] = {}
    for name, text in files.items():
        kind = "schemas/" if "/" in name else name
        others[kind] = others.get(kind, 0) + len(text.encode())
    return Document(path, tuple(one.name for one in api.messages), Made(page, seconds), others)


def modules(folder: Path) -> Path:
    """What comes from npm, put below a folder. Raises RuntimeError with what npm says."""
    os.environ.setdefault("PUPPETEER_SKIP_DOWNLOAD", "1")
    folder.mkdir(parents=True)
    found = install(NPM, folder)
    if isinstance(found, str):
        raise RuntimeError(found)
    return found


def theirs(paths: list[Path], folder: Path, modules: Path) -> list[Made]:
    """The pages of documents by AsyncAPI's template, all made by one program, so that Node starts once."""
    folder.mkdir(parents=True, exist_ok=True)
    targets = [folder / f"theirs-{at}" for at in range(len(paths))]
    lines = "".join(f"{path}\t{target}\n" for path, target in zip(paths, targets, strict=True))
    done = subprocess.run(
        [Node.installed().binary, NPM / "make.mjs", modules], input=lines, capture_output=True, text=True, check=True
    )
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"seconds"')]
    return [
        Made(target / "index.html", one["seconds"], one["error"]) for target, one in zip(targets, told, strict=True)
    ]
