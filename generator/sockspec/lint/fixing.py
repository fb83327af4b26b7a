"""Findings mended in the texts of documents: what the fixers of rules propose, made only where it proves to be right.

A change is right when the finding is gone, nothing new is found, and no value differs but those that the change names.
"""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sockspec.diagnostics import Diagnostic
from sockspec.lint import reading
from sockspec.lint.known import Known, is_fatal
from sockspec.lint.linter import Linted
from sockspec.lint.wrong import WrongUsage
from sockspec.rules.edits import Edit
from sockspec.rules.subject import Subject
from sockspec.spec.source import Document, Json, escape

_MOST_ROUNDS = 50
"""How often the document is looked at anew; what is not mended by then stays as it is."""

Look = Callable[[Mapping[Path, bytes]], tuple[Linted, tuple[Diagnostic, ...]]]
"""Lints the document with some texts in the place of its files: all that is said, and what of it is to be mended."""
_Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Fixed:
    """What came of mending a document."""

    texts: Mapping[Path, bytes]
    """The new contents of files, those among them that were given."""
    mended: int
    """How many findings are gone."""


@dataclass(frozen=True, slots=True)
class _Fix:
    finding: Diagnostic
    edits: tuple[Edit, ...]


def fixed(look: Look, known: Known, texts: Mapping[Path, bytes], *, unsafe: bool) -> Fixed:
    """Mend what can be mended. `texts` stand in the place of files. Raises WrongUsage where a package's fixer fails."""
    refused: set[_Key] = set()
    mended = 0
    linted, wanted = look(texts)
    for _ in range(_MOST_ROUNDS):
        batch = _compatible(_proposed(linted.subject, wanted, known, refused, unsafe=unsafe)) if linted.subject else []
        if not batch:
            break
        # Where something is wrong with a batch, that is looked for in its first half; the rest has to wait.
        while batch:
            tried = _applied(batch, texts)
            after, still_wanted = look(tried)
            if _is_right(batch, linted, after):
                texts, linted, wanted = tried, after, still_wanted
                mended += len(batch)
                break
            if len(batch) == 1:
                refused.add(_key(batch[0].finding))
            batch = batch[: len(batch) // 2]
    return Fixed(texts, mended)


def _key(finding: Diagnostic) -> _Key:
    """What stays the same of a finding when lines move."""
    return finding.code.id, finding.location.path, finding.location.pointer, finding.message


def _matter(finding: Diagnostic) -> tuple[str, str, str]:
    """What a finding is about: its words may quote what has changed elsewhere."""
    return finding.code.id, finding.location.path, finding.location.pointer


# --- what is proposed -----------------------------------------------------------------------------------------------


def _proposed(
    subject: Subject, wanted: Iterable[Diagnostic], known: Known, refused: set[_Key], *, unsafe: bool
) -> Iterable[_Fix]:
    folder = subject.root.document.path.parent
    for finding in wanted:
        if _key(finding) in refused:
            continue
        edits = tuple(_edits(subject, finding, known, unsafe=unsafe))
        if edits and all(edit.document.path.is_relative_to(folder) for edit in edits):
            yield _Fix(finding, edits)


def _edits(subject: Subject, finding: Diagnostic, known: Known, *, unsafe: bool) -> Iterable[Edit]:
    rule = known.by_id.get(finding.code.id)
    if rule is None:
        yield from reading.edits(subject, finding, unsafe=unsafe)
    elif rule.fixer is not None and (unsafe or rule.is_fix_safe):
        try:
            yield from rule.fixer(subject, finding)
        except Exception as error:
            if rule.id not in known.origins:
                raise
            why = f"{type(error).__name__}: {error}"
            raise WrongUsage(f"the fix of {rule.id!r} of {known.origins[rule.id]} failed: {why}") from error


def _compatible(fixes: Iterable[_Fix]) -> list[_Fix]:
    """Fixes whose edits are apart from those of the ones before; the others come in another round."""
    last: dict[Path, int] = {}
    chosen: list[_Fix] = []
    for fix in sorted(fixes, key=lambda fix: min((str(each.document.path), each.start) for each in fix.edits)):
        if all(edit.start > last.get(edit.document.path, -1) for edit in fix.edits):
            chosen.append(fix)
            for edit in fix.edits:
                last[edit.document.path] = max(edit.end, last.get(edit.document.path, -1))
    return chosen


# --- what is made of it ---------------------------------------------------------------------------------------------


def _applied(fixes: Iterable[_Fix], texts: Mapping[Path, bytes]) -> dict[Path, bytes]:
    by_document: dict[Path, list[Edit]] = {}
    for fix in fixes:
        for edit in fix.edits:
            by_document.setdefault(edit.document.path, []).append(edit)
    return {**texts, **{path: _edited(path, edits, texts) for path, edits in by_document.items()}}


def _edited(path: Path, edits: list[Edit], texts: Mapping[Path, bytes]) -> bytes:
    """The content of a file with its edits. Raises WrongUsage where the file is not what was read."""
    before = content(path, texts)
    bom = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
    characters = edits[0].document.text.characters
    if before.removeprefix(bom) != characters.encode():
        raise WrongUsage(f"{str(path)!r} has changed while it was read; nothing was written")
    parts: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        parts += characters[at : edit.start], edit.text
        at = edit.end
    return bom + "".join((*parts, characters[at:])).encode()


def content(path: Path, texts: Mapping[Path, bytes]) -> bytes:
    """What is in a file, or what stands in its place. Raises WrongUsage where it cannot be read."""
    try:
        return texts[path] if path in texts else path.read_bytes()
    except OSError as error:
        raise WrongUsage(f"{str(path)!r} cannot be read: {error.strerror}") from None


def _is_right(fixes: list[_Fix], before: Linted, after: Linted) -> bool:
    if before.subject is None or after.subject is None:
        return False
    old, new = (Counter(map(_matter, linted.findings)) for linted in (before, after))
    wanted = Counter(_matter(fix.finding) for fix in fixes)
    if any(new[matter] > old[matter] - count for matter, count in wanted.items()):
        return False
    touched = {pointer for fix in fixes for edit in fix.edits for pointer in edit.pointers}
    for finding in after.findings:
        matter = _matter(finding)
        if new[matter] > old[matter] and (before.is_whole or _is_worse(finding, touched)):
            return False
    changed: dict[Path, set[str]] = {}
    for fix in fixes:
        for edit in fix.edits:
            changed.setdefault(edit.document.path, set()).update(edit.pointers)
    read = {document.path: document for document in after.subject.documents.loaded}
    return all(
        document.path in read and _differs_only_at(changed.get(document.path, set()), document, read[document.path])
        for document in before.subject.documents.loaded
    )


def _is_worse(finding: Diagnostic, touched: set[str]) -> bool:
    """Whether something new is the fault of a change, and not only seen because an error is no longer in the way."""
    around = finding.location.pointer
    while around and around not in touched:
        around = around.rpartition("/")[0]
    return around in touched and is_fatal(finding.code)


def _differs_only_at(pointers: set[str], old: Document, new: Document) -> bool:
    """Whether two readings of a file have the same values in the same order, but for some."""
    if old.text.characters == new.text.characters:
        return True
    around = {pointer[:at] for pointer in pointers for at, sign in enumerate(pointer) if sign == "/"}
    waiting: list[tuple[str, Json, Json]] = [("", old.value, new.value)]
    same: set[tuple[int, int]] = set()
    while waiting:
        pointer, one, other = waiting.pop()
        if pointer not in around and isinstance(one, (dict, list)):
            # Aliases make one container stand in several places; where it changes, it may stand in no other.
            if (id(one), id(other)) in same:
                continue
            same.add((id(one), id(other)))
        match one, other:
            case dict(), dict():
                kept = [key for key in one if f"{pointer}/{escape(key)}" not in pointers]
                if kept != [key for key in other if f"{pointer}/{escape(key)}" not in pointers]:
                    return False
                waiting.extend((f"{pointer}/{escape(key)}", one[key], other[key]) for key in kept)
            case list(), list():
                if len(one) != len(other):
                    return False
                pairs = enumerate(zip(one, other, strict=True))
                waiting.extend((at, a, b) for index, (a, b) in pairs if (at := f"{pointer}/{index}") not in pointers)
            case _:
                if type(one) is not type(other) or one != other:
                    return False
    return True
