"""The API as documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sockspec import ir


def files(api: ir.Api, render: Callable[..., str]) -> Mapping[str, str]:
    """The pages by their paths."""
    return {}
