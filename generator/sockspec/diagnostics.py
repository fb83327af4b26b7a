"""What the generator has to say about a document: values with a place, and the ways to print them."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field


class Severity(enum.Enum):
    """How much a diagnostic matters. An error keeps a package from being made, unless its code is tolerable."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file. Lines and columns count from 1; 0 means that the place is the whole file."""

    path: str
    line: int = 0
    column: int = 0
    pointer: str = field(default="", compare=False)
    """JSON Pointer (RFC 6901) of the value that stands there."""
    end_line: int = field(default=0, compare=False)
    end_column: int = field(default=0, compare=False)
    """Where the place ends: the line, and the column behind its last character. 0 where nobody said; reports then find
    the end of the word that stands there."""
    note: str = field(default="", compare=False)
    """Of a related place: what it has to do with the matter, such as 'first used here'."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of diagnostic. Modules declare theirs as constants; `docs/diagnostics.md` is made from them."""

    id: str
    severity: Severity
    meaning: str
    """For the documentation: what is wrong, why it matters, and what to do, in Markdown."""
    tolerable: bool = False
    """Whether a package can be made in spite of it, though it is an error of the document."""
    category: str = ""
    """What kind of matter it is, where kinds are told apart: 'guide' of a rule, 'wire' of a change."""
    page: str = "diagnostics.md"
    """Where it is explained, at an anchor of its id: a page of our documentation, or an absolute URL."""

    def at(self, location: Location, message: str, *, hint: str = "", related: Iterable[Location] = ()) -> Diagnostic:
        """A diagnostic of this kind. Messages are lower case, quote what was written and say what was expected."""
        return Diagnostic(self, location, message, hint, tuple(related))


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing to tell the author of a document."""

    code: Code
    location: Location
    message: str
    hint: str = ""
    related: tuple[Location, ...] = ()

    @property
    def severity(self) -> Severity:
        """The severity of the code."""
        return self.code.severity

    def __str__(self) -> str:
        return f"{self.location}: {self.severity.value} {self.code.id} {self.message}"


class Report:
    """Diagnostics as they are found, handed from step to step of the pipeline."""

    def __init__(self) -> None:
        self._found: dict[Diagnostic, None] = {}

    def add(self, diagnostic: Diagnostic) -> None:
        """Note a diagnostic; the same one twice counts once."""
        self._found.setdefault(diagnostic)

    def sorted(self) -> list[Diagnostic]:
        """All that was found, by place."""
        return sorted(self._found, key=lambda d: (d.location, d.code.id, d.message))

    @property
    def failed(self) -> bool:
        """Whether anything found keeps a package from being made."""
        return any(d.severity is Severity.ERROR and not d.code.tolerable for d in self._found)


def text(diagnostics: Iterable[Diagnostic]) -> str:
    """One clickable line for each diagnostic, its hint and related places below it."""
    lines: list[str] = []
    for diagnostic in diagnostics:
        lines.append(str(diagnostic))
        if diagnostic.hint:
            lines.append(f"    hint: {diagnostic.hint}")
        lines.extend(f"    see:  {place}" for place in diagnostic.related)
    return "".join(line + "\n" for line in lines)
