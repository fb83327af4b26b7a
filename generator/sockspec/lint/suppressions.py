"""What a document says to silence rules: comments, and the key `x-lint-ignore`.

    # lint-ignore: rule-id[, rule-id] -- reason        on the line, or on a line of its own above it
    # lint-ignore-file: rule-id -- reason              at the top of the file
    x-lint-ignore: {rule-id: reason}                   in an object, and for all that is in it

A comment holds for what is said of its line, and for all below the keys that begin there.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from sockspec.diagnostics import Diagnostic, Location
from sockspec.lint.comments import Comment, comments
from sockspec.lint.known import Known, codes, is_fatal
from sockspec.rules.suppressions import RULES, SUPPRESSION_NOT_UNDERSTOOD, SUPPRESSION_WITHOUT_REASON
from sockspec.spec.node import Node
from sockspec.spec.source import Document
from sockspec.spec.text import quoted
from sockspec.spec.walk import mappings, nearest

KEY = "x-lint-ignore"
_COMMENT = re.compile(r"lint-ignore(?P<file>-file)?(?P<colon>\s*:)?(?P<rules>.*?)(?:\s--\s*(?P<reason>.*))?")
_BETWEEN = re.compile(r"[,\s]+")
_MOST_COMPARED = 50
"""How many unknown names are compared with those of rules: the search takes its time."""
_FORM = "write 'lint-ignore: rule-id -- reason'"


@dataclass(frozen=True, slots=True)
class Suppression:
    """A rule, silenced in a part of a file."""

    name: str
    """What the rule is called there."""
    rules: tuple[str, ...]
    """The ids of what is silenced: several where the name is another tool's, and ours are more."""
    location: Location
    pointers: tuple[str, ...]
    """The values that it holds for, with all that is in them."""
    line: int = 0
    """The line that it holds for; 0 for none."""


@dataclass(frozen=True, slots=True)
class _Meant:
    """What a suppression says, not yet understood."""

    names: tuple[tuple[str, str, Location], ...]
    """What is silenced, why, and where that is said."""
    pointers: tuple[str, ...]
    line: int = 0


