"""What the design guide for WebSocket APIs asks for, as far as a document can show it. `docs/guide.md` has its sentences."""

from __future__ import annotations

from sockspec.rules.guide import connections, documentation, errors, messages, security
from sockspec.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    *messages.RULES,
    *connections.RULES,
    *security.RULES,
    *errors.RULES,
    *documentation.RULES,
)
