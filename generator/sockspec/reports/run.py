"""What one call of a command has to say: the value that every format prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from sockspec.diagnostics import Code, Diagnostic, Severity

Source = Callable[[str], str | None]
"""The text of a file by the name that users know it by; None where it cannot be had."""

_RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}


def no_source(name: str) -> str | None:
    """The source of a run that has no texts: nothing is quoted."""
    return None


@dataclass(frozen=True)
class Run:
    """What one call of a command has to say."""

    command: str
    """`validate`, `lint` or `diff`."""
    files: tuple[str, ...]
    """The documents that were checked, by the names that users gave; also those in which nothing was found."""
    findings: tuple[Diagnostic, ...] = ()
    """In the order in which they are shown, each once. The severity of a finding's code is the one that counts."""
    source: Source = field(default=no_source, repr=False, compare=False)
    notes: tuple[str, ...] = ()
    """Lines that follow the findings, such as "the next version is 2.0.0"."""
    extra: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """What the format `json` shows beside the findings: plain values, under names of the command."""
    threshold: Severity | None = Severity.ERROR
    """The least severity that makes the run fail; None where nothing does. The option `--fail-on` sets it."""
    max_warnings: int | None = None
    """How many warnings there may be before the run fails all the same; None for any number."""
    root: str = ""
    """The folder that services show paths from, as an absolute path; empty where nobody said."""
    within: str = ""
    """Where relative paths begin, seen from that folder; empty where they begin in it."""
    documentation: str = ""
    """The URL of the folder with the pages that explain codes; empty where nobody said."""

    @cached_property
    def counts(self) -> Mapping[Severity, int]:
        """How many findings there are of each severity."""
        return Counter(finding.severity for finding in self.findings)

    @cached_property
    def too_many_warnings(self) -> bool:
        """Whether there are more warnings than there may be."""
        return self.max_warnings is not None and self.counts[Severity.WARNING] > self.max_warnings

    @property
    def failed(self) -> bool:
        """Whether the command ends with exit code 1."""
        return any(map(self.fails, self.findings))

    def page(self, code: Code) -> str:
        """The URL of what explains a code; empty where it cannot be told."""
        if "://" in code.page:
            return code.page
        return f"{self.documentation.rstrip('/')}/{code.page}#{code.id}" if self.documentation else ""

    def fails(self, finding: Diagnostic) -> bool:
        """Whether a finding is one of those that make the run fail."""
        if self.threshold is not None and _RANKS[finding.severity] >= _RANKS[self.threshold]:
            return True
        return finding.severity is Severity.WARNING and self.too_many_warnings
