"""A file to a document: a value, and the place where each part of it was written."""

from __future__ import annotations

import codecs
import gc
import os
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from sockspec.diagnostics import Code, Location, Report, Severity
from sockspec.spec import read_json, read_yaml
from sockspec.spec.json_scanner import INVALID_JSON
from sockspec.spec.text import BAD_ENCODING, Json, Marks, Text, Unreadable

__all__ = ["MAX_BYTES", "NO_TEXTS", "Document", "Json", "Unreadable", "escape", "load", "load_text", "unescape"]

MAX_BYTES = 64 * 1024 * 1024
"""How large a file may be."""

UNREADABLE_FILE = Code(
    "unreadable-file",
    Severity.ERROR,
    "The file does not exist, is a folder, may not be read, or has more than "
    f"{MAX_BYTES // 1024 // 1024} MiB; of a large one, move parts to other files and refer to them by `$ref`.",
)
CONTROL_CHARACTER = Code(
    "control-character",
    Severity.ERROR,
    "The file holds a control character, such as NUL. Neither YAML nor JSON allows it as such; write it as an escape "
    '(`"\\u0007"`), or look whether the file is text at all.',
)
EMPTY = Code(
    "empty-file",
    Severity.ERROR,
    "The file is empty or holds comments only.",
)
NOT_A_MAPPING = Code(
    "not-a-mapping",
    Severity.ERROR,
    "A description of an API is a mapping that begins with `asyncapi:` or `openapi:`; this file is a list or a single "
    "value.",
)

NO_TEXTS: Mapping[Path, bytes] = MappingProxyType({})
"""Nothing stands in the place of any file."""

_CONTROLS = [chr(code) for code in range(0x20) if chr(code) not in "\t\n\r"]


class _Places:
    """Where the parts of a document stand; found when first asked for."""

    def __init__(self, text: Text, marks: Callable[[], Marks]) -> None:
        self.text = text
        self._find = marks
        self._found: Marks | None = None

    @property
    def marks(self) -> Marks:
        if self._found is None:
            with without_collector():
                self._found = self._find()
        return self._found


@dataclass(frozen=True, slots=True)
class Document:
    """A file that has been read."""

    path: Path
    """Absolute, without links."""
    name: str
    """How users know the file: as they named it, or relative to the root document."""
    value: Json
    _places: _Places = field(repr=False, compare=False)

    @property
    def text(self) -> Text:
        """The text that was read, without a byte order mark."""
        return self._places.text

    def locate(self, pointer: str, *, key: bool = False) -> Location:
        """The place of the value at a JSON pointer, or of its key.

        Of an item of a list, which has no key, the place of the item. Where the pointer leads nowhere, the place of
        the nearest value on the way.
        """
        key_place, place = self.offsets(pointer)
        return self._places.text.place(key_place if key else place, pointer)

    def offsets(self, pointer: str) -> tuple[int, int]:
        """Like `locate`: which characters of the text the key and the value begin at."""
        marks = self._places.marks
        place = key_place = marks.root
        value = self.value
        for token in pointer.split("/")[1:]:
            match value:
                case dict() if (name := unescape(token)) in value:
                    key_place, place = marks.of_key(value, name)
                    value = value[name]
                case list() if (index := index_of(token, value)) is not None:
                    key_place = place = marks.of_item(value, index)
                    value = value[index]
                case _:
                    break
        return key_place, place

    def at(self, pointer: str) -> Json:
        """The value at a JSON pointer; None where it leads nowhere."""
        value = self.value
        for token in pointer.split("/")[1:]:
            match value:
                case dict():
                    value = value.get(unescape(token))
                case list() if (index := index_of(token, value)) is not None:
                    value = value[index]
                case _:
                    return None
        return value

    def places(self) -> Iterator[tuple[int, int, str]]:
        """Where each value is written: what its key and the value itself begin at, and its pointer.

        A container comes before what is in it; one that stands in several places (a YAML alias) comes once.
        """
        marks = self._places.marks
        seen: set[int] = set()
        waiting: list[tuple[int, int, str, Json]] = [(marks.root, marks.root, "", self.value)]
        while waiting:
            key_place, place, pointer, value = waiting.pop()
            yield key_place, place, pointer
            if not isinstance(value, (dict, list)) or id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, dict):
                children = [(*marks.of_key(value, key), f"{pointer}/{escape(key)}", value[key]) for key in value]
            else:
                offsets = [marks.of_item(value, index) for index in range(len(value))]
                children = [(at, at, f"{pointer}/{index}", value[index]) for index, at in enumerate(offsets)]
            waiting.extend(reversed(children))

    def written(self, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], Json, Location]]:
        """Where a pattern matches the text at the beginning of a key or a value: the match, the key or value, its place.

        Only what matches somewhere is looked for, so that a document without any match costs no more than the search.
        """
        text = self._places.text
        matches = {match.start(): match for match in pattern.finditer(text.characters)}
        if matches:
            for offset, value, pointer in self._places.marks.beginnings(self.value, matches.keys()):
                yield matches[offset], value, text.place(offset, pointer)


