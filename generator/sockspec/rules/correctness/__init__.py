"""What a specification forbids, and JSON Schema cannot say."""

from __future__ import annotations

from sockspec.rules.correctness import (
    addresses,
    bindings,
    composition,
    discriminators,
    examples,
    locations,
    messages,
    naming,
    openapi,
    operations,
    references,
    schemas,
    security,
    servers,
)
from sockspec.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    *addresses.RULES,
    *servers.RULES,
    *security.RULES,
    *operations.RULES,
    *messages.RULES,
    *locations.RULES,
    *bindings.RULES,
    *references.RULES,
    *naming.RULES,
    *examples.RULES,
    *openapi.RULES,
    *composition.RULES,
    *discriminators.RULES,
    *schemas.RULES,
)
