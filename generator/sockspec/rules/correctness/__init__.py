"""What a specification forbids, and JSON Schema cannot say."""

from __future__ import annotations

from sockspec.rules.correctness import addresses
from sockspec.rules.rule import Rule

RULES: tuple[Rule, ...] = (*addresses.RULES,)
