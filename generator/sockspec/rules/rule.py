"""Rules as values."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sockspec.diagnostics import Code, Diagnostic
from sockspec.rules.edits import Edit
from sockspec.rules.subject import Subject

Check = Callable[[Subject], Iterable[Diagnostic]]
Fixer = Callable[[Subject, Diagnostic], Iterable[Edit]]
"""What to write so that a finding is mended; nothing where that cannot be told."""

ASYNCAPI = ("AsyncAPI 2.0", "AsyncAPI 3.0")
ASYNCAPI_2 = ("AsyncAPI 2.0",)
ASYNCAPI_3 = ("AsyncAPI 3.0",)
OPENAPI = ("OpenAPI 3.1",)
ALL = (*ASYNCAPI, *OPENAPI)


class Group(enum.Enum):
    """What a rule is about, and so when it is asked: `sockspec validate` asks the rules of correctness only."""

    CORRECTNESS = "correctness"
    """What the specification forbids."""
    GENERATION = "generation"
    """What generated code cannot do well, or what was assumed to make it."""
    QUALITY = "quality"
    """What readers of the document would miss."""
    GUIDE = "guide"
    """What the design guide for WebSocket APIs asks for, as far as a document can show it."""
    SUPPRESSIONS = "suppressions"
    """What was written for the linter itself, to silence other rules."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that documents should keep. `docs/rules.md` is made from the table of them."""

    code: Code
    """Its id, its severity where nobody configures another, and what is wrong and why that matters."""
    group: Group
    since: tuple[str, ...]
    """The specifications that it is about, each with the first version: `AsyncAPI 3.0`."""
    bad: str
    """A part of a document that breaks it, as YAML."""
    good: str
    """The same part, mended."""
    check: Check | None = None
    """Finds where it is broken; None where reading the document finds that."""
    fix: str = ""
    """What `sockspec lint --fix` does about it; empty where it leaves that to people."""
    fixer: Fixer | None = None
    """Does what `fix` says."""
    is_fix_safe: bool = True
    """Whether nothing of the API changes by it, and nothing is guessed; else it takes `--unsafe-fixes`, too."""
    aliases: tuple[str, ...] = ()
    """What other tools call it; these names may be used in its place."""

    @property
    def id(self) -> str:
        """What findings and configurations call it."""
        return self.code.id
