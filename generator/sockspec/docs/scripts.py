"""The scripts of the page: modules that import each other, as one text that needs neither files nor a network."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final


class BadScript(ValueError):
    """A module that cannot be put together with the others; says which one, and why."""


_IMPORT: Final = re.compile(r'^import \{([\w\s,$]+)\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
_DECLARED: Final = re.compile(
    r"^(export )?(?:async )?(?:function\*? |class |const |let )([A-Za-z_$][\w$]*)", re.MULTILINE
)
_STRANGE: Final = re.compile(
    r"^(?:import\b|export (?!(?:async )?function\b|class\b|const\b|let\b)|var\b).*", re.MULTILINE
)
_COMMENT: Final = re.compile(r"^[ ]*(?:/\*\*?[^*]*\*+(?:[^/*][^*]*\*+)*/|//[^\n]*)\n", re.MULTILINE)
_ENDING: Final = re.compile(r"</script|<!--", re.IGNORECASE)


def inlined(entries: Iterable[str], read: Callable[[str], str]) -> str:
    """The modules and all that they import as one script, each before those that import it; raises BadScript.

    `read` gives a module's text by its name, such as `console.js`. Modules import by name (`import { a } from
    "./a.js";`) and export what they declare; all names that they declare outside of functions differ.
    """
    modules = _modules(entries, read)
    owners: dict[str, str] = {}
    for name, text in modules.items():
        for _, declared in _DECLARED.findall(text):
            owner = owners.setdefault(declared, name)
            if owner != name:
                raise BadScript(f"{owner} and {name} both declare {declared!r}")
    parts = (_compact(_IMPORT.sub("", text)) for text in modules.values())
    script = '(() => {\n"use strict";\n' + "".join(parts) + "})();\n"
    if _ENDING.search(script):
        raise BadScript("a script holds what would end its element in the page")
    return script


def digest(text: str) -> str:
    """What a content security policy calls the text of an element by, such as `sha256-…`."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _modules(entries: Iterable[str], read: Callable[[str], str]) -> dict[str, str]:
    """The texts by name, what is imported first."""
    found: dict[str, str] = {}
    open_: list[str] = []

    def visit(name: str) -> None:
        if name in found:
            return
        if name in open_:
            raise BadScript(f"modules import each other in a circle: {' → '.join([*open_, name])}")
        open_.append(name)
        text = read(name)
        for imported, names in _imports(name, text):
            visit(imported)
            missing = names - {declared for exported, declared in _DECLARED.findall(found[imported]) if exported}
            if missing:
                raise BadScript(f"{name} imports {min(missing)!r}, which {imported} does not export")
        open_.pop()
        found[name] = text

    for entry in entries:
        visit(entry)
    return found


def _imports(name: str, text: str) -> Iterator[tuple[str, set[str]]]:
    for names, imported in _IMPORT.findall(text):
        yield imported, {one.strip() for one in names.split(",") if one.strip()}
    rest = _IMPORT.sub("", text)
    strange = _STRANGE.search(rest)
    if strange is not None:
        raise BadScript(f"{name} has a line that cannot be put together with others: {strange[0]!r}")


def _compact(text: str) -> str:
    """Without `export`, comments, empty lines and indentation, which no text within the script has."""
    lines = _COMMENT.sub("", text).splitlines()
    for line in lines:
        if line.count("`") % 2:
            raise BadScript(f"a text in backticks goes on beyond its line: {line!r}")
    return "".join(f"{line.strip().removeprefix('export ')}\n" for line in lines if line.strip())
