"""How two versions of a payload's schema relate: what has changed, and which payloads stay valid."""

from __future__ import annotations

from collections.abc import Mapping

from sockspec.diff.schemas.change import Effect, SchemaChange
from sockspec.diff.schemas.comparison import Comparison
from sockspec.diff.schemas.kinds import KINDS, Kind

__all__ = ["KINDS", "Comparison", "Effect", "Kind", "SchemaChange", "compare"]


def compare(
    old: Mapping[str, object], old_ref: str, new: Mapping[str, object], new_ref: str
) -> tuple[SchemaChange, ...]:
    """What has changed from the schema at a reference into one document to that at a reference into another."""
    return Comparison(old, new).changes(old_ref, new_ref)
