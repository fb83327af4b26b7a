"""References: from `{"$ref": "file#/pointer"}` to the value that it means (RFC 6901, RFC 3986).

Nothing recurses with the length of a chain, every reference is resolved once, and no file is read that does not lie in
the folder of the root document (links followed) or in the one that is allowed instead.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Generator, Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote

from sockspec.diagnostics import Code, Diagnostic, Location, Report, Severity
from sockspec.spec.identifiers import Identifiers, identifiers
from sockspec.spec.node import Node
from sockspec.spec.source import NO_TEXTS, Document, Unreadable, escape, index_of, load, unescape
from sockspec.spec.text import MAX_DEPTH, quoted
from sockspec.spec.walk import Seen, nearest, references

__all__ = ["Documents", "Node"]

DANGLING_REFERENCE = Code(
    "dangling-reference",
    Severity.ERROR,
    "The reference leads nowhere: the file that it names, or the file that it stands in, has no value at this JSON "
    "pointer (RFC 6901). In keys `/` is written `~1` and `~` is written `~0`.",
)
MISSING_FILE = Code(
    "missing-file",
    Severity.ERROR,
    "The reference names a file that does not exist or cannot be read. Paths are relative to the file that the "
    "reference stands in.",
)
REFERENCE_LOOP = Code(
    "reference-loop",
    Severity.ERROR,
    "The reference leads back to itself, directly or through other references, and so never to a value. A schema may "
    "well contain a reference to itself, in a property for example; it may not be nothing but one.",
)
REMOTE_REFERENCE = Code(
    "remote-reference",
    Severity.ERROR,
    "The reference names something on the network. Nothing is fetched, so that what is generated depends on local "
    "files only: save a copy beside the document and refer to that.",
)
OUTSIDE_REFERENCE = Code(
    "outside-reference",
    Severity.ERROR,
    "The reference names a file outside the folder of the document (links followed). Documents come from others, so "
    "they cannot make the generator read any file of the machine.",
)
UNESCAPED_REFERENCE = Code(
    "unescaped-reference",
    Severity.WARNING,
    "The reference has a raw `/` (or a raw `%`) within a key. It is read as it is meant; other tools will refuse it. "
    "Write `~1` for `/`, `~0` for `~` and `%25` for `%`.",
)

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:|//")
_MOST_JOINED = 16
"""How many pieces of a pointer a key with raw slashes may span."""

_MOST_PIECES = 4 * MAX_DEPTH
"""How many pieces of a pointer are followed."""

_LIKENESS_OF_FILES = 0.75
"""Names of files look more alike than others: they share their suffix."""

_MOST_COMPARED = 20_000
"""How many names are compared in all with those that were written wrongly: the search takes its time."""

_Steps = Generator[Node, Node | None, Node | None]
"""Work on one reference: asks for the ends of other references on the way, returns where this one leads."""


class Documents:
    """The root document and the files that it refers to, read when a reference first leads there."""

    def __init__(
        self,
        root: Document,
        report: Report,
        *,
        allowed_folder: Path | None = None,
        texts: Mapping[Path, bytes] = NO_TEXTS,
    ) -> None:
        self.root = Node(root.value, root, "")
        self._report = report
        self._texts = texts
        self._folder = (allowed_folder or root.path.parent).resolve()
        self._loaded: dict[Path, Document | None] = {root.path: root}
        self._targets: dict[tuple[Path, str], Node | None] = {}
        self._ends: dict[tuple[Path, str], Node] = {}
        self._broken: set[tuple[Path, str]] = set()
        self._active: dict[tuple[Path, str], Node] = {}
        self._identifiers: dict[Path, Identifiers] = {}
        self._compared = 0

    @property
    def loaded(self) -> tuple[Document, ...]:
        """All files that have been read so far, the root first."""
        return tuple(document for document in self._loaded.values() if document is not None)

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that have been looked for so far, the root first; those that could not be read are among them."""
        return tuple(self._loaded)

    def target(self, node: Node) -> Node | None:
        """Where the reference leads, which may be a reference again. None, reported once, where it leads nowhere."""
        return self._run(self._target(node))

    def follow(self, node: Node) -> Node:
        """The first value that is no reference; where there is none, an empty mapping, and `is_broken` says so."""
        if node.reference is None:
            return node
        end = self._run(self._end(node))
        return Node({}, node.document, node.pointer) if end is None else end

    def is_broken(self, node: Node) -> bool:
        """Whether the node is a reference that leads nowhere, or what `follow` gave for one."""
        return node.identity in self._broken

    def _run(self, steps: _Steps) -> Node | None:
        """Run steps and those that they ask for, one within the other, without recursion."""
        stack = [steps]
        answer: Node | None = None
        while True:
            try:
                asked = stack[-1].send(answer)
            except StopIteration as finished:
                stack.pop()
                answer = finished.value
                if not stack:
                    return answer
            else:
                stack.append(self._end(asked))
                answer = None

    def _end(self, node: Node) -> _Steps:
        """The end of a chain of references."""
        chain: dict[tuple[Path, str], Node] = {}
        here: Node | None = node
        while here is not None and here.reference is not None and here.identity not in self._ends:
            if here.identity in self._broken:
                here = None
            elif here.identity in chain:
                self._loop([*chain.values()][[*chain].index(here.identity) :])
                here = None
            else:
                chain[here.identity] = here
                here = yield from self._target(here)
        if here is None:
            self._broken.update(chain)
            return None
        end = self._ends.get(here.identity, here)
        self._ends.update(dict.fromkeys(chain, end))
        return end

    def _target(self, node: Node) -> _Steps:
        identity = node.identity
        if identity in self._targets:
            return self._targets[identity]
        if identity in self._active:
            active = [*self._active]
            self._loop([self._active[member] for member in active[active.index(identity) :]])
            return None
        self._active[identity] = node
        found = yield from self._resolve(node)
        del self._active[identity]
        self._targets[identity] = found
        if found is None:
            self._broken.add(identity)
        return found

    def _resolve(self, node: Node) -> _Steps:
        if node.reference is None:
            return node
        file, _, fragment = node.reference.partition("#")
        pieces = fragment.split("/")[1:]
        start = self._other(node, file) if file else self._same(node, pieces)
        if start is None:
            return None
        if fragment and not fragment.startswith("/"):
            name = unquote(fragment)
            named = self._names(start.document).anchor(start, name)
            if named is None:
                self._dangling(node, start, name, "#/{}")
            return named
        return (yield from self._walk(node, start, pieces))

    def _walk(self, node: Node, start: Node, pieces: list[str]) -> _Steps:
        """Go along the pieces of a pointer, through other references where they are in the way."""
        here, at = start, 0
        while at < len(pieces):
            found = _child(here, pieces[at : at + _MOST_JOINED]) if at < _MOST_PIECES else None
            if found is not None:
                here, used, is_exact = found
                at += used
                if not is_exact:
                    self._unescaped(node, here)
            elif here.reference is not None and at < _MOST_PIECES:
                end = yield here
                if end is None:
                    return None
                here = end
            else:
                self._dangling(node, here, unescape(unquote(pieces[at])))
                return None
        return here

    def check(self) -> None:
        """Report every reference that leads nowhere, in the root document and in what it reaches.

        Of another file all references count, unless the file describes an API of its own: of that only the parts count
        that are reached.
        """
        seen: Seen = set()
        waiting = [self.root]
        while waiting:
            for node in references(waiting.pop(), seen):
                target = self.target(node)
                if target is not None:
                    self.follow(node)
                    waiting.append(_whole(target))

    # --- where a pointer starts -------------------------------------------------------------------------------------

    def _names(self, document: Document) -> Identifiers:
        if document.path not in self._identifiers:
            self._identifiers[document.path] = identifiers(document)
        return self._identifiers[document.path]

    def _same(self, node: Node, pieces: list[str]) -> Node:
        """The schema with an `$id` around the reference, if the pointer leads somewhere in it; else the document."""
        around = self._names(node.document).resource(node)
        if around is not None and (not pieces or _child(around, pieces[:1]) is not None):
            return around
        return Node(node.document.value, node.document, "")

    def _other(self, node: Node, file: str) -> Node | None:
        """The schema of its own document that has this `$id`, or the file that a reference names."""
        named = self._names(node.document).named(node, file)
        if named is not None:
            return named
        if _SCHEME.match(file):
            hint = "nothing is fetched: save a copy below the folder of the document and refer to that"
            self._add(REMOTE_REFERENCE, node, f"the reference {_shown(node)} is a URL, not the path of a file", hint)
            return None
        path = self._path(node, file)
        if path is None:
            return None
        if path not in self._loaded:
            self._loaded[path] = self._load(path)
        document = self._loaded[path]
        if document is None:
            self._missing(node, path)
            return None
        return Node(document.value, document, "")

    # --- files ------------------------------------------------------------------------------------------------------

    def _path(self, node: Node, file: str) -> Path | None:
        """The path that a reference names, canonical, if it lies where it may."""
        try:
            path = (node.document.path.parent / unquote(file, errors="strict")).resolve()
        except (OSError, ValueError, RuntimeError):
            self._add(MISSING_FILE, node, f"the reference {_shown(node)} names no possible file")
            return None
        if not path.is_relative_to(self._folder):
            message = f"the reference {_shown(node)} leaves the folder of the document"
            hint = "move or copy the file below that folder"
            self._add(OUTSIDE_REFERENCE, node, message, hint)
            return None
        return path

    def _load(self, path: Path) -> Document | None:
        if not os.path.exists(path):
            return None
        try:
            return load(path, name=self._name(path), report=self._report, any_root=True, texts=self._texts)
        except Unreadable as error:
            for diagnostic in error.diagnostics:
                self._report.add(diagnostic)
            return None

    def _name(self, path: Path) -> str:
        """How users know a file: relative to where they said that the root document is."""
        root = self.root.document
        relative = os.path.relpath(path, root.path.parent)
        return Path(os.path.normpath(Path(root.name).parent / relative)).as_posix()

    # --- what to say ------------------------------------------------------------------------------------------------

    def _add(self, code: Code, node: Node, message: str, hint: str = "") -> None:
        self._report.add(_diagnostic(code, node, message, hint))

    def _dangling(self, node: Node, here: Node, token: str, form: str = "{}") -> None:
        where = f"{here.document.name if here.document is not node.document else ''}#{here.pointer}"
        message = f"the reference {_shown(node)} leads nowhere: {quoted(where)} {_lack(here, token)}"
        near = self._nearest(token, here.value) if isinstance(here.value, dict) else None
        hint = "" if near is None else f"did you mean {quoted(form.format(escape(near)))}?"
        self._add(DANGLING_REFERENCE, node, message, hint)

    def _missing(self, node: Node, path: Path) -> None:
        name = quoted(self._name(path))
        if os.path.exists(path):
            self._add(MISSING_FILE, node, f"the reference {_shown(node)} names the file {name}, which cannot be read")
            return
        beside = _files_beside(path) if self._compared < _MOST_COMPARED else []
        near = self._nearest(path.name, beside, likeness=_LIKENESS_OF_FILES)
        hint = "" if near is None else f"did you mean {quoted(near)}?"
        self._add(MISSING_FILE, node, f"the reference {_shown(node)} names the file {name}, which does not exist", hint)

    def _nearest(self, written: str, names: Collection[str], *, likeness: float = 0.6) -> str | None:
        self._compared += len(names)
        return nearest(written, names, likeness=likeness) if self._compared <= _MOST_COMPARED else None

    def _unescaped(self, node: Node, here: Node) -> None:
        message = f"the reference {_shown(node)} has a key with a raw '/' or '%'"
        self._add(UNESCAPED_REFERENCE, node, message, f"write that key as {quoted(here.pointer.rpartition('/')[2])}")

    def _loop(self, members: list[Node]) -> None:
        first, *others = sorted(members, key=lambda node: node.location)
        self._broken.update(node.identity for node in members)
        related = [node.location for node in others[:5]]
        message = f"the reference {_shown(first)} leads back to itself"
        self._report.add(_diagnostic(REFERENCE_LOOP, first, message, related=related))


