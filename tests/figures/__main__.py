"""Make pages of real documents, by us and by AsyncAPI's own template, open them, and write docs/pages.md.

Takes some minutes; needs Chromium (`make browser`), and npm. The processor should have nothing else to do.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.browser.watching import Chromium
from tests.figures import making
from tests.figures.documents import PAGE, documents, title
from tests.figures.features import Subject, tried
from tests.figures.opening import Opened, opened
from tests.figures.report import Figures, Row, page
from tests.npm import install

_EXECUTABLE = Path(os.environ.get("SOCKSPEC_CHROMIUM", "/usr/bin/chromium"))
_FEATURES_OF = "specs/chat.asyncapi.yaml"
_ROOT = Path(__file__).parents[2]
_BROWSER = Path(__file__).parents[1] / "browser" / "npm"


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory(prefix="sockspec-") as folder:
        text = page(_figures(Path(folder)))
    PAGE.write_text(text, encoding="utf-8")


def _figures(folder: Path) -> Figures:
    paths = [*documents()]
    _tell("fetching the template")
    modules = making.modules(folder / "npm")
    axe = folder / "axe"
    axe.mkdir()
    judges = install(_BROWSER, axe)
    if isinstance(judges, str):
        raise RuntimeError(judges)
    _tell("making our pages")
    own = [making.ours(path, folder / f"ours-{at}") for at, path in enumerate(paths)]
    _tell("making pages by the template")
    other = making.theirs(paths, folder, modules)
    chat = _ROOT / _FEATURES_OF
    ours, theirs = making.ours(chat, folder / "ours-chat"), making.theirs([chat], folder / "chat", modules)[0]
    if theirs.why_not:
        raise RuntimeError(theirs.why_not)
    chromium = Chromium(_EXECUTABLE)
    try:
        _tell("opening pages")
        rows = tuple(Row(document, *_both(chromium, document, made)) for document, made in zip(own, other, strict=True))
        _tell("trying what pages can do")
        source = (judges / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
        trials = [tried(chromium, Subject(made.page, ours.messages, source)) for made in (ours.ours, theirs)]
    finally:
        chromium.close()
    return Figures(
        datetime.date.today().isoformat(),
        _version(modules, "html-template"),
        _version(modules, "generator"),
        _chromium(),
        f"{platform.system()}, {os.cpu_count()} cores, a load of {os.getloadavg()[2]:.1f} over 15 minutes",
        rows,
        Row(ours, None, theirs, None),
        trials[0],
        trials[1],
    )


def _both(
    chromium: Chromium, document: making.Document, made: making.Made
) -> tuple[Opened | None, making.Made, Opened | None]:
    called = title(document.path)
    ours = None if document.ours.why_not else opened(chromium, document.ours.page, called)
    return ours, made, None if made.why_not else opened(chromium, made.page, called)


def _version(modules: Path, package: str) -> str:
    return str(json.loads((modules / "@asyncapi" / package / "package.json").read_text(encoding="utf-8"))["version"])


def _chromium() -> str:
    told = subprocess.run([_EXECUTABLE, "--version"], capture_output=True, text=True, check=True).stdout
    return " ".join(told.split()[:2])


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