class Suppressions:
    """The suppressions of a file."""

    def __init__(self, document: Document, known: Known) -> None:
        self.document = document
        self.faults: list[Diagnostic] = []
        self.all: list[Suppression] = []
        self._known = known
        self._unknown = 0
        self._places: list[tuple[int, int, str]] = []
        self._at: dict[tuple[str, str], Suppression] = {}
        self._on: dict[tuple[str, int], Suppression] = {}
        for meant in self._meant():
            for name, reason, place in meant.names:
                self._note(name, reason, place, meant)

    def of(self, finding: Diagnostic) -> Suppression | None:
        """What silences a finding of this file, if anything does."""
        code, place = finding.code, finding.location
        if not self._at and not self._on:
            return None
        if (code.id, place.line) in self._on:
            return self._on[code.id, place.line]
        pointer = place.pointer or self._innermost(place)
        while True:
            if (code.id, pointer) in self._at:
                return self._at[code.id, pointer]
            if not pointer:
                return None
            pointer = pointer.rpartition("/")[0]

    # --- what is written --------------------------------------------------------------------------------------------

    def _meant(self) -> Iterator[_Meant]:
        text = self.document.text
        if "lint-ignore" not in text.characters:
            return
        self._places = sorted(self.document.places())
        for comment in comments(text):
            meant = self._comment(comment)
            if meant is not None:
                yield meant
        for node, named in mappings(Node(self.document.value, self.document, ""), set()):
            if not named and (said := node.get(KEY)) is not None:
                yield self._key(node, said)

    def _comment(self, comment: Comment) -> _Meant | None:
        found = _COMMENT.fullmatch(comment.words)
        place = self.document.text.place(comment.offset)
        names = tuple(filter(None, _BETWEEN.split(found["rules"]))) if found is not None else ()
        if found is None or not names or not found["colon"]:
            self._fault(place, "the comment names no rule to ignore", _FORM)
            return None
        meant = tuple((name, (found["reason"] or "").strip(), place) for name in names)
        if found["file"]:
            if self._places and comment.offset > self._places[0][1]:
                hint = "write it above the first key, or 'lint-ignore' where it is meant"
                self._fault(place, "'lint-ignore-file' stands below the top of the file", hint)
                return None
            return _Meant(meant, ("",))
        line = self._line_of(comment)
        return _Meant(meant, self._begun_on(line), line)

    def _key(self, node: Node, said: Node) -> _Meant:
        """What an object says: rules with reasons, or a list of rules, which lacks them."""
        names: list[tuple[str, str, Location]] = []
        match said.value:
            case dict():
                for name, reason in said.items():
                    names.append((name, reason.value if isinstance(reason.value, str) else "", reason.key_location))
            case str():
                names.append((said.value, "", said.location))
            case list() if all(isinstance(item.value, str) for item in said.elements()):
                names += [(str(item.value), "", item.location) for item in said.elements()]
            case _:
                self._fault(
                    said.location, f"{KEY!r} is not a mapping of rules to reasons", f"write '{KEY}: {{rule: reason}}'"
                )
        return _Meant(tuple(names), (node.pointer,))

    # --- what it holds for ------------------------------------------------------------------------------------------

    def _line_of(self, comment: Comment) -> int:
        """The line that a comment speaks of: its own, or that of what begins next."""
        if not comment.is_alone:
            return comment.line
        index = bisect_right(self._places, (comment.offset,))
        return self._line(index) if index < len(self._places) else 0

    def _begun_on(self, line: int) -> tuple[str, ...]:
        """The values whose keys stand on a line, and that are in no other such value; the root is none of them."""
        index = bisect_right(self._places, line - 1, key=lambda place: self.document.text.place(place[0]).line)
        found: list[str] = []
        while index < len(self._places) and self._line(index) == line:
            pointer = self._places[index][2]
            if pointer and not (found and pointer.startswith(f"{found[-1]}/")):
                found.append(pointer)
            index += 1
        return tuple(found)

    def _line(self, index: int) -> int:
        return self.document.text.place(self._places[index][0]).line

    def _innermost(self, place: Location) -> str:
        """The pointer of what stands at a place that came without one."""
        if not place.line or not self._places:
            return ""
        index = bisect_right(self._places, (place.line, place.column), key=self._position)
        return self._places[index - 1][2] if index else ""

    def _position(self, place: tuple[int, int, str]) -> tuple[int, int]:
        found = self.document.text.place(place[0])
        return found.line, found.column

    # --- what it means ----------------------------------------------------------------------------------------------

    def _note(self, name: str, reason: str, place: Location, meant: _Meant) -> None:
        ids = self._ids(name, place)
        if not ids:
            return
        if not reason:
            message = f"{quoted(name)} is ignored without a reason"
            hint = f"write '{KEY}: {{rule: reason}}'" if place.pointer else "say behind '--' why"
            self.faults.append(SUPPRESSION_WITHOUT_REASON.at(place, message, hint=hint))
        suppression = Suppression(name, ids, place, meant.pointers, meant.line)
        self.all.append(suppression)
        for rule in ids:
            for pointer in meant.pointers:
                self._at.setdefault((rule, pointer), suppression)
            if meant.line:
                self._on.setdefault((rule, meant.line), suppression)

    def _ids(self, name: str, place: Location) -> tuple[str, ...]:
        """The ids of what a name silences; none, reported, where it can silence nothing."""
        rules = self._known.by_name.get(name, ())
        if any(rule in RULES for rule in rules):
            self._fault(place, f"{quoted(name)} is about what is ignored, and cannot be ignored itself", "")
            return ()
        if rules:
            return tuple(rule.id for rule in rules)
        code = codes().get(name)
        if code is None:
            self._unknown += 1
            near = nearest(name, self._known.by_name) if self._unknown <= _MOST_COMPARED else None
            hint = f"did you mean {quoted(near)}?" if near is not None else ""
            self._fault(place, f"there is no rule {quoted(name)} to ignore", hint)
            return ()
        if is_fatal(code):
            self._fault(place, f"{quoted(name)} is an error of reading, and cannot be ignored", "")
            return ()
        return (name,)

    def _fault(self, place: Location, message: str, hint: str) -> None:
        self.faults.append(SUPPRESSION_NOT_UNDERSTOOD.at(place, message, hint=hint))