def _diagnostic(code: Code, node: Node, message: str, hint: str = "", related: Iterable[Location] = ()) -> Diagnostic:
    reference = node.get("$ref") or node
    return code.at(reference.location, message, hint=hint, related=related)


def _files_beside(path: Path) -> list[str]:
    try:
        return os.listdir(path.parent)
    except OSError:
        return []


def _lack(here: Node, token: str) -> str:
    match here.value:
        case dict():
            return f"has no {quoted(token)}"
        case list():
            return f"is a list of {len(here.value)}, and {quoted(token)} is no index of it"
        case _:
            return f"holds a single value, with no {quoted(token)} in it"


def _shown(node: Node) -> str:
    return quoted(node.reference or "")


def _whole(target: Node) -> Node:
    """What has to be sound where a reference leads into another file."""
    value = target.document.value
    if isinstance(value, dict) and not value.keys().isdisjoint(("asyncapi", "openapi", "swagger")):
        return target
    return Node(value, target.document, "")


def _child(node: Node, raw: list[str]) -> tuple[Node, int, bool] | None:
    """The child that the next pieces of a pointer name, how many pieces that took, and whether by the rules."""
    token = unescape(unquote(raw[0]))
    if isinstance(node.value, list):
        index = index_of(token, node.value)
        return None if index is None else (Node(node.value[index], node.document, f"{node.pointer}/{index}"), 1, True)
    found = node.get(token)
    if found is not None:
        return found, 1, True
    for used in range(1, min(len(raw), _MOST_JOINED) + 1):
        joined = "/".join(raw[:used])
        for key in (unescape(unquote(joined)), joined):
            found = node.get(key)
            if found is not None:
                return found, used, False
    return None
