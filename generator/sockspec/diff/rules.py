"""All rules for changes: one table."""

from __future__ import annotations

from sockspec.diff.doc_rules import DOC
from sockspec.diff.handshake_rules import HANDSHAKE
from sockspec.diff.payload_rules import PAYLOADS
from sockspec.diff.source_rules import SOURCE
from sockspec.diff.wire_rules import WIRE

RULES = {**HANDSHAKE, **WIRE, **PAYLOADS, **SOURCE, **DOC}
"""The rules by their ids."""