def escape(token: str) -> str:
    """A key as a token of a JSON pointer (RFC 6901, section 3)."""
    return token.replace("~", "~0").replace("/", "~1") if "/" in token or "~" in token else token


def unescape(token: str) -> str:
    """The key that a token of a JSON pointer means."""
    return token.replace("~1", "/").replace("~0", "~") if "~" in token else token


def index_of(token: str, items: list[Json]) -> int | None:
    """The index of an item that a token of a JSON pointer means; None where there is no such item."""
    if (
        not token.isascii()
        or not token.isdigit()
        or (token[0] == "0" and token != "0")
        or len(token) > len(str(len(items)))
    ):
        return None
    index = int(token)
    return index if index < len(items) else None


def load(
    path: Path,
    *,
    name: str | None = None,
    report: Report,
    any_root: bool = False,
    texts: Mapping[Path, bytes] = NO_TEXTS,
) -> Document:
    """Read a YAML or JSON file. `name` is how to show it to users; by default the path as given.

    Where `texts` has something under the absolute path of the file, without links, that stands in the file's place.

    Raises Unreadable where it has no value, or one that is not a mapping (unless `any_root`). The rest is reported.
    """
    name = str(path) if name is None else name
    try:
        resolved = path.resolve()
        if resolved in texts:
            return load_text(texts[resolved], path=resolved, name=name, report=report, any_root=any_root)
        if resolved.exists() and not resolved.is_file():
            raise Unreadable(UNREADABLE_FILE.at(Location(name), "this is not a file"))
        with resolved.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:
        why = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else str(error)
        raise Unreadable(UNREADABLE_FILE.at(Location(name), f"the file cannot be read: {why}")) from None
    return load_text(content, path=resolved, name=name, report=report, any_root=any_root)


def load_text(
    content: str | bytes, *, path: Path, name: str | None = None, report: Report, any_root: bool = False
) -> Document:
    """Like `load`, of text that is already here. The path says what format it is and what references start from."""
    name = str(path) if name is None else name
    if len(content) > MAX_BYTES:
        raise Unreadable(UNREADABLE_FILE.at(Location(name), f"the file has more than {MAX_BYTES} bytes"))
    text = Text(name, _decoded(content, name))
    controls = [text.characters.index(control) for control in _CONTROLS if control in text.characters]
    if controls:
        place = text.place(min(controls))
        message = f"the file holds the control character U+{ord(text.characters[min(controls)]):04X}"
        raise Unreadable(CONTROL_CHARACTER.at(place, message))
    with without_collector():
        value, marks = _read(text, path.suffix.lower(), report)
    if value is None:
        raise Unreadable(EMPTY.at(Location(name), "the file is empty; a mapping was expected"))
    document = Document(path, name, value, _Places(text, marks))
    if not any_root and not isinstance(value, dict):
        kind = "a list" if isinstance(value, list) else "a single value"
        raise Unreadable(NOT_A_MAPPING.at(document.locate(""), f"the file is {kind}; a mapping was expected"))
    return document


def _decoded(content: str | bytes, name: str) -> str:
    """The text, without its byte order mark."""
    if isinstance(content, str):
        content = content.encode(errors="surrogatepass")
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        message = f"the byte 0x{content[error.start]:02X} is not UTF-8"
        hint = "save the file as UTF-8"
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            message = "the file is UTF-16"
        raise Unreadable(BAD_ENCODING.at(Text(name, before).place(len(before)), message, hint=hint)) from None


def _read(text: Text, suffix: str, report: Report) -> tuple[Json, Callable[[], Marks]]:
    """JSON by its suffix, or by its looks where the JSON reader takes it; else YAML, of which JSON is nearly a part."""
    is_json = suffix == ".json"
    if is_json and not text.characters.strip():
        return None, Marks
    if is_json or text.characters.lstrip()[:1] in ("{", "["):
        try:
            return read_json.read(text, report)
        except Unreadable as error:
            if is_json or any(found.code is not INVALID_JSON for found in error.diagnostics):
                raise
    value, marks = read_yaml.read(text, report)
    return value, lambda: marks


@contextmanager
def without_collector() -> Generator[None]:
    """Switch the cyclic garbage collector off: it would look again and again at what only grows."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
