"""What users say of a document where it does not say itself: options of the commands, keys of pyproject.toml."""

from __future__ import annotations

from dataclasses import dataclass

from sockspec.spec.openapi.named import Named


@dataclass(frozen=True, slots=True)
class Choices:
    """How a document is to be read where it leaves that open."""

    perspective: str | None = None
    """Whose view it takes in words such as `send` and `receive`: `server` or `client`."""
    messages: Named | None = None
    """The component schemas of an OpenAPI document that are its messages."""
    channels: str | None = None
    """What the channels of an AsyncAPI document are: `endpoints`, or `subscriptions` inside one connection."""
