"""Documents of other revisions: read from git as they were committed, with the files that they refer to.

Nothing of the repository is run: no hooks, no filters, no shell. Only blobs are read, by their object names.
"""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from sockspec.diagnostics import Report
from sockspec.spec.node import Node
from sockspec.spec.source import MAX_BYTES, Unreadable, load
from sockspec.spec.walk import references

_MOST_FILES = 2_000
"""How many files a document may be made of."""
_MOST_ENTRIES = 8 * 1024 * 1024
"""How many bytes the list of a folder's files may have."""
_SECONDS = 60
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_REGULAR = {"100644", "100755"}
"""The modes of files that are neither links nor repositories of their own."""


class NoRevision(Exception):
    """A revision or a file of it cannot be had; the text says why."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A file of a revision."""

    revision: str
    path: str
    """From the root of the repository; from the folder where the program runs where it begins with `./` or `../`."""
    folder: Path = Path()
    """Where the repository is looked for."""

    @property
    def name(self) -> str:
        """How users name it."""
        path = self.path if "/" in self.path else f"./{self.path}"
        return f"{self.revision}:{path}"


@dataclass(frozen=True, slots=True)
class _Entry:
    blob: str
    size: int


def named(argument: str) -> Revision | None:
    """The file of a revision that an argument names, as `main:specs/chat.yaml`; None where it is a path.

    A file of that very name goes before, and `C:\\specs` is a path of Windows. Raises NoRevision for what names neither.
    """
    revision, colon, path = argument.partition(":")
    if not colon or os.path.lexists(argument) or _DRIVE.match(argument):
        return None
    if not revision or revision.startswith("-") or not path or "\0" in argument:
        raise NoRevision(f"{argument!r} names no file of a revision; write REV:path, such as main:specs/chat.yaml")
    return Revision(revision, path)


def committed(path: Path) -> Revision:
    """The last committed version of a file of the work tree."""
    folder = path.parent
    prefix = _git(folder, "rev-parse", "--show-prefix").decode(errors="surrogateescape").rstrip("\n")
    return Revision("HEAD", prefix + path.name, folder)


def fetch(revision: Revision, into: Path) -> Path:
    """Write a file of a revision, and those that it refers to, below a folder; the path of the file. Raises NoRevision."""
    commit = _commit(revision)
    root = _from_root(revision)
    entries = _entries(revision, commit, posixpath.dirname(root))
    if root not in entries:
        raise NoRevision(f"there is no file {root!r} in {revision.revision!r}")
    above = posixpath.dirname(root)
    waiting, taken, room = [root], {root}, MAX_BYTES
    while waiting:
        name = waiting.pop()
        entry = entries[name]
        room -= entry.size
        if room < 0 or len(taken) > _MOST_FILES:
            raise NoRevision(
                f"{revision.name!r} and what it refers to are more than {MAX_BYTES // 1024 // 1024} MiB or {_MOST_FILES} files"
            )
        here = into / posixpath.relpath(name, above or ".")
        here.parent.mkdir(parents=True, exist_ok=True)
        here.write_bytes(_git(revision.folder, "cat-file", "blob", entry.blob))
        for file in _files(here):
            other = posixpath.normpath(posixpath.join(posixpath.dirname(name), file))
            if other in entries and other not in taken:
                taken.add(other)
                waiting.append(other)
    return into / posixpath.basename(root)


def _files(path: Path) -> set[str]:
    """The files that a document refers to, as it names them; what cannot be read refers to none."""
    try:
        document = load(path, report=Report(), any_root=True)
    except Unreadable:
        return set()
    found = {str(node.reference).partition("#")[0] for node in references(Node(document.value, document, ""), set())}
    return {unquote(file) for file in found if file and "\0" not in file}


def _commit(revision: Revision) -> str:
    """The name of the commit that a revision means."""
    found = _git(
        revision.folder,
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        f"{revision.revision}^{{commit}}",
        what=(f"git knows no revision {revision.revision!r}; a shallow copy of a repository has only the newest ones"),
    )
    # Older versions of git repeat the option.
    return found.decode().split()[-1]


def _from_root(revision: Revision) -> str:
    """The path from the root of the repository."""
    if not revision.path.startswith(("./", "../")):
        return posixpath.normpath(revision.path)
    prefix = _git(revision.folder, "rev-parse", "--show-prefix").decode(errors="surrogateescape").rstrip("\n")
    path = posixpath.normpath(prefix + revision.path)
    if path.startswith("../"):
        raise NoRevision(f"{revision.path!r} leaves the repository")
    return path


def _entries(revision: Revision, commit: str, folder: str) -> dict[str, _Entry]:
    """The files of a folder of a commit, those further below among them."""
    arguments = ["ls-tree", "-r", "-z", "-l", "--full-tree", commit]
    if folder:
        arguments += ["--", f"{folder}/"]
    listed = _git(revision.folder, *arguments)
    if len(listed) > _MOST_ENTRIES:
        raise NoRevision(f"the folder {folder!r} has too many files in {revision.revision!r}")
    found: dict[str, _Entry] = {}
    for line in listed.decode(errors="surrogateescape").split("\0"):
        head, _, name = line.partition("\t")
        match head.split():
            case [mode, "blob", blob, size] if mode in _REGULAR and size.isdecimal():
                found[name] = _Entry(blob, int(size))
            case _:
                pass
    return found


def _git(folder: Path, *arguments: str, what: str = "") -> bytes:
    """What git answers. Raises NoRevision with what git says, or with `what` there is to say."""
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}
    command = ["git", "--no-pager", "--literal-pathspecs", "--no-replace-objects", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise NoRevision("git is not installed, or the folder is not there") from None
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise NoRevision(f"git does not answer: {error}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ").partition("\n")[0]
        raise NoRevision(what or said or "git fails")
    return done.stdout
