"""What generated code cannot do well, or what was assumed to make it."""

from __future__ import annotations

from sockspec.rules.generation import asyncapi, documents, keywords, names, openapi, payloads, schemas, writing
from sockspec.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    *payloads.RULES,
    *names.RULES,
    *writing.RULES,
    *documents.RULES,
    *schemas.RULES,
    *keywords.RULES,
    *asyncapi.RULES,
    *openapi.RULES,
)
