"""What readers of a document would miss, though nothing is wrong."""

from __future__ import annotations

from sockspec.rules.quality import about, casing, conventions, describing, unused
from sockspec.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    *about.RULES,
    *describing.RULES,
    *conventions.RULES,
    *casing.RULES,
    *unused.RULES,
)
