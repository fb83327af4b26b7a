"""What a specification forbids, and JSON Schema cannot say."""

from __future__ import annotations

from sockspec.rules.correctness import addresses, examples, openapi
from sockspec.rules.rule import Rule

RULES: tuple[Rule, ...] = (*addresses.RULES, *examples.RULES, *openapi.RULES)
