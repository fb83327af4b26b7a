"""What a specification forbids, and JSON Schema cannot say."""

from __future__ import annotations

from sockspec.rules.correctness import addresses, composition, discriminators, examples, openapi, schemas
from sockspec.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    *addresses.RULES,
    *composition.RULES,
    *discriminators.RULES,
    *examples.RULES,
    *openapi.RULES,
    *schemas.RULES,
)
