"""The documents that pages are made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.corpus import SHARED, has_websocket

CORPUS = SHARED / "corpus" / "asyncapi"
PAGE = Path(__file__).parents[2] / "docs" / "pages.md"


def documents() -> Iterator[Path]:
    """The documents of the corpus that speak of WebSockets, whatever is wrong with them."""
    for path in sorted(CORPUS.rglob("*")):
        if path.suffix in (".yaml", ".yml", ".json") and path.is_file() and _counts(path):
            yield path


def name(path: Path) -> str:
    """What a document is called on the page."""
    return path.relative_to(CORPUS).as_posix()


def title(path: Path) -> str:
    """What the API of a document is called, whatever else is wrong with it."""
    value = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    return " ".join(str(value["info"]["title"]).split())


def _counts(path: Path) -> bool:
    text = path.read_bytes()
    if b"asyncapi" not in text:
        return False
    try:
        value = yaml.load(text, yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):
        return False
    return isinstance(value, dict) and isinstance(value.get("asyncapi"), str) and has_websocket(value)
