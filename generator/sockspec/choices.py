"""What users say of a document where it does not say itself: options of the commands, keys of pyproject.toml."""

from __future__ import annotations

from dataclasses import dataclass

from sockspec import ir

_SENDERS = {"client": ir.Direction.CLIENT_TO_SERVER, "server": ir.Direction.SERVER_TO_CLIENT}


@dataclass(frozen=True, slots=True)
class Named:
    """The component schemas that are messages, or unions of messages, and the path that carries them."""

    messages: tuple[tuple[ir.Direction, str], ...]
    path: str = ""


def messages_named(text: str) -> Named:
    """What `client=Name,server=Name,path=/path` says. `client` and `server` may be repeated. Raises ValueError."""
    messages: list[tuple[ir.Direction, str]] = []
    path = ""
    for part in text.split(","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value or key not in (*_SENDERS, "path"):
            raise ValueError(f"{part.strip()!r} is not client=SCHEMA, server=SCHEMA or path=/PATH")
        if key == "path":
            path = value if value.startswith("/") else f"/{value}"
        else:
            messages.append((_SENDERS[key], value))
    if not messages:
        raise ValueError("no message is named; client=SCHEMA or server=SCHEMA was expected")
    return Named(tuple(messages), path)


@dataclass(frozen=True, slots=True)
class Choices:
    """How a document is to be read where it leaves that open."""

    perspective: str | None = None
    """Whose view it takes in words such as `send` and `receive`: `server` or `client`."""
    messages: Named | None = None
    """The component schemas of an OpenAPI document that are its messages."""
    channels: str | None = None
    """What the channels of an AsyncAPI document are: `endpoints`, or `subscriptions` inside one connection."""
